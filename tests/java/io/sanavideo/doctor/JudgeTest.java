package io.sanavideo.doctor;

import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static io.sanavideo.runtime.DType.U8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.CancelledException;
import io.sanavideo.doctor.Finding.Measure;
import io.sanavideo.doctor.Finding.Verdict;
import io.sanavideo.runtime.Alternative;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Faults;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import java.util.Arrays;
import java.util.function.IntFunction;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each kind of mistake is seen; a CPU that is led astray plays the card. */
class JudgeTest {
    /** The passes of a trial, in order. */
    private static final int REFERENCE = 0;

    private static final int AGAIN = 2;
    private static final int SIZE = 1000;

    private final Context reference = Context.cpu(1);
    private final Context examined = Context.cpu(1);

    @AfterEach
    void close() {
        reference.close();
        examined.close();
    }

    /** A trial whose body knows which pass it is. */
    private Finding judge(DType dtype, IntFunction<Trial.Body> body) {
        int[] pass = {0};
        return judge(new Trial("op", dtype, "shape", on -> body.apply(pass[0]++).run(on)));
    }

    private Finding judge(Trial trial) {
        return new Judge(reference, examined, 3).judge(trial);
    }

    /** Numbers of which the card's first is larger by a part of the whole. */
    private Finding off(DType dtype, double part, Bound bound) {
        return judge(
                dtype,
                pass ->
                        on -> {
                            float[] numbers = new float[SIZE];
                            Arrays.fill(numbers, 1);
                            numbers[0] += pass == REFERENCE ? 0 : part * Math.sqrt(SIZE);
                            on.near("out", on.given(dtype, numbers, SIZE), bound);
                        });
    }

    @ParameterizedTest
    @CsvSource({
        "F32, 512, 0.9e-6, 1.2e-6",
        "F32, 2240, 1.9e-6, 2.3e-6",
        "BF16, 512, 3.6e-3, 4.6e-3",
        "BF16, 2240, 3.6e-3, 4.6e-3"
    })
    void numbersAreHeldToTheirBound(DType dtype, long terms, double inside, double outside) {
        Finding good = off(dtype, inside, Bound.sums(dtype, terms));
        Finding bad = off(dtype, outside, Bound.sums(dtype, terms));

        assertThat(good.verdict()).as(good.toString()).isEqualTo(Verdict.PASS);
        assertThat(good.error()).isPositive();
        assertThat(bad.verdict()).as(bad.toString()).isEqualTo(Verdict.FAIL);
        assertThat(bad.measure()).isEqualTo(Measure.RELATIVE_L2);
        assertThat(bad.error()).isGreaterThan(bad.bound());
        assertThat(bad.detail()).startsWith("out is off by");
    }

    @Test
    void whatIsNotWrittenIsNoNumber() {
        Finding finding =
                judge(
                        BF16,
                        pass ->
                                on -> {
                                    Tensor out = on.output(BF16, SIZE);
                                    if (pass == REFERENCE) {
                                        out.copyFrom(on.input(BF16, SIZE));
                                    }
                                    on.near("out", out, Bound.sums(BF16, 1));
                                });

        assertThat(finding.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(finding.error()).isNaN();
    }

    @Test
    void zerosAreNoReference() {
        Finding finding =
                judge(
                        F32,
                        pass ->
                                on ->
                                        on.near(
                                                "out",
                                                on.given(F32, new float[SIZE], SIZE),
                                                Bound.sums(F32, 1)));

        assertThat(finding.verdict()).isEqualTo(Verdict.FAIL);
    }

    @Test
    void oneByteIsEnough() {
        Finding finding =
                judge(
                        null,
                        pass ->
                                on -> {
                                    byte[] bytes = new byte[SIZE];
                                    bytes[SIZE - 1] = (byte) (pass == REFERENCE ? 0 : 1);
                                    on.same("codes", on.given(bytes, SIZE));
                                });

        assertThat(finding.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(finding.measure()).isEqualTo(Measure.BYTES);
        assertThat(finding.error()).isEqualTo(1);
        assertThat(finding.detail()).isEqualTo("codes differs in 1 of 1000 bytes");
    }

    /** A code that fell to the other side is allowed, the scale of a neighbour is not. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void quantisedNumbersMayBeRoundedTheOtherWay(boolean scale) {
        int rows = 40;
        int columns = 2240;
        Finding finding =
                judge(
                        null,
                        pass ->
                                on -> {
                                    Nvfp4Matrix matrix = on.slabs(rows, columns, 0.1f);
                                    BytePointer bytes = new BytePointer(matrix.memory().data());
                                    long at = scale ? rows * columns / 2 : 0;
                                    if (pass != REFERENCE) {
                                        byte code = bytes.get(at);
                                        bytes.put(at, (byte) (scale ? code ^ 0x20 : code ^ 1));
                                    }
                                    on.near("out", matrix);
                                });

        assertThat(finding.verdict())
                .as(finding.toString())
                .isEqualTo(scale ? Verdict.FAIL : Verdict.PASS);
        assertThat(finding.error()).isPositive();
    }

    @Test
    void twoResultsOfOneDeviceMustBeEqual() {
        Finding finding =
                judge(
                        null,
                        pass ->
                                on -> {
                                    Nvfp4Matrix one = on.slabs(3, 64, 1);
                                    Nvfp4Matrix other = on.slabs(3, 64, 1);
                                    on.equal("differs", one, pass == REFERENCE ? one : other);
                                    on.same("codes", one.memory());
                                });

        assertThat(finding.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(finding.detail()).isEqualTo("differs");
    }

    @Test
    void theSameMustComeOutAgain() {
        Finding finding =
                judge(
                        F32,
                        pass ->
                                on -> {
                                    float[] numbers = on.numbers(SIZE, 1, 2);
                                    numbers[5] += pass == AGAIN ? 1e-6f : 0;
                                    on.near(
                                            "out",
                                            on.given(F32, numbers, SIZE),
                                            Bound.sums(F32, 1));
                                });

        assertThat(finding.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(finding.detail()).isEqualTo("out is not the same when it runs again");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 4 * SIZE})
    void nothingMayBeWrittenBesideAnOutput(int at) {
        Finding finding =
                judge(
                        F32,
                        pass ->
                                on -> {
                                    Tensor out = on.output(F32, SIZE);
                                    out.copyFrom(on.input(F32, SIZE));
                                    if (pass != REFERENCE) {
                                        new BytePointer(out.data()).getPointer(at).put((byte) 0);
                                    }
                                    on.near("out", out, Bound.sums(F32, 1));
                                });

        assertThat(finding.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(finding.detail()).isEqualTo("wrote outside of an output");
    }

    @Test
    void aTrialThatComparesNothingFails() {
        Finding finding = judge(U8, pass -> on -> on.bytes(256, SIZE));

        assertThat(finding.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(finding.detail()).isEqualTo("the trial compares nothing");
    }

    @Test
    void aTrialMaySayWhatIsWrong() {
        IntFunction<Trial.Body> body =
                pass ->
                        on -> {
                            on.same("codes", on.bytes(256, SIZE));
                            on.note("%d bytes".formatted(SIZE));
                            if (pass == AGAIN - 1) {
                                on.fault("lane 3 is elsewhere");
                            }
                        };

        Finding wrong = judge(U8, body);
        Finding right = judge(U8, pass -> body.apply(REFERENCE));

        assertThat(wrong.verdict()).isEqualTo(Verdict.FAIL);
        assertThat(wrong.detail()).isEqualTo("lane 3 is elsewhere");
        assertThat(right.verdict()).isEqualTo(Verdict.PASS);
        assertThat(right.detail()).isEqualTo("1000 bytes");
    }

    @Test
    void whatTheDeviceDoesNotDoIsRefused() {
        Faults.OP.next(examined, 1);

        Finding finding = judge(Trials.all(Sizes.SMALL).get(0));

        assertThat(finding.verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(finding.detail()).contains("a test asked for it");
    }

    @Test
    void anInterruptEndsIt() {
        examined.cancel();

        assertThatThrownBy(() -> judge(Trials.all(Sizes.SMALL).get(0)))
                .isInstanceOf(CancelledException.class);
    }

    /** Linear layers without their bias: of their trials one fails, and of the others none. */
    @Test
    void aWrongOpIsSeenByItsTrials() {
        examined.offerTo(
                new Alternative() {
                    private boolean own;

                    @Override
                    public boolean linear(Tensor in, Weight weight, Epilogue with, Tensor out) {
                        if (own) {
                            return false;
                        }
                        own = true;
                        Epilogue without =
                                Epilogue.NONE
                                        .activation(with.activation())
                                        .gate(with.gate(), with.gateRow())
                                        .residual(with.residual())
                                        .squareSums(with.squareSums(), with.squareParts());
                        examined.ops().linear(in, weight, without, out);
                        own = false;
                        return true;
                    }

                    @Override
                    public boolean convolution(Tensor in, Weight weight, Epilogue e, Tensor out) {
                        return false;
                    }
                });

        assertThat(Trials.all(Sizes.SMALL).stream().map(this::judge))
                .filteredOn(finding -> finding.verdict() != Verdict.PASS)
                .extracting(Finding::trial)
                .hasSize(4)
                .allMatch(name -> name.matches("linear (f32|bf16) .*bias, SiLU"));
    }
}
