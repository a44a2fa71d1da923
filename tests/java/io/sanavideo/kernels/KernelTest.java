package io.sanavideo.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;

/**
 * What the tests of ops share: a context, random numbers, and tensors that lie between fences. A
 * fence is a strip of NaN on either side: what an op reads from it shows in its output, and what it
 * writes there fails the test, as does a changed input. Tensors start at any element, aligned or
 * not.
 *
 * <p>The numbers depend on the printed seed and on the test's name alone; {@code
 * -Dsanavideo.seed=N} repeats a run.
 */
abstract class KernelTest {
    /** The types that ops compute with. */
    static final List<DType> FLOATS = List.of(DType.F32, DType.BF16);

    private static final long SEED = Long.getLong("sanavideo.seed", System.nanoTime());
    private static final int FENCE = 64;

    static {
        System.out.println("kernel tests: -Dsanavideo.seed=" + SEED);
    }

    Context context;
    Ops ops;
    SplittableRandom random;
    private final List<Fenced> fenced = new ArrayList<>();

    /** A tensor between its fences; {@code kept}: what must still stand in it, or null. */
    private record Fenced(Tensor whole, int before, int length, Values kept) {}

    @BeforeEach
    void open(TestInfo test) {
        context = Context.cpu(2);
        ops = context.ops();
        random = new SplittableRandom(SEED + 31L * test.getDisplayName().hashCode());
    }

    @AfterEach
    void close() {
        fenced.forEach(KernelTest::verify);
        context.close();
    }

    private static void verify(Fenced tensor) {
        ByteBuffer bytes = download(tensor.whole);
        int width = tensor.whole.dtype().bytes();
        int begin = tensor.before * width;
        int end = begin + tensor.length * width;
        for (int i = 0; i < bytes.limit(); i++) {
            if (i == begin) {
                i = end;
            }
            assertThat(bytes.get(i))
                    .as("byte %d of the fence around %s", i < begin ? i - begin : i - end, tensor)
                    .isEqualTo((byte) -1);
        }
        if (tensor.kept != null) {
            assertThat(bytes.slice(begin, end - begin))
                    .as("an input after the op: %s", tensor.kept)
                    .isEqualTo(tensor.kept.bytes());
        }
    }

    private static ByteBuffer download(Tensor tensor) {
        ByteBuffer bytes = Values.buffer((int) tensor.elements(), tensor.dtype());
        tensor.download(bytes);
        return bytes;
    }

    private Tensor fence(DType dtype, long[] shape, Values content, Values kept) {
        int length = Values.length(shape);
        int before = random.nextInt(1, FENCE + 1);
        Tensor whole = context.tensor(dtype, before + length + FENCE);
        ByteBuffer poison = Values.buffer((int) whole.elements(), dtype);
        while (poison.hasRemaining()) {
            poison.put((byte) -1);
        }
        whole.upload(poison.flip());
        fenced.add(new Fenced(whole, before, length, kept));
        Tensor inside = whole.slice(before, length).reshape(shape);
        if (content != null) {
            inside.upload(content.bytes());
        }
        return inside;
    }

    /** A tensor that ops must leave as it is. */
    Tensor input(Values values) {
        return fence(values.dtype(), values.shape(), values, values);
    }

    /** A tensor that an op may read and write. */
    Tensor inOut(Values values) {
        return fence(values.dtype(), values.shape(), values, null);
    }

    /** A tensor full of NaN, to be written whole. */
    Tensor output(DType dtype, long... shape) {
        return fence(dtype, shape, null, null);
    }

    /** A weight that holds these values, in their dtype. */
    Weight pack(WeightKind kind, Values values) {
        Weight weight = context.weight(kind, values.dtype(), values.shape());
        weight.pack(0, values.shape()[0], values.bytes(), values.dtype());
        return weight;
    }

    static Values read(Tensor tensor) {
        return Values.decode(tensor.dtype(), tensor.shape(), download(tensor));
    }

    /**
     * Runs an op on two outputs full of NaN and returns the first: equal inputs must give equal
     * bits.
     */
    Values run(DType dtype, long[] shape, Consumer<Tensor> op) {
        Tensor first = output(dtype, shape);
        op.accept(first);
        Tensor second = output(dtype, shape);
        op.accept(second);
        assertThat(download(second)).as("the same op again").isEqualTo(download(first));
        return read(first);
    }

    Values gaussian(DType dtype, long... shape) {
        return Values.of(dtype, random::nextGaussian, shape);
    }

    Values uniform(DType dtype, double low, double high, long... shape) {
        return Values.of(dtype, () -> random.nextDouble(low, high), shape);
    }

    /** A case for each type and each shape. */
    static <C> Stream<C> cases(int[][] shapes, BiFunction<DType, int[], C> maker) {
        return FLOATS.stream().flatMap(d -> Stream.of(shapes).map(s -> maker.apply(d, s)));
    }

    static long[] shape(long... sizes) {
        return sizes;
    }

    /**
     * Relative L2 error at most 1e-6 * max(1, sqrt(terms / 512)) in f32, where an element is a sum
     * of {@code terms} terms, and 4e-3 in bf16.
     */
    static void assertClose(Values actual, double[] expected, long terms) {
        double bound =
                actual.dtype() == DType.F32 ? 1e-6 * Math.max(1, Math.sqrt(terms / 512.0)) : 4e-3;
        assertWithin(actual, expected, bound);
    }

    static void assertWithin(Values actual, double[] expected, double bound) {
        assertThat(actual.length()).isEqualTo(expected.length);
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            double error = actual.at(i) - expected[i];
            difference += error * error;
            norm += expected[i] * expected[i];
        }
        assertThat(norm).as("the reference is not all zero").isPositive();
        assertThat(Math.sqrt(difference / norm))
                .as("relative L2 error of %s", actual)
                .isLessThanOrEqualTo(bound);
    }

    /** The same bits, element by element. */
    static void assertSame(Values actual, Values expected) {
        assertThat(actual.shape()).isEqualTo(expected.shape());
        int different = Arrays.mismatch(actual.data(), expected.data());
        assertThat(different)
                .as(
                        "index of the first difference between %s and %s",
                        actual.toText(different), expected.toText(different))
                .isEqualTo(-1);
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    static double silu(double x) {
        return x * sigmoid(x);
    }

    static double geluTanh(double x) {
        return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    static double[] softmax(double[] logits) {
        double largest = Arrays.stream(logits).max().getAsDouble();
        double[] weights = Arrays.stream(logits).map(x -> Math.exp(x - largest)).toArray();
        double sum = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(x -> x / sum).toArray();
    }
}
