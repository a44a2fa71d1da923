package io.sanavideo.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.ClipFormat;
import io.sanavideo.media.Psnr;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

/** PSNR and SSIM of known differences. */
class FrameDifferenceTest {
    private static final int WIDTH = 48;
    private static final int HEIGHT = 32;
    private static final ClipFormat FORMAT = new ClipFormat(WIDTH, HEIGHT, 1, 8);

    /** Stripes with some noise: [height, width, 3], from 40 to 125. */
    private static byte[] picture(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] picture = new byte[HEIGHT * WIDTH * 3];
        for (int i = 0; i < picture.length; i++) {
            int column = i / 3 % WIDTH;
            picture[i] = (byte) (60 + (column / 5 % 2) * 40 + random.nextInt(-20, 26));
        }
        return picture;
    }

    private static byte[] changed(byte[] picture, IntUnaryOperator difference) {
        byte[] changed = picture.clone();
        for (int i = 0; i < changed.length; i++) {
            changed[i] += (byte) difference.applyAsInt(i);
        }
        return changed;
    }

    private static FrameDifference of(byte[] reference, byte[] other) {
        return FrameDifference.of(List.of(reference), List.of(other), FORMAT);
    }

    @Test
    void equalFramesAreAsAlikeAsCanBe() {
        FrameDifference difference = of(picture(1), picture(1));

        assertThat(difference.psnr()).isEqualTo(Psnr.EQUAL);
        assertThat(difference.ssim()).isEqualTo(1, within(1e-12));
    }

    /** 10 log10(255^2 / mean square). */
    @Test
    void psnrOfAKnownDifference() {
        byte[] picture = picture(1);

        assertThat(of(picture, changed(picture, i -> 1)).psnr()).isEqualTo(48.1308, within(1e-4));
        assertThat(of(picture, changed(picture, i -> i % 2 == 0 ? 5 : -5)).psnr())
                .isEqualTo(34.1514, within(1e-4));
        // One byte in four is 8 off: a mean square of 16.
        assertThat(of(picture, changed(picture, i -> i % 4 == 0 ? 8 : 0)).psnr())
                .isEqualTo(36.0896, within(1e-4));
    }

    /** Bytes are unsigned: 255 is far from 0, and 128 next to 127. */
    @Test
    void psnrOfBytesOfBothHalves() {
        byte[] black = new byte[HEIGHT * WIDTH * 3];
        byte[] white = changed(black, i -> 255);

        assertThat(of(black, white).psnr()).isEqualTo(0, within(1e-12));
        assertThat(of(changed(black, i -> 127), changed(black, i -> 128)).psnr())
                .isEqualTo(48.1308, within(1e-4));
    }

    @Test
    void clipsAreTheMeanOfTheirFrames() {
        byte[] picture = picture(1);
        byte[] brighter = changed(picture, i -> 10);
        byte[] noisy = changed(picture, i -> i % 7 * 3);
        FrameDifference first = of(picture, brighter);
        FrameDifference second = of(picture, noisy);

        FrameDifference both =
                FrameDifference.of(List.of(picture, picture), List.of(brighter, noisy), FORMAT);

        assertThat(both.psnr()).isEqualTo((first.psnr() + second.psnr()) / 2, within(1e-12));
        assertThat(both.ssim()).isEqualTo((first.ssim() + second.ssim()) / 2, within(1e-12));
    }

    /** Structure that stays counts, where it is as bright as it was and where it is not. */
    @Test
    void noiseIsLessAlikeThanAShiftOfBrightness() {
        byte[] picture = picture(1);
        SplittableRandom random = new SplittableRandom(5);
        byte[] noisy = changed(picture, i -> random.nextBoolean() ? 20 : -20);
        byte[] brighter = changed(picture, i -> 20);

        FrameDifference noise = of(picture, noisy);
        FrameDifference shift = of(picture, brighter);

        assertThat(noise.psnr()).isEqualTo(shift.psnr(), within(1e-9));
        assertThat(shift.ssim()).isBetween(0.9, 0.9999);
        assertThat(noise.ssim()).isLessThan(shift.ssim() - 0.05);
    }

    /** Of a flat frame and a brighter one only the means differ: (2ab + C1) / (a^2 + b^2 + C1). */
    @Test
    void ssimOfFlatFrames() {
        byte[] black = new byte[HEIGHT * WIDTH * 3];

        FrameDifference difference = of(changed(black, i -> 100), changed(black, i -> 150));

        double c1 = 2.55 * 2.55;
        assertThat(difference.ssim())
                .isEqualTo((2 * 100 * 150 + c1) / (100 * 100 + 150 * 150 + c1), within(1e-9));
    }

    /** Green weighs most, blue least, as in Rec. 601. */
    @Test
    void ssimIsOfLuma() {
        byte[] grey = changed(new byte[HEIGHT * WIDTH * 3], i -> 100);
        double[] alike = new double[3];
        for (int channel = 0; channel < 3; channel++) {
            int own = channel;
            alike[channel] = of(grey, changed(grey, i -> i % 3 == own ? 80 : 0)).ssim();
        }

        assertThat(alike[1]).isLessThan(alike[0]);
        assertThat(alike[0]).isLessThan(alike[2]);
    }

    /** The format says which of the sizes is which: a wrong one would compare other windows. */
    @Test
    void windowsFollowRows() {
        byte[] reference = changed(new byte[HEIGHT * WIDTH * 3], i -> 100);
        // The last 3 columns lie in the last window of each row alone.
        byte[] other = changed(reference, i -> i / 3 % WIDTH >= WIDTH - 3 ? 50 : 0);

        FrameDifference difference = of(reference, other);

        // 11 windows a row, of which one holds 3 of 8 columns that are brighter.
        double mean = 100 + 50 * 3 / 8.0;
        double variance = 50 * 50 * (3 / 8.0) * (5 / 8.0);
        double c1 = 2.55 * 2.55;
        double c2 = 7.65 * 7.65;
        double last =
                (2 * 100 * mean + c1) * c2 / ((100 * 100 + mean * mean + c1) * (variance + c2));
        assertThat(difference.ssim()).isEqualTo((10 + last) / 11, within(1e-9));
    }
}
