package io.sanavideo.weights;

/** Makes rows of a weight that no file holds as they are; called by several threads at once. */
@FunctionalInterface
public interface Rows {
    /**
     * Makes one.
     *
     * @param values of the row, all 0 before
     */
    void fill(long row, float[] values);
}
