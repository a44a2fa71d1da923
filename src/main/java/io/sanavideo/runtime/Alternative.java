package io.sanavideo.runtime;

/**
 * What may take the place of the own kernels of the two ops that a vendor's library can do as well,
 * {@link Ops#linear} and {@link Ops#convolution}. Their arguments are not checked yet.
 */
public interface Alternative {
    /** Own kernels for everything. */
    Alternative NONE =
            new Alternative() {
                @Override
                public boolean linear(Tensor in, Weight weight, Epilogue epilogue, Tensor out) {
                    return false;
                }

                @Override
                public boolean convolution(
                        Tensor in, Weight weight, Epilogue epilogue, Tensor out) {
                    return false;
                }
            };

    /** Queues the op, or returns false where the own kernel is to do it. */
    boolean linear(Tensor in, Weight weight, Epilogue epilogue, Tensor out);

    /**
     * Queues the op with zeros around each frame, or returns false where the own kernel is to do
     * it.
     */
    boolean convolution(Tensor in, Weight weight, Epilogue epilogue, Tensor out);
}
