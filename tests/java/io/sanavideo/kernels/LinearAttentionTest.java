package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.LinearState;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class LinearAttentionTest extends KernelTest {
    private static final float NORM_EPSILON = 1e-5f;
    private static final float EPSILON = 1e-6f;

    record Case(DType dtype, int batch, int tokens, int heads, int headSize) {
        int width() {
            return heads * headSize;
        }
    }

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 2, 24},
            {1, 5, 3, 6},
            {2, 7, 2, 12},
            {1, 15, 1, 32},
            {2, 16, 2, 32},
            {1, 17, 3, 30},
            {1, 31, 2, 48},
            {2, 33, 1, 48},
            {1, 63, 2, 112},
            {1, 64, 1, 112},
            {2, 65, 3, 112},
            {1, 127, 1, 256},
            {1, 129, 2, 12},
            {1, 257, 2, 32},
            {1, 1031, 1, 14},
            {1, 95, 1, 6},
            {1, 96, 2, 16},
            {2, 97, 1, 10},
            {1, 3500, 1, 6}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3]));
    }

    /** The op's inputs: random ones, with the square sums that belong to them. */
    private final class Inputs {
        final Case c;
        final Values qkv;
        final Values squareSums;
        final Values qWeight;
        final Values kWeight;
        final Values angles;

        Inputs(Case c) {
            this.c = c;
            qkv = gaussian(c.dtype, c.batch, c.tokens, 3, c.heads, c.headSize);
            squareSums = Values.of(F32, squareSums(), c.batch, c.tokens, 2);
            qWeight = gaussian(F32, c.width());
            kWeight = gaussian(F32, c.width());
            double[] rotations = new double[c.tokens * c.headSize];
            for (int i = 0; i < rotations.length; i += 2) {
                double angle = random.nextDouble(2 * Math.PI);
                rotations[i] = Math.cos(angle);
                rotations[i + 1] = Math.sin(angle);
            }
            angles = Values.of(F32, rotations, c.tokens, c.headSize / 2, 2);
        }

        private double[] squareSums() {
            double[] sums = new double[c.batch * c.tokens * 2];
            for (int i = 0; i < sums.length; i++) {
                int begin = (i / 2 * 3 + i % 2) * c.width();
                for (int k = 0; k < c.width(); k++) {
                    sums[i] += qkv.at(begin + k) * qkv.at(begin + k);
                }
            }
            return sums;
        }

        /** relu(rms(x) * weight) of query (part 0) or key (part 1). */
        double feature(int row, int part, int channel) {
            double scale = 1 / Math.sqrt(squareSums.at(row * 2 + part) / c.width() + NORM_EPSILON);
            double x = qkv.at((row * 3 + part) * c.width() + channel);
            return Math.max(0, x * scale * (part == 0 ? qWeight : kWeight).at(channel));
        }

        /** The same of one head, each pair rotated. */
        double[] rotatedHead(int row, int part, int head) {
            double[] rotated = new double[c.headSize];
            for (int i = 0; i < c.headSize; i += 2) {
                double cos = angles.at(row % c.tokens * c.headSize + i);
                double sin = angles.at(row % c.tokens * c.headSize + i + 1);
                double even = feature(row, part, head * c.headSize + i);
                double odd = feature(row, part, head * c.headSize + i + 1);
                rotated[i] = even * cos - odd * sin;
                rotated[i + 1] = even * sin + odd * cos;
            }
            return rotated;
        }

        /** The same tokens of the first batch element, from `first` on. */
        Inputs tokens(int first, int count) {
            return new Inputs(this, first, count);
        }

        private Inputs(Inputs whole, int first, int count) {
            c = new Case(whole.c.dtype, 1, count, whole.c.heads, whole.c.headSize);
            int width = c.width();
            qkv = whole.qkv.part(first * 3 * width, 1, count, 3, c.heads, c.headSize);
            squareSums = whole.squareSums.part(first * 2, 1, count, 2);
            qWeight = whole.qWeight;
            kWeight = whole.kWeight;
            angles = whole.angles.part(first * c.headSize, count, c.headSize / 2, 2);
        }
    }

    /** State and output in double precision, from an incoming state (all zero for none). */
    private static final class Reference {
        final double[] values;
        final double[] keys;
        final double[] out;

        Reference(Inputs in, Values beforeValues, Values beforeKeys) {
            Case c = in.c;
            int d = c.headSize;
            values = new double[c.batch * c.heads * d * d];
            keys = new double[c.batch * c.heads * d];
            out = new double[c.batch * c.tokens * c.width()];
            for (int i = 0; i < values.length; i++) {
                values[i] = beforeValues == null ? 0 : beforeValues.at(i);
            }
            for (int i = 0; i < keys.length; i++) {
                keys[i] = beforeKeys == null ? 0 : beforeKeys.at(i);
            }
            for (int batch = 0; batch < c.batch; batch++) {
                for (int head = 0; head < c.heads; head++) {
                    attend(in, batch, head);
                }
            }
        }

        private void attend(Inputs in, int batch, int head) {
            Case c = in.c;
            int d = c.headSize;
            int state = (batch * c.heads + head) * d;
            for (int row = batch * c.tokens; row < (batch + 1) * c.tokens; row++) {
                double[] key = in.rotatedHead(row, 1, head);
                for (int i = 0; i < d; i++) {
                    keys[state + i] += in.feature(row, 1, head * d + i);
                    double value = in.qkv.at((row * 3 + 2) * c.width() + head * d + i);
                    for (int j = 0; j < d; j++) {
                        values[(state + i) * d + j] += value * key[j];
                    }
                }
            }
            for (int row = batch * c.tokens; row < (batch + 1) * c.tokens; row++) {
                double[] query = in.rotatedHead(row, 0, head);
                double normaliser = EPSILON;
                for (int j = 0; j < d; j++) {
                    normaliser += keys[state + j] * in.feature(row, 0, head * d + j);
                }
                for (int i = 0; i < d; i++) {
                    double sum = 0;
                    for (int j = 0; j < d; j++) {
                        sum += values[(state + i) * d + j] * query[j];
                    }
                    out[row * c.width() + head * d + i] = sum / normaliser;
                }
            }
        }
    }

    private void attend(Context on, Inputs in, LinearState before, LinearState after, Tensor out) {
        Tensor qkv = input(in.qkv);
        Tensor squareSums = input(in.squareSums);
        Tensor qWeight = input(in.qWeight);
        Tensor kWeight = input(in.kWeight);
        Tensor angles = input(in.angles);
        on.ops()
                .linearAttention(
                        qkv,
                        squareSums,
                        qWeight,
                        kWeight,
                        NORM_EPSILON,
                        angles,
                        EPSILON,
                        before,
                        after,
                        out);
    }

    private LinearState emptyState(Case c) {
        return new LinearState(
                output(F32, c.batch, c.heads, c.headSize, c.headSize),
                output(F32, c.batch, c.heads, c.headSize));
    }

    private static long[] outShape(Case c) {
        return shape(c.batch, c.tokens, c.width());
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void attends(Case c) {
        Inputs in = new Inputs(c);
        Reference expected = new Reference(in, null, null);
        Values out = run(c.dtype, outShape(c), y -> attend(context, in, null, null, y));
        assertClose(out, expected.out, c.tokens + c.headSize);
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void carriesState(Case c) {
        Inputs in = new Inputs(c);
        // Key sums are sums of positive numbers; negative ones could make a denominator vanish.
        Values values = gaussian(F32, c.batch, c.heads, c.headSize, c.headSize);
        Values keys = uniform(F32, 0.5, 2, c.batch, c.heads, c.headSize);
        Reference expected = new Reference(in, values, keys);

        LinearState after = emptyState(c);
        LinearState before = new LinearState(input(values), input(keys));
        Values out = run(c.dtype, outShape(c), y -> attend(context, in, before, after, y));
        assertClose(out, expected.out, c.tokens + c.headSize);
        assertClose(read(after.values()), expected.values, c.tokens);
        assertClose(read(after.keys()), expected.keys, c.tokens);

        LinearState inPlace = new LinearState(inOut(values), inOut(keys));
        Tensor again = output(c.dtype, outShape(c));
        attend(context, in, inPlace, inPlace, again);
        assertSame(read(again), out);
        assertSame(read(inPlace.values()), read(after.values()));
        assertSame(read(inPlace.keys()), read(after.keys()));
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void stateOfTwoPiecesIsTheStateOfTheWhole(DType dtype) {
        Case c = new Case(dtype, 1, 150, 2, 48);
        Inputs whole = new Inputs(c);
        Reference expected = new Reference(whole, null, null);
        Inputs first = whole.tokens(0, 67);
        Inputs second = whole.tokens(67, 83);
        LinearState state = emptyState(c);
        attend(context, first, null, state, output(dtype, outShape(first.c)));
        Tensor out = output(dtype, outShape(second.c));
        attend(context, second, state, state, out);
        assertClose(read(state.values()), expected.values, c.tokens);
        assertClose(read(state.keys()), expected.keys, c.tokens);
        // The second piece sees all tokens, as in the whole.
        int from = 67 * c.width();
        double[] tail = Arrays.copyOfRange(expected.out, from, expected.out.length);
        assertClose(read(out), tail, c.tokens + c.headSize);
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void sumsInAnOrderThatThreadsDoNotChange(Case c) {
        Inputs in = new Inputs(c);
        LinearState two = emptyState(c);
        Values out = run(c.dtype, outShape(c), y -> attend(context, in, null, two, y));
        for (int threads : new int[] {1, 3}) {
            try (Context other = Context.cpu(threads)) {
                LinearState state = emptyState(c);
                Tensor alone = output(c.dtype, outShape(c));
                attend(other, in, null, state, alone);
                assertSame(read(alone), out);
                assertSame(read(state.values()), read(two.values()));
                assertSame(read(state.keys()), read(two.keys()));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void givesZeroWhereNoFeatureIsPositive(DType dtype) {
        Inputs in = new Inputs(new Case(dtype, 1, 3, 1, 6));
        Arrays.fill(in.qWeight.data(), 0);
        Values out = run(dtype, shape(1, 3, 6), y -> attend(context, in, null, null, y));
        assertThat(IntStream.range(0, 18).mapToDouble(out::at)).allMatch(x -> x == 0);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        WrongInputs.Call halfBefore =
                (ops, given) ->
                        call(
                                given,
                                new LinearState(given.tensor("state_in_values"), null),
                                null,
                                ops);
        WrongInputs.Call halfAfter =
                (ops, given) ->
                        call(
                                given,
                                null,
                                new LinearState(null, given.tensor("state_out_keys")),
                                ops);
        return new WrongInputs(
                        (ops, given) ->
                                call(
                                        given,
                                        new LinearState(
                                                given.tensor("state_in_values"),
                                                given.tensor("state_in_keys")),
                                        new LinearState(
                                                given.tensor("state_out_values"),
                                                given.tensor("state_out_keys")),
                                        ops))
                .needs("qkv", tensor(F32, 2, 5, 3, 4, 6))
                .needs("square_sums", tensor(F32, 2, 5, 2))
                .needs("q_weight", tensor(F32, 24))
                .needs("k_weight", tensor(F32, 24))
                .needs("angles", tensor(F32, 5, 3, 2))
                .given("state_in_values", tensor(F32, 2, 4, 6, 6))
                .given("state_in_keys", tensor(F32, 2, 4, 6))
                .given("state_out_values", tensor(F32, 2, 4, 6, 6))
                .given("state_out_keys", tensor(F32, 2, 4, 6))
                .needs("out", tensor(F32, 2, 5, 24))
                .wrong("qkv", tensor(F32, 2, 5, 72), "qkv", "[2, 5, 72]", "expected")
                .wrong("qkv", tensor(F32, 2, 5, 2, 4, 6), "qkv", "[2, 5, 2, 4, 6]", "3")
                .wrong("qkv", tensor(F32, 2, 5, 3, 8, 3), "qkv", "3", "even")
                .wrong("square_sums", tensor(F32, 2, 5, 1), "square_sums", "[2, 5, 1]", "[2, 5, 2]")
                .wrong("square_sums", tensor(F32, 10, 2), "square_sums", "[10, 2]", "[2, 5, 2]")
                .wrong("square_sums", tensor(BF16, 2, 5, 2), "square_sums", "bf16", "f32")
                .wrong("q_weight", tensor(F32, 6), "q_weight", "[6]", "[24]")
                .wrong("q_weight", tensor(BF16, 24), "q_weight", "bf16", "f32")
                .wrong("k_weight", tensor(F32, 4, 6), "k_weight", "[4, 6]", "[24]")
                .wrong("angles", tensor(F32, 4, 3, 2), "angles", "[4, 3, 2]", "[5, 3, 2]")
                .wrong("angles", tensor(F32, 5, 6), "angles", "[5, 6]", "[5, 3, 2]")
                .wrong(
                        "state_in_values",
                        tensor(F32, 1, 4, 6, 6),
                        "state_in_values",
                        "[1, 4, 6, 6]")
                .wrong("state_in_keys", tensor(F32, 2, 6, 4), "state_in_keys", "[2, 6, 4]")
                .wrong("state_out_values", tensor(BF16, 2, 4, 6, 6), "state_out_values", "bf16")
                .wrong("state_out_keys", tensor(F32, 2, 4, 6, 6), "state_out_keys", "[2, 4, 6]")
                .wrong("out", tensor(F32, 2, 5, 4, 6), "out", "[2, 5, 4, 6]", "[2, 5, 24]")
                .wrong("out", tensor(BF16, 2, 5, 24), "out", "bf16", "f32")
                .overlap("state_out_values", "state_in_values")
                .overlap("state_out_keys", "state_in_values")
                .overlap("state_out_values", "state_out_keys")
                .overlap("out", "qkv")
                .wrongCall("half an incoming state", halfBefore, "state_in_keys")
                .wrongCall("half an outgoing state", halfAfter, "state_out_values")
                .tests();
    }

    private static void call(
            WrongInputs.Given given, LinearState before, LinearState after, Ops ops) {
        ops.linearAttention(
                given.tensor("qkv"),
                given.tensor("square_sums"),
                given.tensor("q_weight"),
                given.tensor("k_weight"),
                NORM_EPSILON,
                given.tensor("angles"),
                EPSILON,
                before,
                after,
                given.tensor("out"));
    }
}
