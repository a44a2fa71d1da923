package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.pipeline.Film.Shot;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Shots of one-pixel pictures, joined. */
class ShotJoinerTest {
    private final List<Integer> seen = new ArrayList<>();
    private final ShotJoiner joiner =
            new ShotJoiner(rgb -> seen.add(rgb.get(rgb.position()) & 0xff));
    private final ByteBuffer picture = ByteBuffer.allocateDirect(3);

    /** Its pictures have the one buffer, as those of a decoder. */
    private void shot(int dissolve, int tail, int... pictures) {
        joiner.begin(new Shot(0, pictures.length, dissolve, List.of()), tail);
        for (int value : pictures) {
            picture.put(0, (byte) value);
            joiner.accept(picture);
        }
    }

    @Test
    void cutsFollowOneAnother() {
        shot(0, 0, 1, 2, 3);
        shot(0, 0, 200, 255);
        assertThat(seen).containsExactly(1, 2, 3, 200, 255);
    }

    /** Three pictures of a dissolve show a quarter, a half and three quarters of the new shot. */
    @Test
    void aDissolveFadesIn() {
        shot(0, 3, 7, 0, 100, 200);
        assertThat(seen).containsExactly(7);
        shot(3, 0, 100, 200, 100, 9, 8);
        assertThat(seen).containsExactly(7, 25, 150, 125, 9, 8);
    }

    @Test
    void aShotMayFadeInAndOut() {
        shot(0, 1, 10, 20);
        shot(1, 1, 40, 50, 60);
        shot(1, 0, 80, 90);
        assertThat(seen).containsExactly(10, 30, 50, 70, 90);
    }
}
