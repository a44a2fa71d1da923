package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.ClipFormat;
import io.sanavideo.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Times of earlier clips, and what they say of later ones. */
class SpeedsTest {
    private static final ClipFormat CLIP = new ClipFormat(64, 64, 17, 8);

    /** Of a model that nothing else has measured. */
    private static Speeds fresh() {
        ModelParts parts = ModelParts.read(ModelFolder.open(ModelFolder.demo()));
        return Speeds.of(parts, Device.cpu(), Map.of("transformer", UUID.randomUUID().toString()));
    }

    private static void add(Speeds speeds, ClipFormat format, double seconds) {
        Duration duration = Duration.ofMillis(Math.round(seconds * 1000));
        speeds.add(format, 10, 2, Duration.ofSeconds(1), duration, Duration.ofSeconds(4));
    }

    @Test
    void nothingIsSaidOfWhatWasNotMeasured() {
        Speeds speeds = fresh();

        assertThat(speeds.estimate(CLIP, 10, 2)).isEmpty();
        add(speeds, CLIP, 20);
        assertThat(speeds.estimate(new ClipFormat(256, 256, 17, 8), 10, 2))
                .as("16 times as large")
                .isEmpty();
    }

    @Test
    void timeGrowsWithStepsBranchesAndSize() {
        Speeds speeds = fresh();
        add(speeds, CLIP, 20);

        assertThat(speeds.estimate(CLIP, 10, 2)).contains(Duration.ofSeconds(1 + 20 + 4));
        assertThat(speeds.estimate(CLIP, 20, 1)).contains(Duration.ofSeconds(1 + 20 + 4));
        assertThat(speeds.estimate(CLIP, 5, 1)).contains(Duration.ofSeconds(1 + 5 + 4));
        assertThat(speeds.estimate(new ClipFormat(64, 128, 17, 8), 10, 2))
                .contains(Duration.ofSeconds(1 + 2 * (20 + 4)));
    }

    @Test
    void theNearestSizeCountsAndTheLastTime() {
        Speeds speeds = fresh();
        add(speeds, CLIP, 1000);
        add(speeds, CLIP, 20);
        add(speeds, new ClipFormat(128, 128, 17, 8), 200);

        assertThat(speeds.estimate(CLIP, 10, 2)).contains(Duration.ofSeconds(25));
        assertThat(speeds.estimate(new ClipFormat(128, 128, 17, 8), 10, 2))
                .contains(Duration.ofSeconds(205));
    }

    @Test
    void aBrokenFileIsDoneWithout() throws IOException {
        Path file = Path.of(System.getenv("SANA_CACHE"), "speeds.json");
        Files.createDirectories(file.getParent());
        Files.writeString(file, "{ not JSON");
        Speeds speeds = fresh();

        assertThat(speeds.estimate(CLIP, 10, 2)).isEmpty();
        add(speeds, CLIP, 20);
        assertThat(speeds.estimate(CLIP, 10, 2)).isPresent();
    }
}
