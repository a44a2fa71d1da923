package io.sanavideo.model;

import io.sanavideo.weights.Checkpoint;
import java.util.List;

/**
 * What chunks must come to, computed over the whole clip at once, in double precision and one
 * formula after the other: linear attention whose sums reach over the tokens of a chunk and of so
 * many before it, and a temporal convolution that sees no frame of a chunk to come. Source:
 * SANA-Video, block linear attention.
 */
final class BlockCausal {
    private static final double QK_NORM_EPSILON = 1e-5;
    private static final double ROPE_THETA = 10_000;

    private final Checkpoint weights;
    private final TransformerConfig config;
    private final String block;
    private final int height;
    private final int width;

    /** Frames of each chunk. */
    private final List<Integer> chunks;

    /**
     * @param height of the token grid
     * @param width of the token grid
     */
    BlockCausal(
            Checkpoint weights,
            TransformerConfig config,
            int index,
            int height,
            int width,
            List<Integer> chunks) {
        this.weights = weights;
        this.config = config;
        this.block = "transformer_blocks.%d.".formatted(index);
        this.height = height;
        this.width = width;
        this.chunks = chunks;
    }

    private float[] weight(String name) {
        return weights.require(block + name).toFloats();
    }

    private int chunkOf(int frame) {
        int chunk = 0;
        for (int end = chunks.get(0); frame >= end; end += chunks.get(chunk)) {
            chunk++;
        }
        return chunk;
    }

    /** rows [n, in] times weight [out, in]. */
    private static double[][] product(double[][] rows, float[] weight, int out) {
        double[][] products = new double[rows.length][out];
        int in = rows[0].length;
        for (int n = 0; n < rows.length; n++) {
            for (int o = 0; o < out; o++) {
                for (int i = 0; i < in; i++) {
                    products[n][o] += rows[n][i] * weight[o * in + i];
                }
            }
        }
        return products;
    }

    static double[][] rows(float[] values, int channels) {
        double[][] rows = new double[values.length / channels][channels];
        for (int i = 0; i < values.length; i++) {
            rows[i / channels][i % channels] = values[i];
        }
        return rows;
    }

    private static float[] flat(double[][] rows) {
        float[] values = new float[rows.length * rows[0].length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) rows[i / rows[0].length][i % rows[0].length];
        }
        return values;
    }

    private static double[][] features(double[][] rows, float[] norm) {
        for (double[] row : rows) {
            double squares = 0;
            for (double x : row) {
                squares += x * x;
            }
            double scale = 1 / Math.sqrt(squares / row.length + QK_NORM_EPSILON);
            for (int i = 0; i < row.length; i++) {
                row[i] = Math.max(0, row[i] * scale * norm[i]);
            }
        }
        return rows;
    }

    /** Of a head's channels at a token; pairs are neighbours, positions those of the clip. */
    private double[] rotated(double[] row, int head, int token) {
        int size = config.headSize();
        double[] out = new double[size];
        for (int pair = 0; pair < size / 2; pair++) {
            double angle = angle(size, token, pair);
            double cos = rounded(Math.cos(angle));
            double sin = rounded(Math.sin(angle));
            double a = row[head * size + 2 * pair];
            double b = row[head * size + 2 * pair + 1];
            out[2 * pair] = a * cos - b * sin;
            out[2 * pair + 1] = a * sin + b * cos;
        }
        return out;
    }

    private double angle(int size, int token, int pair) {
        int spatial = size / 6;
        int temporal = size / 2 - 2 * spatial;
        int frame = token / (height * width);
        int row = token / width % height;
        int column = token % width;
        if (pair < temporal) {
            return frame * Math.pow(ROPE_THETA, -(double) pair / temporal);
        }
        int index = (pair - temporal) % spatial;
        return (pair - temporal < spatial ? row : column)
                * Math.pow(ROPE_THETA, -(double) index / spatial);
    }

    /** To bf16, nearest even, as the table of rotations is. */
    private static double rounded(double value) {
        int bits = Float.floatToRawIntBits((float) value);
        return Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
    }

    /**
     * The self-attention of the whole clip.
     *
     * @param in [tokens, channels]: what queries, keys and values are made of
     * @param window how many chunks before its own a token sees
     */
    float[] attention(float[] in, int window) {
        int channels = config.width();
        double[][] x = rows(in, channels);
        double[][] q =
                features(
                        product(x, weight("attn1.to_q.weight"), channels),
                        weight("attn1.norm_q.weight"));
        double[][] k =
                features(
                        product(x, weight("attn1.to_k.weight"), channels),
                        weight("attn1.norm_k.weight"));
        double[][] v = product(x, weight("attn1.to_v.weight"), channels);
        double[][] attended = new double[x.length][channels];
        for (int head = 0; head < config.heads(); head++) {
            for (int n = 0; n < x.length; n++) {
                attend(q, k, v, head, n, window, attended[n]);
            }
        }
        double[][] out = product(attended, weight("attn1.to_out.0.weight"), channels);
        float[] bias = weight("attn1.to_out.0.bias");
        for (double[] row : out) {
            for (int i = 0; i < channels; i++) {
                row[i] += bias[i];
            }
        }
        return flat(out);
    }

    private void attend(
            double[][] q, double[][] k, double[][] v, int head, int n, int window, double[] out) {
        int size = config.headSize();
        int pixels = height * width;
        int chunk = chunkOf(n / pixels);
        double[] query = rotated(q[n], head, n);
        double sum = 0;
        double[] values = new double[size];
        for (int m = 0; m < k.length; m++) {
            int other = chunkOf(m / pixels);
            if (other > chunk || other < chunk - window) {
                continue;
            }
            double[] key = rotated(k[m], head, m);
            double weight = 0;
            for (int i = 0; i < size; i++) {
                weight += query[i] * key[i];
                sum += q[n][head * size + i] * k[m][head * size + i];
            }
            for (int i = 0; i < size; i++) {
                values[i] += weight * v[m][head * size + i];
            }
        }
        for (int i = 0; i < size; i++) {
            out[head * size + i] = values[i] / sum;
        }
    }

    /**
     * The temporal convolution of the whole clip.
     *
     * @param in [frames, pixels, channels]
     */
    float[] convolution(float[] in) {
        int channels = config.width();
        int pixels = height * width;
        double[][] x = rows(in, channels);
        float[] weight = weight("ff.conv_temp.weight");
        double[][] out = new double[x.length][];
        for (int n = 0; n < x.length; n++) {
            out[n] = x[n].clone();
            for (int tap = -1; tap <= 1; tap++) {
                int m = n + tap * pixels;
                boolean seen = m >= 0 && m < x.length && chunkOf(m / pixels) <= chunkOf(n / pixels);
                for (int o = 0; seen && o < channels; o++) {
                    for (int i = 0; i < channels; i++) {
                        out[n][o] += weight[(o * channels + i) * 3 + tap + 1] * x[m][i];
                    }
                }
            }
        }
        return flat(out);
    }
}
