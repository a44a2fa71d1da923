package io.sanavideo.doctor;

import static io.sanavideo.runtime.DType.BF16;
import static io.sanavideo.runtime.DType.F32;
import static io.sanavideo.runtime.DType.U8;

import io.sanavideo.NumericsException;
import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.List;

/** Trials of {@code sanavideo/elementwise.h}, but for the ops that move or make rows. */
final class ElementwiseTrials {
    private static final int TERMS = 4;
    private static final float[] BAD = {
        Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY
    };

    private final Sizes sizes;

    private ElementwiseTrials(Sizes sizes) {
        this.sizes = sizes;
    }

    static List<Trial> of(Sizes sizes, DType dtype) {
        ElementwiseTrials trials = new ElementwiseTrials(sizes);
        return List.of(
                trials.activate(dtype, Activation.SILU, "SiLU"),
                trials.activate(dtype, Activation.GELU_TANH, "GELU"),
                trials.add(dtype),
                trials.convert(dtype),
                trials.scaleChannels(dtype),
                trials.toRgb8(dtype),
                trials.fromRgb8(dtype),
                trials.geglu(dtype),
                trials.requireFinite(dtype));
    }

    /** Rows that no vector divides. */
    private long[] shape() {
        return new long[] {sizes.rows(), sizes.width() + 3};
    }

    private String text() {
        return Trial.text(shape());
    }

    private Trial activate(DType dtype, Activation activation, String name) {
        return new Trial(
                "activate",
                dtype,
                text() + ", " + name,
                on -> {
                    Tensor in = on.uniform(dtype, -9, 9, shape());
                    Tensor out = on.output(dtype, shape());
                    on.ops().activate(in, activation, out);
                    on.near("out", out, Bound.sums(dtype, 1));
                });
    }

    private Trial add(DType dtype) {
        return new Trial(
                "add",
                dtype,
                text(),
                on -> {
                    Tensor in = on.uniform(dtype, -3, 3, shape());
                    Tensor other = on.uniform(dtype, -3, 3, shape());
                    Tensor out = on.output(dtype, shape());
                    on.ops().add(in, other, out);
                    on.same("out", out);
                });
    }

    private Trial convert(DType from) {
        DType to = from == F32 ? BF16 : F32;
        return new Trial(
                "convert",
                from,
                text() + (to == F32 ? " to f32" : " to bf16"),
                on -> {
                    Tensor in = on.uniform(from, -1e3, 1e3, shape());
                    Tensor out = on.output(to, shape());
                    on.ops().convert(in, out);
                    on.same("out", out);
                });
    }

    /** f32 alone. */
    static Trial combine(Sizes sizes) {
        long[] shape = {3, sizes.tall(), sizes.wide(), sizes.channels() + 1};
        return new Trial(
                "combine",
                F32,
                "%d terms of %s".formatted(TERMS, Trial.text(shape)),
                on -> {
                    Tensor[] terms = new Tensor[TERMS];
                    for (int i = 0; i < TERMS; i++) {
                        terms[i] = on.uniform(F32, -2, 2, shape);
                    }
                    float[] factors = on.numbers(TERMS, -2, 2);
                    Tensor out = on.output(F32, shape);
                    on.ops().combine(factors, terms, out);
                    on.near("out", out, Bound.sums(F32, 1));
                });
    }

    private Trial scaleChannels(DType dtype) {
        return new Trial(
                "scale_channels",
                dtype,
                text(),
                on -> {
                    long channels = shape()[1];
                    Tensor in = on.uniform(dtype, -2, 2, shape());
                    Tensor scale = on.uniform(F32, 0.5, 2, channels);
                    Tensor shift = on.input(F32, channels);
                    Tensor out = on.output(dtype, shape());
                    on.ops().scaleChannels(in, scale, shift, out);
                    on.near("out", out, Bound.sums(dtype, 1));
                });
    }

    private Trial toRgb8(DType dtype) {
        return new Trial(
                "to_rgb8",
                dtype,
                text(),
                on -> {
                    Tensor in = on.uniform(dtype, -1.2, 1.2, shape());
                    Tensor out = on.output(U8, shape());
                    on.ops().toRgb8(in, out);
                    on.same("out", out);
                });
    }

    private Trial fromRgb8(DType dtype) {
        return new Trial(
                "from_rgb8",
                dtype,
                text(),
                on -> {
                    Tensor in = on.bytes(256, shape());
                    Tensor out = on.output(dtype, shape());
                    on.ops().fromRgb8(in, out);
                    on.same("out", out);
                });
    }

    private Trial geglu(DType dtype) {
        return new Trial(
                "geglu",
                dtype,
                Trial.text(sizes.rows(), 2, sizes.hidden() + 1),
                on -> {
                    Tensor in = on.uniform(dtype, -4, 4, sizes.rows(), 2, sizes.hidden() + 1);
                    Tensor out = on.output(dtype, sizes.rows(), sizes.hidden() + 1);
                    on.ops().geglu(in, out);
                    on.near("out", out, Bound.sums(dtype, 1));
                });
    }

    /** What it says of good numbers, and of one bad one at each kind of place. */
    private Trial requireFinite(DType dtype) {
        return new Trial(
                "require_finite",
                dtype,
                text() + ", one NaN or infinity",
                on -> {
                    int count = sizes.rows() * (sizes.width() + 3);
                    float[] numbers = on.numbers(count, -1e30, 1e30);
                    int[] places = {0, count / 2, count / 3, count / 7, count - 1};
                    byte[] answers = new byte[1 + places.length];
                    answers[0] = answer(on, dtype, numbers);
                    for (int i = 0; i < places.length; i++) {
                        float good = numbers[places[i]];
                        numbers[places[i]] = BAD[i % BAD.length];
                        answers[i + 1] = answer(on, dtype, numbers);
                        numbers[places[i]] = good;
                    }
                    on.same("what it says", answers);
                });
    }

    private byte answer(Pass on, DType dtype, float[] numbers) {
        try {
            on.ops().requireFinite(on.given(dtype, numbers, shape()));
            return 1;
        } catch (NumericsException e) {
            return 0;
        }
    }
}
