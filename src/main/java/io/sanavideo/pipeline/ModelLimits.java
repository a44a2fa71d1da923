package io.sanavideo.pipeline;

/**
 * What clips a model can make.
 *
 * @param sizeMultiple width and height are multiples of it: the VAE's spatial factor times the
 *     patch
 * @param leastSize width and height at least: what the VAE can decode
 * @param temporalFactor frames are a multiple of it, plus 1: the VAE's temporal factor
 * @param positions most patches along an axis of a frame: {@code rope_max_seq_len}
 * @param latentFrames most of a clip
 * @param trained sizes to propose besides the nearest that can be made
 */
public record ModelLimits(
        int sizeMultiple,
        int leastSize,
        int temporalFactor,
        int positions,
        int latentFrames,
        TrainedSizes trained) {
    /** The same for clips that are made chunk by chunk, which have no end. */
    ModelLimits inChunks() {
        return new ModelLimits(
                sizeMultiple, leastSize, temporalFactor, positions, Integer.MAX_VALUE, trained);
    }

    /**
     * @throws IllegalArgumentException naming the nearest size that can be made
     */
    void requireSize(int width, int height) {
        int nearestWidth = nearestSize(width);
        int nearestHeight = nearestSize(height);
        if (nearestWidth != width || nearestHeight != height) {
            throw new IllegalArgumentException(
                    "size %dx%d cannot be made by this model: both must be multiples of %d from %d to %d; the nearest is %dx%d%s"
                            .formatted(
                                    width,
                                    height,
                                    sizeMultiple,
                                    smallest(),
                                    (long) sizeMultiple * positions,
                                    nearestWidth,
                                    nearestHeight,
                                    trained.nearest(width, height)
                                            .map(size -> ", of the sizes it was trained on " + size)
                                            .orElse("")));
        }
    }

    /**
     * @throws IllegalArgumentException naming the nearest count that can be made
     */
    void requireFrames(int frames) {
        int nearest = nearestFrames(frames);
        if (nearest != frames) {
            throw new IllegalArgumentException(
                    "%d frames cannot be made by this model: it makes a multiple of %d, plus 1, up to %d; the nearest is %d"
                            .formatted(frames, temporalFactor, longest(), nearest));
        }
    }

    /**
     * @throws IllegalArgumentException when nothing but the first frame would be made
     */
    void requireFramesAfterFirst(int frames) {
        if (frames == 1) {
            throw new IllegalArgumentException(
                    "a clip of 1 frame that begins with an image would be that image; the shortest has %d"
                            .formatted(temporalFactor + 1));
        }
    }

    /** The count nearest to so many seconds. */
    int framesOf(double seconds, double fps) {
        return (int)
                Math.min(
                        longest(), temporalFactor * Math.round(seconds * fps / temporalFactor) + 1);
    }

    private int nearestFrames(int frames) {
        long groups = Math.round((frames - 1) / (double) temporalFactor);
        return (int) Math.min(longest(), temporalFactor * groups + 1);
    }

    private int nearestSize(int size) {
        long patches = Math.round(size / (double) sizeMultiple);
        return Math.max(smallest(), (int) (sizeMultiple * Math.min(positions, patches)));
    }

    private int smallest() {
        return (leastSize + sizeMultiple - 1) / sizeMultiple * sizeMultiple;
    }

    private long longest() {
        return Math.min(Integer.MAX_VALUE, (long) temporalFactor * (latentFrames - 1) + 1);
    }
}
