package io.sanavideo.check;

import io.sanavideo.model.Comparison;

/**
 * What was found of one output tensor.
 *
 * @param tensor the reference's name
 * @param error how far the output is from its reference; null where none was computed
 * @param measure what is judged, against which bound; empty where nothing is
 * @param verdict the judgement
 */
public record Finding(String tensor, Comparison error, String measure, Verdict verdict) {
    /** Judged by the relative L2 error, which must be below the bound. */
    static Finding below(double bound, Comparison error) {
        return judged(error, "relative L2 below %.0e".formatted(bound), error.relativeL2() < bound);
    }

    /** Judged by a measure of its own. */
    static Finding judged(Comparison error, String measure, boolean holds) {
        return new Finding(error.tensor(), error, measure, holds ? Verdict.PASS : Verdict.FAIL);
    }

    /** Computed and shown, no more. */
    static Finding notJudged(Comparison error) {
        return new Finding(error.tensor(), error, "", Verdict.NOT_JUDGED);
    }

    /** Not one of the tensors that a component shows. */
    static Finding notShown(String tensor) {
        return new Finding(tensor, null, "", Verdict.NOT_JUDGED);
    }

    /** Not computed by this version. */
    static Finding notBuilt(String tensor) {
        return new Finding(tensor, null, "", Verdict.NOT_BUILT);
    }

    /** Whether there is a judgement. */
    public boolean isJudged() {
        return verdict == Verdict.PASS || verdict == Verdict.FAIL;
    }
}
