package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.Receipt;
import io.sanavideo.pipeline.TinyModel;
import io.sanavideo.weights.EditedTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A quantised model runs with a receipt that fits its weights, or because it is trusted. */
class QuantizedModelTest {
    private static final String WEIGHTS = "transformer/diffusion_pytorch_model.safetensors";
    private static final String QUERY = "transformer_blocks.0.attn1.to_q";
    private static final String OUT = "transformer_blocks.0.attn1.to_out.0";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir private static Path shared;
    private static Path quantized;
    private static String frames;

    @TempDir private Path folder;
    private FolderCopy model;

    @BeforeAll
    static void quantize() throws IOException {
        Path dense = TinyModel.write(shared).root();
        quantized = shared.resolve("quantized");
        CommandRun run =
                CommandRun.of(
                        "quantize",
                        dense.toString(),
                        "-o",
                        quantized.toString(),
                        "--check",
                        "0",
                        "--device",
                        "cpu",
                        "--threads",
                        "1",
                        "--quiet");
        assertThat(run).isEqualTo(new CommandRun(ExitCode.DONE, "", ""));
        frames = frames(generate(quantized, shared));
    }

    @BeforeEach
    void copy() throws IOException {
        model = FolderCopy.of(quantized, folder.resolve("model"));
    }

    private static CommandRun generate(Path model, Path outputs, String... more) {
        return run(
                "generate",
                model,
                Stream.concat(
                                Stream.of(
                                        "a red circle",
                                        "--seed",
                                        "1",
                                        "--steps",
                                        "2",
                                        "--json",
                                        "-o",
                                        outputs.resolve("clip.gif").toString()),
                                Stream.of(more))
                        .toArray(String[]::new));
    }

    private static CommandRun run(String command, Path model, String... more) {
        List<String> arguments = new ArrayList<>(List.of(command, "--model", model.toString()));
        arguments.addAll(
                List.of("--size", "8x8", "--frames", "5", "--device", "cpu", "--threads", "1"));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    private static String frames(CommandRun run) throws JsonProcessingException {
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
        List<String> events = run.out().lines().toList();
        JsonNode done = MAPPER.readTree(events.get(events.size() - 1));
        return done.get("frames_sha256").textValue();
    }

    private interface Change {
        void apply(EditedTensors weights);
    }

    /** A way to change weights. */
    private record Row(String name, Change change) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Row> changes() {
        return Stream.of(
                new Row(
                        "one byte of the scales",
                        weights -> weights.bytes(QUERY + ".weight_scale")[0] ^= 1),
                new Row(
                        "the nibbles of a layer swapped",
                        weights -> swapNibbles(weights.bytes(QUERY + ".weight"))),
                new Row(
                        "the scales of a layer in 128x4 order",
                        weights -> tile(weights, QUERY + ".weight_scale")),
                new Row(
                        "another global scale",
                        weights ->
                                weights.put(
                                        OUT + ".weight_scale_2",
                                        2 * weights.number(OUT + ".weight_scale_2"))),
                new Row(
                        "one bit of a tensor that is not quantised",
                        weights -> weights.bytes("proj_out.weight")[1] ^= 1));
    }

    private static void swapNibbles(byte[] codes) {
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) ((codes[i] & 15) << 4 | codes[i] >> 4 & 15);
        }
    }

    /** As tensor cores read them: [rows / 128, columns / 4, 32, 4, 4]. */
    private static void tile(EditedTensors weights, String name) {
        byte[] scales = weights.bytes(name);
        byte[] rowMajor = scales.clone();
        int columns = weights.shape(name).get(1).intValue();
        int at = 0;
        for (int row = 0; row < rowMajor.length / columns; row += 128) {
            for (int column = 0; column < columns; column += 4) {
                for (int i = 0; i < 32; i++) {
                    for (int j = 0; j < 4; j++) {
                        int from = (row + 32 * j + i) * columns + column;
                        System.arraycopy(rowMajor, from, scales, at, 4);
                        at += 4;
                    }
                }
            }
        }
        assertThat(at).isEqualTo(scales.length);
        assertThat(scales).isNotEqualTo(rowMajor);
    }

    @ParameterizedTest
    @MethodSource("changes")
    void changedWeightsAreRefusedUnlessTrusted(Row row) throws IOException {
        Path weights = model.folder().resolve(WEIGHTS);
        EditedTensors edited = EditedTensors.read(weights);
        row.change.apply(edited);
        edited.write(weights);

        CommandRun refused = generate(model.folder(), folder);
        assertThat(refused.code()).as(refused.err()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(refused.err())
                .contains(
                        model.folder().toString(),
                        "receipt.json is for weights of SHA-256 "
                                + Receipt.read(quantized).weights(),
                        "they were changed after they were examined",
                        "--trust")
                .doesNotContain("\tat ");
        assertThat(folder.resolve("clip.gif")).doesNotExist();

        assertThat(frames(generate(model.folder(), folder, "--trust"))).isNotEqualTo(frames);
    }

    @Test
    void aModelWithoutReceiptIsRefusedUnlessTrusted() throws IOException {
        model.delete(Receipt.FILE);

        CommandRun refused = generate(model.folder(), folder);
        assertThat(refused.code()).as(refused.err()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(refused.err())
                .contains(
                        model.folder().toString(),
                        "the transformer is NVFP4 but there is no receipt.json",
                        "--trust");

        assertThat(frames(generate(model.folder(), folder, "--trust"))).isEqualTo(frames);
    }

    @Test
    void aBrokenReceiptIsRefusedByFileAndKey() throws IOException {
        String receipt = Files.readString(model.folder().resolve(Receipt.FILE));
        model.write(
                Receipt.FILE,
                receipt.replaceFirst("\"precision\" : \"[^\"]+\"", "\"precision\" : \"fp8\""));
        for (CommandRun refused :
                List.of(
                        generate(model.folder(), folder),
                        run("plan", model.folder()),
                        CommandRun.of("inspect", model.folder().toString()))) {
            assertThat(refused.code()).as(refused.err()).isEqualTo(ExitCode.BAD_FILE);
            assertThat(refused.err())
                    .contains(
                            model.folder().resolve(Receipt.FILE).toString(),
                            "key 'layers[0].precision' is \"fp8\"")
                    .doesNotContain("\tat ");
        }

        assertThat(frames(generate(model.folder(), folder, "--trust"))).isEqualTo(frames);
    }

    /** To plan reads no weights, but says already that there is no receipt. */
    @Test
    void aPlanNeedsAReceiptToo() throws IOException {
        assertThat(run("plan", model.folder()).code()).isEqualTo(ExitCode.DONE);

        model.delete(Receipt.FILE);

        CommandRun refused = run("plan", model.folder());
        assertThat(refused.code()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(refused.err()).contains("there is no receipt.json", "--trust");
        assertThat(run("plan", model.folder(), "--trust").code()).isEqualTo(ExitCode.DONE);
    }

    @Test
    void denseModelsNeedNoReceipt() throws IOException {
        frames(generate(shared.resolve("model"), folder));
        frames(generate(shared.resolve("model"), folder, "--trust"));
    }
}
