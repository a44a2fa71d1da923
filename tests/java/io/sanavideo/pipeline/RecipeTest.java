package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Beat;
import io.sanavideo.DemoCopy;
import io.sanavideo.Device;
import io.sanavideo.ImageToVideo;
import io.sanavideo.Kernels;
import io.sanavideo.Latents;
import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.Lora;
import io.sanavideo.LoraMode;
import io.sanavideo.Materials;
import io.sanavideo.Model;
import io.sanavideo.ModelFormatException;
import io.sanavideo.Precision;
import io.sanavideo.ProgressListener;
import io.sanavideo.Quantization;
import io.sanavideo.Sampler;
import io.sanavideo.StartImage;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import io.sanavideo.VideoRequest;
import io.sanavideo.quantize.Quantizer;
import io.sanavideo.runtime.vendor.KernelChoices;
import io.sanavideo.text.Instruction;
import io.sanavideo.weights.RandomLora;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A recipe holds all that is needed to ask for the same again. */
class RecipeTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Model DEMO = Model.at(ModelFolder.demo(), Device.cpu());
    private static final String PROMPT = "a \"red\" circle, 圆 🔴\n";
    private static final StartImage IMAGE = image(3);
    private static final StartImage OTHER_IMAGE = image(5);
    private static final Latents NOISE = new Latents(5, 8, 8, 4, new float[5 * 8 * 8 * 4]);
    private static final Materials MATERIALS = new Materials(List.of(OTHER_IMAGE, IMAGE), NOISE);

    @TempDir private Path folder;

    private static StartImage image(int value) {
        short[] rgb = new short[2 * 3 * 3];
        rgb[7] = (short) value;
        return new StartImage(2, 3, rgb);
    }

    private static TextToVideo.Builder prompt() {
        return TextToVideo.prompt(PROMPT).seed(7);
    }

    private static ModelParts parts(Model model) {
        return ModelParts.read(ModelFolder.of(model));
    }

    private static Recipe recipe(Model model, Job job) {
        ModelFolder folder = ModelFolder.of(model);
        try (KernelChoices kernels = KernelChoices.of(model.device(), model.kernels())) {
            return Recipe.of(
                    job,
                    model.tile(),
                    folder,
                    model.precision(),
                    Components.dtypes(folder, model.device(), model.precision()),
                    new WeightHashes(folder),
                    new LoraHashes(folder),
                    new Machine(model.device(), Math.max(1, model.device().threads())),
                    node -> kernels.describe(node, List.of()));
        }
    }

    /** What a job becomes when only its recipe's text is left. */
    private static Job again(Model model, Job job) {
        Recipe recipe = Recipe.read(recipe(model, job).json());
        return recipe.isStory()
                ? parts(model).job(recipe.story(MATERIALS))
                : parts(model).job(recipe.request(MATERIALS));
    }

    static Stream<VideoRequest> requests() {
        TextToVideo odd =
                prompt().negativePrompt("blue")
                        .motionScore(12)
                        .size(80, 48)
                        .frames(33)
                        .fps(7.3)
                        .steps(3)
                        .guidance(2.1)
                        .flowShift(1.7)
                        .seed(-1L << 60)
                        .instruction(Instruction.of("Say it: "))
                        .build();
        return Stream.of(
                prompt().build(),
                prompt().seconds(1.1).instruction(TextToVideo.NO_INSTRUCTION).build(),
                prompt().instruction(Instruction.standard()).guidance(0).build(),
                odd,
                prompt().chunk(TextToVideo.WHOLE_CLIP).frames(81).build(),
                prompt().chunk(2).build(),
                prompt().frames(81).build(),
                prompt().frames(81).sampler(Sampler.FEW_STEP).chunk(3).build(),
                prompt().frames(81).sampler(Sampler.FEW_STEP).flowShift(2).build(),
                prompt().initialLatents(NOISE).build(),
                prompt().initialLatents(NOISE).chunk(4).build(),
                new ImageToVideo(IMAGE, prompt().build()),
                new ImageToVideo(OTHER_IMAGE, prompt().frames(65).build()));
    }

    @ParameterizedTest
    @MethodSource("requests")
    void clips(VideoRequest request) {
        Job job = parts(DEMO).job(request);
        assertThat(again(DEMO, job)).isEqualTo(job);
    }

    @ParameterizedTest
    @EnumSource(Sampler.class)
    void samplers(Sampler sampler) {
        Job job = parts(DEMO).job(prompt().sampler(sampler).frames(65).build());
        assertThat(again(DEMO, job)).isEqualTo(job);
        if (sampler != Sampler.FEW_STEP) {
            Job whole = parts(DEMO).job(prompt().sampler(sampler).build());
            assertThat(again(DEMO, whole)).isEqualTo(whole);
        }
    }

    /** The few-step sampler's shift is its own where nobody asks for another. */
    @Test
    void theFewStepsAreNamed() throws IOException {
        Path model =
                DemoCopy.at(folder.resolve("few"))
                        .write(
                                "generation_defaults.json",
                                "{\"width\":64,\"height\":64,\"frames\":81,\"fps\":8,\"causal\":true,\"chunk\":{\"sampler\":\"few-step\",\"timesteps\":[1000,500],\"latent_frames\":5}}")
                        .root();
        Model few = Model.at(model, Device.cpu());
        Job job = parts(few).job(prompt().frames(85).build());
        ObjectNode recipe = node(recipe(few, job));
        assertThat(recipe.path("sampler").textValue()).isEqualTo("few-step");
        assertThat(recipe.path("timesteps").toString()).isEqualTo("[1000,500]");
        assertThat(recipe.path("flow_shift").doubleValue()).isEqualTo(7);
        assertThat(again(few, job)).isEqualTo(job);
    }

    static Stream<Story> stories() {
        TextToVideo look = TextToVideo.prompt("grainy ").seed(5).negativePrompt("x").build();
        return Stream.of(
                Story.of(look, Beat.of(2, " a red circle")),
                Story.of(
                        TextToVideo.prompt("").seed(5).chunk(3).sampler(Sampler.FEW_STEP).build(),
                        Beat.of(2.5, "a red circle"),
                        Beat.of(3, "a blue circle"),
                        Beat.of(3, "a blue square").with(Transition.CUT).withSeed(0),
                        Beat.of(3, "a green square").dissolvingFor(0.7).beginningWith(IMAGE)),
                Story.of(
                        look,
                        Beat.of(3, "a red circle").beginningWith(OTHER_IMAGE).withSeed(5),
                        Beat.of(3, "a red circle").with(Transition.CUT).beginningWith(IMAGE)));
    }

    @ParameterizedTest
    @MethodSource("stories")
    void stories(Story story) {
        Job job = parts(DEMO).job(story);
        assertThat(again(DEMO, job)).isEqualTo(job);
    }

    @Test
    void aModelRunsAsItDid() throws IOException {
        Path quantized = folder.resolve("quantized");
        try (Quantizer quantizer =
                new Quantizer(Quantization.of(ModelFolder.demo(), Device.cpu(1)))) {
            quantizer.write(quantized, ProgressListener.NONE);
        }
        Path first = folder.resolve("first.safetensors");
        Path second = folder.resolve("second.safetensors");
        RandomLora.ofBlock(1, 0, 2).tensors().write(first);
        RandomLora.ofBlock(2, 1, 2).tensors().write(second);
        Model base = Model.at(quantized, Device.cpu());
        List<Lora> given = List.of(Lora.of(second), Lora.of(first));
        Model asked =
                Model.at(quantized, Device.cpu(3))
                        .withPrecision(Precision.F32)
                        .withLayers(LayerPolicy.atMost(LayerPrecision.NVFP4_WEIGHTS))
                        .withKernels(Kernels.OWN)
                        .withLoras(List.of(new Lora(first, 0.3), new Lora(second, -2)))
                        .withLoraMode(LoraMode.RUN)
                        .withTile(64);
        Recipe recipe = read(recipe(asked, parts(asked).job(prompt().build())));
        Model model = recipe.model(base.withLoras(given));
        assertThat(model.withLayers(asked.layers())).isEqualTo(asked);
        assertThat(ModelFolder.of(model).policy()).isEqualTo(ModelFolder.of(asked).policy());
        assertThat(recipe.modelName()).isEqualTo("quantized");
        assertThat(recipe.device()).isEqualTo(Device.cpu(3));
        assertThat(recipe.model(Model.at(quantized, Device.cpu(1)).withLoras(given)).device())
                .isEqualTo(Device.cpu(1));

        Recipe dense = read(recipe(DEMO, parts(DEMO).job(prompt().build())));
        assertThat(dense.model(DEMO))
                .isEqualTo(Model.at(ModelFolder.demo(), Device.cpu(1)).withKernels(Kernels.OWN));
        assertThat(dense.modelName()).isEqualTo("demo");

        assertThatThrownBy(() -> recipe.model(base.withLoras(List.of(Lora.of(first)))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the LoRA second.safetensors of the SHA-256 ")
                .hasMessageContaining("is missing: 1 were given");
        assertThatThrownBy(() -> dense.model(DEMO.withLoras(List.of(Lora.of(first)))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("first.safetensors was given, but the recipe has none");
    }

    private static Recipe read(Recipe recipe) {
        Recipe read = Recipe.read(recipe.json());
        assertThat(read).isEqualTo(recipe);
        return read;
    }

    private static ObjectNode node(Recipe recipe) throws IOException {
        return (ObjectNode) MAPPER.readTree(recipe.json());
    }

    @Test
    void missingMaterialsAreNamed() {
        Recipe image = recipe(DEMO, parts(DEMO).job(new ImageToVideo(IMAGE, prompt().build())));
        assertThat(image.images()).containsExactly(IMAGE.sha256());
        assertThatThrownBy(() -> image.request(new Materials(List.of(OTHER_IMAGE), null)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(IMAGE.sha256() + " is missing: 1 were given");
        Recipe noise = recipe(DEMO, parts(DEMO).job(prompt().initialLatents(NOISE).build()));
        assertThat(noise.isNoiseGiven()).isTrue();
        assertThatThrownBy(() -> noise.request(Materials.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(NOISE.sha256() + " are missing: none were given");
        float[] values = new float[NOISE.values().length];
        values[values.length - 1] = 1;
        Latents other = new Latents(5, 8, 8, 4, values);
        assertThatThrownBy(() -> noise.request(new Materials(List.of(), other)))
                .hasMessageContaining("those that were given have " + other.sha256());
        assertThatThrownBy(() -> noise.story(MATERIALS)).hasMessageContaining("expected a story's");
        Recipe story = recipe(DEMO, parts(DEMO).job(stories().toList().get(0)));
        assertThatThrownBy(() -> story.request(MATERIALS)).hasMessageContaining("is a story's");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "recipe_format||'recipe_format' is missing, expected 1: it is none, or an older",
                "recipe_format|2|'recipe_format' is 2, expected 1: a newer version wrote it",
                "recipe_format|\"1\"|'recipe_format' is \"1\", expected an integer",
                "chunk||'chunk' is missing",
                "chunk|\"on\"|'chunk' is \"on\", expected an integer from 1",
                "num_cached_chunks||'num_cached_chunks' is missing",
                "prompt||'prompt' is missing, expected a string",
                "seed|1e3|'seed' is 1000.0, expected an integer of 64 bits",
                "steps|0|'steps' is 0, expected an integer from 1",
                "fps|-2|fps is -2.0, expected above 0",
                "sampler|\"heun\"|sampler is 'heun'",
                "stepz|3|'stepz' is 3, expected no such key",
                "noise|\"given\"|'noise' is \"given\"",
                "weights_sha256|[]|'weights_sha256' is an array of 0, expected an object",
                "configuration_sha256||'configuration_sha256' is missing",
                "requested_dtype|\"f16\"|dtype is 'f16'",
                "device|\"tpu\"|'device' is \"tpu\", expected cpu or cuda:N",
                "threads||'threads' is missing",
                "cpu_variant||'cpu_variant' is missing",
                "kernels||'kernels' is missing",
                "math_library||'math_library' is missing"
            })
    void brokenOnesAreRefused(String key, String value, String words) throws IOException {
        ObjectNode recipe =
                node(recipe(DEMO, parts(DEMO).job(prompt().frames(33).chunk(5).build())));
        if (value == null) {
            recipe.remove(key);
        } else {
            recipe.set(key, MAPPER.readTree(value));
        }
        assertThatThrownBy(() -> Recipe.read(recipe.toString()))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("the recipe: ")
                .hasMessageContaining(words);
    }

    @Test
    void whatIsNoRecipeIsRefused() {
        assertThatThrownBy(() -> Recipe.read("{"))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("the recipe: is not valid JSON");
        assertThatThrownBy(() -> Recipe.read("{\"seed\":1,\"prompt\":\"a\"}"))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("'recipe_format' is missing");
    }

    @Test
    void differencesAreOfAKind() {
        Recipe recipe = recipe(DEMO, parts(DEMO).job(prompt().build()));
        assertThat(recipe.differences(recipe)).isEmpty();
        check(
                recipe,
                node -> node.put("native_build", "GCC 1"),
                "build: native_build is 'GCC 1' now");
        check(recipe, node -> node.put("cpu_kernels", "0"), "build: cpu_kernels is '0' now");
        check(recipe, node -> node.put("threads", 9), "device: threads is 9 now, 1 in the recipe");
        check(recipe, node -> node.put("cpu", "Z80"), "device: cpu is 'Z80' now");
        check(recipe, node -> node.put("java", "9"), "libraries: java is '9' now");
        check(recipe, node -> node.put("math_library", "9"), "libraries: math_library is '9' now");
        check(
                recipe,
                node -> node.withObject("/kernels/libraries").put("cudnn", "9.1"),
                "libraries: libraries.cudnn is '9.1' now, none in the recipe");
        check(
                recipe,
                node -> node.withObject("/kernels/choices").put("linear", "own"),
                "libraries: 1 of 1 products and convolutions are done by other kernels");
        check(
                recipe,
                node -> node.withObject("/weights_sha256").put("vae", "a".repeat(64)),
                "weights: weights_sha256.vae is aaaaaaaaaaaa... now, ");
        check(
                recipe,
                node -> node.put("configuration_sha256", "a"),
                "weights: configuration_sha256 is 'a' now, ");
        check(
                recipe,
                node -> node.put("lora_mode", "run").putArray("loras"),
                "weights: loras is [] now, none in");
        check(recipe, node -> node.put("seed", 8), "settings: seed is 8 now, 7 in the recipe");
        check(recipe, node -> node.put("tile", 8), "settings: tile is 8 now, none in the recipe");
        check(recipe, node -> node.withObject("/dtype").put("vae", "BF16"), "settings: dtype.vae");
        assertThat(recipe.differences(changed(recipe, node -> node.put("model", "x")))).isEmpty();
        // Of a card, what is of the CPU and its slot do not count, its kernels and name do.
        Consumer<ObjectNode> card =
                node -> node.put("device", "cuda:0").put("card", "H").put("cuda_kernels", "1");
        Recipe onCard = changed(recipe, card);
        check(recipe, card, "device: device is 'cuda:0' now, 'cpu' in the recipe");
        assertThat(
                        onCard.differences(
                                changed(
                                        onCard,
                                        node ->
                                                node.put("device", "cuda:1")
                                                        .put("threads", 3)
                                                        .put("cpu_variant", "v2"))))
                .isEmpty();
        check(onCard, node -> node.put("card", "B"), "device: card is 'B' now, 'H' in");
        check(onCard, node -> node.put("cuda_kernels", "2"), "build: cuda_kernels is '2' now");
    }

    private static void check(Recipe recipe, Consumer<ObjectNode> change, String words) {
        assertThat(recipe.differences(changed(recipe, change)))
                .anySatisfy(difference -> assertThat(difference).startsWith(words));
    }

    private static Recipe changed(Recipe recipe, Consumer<ObjectNode> change) {
        try {
            ObjectNode node = node(recipe);
            change.accept(node);
            return Recipe.read(node.toString());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
