package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.Device;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.Kernels;
import io.sanavideo.Kernels.Use;
import io.sanavideo.Materials;
import io.sanavideo.Model;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.RecordedClip;
import io.sanavideo.RelativeError;
import io.sanavideo.Reproduction;
import io.sanavideo.SanaVideo;
import io.sanavideo.TextToVideo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole clips with the stand-ins for cuBLASLt and cuDNN on the emulated card. */
@Tag("libraries")
class VendorKernelsTest {
    private static final Device CARD = Device.cuda(0);
    private static final TextToVideo REQUEST = TinyModel.request().steps(3).build();
    private static final Kernels LIBRARIES = new Kernels(Use.LIBRARY, Use.LIBRARY, null);
    private static Path model;

    /** What earlier runs of the tests have measured. */
    @BeforeEach
    void forget() throws IOException {
        Files.deleteIfExists(kept());
    }

    @BeforeAll
    static void writeModel(@TempDir Path folder) throws IOException {
        TinyModel.write(folder);
        model = folder.resolve("model");
    }

    private static Path kept() {
        return Path.of(System.getenv("SANA_CACHE"), "kernels.json");
    }

    private static Model on(Kernels kernels) {
        return Model.at(model, CARD).withPrecision(Precision.BF16).withKernels(kernels);
    }

    private static Generated generate(Kernels kernels, Set<Phase> heard) {
        try (SanaVideo sana =
                SanaVideo.open(on(kernels), REQUEST, progress -> heard.add(progress.phase()))) {
            return sana.generate(REQUEST, FrameSink.NONE, progress -> heard.add(progress.phase()));
        }
    }

    @Test
    void aClipIsMadeByLibrariesAndAgainFromItsRecipe() {
        Generated own = generate(Kernels.OWN, EnumSet.noneOf(Phase.class));
        assertThat(own.recipe()).contains("\"libraries\":{}");

        Set<Phase> first = EnumSet.noneOf(Phase.class);
        Generated made = generate(LIBRARIES, first);
        assertThat(first).contains(Phase.MEASURE, Phase.DENOISE);
        assertThat(made.recipe())
                .contains("\"libraries\":{\"cublaslt\":\"13.3.0\",\"cudnn\":\"9.25.0\"}")
                .containsPattern("\"linear [^\"]*\":\"cublaslt ")
                .containsPattern("\"convolution [^\"]*\":\"cudnn ");
        assertThat(RelativeError.of(made.latents().values(), own.latents().values()))
                .as("two roundings in place of one")
                .isPositive()
                .isLessThan(5e-2);

        Set<Phase> second = EnumSet.noneOf(Phase.class);
        Generated again = generate(LIBRARIES, second);
        assertThat(second).as("known by now").doesNotContain(Phase.MEASURE);
        assertThat(again.frameHash()).isEqualTo(made.frameHash());

        Generated repeated = generate(Kernels.ofRecipe(made.recipe()), second);
        assertThat(second).doesNotContain(Phase.MEASURE);
        assertThat(repeated.frameHash()).isEqualTo(made.frameHash());
        Generated ownAgain = generate(Kernels.ofRecipe(own.recipe()), second);
        assertThat(ownAgain.frameHash()).isEqualTo(own.frameHash());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void reproducedIsAllTheSame(boolean libraries) {
        Generated made = generate(libraries ? LIBRARIES : Kernels.OWN, EnumSet.noneOf(Phase.class));
        RecordedClip clip =
                new RecordedClip(Path.of("clip.mp4"), Recipe.read(made.recipe()), made.frameHash());
        Model base = Model.at(model, CARD);
        Reproduction again = Reproduction.of(clip, base, Materials.NONE, ProgressListener.NONE);
        assertThat(again.isIdentical()).isTrue();
        assertThat(again.differences()).isEmpty();
        assertThat(again.made().recipe()).isEqualTo(made.recipe());
        if (libraries) {
            Recipe older = Recipe.read(made.recipe().replace("13.3.0", "13.1.0"));
            RecordedClip other = new RecordedClip(clip.file(), older, clip.frameHash());
            assertThat(
                            Reproduction.of(other, base, Materials.NONE, ProgressListener.NONE)
                                    .differences())
                    .first()
                    .isEqualTo(
                            "libraries: libraries.cublaslt is '13.3.0' now, '13.1.0' in the recipe");
        }
    }

    /** What was chosen before counts in a plan, which measures nothing. */
    @Test
    void aPlanKnowsWhatLibrariesTake() throws IOException {
        int workspace = 100_000_000;
        generate(LIBRARIES, EnumSet.noneOf(Phase.class));
        Path file = kept();
        String choices = Files.readString(file);
        Files.writeString(file, choices.replaceAll("(\"cublaslt \\w+) \\d+", "$1 " + workspace));

        long own = SanaVideo.plan(on(Kernels.OWN), REQUEST).peak();
        long libraries = SanaVideo.plan(on(LIBRARIES), REQUEST).peak();

        assertThat(libraries).isBetween(workspace + own / 2, workspace + 2 * own);
    }
}
