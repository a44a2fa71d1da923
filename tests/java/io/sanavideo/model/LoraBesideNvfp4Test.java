package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.Device;
import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.Lora;
import io.sanavideo.LoraMode;
import io.sanavideo.ModelFormatException;
import io.sanavideo.ProgressListener;
import io.sanavideo.Quantization;
import io.sanavideo.RelativeError;
import io.sanavideo.pipeline.TinyModel;
import io.sanavideo.quantize.Quantizer;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.weights.EditedTensors;
import io.sanavideo.weights.Json;
import io.sanavideo.weights.RandomLora;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** NVFP4 weights stay as they are: a LoRA joins the correction that was stored beside them. */
class LoraBesideNvfp4Test {
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
    private static final String BLOCK = "transformer_blocks.0.";
    private static final int RANK = 3;
    private static final int CORRECTION = 4;

    @TempDir private static Path shared;
    private static Path plain;
    private static Path corrected;

    @TempDir private Path folder;

    @BeforeAll
    static void quantize() throws IOException {
        Path dense = TinyModel.write(shared).root();
        plain = quantized(dense, 0);
        corrected = quantized(dense, CORRECTION);
    }

    private static Path quantized(Path dense, int rank) {
        Path out = shared.resolve("rank" + rank);
        Quantization quantization =
                Quantization.of(dense, Device.cpu(1))
                        .withCalibration(List.of(TinyModel.request().steps(2).build()))
                        .withChecks(List.of())
                        .withRank(rank);
        try (Quantizer quantizer = new Quantizer(quantization)) {
            quantizer.write(out, ProgressListener.NONE);
        }
        return out.resolve("transformer");
    }

    /** Of self-attention two of the three parts of one product, and others of one. */
    private static RandomLora lora() {
        return RandomLora.ofBlock(21, 0, RANK);
    }

    private static float[] velocity(Path transformer, LayerPrecision precision, Lora... loras) {
        Random random = new Random(12);
        try (Context context = Context.cpu(1);
                SanaTransformer loaded =
                        SanaTransformer.load(
                                context,
                                transformer,
                                DType.F32,
                                LayerPolicy.atMost(precision),
                                List.of(loras),
                                LoraMode.MERGE,
                                false,
                                bytes -> {});
                Tensor in = normal(context, random, 2, 4, 4, 16);
                Tensor out = context.tensor(DType.F32, 2, 4, 4, 16);
                Tensor words = normal(context, random, 5, 96);
                TransformerText text = new TransformerText(loaded, words);
                TransformerRun run = new TransformerRun(loaded, 2, 4, 4, OptionalDouble.empty())) {
            run.velocity(in, new double[] {600}, text, out);
            return out.toFloats();
        }
    }

    private static Tensor normal(Context context, Random random, long... shape) {
        Tensor tensor = context.tensor(DType.F32, shape);
        float[] values = new float[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        tensor.upload(values);
        return tensor;
    }

    /** The folder with a LoRA written into its corrections, and into its dense weights. */
    private Path edited(Path transformer, RandomLora lora, float scale) throws IOException {
        EditedTensors weights = EditedTensors.read(transformer.resolve(WEIGHTS));
        TransformerConfig config =
                TransformerConfig.of(Json.read(transformer.resolve("config.json")));
        for (TransformerLayer layer : TransformerLayer.of(config)) {
            if (layer.parts().stream().noneMatch(lora.layers()::contains)) {
                continue;
            }
            if (weights.has(Nvfp4Tensors.scales(layer.name()))) {
                extend(weights, layer, lora, scale);
            } else {
                lora.addTo(weights, layer.parts(), scale);
            }
        }
        Path copy = Files.createDirectories(folder.resolve("edited"));
        for (String file : List.of("config.json", SanaTransformer.POLICY)) {
            Files.copy(transformer.resolve(file), copy.resolve(file));
        }
        weights.write(copy.resolve(WEIGHTS));
        return copy;
    }

    private static void extend(
            EditedTensors weights, TransformerLayer layer, RandomLora lora, float scale) {
        String downName = Nvfp4Tensors.lowRankDown(layer.name());
        float[] down = weights.has(downName) ? weights.floats(downName) : new float[0];
        int before = down.length / layer.in();
        int rank = before;
        for (String part : layer.parts()) {
            if (lora.layers().contains(part)) {
                float[] own = lora.down(part);
                down = Arrays.copyOf(down, down.length + own.length);
                System.arraycopy(own, 0, down, rank * layer.in(), own.length);
                rank += own.length / layer.in();
            }
        }
        int at = before;
        for (String part : layer.parts()) {
            String upName = Nvfp4Tensors.lowRankUp(part);
            float[] old = before > 0 ? weights.floats(upName) : new float[0];
            boolean adapted = lora.layers().contains(part);
            float[] own = adapted ? lora.up(part) : new float[0];
            int ownRank = own.length / layer.partRows();
            float[] up = new float[layer.partRows() * rank];
            for (int row = 0; row < layer.partRows(); row++) {
                System.arraycopy(old, row * before, up, row * rank, before);
                for (int i = 0; i < ownRank; i++) {
                    up[row * rank + at + i] = scale * own[row * ownRank + i];
                }
            }
            at += ownRank;
            weights.put(upName, up, (long) layer.partRows(), (long) rank);
            weights.put(Nvfp4Tensors.lowRankDown(part), down, (long) rank, (long) layer.in());
        }
    }

    @ParameterizedTest
    @CsvSource({"false, NVFP4_WEIGHTS", "true, NVFP4_WEIGHTS", "false, NVFP4", "true, NVFP4"})
    void theSameAsACorrectionEditedByHand(boolean hasCorrection, LayerPrecision precision)
            throws IOException {
        Path model = hasCorrection ? corrected : plain;
        RandomLora random = lora();
        Lora lora = new Lora(random.write(folder.resolve("lora.safetensors")), -0.75);

        float[] adapted = velocity(model, precision, lora);

        float[] byHand = velocity(edited(model, random, -0.75f), precision);
        assertThat(RelativeError.of(adapted, byHand)).isLessThan(1e-5);
        assertThat(RelativeError.of(adapted, velocity(model, precision))).isGreaterThan(1e-3);
    }

    @Test
    void temporalConvolutionsCannotBeAdapted() {
        RandomLora random =
                new RandomLora(22).layer(BLOCK + "ff.conv_temp", 128, RANK, 128L, 3L, 1L);
        Lora lora = Lora.of(random.write(folder.resolve("lora.safetensors")));
        assertThatThrownBy(() -> velocity(plain, LayerPrecision.NVFP4, lora))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("'" + BLOCK + "ff.conv_temp'")
                .hasMessageContaining("lora.safetensors")
                .hasMessageContaining("temporal convolution that is NVFP4 in " + plain);
    }
}
