package io.sanavideo.doctor;

/**
 * What a trial's op left on a device.
 *
 * @param name of the argument
 * @param bytes as they lie in memory
 * @param numbers what they stand for; null where only bytes are compared
 * @param bound how far it may be from the CPU's
 */
record Output(String name, byte[] bytes, float[] numbers, Bound bound) {
    /** Bytes that differ from the other's. */
    long differing(Output other) {
        long count = Math.abs(bytes.length - other.bytes.length);
        for (int i = 0; i < Math.min(bytes.length, other.bytes.length); i++) {
            count += bytes[i] == other.bytes[i] ? 0 : 1;
        }
        return count;
    }

    /** ||this - reference|| / ||reference||; NaN where one is not a number, or the reference 0. */
    double distance(Output reference) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < numbers.length; i++) {
            double error = (double) numbers[i] - reference.numbers[i];
            difference += error * error;
            norm += (double) reference.numbers[i] * reference.numbers[i];
        }
        return norm == 0 ? Double.NaN : Math.sqrt(difference / norm);
    }
}
