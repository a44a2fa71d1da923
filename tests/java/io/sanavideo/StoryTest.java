package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sanavideo.media.ClipInfo;
import io.sanavideo.media.FilmBeat;
import io.sanavideo.media.Psnr;
import io.sanavideo.media.TimecodeBurner;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Films of several beats, and long clips, which are made chunk by chunk. */
class StoryTest {
    private static final int CHUNK_PICTURES = 20;
    private static final double FPS = 8;
    private static final String BLACK = " on a black background";
    private static final TextToVideo LOOK = TextToVideo.prompt("").seed(1).build();

    private static SanaVideo sana;

    @TempDir Path folder;

    @BeforeAll
    static void open() {
        sana = SanaVideo.open(SanaVideo.demoModel(), Device.cpu());
    }

    @AfterAll
    static void close() {
        sana.close();
    }

    private static CollectedFrames film(Story story) {
        CollectedFrames frames = new CollectedFrames();
        sana.generate(story, frames, ProgressListener.NONE);
        return frames;
    }

    /** The reference shows 5 of 7 with its best of four seeds; one less is allowed. */
    @Test
    void changesOfThePromptAreSeen() throws IOException {
        JsonNode told =
                new ObjectMapper().readTree(Path.of("tests/golden/demo/story.json").toFile());
        List<Beat> beats = new ArrayList<>();
        for (JsonNode beat : told.get("beats")) {
            double pictures = beats.isEmpty() ? CHUNK_PICTURES - 3 : CHUNK_PICTURES;
            beats.add(Beat.of(pictures / FPS, beat.get("prompt").textValue()));
        }
        assertThat(beats).hasSize(8);
        List<Integer> seen = new ArrayList<>();
        for (long seed = 1; seed <= 4; seed++) {
            Story story = new Story(TextToVideo.prompt("").seed(seed).build(), beats);
            seen.add(seen(told.get("beats"), film(story)));
        }
        int reference = told.get("switches_seen").intValue();
        assertThat(seen.stream().max(Integer::compare).orElseThrow())
                .as("changes seen with each seed: %s", seen)
                .isGreaterThanOrEqualTo(reference - 1);
    }

    /** Changes of colour or motion that the chunk of the new prompt shows. */
    private static int seen(JsonNode beats, CollectedFrames film) {
        assertThat(film.frames()).hasSize(8 * CHUNK_PICTURES - 3);
        int seen = 0;
        for (int i = 1; i < beats.size(); i++) {
            int begin = i * CHUNK_PICTURES - 3;
            List<byte[]> chunk = film.frames().subList(begin, begin + CHUNK_PICTURES);
            MovingShape shown = MovingShape.in(chunk, film.format());
            JsonNode old = beats.get(i - 1);
            JsonNode now = beats.get(i);
            boolean colour =
                    !now.get("colour").equals(old.get("colour"))
                            && shown.colour().equals(now.get("colour").textValue());
            boolean motion =
                    !now.get("motion").equals(old.get("motion"))
                            && shown.motion().equals(now.get("motion").textValue());
            seen += colour || motion ? 1 : 0;
        }
        return seen;
    }

    /** What comes behind a cut does not depend on what was before it. */
    @Test
    void aCutForgetsAll() {
        Beat behind = Beat.of(2, "a blue square growing" + BLACK).with(Transition.CUT);
        List<byte[]> one = film(Story.of(LOOK, Beat.of(2, "a red circle"), behind)).frames();
        List<byte[]> other =
                film(Story.of(LOOK, Beat.of(4.5, "a green triangle"), behind)).frames();
        List<byte[]> shot = one.subList(17, one.size());
        List<byte[]> same = other.subList(37, other.size());
        assertThat(shot).hasSize(17);
        assertThat(Arrays.deepEquals(shot.toArray(), same.toArray())).isTrue();
    }

    /** A beat that carries on depends on what was before it, and on its own prompt and seed. */
    @Test
    void aCarriedBeatGoesOn() {
        Beat first = Beat.of(2.125, "a red circle moving right" + BLACK);
        Beat next = Beat.of(2.5, "a blue circle moving left" + BLACK);
        List<byte[]> film = film(Story.of(LOOK, first, next)).frames();
        List<byte[]> again = film(Story.of(LOOK, first, next)).frames();
        assertThat(Arrays.deepEquals(film.toArray(), again.toArray())).isTrue();
        List<byte[]> reseeded = film(Story.of(LOOK, first, next.withSeed(9))).frames();
        assertThat(isSame(film, reseeded, 0, 17)).isTrue();
        assertThat(isSame(film, reseeded, 17, 37)).isFalse();
        Beat green = Beat.of(2.125, "a green circle moving right" + BLACK);
        assertThat(isSame(film, film(Story.of(LOOK, green, next)).frames(), 17, 37)).isFalse();
        // Where the world goes on, pictures do as well; behind a cut they need not.
        double carried = psnr(film.get(16), film.get(17));
        List<byte[]> cut = film(Story.of(LOOK, first, next.with(Transition.CUT))).frames();
        assertThat(carried).isGreaterThan(psnr(cut.get(16), cut.get(17)) + 3);
    }

    private static boolean isSame(List<byte[]> one, List<byte[]> other, int from, int to) {
        return Arrays.deepEquals(
                one.subList(from, to).toArray(), other.subList(from, to).toArray());
    }

    private static double psnr(byte[] one, byte[] other) {
        return Psnr.of(ByteBuffer.wrap(one), ByteBuffer.wrap(other));
    }

    @Test
    void aBeatBeginsWithItsImage() {
        StartImage image = StartImage.read(Path.of("tests/golden/demo/start-images/00.png"));
        Beat shown =
                Beat.of(2, "a circle moving right" + BLACK)
                        .with(Transition.CUT)
                        .beginningWith(image);
        List<byte[]> film = film(Story.of(LOOK, Beat.of(2, "a red circle"), shown)).frames();
        Clip clip =
                sana.generate(
                        new ImageToVideo(
                                image, TextToVideo.prompt("a circle").frames(5).steps(1).build()));
        CollectedFrames own = new CollectedFrames();
        clip.decode(own, ProgressListener.NONE);
        assertThat(film.get(17)).isEqualTo(own.frames().get(0));
    }

    @Test
    void aFilmHasAChapterForEachBeat() {
        Story story =
                Story.of(
                        TextToVideo.prompt("grainy film").seed(5).steps(1).build(),
                        Beat.of(2.125, " a red circle 🐞 "),
                        Beat.of(2.5, "a blue circle").withSeed(9),
                        Beat.of(2, "a green square").with(Transition.CUT),
                        Beat.of(3, "a triangle").dissolvingFor(0.5));
        Path film = folder.resolve("film.mp4");
        Generated made = sana.generateTo(story, film);
        ClipInfo info = ClipInfo.read(film);
        int frames = made.format().frames();
        assertThat(made.beats())
                .containsExactly(
                        new FilmBeat(1, "a red circle 🐞", 5, 0, 17),
                        new FilmBeat(2, "a blue circle", 9, 17, 37),
                        new FilmBeat(3, "a green square", 5, 37, 54),
                        new FilmBeat(4, "a triangle", 5, 54, frames));
        assertThat(info.frames()).isEqualTo(frames);
        assertThat(info.chapters())
                .isEqualTo(made.beats().stream().map(FilmBeat::chapter).toList());
        assertThat(FilmBeat.read(film)).isEqualTo(made.beats());
        Path clip = folder.resolve("clip.mp4");
        TextToVideo request = TextToVideo.prompt("a red circle").frames(5).steps(1).build();
        assertThat(sana.generateTo(request, clip).beats()).isEmpty();
        assertThat(ClipInfo.read(clip).chapters()).isEmpty();
        assertThatThrownBy(() -> FilmBeat.read(clip))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(clip.toString(), "0 chapters", "made from a story");
    }

    /** The second beat is shown under the dissolve alone, and yet a player can jump to it. */
    @Test
    void aBeatHasAFrameAtLeast() {
        Story story =
                Story.of(
                        TextToVideo.prompt("").seed(5).steps(1).build(),
                        Beat.of(2, "a red circle"),
                        Beat.of(0.1, "a blue circle"),
                        Beat.of(5, "a triangle").dissolvingFor(3));
        Generated made = sana.generateTo(story, folder.resolve("film.mp4"));
        int frames = made.format().frames();
        assertThat(made.beats())
                .containsExactly(
                        new FilmBeat(1, "a red circle", 5, 0, 17),
                        new FilmBeat(2, "a blue circle", 5, 17, 18),
                        new FilmBeat(3, "a triangle", 5, 18, frames));
        assertThat(FilmBeat.read(folder.resolve("film.mp4"))).isEqualTo(made.beats());
    }

    @Test
    void aPromptThatIsNoTitleIsRefusedBeforeAnythingIsMade() {
        Story story = Story.of(LOOK, Beat.of(2, "a red\0circle"));
        assertThatThrownBy(() -> sana.plan(story))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("U+0000");
    }

    /** What is written shows its time; what is handed on and hashed does not. */
    @Test
    void timeIsBurnedIntoTheFileAlone() throws IOException {
        TextToVideo request = TextToVideo.prompt("a red circle").frames(9).steps(1).build();
        Clip clip = sana.generate(request);
        Generated clean = clip.write(ClipFile.of(folder.resolve("clean")), ProgressListener.NONE);
        Generated burned =
                clip.write(
                        ClipFile.of(folder.resolve("burned")).withTimecode(),
                        ProgressListener.NONE);
        assertThat(burned.frameHash()).isEqualTo(clean.frameHash());
        TimecodeBurner burner = new TimecodeBurner(64, 64, 8);
        for (int i = 0; i < 9; i++) {
            String name = "frame-%05d.png".formatted(i);
            ByteBuffer expected = pixels(folder.resolve("clean").resolve(name));
            burner.burn(expected, i);
            ByteBuffer shown = pixels(folder.resolve("burned").resolve(name));
            assertThat(shown).isEqualTo(expected);
        }
        String recipe = Files.readString(folder.resolve("burned/recipe.json"));
        assertThat(recipe).contains("\"timecode\"", clean.frameHash());
        assertThat(Files.readString(folder.resolve("clean/recipe.json")))
                .doesNotContain("timecode");
    }

    private static ByteBuffer pixels(Path png) throws IOException {
        BufferedImage image = ImageIO.read(png.toFile());
        ByteBuffer rgb = ByteBuffer.allocate(image.getWidth() * image.getHeight() * 3);
        for (int i = 0; i < image.getWidth() * image.getHeight(); i++) {
            int pixel = image.getRGB(i % image.getWidth(), i / image.getWidth());
            rgb.put((byte) (pixel >> 16)).put((byte) (pixel >> 8)).put((byte) pixel);
        }
        return rgb.flip();
    }

    /** A long clip of a causal model is made in chunks, at once or with its latents kept. */
    @Test
    void aLongClipIsMadeInChunks() {
        TextToVideo request =
                TextToVideo.prompt("a red circle moving left" + BLACK)
                        .seconds(6)
                        .seed(3)
                        .steps(4)
                        .build();
        Plan plan = sana.plan(request);
        assertThat(plan.inChunks()).isTrue();
        assertThat(plan.notes().get(0)).startsWith("2 chunks of 5 latent frames");
        Generated streamed = sana.generate(request, FrameSink.NONE);
        assertThat(streamed.latents()).isNull();
        assertThat(streamed.format().frames()).isEqualTo(49);
        assertThat(streamed.recipe()).contains("\"chunk\":5", "\"num_cached_chunks\":1");
        Clip kept = sana.generate(request);
        assertThat(kept.latents().frames()).isEqualTo(13);
        Generated decoded = kept.decode(FrameSink.NONE, ProgressListener.NONE);
        assertThat(decoded.frameHash()).isEqualTo(streamed.frameHash());
        assertThat(decoded.recipe()).isEqualTo(streamed.recipe());
        Plan whole = sana.plan(withChunk(request, TextToVideo.WHOLE_CLIP));
        assertThat(whole.inChunks()).isFalse();
        TextToVideo brief = TextToVideo.prompt("a red circle").seed(1).build();
        assertThat(sana.plan(brief).inChunks()).isFalse();
    }

    private static TextToVideo withChunk(TextToVideo request, int chunk) {
        return TextToVideo.prompt(request.prompt())
                .seconds(request.seconds())
                .seed(request.seed())
                .steps(request.steps())
                .chunk(chunk)
                .build();
    }

    /** One chunk from nothing is the clip made at once, but for where its noise is from. */
    @Test
    void oneChunkOfGivenNoiseIsTheClip() {
        TextToVideo.Builder request =
                TextToVideo.prompt("a red circle moving left" + BLACK).seed(3).steps(4);
        Latents noise = sana.generate(request.build()).latents();
        request.initialLatents(noise);
        Latents atOnce = sana.generate(request.chunk(0).build()).latents();
        Latents inChunks = sana.generate(request.chunk(5).build()).latents();
        assertThat(inChunks.values()).isEqualTo(atOnce.values());
    }

    /** Chunks of 3 and 2 latent frames: what is given behind the first is the second's. */
    @Test
    void givenNoiseIsCutIntoChunks() {
        TextToVideo.Builder request =
                TextToVideo.prompt("a red circle moving left" + BLACK).seed(3).steps(2);
        Latents noise = sana.generate(request.build()).latents();
        float[] other = noise.values().clone();
        int second = other.length / 5 * 3;
        for (int i = second; i < other.length; i++) {
            other[i] = -other[i];
        }
        Latents turned =
                new Latents(noise.frames(), noise.height(), noise.width(), noise.channels(), other);
        request.chunk(2);
        float[] one = sana.generate(request.initialLatents(noise).build()).latents().values();
        float[] two = sana.generate(request.initialLatents(turned).build()).latents().values();
        assertThat(Arrays.equals(one, 0, second, two, 0, second)).isTrue();
        assertThat(Arrays.equals(one, second, one.length, two, second, one.length)).isFalse();
    }

    @Test
    void whatCannotBeCutIntoChunksIsRefused() {
        TextToVideo.Builder text = TextToVideo.prompt("a red circle").seed(3).steps(1);
        Latents noise = sana.generate(text.build()).latents();
        TextToVideo longer = text.initialLatents(noise).chunk(2).frames(33).build();
        assertThatThrownBy(() -> sana.plan(longer))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the initial latents are 5 frames, expected 9 for a clip of 33 frames");
        StartImage image = StartImage.read(Path.of("tests/golden/demo/start-images/00.png"));
        Story brief =
                Story.of(
                        LOOK,
                        Beat.of(2, "a red circle"),
                        Beat.of(0.1, "a circle").with(Transition.CUT).beginningWith(image));
        assertThatThrownBy(() -> sana.plan(brief))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("beat 2 begins with an image and a chunk of 1 latent frame");
    }

    @Test
    void progressIsOnePhaseOfChunks() {
        List<Progress> seen = new ArrayList<>();
        List<Integer> previews = new ArrayList<>();
        sana.generate(
                Story.of(
                        TextToVideo.prompt("").seed(1).steps(2).build(),
                        Beat.of(2, "a red circle"),
                        Beat.of(2, "a blue circle").with(Transition.CUT)),
                FrameSink.NONE,
                progress -> {
                    if (progress.phase() == Progress.Phase.CHUNKS) {
                        seen.add(progress);
                        if (progress.step() == 1) {
                            previews.add(progress.latents().frames());
                        }
                    }
                });
        assertThat(seen).extracting(Progress::step).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L);
        assertThat(seen).extracting(Progress::total).containsOnly(6L);
        assertThat(previews).containsExactly(5);
    }

    @Test
    void cancelledFilmsLeaveTheEngineOfUse() {
        Story story = Story.of(LOOK, Beat.of(20, "a red circle"));
        assertThatThrownBy(
                        () ->
                                sana.generate(
                                        story,
                                        FrameSink.NONE,
                                        progress -> {
                                            if (progress.step() == 30) {
                                                sana.cancel();
                                            }
                                        }))
                .isInstanceOf(CancelledException.class);
        assertThat(film(Story.of(LOOK, Beat.of(1, "a red circle"))).frames()).hasSize(9);
    }

    @Test
    void modelsThatWereNotMadeForItAreAskedTwice(@TempDir Path folder) throws IOException {
        Path model =
                DemoCopy.at(folder.resolve("model"))
                        .replace(
                                "generation_defaults.json", "\"causal\": true", "\"causal\": false")
                        .root();
        Story story = Story.of(LOOK, Beat.of(3, "a red circle"));
        Model plain = Model.at(model, Device.cpu());
        assertThatThrownBy(() -> SanaVideo.plan(plain, story))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("was not trained for");
        Story insisting = new Story(TextToVideo.prompt("").seed(1).chunk(4).build(), story.beats());
        assertThat(SanaVideo.plan(plain, insisting).notes().get(0))
                .startsWith("2 chunks of 4 latent frames, each with 1 before it in view");
        TextToVideo longClip = TextToVideo.prompt("a red circle").frames(81).build();
        assertThat(SanaVideo.plan(plain, longClip).inChunks()).isFalse();
    }

    /** The class in its index says enough; it then samples in few steps. */
    @Test
    void aFolderOfTheCausalClassIsMadeInFewSteps(@TempDir Path folder) throws IOException {
        Path model =
                DemoCopy.at(folder.resolve("model"))
                        .replace(
                                "model_index.json",
                                "SanaVideoTransformer3DModel",
                                "SanaVideoCausalTransformer3DModel")
                        .write(
                                "generation_defaults.json",
                                "{\"width\": 64, \"height\": 64, \"frames\": 81, \"fps\": 8}")
                        .root();
        try (SanaVideo causal = SanaVideo.open(model, Device.cpu())) {
            TextToVideo request = TextToVideo.prompt("a red circle").seed(1).build();
            Plan plan = causal.plan(request);
            assertThat(plan.steps()).isEqualTo(4);
            assertThat(plan.guided()).isFalse();
            assertThat(plan.notes().get(0))
                    .startsWith("2 chunks of 10 latent frames, each with all before it in view");
            Generated made = causal.generate(request, FrameSink.NONE);
            assertThat(made.recipe()).contains("\"sampler\":\"few-step\"");
            assertThat(made.frameHash())
                    .isEqualTo(causal.generate(request, FrameSink.NONE).frameHash());
            TextToVideo guided = TextToVideo.prompt("a red circle").guidance(3).build();
            assertThatThrownBy(() -> causal.plan(guided))
                    .hasMessageContaining("guidance is 3.0, expected 1");
            TextToVideo more = TextToVideo.prompt("a red circle").steps(8).build();
            assertThatThrownBy(() -> causal.plan(more))
                    .hasMessageContaining("8 steps were asked for, expected 4");
            TextToVideo many =
                    TextToVideo.prompt("a red circle").sampler(Sampler.DPM).steps(3).build();
            assertThat(causal.plan(many).steps()).isEqualTo(3);
        }
        TextToVideo few = TextToVideo.prompt("a red circle").sampler(Sampler.FEW_STEP).build();
        assertThatThrownBy(() -> sana.plan(few))
                .hasMessageContaining("it makes long video chunk by chunk");
    }

    @Test
    void whatGoesBeyondThePositionsIsWarnedOf() {
        Plan plan = sana.plan(Story.of(LOOK, Beat.of(600, "a red circle")));
        assertThat(plan.warnings())
                .containsExactly(
                        "a shot of 1201 latent frames goes beyond the 1024 positions that the model was made for");
        assertThat(sana.plan(Story.of(LOOK, Beat.of(60, "a red circle"))).warnings()).isEmpty();
        assertThat(plan.peak())
                .isEqualTo(sana.plan(Story.of(LOOK, Beat.of(60, "a red circle"))).peak());
    }

    @Test
    void recipesNameTheBeats() throws IOException {
        Story story =
                Story.of(
                        TextToVideo.prompt("grainy").seed(5).steps(1).build(),
                        Beat.of(2, "a red circle"),
                        Beat.of(2, "a blue circle").dissolvingFor(0.5).withSeed(8));
        Generated made = sana.generate(story, FrameSink.NONE, ProgressListener.NONE);
        JsonNode beats = new ObjectMapper().readTree(made.recipe()).get("beats");
        assertThat(beats).hasSize(2);
        assertThat(beats.get(0).toString())
                .isEqualTo(
                        "{\"seconds\":2.0,\"prompt\":\"a red circle\",\"transition\":\"carry\",\"dissolve\":0.5}");
        assertThat(new ObjectMapper().readTree(made.recipe()).get("look").textValue())
                .isEqualTo("grainy");
        assertThat(beats.get(1).get("transition").textValue()).isEqualTo("dissolve");
        assertThat(beats.get(1).get("dissolve").doubleValue()).isCloseTo(0.5, within(1e-9));
        assertThat(beats.get(1).get("seed").longValue()).isEqualTo(8);
        assertThat(made.format().frames()).isEqualTo(34);
    }
}
