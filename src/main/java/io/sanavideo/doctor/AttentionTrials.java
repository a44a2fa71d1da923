package io.sanavideo.doctor;

import static io.sanavideo.runtime.DType.F32;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.LinearState;
import io.sanavideo.runtime.Tensor;
import java.util.List;

/** Trials of {@code sanavideo/attention.h}. */
final class AttentionTrials {
    private static final float NORM_EPSILON = 1e-5f;
    private static final float EPSILON = 1e-6f;
    private static final double THETA = 1e4;
    private static final double SOFT_CAP = 50;
    private static final int KEYS_WINDOW = 64;

    private final Sizes sizes;

    private AttentionTrials(Sizes sizes) {
        this.sizes = sizes;
    }

    static List<Trial> of(Sizes sizes, DType dtype) {
        AttentionTrials trials = new AttentionTrials(sizes);
        return List.of(
                trials.linear(dtype), trials.cross(dtype), trials.frame(dtype), trials.text(dtype));
    }

    /** Angles are f32 alone. */
    static Trial ropeAngles(Sizes sizes) {
        int frames = 3;
        return new Trial(
                "rope_angles",
                F32,
                Trial.text(frames, sizes.tall(), sizes.wide()) + " from frame 17",
                on -> {
                    Tensor out = on.output(F32, (long) frames * sizes.pixels(), Sizes.HEAD / 2, 2);
                    on.ops().ropeAngles(17, frames, sizes.tall(), sizes.wide(), THETA, out);
                    on.near("out", out, Bound.sums(F32, 1));
                });
    }

    /** With a state from before and one for after. */
    private Trial linear(DType dtype) {
        int tokens = sizes.rows();
        int heads = sizes.heads();
        int width = sizes.width();
        return new Trial(
                "linear_attention",
                dtype,
                Trial.text(tokens, heads, Sizes.HEAD) + ", state in and out",
                on -> {
                    Tensor qkv = on.input(dtype, 1, tokens, 3, heads, Sizes.HEAD);
                    // About what the squares of -1 to 1 add up to.
                    Tensor sums = on.uniform(F32, 0.2 * width, 0.5 * width, 1, tokens, 2);
                    Tensor qWeight = on.uniform(F32, 0.5, 1.5, width);
                    Tensor kWeight = on.uniform(F32, 0.5, 1.5, width);
                    Tensor angles = on.given(F32, turns(on, tokens), tokens, Sizes.HEAD / 2, 2);
                    // Sums of keys are sums of positive numbers.
                    LinearState before =
                            new LinearState(
                                    on.input(F32, 1, heads, Sizes.HEAD, Sizes.HEAD),
                                    on.uniform(F32, 0.5, 2, 1, heads, Sizes.HEAD));
                    LinearState after =
                            new LinearState(
                                    on.output(F32, 1, heads, Sizes.HEAD, Sizes.HEAD),
                                    on.output(F32, 1, heads, Sizes.HEAD));
                    Tensor out = on.output(dtype, 1, tokens, width);
                    on.ops()
                            .linearAttention(
                                    qkv,
                                    sums,
                                    qWeight,
                                    kWeight,
                                    NORM_EPSILON,
                                    angles,
                                    EPSILON,
                                    before,
                                    after,
                                    out);
                    on.near("out", out, Bound.sums(dtype, tokens + Sizes.HEAD));
                    on.near("state_out_values", after.values(), Bound.sums(dtype, tokens));
                    on.near("state_out_keys", after.keys(), Bound.sums(F32, tokens));
                });
    }

    /** Cosine and sine of an angle for each pair of a head. */
    private static float[] turns(Pass on, int tokens) {
        float[] turns = on.numbers((long) tokens * Sizes.HEAD, 0, 2 * Math.PI);
        for (int i = 0; i < turns.length; i += 2) {
            double angle = turns[i];
            turns[i] = (float) Math.cos(angle);
            turns[i + 1] = (float) Math.sin(angle);
        }
        return turns;
    }

    private Trial cross(DType dtype) {
        int tokens = sizes.rows();
        int heads = sizes.heads();
        int width = sizes.width();
        return new Trial(
                "cross_attention",
                dtype,
                Trial.text(tokens, heads, Sizes.HEAD) + ", %d keys".formatted(sizes.keys()),
                on -> {
                    Tensor q = on.input(dtype, tokens, heads, Sizes.HEAD);
                    Tensor sums = on.uniform(F32, 0.2 * width, 0.5 * width, tokens, 1);
                    Tensor weight = on.input(F32, width);
                    Tensor kv = on.input(dtype, sizes.keys(), 2, heads, Sizes.HEAD);
                    Tensor out = on.output(dtype, tokens, width);
                    on.ops().crossAttention(q, sums, weight, NORM_EPSILON, kv, out);
                    on.near("out", out, Bound.sums(dtype, Math.max(sizes.keys(), Sizes.HEAD)));
                });
    }

    private Trial frame(DType dtype) {
        int frames = 2;
        return new Trial(
                "frame_attention",
                dtype,
                Trial.text(frames, sizes.pixels(), sizes.channels()),
                on -> {
                    Tensor qkv = on.input(dtype, frames, sizes.pixels(), 3, sizes.channels());
                    Tensor out = on.output(dtype, frames, sizes.pixels(), sizes.channels());
                    on.ops().frameAttention(qkv, out);
                    int terms = Math.max(sizes.pixels(), sizes.channels());
                    on.near("out", out, Bound.sums(dtype, terms));
                });
    }

    /** As Gemma-2 has it: heads that share keys, a soft cap, a window. */
    private Trial text(DType dtype) {
        int tokens = sizes.keys();
        int heads = Math.max(2, sizes.heads() * 2 / 5);
        int keyHeads = heads / 2;
        int head = sizes.heads() > 2 ? 256 : 32;
        float scale = (float) (1 / Math.sqrt(head));
        return new Trial(
                "text_attention",
                dtype,
                Trial.text(tokens, heads, head) + ", %d heads of keys".formatted(keyHeads),
                on -> {
                    Tensor qkv = on.input(dtype, tokens, (long) (heads + 2 * keyHeads) * head);
                    Tensor out = on.output(dtype, tokens, (long) heads * head);
                    on.ops()
                            .textAttention(
                                    qkv,
                                    heads,
                                    keyHeads,
                                    THETA,
                                    scale,
                                    (float) SOFT_CAP,
                                    KEYS_WINDOW,
                                    out);
                    on.near("out", out, Bound.sums(dtype, Math.max(tokens, head)));
                });
    }
}
