package io.sanavideo.doctor;

/**
 * What came of a trial.
 *
 * @param op its name in {@code include/sanavideo}, without the sv_
 * @param trial op, type and shape in words
 * @param verdict the judgement
 * @param measure what error and bound are of, or null where nothing was compared
 * @param error of the output that was worst against its bound
 * @param bound the largest error that passes
 * @param detail what is wrong, or what is to be said of a trial that passed, or empty
 */
public record Finding(
        String op,
        String trial,
        Verdict verdict,
        Measure measure,
        double error,
        double bound,
        String detail) {
    /** The judgements. */
    public enum Verdict {
        /** Inside every bound, the same bits when it ran again, nothing written elsewhere. */
        PASS,
        /** Not so. */
        FAIL,
        /** The card did not do it. */
        REFUSED
    }

    /** What an error is. */
    public enum Measure {
        /** ||card - CPU|| / ||CPU||, NaN where one is not a number. */
        RELATIVE_L2,
        /** How many bytes differ from the CPU's. */
        BYTES
    }

    /** Whether it is one of NVFP4. */
    public boolean isNvfp4() {
        return trial.startsWith("nvfp4_") || trial.contains("NVFP4");
    }
}
