package io.sanavideo.runtime.vendor;

import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import java.util.List;

/** A library at work on the stream of one context. */
interface Library extends AutoCloseable {
    /** How it could do a problem, the likeliest to be fast first; none where it cannot. */
    List<Choice> candidates(Problem problem);

    /**
     * Queues out = the product of in and weight, without an epilogue.
     *
     * @param workspace of as many bytes as the choice says, or null for none
     * @throws io.sanavideo.DeviceException when the library refuses
     */
    void multiply(
            Problem problem, Choice choice, Tensor in, Weight weight, Tensor workspace, Tensor out);

    @Override
    void close();
}
