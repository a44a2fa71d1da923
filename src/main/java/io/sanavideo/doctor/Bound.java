package io.sanavideo.doctor;

import io.sanavideo.runtime.DType;

/**
 * How far an output may be from the CPU's.
 *
 * @param relativeL2 the largest ||output - reference|| / ||reference||; 0: the same bytes
 */
record Bound(double relativeL2) {
    private static final double F32 = 1e-6;
    private static final double BF16 = 4e-3;

    /** So many terms make F32's bound larger. */
    private static final double FEW_TERMS = 512;

    static final Bound SAME_BYTES = new Bound(0);

    /**
     * Of fp32 numbers that were quantised to NVFP4: what lies in the middle of two codes may fall
     * to either side, as one number in 4000 of theirs may here.
     */
    static final Bound QUANTISED = new Bound(BF16);

    /** Of sums of so many terms, added in fp32 and stored in this type. */
    static Bound sums(DType dtype, long terms) {
        return new Bound(
                dtype == DType.F32 ? F32 * Math.max(1, Math.sqrt(terms / FEW_TERMS)) : BF16);
    }

    boolean isBytes() {
        return relativeL2 == 0;
    }
}
