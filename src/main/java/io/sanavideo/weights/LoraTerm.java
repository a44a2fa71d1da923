package io.sanavideo.weights;

/**
 * What a LoRA adds to one weight: scale * factor * up down.
 *
 * @param layer of its file
 * @param scale that the user gives it
 */
public record LoraTerm(LoraFile.Layer layer, double scale) {
    /**
     * The numbers of a term, in f32.
     *
     * @param rank of both
     * @param down [rank, columns], row-major
     * @param up [rows, rank], row-major, already multiplied by scale * factor
     */
    public record Values(int rank, float[] down, float[] up) {
        /** Adds a row of the product. */
        void addTo(long row, float[] sums) {
            for (int i = 0; i < rank; i++) {
                float weight = up[(int) row * rank + i];
                int at = i * sums.length;
                for (int column = 0; column < sums.length; column++) {
                    sums[column] += weight * down[at + column];
                }
            }
        }
    }

    public int rank() {
        return layer.rank();
    }

    /**
     * Reads both matrices.
     *
     * @throws io.sanavideo.ModelFormatException when an element is NaN or infinite, naming it
     */
    public Values read() {
        float[] down = finite(layer.down());
        float[] up = finite(layer.up());
        double by = scale * layer.factor();
        for (int i = 0; i < up.length; i++) {
            double scaled = by * up[i];
            if (!Float.isFinite((float) scaled)) {
                throw SafetensorsHeader.fault(
                        layer.up().file().path(),
                        layer.up().name(),
                        layer.up().begin() + (long) i * layer.up().dtype().bytes(),
                        "element %d times %s, its scale times alpha by rank, is %s, expected a number that f32 can hold"
                                .formatted(i, by, scaled));
            }
            up[i] = (float) scaled;
        }
        return new Values(rank(), down, up);
    }

    private static float[] finite(StoredTensor stored) {
        float[] values = stored.toFloats();
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw SafetensorsHeader.fault(
                        stored.file().path(),
                        stored.name(),
                        stored.begin() + (long) i * stored.dtype().bytes(),
                        "element %d is %s, expected a finite number".formatted(i, values[i]));
            }
        }
        return values;
    }
}
