package io.sanavideo.pipeline;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The sizes of clips that a released model was trained on, one for each shape (diffusers,
 * SanaVideoPipeline, its aspect ratio tables). Others can be made as well, less well.
 *
 * @param sizes may be empty: not known
 */
public record TrainedSizes(List<FrameSize> sizes) {
    static final TrainedSizes UNKNOWN = new TrainedSizes(List.of());
    static final TrainedSizes P480 =
            of(
                    "896x448", "832x480", "768x528", "720x560", "624x624", "592x672", "560x720",
                    "528x768", "496x816", "480x832", "448x896");
    static final TrainedSizes P720 =
            of(
                    "1344x672",
                    "1280x704",
                    "1152x800",
                    "1088x832",
                    "960x960",
                    "896x1024",
                    "832x1088",
                    "800x1152",
                    "736x1248",
                    "704x1280",
                    "672x1344");

    public TrainedSizes {
        sizes = List.copyOf(sizes);
    }

    private static TrainedSizes of(String... sizes) {
        return new TrainedSizes(
                Arrays.stream(sizes).map(size -> FrameSize.parse("size", size)).toList());
    }

    /** That whose ratio of height to width is nearest. */
    public Optional<FrameSize> nearest(int width, int height) {
        double ratio = (double) height / width;
        return sizes.stream()
                .min(
                        Comparator.comparingDouble(
                                size -> Math.abs((double) size.height() / size.width() - ratio)));
    }
}
