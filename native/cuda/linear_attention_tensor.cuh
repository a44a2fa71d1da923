// Linear attention in bf16 on tensor cores, for heads of up to 256 channels whose rows begin at
// multiples of 16 bytes: tiling and arithmetic in linear_attention.cu.
#pragma once

#include "cuda/linear_attention_tiles.cuh"

namespace sv::cuda {
namespace {

// Phase A: the part of S and z that each chunk of tokens adds. S is v (value channels down, tokens
// across) times k (tokens down, key channels across): v is the product's left operand, so both are
// loaded transposed.
template <int Size>
__global__ void __launch_bounds__(kThreads, 1)
    sum_chunks(Tokens<bf16> in, int chunks, States parts) {
    using P = Plan<Size>;
    SharedMemory memory;
    bf16* key_rows = memory.shared<bf16>(P::kSumStages * P::kKeyTile);
    bf16* value_rows = memory.shared<bf16>(P::kSumStages * P::kValueTile);
    float* key_sums = memory.shared<float>(kWarps * P::kHeads * Size);
    Place my;
    Work work = Work::of<P>(in, chunks);

    int head = my.warp / P::kHeadWarps;
    // Bands of unequal height change places between the heads, or one scheduler would get the high
    // ones.
    int band = (my.warp % P::kHeadWarps / 2 + head) % P::kBands;
    int first_row = band * P::kBandTiles, first_column = my.warp % 2 * P::kHalfTiles;
    constexpr int kLeastBand = P::kRowTiles - (P::kBands - 1) * P::kBandTiles;
    int row_tiles = min(P::kBandTiles, P::kRowTiles - first_row);
    int first_key = my.down_row * P::kKeyStride + head * Size + first_column * 8;
    int first_value =
        my.across_row * P::kValueStride + head * P::kRows + first_row * 16 + my.across_column;

    RowCopies<P::kHeads, Size> key_copies(in, work, kKey, 0, my);
    RowCopies<P::kHeads, P::kRows> value_copies(in, work, kValue, work.slice * P::kRows, my);
    Features<P> features(in, work, kKey, my);
    float sums[P::kBandTiles][P::kHalfTiles][4] = {};
    float keys[P::kPieces][4] = {};
    run_tiles<P::kSumStages>(
        work.tiles, my.warp < kWarps / 2,
        [&](int stage) {
            key_copies.start_next(key_rows + stage * P::kKeyTile);
            value_copies.start_next(value_rows + stage * P::kValueTile);
        },
        [&] { features.begin(); },
        [&](int turn, int stage) {
            features.make_next(turn, key_rows + stage * P::kKeyTile,
                               [&](int, int p, const float (&four)[4]) {
#pragma unroll
                                   for (int c = 0; c < 4; ++c) keys[p][c] += four[c];
                               });
        },
        [&](int, int stage, int) {
            const bf16* value = value_rows + stage * P::kValueTile + first_value;
            const bf16* key = key_rows + stage * P::kKeyTile + first_key;
            with_count<P::kBandTiles, kLeastBand>(row_tiles, [&](auto rows) {
                constexpr int kTiles = decltype(rows)::value;
                uint32_t a[kTiles][4];
#pragma unroll
                for (int m = 0; m < kTiles; ++m) load_matrix_x4_transposed(a[m], value + m * 16);
                auto add = [&](int n, const uint32_t (&b)[2]) {
#pragma unroll
                    for (int m = 0; m < kTiles; ++m) mma_bf16_m16n8k16(sums[m][n], a[m], b);
                };
                // Two units of columns at a time, and the next two on their way.
                constexpr int kTwos = P::kHalfTiles / 2;
                uint32_t b[kTwos + 1][4], last[2];
                auto load_two = [&](int n) {
                    if (n < kTwos) load_matrix_x4_transposed(b[n], key + n * 16 + my.down_column);
                    if (n == kTwos && P::kHalfTiles % 2 == 1) {
                        load_matrix_x2_transposed(last, key + n * 16);
                    }
                };
                load_two(0);
#pragma unroll
                for (int n = 0; n < kTwos; ++n) {
                    load_two(n + 1);
                    add(2 * n, {b[n][0], b[n][1]});
                    add(2 * n + 1, {b[n][2], b[n][3]});
                }
                if (P::kHalfTiles % 2 == 1) add(P::kHalfTiles - 1, last);
            });
        });

    // The sum of keys over the warps, in their order.
#pragma unroll
    for (int p = 0; p < P::kPieces; ++p) {
        int channel = Features<P>::channel_of(p, my);
        if (channel >= Size) continue;
        float* to = key_sums + (my.warp * P::kHeads + Features<P>::head_of(p)) * Size + channel;
        store<float, 4>(to, {keys[p][0], keys[p][1], keys[p][2], keys[p][3]});
    }
    __syncthreads();
    int64_t first_state = (int64_t{work.part} * in.batch + work.batch) * in.heads + work.head;
    for (int i = threadIdx.x; i < P::kHeads * Size; i += kThreads) {
        if (work.slice > 0 || work.head + i / Size >= in.heads || i % Size >= in.size) continue;
        float sum = 0;
        for (int warp = 0; warp < kWarps; ++warp) sum += key_sums[warp * P::kHeads * Size + i];
        parts.of(first_state + i / Size, in.size).keys[i % Size] = sum;
    }
    if (work.head + head >= in.heads) return;
    float* values = parts.of(first_state + head, in.size).values;
#pragma unroll
    for (int m = 0; m < P::kBandTiles; ++m) {
#pragma unroll
        for (int n = 0; n < P::kHalfTiles; ++n) {
            int column = (first_column + n) * 8 + my.member * 2;
            if (m >= row_tiles || column >= in.size) continue;
#pragma unroll
            for (int r = 0; r < 2; ++r) {
                int row = work.slice * P::kRows + (first_row + m) * 16 + my.group + r * 8;
                if (row >= in.size) continue;
                store<float, 2>(values + row * in.size + column,
                                {sums[m][n][2 * r], sums[m][n][2 * r + 1]});
            }
        }
    }
}

// The sums over the warp of Count values, a power of two; a lane gets the one of number
// lane / (kLanes / Count).
template <int Count>
__device__ __forceinline__ float sum_each(float (&values)[Count], int lane) {
    int distance = kLanes / 2;
#pragma unroll
    for (int half = Count / 2; half > 0; half /= 2) {
        bool upper = (lane & distance) != 0;
#pragma unroll
        for (int i = 0; i < half; ++i) {
            float mine = upper ? values[i + half] : values[i];
            float theirs = upper ? values[i] : values[i + half];
            values[i] = mine + __shfl_xor_sync(kAllLanes, theirs, distance);
        }
        distance /= 2;
    }
#pragma unroll
    for (; distance > 0; distance /= 2) {
        values[0] += __shfl_xor_sync(kAllLanes, values[0], distance);
    }
    return values[0];
}

// Phase C: outputs from the summed state: q (tokens down, key channels across) times S transposed,
// which stays in registers.
template <int Size>
__global__ void __launch_bounds__(kThreads, 1)
    read_state(Tokens<bf16> in, int ranges, States state, float epsilon, bf16* out) {
    using P = Plan<Size>;
    SharedMemory memory;
    bf16* rows = memory.shared<bf16>(P::kReadStages * P::kKeyTile);
    float* factors = memory.shared<float>(kTurns * P::kHeads * kTileTokens);
    Place my;
    Work work = Work::of<P>(in, ranges);

    int head = my.warp / P::kHeadWarps;
    bool has_head = work.head + head < in.heads;
    // Columns of the product are channels in an order that gives a lane four neighbours in two
    // tiles, 8 bytes of the output. Of the tiles that do not come out even, the outer warps get
    // more; they change places between the heads, or one scheduler would get them all.
    int rank = (my.warp + head * (P::kHeadWarps / 2)) % P::kHeadWarps;
    auto others_before = [](int warps) {
        int up = 2 * warps < P::kHeadWarps ? P::kHeadWarps - 1 : 0;
        return (warps * P::kOthers + up) / P::kHeadWarps;
    };
    int first_other = others_before(rank);
    constexpr int kLeastTiles = P::kPaired + P::kOthers / P::kHeadWarps;
    int out_tiles = P::kPaired + others_before(rank + 1) - first_other;
    // The channel of the first of two columns of this warp's tile n.
    auto channel_of = [&](int n, int pair) {
        int tile = n < P::kPaired ? rank * P::kPaired + n
                                  : P::kHeadWarps * P::kPaired + first_other + n - P::kPaired;
        return work.slice * P::kRows + tile / 2 * 16 + pair * 4 + tile % 2 * 2;
    };

    RowCopies<P::kHeads, Size> copies(in, work, kQuery, 0, my);
    Features<P> features(in, work, kQuery, my);
    float keys[P::kPieces][4];
    int64_t first_head = work.batch * in.heads;
    Features<P>::pick(state.of(first_head, in.size).keys, in, work, my, keys);
    // S as the sum of two bf16, of which the second is what the first one has rounded away.
    uint32_t high[P::kWarpOutTiles][P::kDepth][2], low[P::kWarpOutTiles][P::kDepth][2];
    // Where this lane's outputs of the first row of a tile go: those of pair of tiles n, n + 1 to
    // mine[channel_of(n) - channel_of(0)]. Their rows end at limits[n / 2].
    int token_stride = in.heads * in.size;
    bf16* mine = out + (work.batch * in.tokens + work.first + my.group) * token_stride +
                 (work.head + head) * in.size + channel_of(0, my.member);
    constexpr int kOutPairs = (P::kWarpOutTiles + 1) / 2;
    int limits[kOutPairs];
#pragma unroll
    for (int n = 0; n < kOutPairs; ++n) {
        bool exists = has_head && channel_of(2 * n, my.member) < in.size;
        limits[n] = exists ? work.tokens - my.group : 0;
    }
    int first_query = my.down_row * P::kKeyStride + head * Size + my.down_column;

    run_tiles<P::kReadStages>(
        work.tiles, my.warp < kWarps / 2,
        [&](int stage) { copies.start_next(rows + stage * P::kKeyTile); },
        [&] {
            const float* values = state.of(first_head + work.head + head, in.size).values;
#pragma unroll
            for (int n = 0; n < P::kWarpOutTiles; ++n) {
                int row = channel_of(n, my.group / 2) + my.group % 2;
#pragma unroll
                for (int d = 0; d < P::kDepth; ++d) {
#pragma unroll
                    for (int r = 0; r < 2; ++r) {
                        int column = d * 16 + r * 8 + my.member * 2;
                        Vector<float, 2> s{};
                        if (has_head && n < out_tiles && row < in.size && column < in.size) {
                            s = load<float, 2>(values + row * in.size + column);
                        }
                        uint32_t rounded = pack_bf16x2(s.at[0], s.at[1]);
                        high[n][d][r] = rounded;
                        low[n][d][r] =
                            pack_bf16x2(s.at[0] - low_half(rounded), s.at[1] - high_half(rounded));
                    }
                }
            }
            features.begin();
        },
        [&](int turn, int stage) {
            float dots[kWarpTokens * P::kHeads] = {};
            features.make_next(turn, rows + stage * P::kKeyTile,
                               [&](int i, int p, const float (&four)[4]) {
                                   float& dot = dots[Features<P>::head_of(p) * kWarpTokens + i];
#pragma unroll
                                   for (int c = 0; c < 4; ++c) dot += keys[p][c] * four[c];
                               });
            constexpr int kShare = kLanes / (kWarpTokens * P::kHeads);
            float factor = 1.0f / (sum_each(dots, my.lane) + epsilon);
            int which = my.lane / kShare;
            int row = which / kWarpTokens * kTileTokens + my.warp + which % kWarpTokens * kWarps;
            if (my.lane % kShare == 0) factors[turn * P::kHeads * kTileTokens + row] = factor;
        },
        [&](int turn, int stage, int tile) {
            const bf16* from = rows + stage * P::kKeyTile + first_query;
            const float* factor = factors + (turn * P::kHeads + head) * kTileTokens + my.group;
            with_count<P::kWarpOutTiles, kLeastTiles>(out_tiles, [&](auto count) {
                constexpr int kTiles = decltype(count)::value;
                float sums[kTiles][4] = {};
                uint32_t a[P::kDepth][4];
                load_matrix_x4(a[0], from);
#pragma unroll
                for (int d = 0; d < P::kDepth; ++d) {
                    if (d + 1 < P::kDepth) load_matrix_x4(a[d + 1], from + (d + 1) * 16);
#pragma unroll
                    for (int n = 0; n < kTiles; ++n) mma_bf16_m16n8k16(sums[n], a[d], high[n][d]);
#pragma unroll
                    for (int n = 0; n < kTiles; ++n) mma_bf16_m16n8k16(sums[n], a[d], low[n][d]);
                }
#pragma unroll
                for (int r = 0; r < 2; ++r) {
                    float by = factor[r * 8];
                    uint32_t pairs[kTiles];
#pragma unroll
                    for (int n = 0; n < kTiles; ++n) {
                        pairs[n] = pack_bf16x2(sums[n][2 * r] * by, sums[n][2 * r + 1] * by);
                    }
#pragma unroll
                    for (int n = 0; n < kTiles; n += 2) {
                        if (tile * kTileTokens + r * 8 >= limits[n / 2]) continue;
                        auto* to = reinterpret_cast<uint32_t*>(mine + r * 8 * token_stride +
                                                               channel_of(n, 0) - channel_of(0, 0));
                        if (n + 1 < kTiles) {
                            store<uint32_t, 2>(to, {pairs[n], pairs[(n + 1) % kTiles]});
                        } else {
                            *to = pairs[n];
                        }
                    }
                }
            });
            mine += kTileTokens * token_stride;
        });
}

}  // namespace
}  // namespace sv::cuda
