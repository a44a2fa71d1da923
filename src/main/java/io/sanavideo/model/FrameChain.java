package io.sanavideo.model;

import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Stages that the frames of a clip pass one after the other, each frame as far as it can go as soon
 * as it is there. A stage that looks ahead holds frames back until later ones or the end come.
 */
final class FrameChain {
    /** What makes frames of frames. A frame's content is valid during the call that hands it on. */
    interface Stage {
        /** Takes the next frame and hands on what can be made now: no, one or several frames. */
        void push(Tensor frame, Consumer<Tensor> next);

        /** There are no more frames: hands on what is still to come. */
        default void finish(Consumer<Tensor> next) {}

        /** Adds how far back it looks; nothing where it looks at one frame alone. */
        default void addTo(TemporalReach reach) {}
    }

    private final List<Stage> stages = new ArrayList<>();

    /** For each stage what takes frames to it, and at the end what takes them out. */
    private final List<Consumer<Tensor>> links = new ArrayList<>();

    private Consumer<Tensor> out;
    private boolean finished;

    /** For each stage how many latent frames back it looks; with its input alone, 0. */
    private int[] reaches;

    /** How many latent frames from this one on come before the next that makes pictures. */
    private int ahead;

    FrameChain() {
        links.add(this::passOn);
    }

    void add(Stage stage) {
        int index = stages.size();
        stages.add(stage);
        links.set(
                index,
                frame -> {
                    if (ahead == 0 || ahead <= reaches[index]) {
                        stage.push(frame, links.get(index + 1));
                    }
                });
        links.add(this::passOn);
    }

    /**
     * Counts how far back the stages look, once all are there.
     *
     * @param factor frames that come out for each that goes in
     */
    void measure(int factor) {
        TemporalReach reach = new TemporalReach(factor);
        reaches = new int[stages.size()];
        for (int i = stages.size() - 1; i >= 0; i--) {
            stages.get(i).addTo(reach);
            reaches[i] = reach.latentFrames();
        }
    }

    /** How many frames back the whole chain looks; to be measured first. */
    int reach() {
        return reaches[0];
    }

    /**
     * Takes frames whose pictures are not wanted: those right before the ones that will be pushed.
     *
     * @param before [frames, height, width, channels]: {@link #reach} of them, or all of the clip's
     */
    void recall(Tensor before) {
        for (ahead = Math.toIntExact(before.size(0)); ahead > 0; ahead--) {
            push(before.slice(before.size(0) - ahead, 1), picture -> {});
        }
    }

    private void passOn(Tensor frame) {
        out.accept(frame);
    }

    /** Sends the next frame in; what comes out goes to {@code taker}. */
    void push(Tensor frame, Consumer<Tensor> taker) {
        if (finished) {
            throw new IllegalStateException("this clip has ended, open a stream for the next");
        }
        out = taker;
        links.get(0).accept(frame);
    }

    /** Ends the clip: stage by stage, so that each gets what those before it held back. */
    void finish(Consumer<Tensor> taker) {
        if (finished) {
            return;
        }
        finished = true;
        out = taker;
        for (int i = 0; i < stages.size(); i++) {
            stages.get(i).finish(links.get(i + 1));
        }
    }
}
