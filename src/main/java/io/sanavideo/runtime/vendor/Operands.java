package io.sanavideo.runtime.vendor;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.HostMemory;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;

/** What an op of a problem's kind is called with, filled with normal random numbers. */
record Operands(Problem problem, Tensor in, Weight weight, Epilogue epilogue, Tensor out) {
    private static final int NOISE_ELEMENTS = 1 << 20;

    /** As many rows from each end of the output are looked at. */
    private static final int SEEN_ROWS = 64;

    /** New operands in a scope. */
    static Operands of(Problem problem, Scope scope) {
        WeightKind kind =
                problem.kind() == Problem.Kind.LINEAR ? WeightKind.LINEAR : WeightKind.CONVOLUTION;
        Tensor in = scope.tensor(DType.BF16, problem.inShape());
        Weight weight = scope.weight(kind, DType.BF16, problem.weightShape());
        Tensor out = scope.tensor(DType.BF16, problem.outShape());
        try (HostMemory noise = noise()) {
            fill(in, noise);
            pack(weight, noise);
            return new Operands(problem, in, weight, epilogue(problem, scope, noise), out);
        }
    }

    private static Epilogue epilogue(Problem problem, Scope scope, HostMemory noise) {
        Problem.Finish finish = problem.finish();
        long columns = problem.columns();
        Epilogue epilogue = finish.bias() ? Epilogue.bias(ones(scope, columns)) : Epilogue.NONE;
        epilogue = epilogue.activation(finish.activation());
        if (finish.gate()) {
            epilogue = epilogue.gate(ones(scope, 1, 1, columns), 0);
        }
        if (finish.residual()) {
            // Not the output, as it often is: repeated calls would add up.
            Tensor residual = scope.tensor(DType.BF16, problem.outShape());
            fill(residual, noise);
            epilogue = epilogue.residual(residual);
        }
        if (finish.summed() != 0) {
            Tensor sums = scope.tensor(DType.F32, problem.rows(), finish.summed());
            epilogue = epilogue.squareSums(sums, finish.squareParts());
        }
        return epilogue;
    }

    private static Tensor ones(Scope scope, long... shape) {
        Tensor tensor = scope.tensor(DType.F32, shape);
        float[] values = new float[Math.toIntExact(tensor.elements())];
        Arrays.fill(values, 1);
        tensor.upload(values);
        return tensor;
    }

    /** bf16 numbers, always the same. */
    private static HostMemory noise() {
        HostMemory memory = new HostMemory(NOISE_ELEMENTS * DType.BF16.bytes());
        ByteBuffer buffer = memory.buffer().order(ByteOrder.nativeOrder());
        Random random = new Random(1);
        for (int i = 0; i < NOISE_ELEMENTS; i++) {
            float value = DType.roundToBf16((float) random.nextGaussian());
            buffer.putShort(2 * i, (short) (Float.floatToIntBits(value) >>> 16));
        }
        return memory;
    }

    private static ByteBuffer first(HostMemory noise, long elements) {
        return noise.buffer().limit(Math.toIntExact(elements * DType.BF16.bytes()));
    }

    private static void fill(Tensor tensor, HostMemory noise) {
        long elements = tensor.elements();
        try (Tensor flat = tensor.reshape(elements)) {
            for (long at = 0; at < elements; at += NOISE_ELEMENTS) {
                long count = Math.min(NOISE_ELEMENTS, elements - at);
                try (Tensor piece = flat.slice(at, count)) {
                    piece.upload(first(noise, count));
                }
            }
        }
    }

    private static void pack(Weight weight, HostMemory noise) {
        long[] shape = weight.shape();
        long rowElements = Arrays.stream(shape).skip(1).reduce(1, Math::multiplyExact);
        long rows = Math.max(1, NOISE_ELEMENTS / rowElements);
        for (long at = 0; at < shape[0]; at += rows) {
            long count = Math.min(rows, shape[0] - at);
            weight.pack(at, count, first(noise, count * rowElements), DType.BF16);
        }
    }

    /** Calls the op. */
    void run() {
        Context context = in.context();
        if (problem.kind() == Problem.Kind.LINEAR) {
            context.ops().linear(in, weight, epilogue, out);
        } else {
            context.ops().convolution(in, weight, epilogue, out);
        }
    }

    /** The first and the last rows of the output. */
    float[] result() {
        long count = Math.min(SEEN_ROWS, problem.rows());
        try (Tensor rows = out.reshape(problem.rows(), problem.columns());
                Tensor head = rows.slice(0, count);
                Tensor tail = rows.slice(problem.rows() - count, count)) {
            float[] first = head.toFloats();
            float[] last = tail.toFloats();
            float[] both = Arrays.copyOf(first, first.length + last.length);
            System.arraycopy(last, 0, both, first.length, last.length);
            return both;
        }
    }
}
