// Softmax attention in bf16 on tensor cores: what softmax_attention.cuh describes.
//
// A block is 6 warps of 16 queries. A warp holds everything of its queries in registers, as
// fragments (ptx.cuh): the queries, their dot products with a tile of keys, and the sums of values.
// Where one product leaves its results is where the next one takes its left factor, pair by pair,
// so the weights are rounded to bf16 and multiplied with the values without leaving the registers.
//
// Keys and values pass through two buffers of shared memory in turn, 64 rows of Width + 8 elements
// each: 30 KiB together at a Width of 112, 34 KiB at 128. While one is read the copy of the next
// tile fills the other, with one barrier a tile. Up to 168 registers a thread let two blocks share
// a multiprocessor, so that one's softmax runs beside the other's products.
//
// Small heads (kSmallHead) fit one slab: products and columns both go in slabs of Width, and the
// queries stay in registers. Those of other heads come from the first-level cache again with every
// tile of keys, in slabs of 64 channels; their columns go in slabs of 128.
#pragma once

#include "cuda/softmax_attention_operands.cuh"

namespace sv::cuda {
namespace {

constexpr int kWarps = 6;
constexpr int kThreads = kWarps * kLanes;
constexpr int kQueryTile = 16 * kWarps;
constexpr float kLog2E = 1.44269504f;

// Two buffers that tiles of keys and of values pass through: one is filled while the other is read.
template <int Width>
struct Ring {
    // An odd number of words of 16 bytes: eight rows, which ldmatrix reads at once, share no bank.
    static constexpr int kPitch = Width + 8;
    static constexpr int kSize = kKeyTile * kPitch;

    bf16* buffers;
    int last = 1;  // which one was filled last

    template <int Columns>
    __device__ void fill(const bf16* from, int64_t stride, int rows, int columns) {
        last ^= 1;
        copy_tile<kKeyTile, Columns, kThreads>(from, stride, rows, columns, buffers + last * kSize,
                                               kPitch);
    }
    // The tile filled last, once it is there. All warps are then done with the one before, whose
    // place may be filled.
    __device__ const bf16* next() const {
        copy_async_wait<0>();
        __syncthreads();
        return buffers + last * kSize;
    }
};

// The lane's share of the fragments of 16 queries, `row` being that of the lane's first. Zeros for
// queries and channels that are not there.
template <int Slab>
__device__ void load_queries(uint32_t (&q)[Slab / 16][4], const Attention<bf16>& a, Part part,
                             int row, int first_channel) {
    int first = first_channel + threadIdx.x % 4 * 2;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        const bf16* from = a.q.of(part.batch, part.head) + (row + 8 * r) * a.q.row;
        int size = row + 8 * r < a.queries ? a.size : 0;
#pragma unroll
        for (int i = 0; i < Slab / 8; ++i) {
            int channel = first + 8 * i;
            q[i / 2][r + 2 * (i % 2)] = load_words<bf16, 2>(from + channel, channel < size).at[0];
        }
    }
}

// s += q k^T over a slab of channels
template <int Slab, int Width>
__device__ void multiply_keys(float (&s)[kKeyTile / 8][4], const uint32_t (&q)[Slab / 16][4],
                              const bf16* keys) {
    int lane = threadIdx.x % kLanes;
    const bf16* row = keys + (lane % 8 + lane / 16 * 8) * Ring<Width>::kPitch + lane / 8 % 2 * 8;
#pragma unroll
    for (int k = 0; k < Slab / 16; ++k) {
#pragma unroll
        for (int n = 0; n < kKeyTile / 16; ++n) {
            uint32_t b[4];
            load_matrix_x4(b, row + n * 16 * Ring<Width>::kPitch + k * 16);
            mma_bf16_m16n8k16(s[2 * n], q[k], {b[0], b[1]});
            mma_bf16_m16n8k16(s[2 * n + 1], q[k], {b[2], b[3]});
        }
    }
}

// o += weights values, the weights rounded to bf16 as factors of the product
template <int Width>
__device__ void multiply_values(float (&o)[Width / 8][4],
                                const uint32_t (&weights)[kKeyTile / 16][4], const bf16* values) {
    int lane = threadIdx.x % kLanes;
    const bf16* row = values + lane % 16 * Ring<Width>::kPitch + lane / 16 * 8;
#pragma unroll
    for (int k = 0; k < kKeyTile / 16; ++k) {
#pragma unroll
        for (int n = 0; n < Width / 16; ++n) {
            uint32_t b[4];
            load_matrix_x4_transposed(b, row + k * 16 * Ring<Width>::kPitch + n * 16);
            mma_bf16_m16n8k16(o[2 * n], weights[k], {b[0], b[1]});
            mma_bf16_m16n8k16(o[2 * n + 1], weights[k], {b[2], b[3]});
        }
    }
}

// Products with a tile of keys become logits; those that a query does not see, minus infinity.
template <typename Keys>
__device__ void make_logits(float (&s)[kKeyTile / 8][4], const Keys& keys, const KeyTiles& tiles,
                            int tile, int row) {
#pragma unroll
    for (auto& pair : s) {
#pragma unroll
        for (float& value : pair) value = keys.logit(value);
    }
    if (tiles.whole(tile)) return;
    int first = tile + threadIdx.x % 4 * 2;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        int begin = keys.begin(row + 8 * r), end = keys.end(row + 8 * r);
#pragma unroll
        for (int i = 0; i < kKeyTile / 4; ++i) {
            int key = first + i / 2 * 8 + i % 2;
            if (key < begin || key >= end) s[i / 2][2 * r + i % 2] = -INFINITY;
        }
    }
}

// The softmax of the lane's two queries so far. Sums are of the lane's own keys until the end.
struct Running {
    float maximum[2] = {-INFINITY, -INFINITY};
    float total[2] = {0.0f, 0.0f};
    float factor[2];  // of the logits in a power of 2

    // Makes weights of logits, and lets the sums of values fade with the new maximum.
    template <int Columns>
    __device__ void add(float (&s)[kKeyTile / 8][4], uint32_t (&weights)[kKeyTile / 16][4],
                        float (&o)[Columns][4]) {
#pragma unroll
        for (int r = 0; r < 2; ++r) {
            float largest = maximum[r];
#pragma unroll
            for (auto& tile : s) largest = fmaxf(largest, fmaxf(tile[2 * r], tile[2 * r + 1]));
            largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, 1));
            largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, 2));
            // Where no key was seen yet, every weight is 0.
            float base = largest == -INFINITY ? 0.0f : largest * factor[r];
            float fade = exp2_approximate(maximum[r] * factor[r] - base);
            float sum = 0.0f;
#pragma unroll
            for (int n = 0; n < kKeyTile / 8; ++n) {
                float low = exp2_approximate(s[n][2 * r] * factor[r] - base);
                float high = exp2_approximate(s[n][2 * r + 1] * factor[r] - base);
                sum += low + high;
                weights[n / 2][r + 2 * (n % 2)] = pack_bf16x2(low, high);
            }
            maximum[r] = largest;
            total[r] = total[r] * fade + sum;
#pragma unroll
            for (auto& tile : o) {
                tile[2 * r] *= fade;
                tile[2 * r + 1] *= fade;
            }
        }
    }
    // The sum of all weights of query r.
    __device__ float sum(int r) const {
        float sum = total[r];
        sum += __shfl_xor_sync(kAllLanes, sum, 1);
        return sum + __shfl_xor_sync(kAllLanes, sum, 2);
    }
};

template <int Slab, int Width, typename Keys>
__global__ void __launch_bounds__(kThreads, 2) attend_bf16(Attention<bf16> a, Keys keys) {
    SharedMemory memory;
    Ring<Width> ring{memory.shared<bf16>(2 * Ring<Width>::kSize)};
    Part part = part_of_block(a, kQueryTile, Width);
    int lane = threadIdx.x % kLanes;
    int row = part.query + static_cast<int>(threadIdx.x) / kLanes * 16 + lane / 4;
    constexpr bool kStay = Slab == Width;  // the queries in registers
    int slabs = kStay ? 1 : (a.size + Slab - 1) / Slab;
    KeyTiles tiles(keys, part.query, min(part.query + kQueryTile, a.queries) - 1);

    auto fill_keys = [&](int tile, int slab) {
        const bf16* from = a.k.of(part.batch, part.head / a.group) + slab * Slab;
        ring.template fill<Slab>(from + tile * a.k.row, a.k.row, a.keys - tile,
                                 a.size - slab * Slab);
    };
    auto fill_values = [&](int tile) {
        const bf16* from = a.v.of(part.batch, part.head / a.group) + part.column;
        ring.template fill<Width>(from + tile * a.v.row, a.v.row, a.keys - tile,
                                  a.size - part.column);
    };

    uint32_t q[Slab / 16][4];
    float o[Width / 8][4] = {};
    Running running;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
        running.factor[r] = kLog2E * keys.factor(min(row + 8 * r, a.queries - 1));
    }
    fill_keys(tiles.begin, 0);
    if constexpr (kStay) load_queries<Slab>(q, a, part, row, 0);
    for (int tile = tiles.begin; tile < tiles.end; tile += kKeyTile) {
        float s[kKeyTile / 8][4] = {};
        for (int slab = 0; slab < slabs; ++slab) {
            if constexpr (!kStay) load_queries<Slab>(q, a, part, row, slab * Slab);
            const bf16* slab_of_keys = ring.next();
            if (slab + 1 < slabs) {
                fill_keys(tile, slab + 1);
            } else {
                fill_values(tile);
            }
            multiply_keys<Slab, Width>(s, q, slab_of_keys);
        }
        make_logits(s, keys, tiles, tile, row);
        uint32_t weights[kKeyTile / 16][4];
        running.add(s, weights, o);
        const bf16* values = ring.next();
        if (tile + kKeyTile < tiles.end) fill_keys(tile + kKeyTile, 0);
        multiply_values<Width>(o, weights, values);
    }

#pragma unroll
    for (int r = 0; r < 2; ++r) {
        float inverse = 1.0f / running.sum(r);
        int query = row + 8 * r;
        if (query >= a.queries) continue;
        bf16* to = a.out.of(part.batch, part.head) + query * a.out.row;
#pragma unroll
        for (int n = 0; n < Width / 8; ++n) {
            int column = part.column + 8 * n + lane % 4 * 2;
            if (column >= a.size) continue;
            store(to + column, narrow<bf16>({o[n][2 * r] * inverse, o[n][2 * r + 1] * inverse}));
        }
    }
}

template <int Slab, int Width, typename Keys>
void start(Context& context, const Attention<bf16>& a, Keys keys) {
    int64_t blocks = divide_up(a.queries, kQueryTile) * divide_up(a.size, Width) * a.heads;
    launch(context, attend_bf16<Slab, Width, Keys>, count_of(blocks * a.batch, "blocks"), kThreads,
           shared_size<bf16>(2 * Ring<Width>::kSize), a, keys);
}

template <typename Keys>
void attend(Context& context, const Attention<bf16>& a, Keys keys) {
    constexpr int kSmall = Keys::kSmallHead;
    if constexpr (kSmall > 0) {
        if (a.size <= kSmall) return start<kSmall, kSmall>(context, a, keys);
    }
    start<64, 128>(context, a, keys);
}

}  // namespace
}  // namespace sv::cuda
