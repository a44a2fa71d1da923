package io.sanavideo.pipeline;

import io.sanavideo.pipeline.Film.Shot;
import io.sanavideo.runtime.HostMemory;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * Joins the pictures of a film's shots: those under a dissolve fade in over the last ones of the
 * shot before, which wait for them here. All others go on at once.
 */
final class ShotJoiner implements Consumer<ByteBuffer>, AutoCloseable {
    private final Consumer<ByteBuffer> frames;
    private final Queue<HostMemory> waiting = new ArrayDeque<>();
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
        return waiting.stream().map(HostMemory::buffer).toList();
    }

    /** Takes up a shot that was begun, after so many of its pictures; none waits. */
    void restore(int newIndex) {
        close();
        index = newIndex;
    }

    /** Room for one more picture that waits, to be filled. */
    ByteBuffer addWaiting(int bytes) {
        HostMemory picture = new HostMemory(bytes);
        waiting.add(picture);
        return picture.buffer();
    }

    /**
     * @param rgb a picture, which a dissolve may change
     */
    @Override
    public void accept(ByteBuffer rgb) {
        int picture = index++;
        if (picture < shot.dissolve()) {
            float weight = (picture + 1f) / (shot.dissolve() + 1);
            try (HostMemory old = waiting.remove()) {
                mix(old.buffer(), rgb, weight);
            }
            frames.accept(rgb);
        } else if (picture >= shot.frames() - tail) {
            addWaiting(rgb.remaining()).put(rgb.duplicate());
        } else {
            frames.accept(rgb);
        }
    }

    /** The first fades into the second, which becomes what is seen. */
    private static void mix(ByteBuffer old, ByteBuffer fresh, float weight) {
        int at = fresh.position();
        for (int i = 0; i < old.limit(); i++) {
            int from = old.get(i) & 0xff;
            int to = fresh.get(at + i) & 0xff;
            fresh.put(at + i, (byte) Math.round(from + (to - from) * weight));
        }
    }

    /** Frees what waits still, where a film did not come to its end. */
    @Override
    public void close() {
        waiting.forEach(HostMemory::close);
        waiting.clear();
    }
}
