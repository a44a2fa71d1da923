package io.sanavideo.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.RelativeError;
import io.sanavideo.runtime.Context;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The nearest matrix of a low rank. */
class LowRankTest {
    /** What rounding two factors to bf16 costs at most, with room. */
    private static final double OF_BF16 = 4e-3;

    private static Context context;

    @BeforeAll
    static void open() {
        context = Context.cpu(1);
    }

    @AfterAll
    static void close() {
        context.close();
    }

    /** A matrix of a rank, and noise of a fraction of its size. */
    private static float[] matrix(int rows, int columns, int rank, double noise) {
        SplittableRandom random = new SplittableRandom(rows + 31L * columns + 7L * rank);
        double[][] up = normal(random, rows, rank);
        double[][] down = normal(random, columns, rank);
        float[] matrix = new float[rows * columns];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                double sum = 0;
                for (int r = 0; r < rank; r++) {
                    sum += up[i][r] * down[j][r];
                }
                matrix[i * columns + j] =
                        (float) (sum + noise * Math.sqrt(rank) * random.nextGaussian());
            }
        }
        return matrix;
    }

    private static double[][] normal(SplittableRandom random, int count, int length) {
        double[][] vectors = new double[count][length];
        for (double[] vector : vectors) {
            for (int i = 0; i < length; i++) {
                vector[i] = random.nextGaussian();
            }
        }
        return vectors;
    }

    private static double error(float[] matrix, int rows, int columns, int rank) {
        LowRank lowRank = LowRank.of(context, matrix, rows, columns, rank);
        return RelativeError.of(lowRank.matrix(context), matrix);
    }

    @ParameterizedTest
    @CsvSource({"96, 160, 8", "160, 96, 8", "97, 61, 5", "64, 64, 1", "33, 200, 32", "40, 40, 30"})
    void findsTheMatrixToItsNoise(int rows, int columns, int rank) {
        double noise = 0.05;
        float[] matrix = matrix(rows, columns, rank, noise);

        // The best that there is leaves the noise less what of it lies in the rank's directions.
        double share = (1 - (double) rank / rows) * (1 - (double) rank / columns);
        assertThat(error(matrix, rows, columns, rank))
                .isEqualTo(noise * Math.sqrt(share), within(0.1 * noise));
        // One direction less is missed as a whole; of many, the last are small.
        if (rank > 1 && rank <= 8) {
            assertThat(error(matrix, rows, columns, rank - 1)).isGreaterThan(2 * noise);
        }
    }

    @ParameterizedTest
    @CsvSource({"96, 160, 8, 8", "96, 160, 8, 24", "20, 50, 4, 20", "50, 20, 4, 20"})
    void whatHasTheRankOrLessIsFoundButForBf16(int rows, int columns, int rank, int asked) {
        float[] matrix = matrix(rows, columns, rank, 0);

        assertThat(error(matrix, rows, columns, asked)).isLessThan(OF_BF16);
    }

    /** A rank above the matrix's own is that: all of it is found. */
    @ParameterizedTest
    @CsvSource({"12, 40, 32", "40, 12, 32", "12, 12, 13", "1, 7, 2"})
    void aRankAboveTheSizesIsTheirs(int rows, int columns, int rank) {
        float[] matrix = matrix(rows, columns, 64, 0);

        LowRank lowRank = LowRank.of(context, matrix, rows, columns, rank);

        int most = Math.min(rows, columns);
        assertThat(lowRank.rank()).isEqualTo(most);
        assertThat(lowRank.up()).hasSize(rows * most);
        assertThat(lowRank.down()).hasSize(most * columns);
        assertThat(RelativeError.of(lowRank.matrix(context), matrix)).isLessThan(OF_BF16);
    }

    @Test
    void factorsAreBf16NumbersOfLikeSize() {
        LowRank lowRank = LowRank.of(context, matrix(96, 160, 8, 0.05), 96, 160, 8);

        for (float[] factor : new float[][] {lowRank.up(), lowRank.down()}) {
            for (float value : factor) {
                assertThat(Float.floatToRawIntBits(value) & 0xffff).as("%s", value).isZero();
            }
        }
        assertThat(squares(lowRank.up()) / squares(lowRank.down())).isEqualTo(1, within(0.02));
    }

    private static double squares(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return sum;
    }

    @Test
    void theMatrixIsTheProductOfTheFactors() {
        LowRank lowRank = LowRank.of(context, matrix(10, 21, 3, 0.1), 10, 21, 3);
        float[] product = new float[10 * 21];
        for (int i = 0; i < product.length; i++) {
            for (int r = 0; r < 3; r++) {
                product[i] += lowRank.up()[i / 21 * 3 + r] * lowRank.down()[r * 21 + i % 21];
            }
        }

        assertThat(RelativeError.of(lowRank.matrix(context), product)).isLessThan(1e-6);
    }

    @Test
    void theSameAgain() {
        float[] matrix = matrix(96, 160, 8, 0.05);
        LowRank first = LowRank.of(context, matrix, 96, 160, 8);
        LowRank second = LowRank.of(context, matrix, 96, 160, 8);

        assertThat(second.up()).containsExactly(first.up());
        assertThat(second.down()).containsExactly(first.down());
    }

    @Test
    void ofNothingThereIsNothing() {
        LowRank lowRank = LowRank.of(context, new float[20 * 30], 20, 30, 4);

        assertThat(lowRank.up()).containsOnly(0);
        assertThat(lowRank.down()).containsOnly(0);
    }
}
