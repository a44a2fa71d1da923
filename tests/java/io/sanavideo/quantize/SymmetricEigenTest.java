package io.sanavideo.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Eigenvalues and -vectors of symmetric matrices. */
class SymmetricEigenTest {
    private static final double EXACT = 1e-12;

    @Test
    void ofTwoByTwo() {
        SymmetricEigen eigen = SymmetricEigen.of(new double[][] {{2, 1}, {1, 2}});

        assertThat(eigen.values()).containsExactly(new double[] {3, 1}, within(EXACT));
        double half = Math.sqrt(0.5);
        assertThat(Math.abs(eigen.vectors()[0][0])).isEqualTo(half, within(EXACT));
        assertThat(eigen.vectors()[0][1]).isEqualTo(eigen.vectors()[0][0], within(EXACT));
        assertThat(Math.abs(eigen.vectors()[1][0])).isEqualTo(half, within(EXACT));
        assertThat(eigen.vectors()[1][1]).isEqualTo(-eigen.vectors()[1][0], within(EXACT));
    }

    @Test
    void aDiagonalIsSortedWithItsVectors() {
        SymmetricEigen eigen = SymmetricEigen.of(new double[][] {{-1, 0, 0}, {0, 7, 0}, {0, 0, 2}});

        assertThat(eigen.values()).containsExactly(7, 2, -1);
        assertThat(eigen.vectors()).isDeepEqualTo(new double[][] {{0, 1, 0}, {0, 0, 1}, {1, 0, 0}});
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 17, 48})
    void ofRandomMatrices(int size) {
        double[][] matrix = symmetric(size);
        double[][] given = copy(matrix);

        SymmetricEigen eigen = SymmetricEigen.of(matrix);

        assertThat(matrix).as("the matrix is left alone").isDeepEqualTo(given);
        for (int i = 0; i < size; i++) {
            double[] vector = eigen.vectors()[i];
            for (int j = 0; j < size; j++) {
                assertThat(dot(vector, eigen.vectors()[j]))
                        .as("vectors %d and %d", i, j)
                        .isEqualTo(i == j ? 1 : 0, within(EXACT));
                assertThat(dot(matrix[j], vector))
                        .as("row %d times vector %d", j, i)
                        .isEqualTo(eigen.values()[i] * vector[j], within(1e-11));
            }
            assertThat(eigen.values()[i]).isLessThanOrEqualTo(eigen.values()[Math.max(0, i - 1)]);
        }
    }

    /** Equal eigenvalues, and a matrix of a rank below its size. */
    @Test
    void ofAProjection() {
        int size = 9;
        double[] direction = new double[size];
        Arrays.fill(direction, 1 / Math.sqrt(size));
        double[][] matrix = new double[size][size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                matrix[i][j] = 5 * direction[i] * direction[j];
            }
        }

        SymmetricEigen eigen = SymmetricEigen.of(matrix);

        assertThat(eigen.values()[0]).isEqualTo(5, within(EXACT));
        assertThat(Math.abs(dot(eigen.vectors()[0], direction))).isEqualTo(1, within(EXACT));
        for (int i = 1; i < size; i++) {
            assertThat(eigen.values()[i]).isEqualTo(0, within(EXACT));
        }
    }

    private static double[][] symmetric(int size) {
        SplittableRandom random = new SplittableRandom(size);
        double[][] matrix = new double[size][size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j <= i; j++) {
                matrix[i][j] = random.nextDouble(-1, 1);
                matrix[j][i] = matrix[i][j];
            }
        }
        return matrix;
    }

    private static double[][] copy(double[][] matrix) {
        double[][] copy = new double[matrix.length][];
        for (int i = 0; i < copy.length; i++) {
            copy[i] = matrix[i].clone();
        }
        return copy;
    }

    private static double dot(double[] left, double[] right) {
        double sum = 0;
        for (int i = 0; i < left.length; i++) {
            sum += left[i] * right[i];
        }
        return sum;
    }
}
