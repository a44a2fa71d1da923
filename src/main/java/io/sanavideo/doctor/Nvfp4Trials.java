package io.sanavideo.doctor;

import static io.sanavideo.runtime.DType.F32;
import static io.sanavideo.runtime.DType.U8;

import io.sanavideo.DeviceException;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Nvfp4Matrix;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.util.ArrayList;
import java.util.List;

/** Trials of what makes, moves and reads NVFP4 in {@code sanavideo/nvfp4.h}. */
final class Nvfp4Trials {
    private static final float GLOBAL_SCALE = 0.0037f;

    /** Scales of UE4M3 are 0 to 126. */
    private static final int SCALES = 127;

    private final Sizes sizes;
    private final int rows;

    /** A whole number of blocks, but not of slabs. */
    private final int columns;

    private Nvfp4Trials(Sizes sizes) {
        this.sizes = sizes;
        this.rows = sizes.rows();
        this.columns = sizes.width() - 16;
    }

    static List<Trial> of(Sizes sizes) {
        Nvfp4Trials trials = new Nvfp4Trials(sizes);
        List<Trial> all = new ArrayList<>();
        for (DType dtype : Trials.FLOATS) {
            all.add(trials.quantize(dtype, false));
            all.add(trials.quantize(dtype, true));
            all.add(trials.dequantize(dtype));
        }
        all.add(trials.tile());
        all.add(trials.untile());
        all.add(trials.toSlabs());
        all.add(trials.fromSlabs());
        all.add(probe());
        for (DType dtype : Trials.FLOATS) {
            all.add(trials.quantizeRows(dtype));
            all.add(trials.layerNorm(dtype));
            all.add(trials.depthwiseGate(dtype));
        }
        return all;
    }

    private static long padded(long length) {
        return (length + 63) / 64 * 64;
    }

    private long[] codes(long length) {
        return new long[] {rows, padded(length) / 2};
    }

    private long[] scales(long length) {
        return new long[] {rows, padded(length) / 16};
    }

    /** A length that ends inside of a block. */
    private Trial quantize(DType dtype, boolean fourOverSix) {
        int length = sizes.width() + 5;
        return new Trial(
                "nvfp4_quantize",
                dtype,
                Trial.text(rows, length) + (fourOverSix ? ", four over six" : ""),
                on -> {
                    Tensor in = on.uniform(dtype, -3, 3, rows, length);
                    Tensor codes = on.output(U8, codes(length));
                    Tensor scales = on.output(U8, scales(length));
                    on.ops().nvfp4Quantize(in, GLOBAL_SCALE, fourOverSix, codes, scales);
                    on.same("codes", codes);
                    on.same("scales", scales);
                });
    }

    private Trial dequantize(DType dtype) {
        int length = sizes.width() + 5;
        return new Trial(
                "nvfp4_dequantize",
                dtype,
                Trial.text(rows, length),
                on -> {
                    Tensor codes = on.bytes(256, codes(length));
                    Tensor scales = on.bytes(SCALES, scales(length));
                    Tensor out = on.output(dtype, rows, length);
                    on.ops().nvfp4Dequantize(codes, scales, GLOBAL_SCALE, out);
                    on.same("out", out);
                });
    }

    private long[] tiles(long count) {
        return new long[] {(rows + 127) / 128, (count + 3) / 4, 32, 4, 4};
    }

    private Trial tile() {
        int count = sizes.width() / 16 + 1;
        return new Trial(
                "nvfp4_tile_scales",
                null,
                Trial.text(rows, count),
                on -> {
                    Tensor scales = on.bytes(256, rows, count);
                    Tensor tiles = on.output(U8, tiles(count));
                    on.ops().nvfp4TileScales(scales, tiles);
                    on.same("tiles", tiles);
                });
    }

    private Trial untile() {
        int count = sizes.width() / 16 + 1;
        return new Trial(
                "nvfp4_untile_scales",
                null,
                Trial.text(rows, count),
                on -> {
                    Tensor tiles = on.bytes(256, tiles(count));
                    Tensor scales = on.output(U8, rows, count);
                    on.ops().nvfp4UntileScales(tiles, scales);
                    on.same("scales", scales);
                });
    }

    private Trial toSlabs() {
        return new Trial(
                "nvfp4_to_slabs",
                null,
                Trial.text(rows, columns),
                on -> {
                    Tensor codes = on.bytes(256, codes(columns));
                    Tensor scales = on.bytes(SCALES, scales(columns));
                    Nvfp4Matrix out = on.slabsOut(rows, columns);
                    on.ops().nvfp4ToSlabs(codes, scales, GLOBAL_SCALE, out);
                    on.same("out", out.memory());
                });
    }

    private Trial fromSlabs() {
        return new Trial(
                "nvfp4_from_slabs",
                null,
                Trial.text(rows, columns),
                on -> {
                    Nvfp4Matrix in = on.slabs(rows, columns, GLOBAL_SCALE);
                    Tensor codes = on.output(U8, codes(columns));
                    Tensor scales = on.output(U8, scales(columns));
                    on.ops().nvfp4FromSlabs(in, codes, scales);
                    on.same("codes", codes);
                    on.same("scales", scales);
                });
    }

    /**
     * Each place of an element and of a scale alone. What is elsewhere is a mistake, not something
     * that the card does not do; a CPU has no such places.
     */
    private static Trial probe() {
        return new Trial(
                "nvfp4_probe",
                null,
                "one place of an operand at a time",
                on -> {
                    byte right = 1;
                    try {
                        long places = on.ops().nvfp4Probe();
                        on.note("%d places".formatted(places));
                        if (places == 0 && !on.isCpu()) {
                            on.fault("no place was tried");
                        }
                    } catch (DeviceException e) {
                        on.fault(e.getMessage());
                        right = 0;
                    }
                    on.same("what it says", new byte[] {right});
                });
    }

    private Trial quantizeRows(DType dtype) {
        int length = sizes.width() + 5;
        return new Trial(
                "nvfp4_quantize_rows",
                dtype,
                Trial.text(rows, length),
                on -> {
                    Tensor in = on.uniform(dtype, -3, 3, rows, length);
                    Nvfp4Matrix out = on.slabsOut(rows, length);
                    on.ops().nvfp4QuantizeRows(in, GLOBAL_SCALE, out);
                    on.same("out", out.memory());
                });
    }

    /** What a device quantises in one op is what it quantises after that op. */
    static void compareFused(
            Pass on, DType dtype, float globalScale, Nvfp4Matrix fused, Tensor apart) {
        on.near("quantized", fused);
        if (dtype == F32) {
            Nvfp4Matrix afterwards = on.slabsOut(fused.rows(), fused.columns());
            on.ops().nvfp4QuantizeRows(apart, globalScale, afterwards);
            on.equal("differs from quantising the result", fused, afterwards);
        }
    }

    private Trial layerNorm(DType dtype) {
        return new Trial(
                "nvfp4_layer_norm_modulated",
                dtype,
                Trial.text(rows, columns) + ", %d groups".formatted(Sizes.GROUPS),
                on -> {
                    Tensor in = on.uniform(dtype, -1, 3, rows, columns);
                    Tensor modulation = on.input(F32, Sizes.GROUPS, 3, columns);
                    Nvfp4Matrix out = on.slabsOut(rows, columns);
                    Tensor apart = on.output(dtype, rows, columns);
                    float epsilon = NormTrials.EPSILON;
                    on.ops()
                            .nvfp4LayerNormModulated(
                                    in, modulation, 2, 0, epsilon, GLOBAL_SCALE, out);
                    on.ops().layerNormModulated(in, modulation, 2, 0, epsilon, apart);
                    compareFused(on, dtype, GLOBAL_SCALE, out, apart);
                });
    }

    private Trial depthwiseGate(DType dtype) {
        int frames = 2;
        int hidden = sizes.hidden() + 16;
        return new Trial(
                "nvfp4_depthwise_gate",
                dtype,
                Trial.text(frames, sizes.tall(), sizes.wide(), hidden),
                on -> {
                    Tensor in = on.input(dtype, frames, sizes.tall(), sizes.wide(), 2L * hidden);
                    Weight weight = on.weight(WeightKind.DEPTHWISE, dtype, 9, 2L * hidden, 1, 3, 3);
                    Tensor bias = on.input(F32, 2L * hidden);
                    Nvfp4Matrix out = on.slabsOut((long) frames * sizes.pixels(), hidden);
                    Tensor apart = on.output(dtype, frames, sizes.tall(), sizes.wide(), hidden);
                    on.ops().nvfp4DepthwiseGate(in, weight, bias, GLOBAL_SCALE, out);
                    on.ops().depthwiseGate(in, weight, bias, apart);
                    compareFused(on, dtype, GLOBAL_SCALE, out, apart);
                });
    }
}
