package io.sanavideo.doctor;

import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static io.sanavideo.runtime.DType.U8;

import io.sanavideo.DeviceException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.HostMemory;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Measures a device by our own ops: its memory by a sum of two arrays, its products by the largest
 * linear layer of the released model. Sizes follow from a first short run, so that a device that is
 * a thousand times slower than a card has an answer too.
 */
final class Speed {
    /**
     * What has an answer to this small product, 8 MFLOP, sooner is given real sizes. An emulated
     * card needs several times as long.
     */
    private static final double PACE_SECONDS = 0.005;

    private static final int PACE_CALLS = 5;
    private static final int PACE_ROWS = 64;
    private static final int PACE_WIDTH = 256;

    /** Of one call, where the size can be chosen. */
    private static final double CALL_SECONDS = 0.3;

    /** Of all calls that are timed. */
    private static final double SECONDS = 1.5;

    private static final int MOST_BATCHES = 9;
    private static final double BATCH_SECONDS = 0.02;
    private static final int MOST_CALLS = 1000;

    /** Three arrays of so many f32 are 403 MB, more than a card's caches keep. */
    private static final long MOST_ELEMENTS = 1L << 25;

    private static final long LEAST_ELEMENTS = 1L << 14;
    private static final int MOST_ROWS = 4096;
    private static final int ROWS = 64;
    private static final int WEIGHT_ROWS = 1024;

    private final Context context;

    Speed(Context context) {
        this.context = context;
    }

    /** The sizes that trials can have here. */
    Sizes sizes() {
        return isFast() ? Sizes.REAL : Sizes.SMALL;
    }

    private boolean isFast() {
        try (Scope scope = new Scope(context)) {
            Weight weight = weight(scope, BF16, PACE_WIDTH, PACE_WIDTH);
            Tensor in = zeros(scope, BF16, PACE_ROWS, PACE_WIDTH);
            Tensor out = scope.tensor(BF16, PACE_ROWS, PACE_WIDTH);
            Runnable product = () -> context.ops().linear(in, weight, Epilogue.NONE, out);
            // The first call allocates, and may load the kernel.
            double least = Double.POSITIVE_INFINITY;
            for (int i = 0; i < PACE_CALLS; i++) {
                least = Math.min(least, seconds(product, 1));
            }
            return least < PACE_SECONDS;
        }
    }

    /** What is measured, in this order. */
    static final List<String> NAMES =
            List.of("memory", "bf16 products", "NVFP4 products", "NVFP4 weights");

    /** Measures one of {@link #NAMES}. */
    Measurement measure(String name, Sizes sizes) {
        int features = sizes == Sizes.REAL ? 13440 : 6 * sizes.width();
        try {
            return switch (NAMES.indexOf(name)) {
                case 0 -> memory(name);
                case 1 -> product(name, sizes.width(), features, this::dense);
                case 2 -> product(name, sizes.width(), features, this::quantised);
                default -> product(name, sizes.width(), features, this::weightOnly);
            };
        } catch (DeviceException e) {
            context.synchronize();
            return new Measurement(name, "", Double.NaN, "", Double.NaN, e.getMessage());
        }
    }

    private Measurement memory(String name) {
        double rough;
        try (Scope scope = new Scope(context)) {
            Runnable small = sum(scope, LEAST_ELEMENTS);
            seconds(small, 1);
            rough = seconds(small, 1);
        }
        long elements =
                Math.max(
                        LEAST_ELEMENTS,
                        Math.min(MOST_ELEMENTS, (long) (LEAST_ELEMENTS * CALL_SECONDS / rough)));
        try (Scope scope = new Scope(context)) {
            double seconds = best(sum(scope, elements));
            double bytes = 3.0 * elements * F32.bytes();
            String work = "add f32, %.0f MB".formatted(bytes / 1e6);
            return new Measurement(name, work, bytes / seconds / 1e9, "GB/s", seconds, "");
        }
    }

    private Runnable sum(Scope scope, long elements) {
        Tensor one = zeros(scope, F32, elements);
        Tensor other = zeros(scope, F32, elements);
        Tensor out = scope.tensor(F32, elements);
        return () -> context.ops().add(one, other, out);
    }

    private interface Product {
        /** A call of so many rows. */
        Runnable of(Scope scope, int rows, int width, int features);
    }

    private Measurement product(String name, int width, int features, Product product) {
        double rough;
        try (Scope scope = new Scope(context)) {
            Runnable few = product.of(scope, ROWS, width, features);
            seconds(few, 1);
            rough = seconds(few, 1);
        }
        int times = (int) Math.min(MOST_ROWS / ROWS, CALL_SECONDS / rough);
        int rows = ROWS * Math.max(1, times);
        try (Scope scope = new Scope(context)) {
            double seconds = best(product.of(scope, rows, width, features));
            double operations = 2.0 * rows * width * features;
            String work = "linear %d x %d -> %d".formatted(rows, width, features);
            return new Measurement(name, work, operations / seconds / 1e12, "TFLOP/s", seconds, "");
        }
    }

    private Runnable dense(Scope scope, int rows, int width, int features) {
        Weight weight = weight(scope, BF16, features, width);
        Tensor in = noise(scope, rows, width);
        Tensor out = scope.tensor(BF16, rows, features);
        return () -> context.ops().linear(in, weight, Epilogue.NONE, out);
    }

    private Runnable quantised(Scope scope, int rows, int width, int features) {
        Weight weight = nvfp4Weight(scope, features, width);
        Tensor memory = scope.tensor(U8, Nvfp4Matrix.bytes(rows, width));
        Nvfp4Matrix in = scope.own(new Nvfp4Matrix(memory, rows, width));
        context.ops().nvfp4QuantizeRows(noise(scope, rows, width), 1e-3f, in);
        Tensor out = scope.tensor(BF16, rows, features);
        return () -> context.ops().nvfp4Linear(in, weight, Epilogue.NONE, out);
    }

    private Runnable weightOnly(Scope scope, int rows, int width, int features) {
        Weight weight = nvfp4Weight(scope, features, width);
        Tensor in = noise(scope, rows, width);
        Tensor out = scope.tensor(BF16, rows, features);
        return () -> context.ops().linear(in, weight, Epilogue.NONE, out);
    }

    private static Tensor zeros(Scope scope, DType dtype, long... shape) {
        Tensor tensor = scope.tensor(dtype, shape);
        tensor.clear();
        return tensor;
    }

    /** Random numbers: products of zeros would let a card clock higher. */
    private static Tensor noise(Scope scope, int rows, int width) {
        Tensor tensor = scope.tensor(BF16, rows, width);
        try (HostMemory host = random(Math.toIntExact(tensor.bytes()))) {
            tensor.upload(host.buffer());
        }
        return tensor;
    }

    /** As bf16 these bytes are numbers of 2^-4 to 4 and their negatives. */
    private static HostMemory random(int bytes) {
        byte[] drawn = new byte[bytes];
        SplittableRandom random = new SplittableRandom(1);
        random.nextBytes(drawn);
        for (int i = 1; i < bytes; i += 2) {
            drawn[i] = (byte) (drawn[i] & 0x80 | 0x3e + (drawn[i] & 1));
        }
        HostMemory host = new HostMemory(bytes);
        host.buffer().put(drawn);
        return host;
    }

    private static Weight weight(Scope scope, DType dtype, int features, int width) {
        Weight weight = scope.weight(WeightKind.LINEAR, dtype, features, width);
        try (HostMemory host = random(Math.min(WEIGHT_ROWS, features) * width * BF16.bytes())) {
            for (int row = 0; row < features; row += WEIGHT_ROWS) {
                int rows = Math.min(WEIGHT_ROWS, features - row);
                weight.pack(row, rows, host.buffer().limit(rows * width * BF16.bytes()), BF16);
            }
        }
        return weight;
    }

    private Weight nvfp4Weight(Scope scope, int features, int width) {
        Weight weight = scope.own(context.nvfp4Weight(WeightKind.LINEAR, features, width));
        try (HostMemory codes = random(features * width / 2);
                HostMemory scales = random(features * width / 16)) {
            // Any byte is two codes, but not any byte a scale.
            for (int i = 0; i < scales.bytes(); i++) {
                scales.buffer().put(i, (byte) (0x30 + (scales.buffer().get(i) & 15)));
            }
            weight.packNvfp4(0, features, codes.buffer(), scales.buffer(), 0.01f);
        }
        return weight;
    }

    /** Of a call, in a batch of so many. */
    private double seconds(Runnable call, int calls) {
        context.synchronize();
        long start = System.nanoTime();
        for (int i = 0; i < calls; i++) {
            call.run();
        }
        context.synchronize();
        return (System.nanoTime() - start) / 1e9 / calls;
    }

    /** Of a call, in the fastest of several batches. */
    private double best(Runnable call) {
        seconds(call, 1);
        double one = seconds(call, 1);
        int calls = (int) Math.max(1, Math.min(MOST_CALLS, BATCH_SECONDS / one));
        int batches = (int) Math.max(1, Math.min(MOST_BATCHES, SECONDS / (one * calls)));
        double best = one;
        for (int i = 0; i < batches; i++) {
            best = Math.min(best, seconds(call, calls));
        }
        return best;
    }
}
