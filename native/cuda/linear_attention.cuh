// What both ways of linear attention (linear_attention.cu) know of their inputs.
#pragma once

#include "cuda/number.cuh"
#include "cuda/warp.cuh"

namespace sv::cuda {
namespace {

// The two parts of qkv that are turned into features; the third is v.
constexpr int kQuery = 0, kKey = 1, kValue = 2;

// The heads' rows of q, k and v, and what turns q and k into features.
template <typename T>
struct Tokens {
    const T* qkv;              // [batch, tokens, 3, heads, size]
    const float* square_sums;  // [batch, tokens, 2]
    const float* weights[2];   // of q and k: [heads, size]
    const float* angles;       // [tokens, size / 2, 2]
    int64_t batch, tokens;
    int heads, size;
    float inverse_width, norm_epsilon;
    bool aligned;  // rows of a head of qkv, angles and out begin at multiples of 16 bytes

    // The row of head 0.
    __device__ __forceinline__ const T* row(int64_t of, int64_t token, int part) const {
        return qkv + ((of * tokens + token) * 3 + part) * heads * size;
    }

    // 1 / rms of a row.
    __device__ __forceinline__ float scale(float square_sum) const {
        return rsqrtf(square_sum * inverse_width + norm_epsilon);
    }
};

// relu(rms(x) * weight). A NaN stays one.
__device__ __forceinline__ float feature(float x, float scale, float weight) {
    return max_or_nan(x * scale * weight, 0.0f);
}

struct Pair {
    float even, odd;
};

// By an angle whose cosine and sine are given.
__device__ __forceinline__ Pair rotate(Pair x, Pair angle) {
    return {x.even * angle.even - x.odd * angle.odd, x.even * angle.odd + x.odd * angle.even};
}

// The parts of the state that chunks of tokens add, [chunks, batch, heads, ...], or the whole
// state, which is the same with one chunk.
struct States {
    float* values;  // [..., size, size]: row: value channel, column: key channel
    float* keys;    // [..., size]

    // Of one head of one chunk, counted in the order of the layout.
    __device__ __forceinline__ States of(int64_t index, int size) const {
        return {values + index * size * size, keys + index * size};
    }
};

}  // namespace
}  // namespace sv::cuda
