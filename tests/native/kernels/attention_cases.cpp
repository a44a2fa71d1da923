// Cases of the softmax attentions of sanavideo/attention.h.
#include <algorithm>

#include "case.hpp"

namespace kernels {
namespace {

constexpr float kNormEpsilon = 1e-5f;

Case cross_attention(sv_dtype dtype, int64_t tokens, int64_t keys, int64_t heads, int64_t size,
                     float largest = 1) {
    Case one{"cross_attention",
             text_of({tokens, heads, size}) + ", " + std::to_string(keys) + " keys",
             dtype,
             {}};
    int64_t width = heads * size;
    one.body = [=](Run& run) {
        auto* q = run.input(dtype, {tokens, heads, size});
        auto third = static_cast<float>(width) / 3;  // what the squares of -1 to 1 add up to
        auto* square_sums = run.input(SV_F32, {tokens, 1}, Range{third / 2, third * 2});
        auto* q_weight = run.input(SV_F32, {width}, Range{-largest, largest});
        auto* kv = run.input(dtype, {keys, 2, heads, size}, Range{-largest, largest});
        auto* out = run.output(dtype, {tokens, width}, sum_bound(dtype, std::max(keys, size)));
        run.op([&] {
            return sv_cross_attention(run.context(), q, square_sums, q_weight, kNormEpsilon, kv,
                                      out);
        });
    };
    one.bytes = 2.0 * width * (tokens + keys) * size_of(dtype) + 4.0 * (tokens + width);
    one.flops = 4.0 * tokens * keys * width;
    return one;
}

Case frame_attention(sv_dtype dtype, int64_t frames, int64_t pixels, int64_t channels,
                     float largest = 1) {
    Case one{"frame_attention", text_of({frames, pixels, channels}), dtype, {}};
    one.body = [=](Run& run) {
        auto* qkv = run.input(dtype, {frames, pixels, 3, channels}, Range{-largest, largest});
        auto* out = run.output(dtype, {frames, pixels, channels},
                               sum_bound(dtype, std::max(pixels, channels)));
        run.op([&] { return sv_frame_attention(run.context(), qkv, out); });
    };
    one.bytes = 4.0 * frames * pixels * channels * size_of(dtype);
    one.flops = 4.0 * frames * pixels * pixels * channels;
    return one;
}

struct Mask {
    float cap;
    int64_t window;
};

Case text_attention(sv_dtype dtype, int64_t tokens, int heads, int key_heads, int64_t size,
                    Mask mask, float scale, float largest = 1) {
    Case one{"text_attention",
             text_of({tokens, heads, size}) + ", " + std::to_string(key_heads) + " heads of keys" +
                 (mask.cap == 0 ? "" : ", capped") +
                 (mask.window == 0 ? "" : ", window " + std::to_string(mask.window)),
             dtype,
             {}};
    one.body = [=](Run& run) {
        auto* qkv =
            run.input(dtype, {tokens, (heads + 2 * key_heads) * size}, Range{-largest, largest});
        auto* out =
            run.output(dtype, {tokens, heads * size}, sum_bound(dtype, std::max(tokens, size)));
        run.op([&] {
            return sv_text_attention(run.context(), qkv, heads, key_heads, 1e4, scale, mask.cap,
                                     mask.window, out);
        });
    };
    one.bytes = 2.0 * tokens * (heads + key_heads) * size * size_of(dtype);
    one.flops = 2.0 * tokens * tokens * heads * size;  // half of the products are masked
    return one;
}

}  // namespace

// Tiles: 64 keys; 96 queries in bf16, 64 in f32. Slabs: one of 112, or of 64 (products) and 128
// (columns) channels in bf16, 32 and 128 in f32. Sizes that are no multiple of 8 are not aligned.
std::vector<Case> attention_cases() {
    std::vector<Case> cases;
    auto add = [&](Case one) { cases.push_back(std::move(one)); };
    for (sv_dtype dtype : kFloats) {
        float sharp = dtype == SV_F32 ? 1.25f : 1;
        add(cross_attention(dtype, 1, 1, 1, 112));
        add(cross_attention(dtype, 64, 63, 1, 112));
        add(cross_attention(dtype, 96, 64, 2, 112));
        add(cross_attention(dtype, 97, 65, 2, 112));
        add(cross_attention(dtype, 31, 300, 3, 112, sharp));
        add(cross_attention(dtype, 45, 67, 7, 1, 0.5f));
        add(cross_attention(dtype, 65, 37, 2, 6, 0.7f));
        add(cross_attention(dtype, 19, 129, 3, 8, 0.7f));
        add(cross_attention(dtype, 5, 70, 2, 111));
        add(cross_attention(dtype, 5, 70, 2, 113));
        add(cross_attention(dtype, 5, 70, 2, 256));

        for (int tensor : {0, 3, 4}) {  // q, kv, out
            add(unaligned(cross_attention(dtype, 5, 70, 2, 64), tensor));
        }

        add(frame_attention(dtype, 1, 1, 384));
        add(frame_attention(dtype, 2, 65, 384));
        add(frame_attention(dtype, 3, 23, 5, 0.7f));
        add(frame_attention(dtype, 2, 97, 64));
        add(frame_attention(dtype, 1, 131, 127, sharp));
        add(frame_attention(dtype, 2, 63, 129));

        add(text_attention(dtype, 1, 2, 1, 256, {50, 0}, 1.0f / 16));
        add(text_attention(dtype, 65, 4, 2, 256, {50, 0}, 1.0f / 16));
        add(text_attention(dtype, 65, 2, 2, 64, {0, 0}, 0.125f, sharp));
        add(text_attention(dtype, 197, 2, 1, 10, {1, 0}, -0.5f));
        add(text_attention(dtype, 197, 3, 1, 8, {0, 1}, 1));
        add(text_attention(dtype, 197, 3, 1, 8, {2, 3}, 1));
        add(text_attention(dtype, 197, 2, 2, 8, {0, 64}, 0.5f));
        add(text_attention(dtype, 130, 2, 1, 130, {0, 67}, 0.1f));
        add(text_attention(dtype, 130, 5, 1, 2, {0, 500}, 1));
    }
    return cases;
}

std::vector<Case> attention_perf_cases() {
    return {cross_attention(SV_BF16, 32760, 300, 20, 112),
            cross_attention(SV_F32, 32760, 300, 20, 112), frame_attention(SV_BF16, 21, 6240, 384),
            frame_attention(SV_F32, 1, 6240, 384),
            text_attention(SV_BF16, 300, 8, 4, 256, {50, 4096}, 1.0f / 16)};
}

}  // namespace kernels
