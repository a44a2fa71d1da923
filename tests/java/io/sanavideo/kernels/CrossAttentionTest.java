package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class CrossAttentionTest extends KernelTest {
    private static final float NORM_EPSILON = 1e-5f;

    record Case(DType dtype, int tokens, int keys, int heads, int headSize) {
        int width() {
            return heads * headSize;
        }
    }

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 1, 6},
            {5, 1, 3, 6},
            {1, 7, 32, 12},
            {15, 15, 1, 32},
            {16, 16, 2, 32},
            {17, 17, 3, 30},
            {31, 33, 2, 48},
            {33, 31, 1, 48},
            {63, 65, 2, 112},
            {64, 64, 1, 112},
            {65, 63, 2, 112},
            {13, 300, 2, 112},
            {7, 129, 1, 256},
            {257, 5, 2, 12},
            {61, 37, 5, 2},
            {95, 9, 1, 16},
            {96, 10, 1, 14},
            {97, 11, 1, 16}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void attends(Case c) {
        Values q = gaussian(c.dtype, c.tokens, c.heads, c.headSize);
        Values kv = gaussian(c.dtype, c.keys, 2, c.heads, c.headSize);
        check(c, q, kv, gaussian(F32, c.width()));
    }

    /** Logits of up to a thousand, of which the last is far ahead: it alone counts. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void takesExponentialsRelativeToTheLargest(DType dtype) {
        Case c = new Case(dtype, 19, 23, 2, 32);
        Values q = uniform(dtype, 0.5, 1, c.tokens, c.heads, c.headSize);
        Values kv = gaussian(dtype, c.keys, 2, c.heads, c.headSize);
        for (int key = 0; key < c.keys; key++) {
            Arrays.fill(kv.data(), key * 2 * c.width(), (key * 2 + 1) * c.width(), 8 * key);
        }
        check(c, q, kv, Values.of(F32, () -> 1, c.width()));
    }

    private void check(Case c, Values q, Values kv, Values weight) {
        Values squareSums = squareSums(c, q);
        Tensor query = input(q);
        Tensor sums = input(squareSums);
        Tensor w = input(weight);
        Tensor keysValues = input(kv);
        Values out =
                run(
                        c.dtype,
                        shape(c.tokens, c.width()),
                        y -> ops.crossAttention(query, sums, w, NORM_EPSILON, keysValues, y));
        assertClose(out, reference(c, q, squareSums, weight, kv), c.keys);
    }

    private static Values squareSums(Case c, Values q) {
        double[] sums = new double[c.tokens];
        for (int i = 0; i < q.length(); i++) {
            sums[i / c.width()] += q.at(i) * q.at(i);
        }
        return Values.of(F32, sums, c.tokens, 1);
    }

    private static double[] reference(
            Case c, Values q, Values squareSums, Values weight, Values kv) {
        double[] out = new double[c.tokens * c.width()];
        for (int i = 0; i < c.tokens * c.heads; i++) {
            int token = i / c.heads;
            int head = i % c.heads * c.headSize;
            double rms = Math.sqrt(squareSums.at(token) / c.width() + NORM_EPSILON);
            double[] logits = new double[c.keys];
            for (int key = 0; key < c.keys; key++) {
                for (int k = 0; k < c.headSize; k++) {
                    double x = q.at(token * c.width() + head + k) / rms * weight.at(head + k);
                    logits[key] += x * kv.at(key * 2 * c.width() + head + k);
                }
                logits[key] /= Math.sqrt(c.headSize);
            }
            double[] weights = softmax(logits);
            for (int key = 0; key < c.keys; key++) {
                for (int k = 0; k < c.headSize; k++) {
                    out[token * c.width() + head + k] +=
                            weights[key] * kv.at((key * 2 + 1) * c.width() + head + k);
                }
            }
        }
        return out;
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.crossAttention(
                                        given.tensor("q"),
                                        given.tensor("square_sums"),
                                        given.tensor("q_weight"),
                                        NORM_EPSILON,
                                        given.tensor("kv"),
                                        given.tensor("out")))
                .needs("q", tensor(F32, 7, 2, 6))
                .needs("square_sums", tensor(F32, 7, 1))
                .needs("q_weight", tensor(F32, 12))
                .needs("kv", tensor(F32, 5, 2, 2, 6))
                .needs("out", tensor(F32, 7, 12))
                .wrong("q", tensor(F32, 7, 12), "q", "[7, 12]", "expected")
                .wrong("square_sums", tensor(F32, 7), "square_sums", "[7]", "[7, 1]")
                .wrong("square_sums", tensor(BF16, 7, 1), "square_sums", "bf16", "f32")
                .wrong("q_weight", tensor(F32, 6), "q_weight", "[6]", "[12]")
                .wrong("kv", tensor(F32, 5, 2, 12), "kv", "[5, 2, 12]", "expected")
                .wrong("kv", tensor(F32, 5, 2, 3, 4), "kv", "[5, 2, 3, 4]", "2, 6")
                .wrong("kv", tensor(BF16, 5, 2, 2, 6), "kv", "bf16", "f32")
                .wrong("out", tensor(F32, 7, 2, 6), "out", "[7, 2, 6]", "[7, 12]")
                .wrong("out", tensor(BF16, 7, 12), "out", "bf16", "f32")
                .overlap("out", "q")
                .overlap("out", "kv")
                .tests();
    }
}
