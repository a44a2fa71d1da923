package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.LayerPolicy;
import io.sanavideo.LoraMode;
import io.sanavideo.Model;
import io.sanavideo.TextToVideo;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Sizes of the released models. */
class TrainedSizesTest {
    private static final Path CONFIGS = Path.of("src/main/resources/io/sanavideo/random");

    @TempDir Path folder;

    /** A folder of the released model's configurations, without weights. */
    private ModelParts parts(String name) throws IOException {
        Path source = CONFIGS.resolve(name);
        try (Stream<Path> files = Files.walk(source)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                Path copy = folder.resolve(source.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
        Json index = Json.read(folder.resolve("model_index.json"));
        return ModelParts.read(
                new ModelFolder(
                        folder,
                        index,
                        LayerPolicy.OF_MODEL,
                        false,
                        List.of(),
                        LoraMode.MERGE,
                        Model.ALL_MEMORY,
                        Model.WHOLE_FRAMES));
    }

    static Stream<Arguments> sizes() {
        return Stream.concat(
                TrainedSizes.P480.sizes().stream().map(size -> Arguments.of("480p", size)),
                TrainedSizes.P720.sizes().stream().map(size -> Arguments.of("720p", size)));
    }

    @Test
    void areElevenOfEachModel() {
        assertThat(sizes()).hasSize(22);
        assertThat(TrainedSizes.P480.sizes()).doesNotHaveDuplicates();
        assertThat(TrainedSizes.P720.sizes()).doesNotHaveDuplicates();
    }

    /** Each is made as it is; a pixel more, it is what is proposed. */
    @ParameterizedTest
    @MethodSource("sizes")
    void areMade(String name, FrameSize size) throws IOException {
        ModelParts parts = parts(name);
        Settings settings = parts.settings(request(size.width(), size.height()));
        assertThat(settings.format().width()).isEqualTo(size.width());
        assertThat(settings.format().height()).isEqualTo(size.height());

        TextToVideo odd = request(size.width() + 1, size.height() + 1);
        assertThatThrownBy(() -> parts.settings(odd))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("multiples of " + (name.equals("480p") ? 16 : 32))
                .hasMessageEndingWith(
                        "the nearest is %s, of the sizes it was trained on %s", size, size);
    }

    @ParameterizedTest
    @CsvSource({
        "480p, 854x480, 848x480, 832x480",
        "480p, 1000x1000, 1008x1008, 624x624",
        "480p, 100x300, 96x304, 448x896",
        "720p, 1280x720, 1280x736, 1280x704",
        "720p, 1920x1080, 1920x1088, 1280x704",
        "720p, 8x8, 64x64, 960x960",
    })
    void proposesThoseOfNearlyTheSameShape(
            String name, String asked, String nearest, String trained) throws IOException {
        ModelParts parts = parts(name);
        FrameSize size = FrameSize.parse("size", asked);
        assertThatThrownBy(() -> parts.settings(request(size.width(), size.height())))
                .hasMessageEndingWith(
                        "the nearest is %s, of the sizes it was trained on %s", nearest, trained);
    }

    private static TextToVideo request(int width, int height) {
        return TextToVideo.prompt("a circle").size(width, height).build();
    }
}
