package io.sanavideo.quantize;

import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The nearest matrix of a low rank: up [rows, rank] times down [rank, columns], both rounded to
 * bf16. By randomised subspace iteration (N. Halko, P.-G. Martinsson, J. A. Tropp, "Finding
 * structure with randomness", 2011): random directions, multiplied by the matrix and its transpose
 * a few times, span its largest singular vectors nearly.
 *
 * @param up row-major [rows, rank]
 * @param down row-major [rank, columns]
 */
record LowRank(float[] up, float[] down, int rank) {
    /** Directions beyond the rank, which make the last ones good. */
    private static final int SPARE = 16;

    private static final int ITERATIONS = 2;

    /** The nearest of rank {@code rank}, or of all of the matrix's where those are fewer. */
    static LowRank of(Context context, float[] matrix, int rows, int columns, int rank) {
        int most = Math.min(rows, columns);
        int directions = Math.min(rank + SPARE, most);
        double[][] left;
        double[][] projected;
        try (Weight ofMatrix = weight(context, matrix, rows, columns);
                Weight ofTransposed =
                        weight(context, transposed(matrix, rows, columns), columns, rows)) {
            double[][] right = random(directions, columns);
            left = orthonormal(product(context, right, ofMatrix, rows));
            for (int i = 0; i < ITERATIONS; i++) {
                right = orthonormal(product(context, left, ofTransposed, columns));
                left = orthonormal(product(context, right, ofMatrix, rows));
            }
            projected = product(context, left, ofTransposed, columns);
        }
        return truncated(left, projected, Math.min(rank, directions));
    }

    /** Of orthonormal columns and what the matrix is in them, the part of the largest values. */
    private static LowRank truncated(double[][] left, double[][] projected, int rank) {
        int directions = left.length;
        double[][] gram = new double[directions][directions];
        for (int i = 0; i < directions; i++) {
            for (int j = 0; j <= i; j++) {
                gram[i][j] = dot(projected[i], projected[j]);
                gram[j][i] = gram[i][j];
            }
        }
        SymmetricEigen eigen = SymmetricEigen.of(gram);
        int rows = left[0].length;
        int columns = projected[0].length;
        float[] up = new float[rows * rank];
        float[] down = new float[rank * columns];
        for (int r = 0; r < rank; r++) {
            double[] vector = eigen.vectors()[r];
            // Both get the root of the singular value, so that neither is far from 1.
            double root = Math.sqrt(Math.sqrt(Math.max(eigen.values()[r], 0)));
            if (root == 0) {
                continue;
            }
            for (int i = 0; i < rows; i++) {
                double sum = 0;
                for (int d = 0; d < directions; d++) {
                    sum += left[d][i] * vector[d];
                }
                up[i * rank + r] = DType.roundToBf16((float) (sum * root));
            }
            for (int j = 0; j < columns; j++) {
                double sum = 0;
                for (int d = 0; d < directions; d++) {
                    sum += projected[d][j] * vector[d];
                }
                down[r * columns + j] = DType.roundToBf16((float) (sum / root));
            }
        }
        return new LowRank(up, down, rank);
    }

    /** The matrix that it stands for, [rows, columns]. */
    float[] matrix(Context context) {
        int rows = up.length / rank;
        int columns = down.length / rank;
        try (Weight weight = weight(context, transposed(down, rank, columns), columns, rank);
                Tensor in = context.tensor(DType.F32, rows, rank);
                Tensor out = context.tensor(DType.F32, rows, columns)) {
            in.upload(up);
            context.ops().linear(in, weight, Epilogue.NONE, out);
            return out.toFloats();
        }
    }

    private static Weight weight(Context context, float[] matrix, int rows, int columns) {
        Weight weight = context.weight(WeightKind.LINEAR, DType.F32, rows, columns);
        int blockRows = Math.max(1, (1 << 20) / columns);
        ByteBuffer block =
                ByteBuffer.allocateDirect(blockRows * columns * Float.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN);
        for (int row = 0; row < rows; row += blockRows) {
            int count = Math.min(blockRows, rows - row);
            block.clear();
            block.asFloatBuffer().put(matrix, row * columns, count * columns);
            weight.pack(row, count, block.limit(count * columns * Float.BYTES), DType.F32);
        }
        return weight;
    }

    private static float[] transposed(float[] matrix, int rows, int columns) {
        float[] out = new float[matrix.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                out[j * rows + i] = matrix[i * columns + j];
            }
        }
        return out;
    }

    /** Rows times the transpose of a weight of {@code out} rows. */
    private static double[][] product(Context context, double[][] rows, Weight weight, int out) {
        int in = rows[0].length;
        float[] narrow = new float[rows.length * in];
        for (int i = 0; i < narrow.length; i++) {
            narrow[i] = (float) rows[i / in][i % in];
        }
        float[] product;
        try (Tensor left = context.tensor(DType.F32, rows.length, in);
                Tensor result = context.tensor(DType.F32, rows.length, out)) {
            left.upload(narrow);
            context.ops().linear(left, weight, Epilogue.NONE, result);
            product = result.toFloats();
        }
        double[][] wide = new double[rows.length][out];
        for (int i = 0; i < product.length; i++) {
            wide[i / out][i % out] = product[i];
        }
        return wide;
    }

    private static double[][] random(int count, int length) {
        SplittableRandom random = new SplittableRandom(0);
        double[][] vectors = new double[count][];
        Arrays.setAll(vectors, i -> random.doubles(length, -1, 1).toArray());
        return vectors;
    }

    /** Gram and Schmidt's, twice over, which is as exact as doubles are. */
    private static double[][] orthonormal(double[][] vectors) {
        for (int i = 0; i < vectors.length; i++) {
            for (int pass = 0; pass < 2; pass++) {
                for (int j = 0; j < i; j++) {
                    add(vectors[i], -dot(vectors[i], vectors[j]), vectors[j]);
                }
            }
            double length = Math.sqrt(dot(vectors[i], vectors[i]));
            // Directions beyond the matrix's rank are noise, or nothing.
            double scale = length > 0 ? 1 / length : 0;
            for (int k = 0; k < vectors[i].length; k++) {
                vectors[i][k] *= scale;
            }
        }
        return vectors;
    }

    private static double dot(double[] left, double[] right) {
        double sum = 0;
        for (int i = 0; i < left.length; i++) {
            sum += left[i] * right[i];
        }
        return sum;
    }

    private static void add(double[] to, double factor, double[] other) {
        for (int i = 0; i < to.length; i++) {
            to[i] += factor * other[i];
        }
    }
}
