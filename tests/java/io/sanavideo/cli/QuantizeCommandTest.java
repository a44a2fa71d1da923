package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.Receipt;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.pipeline.TinyModel;
import io.sanavideo.weights.EditedTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The {@code quantize} command, and what other commands do with what it writes. */
class QuantizeCommandTest {
    private static final String WEIGHTS = "transformer/diffusion_pytorch_model.safetensors";
    private static final String QUERY = "transformer_blocks.0.attn1.to_q";
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Map<String, String> CLIP =
            Map.of(
                    "--size",
                    "8x8",
                    "--frames",
                    "5",
                    "--steps",
                    "3",
                    "--device",
                    "cpu",
                    "--threads",
                    "1");

    @TempDir private static Path shared;
    private static Path dense;
    private static Path prompts;
    private static Path quantized;
    private static CommandRun run;

    @TempDir private Path folder;

    @BeforeAll
    static void quantize() throws IOException {
        dense = TinyModel.write(shared).root();
        prompts = Files.writeString(shared.resolve("prompts.txt"), "a red circle\n\na cube\nSky\n");
        quantized = shared.resolve("quantized");
        run =
                quantize(
                        dense,
                        quantized,
                        "--calibrate",
                        prompts.toString(),
                        "--check",
                        "2",
                        "--seed",
                        "40");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
    }

    private static CommandRun quantize(Path model, Path out, String... more) {
        return command("quantize", Stream.of(model.toString(), "-o", out.toString()), more);
    }

    private static CommandRun command(String name, Stream<String> first, String... more) {
        List<String> arguments = new ArrayList<>(List.of(name));
        first.forEach(arguments::add);
        arguments.addAll(Arrays.asList(more));
        CLIP.forEach(
                (option, value) -> {
                    if (!arguments.contains(option)) {
                        arguments.addAll(List.of(option, value));
                    }
                });
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    private CommandRun generate(Path model, String... more) {
        return command(
                "generate",
                Stream.of(
                        "a red circle",
                        "--model",
                        model.toString(),
                        "--seed",
                        "1",
                        "--json",
                        "-o",
                        folder.resolve("clip.gif").toString()),
                more);
    }

    private static String frames(CommandRun run) throws JsonProcessingException {
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.DONE);
        List<String> events = run.out().lines().toList();
        return MAPPER.readTree(events.get(events.size() - 1)).get("frames_sha256").textValue();
    }

    private static void assertRefused(CommandRun run, int code, String... words) {
        assertThat(run.code()).as(run.err()).isEqualTo(code);
        assertThat(run.err()).contains(words).doesNotContain("\tat ");
        assertThat(run.out()).isEmpty();
    }

    /** Weights alone, one clip compared: what is said on both streams, and written. */
    @Test
    void byDefaultWeightsAloneAreQuantised() {
        Path out = folder.resolve("out");

        CommandRun plain = quantize(dense, out);

        assertThat(plain.code()).as(plain.err()).isEqualTo(ExitCode.DONE);
        Receipt receipt = Receipt.read(out);
        assertThat(receipt.origin()).isEqualTo("quantized");
        assertThat(receipt.fourOverSix()).isFalse();
        assertThat(receipt.rank()).isZero();
        assertThat(receipt.calibrated()).isZero();
        assertThat(receipt.share()).isZero();
        assertThat(receipt.checks())
                .singleElement()
                .satisfies(
                        check -> {
                            assertThat(check.seed()).isZero();
                            assertThat(check.latentErrors()).hasSize(3);
                        });
        assertThat(receipt.layers()).hasSize(8);
        for (Receipt.Layer layer : receipt.layers()) {
            boolean ofText = layer.name().endsWith("attn2.to_k");
            assertThat(layer.precision())
                    .as(layer.name())
                    .isEqualTo(ofText ? LayerPrecision.BF16 : LayerPrecision.NVFP4_WEIGHTS);
            if (!ofText) {
                // Of normal numbers in blocks of 16 with a rounded scale each: about 20.5 dB.
                assertThat(layer.signalToNoise()).as(layer.name()).isBetween(19.5, 21.5);
                assertThat(layer.saturation()).as(layer.name()).isBetween(0.0, 0.05);
            }
            assertThat(layer.outputError()).as(layer.name()).isNaN();
        }
        assertThat(SanaTransformer.storedPolicy(out.resolve("transformer")).of(QUERY))
                .isEqualTo(LayerPrecision.NVFP4_WEIGHTS);
        EditedTensors weights = EditedTensors.read(out.resolve(WEIGHTS));
        assertThat(weights.names()).noneMatch(name -> name.endsWith(".input_scale"));
        assertThat(weights.has(QUERY + ".weight_scale")).isTrue();
        assertThat(plain.out())
                .contains(
                        "NVFP4, quantized: 7 of 8 layers, 0 with activations (0.0% of multiplications)",
                        "weights: signal-to-noise 20.",
                        "against the dense model: PSNR ",
                        "mean of 1 clips")
                .doesNotContain("calibrated");
        assertThat(plain.err()).contains("device", "load", "denoise", "quantize");
    }

    @Test
    void calibratedActivationsAreQuantisedToo() throws IOException {
        Receipt receipt = Receipt.read(quantized);

        assertThat(receipt.calibrated()).isEqualTo(3);
        assertThat(receipt.share()).isEqualTo(1);
        assertThat(receipt.checks().stream().map(Receipt.Check::prompt))
                .containsExactly("a red circle", "a cube");
        assertThat(receipt.checks().stream().map(Receipt.Check::seed)).containsExactly(40L, 41L);
        for (Receipt.Layer layer : receipt.layers()) {
            if (layer.name().endsWith("attn2.to_k")) {
                assertThat(layer.precision()).isEqualTo(LayerPrecision.BF16);
                assertThat(layer.outputError()).isNaN();
            } else {
                assertThat(layer.precision()).isEqualTo(LayerPrecision.NVFP4);
                assertThat(layer.outputError()).as(layer.name()).isBetween(0.05, 0.25);
                assertThat(layer.inputSaturation()).as(layer.name()).isZero();
            }
        }
        EditedTensors weights = EditedTensors.read(quantized.resolve(WEIGHTS));
        assertThat(weights.number(QUERY + ".input_scale")).isPositive();
        assertThat(run.out())
                .contains(
                        "7 of 8 layers, 7 with activations (100.0% of multiplications)",
                        "calibrated by 3 clips", "mean of 2 clips");
        JsonNode modelOpt =
                MAPPER.readTree(quantized.resolve("transformer/hf_quant_config.json").toFile());
        assertThat(modelOpt.at("/quantization/quant_algo").textValue()).isEqualTo("NVFP4");
        assertThat(modelOpt.at("/quantization/exclude_modules").toString())
                .isEqualTo(
                        "[\"transformer_blocks.0.attn2.to_k\",\"transformer_blocks.0.attn2.to_v\"]");
    }

    /** All but the transformer's weights is as it was. */
    @Test
    void theRestIsCopied() throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(dense)) {
            files = walk.filter(Files::isRegularFile).map(dense::relativize).toList();
        }
        for (Path file : files) {
            if (!file.equals(Path.of(WEIGHTS))) {
                assertThat(quantized.resolve(file)).hasSameBinaryContentAs(dense.resolve(file));
            }
        }
        EditedTensors before = EditedTensors.read(dense.resolve(WEIGHTS));
        EditedTensors after = EditedTensors.read(quantized.resolve(WEIGHTS));
        for (String name :
                List.of("proj_out.weight", "transformer_blocks.0.ff.conv_depth.weight")) {
            assertThat(after.bytes(name)).isEqualTo(before.bytes(name));
        }
    }

    @Test
    void theSameAgainIsTheSame() {
        Path out = folder.resolve("out");
        quantize(dense, out, "--calibrate", prompts.toString(), "--check", "2", "--seed", "40");

        assertThat(Receipt.read(out)).isEqualTo(Receipt.read(quantized));
    }

    @Test
    void jsonIsEventsAndTheReceipt() throws IOException {
        Path out = folder.resolve("out");
        CommandRun made =
                quantize(dense, out, "--four-over-six", "--rank", "8", "--json", "--check", "0");

        assertThat(made.code()).as(made.err()).isEqualTo(ExitCode.DONE);
        List<JsonNode> lines = new ArrayList<>();
        for (String line : made.out().lines().toList()) {
            lines.add(MAPPER.readTree(line));
        }
        JsonNode receipt = lines.remove(lines.size() - 1);
        assertThat(receipt).isEqualTo(MAPPER.readTree(out.resolve(Receipt.FILE).toFile()));
        assertThat(receipt.get("four_over_six").booleanValue()).isTrue();
        assertThat(receipt.get("rank").intValue()).isEqualTo(8);
        assertThat(receipt.get("checks")).isEmpty();
        assertThat(lines.get(0).get("event").textValue()).isEqualTo("device");
        List<JsonNode> steps =
                lines.stream()
                        .filter(event -> "quantize".equals(event.path("phase").textValue()))
                        .toList();
        assertThat(steps.get(0).get("step").longValue()).isZero();
        JsonNode last = steps.get(steps.size() - 1);
        assertThat(last.get("step").longValue())
                .isEqualTo(last.get("total").longValue())
                .isPositive();
        assertThat(steps.stream().map(step -> step.get("step").longValue())).isSorted();
        assertThat(steps).hasSize(8);
    }

    @Test
    void correctionsAreWrittenForLinearLayers() {
        Path out = folder.resolve("out");
        quantize(dense, out, "--rank", "8", "--check", "0", "--quiet");

        EditedTensors weights = EditedTensors.read(out.resolve(WEIGHTS));
        assertThat(weights.shape(QUERY + ".low_rank_down")).containsExactly(8L, 128L);
        assertThat(weights.shape(QUERY + ".low_rank_up")).containsExactly(128L, 8L);
        assertThat(weights.shape("transformer_blocks.0.ff.conv_point.low_rank_down"))
                .containsExactly(8L, 384L);
        assertThat(weights.has("transformer_blocks.0.ff.conv_temp.low_rank_down")).isFalse();
    }

    @Test
    void quietPrintsNothing() {
        assertThat(quantize(dense, folder.resolve("out"), "--quiet"))
                .isEqualTo(new CommandRun(ExitCode.DONE, "", ""));
    }

    @Test
    void noChecksAreSaidToBeNone() {
        assertThat(quantize(dense, folder.resolve("out"), "--check", "0").out())
                .contains("not compared with the dense model");
    }

    @Test
    void aFolderThatHoldsSomethingIsLeftAlone() throws IOException {
        Path note = Files.writeString(folder.resolve("note"), "mine");

        assertRefused(
                quantize(dense, folder),
                ExitCode.USAGE,
                folder + " is not empty; name a folder that is empty or new");
        assertThat(note).hasContent("mine");
        assertThat(folder.toFile().list()).containsExactly("note");
    }

    @Test
    void anEmptyFolderIsTaken() {
        CommandRun made = quantize(dense, folder, "--check", "0", "--quiet");

        assertThat(made.code()).as(made.err()).isEqualTo(ExitCode.DONE);
        assertThat(folder.resolve(Receipt.FILE)).exists();
    }

    /** What is copied would be copied again and again. */
    @Test
    void theModelsOwnFolderIsNotTaken() {
        Path inside = dense.resolve("quantized");

        assertRefused(
                quantize(dense, inside), ExitCode.USAGE, inside + " is in the model's own folder");
        assertThat(inside).doesNotExist();
    }

    @Test
    void aQuantisedModelIsNotQuantisedAgain() {
        Path out = folder.resolve("out");

        assertRefused(
                quantize(quantized, out),
                ExitCode.USAGE,
                quantized + " is quantised already, expected a dense model");
        assertThat(out).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--rank 999 | the rank is 999, expected 0 to 256",
                "--rank -1 | the rank is -1, expected 0 to 256",
                "--check -1 | --check is -1, expected 0 or more",
                "--size 9x9 | 9x9",
                "--size big | --size is 'big'",
                "--steps 0 | steps is 0",
                "--frames 2 | 2 frames"
            })
    void wrongOptionsAreUsageErrors(String options, String words) {
        Path out = folder.resolve("out");

        assertRefused(quantize(dense, out, options.split(" ")), ExitCode.USAGE, words);
        assertThat(out).doesNotExist();
    }

    @Test
    void theSourceIsADenseModelOrAnImportAgainstOne() {
        String out = folder.resolve("out").toString();
        String file = quantized.resolve(WEIGHTS).toString();
        String model = dense.toString();
        for (String[] arguments :
                new String[][] {
                    {"quantize", "-o", out},
                    {"quantize", "-o", out, "--import", file},
                    {"quantize", "-o", out, "--against", model},
                    {"quantize", "-o", out, model, "--import", file, "--against", model},
                    {"quantize", model}
                }) {
            CommandRun refused = CommandRun.of(arguments);
            assertThat(refused.code()).as(refused.err()).isEqualTo(ExitCode.USAGE);
            assertThat(refused.err()).contains("Usage: sana-video quantize");
        }
        assertThat(CommandRun.of("quantize", "-o", out, "--import", file).err())
                .contains("--against");
    }

    /** An import has its own layers: what says otherwise is not passed over. */
    @ParameterizedTest
    @ValueSource(strings = {"--rank 8", "--four-over-six", "--policy POLICY"})
    void anImportIsTakenAsItIs(String options) throws IOException {
        Path policy = policy("{\"layers\": [{\"match\": \"*\", \"precision\": \"nvfp4\"}]}");
        Path out = folder.resolve("out");

        assertRefused(
                command(
                        "quantize",
                        Stream.of(
                                "--import",
                                quantized.resolve(WEIGHTS).toString(),
                                "--against",
                                dense.toString(),
                                "-o",
                                out.toString()),
                        options.replace("POLICY", policy.toString()).split(" ")),
                ExitCode.USAGE,
                "an imported model is taken as it is");
        assertThat(out).doesNotExist();
    }

    @Test
    void aPromptFileWithoutPromptsIsABadFile() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty.txt"), "\n  \n");

        assertRefused(
                quantize(dense, folder.resolve("out"), "--calibrate", empty.toString()),
                ExitCode.BAD_FILE,
                empty + ": holds no prompt");
        assertRefused(
                quantize(dense, folder.resolve("out"), "--calibrate", "/no/prompts"),
                ExitCode.BAD_FILE,
                "/no/prompts: the prompts cannot be read");
    }

    @Test
    void aMissingModelIsABadFile() {
        assertRefused(
                quantize(Path.of("/no/model"), folder.resolve("out")),
                ExitCode.BAD_FILE,
                "/no/model");
    }

    private Path policy(String json) throws IOException {
        return Files.writeString(folder.resolve("policy.json"), json);
    }

    @Test
    void aPolicyOfOnesOwnDecides() throws IOException {
        Path policy =
                policy(
                        """
                        {"layers": [{"match": "*.ff.conv_temp", "precision": "nvfp4-weights"},
                                    {"match": "*.ff.*", "precision": "nvfp4"}],
                         "dense_steps": {"first": 1, "last": 2}}
                        """);
        Path out = folder.resolve("out");

        CommandRun made =
                quantize(
                        dense,
                        out,
                        "--policy",
                        policy.toString(),
                        "--calibrate",
                        prompts.toString());

        assertThat(made.code()).as(made.err()).isEqualTo(ExitCode.DONE);
        assertThat(SanaTransformer.storedPolicy(out.resolve("transformer")))
                .isEqualTo(LayerPolicy.read(policy));
        EditedTensors weights = EditedTensors.read(out.resolve(WEIGHTS));
        assertThat(weights.has(QUERY + ".weight_scale")).isFalse();
        String block = "transformer_blocks.0.ff.";
        assertThat(weights.has(block + "conv_inverted.input_scale")).isTrue();
        assertThat(weights.has(block + "conv_temp.weight_scale")).isTrue();
        assertThat(weights.has(block + "conv_temp.input_scale")).isFalse();
        // Width 128, hidden 384: of q, k, v 3, out 1, cross 2, and of the feed-forward 6, 3 and 3.
        assertThat(Receipt.read(out).share()).isEqualTo(9 / 18.0);
        assertThat(made.out()).contains("3 of 8 layers, 2 with activations (50.0% of");
    }

    /** To say it after hours, or never, would be too late. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "*.attn1.to_q | the policy gives 'transformer_blocks.0.attn1.to_q' nvfp4 and 'transformer_blocks.0.attn1.to_k' bf16, expected one precision: they are one product",
                "*.attn2.to_v | the policy gives 'transformer_blocks.0.attn2.to_k' bf16 and 'transformer_blocks.0.attn2.to_v' nvfp4",
                "blocks.* | the policy quantises none of the 8 layers"
            })
    void aPolicyThatDoesNotFitIsRefusedAtOnce(String match, String words) throws IOException {
        Path policy =
                policy(
                        "{\"layers\": [{\"match\": \"%s\", \"precision\": \"nvfp4\"}]}"
                                .formatted(match));
        Path out = folder.resolve("out");

        CommandRun refused =
                quantize(dense, out, "--policy", policy.toString(), "--check", "0", "--json");

        assertThat(refused.code()).as(refused.err()).isEqualTo(ExitCode.USAGE);
        assertThat(refused.err()).contains(words);
        assertThat(refused.out()).doesNotContain("progress");
        assertThat(out).doesNotExist();
    }

    @Test
    void aBrokenPolicyIsNamedWithItsKey() throws IOException {
        Path policy = policy("{\"layers\": [{\"match\": \"*\", \"precision\": \"int8\"}]}");

        assertRefused(
                quantize(dense, folder.resolve("out"), "--policy", policy.toString()),
                ExitCode.BAD_FILE,
                policy + ": key 'layers[0].precision' is \"int8\"");
        CommandRun refused = generate(quantized, "--precision", policy.toString());
        assertThat(refused.code()).isEqualTo(ExitCode.BAD_FILE);
        assertThat(refused.err()).contains(policy + ": key 'layers[0].precision' is \"int8\"");
    }

    @Test
    void inspectPrintsTheReceipt() throws IOException {
        CommandRun text = CommandRun.of("inspect", quantized.toString());
        assertThat(text.code()).as(text.err()).isEqualTo(ExitCode.DONE);
        // The summary, as quantize printed it.
        assertThat(text.out()).contains(run.out());
        assertThat(text.out())
                .containsPattern(
                        QUERY + " +nvfp4 +2\\d\\.\\d\\d +0\\.\\d{5} +0\\.00000 +0\\.\\d{4}")
                .containsPattern("transformer_blocks.0.attn2.to_k +bf16 +- +- +- +-")
                .containsPattern(
                        "PSNR [\\d.]+ dB, SSIM [\\d.]+, latents 0\\.\\d+ after the first step, 0\\.\\d+ after the last: a red circle, seed 40")
                .contains("a cube, seed 41");

        CommandRun json = CommandRun.of("inspect", quantized.toString(), "--json");
        assertThat(MAPPER.readTree(json.out()).get("receipt"))
                .isEqualTo(MAPPER.readTree(quantized.resolve(Receipt.FILE).toFile()));
        assertThat(CommandRun.of("inspect", dense.toString(), "--json").out())
                .doesNotContain("receipt");
        assertThat(CommandRun.of("inspect", dense.toString()).out()).doesNotContain("NVFP4");
    }

    @Test
    void precisionLowersWhatAModelDoes() throws IOException {
        String own = frames(generate(quantized));
        String weightsAlone = frames(generate(quantized, "--precision", "nvfp4-weights"));
        Path policy =
                policy(
                        """
                        {"layers": [{"match": "*.attn2.to_k", "precision": "bf16"},
                                    {"match": "*.attn2.to_v", "precision": "bf16"},
                                    {"match": "*.ff.*", "precision": "nvfp4"},
                                    {"match": "*", "precision": "nvfp4-weights"}]}
                        """);
        String mixed = frames(generate(quantized, "--precision", policy.toString()));

        assertThat(List.of(own, weightsAlone, mixed)).doesNotHaveDuplicates();
        assertThat(frames(generate(quantized, "--precision", "nvfp4"))).isEqualTo(own);
        Path stored = quantized.resolve("transformer").resolve(SanaTransformer.POLICY);
        assertThat(frames(generate(quantized, "--precision", stored.toString()))).isEqualTo(own);
    }

    @Test
    void aQuantisedModelHasNoDenseWeights() throws IOException {
        assertRefusedInWords(
                generate(quantized, "--precision", "bf16"),
                "the policy gives '" + QUERY + "' bf16, but ",
                "holds it as NVFP4, expected nvfp4 or nvfp4-weights");
        Path all = policy("{\"layers\": [{\"match\": \"*\", \"precision\": \"nvfp4\"}]}");
        assertRefusedInWords(
                generate(quantized, "--precision", all.toString()),
                "the policy gives 'transformer_blocks.0.attn2.to_k' nvfp4, but ",
                "holds it dense: sana-video quantize makes NVFP4 weights");
    }

    @Test
    void aDenseModelHasNoNvfp4() throws IOException {
        for (String precision : List.of("nvfp4", "nvfp4-weights")) {
            assertRefusedInWords(
                    generate(dense, "--precision", precision),
                    "the precision is " + precision + ", but the model is not quantised");
        }
        assertRefusedInWords(
                generate(
                        dense,
                        "--precision",
                        policy(LayerPolicy.STANDARD.json().toString()).toString()),
                "the policy gives '" + QUERY + "' nvfp4, but ",
                "holds it dense: sana-video quantize makes NVFP4 weights");
        assertRefusedInWords(
                generate(dense, "--precision", "fp8"),
                "--precision is 'fp8', expected one of [bf16, nvfp4-weights, nvfp4] or a file that exists");

        assertThat(frames(generate(dense, "--precision", "bf16")))
                .isEqualTo(frames(generate(dense)));
    }

    /** Of a model whose activations were not calibrated. */
    @Test
    void activationsNeedCalibration() throws IOException {
        Path out = folder.resolve("out");
        quantize(dense, out, "--check", "0", "--quiet");

        assertRefusedInWords(
                generate(
                        out,
                        "--precision",
                        policy(LayerPolicy.STANDARD.json().toString()).toString()),
                "the policy gives '" + QUERY + "' nvfp4, but ",
                "has no '"
                        + QUERY
                        + ".input_scale': quantize with --calibrate, or run nvfp4-weights");
        assertThat(frames(generate(out, "--precision", "nvfp4"))).isEqualTo(frames(generate(out)));
    }

    private void assertRefusedInWords(CommandRun refused, String... words) {
        assertThat(refused.code()).as(refused.err()).isEqualTo(ExitCode.USAGE);
        assertThat(refused.err()).contains(words).doesNotContain("\tat ");
        assertThat(folder.resolve("clip.gif")).doesNotExist();
    }

    /** 18 products of 128 by 128, of 16 bits each or of 4 and a scale's 8 for 16 of them. */
    @Test
    void aPlanCountsWhatIsQuantised() throws JsonProcessingException {
        double elements = 18 * 128 * 128;
        assertThat(transformerBytes(dense) - transformerBytes(quantized))
                .isBetween((long) (elements * 11 / 8), (long) (elements * 11.5 / 8));
    }

    private static long transformerBytes(Path model) throws JsonProcessingException {
        CommandRun plan =
                command(
                        "plan",
                        Stream.of("--model", model.toString(), "--dtype", "bf16", "--json"));
        assertThat(plan.code()).as(plan.err()).isEqualTo(ExitCode.DONE);
        for (JsonNode phase : MAPPER.readTree(plan.out()).get("phases")) {
            if (Objects.equals(phase.get("phase").textValue(), "denoise")) {
                return phase.get("weights").longValue();
            }
        }
        throw new AssertionError("no phase denoises: " + plan.out());
    }
}
