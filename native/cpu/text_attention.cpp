// Causal attention of a Gemma-2 layer; formula in sanavideo/attention.h.
//
// Keys are rotated, packed and shared by the query heads of their group; then tiles of queries are
// independent: all logits of a tile's keys, soft cap, mask, softmax, weights times values, in fp32
// for every dtype (the projections around it cost a hundred times more). Scratch grows with the
// text.
#include <cmath>

#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/product.hpp"
#include "cpu/softmax.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

constexpr int64_t kTile = 48;  // queries

// out[n, i] = (cos, sin) of n * f_i, f_i = theta^(-i / half) rounded to bf16
void fill_angles(int64_t tokens, int64_t half, double theta, float* out) {
    for (int64_t i = 0; i < half; ++i) {
        double exact = std::pow(theta, -static_cast<double>(i) / static_cast<double>(half));
        double frequency = widen(narrow<bf16>(static_cast<float>(exact)));
        for (int64_t n = 0; n < tokens; ++n) {
            out[2 * (n * half + i)] =
                static_cast<float>(std::cos(static_cast<double>(n) * frequency));
            out[2 * (n * half + i) + 1] =
                static_cast<float>(std::sin(static_cast<double>(n) * frequency));
        }
    }
}

// Rotates channel i of the first half with i of the second.
template <typename T>
void rotate(const T* row, const float* angles, int64_t half, float* out) {
#pragma omp simd
    for (int64_t i = 0; i < half; ++i) {
        float a = widen(row[i]), b = widen(row[half + i]);
        float cosine = angles[2 * i], sine = angles[2 * i + 1];
        out[i] = a * cosine - b * sine;
        out[half + i] = b * cosine + a * sine;
    }
}

template <typename T>
void attend(sv_context& context, const T* qkv, int64_t tokens, int64_t heads, int64_t key_heads,
            int64_t size, double theta, float scale, float cap, int64_t window, T* out) {
    int64_t half = size / 2;
    int64_t width = (heads + 2 * key_heads) * size;
    int64_t keys_size = packed_size<float>(size, tokens);
    int64_t values_size = packed_size<float>(tokens, size);
    Scratch<float> angles(context.memory, tokens * size);
    Scratch<float> rotated(context.memory, key_heads * tokens * size);
    Scratch<float> keys(context.memory, key_heads * keys_size);
    Scratch<float> values(context.memory, key_heads * values_size);
    fill_angles(tokens, half, theta, angles);
    parallel_tasks(context, key_heads, [&](int64_t head, int) {
        const T* key = qkv + (heads + head) * size;
        float* rows = rotated + head * tokens * size;
        for (int64_t n = 0; n < tokens; ++n) {
            rotate(key + n * width, angles + n * size, half, rows + n * size);
        }
        pack_transposed(rows, size, size, tokens, keys + head * keys_size);
        pack_rows(key + key_heads * size, width, tokens, size, values + head * values_size);
    });

    int64_t logit_row = padded_columns(tokens);
    int64_t out_row = padded_columns(size);
    Scratch<float> tile_queries(context.memory, context.threads * kTile * size);
    Scratch<float> tile_logits(context.memory, context.threads * kTile * logit_row);
    Scratch<float> tile_out(context.memory, context.threads * kTile * out_row);
    int64_t tiles = (tokens + kTile - 1) / kTile;
    parallel_tasks(context, tiles * heads, [&](int64_t task, int thread) {
        int64_t first = task / heads * kTile, head = task % heads;
        int64_t count = std::min(kTile, tokens - first);
        int64_t group = head * key_heads / heads;
        float* queries = tile_queries + thread * kTile * size;
        float* logits = tile_logits + thread * kTile * logit_row;
        float* sums = tile_out + thread * kTile * out_row;
        for (int64_t n = 0; n < count; ++n) {
            rotate(qkv + (first + n) * width + head * size, angles + (first + n) * size, half,
                   queries + n * size);
        }
        product(count, tokens, size, queries, size, 1, keys + group * keys_size, false, logits,
                logit_row);
        float inverse_sums[kTile];
        for (int64_t n = 0; n < count; ++n) {
            int64_t end = first + n + 1;
            int64_t begin = window == 0 ? 0 : std::max<int64_t>(end - window, 0);
            float* row = logits + n * logit_row;
#pragma omp simd
            for (int64_t l = begin; l < end; ++l) {
                float logit = scale * row[l];
                row[l] = cap == 0 ? logit : cap * hyperbolic_tangent(logit / cap);
            }
            float maximum = largest(row + begin, end - begin);
            float sum = exponentials(row + begin, end - begin, 1.0f, maximum, row + begin);
            std::fill(row, row + begin, 0.0f);
            std::fill(row + end, row + tokens, 0.0f);
            inverse_sums[n] = 1.0f / sum;
        }
        product(count, size, tokens, logits, logit_row, 1, values + group * values_size, false,
                sums, out_row);
        for (int64_t n = 0; n < count; ++n) {
            T* row = out + (first + n) * heads * size + head * size;
#pragma omp simd
            for (int64_t i = 0; i < size; ++i) {
                row[i] = narrow<T>(sums[n * out_row + i] * inverse_sums[n]);
            }
        }
    });
}

}  // namespace

void text_attention(sv_context& context, const sv_tensor& qkv, int heads, int key_heads,
                    double theta, float scale, float cap, int64_t window, const sv_tensor& out) {
    with_float_type(qkv.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        attend<T>(context, static_cast<const T*>(qkv.data), qkv.shape[0], heads, key_heads,
                  out.shape[1] / heads, theta, scale, cap, window, static_cast<T*>(out.data));
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
