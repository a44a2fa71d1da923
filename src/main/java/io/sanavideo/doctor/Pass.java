package io.sanavideo.doctor;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.HostMemory;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One pass of a trial over one device. Inputs are drawn from the seed in the order they are asked
 * for, so that every device gets the same; they are rounded and read on the host, by no kernel.
 * Outputs are NaN before the op and lie between fences: what is written there is a fault.
 */
final class Pass implements AutoCloseable {
    /** Elements on either side of an output, as many as keep it aligned. */
    private static final int FENCE = 64;

    private static final byte POISON = -1;

    private final Context context;
    private final Scope scope;
    private final SplittableRandom random;
    private final List<Fenced> fences = new ArrayList<>();
    private final List<Output> outputs = new ArrayList<>();
    private final List<String> faults = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    private record Fenced(Tensor whole, long elements) {}

    Pass(Context context, long seed) {
        this.context = context;
        this.scope = new Scope(context);
        this.random = new SplittableRandom(seed);
    }

    Ops ops() {
        return context.ops();
    }

    /** Numbers for arguments that stay on the host. */
    float[] numbers(long count, double low, double high) {
        float[] numbers = new float[Math.toIntExact(count)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextDouble(low, high);
        }
        return numbers;
    }

    private static long elements(long... shape) {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /** Numbers of -1 to 1. */
    Tensor input(DType dtype, long... shape) {
        return uniform(dtype, -1, 1, shape);
    }

    Tensor uniform(DType dtype, double low, double high, long... shape) {
        return given(dtype, numbers(elements(shape), low, high), shape);
    }

    /** These numbers, rounded to the type. */
    Tensor given(DType dtype, float[] numbers, long... shape) {
        Tensor tensor = scope.tensor(dtype, shape);
        try (HostMemory host = new HostMemory(Math.toIntExact(tensor.bytes()))) {
            ByteBuffer bytes = ordered(host);
            if (dtype == DType.F32) {
                bytes.asFloatBuffer().put(numbers);
            } else {
                for (int i = 0; i < numbers.length; i++) {
                    int bits = Float.floatToRawIntBits(DType.roundToBf16(numbers[i]));
                    bytes.putShort(2 * i, (short) (bits >>> 16));
                }
            }
            tensor.upload(bytes);
        }
        return tensor;
    }

    /** Bytes below a limit. */
    Tensor bytes(int below, long... shape) {
        byte[] drawn = new byte[Math.toIntExact(elements(shape))];
        for (int i = 0; i < drawn.length; i++) {
            drawn[i] = (byte) random.nextInt(below);
        }
        return given(drawn, shape);
    }

    Tensor given(byte[] bytes, long... shape) {
        Tensor tensor = scope.tensor(DType.U8, shape);
        put(tensor, bytes);
        return tensor;
    }

    private static void put(Tensor tensor, byte[] bytes) {
        try (HostMemory host = new HostMemory(bytes.length)) {
            tensor.upload(host.buffer().put(bytes).flip());
        }
    }

    private static ByteBuffer ordered(HostMemory host) {
        return host.buffer().order(ByteOrder.nativeOrder());
    }

    /** A tensor full of NaN, to be written whole. */
    Tensor output(DType dtype, long... shape) {
        long elements = elements(shape);
        Tensor whole = scope.tensor(dtype, elements + 2 * FENCE);
        byte[] poison = new byte[Math.toIntExact(whole.bytes())];
        Arrays.fill(poison, POISON);
        put(whole, poison);
        fences.add(new Fenced(whole, elements));
        return whole.slice(FENCE, elements).reshape(shape);
    }

    /** A weight of numbers up to a size, as sums of so many terms want them: about 1 in all. */
    Weight weight(WeightKind kind, DType dtype, long terms, long... shape) {
        Weight weight = scope.weight(kind, dtype, shape);
        double largest = Math.sqrt(3.0 / terms);
        float[] numbers = numbers(elements(shape), -largest, largest);
        try (HostMemory host = new HostMemory(4 * numbers.length)) {
            ByteBuffer bytes = ordered(host);
            bytes.asFloatBuffer().put(numbers);
            weight.pack(0, shape[0], bytes, DType.F32);
        }
        return weight;
    }

    /** An NVFP4 weight, the halves of whose rows have different global scales. */
    Weight nvfp4Weight(WeightKind kind, long... shape) {
        Weight weight = scope.own(context.nvfp4Weight(kind, shape));
        long half = (shape[0] + 1) / 2;
        pack(weight, 0, half, elements(shape) / shape[0], 0.02f);
        pack(weight, half, shape[0] - half, elements(shape) / shape[0], 0.013f);
        return weight;
    }

    private void pack(Weight weight, long first, long rows, long columns, float globalScale) {
        byte[] codes = new byte[Math.toIntExact(rows * columns / 2)];
        byte[] scales = new byte[codes.length / 8];
        random.nextBytes(codes);
        for (int i = 0; i < scales.length; i++) {
            scales[i] = Slabs.scale(random);
        }
        try (HostMemory hostCodes = new HostMemory(codes.length);
                HostMemory hostScales = new HostMemory(scales.length)) {
            weight.packNvfp4(
                    first,
                    rows,
                    hostCodes.buffer().put(codes).flip(),
                    hostScales.buffer().put(scales).flip(),
                    globalScale);
        }
    }

    /** NVFP4 rows. */
    Nvfp4Matrix slabs(int rows, int columns, float globalScale) {
        byte[] drawn = new Slabs(rows, columns).draw(random);
        Tensor memory = scope.tensor(DType.U8, drawn.length);
        Nvfp4Matrix matrix = scope.own(new Nvfp4Matrix(memory, rows, columns));
        try (HostMemory host = new HostMemory(drawn.length)) {
            matrix.upload(host.buffer().put(drawn).flip(), globalScale);
        }
        return matrix;
    }

    /** NVFP4 rows to be written. */
    Nvfp4Matrix slabsOut(long rows, long columns) {
        Tensor memory = output(DType.U8, Nvfp4Matrix.bytes(rows, columns));
        return scope.own(new Nvfp4Matrix(memory, rows, columns));
    }

    /** Compares with the CPU's numbers. */
    void near(String name, Tensor out, Bound bound) {
        byte[] bytes = download(out);
        outputs.add(new Output(name, bytes, decode(out.dtype(), bytes), bound));
    }

    /** Compares with the CPU's bytes. */
    void same(String name, Tensor out) {
        same(name, download(out));
    }

    void same(String name, byte[] bytes) {
        outputs.add(new Output(name, bytes, null, Bound.SAME_BYTES));
    }

    /** Compares with the CPU's numbers, of which one or the other may have been rounded away. */
    void near(String name, Nvfp4Matrix out) {
        byte[] bytes = download(out.memory());
        Slabs slabs = new Slabs(Math.toIntExact(out.rows()), Math.toIntExact(out.columns()));
        float[] numbers = slabs.decode(bytes, out.globalScale());
        outputs.add(new Output(name, bytes, numbers, Bound.QUANTISED));
    }

    /** Two results of this device must have the same bytes. */
    void equal(String what, Nvfp4Matrix one, Nvfp4Matrix other) {
        if (!Arrays.equals(download(one.memory()), download(other.memory()))) {
            fault(what);
        }
    }

    boolean isCpu() {
        return context.threads() > 0;
    }

    /** Something is wrong whatever the CPU says. */
    void fault(String what) {
        faults.add(what);
    }

    /** Something to be said of a trial that passes. */
    void note(String what) {
        notes.add(what);
    }

    private static byte[] download(Tensor tensor) {
        byte[] bytes = new byte[Math.toIntExact(tensor.bytes())];
        try (HostMemory host = new HostMemory(bytes.length)) {
            tensor.download(host.buffer());
            host.buffer().get(bytes);
        }
        return bytes;
    }

    private static float[] decode(DType dtype, byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        float[] numbers = new float[bytes.length / dtype.bytes()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] =
                    dtype == DType.F32
                            ? buffer.getFloat(4 * i)
                            : Float.intBitsToFloat(buffer.getShort(2 * i) << 16);
        }
        return numbers;
    }

    /** Looks at the fences; to be called when the op is done. */
    void finish() {
        for (Fenced fenced : fences) {
            byte[] bytes = download(fenced.whole);
            int fence = FENCE * fenced.whole.dtype().bytes();
            for (int i = 0; i < fence; i++) {
                if (bytes[i] != POISON || bytes[bytes.length - 1 - i] != POISON) {
                    fault("wrote outside of an output");
                    return;
                }
            }
        }
    }

    List<Output> outputs() {
        return outputs;
    }

    /** What is wrong whatever the CPU says. */
    List<String> faults() {
        return faults;
    }

    List<String> notes() {
        return notes;
    }

    @Override
    public void close() {
        scope.close();
    }
}
