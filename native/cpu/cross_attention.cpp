// Softmax attention of video tokens over a few hundred text tokens; formula in
// sanavideo/attention.h.
//
// Keys and values are packed once per head; then tiles of tokens are independent: logits = q K^T
// for the whole row of keys, softmax in fp32, out = weights V. Scratch grows with the text, not
// with the clip. Bound by products: 4 * keys * head_size * heads * tokens flops. Where the variant
// multiplies bf16 pairs, q (after its norm) and the softmax's weights are rounded to bf16 for them.
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

constexpr int64_t kTile = 96;  // tokens

template <typename T>
void attend(sv_context& context, const sv_tensor& q, const float* square_sums,
            const float* q_weight, float norm_epsilon, const sv_tensor& kv, const sv_tensor& out) {
    using Element = ProductElement<T>;
    int64_t tokens = q.shape[0], heads = q.shape[1], size = q.shape[2], keys = kv.shape[0];
    int64_t width = heads * size;
    auto* queries = static_cast<const T*>(q.data);
    auto* text = static_cast<const T*>(kv.data);
    auto* to = static_cast<T*>(out.data);

    int64_t keys_size = packed_size<Element>(size, keys);
    int64_t values_size = packed_size<Element>(keys, size);
    Scratch<Element> packed_keys(context.memory, heads * keys_size);
    Scratch<Element> packed_values(context.memory, heads * values_size);
    parallel_tasks(context, heads, [&](int64_t head, int) {
        const T* key = text + head * size;
        pack_transposed(key, 2 * width, size, keys, packed_keys + head * keys_size);
        pack_rows(key + width, 2 * width, keys, size, packed_values + head * values_size);
    });

    int64_t query_row = padded_depth<Element>(size);
    int64_t weight_row = padded_depth<Element>(keys);
    int64_t logit_row = padded_columns(keys);
    int64_t out_row = padded_columns(size);
    Scratch<Element> tile_queries(context.memory, context.threads * kTile * query_row);
    Scratch<Element> tile_weights(context.memory, context.threads * kTile * weight_row);
    Scratch<float> tile_logits(context.memory, context.threads * kTile * logit_row);
    Scratch<float> tile_out(context.memory, context.threads * kTile * out_row);
    float scale = 1.0f / std::sqrt(static_cast<float>(size));
    int64_t tiles = (tokens + kTile - 1) / kTile;
    parallel_tasks(context, tiles * heads, [&](int64_t task, int thread) {
        int64_t first = task / heads * kTile, head = task % heads;
        int64_t count = std::min(kTile, tokens - first);
        Element* query = tile_queries + thread * kTile * query_row;
        Element* weights = tile_weights + thread * kTile * weight_row;
        float* logits = tile_logits + thread * kTile * logit_row;
        float* sums = tile_out + thread * kTile * out_row;

        const float* weight = q_weight + head * size;
        for (int64_t n = 0; n < count; ++n) {
            const T* row = queries + (first + n) * width + head * size;
            float square_sum = square_sums[first + n];
            float rms = std::sqrt(square_sum / static_cast<float>(width) + norm_epsilon);
            float inverse = 1.0f / rms;
            Element* normal = query + n * query_row;
#pragma omp simd
            for (int64_t i = 0; i < size; ++i) {
                normal[i] = narrow<Element>(widen(row[i]) * inverse * weight[i]);
            }
            std::fill(normal + size, normal + query_row, Element{});
        }
        product(count, keys, size, query, query_row, kUnit<Element>, packed_keys + head * keys_size,
                false, logits, logit_row);
        float inverse_sums[kTile];
        for (int64_t n = 0; n < count; ++n) {
            const float* row = logits + n * logit_row;
            Element* row_weights = weights + n * weight_row;
            float sum = exponentials(row, keys, scale, largest(row, keys), row_weights);
            std::fill(row_weights + keys, row_weights + weight_row, Element{});
            inverse_sums[n] = 1.0f / sum;
        }
        product(count, size, keys, weights, weight_row, kUnit<Element>,
                packed_values + head * values_size, false, sums, out_row);
        for (int64_t n = 0; n < count; ++n) {
            T* row = to + (first + n) * width + head * size;
#pragma omp simd
            for (int64_t i = 0; i < size; ++i) {
                row[i] = narrow<T>(sums[n * out_row + i] * inverse_sums[n]);
            }
        }
    });
}

}  // namespace

void cross_attention(sv_context& context, const sv_tensor& q, const sv_tensor& square_sums,
                     const sv_tensor& q_weight, float norm_epsilon, const sv_tensor& kv,
                     const sv_tensor& out) {
    with_float_type(q.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        attend<T>(context, q, static_cast<const float*>(square_sums.data),
                  static_cast<const float*>(q_weight.data), norm_epsilon, kv, out);
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
