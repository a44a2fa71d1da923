// Softmax attention in f32 as plain multiply-adds: what softmax_attention.cuh describes.
//
// A block is 16 x 16 threads and takes 64 queries. Thread (x, y) computes the dot products of
// queries 4y to 4y+3 with keys x, x+16, x+32 and x+48 of a tile, and the sums of these queries for
// columns 4x to 4x+3 and 64+4x to 64+4x+3 of 128. Factors come from shared memory 16 bytes at a
// time: 8 loads for 64 multiply-adds of dot products, 12 for 128 of sums. 18 KiB hold in turn 32
// channels of the queries and of the keys, and the values of 32 keys; the weights pass through 17
// KiB more. Nothing is copied ahead: two blocks share a multiprocessor (128 registers a thread) and
// hide each other's loads.
#pragma once

#include "cuda/softmax_attention_operands.cuh"

namespace sv::cuda {
namespace {

constexpr int kSide = 16, kPlainThreads = kSide * kSide;
constexpr int kOwn = 4;  // queries of a thread, and keys
constexpr int kPlainQueryTile = kSide * kOwn;
constexpr int kSlab = 32;  // channels that are staged, or keys
constexpr int kColumns = 128;
// Four more keep the rows that a warp reads at once apart in the banks.
constexpr int kSlabPitch = kSlab + 4, kWeightPitch = kKeyTile + 4;
constexpr int kStage = (kPlainQueryTile + kKeyTile) * kSlabPitch;
constexpr int kWeights = kPlainQueryTile * kWeightPitch;
static_assert(kSlab * kColumns <= kStage && kSide * kOwn == kKeyTile);

// The largest, or the sum, over the 16 threads that share their queries: half a warp.
template <typename Combine>
__device__ float over_half_warp(float value, const Combine& combine) {
    for (int distance = kSide / 2; distance > 0; distance /= 2) {
        value = combine(value, __shfl_xor_sync(kAllLanes, value, distance));
    }
    return value;
}

// s += q k^T over a slab of channels
__device__ void multiply_keys(float (&s)[kOwn][kOwn], const float* queries, const float* keys) {
    int x = threadIdx.x % kSide, y = threadIdx.x / kSide;
    // One step at a time, here and below: with more on their way registers would spill.
#pragma unroll 1
    for (int c = 0; c < kSlab; c += 4) {
        Vector<float, 4> q[kOwn], k[kOwn];
#pragma unroll
        for (int i = 0; i < kOwn; ++i) {
            q[i] = load<float, 4>(queries + (y * kOwn + i) * kSlabPitch + c);
            k[i] = load<float, 4>(keys + (x + i * kSide) * kSlabPitch + c);
        }
#pragma unroll
        for (int e = 0; e < 4; ++e) {
#pragma unroll
            for (int i = 0; i < kOwn; ++i) {
#pragma unroll
                for (int j = 0; j < kOwn; ++j) s[i][j] += q[i].at[e] * k[j].at[e];
            }
        }
    }
}

// o += weights values over a slab of keys
__device__ void multiply_values(float (&o)[kOwn][8], const float* weights, const float* values) {
    int x = threadIdx.x % kSide, y = threadIdx.x / kSide;
#pragma unroll 1
    for (int key = 0; key < kSlab; key += 4) {
        Vector<float, 4> w[kOwn];
#pragma unroll
        for (int i = 0; i < kOwn; ++i) {
            w[i] = load<float, 4>(weights + (y * kOwn + i) * kWeightPitch + key);
        }
#pragma unroll
        for (int e = 0; e < 4; ++e) {
            const float* row = values + (key + e) * kColumns + 4 * x;
            Vector<float, 4> v[2] = {load<float, 4>(row), load<float, 4>(row + kColumns / 2)};
#pragma unroll
            for (int i = 0; i < kOwn; ++i) {
#pragma unroll
                for (int j = 0; j < 8; ++j) o[i][j] += w[i].at[e] * v[j / 4].at[j % 4];
            }
        }
    }
}

template <typename Keys>
__global__ void __launch_bounds__(kPlainThreads, 2) attend_f32(Attention<float> a, Keys keys) {
    SharedMemory memory;
    float* stage = memory.shared<float>(kStage);
    float* weights = memory.shared<float>(kWeights);
    float* stage_of_keys = stage + kPlainQueryTile * kSlabPitch;
    int x = threadIdx.x % kSide, y = threadIdx.x / kSide;
    Part part = part_of_block(a, kPlainQueryTile, kColumns);
    KeyTiles tiles(keys, part.query, min(part.query + kPlainQueryTile, a.queries) - 1);
    const float* q = a.q.of(part.batch, part.head) + part.query * a.q.row;
    const float* k = a.k.of(part.batch, part.head / a.group);
    const float* v = a.v.of(part.batch, part.head / a.group) + part.column;
    auto largest_of = [](float a, float b) { return fmaxf(a, b); };
    auto sum_of = [](float a, float b) { return a + b; };

    float o[kOwn][8] = {}, maximum[kOwn], total[kOwn] = {}, factor[kOwn];
#pragma unroll
    for (int i = 0; i < kOwn; ++i) {
        maximum[i] = -INFINITY;
        factor[i] = keys.factor(min(part.query + y * kOwn + i, a.queries - 1));
    }
    for (int tile = tiles.begin; tile < tiles.end; tile += kKeyTile) {
        float s[kOwn][kOwn] = {};
        for (int channel = 0; channel < a.size; channel += kSlab) {
            __syncthreads();  // all are done with the stage
            copy_tile<kPlainQueryTile, kSlab, kPlainThreads>(
                q + channel, a.q.row, a.queries - part.query, a.size - channel, stage, kSlabPitch);
            copy_tile<kKeyTile, kSlab, kPlainThreads>(k + tile * a.k.row + channel, a.k.row,
                                                      a.keys - tile, a.size - channel,
                                                      stage_of_keys, kSlabPitch);
            copy_async_wait<0>();
            __syncthreads();
            multiply_keys(s, stage, stage_of_keys);
        }

        bool whole = tiles.whole(tile);
#pragma unroll
        for (int i = 0; i < kOwn; ++i) {
            int query = part.query + y * kOwn + i;
            float largest = maximum[i];
#pragma unroll
            for (int j = 0; j < kOwn; ++j) {
                int key = tile + x + j * kSide;
                bool seen = whole || (key >= keys.begin(query) && key < keys.end(query));
                s[i][j] = seen ? keys.logit(s[i][j]) : -INFINITY;
                largest = fmaxf(largest, s[i][j]);
            }
            largest = over_half_warp(largest, largest_of);
            // Where no key was seen yet, every weight is 0.
            float base = largest == -INFINITY ? 0.0f : largest;
            float fade = expf(factor[i] * (maximum[i] - base));
            maximum[i] = largest;
            total[i] *= fade;
#pragma unroll
            for (int j = 0; j < kOwn; ++j) {
                float weight = expf(factor[i] * (s[i][j] - base));
                total[i] += weight;
                weights[(y * kOwn + i) * kWeightPitch + x + j * kSide] = weight;
            }
#pragma unroll
            for (float& sum : o[i]) sum *= fade;
        }

        for (int key = tile; key < min(tile + kKeyTile, tiles.end); key += kSlab) {
            __syncthreads();
            copy_tile<kSlab, kColumns, kPlainThreads>(v + key * a.v.row, a.v.row, a.keys - key,
                                                      a.size - part.column, stage, kColumns);
            copy_async_wait<0>();
            __syncthreads();
            multiply_values(o, weights + key - tile, stage);
        }
    }

#pragma unroll
    for (int i = 0; i < kOwn; ++i) {
        float inverse = 1.0f / over_half_warp(total[i], sum_of);
        int query = part.query + y * kOwn + i;
        if (query >= a.queries) continue;
        float* to = a.out.of(part.batch, part.head) + query * a.out.row;
#pragma unroll
        for (int j = 0; j < 8; j += 4) {
            int column = part.column + j / 4 * (kColumns / 2) + 4 * x;
            if (column >= a.size) continue;
            store(to + column, Vector<float, 4>{o[i][j] * inverse, o[i][j + 1] * inverse,
                                                o[i][j + 2] * inverse, o[i][j + 3] * inverse});
        }
    }
}

template <typename Keys>
void attend(Context& context, const Attention<float>& a, Keys keys) {
    int64_t blocks = divide_up(a.queries, kPlainQueryTile) * divide_up(a.size, kColumns) * a.heads;
    launch(context, attend_f32<Keys>, count_of(blocks * a.batch, "blocks"), kPlainThreads,
           shared_size<float>(kStage) + shared_size<float>(kWeights), a, keys);
}

}  // namespace
}  // namespace sv::cuda
