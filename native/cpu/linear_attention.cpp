// Linear attention with a ReLU feature map; formula in sanavideo/attention.h.
//
// Two passes over the tokens, each a small dense product per head on tiles that lie in cache:
//   1. per (chunk of tokens, head): the chunk's part of S^T = sum_n rope(k'_n) v_n^T and of z;
//   2. the parts and the incoming state are summed in the order of the chunks;
//   3. per (tile of tokens, head): rope(q') S^T, divided by z . q' + epsilon.
// Scale, ReLU and rotation happen while a tile is read. The number of chunks depends on the token
// count alone, and so do the bits of the result; scratch does not grow with the clip beyond
// kMaxChunks states. Bound by fp32 products: 4 * head_size^2 * heads * tokens flops.
#include <cmath>

#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/product.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

constexpr int64_t kTile = 96;  // tokens whose features are in cache at a time
constexpr int64_t kChunkTiles = 4;
constexpr int64_t kMaxChunks = 8;

// The heads' rows of q, k and v, and what turns q and k into features.
template <typename T>
struct Tokens {
    const T* qkv;              // [batch, tokens, 3, heads, head_size]
    const float* square_sums;  // [batch, tokens, 2]
    const float* weights[2];   // of q and k: [heads, head_size]
    const float* angles;       // [tokens, head_size / 2, 2]
    int64_t tokens, heads, head_size;
    float norm_epsilon;

    const T* row(int64_t batch, int64_t token, int part, int64_t head) const {
        return qkv + (((batch * tokens + token) * 3 + part) * heads + head) * head_size;
    }

    // x' = relu(rms(x) * weight) of q (part 0) or k (part 1).
    void features(int64_t batch, int64_t token, int part, int64_t head, float* plain) const {
        float width = static_cast<float>(heads * head_size);
        float square_sum = square_sums[(batch * tokens + token) * 2 + part];
        float scale = 1.0f / std::sqrt(square_sum / width + norm_epsilon);
        const T* x = row(batch, token, part, head);
        const float* weight = weights[part] + head * head_size;
#pragma omp simd
        for (int64_t i = 0; i < head_size; ++i) {
            float value = widen(x[i]) * scale * weight[i];
            plain[i] = value < 0 ? 0 : value;
        }
    }

    void rotate(int64_t token, const float* plain, float* rotated) const {
        const float* angle = angles + token * head_size;
#pragma omp simd
        for (int64_t i = 0; i < head_size / 2; ++i) {
            float a = plain[2 * i], b = plain[2 * i + 1];
            float cosine = angle[2 * i], sine = angle[2 * i + 1];
            rotated[2 * i] = a * cosine - b * sine;
            rotated[2 * i + 1] = a * sine + b * cosine;
        }
    }
};

// Scratch of one thread.
struct Tile {
    float* plain;    // [head_size]: x' of one token
    float* rotated;  // [kTile, head_size]: rope(x')
    float* packed;   // v of the tile's tokens, packed as [kTile, head_size]
    float* product;  // [kTile, padded head_size]
    float* factors;  // [kTile]: 1 / (z . q' + epsilon)

    static int64_t size(int64_t head_size) {
        return padded_columns(head_size) * (1 + 3 * kTile) + kTile;
    }
    Tile(float* memory, int64_t head_size) {
        int64_t row = padded_columns(head_size);
        plain = memory;
        rotated = plain + row;
        packed = rotated + kTile * row;
        product = packed + kTile * row;
        factors = product + kTile * row;
    }
};

// The states of all heads: S^T as [batch, heads, head_size, padded head_size] and z as [batch,
// heads, head_size].
struct States {
    float* values;
    float* keys;
    int64_t values_size, keys_size;  // of one head

    float* head_values(int64_t head) const { return values + head * values_size; }
    float* head_keys(int64_t head) const { return keys + head * keys_size; }
};

// The part of S^T and z that tokens [first, last) add.
template <typename T>
void sum_chunk(const Tokens<T>& in, int64_t batch, int64_t head, int64_t first, int64_t last,
               const Tile& tile, float* values, float* keys) {
    int64_t size = in.head_size;
    std::fill_n(keys, size, 0.0f);
    for (int64_t start = first; start < last; start += kTile) {
        int64_t count = std::min(kTile, last - start);
        for (int64_t n = 0; n < count; ++n) {
            in.features(batch, start + n, 1, head, tile.plain);
            in.rotate(start + n, tile.plain, tile.rotated + n * size);
#pragma omp simd
            for (int64_t i = 0; i < size; ++i) keys[i] += tile.plain[i];
        }
        int64_t token_stride = 3 * in.heads * size;
        pack_rows(in.row(batch, start, 2, head), token_stride, count, size, tile.packed);
        product(size, size, count, tile.rotated, 1, size, tile.packed, start > first, values,
                padded_columns(size));
    }
}

// Sums a head's chunks and its incoming state; writes the outgoing state, z, and S^T packed for the
// product.
void sum_states(int64_t size, int64_t chunks, const States* parts, int64_t head,
                const float* in_values, const float* in_keys, float* out_values, float* out_keys,
                float* packed, float* keys) {
    int64_t row = padded_columns(size);
    for (int64_t j = 0; j < size; ++j) {
        float key = in_keys == nullptr ? 0.0f : in_keys[j];
        for (int64_t c = 0; c < chunks; ++c) key += parts[c].head_keys(head)[j];
        keys[j] = key;
        if (out_keys != nullptr) out_keys[j] = key;
        for (int64_t i = 0; i < size; ++i) {
            float value = in_values == nullptr ? 0.0f : in_values[i * size + j];
            for (int64_t c = 0; c < chunks; ++c) value += parts[c].head_values(head)[j * row + i];
            packed[packed_index<float>(j, i, size, size)] = value;
            if (out_values != nullptr) out_values[i * size + j] = value;
        }
    }
}

// Outputs of tokens [first, first + count).
template <typename T>
void read_state(const Tokens<T>& in, int64_t batch, int64_t head, int64_t first, int64_t count,
                const float* packed, const float* keys, float epsilon, const Tile& tile, T* out) {
    int64_t size = in.head_size;
    for (int64_t n = 0; n < count; ++n) {
        in.features(batch, first + n, 0, head, tile.plain);
        in.rotate(first + n, tile.plain, tile.rotated + n * size);
        float normaliser = 0;
#pragma omp simd reduction(+ : normaliser)
        for (int64_t i = 0; i < size; ++i) normaliser += keys[i] * tile.plain[i];
        tile.factors[n] = 1.0f / (normaliser + epsilon);
    }
    int64_t row = padded_columns(size);
    product(count, size, size, tile.rotated, size, 1, packed, false, tile.product, row);
    for (int64_t n = 0; n < count; ++n) {
        T* to = out + ((batch * in.tokens + first + n) * in.heads + head) * size;
#pragma omp simd
        for (int64_t i = 0; i < size; ++i) {
            to[i] = narrow<T>(tile.product[n * row + i] * tile.factors[n]);
        }
    }
}

const float* floats(const sv_tensor& tensor) { return static_cast<const float*>(tensor.data); }

float* head_of(const sv_tensor* state, int64_t head, int64_t size) {
    return state == nullptr ? nullptr : static_cast<float*>(state->data) + head * size;
}

template <typename T>
void attend(sv_context& context, const Tokens<T>& in, int64_t batch, float epsilon,
            const sv_tensor* in_values, const sv_tensor* in_keys, const sv_tensor* out_values,
            const sv_tensor* out_keys, T* out) {
    int64_t size = in.head_size;
    int64_t row = padded_columns(size);
    int64_t all_heads = batch * in.heads;
    int64_t tiles = (in.tokens + kTile - 1) / kTile;
    int64_t chunks = std::clamp<int64_t>(tiles / kChunkTiles, 1, kMaxChunks);

    Scratch<float> tile_memory(context.memory, context.threads * Tile::size(size));
    Scratch<float> values(context.memory, chunks * all_heads * size * row);
    Scratch<float> keys(context.memory, chunks * all_heads * size);
    States parts[kMaxChunks];
    for (int64_t c = 0; c < chunks; ++c) {
        parts[c] = {values + c * all_heads * size * row, keys + c * all_heads * size, size * row,
                    size};
    }
    auto tile_of = [&](int thread) { return Tile(tile_memory + thread * Tile::size(size), size); };
    // Heads vary fastest: neighbouring tasks read neighbouring memory.
    parallel_tasks(context, chunks * all_heads, [&](int64_t task, int thread) {
        int64_t c = task / all_heads, head = task % all_heads;
        int64_t first = tiles * c / chunks * kTile;
        int64_t last = std::min(tiles * (c + 1) / chunks * kTile, in.tokens);
        sum_chunk(in, head / in.heads, head % in.heads, first, last, tile_of(thread),
                  parts[c].head_values(head), parts[c].head_keys(head));
    });

    Scratch<float> packed(context.memory, all_heads * size * row);
    Scratch<float> sums(context.memory, all_heads * size);
    parallel_tasks(context, all_heads, [&](int64_t head, int) {
        sum_states(size, chunks, parts, head, head_of(in_values, head, size * size),
                   head_of(in_keys, head, size), head_of(out_values, head, size * size),
                   head_of(out_keys, head, size), packed + head * size * row, sums + head * size);
    });

    parallel_tasks(context, tiles * all_heads, [&](int64_t task, int thread) {
        int64_t first = task / all_heads * kTile, head = task % all_heads;
        read_state(in, head / in.heads, head % in.heads, first, std::min(kTile, in.tokens - first),
                   packed + head * size * row, sums + head * size, epsilon, tile_of(thread), out);
    });
}

}  // namespace

void linear_attention(sv_context& context, const sv_tensor& qkv, const sv_tensor& square_sums,
                      const sv_tensor& q_weight, const sv_tensor& k_weight, float norm_epsilon,
                      const sv_tensor& angles, float epsilon, const sv_tensor* state_in_values,
                      const sv_tensor* state_in_keys, const sv_tensor* state_out_values,
                      const sv_tensor* state_out_keys, const sv_tensor& out) {
    with_float_type(qkv.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Tokens<T> in{static_cast<const T*>(qkv.data),
                     floats(square_sums),
                     {floats(q_weight), floats(k_weight)},
                     floats(angles),
                     qkv.shape[1],
                     qkv.shape[3],
                     qkv.shape[4],
                     norm_epsilon};
        attend(context, in, qkv.shape[0], epsilon, state_in_values, state_in_keys, state_out_values,
               state_out_keys, static_cast<T*>(out.data));
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
