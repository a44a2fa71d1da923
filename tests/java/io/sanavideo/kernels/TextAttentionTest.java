package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TextAttentionTest extends KernelTest {
    private static final double THETA = 10000;

    /** A cap or window of 0 is none. */
    record Case(
            DType dtype, int tokens, int heads, int keyHeads, int headSize, int cap, int window) {
        int width() {
            return (heads + 2 * keyHeads) * headSize;
        }

        float scale() {
            return (float) (1.5 / Math.sqrt(headSize));
        }
    }

    static Stream<Case> shapes() {
        int[][] shapes = {
            {1, 1, 1, 2, 0, 0},
            {1, 4, 2, 6, 50, 0},
            {5, 4, 1, 12, 2, 3},
            {15, 2, 2, 32, 50, 1},
            {16, 8, 4, 16, 0, 7},
            {17, 3, 3, 48, 50, 17},
            {31, 6, 2, 30, 3, 16},
            {33, 4, 2, 112, 50, 0},
            {64, 2, 1, 256, 50, 20},
            {65, 2, 2, 34, 0, 0},
            {63, 1, 1, 64, 5, 64},
            {130, 2, 1, 16, 2, 100},
            {47, 2, 1, 8, 50, 0},
            {48, 2, 1, 10, 50, 48},
            {49, 2, 2, 8, 50, 47}
        };
        return cases(shapes, (d, s) -> new Case(d, s[0], s[1], s[2], s[3], s[4], s[5]));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void attends(Case c) {
        Values qkv = gaussian(c.dtype, c.tokens, c.width());
        Tensor x = input(qkv);
        Values out =
                run(
                        c.dtype,
                        shape(c.tokens, (long) c.heads * c.headSize),
                        y ->
                                ops.textAttention(
                                        x,
                                        c.heads,
                                        c.keyHeads,
                                        THETA,
                                        c.scale(),
                                        c.cap,
                                        c.window,
                                        y));
        assertClose(out, reference(c, qkv), c.tokens);
    }

    private static double[] reference(Case c, Values qkv) {
        double[] out = new double[c.tokens * c.heads * c.headSize];
        for (int i = 0; i < c.tokens * c.heads; i++) {
            int token = i / c.heads;
            int head = i % c.heads;
            int keyHead = head / (c.heads / c.keyHeads);
            int first = c.window == 0 ? 0 : Math.max(0, token - c.window + 1);
            double[] logits = new double[token + 1 - first];
            for (int key = first; key <= token; key++) {
                double dot = 0;
                for (int k = 0; k < c.headSize; k++) {
                    dot +=
                            rotated(c, qkv, token, head, k)
                                    * rotated(c, qkv, key, c.heads + keyHead, k);
                }
                double logit = c.scale() * dot;
                logits[key - first] = c.cap == 0 ? logit : c.cap * Math.tanh(logit / c.cap);
            }
            double[] weights = softmax(logits);
            int values = (c.heads + c.keyHeads + keyHead) * c.headSize;
            for (int key = first; key <= token; key++) {
                for (int k = 0; k < c.headSize; k++) {
                    out[i * c.headSize + k] +=
                            weights[key - first] * qkv.at(key * c.width() + values + k);
                }
            }
        }
        return out;
    }

    private static double rotated(Case c, Values qkv, int token, int head, int channel) {
        int half = c.headSize / 2;
        int begin = token * c.width() + head * c.headSize;
        float exact = (float) Math.pow(THETA, -2.0 * (channel % half) / c.headSize);
        double angle = token * (double) DType.roundToBf16(exact);
        double partner = qkv.at(begin + (channel + half) % c.headSize);
        return qkv.at(begin + channel) * Math.cos(angle)
                + (channel < half ? -partner : partner) * Math.sin(angle);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs((ops, given) -> call(ops, given, 4, 2, THETA, 1, 50, 3))
                .needs("qkv", tensor(F32, 5, 48))
                .needs("out", tensor(F32, 5, 24))
                .wrong("qkv", tensor(F32, 1, 5, 48), "qkv", "[1, 5, 48]", "expected")
                .wrong("qkv", tensor(F32, 5, 47), "qkv", "47", "8")
                .wrong("qkv", tensor(F32, 5, 40), "40", "even")
                .wrong("out", tensor(F32, 5, 48), "out", "[5, 48]", "[5, 24]")
                .wrong("out", tensor(F32, 4, 24), "out", "[4, 24]", "[5, 24]")
                .wrong("out", tensor(BF16, 5, 24), "out", "bf16", "f32")
                .overlap("out", "qkv")
                .wrongCall("no heads", (o, g) -> call(o, g, 0, 2, THETA, 1, 50, 3), "heads is 0")
                .wrongCall(
                        "no key heads",
                        (o, g) -> call(o, g, 4, 0, THETA, 1, 50, 3),
                        "key_heads is 0")
                .wrongCall(
                        "ungrouped heads",
                        (o, g) -> call(o, g, 4, 3, THETA, 1, 50, 3),
                        "key_heads is 3",
                        "4")
                .wrongCall("no theta", (o, g) -> call(o, g, 4, 2, 0, 1, 50, 3), "theta is 0")
                .wrongCall("negative cap", (o, g) -> call(o, g, 4, 2, THETA, 1, -1, 3), "cap is -1")
                .wrongCall(
                        "negative window",
                        (o, g) -> call(o, g, 4, 2, THETA, 1, 50, -1),
                        "window is -1")
                .tests();
    }

    private static void call(
            Ops ops,
            WrongInputs.Given given,
            int heads,
            int keyHeads,
            double theta,
            float scale,
            float cap,
            long window) {
        ops.textAttention(
                given.tensor("qkv"),
                heads,
                keyHeads,
                theta,
                scale,
                cap,
                window,
                given.tensor("out"));
    }
}
