package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The NVTX ranges of a run, as the emulator of a card sees them. */
class RangesTest {
    @TempDir private Path folder;

    /** What a command did on the card, a range a line, indented by a blank for each around it. */
    private List<String> ranges(String asked, String... command) throws Exception {
        Path file = folder.resolve("ranges.txt");
        String emulator = System.getProperty("sanavideo.emulator");
        CommandRun outcome =
                ChildProcess.run(
                        Map.of(
                                "SANA_CUDA_LIBRARY",
                                emulator,
                                "SANA_NVTX",
                                asked,
                                "SIMT_RANGES",
                                file.toString(),
                                "OMP_WAIT_POLICY",
                                "passive"),
                        command);
        assertThat(outcome.code()).as(outcome.err()).isZero();
        return Files.readAllLines(file);
    }

    /** The ranges inside the one that is number {@code index}, without what is inside those. */
    private static List<String> inside(List<String> ranges, int index) {
        int depth = depth(ranges.get(index));
        List<String> found = new ArrayList<>();
        for (String range : ranges.subList(index + 1, ranges.size())) {
            if (depth(range) <= depth) {
                break;
            }
            if (depth(range) == depth + 1) {
                found.add(range.strip());
            }
        }
        return found;
    }

    private static int depth(String range) {
        return range.length() - range.stripLeading().length();
    }

    @Test
    void runPhaseStepBlockAndOp() throws Exception {
        String clip = folder.resolve("clip").toString();
        List<String> ranges =
                ranges(
                        "1",
                        "generate",
                        "a red circle moving left on a black background",
                        "--device=cuda",
                        "--frames=1",
                        "--steps=3",
                        "--output=" + clip);

        int run = ranges.indexOf("run");
        assertThat(inside(ranges, run)).contains("encode", "denoise", "decode");
        assertThat(inside(ranges, ranges.indexOf(" denoise")))
                .containsSubsequence("step 1", "step 2", "step 3");
        // The third is one that would be played from a recording.
        int step = ranges.indexOf("  step 3");
        assertThat(inside(ranges, step))
                .containsSubsequence("patchify", "block0", "block1", "unpatchify", "combine");
        int block = step + ranges.subList(step, ranges.size()).indexOf("   block0");
        assertThat(inside(ranges, block))
                .containsSubsequence(
                        "modulation",
                        "layer_norm_modulated",
                        "linear",
                        "linear_attention",
                        "linear",
                        "cross_attention",
                        "linear",
                        "layer_norm_modulated",
                        "linear",
                        "depthwise_gate",
                        "linear",
                        "temporal_convolution");
        assertThat(inside(ranges, ranges.indexOf(" decode"))).contains("latent frame 1");
        assertThat(ranges).as("each range ended").noneMatch(line -> line.endsWith(" open"));
    }

    @Test
    void noneUnlessAskedFor() throws Exception {
        String folder = "tests/golden/transformer-guidance";

        assertThat(ranges("0", "check", folder, "--device=cuda")).isEmpty();
        assertThat(ranges("1", "check", folder, "--device=cuda")).contains("block0");
    }
}
