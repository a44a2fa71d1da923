package io.sanavideo.runtime.vendor;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A bf16 product that a library could do, with all that its time depends on. Its text, such as
 * {@code linear 32760x2240x6720 bias silu}, is its name in files.
 *
 * @param kind which op it is of
 * @param sizes linear: rows, in, out; convolution: frames, height and width of the output, channels
 *     in and out, frames, height and width of the kernel
 * @param finish what the epilogue does
 */
public record Problem(Kind kind, List<Long> sizes, Finish finish) {
    /** Bytes. */
    static final int ALIGNMENT = 16;

    /** The ops that libraries have an answer to. */
    public enum Kind {
        LINEAR,
        CONVOLUTION
    }

    /** What an epilogue does to a product, whatever with. */
    record Finish(
            boolean bias,
            Activation activation,
            boolean gate,
            boolean residual,
            long summed,
            int squareParts) {
        static Finish of(Epilogue epilogue) {
            boolean squares = epilogue.squareSums() != null;
            return new Finish(
                    epilogue.bias() != null,
                    epilogue.activation(),
                    epilogue.gate() != null,
                    epilogue.residual() != null,
                    squares ? epilogue.squareSums().size(1) : 0,
                    squares ? epilogue.squareParts() : 0);
        }

        /** Whether the product is stored as it is. */
        boolean isNothing() {
            return equals(of(Epilogue.NONE));
        }

        @Override
        public String toString() {
            return (bias ? " bias" : "")
                    + (activation == Activation.NONE
                            ? ""
                            : " " + activation.name().toLowerCase(Locale.ROOT))
                    + (gate ? " gate" : "")
                    + (residual ? " residual" : "")
                    + (summed == 0 ? "" : " squares:%d/%d".formatted(summed, squareParts));
        }
    }

    /** The problem of an op's arguments; null where they are wrong, or not for a library. */
    static Problem linear(Tensor in, Weight weight, Epilogue epilogue, Tensor out) {
        long[] shape = weight.shape();
        if (!suit(in, weight, out) || shape.length != 2) {
            return null;
        }
        long rows = in.elements() / last(in);
        if (last(in) != shape[1]
                || last(out) != shape[0]
                || out.elements() != rows * shape[0]
                || shape[1] % 8 != 0
                || shape[0] % 8 != 0) {
            return null;
        }
        return new Problem(Kind.LINEAR, List.of(rows, shape[1], shape[0]), Finish.of(epilogue));
    }

    /** As the other. */
    static Problem convolution(Tensor in, Weight weight, Epilogue epilogue, Tensor out) {
        long[] kernel = weight.shape();
        long[] to = out.shape();
        if (!suit(in, weight, out) || kernel.length != 5 || to.length != 4) {
            return null;
        }
        List<Long> expected = List.of(to[0] + kernel[2] - 1, to[1], to[2], kernel[1]);
        if (!expected.equals(Arrays.stream(in.shape()).boxed().toList())
                || to[3] != kernel[0]
                || kernel[1] % 8 != 0
                || kernel[0] % 8 != 0) {
            return null;
        }
        return new Problem(
                Kind.CONVOLUTION,
                List.of(to[0], to[1], to[2], kernel[1], kernel[0], kernel[2], kernel[3], kernel[4]),
                Finish.of(epilogue));
    }

    /**
     * Libraries multiply bf16 alone: f32 is plain fp32 everywhere, which theirs may not be. A view
     * may begin anywhere; those that do not suit their wide loads are the own kernels'.
     */
    private static boolean suit(Tensor in, Weight weight, Tensor out) {
        return in.dtype() == DType.BF16
                && weight.dtype() == DType.BF16
                && out.dtype() == DType.BF16
                && in.data().address() % ALIGNMENT == 0
                && out.data().address() % ALIGNMENT == 0;
    }

    private static long last(Tensor tensor) {
        long[] shape = tensor.shape();
        return shape[shape.length - 1];
    }

    long size(int index) {
        return sizes.get(index);
    }

    /** Rows and columns of the product, and the terms of each sum. */
    long rows() {
        return kind == Kind.LINEAR ? size(0) : size(0) * size(1) * size(2);
    }

    long columns() {
        return kind == Kind.LINEAR ? size(2) : size(4);
    }

    long depth() {
        return kind == Kind.LINEAR ? size(1) : size(3) * size(5) * size(6) * size(7);
    }

    long[] inShape() {
        return kind == Kind.LINEAR
                ? new long[] {size(0), size(1)}
                : new long[] {size(0) + size(5) - 1, size(1), size(2), size(3)};
    }

    long[] outShape() {
        return kind == Kind.LINEAR
                ? new long[] {size(0), size(2)}
                : new long[] {size(0), size(1), size(2), size(4)};
    }

    long[] weightShape() {
        return kind == Kind.LINEAR
                ? new long[] {size(2), size(1)}
                : new long[] {size(4), size(3), size(5), size(6), size(7)};
    }

    @Override
    public String toString() {
        String numbers = sizes.stream().map(String::valueOf).collect(Collectors.joining("x"));
        return kind.name().toLowerCase(Locale.ROOT) + " " + numbers + finish;
    }
}
