package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.Receipt;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.pipeline.TinyModel;
import io.sanavideo.runtime.DType;
import io.sanavideo.weights.EditedTensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * {@code quantize --import}: what others have quantised, in their forms, is taken over as it is;
 * what cannot be that of the dense model is refused.
 *
 * <p>The model has 3 heads of 32 channels, so that scales do not fill tiles of 128x4.
 */
class ImportTest {
    private static final String WEIGHTS = "transformer/diffusion_pytorch_model.safetensors";
    private static final String BLOCK = "transformer_blocks.0.";
    private static final String QUERY = BLOCK + "attn1.to_q";
    private static final int HEADS = 3;
    private static final float F32_ROUNDING = 3e-7f;

    /** Every layer that the standard policy quantises. */
    private static final List<String> LAYERS =
            Stream.of(
                            "attn1.to_q",
                            "attn1.to_k",
                            "attn1.to_v",
                            "attn1.to_out.0",
                            "attn2.to_q",
                            "attn2.to_out.0",
                            "ff.conv_inverted",
                            "ff.conv_point",
                            "ff.conv_temp")
                    .map(layer -> BLOCK + layer)
                    .toList();

    @TempDir private static Path shared;
    private static Path dense;
    private static Path other;
    private static Path quantized;

    @TempDir private Path folder;

    @BeforeAll
    static void quantize() throws IOException {
        dense = TinyModel.write(shared, HEADS, 1).root();
        Path another = Files.createDirectory(shared.resolve("another"));
        other = TinyModel.write(another, HEADS, 2).root();
        quantized = shared.resolve("quantized");
        Path prompts = Files.writeString(shared.resolve("prompts.txt"), "a red circle\n");
        CommandRun run =
                run(
                        "quantize",
                        dense.toString(),
                        "-o",
                        quantized.toString(),
                        "--calibrate",
                        prompts.toString(),
                        "--check",
                        "0");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
    }

    private static CommandRun run(String... arguments) {
        return CommandRun.of(
                Stream.concat(
                                Arrays.stream(arguments),
                                Stream.of(
                                        "--size",
                                        "8x8",
                                        "--frames",
                                        "1",
                                        "--steps",
                                        "2",
                                        "--device",
                                        "cpu",
                                        "--threads",
                                        "1",
                                        "--quiet"))
                        .toArray(String[]::new));
    }

    /** The quantised model's weights. */
    private static EditedTensors weights() {
        return EditedTensors.read(quantized.resolve(WEIGHTS));
    }

    private CommandRun take(Path foreign, Path against) {
        return run(
                "quantize",
                "--import",
                foreign.toString(),
                "--against",
                against.toString(),
                "-o",
                folder.resolve("taken").toString(),
                "--check",
                "0");
    }

    private CommandRun take(EditedTensors foreign) {
        return take(foreign.write(folder.resolve("foreign.safetensors")), dense);
    }

    private EditedTensors taken(EditedTensors foreign) {
        CommandRun run = take(foreign);
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
        return EditedTensors.read(folder.resolve("taken").resolve(WEIGHTS));
    }

    private Receipt receipt() {
        return Receipt.read(folder.resolve("taken"));
    }

    private LayerPolicy policy() {
        return SanaTransformer.storedPolicy(folder.resolve("taken/transformer"));
    }

    /** The same tensors; numbers that went through a reciprocal may be off in their last bit. */
    private static void assertSame(EditedTensors taken, Set<String> reciprocals) {
        EditedTensors own = weights();
        assertThat(taken.names()).isEqualTo(own.names());
        for (String name : own.names()) {
            if (reciprocals.stream().anyMatch(name::endsWith)) {
                assertThat(taken.number(name) / own.number(name))
                        .as(name)
                        .isEqualTo(1, within(F32_ROUNDING));
            } else {
                assertThat(taken.dtype(name)).as(name).isEqualTo(own.dtype(name));
                assertThat(taken.shape(name)).as(name).isEqualTo(own.shape(name));
                assertThat(taken.bytes(name)).as(name).isEqualTo(own.bytes(name));
            }
        }
    }

    private void assertAll(LayerPrecision precision) {
        LayerPolicy policy = policy();
        for (String name : weights().names()) {
            String layer = name.replaceFirst("\\.weight$", "");
            assertThat(policy.of(layer))
                    .as(layer)
                    .isEqualTo(LAYERS.contains(layer) ? precision : LayerPrecision.BF16);
        }
    }

    /** What the model makes of a prompt, as the hash of its frames. */
    private String frames(Path model) {
        CommandRun made =
                run(
                        "generate",
                        "a red circle",
                        "--model",
                        model.toString(),
                        "--seed",
                        "1",
                        "-o",
                        folder.resolve("clip.gif").toString());
        assertThat(made.code()).as(made.err()).isEqualTo(ExitCode.DONE);
        CommandRun inspected =
                CommandRun.of("inspect", folder.resolve("clip.gif").toString(), "--json");
        return inspected.out().replaceAll("(?s).*\"frames_sha256\" ?: ?\"(\\w+)\".*", "$1");
    }

    @Test
    void modelOptsAreTakenAsTheyAre() {
        assertSame(taken(weights()), Set.of());

        assertThat(receipt().origin())
                .isEqualTo("imported: low nibble first, row-major scales, global scale multiplies");
        assertAll(LayerPrecision.NVFP4);
        Receipt own = Receipt.read(quantized);
        assertThat(receipt().weights()).isEqualTo(own.weights());
        assertThat(receipt().dense()).isEqualTo(own.dense());
        assertThat(receipt().share()).isEqualTo(own.share());
        for (int i = 0; i < own.layers().size(); i++) {
            if (own.layers().get(i).precision().packsWeights()) {
                assertThat(receipt().layers().get(i).signalToNoise())
                        .as(own.layers().get(i).name())
                        .isEqualTo(own.layers().get(i).signalToNoise(), within(1e-3));
            }
        }
        assertThat(frames(folder.resolve("taken"))).isEqualTo(frames(quantized));
    }

    @Test
    void aFolderIsTakenLikeItsFile() {
        CommandRun run = take(quantized.resolve("transformer"), dense);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
        assertThat(receipt().weights()).isEqualTo(Receipt.read(quantized).weights());
    }

    @Test
    void comfyUisAreTurnedAround() {
        assertSame(taken(comfyUi(weights())), Set.of());

        assertThat(receipt().origin())
                .isEqualTo("imported: high nibble first, 128x4 scales, global scale multiplies");
        assertAll(LayerPrecision.NVFP4);
        assertThat(receipt().weights()).isEqualTo(Receipt.read(quantized).weights());
    }

    private static EditedTensors comfyUi(EditedTensors weights) {
        for (String layer : LAYERS) {
            swapNibbles(weights.bytes(layer + ".weight"));
            tile(weights, layer + ".weight_scale");
        }
        return weights.rename(name -> "model.diffusion_model." + name);
    }

    private static void swapNibbles(byte[] codes) {
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) ((codes[i] & 15) << 4 | codes[i] >> 4 & 15);
        }
    }

    /** As tensor cores read them: [rows / 128, columns / 4, 32, 4, 4], filled up by zeros. */
    private static void tile(EditedTensors weights, String name) {
        List<Long> shape = weights.shape(name);
        byte[] rowMajor = weights.bytes(name);
        int columns = shape.get(shape.size() - 1).intValue();
        int rows = rowMajor.length / columns;
        int paddedRows = (rows + 127) / 128 * 128;
        int paddedColumns = (columns + 3) / 4 * 4;
        byte[] tiles = new byte[paddedRows * paddedColumns];
        int at = 0;
        for (int row = 0; row < paddedRows; row += 128) {
            for (int column = 0; column < paddedColumns; column += 4) {
                for (int i = 0; i < 32; i++) {
                    for (int j = 0; j < 4; j++) {
                        for (int k = 0; k < 4; k++) {
                            int from = row + 32 * j + i;
                            boolean inside = from < rows && column + k < columns;
                            tiles[at++] = inside ? rowMajor[from * columns + column + k] : 0;
                        }
                    }
                }
            }
        }
        weights.put(name, DType.F8_E4M3, List.of((long) paddedRows, (long) paddedColumns), tiles);
    }

    @Test
    void compressedTensorsHaveTheirReciprocalsTaken() {
        EditedTensors taken = taken(compressed(weights()));

        assertSame(taken, Set.of(".weight_scale_2", ".input_scale"));
        assertThat(receipt().origin())
                .isEqualTo("imported: low nibble first, row-major scales, global scale divides");
        assertAll(LayerPrecision.NVFP4);
    }

    private static EditedTensors compressed(EditedTensors weights) {
        for (String layer : LAYERS) {
            weights.put(layer + ".weight_scale_2", 1 / weights.number(layer + ".weight_scale_2"));
            weights.put(layer + ".input_scale", 1 / weights.number(layer + ".input_scale"));
        }
        Set<String> codes =
                LAYERS.stream().map(layer -> layer + ".weight").collect(Collectors.toSet());
        return weights.rename(
                name ->
                        codes.contains(name)
                                ? name + "_packed"
                                : name.replace(".weight_scale_2", ".weight_global_scale")
                                        .replace(".input_scale", ".input_global_scale"));
    }

    /** A form is found for each layer by itself, and all are named. */
    @Test
    void formsMayDiffer() {
        EditedTensors foreign = weights();
        swapNibbles(foreign.bytes(QUERY + ".weight"));

        assertSame(taken(foreign), Set.of());
        assertThat(receipt().origin())
                .isEqualTo(
                        "imported: high nibble first, row-major scales, global scale multiplies; low nibble first, row-major scales, global scale multiplies");
    }

    @Test
    void withoutInputScalesActivationsStayDense() {
        EditedTensors foreign = weights();
        LAYERS.forEach(layer -> foreign.remove(layer + ".input_scale"));

        EditedTensors taken = taken(foreign);

        assertThat(taken.names()).noneMatch(name -> name.endsWith(".input_scale"));
        assertThat(taken.bytes(QUERY + ".weight")).isEqualTo(weights().bytes(QUERY + ".weight"));
        assertAll(LayerPrecision.NVFP4_WEIGHTS);
        assertThat(receipt().share()).isZero();
        frames(folder.resolve("taken"));
    }

    /** Parts of a product multiply one input: the largest of their ranges holds it. */
    @Test
    void partsShareTheLargestInputScale() {
        EditedTensors foreign = weights();
        float scale = foreign.number(QUERY + ".input_scale");
        foreign.put(BLOCK + "attn1.to_k.input_scale", 3 * scale);
        foreign.put(BLOCK + "attn1.to_v.input_scale", 2 * scale);

        EditedTensors taken = taken(foreign);

        for (String part : List.of("to_q", "to_k", "to_v")) {
            assertThat(taken.number(BLOCK + "attn1." + part + ".input_scale")).isEqualTo(3 * scale);
        }
    }

    /** A product of which a part is dense is dense as a whole, and the receipt says so. */
    @Test
    void aProductOfWhichAPartIsDenseStaysDense() {
        EditedTensors foreign = weights();
        EditedTensors of = EditedTensors.read(dense.resolve(WEIGHTS));
        String value = BLOCK + "attn1.to_v";
        for (String suffix : List.of(".weight_scale", ".weight_scale_2", ".input_scale")) {
            foreign.remove(value + suffix);
        }
        String weight = value + ".weight";
        foreign.put(weight, of.dtype(weight), of.shape(weight), of.bytes(weight));

        EditedTensors taken = taken(foreign);

        assertThat(receipt().origin())
                .isEqualTo(
                        "imported: low nibble first, row-major scales, global scale multiplies; dense, as other parts of their products are: %sattn1.to_q, %sattn1.to_k"
                                .formatted(BLOCK, BLOCK));
        for (String part : List.of("to_q", "to_k", "to_v")) {
            String name = BLOCK + "attn1." + part;
            assertThat(policy().of(name)).isEqualTo(LayerPrecision.BF16);
            assertThat(taken.has(name + ".weight_scale")).isFalse();
            assertThat(taken.bytes(name + ".weight")).isEqualTo(of.bytes(name + ".weight"));
        }
        assertThat(policy().of(BLOCK + "ff.conv_temp")).isEqualTo(LayerPrecision.NVFP4);
        frames(folder.resolve("taken"));
    }

    /** Numbers as JSON has none, such as an infinite ratio, do not come of it. */
    @Test
    void weightsThatCodesHoldExactlyAreTaken() throws IOException {
        Path exact = FolderCopy.of(dense, folder.resolve("exact")).folder();
        EditedTensors foreign = weights();
        String zero = BLOCK + "attn1.to_out.0.weight";
        Arrays.fill(foreign.bytes(zero), (byte) 0);
        EditedTensors of = EditedTensors.read(exact.resolve(WEIGHTS));
        Arrays.fill(of.bytes(zero), (byte) 0);
        of.put(QUERY + ".weight", DType.F32, of.shape(QUERY + ".weight"), decoded(foreign, QUERY));
        of.write(exact.resolve(WEIGHTS));

        CommandRun run = take(foreign.write(folder.resolve("foreign.safetensors")), exact);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
        assertThat(receipt().layers().get(0).signalToNoise()).isBetween(20.0, 200.0);
        assertThat(receipt().layers().get(1).signalToNoise()).isEqualTo(200);
    }

    private static byte[] decoded(EditedTensors weights, String layer) {
        float[] numbers = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
        byte[] codes = weights.bytes(layer + ".weight");
        byte[] scales = weights.bytes(layer + ".weight_scale");
        float global = weights.number(layer + ".weight_scale_2");
        ByteBuffer decoded = ByteBuffer.allocate(8 * codes.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 2 * codes.length; i++) {
            int code = codes[i / 2] >> 4 * (i % 2) & 15;
            double scale =
                    scales[i / 16] >> 3 == 0
                            ? scales[i / 16] * 0x1p-9
                            : (1 + (scales[i / 16] & 7) / 8.0)
                                    * Math.pow(2, (scales[i / 16] >> 3) - 7);
            double size = numbers[code & 7] * scale * global;
            decoded.putFloat((float) (code < 8 ? size : -size));
        }
        return decoded.array();
    }

    /** A way to break a foreign file, and words of the refusal. */
    private record Row(String name, Consumer<EditedTensors> change, List<String> words) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Row row(String name, Consumer<EditedTensors> change, String... words) {
        return new Row(name, change, List.of(words));
    }

    static Stream<Row> broken() {
        return Stream.of(
                row(
                        "scales shuffled",
                        foreign -> shuffle(foreign.bytes(QUERY + ".weight_scale")),
                        "the scales of '" + QUERY + "' are not those of its codes",
                        " times nearer to the dense weight",
                        "in an order that is not known here"),
                row(
                        "codes shuffled",
                        foreign -> shuffle(foreign.bytes(BLOCK + "ff.conv_temp.weight")),
                        "layer '" + BLOCK + "ff.conv_temp' is 1.",
                        " from the dense weight",
                        "expected about 0.1"),
                row(
                        "a part of a product is another's",
                        foreign ->
                                foreign.put(
                                        BLOCK + "attn1.to_k.weight",
                                        DType.U8,
                                        foreign.shape(QUERY + ".weight"),
                                        foreign.bytes(QUERY + ".weight")),
                        "layer '" + BLOCK + "attn1.to_k' is "),
                row(
                        "a global scale far off",
                        foreign ->
                                foreign.put(
                                        QUERY + ".weight_scale_2",
                                        5 * foreign.number(QUERY + ".weight_scale_2")),
                        "layer '" + QUERY + "' is "),
                row(
                        "a global scale of 0",
                        foreign -> foreign.put(QUERY + ".weight_scale_2", 0),
                        "layer '" + QUERY + "' is "),
                row(
                        "a scale that is NaN",
                        foreign -> foreign.bytes(QUERY + ".weight_scale")[3] = 0x7f,
                        "layer '" + QUERY + "' "),
                row(
                        "a row of codes less",
                        foreign -> shorten(foreign, QUERY + ".weight"),
                        "the codes of '" + QUERY + "' are 4560 bytes, expected 4608"),
                row(
                        "a row of scales less",
                        foreign -> shorten(foreign, QUERY + ".weight_scale"),
                        "the scales of '"
                                + QUERY
                                + "' are 570 bytes, expected 576, or 1024 in tiles"),
                row(
                        "far too many scales",
                        foreign ->
                                foreign.put(
                                        QUERY + ".weight_scale",
                                        DType.F8_E4M3,
                                        List.of(1L << 20),
                                        new byte[1 << 20]),
                        QUERY + ".weight_scale' has 1048576 bytes"),
                row(
                        "a missing global scale",
                        foreign -> foreign.remove(QUERY + ".weight_scale_2"),
                        "missing tensor '" + QUERY + ".weight_scale_2'"),
                row(
                        "missing codes",
                        foreign -> foreign.remove(QUERY + ".weight"),
                        "'" + QUERY + ".weight_scale' is there, expected codes beside it in"),
                row(
                        "no scales, so no layer",
                        foreign ->
                                new TreeSet<>(foreign.names())
                                        .stream()
                                                .filter(name -> name.endsWith(".weight_scale"))
                                                .forEach(foreign::remove),
                        "holds no whole NVFP4 layer of this model",
                        QUERY + ".weight_scale"),
                row(
                        "a part of one product alone",
                        foreign ->
                                new TreeSet<>(foreign.names())
                                        .stream()
                                                .filter(name -> name.endsWith(".weight_scale"))
                                                .filter(name -> !name.startsWith(QUERY))
                                                .forEach(foreign::remove),
                        "holds no whole NVFP4 layer of this model"),
                row(
                        "another network",
                        foreign -> foreign.rename(name -> "x." + name),
                        "has no tensor of a transformer block",
                        "transformer_blocks.0.attn1.to_q.weight"));
    }

    private static void shuffle(byte[] bytes) {
        SplittableRandom random = new SplittableRandom(3);
        for (int i = bytes.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            byte other = bytes[i];
            bytes[i] = bytes[j];
            bytes[j] = other;
        }
    }

    private static void shorten(EditedTensors foreign, String name) {
        List<Long> shape = foreign.shape(name);
        byte[] bytes = foreign.bytes(name);
        foreign.put(
                name,
                foreign.dtype(name),
                List.of(shape.get(0) - 1, shape.get(1)),
                Arrays.copyOf(bytes, bytes.length - shape.get(1).intValue()));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void whatIsBrokenIsRefused(Row row) throws IOException {
        EditedTensors foreign = weights();
        row.change.accept(foreign);

        assertRefused(take(foreign), row.words.toArray(String[]::new));
        // The right file may follow into the same folder.
        assertSame(taken(weights()), Set.of());
    }

    private void assertRefused(CommandRun run, String... words) {
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(run.err())
                .contains(folder.resolve("foreign.safetensors").toString())
                .contains(words)
                .doesNotContain("null")
                .doesNotContain("\tat ");
        assertThat(folder.resolve("taken")).doesNotExist();
    }

    @Test
    void anotherModelsDenseWeightsAreRefused() {
        Path foreign = weights().write(folder.resolve("foreign.safetensors"));

        assertRefused(
                take(foreign, other),
                "layer '" + QUERY + "' is 1.",
                "from the dense weight",
                "it is of another model, or packed in a way that is not known here");
    }

    @Test
    void aMissingFileIsRefused() {
        CommandRun run = take(folder.resolve("foreign.safetensors"), dense);

        assertRefused(run, "does not exist");
    }
}
