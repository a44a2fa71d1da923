package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class FrameHashTest {
    private static ByteBuffer text(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void firstFrameIsHashedAlone() {
        FrameHash hash = new FrameHash();
        hash.update(text("abc"));
        // FIPS 180-4, example for SHA-256.
        assertThat(hash.hex())
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    @Test
    void laterFramesAreHashedBehindTheLastHash() {
        FrameHash hash = new FrameHash();
        hash.update(text("abc"));
        hash.update(text("def"));
        // (printf abc | sha256sum | cut -c1-64 | xxd -r -p; printf def) | sha256sum
        assertThat(hash.hex())
                .isEqualTo("d9c44b16b77fde757bccb3df456dc7f44e3e067a88080f8d6c9434e8d4ffa071");
    }

    @Test
    void bufferIsLeftAsItWas() {
        ByteBuffer frame = text("xxabc").position(2);
        FrameHash hash = new FrameHash();
        hash.update(frame);
        assertThat(frame.position()).isEqualTo(2);
        assertThat(hash.hex()).startsWith("ba7816bf");
    }

    @Test
    void noFrameHasNoHash() {
        assertThatThrownBy(() -> new FrameHash().hex())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no frame");
    }
}
