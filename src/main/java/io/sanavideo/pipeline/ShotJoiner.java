package io.sanavideo.pipeline;

import io.sanavideo.pipeline.Film.Shot;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * Joins the pictures of a film's shots: those under a dissolve fade in over the last ones of the
 * shot before, which wait for them here. All others go on at once.
 */
final class ShotJoiner implements Consumer<ByteBuffer> {
    private final Consumer<ByteBuffer> frames;
    private final Queue<ByteBuffer> waiting = new ArrayDeque<>();
    private Shot shot;
    private int tail;
    private int index;

    /**
     * @param frames takes the film's pictures, in their order
     */
    ShotJoiner(Consumer<ByteBuffer> frames) {
        this.frames = frames;
    }

    /**
     * The pictures that follow are a shot's.
     *
     * @param newTail of its pictures the last that the next shot fades in over
     */
    void begin(Shot newShot, int newTail) {
        shot = newShot;
        tail = newTail;
        index = 0;
    }

    /** How many of the shot's pictures have come. */
    int index() {
        return index;
    }

    /** The pictures that wait for those that fade in over them, in their order. */
    List<ByteBuffer> waiting() {
        return List.copyOf(waiting);
    }

    /** Takes up a shot that was begun, after so many of its pictures. */
    void restore(int newIndex, List<ByteBuffer> newWaiting) {
        index = newIndex;
        waiting.clear();
        waiting.addAll(newWaiting);
    }

    @Override
    public void accept(ByteBuffer rgb) {
        int picture = index++;
        if (picture < shot.dissolve()) {
            float weight = (picture + 1f) / (shot.dissolve() + 1);
            frames.accept(mixed(waiting.remove(), rgb, weight));
        } else if (picture >= shot.frames() - tail) {
            waiting.add(copy(rgb));
        } else {
            frames.accept(rgb);
        }
    }

    private static ByteBuffer copy(ByteBuffer rgb) {
        ByteBuffer copy = ByteBuffer.allocateDirect(rgb.remaining());
        return copy.put(rgb.duplicate()).flip();
    }

    /** The first, into which the second was mixed. */
    private static ByteBuffer mixed(ByteBuffer old, ByteBuffer fresh, float weight) {
        for (int i = 0; i < old.limit(); i++) {
            int from = old.get(i) & 0xff;
            int to = fresh.get(fresh.position() + i) & 0xff;
            old.put(i, (byte) Math.round(from + (to - from) * weight));
        }
        return old;
    }
}
