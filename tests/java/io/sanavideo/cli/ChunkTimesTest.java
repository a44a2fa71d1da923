package io.sanavideo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.cli.ChunkTimes.Series;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Made-up times of 120 chunks. */
class ChunkTimesTest {
    private static final double EXACT = 1e-12;

    /** Each chunk takes a thousandth of the median longer than the one before. */
    @Test
    void aTrendIsWhatAHundredChunksAdd() {
        double[] seconds = IntStream.range(0, 120).mapToDouble(i -> 2 + 0.002 * (i - 62)).toArray();
        Series series = new Series(seconds);
        assertThat(series.slope()).isCloseTo(0.1, within(EXACT));
        assertThat(series.ratio())
                .isCloseTo((2 + 0.002 * (99 - 62)) / (2 + 0.002 * (4 - 62)), within(EXACT));
    }

    /** The first chunks may warm up. */
    @Test
    void whatComesBeforeTheFifthDoesNotCount() {
        double[] seconds = new double[120];
        Arrays.fill(seconds, 3);
        Arrays.fill(seconds, 0, 4, 1000);
        assertThat(new Series(seconds).slope()).isZero();
        assertThat(new Series(seconds).ratio()).isEqualTo(1);
    }
}
