package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sums, linear combinations, conversions and per-channel scaling. */
class ArithmeticTest extends KernelTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 31, 97, 16384, 40009})
    void adds(int count) {
        for (DType dtype : FLOATS) {
            Values in = gaussian(dtype, count);
            Values other = gaussian(dtype, count);
            float[] sums = new float[count];
            for (int i = 0; i < count; i++) {
                sums[i] = Values.round(dtype, in.data()[i] + other.data()[i]);
            }
            Values expected = new Values(dtype, in.shape(), sums);
            Tensor x = input(in);
            Tensor y = input(other);
            assertSame(run(dtype, in.shape(), out -> ops.add(x, y, out)), expected);
            Tensor left = inOut(in);
            ops.add(left, y, left);
            assertSame(read(left), expected);
            Tensor right = inOut(other);
            ops.add(x, right, right);
            assertSame(read(right), expected);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 31, 97, 16384, 40009})
    void converts(int count) {
        for (DType from : FLOATS) {
            for (DType to : FLOATS) {
                Values in = Values.of(from, this::anyFloat, count);
                Tensor x = input(in);
                Values out = run(to, shape(1, count), y -> ops.convert(x, y));
                float[] expected = new float[count];
                for (int i = 0; i < count; i++) {
                    expected[i] = Values.round(to, in.data()[i]);
                }
                assertSame(out, new Values(to, shape(1, count), expected));
            }
        }
    }

    /** Any finite bit pattern, subnormal numbers included. */
    private double anyFloat() {
        float value;
        do {
            value = Float.intBitsToFloat(random.nextInt());
        } while (!Float.isFinite(value));
        return value;
    }

    @Test
    void convertsWhatIsSpecial() {
        float ulp = 0x1p-7f;
        float[] in = {
            0f,
            -0f,
            1 + ulp / 2,
            1 + 3 * ulp / 2,
            Float.MAX_VALUE,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            Float.MIN_VALUE,
            Float.intBitsToFloat(0x7f800001)
        };
        Tensor x = input(new Values(F32, shape(in.length), in));
        float[] out = run(BF16, shape(in.length), y -> ops.convert(x, y)).data();
        assertThat(out[8]).as("a NaN whose payload is lost by truncation").isNaN();
        out[8] = 0;
        assertThat(out)
                .containsExactly(
                        0f,
                        -0f,
                        1f,
                        1 + 2 * ulp,
                        Float.POSITIVE_INFINITY,
                        Float.POSITIVE_INFINITY,
                        Float.NEGATIVE_INFINITY,
                        0f,
                        0f);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void combines(int terms) {
        for (int count : new int[] {1, 17, 97, 40009}) {
            Tensor[] inputs = new Tensor[terms];
            Values[] values = new Values[terms];
            float[] coefficients = new float[terms];
            double[] expected = new double[count];
            // A sum that stands alone must not cancel: its relative error would have no bound.
            boolean alone = count == 1;
            for (int term = 0; term < terms; term++) {
                values[term] = alone ? uniform(F32, 0.5, 2, count) : gaussian(F32, count);
                inputs[term] = input(values[term]);
                coefficients[term] =
                        (float) (alone ? random.nextDouble(0.5, 2) : random.nextGaussian());
                for (int i = 0; i < count; i++) {
                    expected[i] += coefficients[term] * values[term].at(i);
                }
            }
            Values out = run(F32, shape(count), y -> ops.combine(coefficients, inputs, y));
            assertClose(out, expected, terms);
            int last = terms - 1;
            inputs[last] = inOut(values[last]);
            ops.combine(coefficients, inputs, inputs[last]);
            assertSame(read(inputs[last]), out);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 15, 16, 17, 31, 48, 97})
    void scalesChannels(int channels) {
        for (DType from : FLOATS) {
            for (DType to : FLOATS) {
                Values in = gaussian(from, 3, 7, channels);
                Values scale = gaussian(F32, channels);
                Values shift = gaussian(F32, channels);
                double[] expected = new double[in.length()];
                for (int i = 0; i < expected.length; i++) {
                    expected[i] = in.at(i) * scale.at(i % channels) + shift.at(i % channels);
                }
                Tensor x = input(in);
                Tensor a = input(scale);
                Tensor b = input(shift);
                Values out = run(to, in.shape(), y -> ops.scaleChannels(x, a, b, y));
                assertClose(out, expected, 2);
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputsOfAdd() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.add(
                                        given.tensor("in"),
                                        given.tensor("other"),
                                        given.tensor("out")))
                .needs("in", tensor(F32, 3, 5))
                .needs("other", tensor(F32, 3, 5))
                .needs("out", tensor(F32, 3, 5))
                .wrong("other", tensor(F32, 15), "other", "[15]", "[3, 5]")
                .wrong("other", tensor(BF16, 3, 5), "other is bf16", "f32")
                .wrong("out", tensor(F32, 5, 3), "out", "[5, 3]", "[3, 5]")
                .wrong("out", tensor(BF16, 3, 5), "out is bf16", "f32")
                .overlap("out", "in")
                .overlap("out", "other")
                .tests();
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputsOfConvert() {
        return new WrongInputs((ops, given) -> ops.convert(given.tensor("in"), given.tensor("out")))
                .needs("in", tensor(F32, 3, 5))
                .needs("out", tensor(BF16, 15))
                .wrong("out", tensor(BF16, 16), "out", "[16]", "[3, 5]")
                .wrong("out", tensor(DType.F16, 15), "out is f16", "expected f32 or bf16")
                .tests();
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputsOfConvertInPlace() {
        return new WrongInputs((ops, given) -> ops.convert(given.tensor("in"), given.tensor("out")))
                .needs("in", tensor(F32, 3, 5))
                .needs("out", tensor(F32, 15))
                .overlap("out", "in")
                .tests();
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputsOfCombine() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.combine(
                                        new float[] {1, 2},
                                        new Tensor[] {
                                            given.tensor("an input"), given.tensor("out")
                                        },
                                        given.tensor("out")))
                .needs("an input", tensor(F32, 3, 5))
                .needs("out", tensor(F32, 3, 5))
                .wrong("an input", tensor(F32, 5, 3), "an input", "[5, 3]", "[3, 5]")
                .wrong("an input", tensor(BF16, 3, 5), "an input is bf16", "f32")
                .wrong("out", tensor(BF16, 3, 5), "out is bf16", "f32")
                .tests();
    }

    @Test
    void refusesAnotherNumberOfTerms() {
        Tensor x = input(gaussian(F32, 3));
        for (int terms : new int[] {0, 9}) {
            Tensor[] inputs = new Tensor[terms];
            Arrays.fill(inputs, x);
            assertThatThrownBy(() -> ops.combine(new float[terms], inputs, x))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll(terms + " inputs", "1 to 8");
        }
        assertThatThrownBy(() -> ops.combine(new float[2], new Tensor[] {x}, x))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("2 coefficients", "1 inputs");
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputsOfScaleChannels() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.scaleChannels(
                                        given.tensor("in"),
                                        given.tensor("scale"),
                                        given.tensor("shift"),
                                        given.tensor("out")))
                .needs("in", tensor(F32, 3, 5))
                .needs("scale", tensor(F32, 5))
                .needs("shift", tensor(F32, 5))
                .needs("out", tensor(BF16, 3, 5))
                .wrong("scale", tensor(F32, 3), "scale", "[3]", "[5]")
                .wrong("scale", tensor(BF16, 5), "scale", "bf16", "f32")
                .wrong("shift", tensor(F32, 1, 5), "shift", "[1, 5]", "[5]")
                .wrong("out", tensor(F32, 5, 3), "out", "[5, 3]", "[3, 5]")
                .tests();
    }
}
