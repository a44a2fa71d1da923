package io.sanavideo.schedule;

/**
 * PyTorch's CPU random generator: the normal numbers that {@code torch.randn} draws from {@code
 * torch.Generator().manual_seed(seed)}. A seed therefore means here what it means in diffusers.
 *
 * <p>The bits come from the 32-bit Mersenne Twister (Matsumoto and Nishimura, "Mersenne Twister",
 * ACM TOMACS 8(1), 1998), the normals from the Box-Muller transform, arranged as ATen's CPU kernel
 * does. Values agree with PyTorch to float rounding of its logarithm and cosine.
 *
 * <p>Successive draws of one instance continue as those of one generator do. Not thread-safe.
 */
public final class TorchRandom {
    private static final int STATE = 624;
    private static final int SHIFT = 397;

    /** From this many numbers on, PyTorch draws in groups of eight cosines and eight sines. */
    private static final int GROUP = 16;

    private static final int HALF = GROUP / 2;
    private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;

    private final int[] state = new int[STATE];
    private int position = STATE;

    /** The sine of the last pair of a short draw, which the next short draw returns first. */
    private double pending = Double.NaN;

    /**
     * @param seed any value; as in PyTorch, its low 32 bits decide
     */
    public TorchRandom(long seed) {
        state[0] = (int) seed;
        for (int i = 1; i < STATE; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
        }
    }

    /**
     * What {@code torch.randn(count, generator=torch.Generator().manual_seed(seed))} returns.
     *
     * @throws IllegalArgumentException when count is negative or more than an array holds
     */
    public static float[] randn(long seed, long count) {
        return new TorchRandom(seed).randn(count);
    }

    /**
     * The next {@code count} normal numbers, as one {@code torch.randn} call with this generator
     * draws them. Two draws of n numbers differ from one draw of 2n when n is not a multiple of 16.
     *
     * @throws IllegalArgumentException when count is negative or more than an array holds
     */
    public float[] randn(long count) {
        if (count < 0 || count > LARGEST_ARRAY) {
            throw new IllegalArgumentException(
                    "cannot draw %d numbers, expected 0 to %d".formatted(count, LARGEST_ARRAY));
        }
        float[] normals = new float[(int) count];
        if (count < GROUP) {
            for (int i = 0; i < normals.length; i++) {
                normals[i] = (float) nextNormal();
            }
            return normals;
        }
        for (int i = 0; i < normals.length; i++) {
            normals[i] = nextUniform();
        }
        for (int i = 0; i + GROUP <= normals.length; i += GROUP) {
            transformGroup(normals, i);
        }
        if (normals.length % GROUP != 0) {
            int tail = normals.length - GROUP;
            for (int i = tail; i < normals.length; i++) {
                normals[i] = nextUniform();
            }
            transformGroup(normals, tail);
        }
        return normals;
    }

    /** Sixteen uniforms from {@code start} on become normals, in single precision as in PyTorch. */
    private static void transformGroup(float[] values, int start) {
        for (int i = start; i < start + HALF; i++) {
            float radius = (float) Math.sqrt(-2f * (float) Math.log(1f - values[i]));
            float angle = (float) (2 * Math.PI) * values[i + HALF];
            values[i] = radius * (float) Math.cos(angle);
            values[i + HALF] = radius * (float) Math.sin(angle);
        }
    }

    private double nextNormal() {
        if (!Double.isNaN(pending)) {
            double normal = pending;
            pending = Double.NaN;
            return normal;
        }
        double angle = 2 * Math.PI * nextUniformDouble();
        double radius = Math.sqrt(-2 * Math.log1p(-nextUniformDouble()));
        pending = radius * Math.sin(angle);
        return radius * Math.cos(angle);
    }

    /** Uniform in [0, 1), a multiple of 2^-24. */
    private float nextUniform() {
        return (nextBits() & 0xFFFFFF) * 0x1p-24f;
    }

    /** Uniform in [0, 1), a multiple of 2^-53. */
    private double nextUniformDouble() {
        long high = nextBits();
        long bits = high << 32 | nextBits() & 0xFFFFFFFFL;
        return (bits & (1L << 53) - 1) * 0x1p-53;
    }

    private int nextBits() {
        if (position == STATE) {
            renew();
        }
        int bits = state[position++];
        bits ^= bits >>> 11;
        bits ^= bits << 7 & 0x9d2c5680;
        bits ^= bits << 15 & 0xefc60000;
        return bits ^ bits >>> 18;
    }

    private void renew() {
        for (int i = 0; i < STATE; i++) {
            int mixed = state[i] & 0x80000000 | state[(i + 1) % STATE] & 0x7fffffff;
            int twist = (mixed & 1) == 0 ? 0 : 0x9908b0df;
            state[i] = state[(i + SHIFT) % STATE] ^ mixed >>> 1 ^ twist;
        }
        position = 0;
    }
}
