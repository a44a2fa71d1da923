package io.sanavideo.kernels;

import static io.sanavideo.kernels.WrongInputs.tensor;
import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class FinishProductTest extends KernelTest {
    static Stream<Finish> epilogues() {
        return Finish.all(3).stream();
    }

    @ParameterizedTest
    @MethodSource("epilogues")
    void finishes(Finish finish) {
        for (DType dtype : FLOATS) {
            check(dtype, 21, 37, finish);
            check(dtype, 3, 32, finish);
            check(dtype, 6, 1, finish);
        }
    }

    private static double[] elements(Values values) {
        double[] elements = new double[values.length()];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = values.at(i);
        }
        return elements;
    }

    private void check(DType dtype, int rows, int columns, Finish finish) {
        Values product = gaussian(dtype, rows, columns);
        Finish.Numbers numbers = finish.draw(this, dtype, rows, columns);
        double[] expected = numbers.apply(elements(product));
        var x = input(product);
        Values out =
                run(dtype, shape(rows, columns), y -> ops.finishProduct(x, numbers.on(this, y), y));
        assertClose(out, expected, 1);
        if (finish.residual() != Finish.Residual.OUTPUT) {
            Values same =
                    run(
                            dtype,
                            shape(rows, columns),
                            y -> {
                                Epilogue epilogue = numbers.on(this, y);
                                y.upload(product.bytes());
                                ops.finishProduct(y, epilogue, y);
                            });
            assertClose(same, expected, 1);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void sumsTheSquaresOfWhatItStores(DType dtype) {
        var x = input(gaussian(dtype, 5, 66));
        var y = output(dtype, 5, 66);
        Epilogue epilogue = Epilogue.bias(input(gaussian(F32, 66))).activation(Activation.SILU);
        Values sums =
                run(F32, shape(5, 2), s -> ops.finishProduct(x, epilogue.squareSums(s, 3), y));
        Values stored = read(y);
        double[] expected = new double[10];
        for (int i = 0; i < expected.length; i++) {
            for (int k = 0; k < 22; k++) {
                expected[i] += Math.pow(stored.at(i / 2 * 66 + i % 2 * 22 + k), 2);
            }
        }
        assertClose(sums, expected, 22);
    }

    @TestFactory
    Stream<DynamicTest> refusesWrongInputs() {
        return new WrongInputs(
                        (ops, given) ->
                                ops.finishProduct(
                                        given.tensor("product"),
                                        Epilogue.bias(given.tensor("bias"))
                                                .activation(Activation.SILU)
                                                .gate(given.tensor("gate"), 1)
                                                .residual(given.tensor("residual"))
                                                .squareSums(given.tensor("square_sums"), 2),
                                        given.tensor("out")))
                .needs("product", tensor(F32, 6, 4))
                .allows("bias", tensor(F32, 4))
                .allows("gate", tensor(F32, 3, 2, 4))
                .allows("residual", tensor(F32, 6, 4))
                .allows("square_sums", tensor(F32, 6, 1))
                .needs("out", tensor(F32, 6, 4))
                .wrong("product", tensor(F32, 6, 5), "out", "[6, 4]", "[6, 5]")
                .wrong("product", tensor(BF16, 6, 4), "out is f32", "bf16")
                .wrong("out", tensor(F32, 24), "out", "[24]", "[6, 4]")
                .wrong("bias", tensor(F32, 5), "bias", "[5]", "[4]")
                .wrong("gate", tensor(F32, 4, 2, 4), "gate has 4 groups", "divisor of 6 rows")
                .wrong("residual", tensor(BF16, 6, 4), "residual is bf16", "f32")
                .wrong("square_sums", tensor(F32, 6, 3), "has 3 parts", "at most square_parts, 2")
                .overlap("square_sums", "product")
                .overlap("square_sums", "out")
                .tests();
    }
}
