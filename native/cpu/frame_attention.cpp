// Single-head softmax attention inside each frame; formula in sanavideo/attention.h.
//
// A frame has thousands of pixels: the softmax runs over blocks of keys with a running maximum and
// sum (online softmax: Milakov and Gimelshein, 2018), so that only [kTile, kBlock] logits exist at
// a time. Keys and values of one frame are packed at a time; scratch grows with the frame's size,
// not with the clip. Bound by products: 4 * pixels^2 * channels flops a frame. Where the variant
// multiplies bf16 pairs, the softmax's weights are rounded to bf16 for them.
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

constexpr int64_t kTile = 96;    // queries
constexpr int64_t kBlock = 384;  // keys

// Keys and values of a frame, packed block by block.
template <typename Element>
struct Blocks {
    int64_t pixels, channels;
    Element* keys;    // a block: [channels, its keys]
    Element* values;  // a block: [its keys, channels]

    int64_t count() const { return (pixels + kBlock - 1) / kBlock; }
    int64_t size(int64_t block) const { return std::min(kBlock, pixels - block * kBlock); }
    Element* block_keys(int64_t block) const {
        return keys + block * packed_size<Element>(channels, kBlock);
    }
    Element* block_values(int64_t block) const {
        return values + block * packed_size<Element>(kBlock, channels);
    }
};

// One tile of queries and its running softmax.
template <typename Element>
struct Tile {
    Element* queries;  // [kTile, padded channels]
    Element* weights;  // [kTile, kBlock]
    float* logits;     // [kTile, kBlock]
    float* sums;       // [kTile, padded channels]: weighted values so far
    float maximum[kTile];
    float total[kTile];
};

template <typename Element>
void add_block(const Blocks<Element>& frame, int64_t block, int64_t count, float scale,
               Tile<Element>& tile) {
    int64_t keys = frame.size(block);
    int64_t query_row = padded_depth<Element>(frame.channels);
    int64_t weight_row = padded_depth<Element>(keys);
    int64_t logit_row = padded_columns(keys);
    int64_t sum_row = padded_columns(frame.channels);
    product(count, keys, frame.channels, tile.queries, query_row, kUnit<Element>,
            frame.block_keys(block), false, tile.logits, logit_row);
    for (int64_t n = 0; n < count; ++n) {
        const float* row = tile.logits + n * logit_row;
        Element* weights = tile.weights + n * weight_row;
        float maximum = std::max(tile.maximum[n], largest(row, keys));
        float sum = exponentials(row, keys, scale, maximum, weights);
        std::fill(weights + keys, weights + weight_row, Element{});
        if (block == 0) {
            tile.total[n] = sum;
        } else {
            float fade = exponential(scale * (tile.maximum[n] - maximum));
            tile.total[n] = tile.total[n] * fade + sum;
            float* sums = tile.sums + n * sum_row;
#pragma omp simd
            for (int64_t c = 0; c < frame.channels; ++c) sums[c] *= fade;
        }
        tile.maximum[n] = maximum;
    }
    product(count, frame.channels, keys, tile.weights, weight_row, kUnit<Element>,
            frame.block_values(block), block > 0, tile.sums, sum_row);
}

template <typename T>
void attend(sv_context& context, const sv_tensor& qkv, const sv_tensor& out) {
    using Element = ProductElement<T>;
    int64_t frames = qkv.shape[0], pixels = qkv.shape[1], channels = qkv.shape[3];
    Blocks<Element> frame{pixels, channels, nullptr, nullptr};
    Scratch<Element> keys(context.memory, frame.count() * packed_size<Element>(channels, kBlock));
    Scratch<Element> values(context.memory, frame.count() * packed_size<Element>(kBlock, channels));
    frame.keys = keys;
    frame.values = values;

    int64_t query_row = padded_depth<Element>(channels);
    int64_t sum_row = padded_columns(channels);
    Scratch<Element> queries(context.memory, context.threads * kTile * query_row);
    Scratch<Element> weights(context.memory, context.threads * kTile * kBlock);
    Scratch<float> logits(context.memory, context.threads * kTile * kBlock);
    Scratch<float> sums(context.memory, context.threads * kTile * sum_row);
    float scale = 1.0f / std::sqrt(static_cast<float>(channels));

    for (int64_t f = 0; f < frames; ++f) {
        const T* in = static_cast<const T*>(qkv.data) + f * pixels * 3 * channels;
        T* to = static_cast<T*>(out.data) + f * pixels * channels;
        parallel_tasks(context, frame.count(), [&](int64_t block, int) {
            const T* first = in + block * kBlock * 3 * channels;
            pack_transposed(first + channels, 3 * channels, channels, frame.size(block),
                            frame.block_keys(block));
            pack_rows(first + 2 * channels, 3 * channels, frame.size(block), channels,
                      frame.block_values(block));
        });
        int64_t tiles = (pixels + kTile - 1) / kTile;
        parallel_tasks(context, tiles, [&](int64_t task, int thread) {
            int64_t first = task * kTile;
            int64_t count = std::min(kTile, pixels - first);
            Tile<Element> tile{queries + thread * kTile * query_row,
                               weights + thread * kTile * kBlock,
                               logits + thread * kTile * kBlock,
                               sums + thread * kTile * sum_row,
                               {},
                               {}};
            std::fill_n(tile.maximum, kTile, -INFINITY);
            for (int64_t n = 0; n < count; ++n) {
                const T* from = in + (first + n) * 3 * channels;
                Element* query = tile.queries + n * query_row;
                for (int64_t c = 0; c < channels; ++c) query[c] = narrow<Element>(widen(from[c]));
                std::fill(query + channels, query + query_row, Element{});
            }
            for (int64_t block = 0; block < frame.count(); ++block) {
                add_block(frame, block, count, scale, tile);
            }
            for (int64_t n = 0; n < count; ++n) {
                T* row = to + (first + n) * channels;
                const float* from = tile.sums + n * sum_row;
                float inverse = 1.0f / tile.total[n];
#pragma omp simd
                for (int64_t c = 0; c < channels; ++c) row[c] = narrow<T>(from[c] * inverse);
            }
        });
    }
}

}  // namespace

void frame_attention(sv_context& context, const sv_tensor& qkv, const sv_tensor& out) {
    with_float_type(qkv.dtype, [&](auto* type) {
        attend<std::remove_pointer_t<decltype(type)>>(context, qkv, out);
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
