// Linear attention in plain fp32 multiply-adds, for f32 and for heads of any size: tiling and
// arithmetic in linear_attention.cu.
#pragma once

#include "cuda/launch.cuh"
#include "cuda/linear_attention.cuh"

namespace sv::cuda {
namespace {

constexpr int kPlainDepth = 16;  // terms of a product that are in shared memory at a time

// A block computes a square of Side x Side sums, each thread 8 x 8 of them: in rows and in columns,
// four neighbours in each half of the square.
template <int Side>
struct Square {
    static constexpr int kAcross = Side / 8;  // threads that compute, in a row
    static constexpr int kThreads = static_cast<int>(round_up(kAcross * kAcross, kLanes));
    static constexpr int kStride = Side + 4;

    // The index in the square of a thread's `i`-th row or column.
    static __device__ __forceinline__ int index(int thread, int i) {
        return i / 4 * (Side / 2) + thread * 4 + i % 4;
    }

    // sums += the product of `left` and `right`, both [kPlainDepth, kStride]: one row a term.
    static __device__ __forceinline__ void add(const float* left, const float* right,
                                               float (&sums)[8][8]) {
        int row = static_cast<int>(threadIdx.x) / kAcross * 4;
        int column = static_cast<int>(threadIdx.x) % kAcross * 4;
        if (row >= Side / 2) return;
#pragma unroll 2
        for (int k = 0; k < kPlainDepth; ++k) {
            float a[8], b[8];
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                int at = k * kStride + half * (Side / 2);
                auto rows = load<float, 4>(left + at + row);
                auto columns = load<float, 4>(right + at + column);
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    a[half * 4 + i] = rows.at[i];
                    b[half * 4 + i] = columns.at[i];
                }
            }
#pragma unroll
            for (int i = 0; i < 8; ++i) {
#pragma unroll
                for (int j = 0; j < 8; ++j) sums[i][j] += a[i] * b[j];
            }
        }
    }
};

__device__ __forceinline__ Pair pair_of(const float* from) { return {from[0], from[1]}; }

// The features of two neighbouring channels.
template <typename T>
__device__ __forceinline__ Pair features(const T* x, float scale, Pair weight) {
    return {feature(widen(x[0]), scale, weight.even), feature(widen(x[1]), scale, weight.odd)};
}

// Phase A: a square of each chunk's part of S, value channels down, key channels across, and the
// chunk's part of z.
template <typename T, int Side>
__global__ void __launch_bounds__(Square<Side>::kThreads, 1)
    sum_chunks_plain(Tokens<T> in, int chunks, States parts) {
    using S = Square<Side>;
    constexpr int kPairs = Side / 2;               // in a row of the square
    constexpr int kTokens = S::kThreads / kPairs;  // read at a time
    static_assert(S::kThreads % kPairs == 0 && kPlainDepth % kTokens == 0);
    SharedMemory memory;
    float* values = memory.shared<float>(kPlainDepth * S::kStride);
    float* keys = memory.shared<float>(kPlainDepth * S::kStride);
    float* key_sums = memory.shared<float>(kTokens * Side);

    int squares = (in.size + Side - 1) / Side;
    int64_t index = blockIdx.x;
    int left = static_cast<int>(index % squares) * Side;
    index /= squares;
    int top = static_cast<int>(index % squares) * Side;
    index /= squares;
    int head = static_cast<int>(index % in.heads);
    index /= in.heads;
    int chunk = static_cast<int>(index % chunks);
    int64_t batch = index / chunks;
    int64_t steps = (in.tokens + kPlainDepth - 1) / kPlainDepth;
    int64_t first = steps * chunk / chunks * kPlainDepth;
    int64_t last = min(steps * (chunk + 1) / chunks * kPlainDepth, in.tokens);

    int column = static_cast<int>(threadIdx.x) % kPairs * 2;
    int first_row = static_cast<int>(threadIdx.x) / kPairs;
    bool has_key = left + column < in.size, has_value = top + column < in.size;
    Pair weight{0, 0}, key_sum{0, 0};
    if (has_key) weight = pair_of(in.weights[kKey] + head * in.size + left + column);
    // Of this thread's first token of a step.
    int stride = 3 * in.heads * in.size, left_tokens = static_cast<int>(last - first) - first_row;
    const T* k = in.row(batch, first + first_row, kKey) + head * in.size + column;
    const float* angle = in.angles + (first + first_row) * in.size + left + column;
    const float* square_sum = in.square_sums + (batch * in.tokens + first + first_row) * 2 + kKey;
    float sums[8][8] = {};
    for (int64_t start = first; start < last; start += kPlainDepth) {
#pragma unroll
        for (int row = 0; row < kPlainDepth; row += kTokens) {
            Pair key{0, 0}, value{0, 0};
            if (row < left_tokens && has_key) {
                key = features(k + row * stride + left, in.scale(square_sum[row * 2]), weight);
                key_sum = {key_sum.even + key.even, key_sum.odd + key.odd};
                key = rotate(key, pair_of(angle + row * in.size));
            }
            if (row < left_tokens && has_value) {
                const T* v = k + row * stride + in.heads * in.size + top;
                value = {widen(v[0]), widen(v[1])};
            }
            int at = (first_row + row) * S::kStride + column;
            store<float, 2>(keys + at, {key.even, key.odd});
            store<float, 2>(values + at, {value.even, value.odd});
        }
        k += kPlainDepth * stride;
        angle += kPlainDepth * in.size;
        square_sum += kPlainDepth * 2;
        left_tokens -= kPlainDepth;
        __syncthreads();
        S::add(values, keys, sums);
        __syncthreads();
    }

    States part = parts.of((int64_t{chunk} * in.batch + batch) * in.heads + head, in.size);
    store<float, 2>(key_sums + first_row * Side + column, {key_sum.even, key_sum.odd});
    __syncthreads();
    for (int j = threadIdx.x; j < Side; j += S::kThreads) {
        if (top > 0 || left + j >= in.size) continue;
        float sum = 0;
        for (int row = 0; row < kTokens; ++row) sum += key_sums[row * Side + j];
        part.keys[left + j] = sum;
    }
    int down = static_cast<int>(threadIdx.x) / S::kAcross;
    int across = static_cast<int>(threadIdx.x) % S::kAcross;
    if (down >= S::kAcross) return;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
#pragma unroll
        for (int j = 0; j < 8; j += 2) {
            int64_t row = top + S::index(down, i);
            int at = left + S::index(across, j);
            if (row >= in.size || at >= in.size) continue;
            store<float, 2>(part.values + row * in.size + at, {sums[i][j], sums[i][j + 1]});
        }
    }
}

// Phase C: the outputs of Side tokens, Side value channels of them.
template <typename T, int Side>
__global__ void __launch_bounds__(Square<Side>::kThreads, 1)
    read_state_plain(Tokens<T> in, States states, float epsilon, T* out) {
    using S = Square<Side>;
    constexpr int kShare = S::kThreads / Side;  // threads that read one token's channels
    constexpr int kMine = kPlainDepth / kShare;
    static_assert(S::kThreads % Side == 0 && kPlainDepth % (2 * kShare) == 0);
    SharedMemory memory;
    float* queries = memory.shared<float>(kPlainDepth * S::kStride);
    float* values = memory.shared<float>(kPlainDepth * S::kStride);
    float* factors = memory.shared<float>(Side);

    int squares = (in.size + Side - 1) / Side;
    int64_t ranges = (in.tokens + Side - 1) / Side;
    int64_t index = blockIdx.x;
    int left = static_cast<int>(index % squares) * Side;
    index /= squares;
    int head = static_cast<int>(index % in.heads);
    index /= in.heads;
    int64_t first = index % ranges * Side;
    int64_t batch = index / ranges;
    States state = states.of(batch * in.heads + head, in.size);

    int row = static_cast<int>(threadIdx.x) / kShare;
    int first_term = static_cast<int>(threadIdx.x) % kShare * kMine;
    int64_t token = first + row;
    bool has_query = token < in.tokens, has_value = left + row < in.size;
    const T* x = in.row(batch, token, kQuery) + head * in.size;
    const float* angles = in.angles + token * in.size;
    const float* s = state.values + int64_t{left + row} * in.size;
    float scale =
        has_query ? in.scale(in.square_sums[(batch * in.tokens + token) * 2 + kQuery]) : 0.0f;
    float dot = 0;
    float sums[8][8] = {};
    for (int start = 0; start < in.size; start += kPlainDepth) {
#pragma unroll
        for (int i = 0; i < kMine; i += 2) {
            int term = first_term + i, channel = start + term;
            Pair query{0, 0}, value{0, 0};
            if (has_query && channel < in.size) {
                query = features(x + channel, scale,
                                 pair_of(in.weights[kQuery] + head * in.size + channel));
                Pair key = pair_of(state.keys + channel);
                dot += key.even * query.even + key.odd * query.odd;
                query = rotate(query, pair_of(angles + channel));
            }
            if (has_value && channel < in.size) value = pair_of(s + channel);
            int at = term * S::kStride + row;
            queries[at] = query.even;
            queries[at + S::kStride] = query.odd;
            values[at] = value.even;
            values[at + S::kStride] = value.odd;
        }
        __syncthreads();
        S::add(queries, values, sums);
        __syncthreads();
    }

    for (int distance = kShare / 2; distance > 0; distance /= 2) {
        dot += __shfl_xor_sync(kAllLanes, dot, distance);
    }
    if (first_term == 0) factors[row] = 1.0f / (dot + epsilon);
    __syncthreads();
    int down = static_cast<int>(threadIdx.x) / S::kAcross;
    int across = static_cast<int>(threadIdx.x) % S::kAcross;
    if (down >= S::kAcross) return;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        int at = S::index(down, i);
        if (first + at >= in.tokens) continue;
        T* to = out + ((batch * in.tokens + first + at) * in.heads + head) * in.size;
#pragma unroll
        for (int j = 0; j < 8; j += 4) {
            int channel = left + S::index(across, j);
            Vector<T, 4> four;
#pragma unroll
            for (int c = 0; c < 4; ++c) four.at[c] = narrow<T>(sums[i][j + c] * factors[at]);
            if (in.aligned && channel < in.size) {
                store<T, 4>(to + channel, four);
            } else {
                for (int c = 0; c < 4; ++c) {
                    if (channel + c < in.size) to[channel + c] = four.at[c];
                }
            }
        }
    }
}

}  // namespace
}  // namespace sv::cuda
