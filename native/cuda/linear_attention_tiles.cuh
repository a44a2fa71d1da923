// How linear attention on tensor cores (linear_attention_tensor.cuh) brings tiles of tokens to
// shared memory and makes features of them.
#pragma once

#include <type_traits>

#include "cuda/launch.cuh"
#include "cuda/linear_attention.cuh"

namespace sv::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kLanes;
constexpr int kTileTokens = 16;                    // the depth of one product
constexpr int kWarpTokens = kTileTokens / kWarps;  // of a tile, whose rows a warp copies and turns
constexpr int kTurns = 2;                          // tiles whose angles are in registers early
constexpr int kStageBytes = 92 * 1024;             // of shared memory for tiles on their way
constexpr int kMaxStages = 6;
constexpr int kWord = kWide<bf16>;  // elements of one asynchronous copy

constexpr int stages_of(int elements) {
    int fit = kStageBytes / (2 * elements);
    return fit < kMaxStages ? fit : kMaxStages;
}

// How a block is laid out for heads of up to Size channels.
template <int Size>
struct Plan {
    static constexpr int kSize = Size;
    // Heads of a block: two share the angles, unless one is too big for the registers.
    static constexpr int kHeads = Size > 128 ? 1 : 2;
    static constexpr int kRows = Size > 128 ? 64 : Size;  // value channels of a head in a block
    static constexpr int kSlices = Size / kRows;          // blocks that share out a head
    static constexpr int kHeadWarps = kWarps / kHeads;

    // Tokens of a tile in shared memory, each with its heads side by side, are an odd number of
    // words apart: no bank conflicts.
    static constexpr int kKeyStride = kHeads * Size + kWord;
    static constexpr int kValueStride = kHeads * kRows + kWord;
    static constexpr int kKeyTile = kTileTokens * kKeyStride;
    static constexpr int kValueTile = kTileTokens * kValueStride;

    // Where features are made, a lane owns four channels of each of kPieces parts of a row.
    static constexpr int kSteps = static_cast<int>(divide_up(Size, 4 * kLanes));
    static constexpr int kPieces = kHeads * kSteps;

    // Where S is summed, the warps of a head share out its rows in kBands bands and its columns in
    // two halves, in units of 16 rows and 8 columns.
    static constexpr int kBands = kHeadWarps / 2;
    static constexpr int kRowTiles = kRows / 16;
    static constexpr int kBandTiles = static_cast<int>(divide_up(kRowTiles, kBands));
    static constexpr int kHalfTiles = Size / 16;

    // Where S is read, they share out its rows in units of 8, which are columns of that product:
    // whole pairs of units first.
    static constexpr int kOutTiles = kRows / 8;
    static constexpr int kPaired = kOutTiles / 2 / kHeadWarps * 2;  // of a warp
    static constexpr int kOthers = kOutTiles - kPaired * kHeadWarps;
    static constexpr int kWarpOutTiles = kPaired + static_cast<int>(divide_up(kOthers, kHeadWarps));
    static constexpr int kDepth = Size / 16;

    static constexpr int kSumStages = stages_of(kKeyTile + kValueTile);
    static constexpr int kReadStages = stages_of(kKeyTile);
};

// Where a thread works.
struct Place {
    int warp = static_cast<int>(threadIdx.x) / kLanes;
    int lane = static_cast<int>(threadIdx.x) % kLanes;
    int group = lane / 4, member = lane % 4;  // g and t of the fragments

    // The row of a 16x16 matrix, and its first column, that this lane names to load_matrix_x4: for
    // four 8x8 matrices in the order top left, bottom left, top right, bottom right
    int down_row = lane % 16, down_column = lane / 16 * 8;
    // and in the order top left, top right, bottom left, bottom right.
    int across_row = lane / 16 * 8 + lane % 8, across_column = lane / 8 % 2 * 8;
};

// What a block works on: `tokens` tokens from `first` on, of some heads of one batch element.
struct Work {
    int64_t batch, first;
    int tokens, tiles;
    int head, slice;  // the first head, and which of the slices of its value channels
    int part;         // which of the parts that the tokens are shared out in

    // Blocks that read the same angles are neighbours.
    template <class P>
    static __device__ Work of(const Tokens<bf16>& in, int parts) {
        Work work;
        int groups = static_cast<int>(divide_up(in.heads, P::kHeads));
        int64_t index = blockIdx.x;
        work.slice = static_cast<int>(index % P::kSlices);
        index /= P::kSlices;
        work.head = static_cast<int>(index % groups) * P::kHeads;
        index /= groups;
        work.part = static_cast<int>(index % parts);
        work.batch = index / parts;
        int64_t all = divide_up(in.tokens, kTileTokens);
        int64_t begin = all * work.part / parts, end = all * (work.part + 1) / parts;
        work.first = begin * kTileTokens;
        work.tiles = static_cast<int>(end - begin);
        work.tokens = static_cast<int>(min(end * kTileTokens, in.tokens) - work.first);
        return work;
    }
};

// Copies the rows of one part of qkv, tile after tile: Columns channels of each head from `channel`
// on, to stages of [kTileTokens, Heads * Columns + kWord]. What does not exist becomes zero.
template <int Heads, int Columns>
class RowCopies {
public:
    __device__ __forceinline__ RowCopies(const Tokens<bf16>& in, const Work& work, int part,
                                         int channel, const Place& my) {
        constexpr int kWords = Columns / kWord;  // in a row
        static_assert(Heads * kWords <= kLanes);
        int head = my.lane / kWords, column = my.lane % kWords * kWord;
        stride_ = 3 * in.heads * in.size;
        from_ = in.row(work.batch, work.first + my.warp, part) + (work.head + head) * in.size +
                channel + column;
        to_ = my.warp * kStride + my.lane * kWord;
        copies_ = head < Heads;
        bool exists = work.head + head < in.heads && channel + column < in.size;
        left_ = exists ? work.tokens - my.warp : 0;
    }

    __device__ __forceinline__ void start_next(bf16* stage) {
        if (!copies_) return;
#pragma unroll
        for (int i = 0; i < kWarpTokens; ++i) {
            int token = i * kWarps;
            copy_async_16(stage + to_ + token * kStride, from_ + token * stride_,
                          token < left_ ? 16 : 0);
        }
        from_ += kTileTokens * stride_;
        left_ -= kTileTokens;
    }

private:
    static constexpr int kStride = Heads * Columns + kWord;

    const bf16* from_;
    int stride_, to_, left_;
    bool copies_;
};

// What turns the rows of a warp's tokens of one tile.
template <class P>
struct Rotations {
    Vector<float, 4> angles[kWarpTokens][P::kSteps];
    float square_sums[kWarpTokens];
};

// Makes features of the rows of q or k in shared memory, in place, tile after tile: rotated, as
// bf16.
template <class P>
class Features {
public:
    __device__ __forceinline__ Features(const Tokens<bf16>& in, const Work& work, int part,
                                        const Place& my)
        : my_(my), inverse_width_(in.inverse_width), norm_epsilon_(in.norm_epsilon) {
        int64_t token = work.first + my.warp;
        size_ = in.size;
        angles_ = in.angles + token * in.size + my.lane * 4;
        square_sums_ = in.square_sums + (work.batch * in.tokens + token) * 2 + part;
        left_ = work.tokens - my.warp;
        pick(in.weights[part], in, work, my, weights_);
    }

    // Asks for what the first tiles need.
    __device__ __forceinline__ void begin() {
#pragma unroll
        for (int turn = 0; turn < kTurns; ++turn) ask(ahead_[turn]);
    }

    // This lane's first channel of a piece, and its head in the block.
    static __device__ __forceinline__ int channel_of(int piece, const Place& my) {
        return (my.lane + piece % P::kSteps * kLanes) * 4;
    }
    static __device__ __forceinline__ int head_of(int piece) { return piece / P::kSteps; }

    // values[heads, size] at this lane's channels; 0 where there are none.
    static __device__ __forceinline__ void pick(const float* values, const Tokens<bf16>& in,
                                                const Work& work, const Place& my,
                                                float (&out)[P::kPieces][4]) {
#pragma unroll
        for (int p = 0; p < P::kPieces; ++p) {
            int head = work.head + head_of(p);
#pragma unroll
            for (int c = 0; c < 4; ++c) {
                int channel = channel_of(p, my) + c;
                bool exists = head < in.heads && channel < in.size;
                out[p][c] = exists ? values[head * in.size + channel] : 0.0f;
            }
        }
    }

    // The next tile, of turn 0, 1, 0, 1 ... plain(token, piece, features) sees a lane's features
    // before the rotation.
    template <class Plain>
    __device__ __forceinline__ void make_next(int turn, bf16* rows, const Plain& plain) {
#pragma unroll
        for (int s = 0; s < P::kSteps; ++s) {
            if (channel_of(s, my_) >= P::kSize) break;
#pragma unroll
            for (int i = 0; i < kWarpTokens; ++i) {
                float square_sum = ahead_[turn].square_sums[i];
                float scale = rsqrtf(square_sum * inverse_width_ + norm_epsilon_);
                const Vector<float, 4>& angle = ahead_[turn].angles[i][s];
#pragma unroll
                for (int head = 0; head < P::kHeads; ++head) {
                    int p = head * P::kSteps + s;
                    int row = my_.warp + i * kWarps;
                    auto* at = reinterpret_cast<uint32_t*>(rows + row * P::kKeyStride +
                                                           head * P::kSize + channel_of(s, my_));
                    auto x = load<uint32_t, 2>(at);
                    float four[4] = {low_half(x.at[0]), high_half(x.at[0]), low_half(x.at[1]),
                                     high_half(x.at[1])};
#pragma unroll
                    for (int c = 0; c < 4; ++c) four[c] = feature(four[c], scale, weights_[p][c]);
                    plain(i, p, four);
                    Pair low = rotate({four[0], four[1]}, {angle.at[0], angle.at[1]});
                    Pair high = rotate({four[2], four[3]}, {angle.at[2], angle.at[3]});
                    store<uint32_t, 2>(
                        at, {pack_bf16x2(low.even, low.odd), pack_bf16x2(high.even, high.odd)});
                }
            }
        }
        ask(ahead_[turn]);
    }

private:
    // Asks for the next tile's angles and square sums; infinite ones make the features of tokens
    // that do not exist zero.
    __device__ __forceinline__ void ask(Rotations<P>& next) {
#pragma unroll
        for (int i = 0; i < kWarpTokens; ++i) {
            int token = i * kWarps;
            bool exists = token < left_;
            next.square_sums[i] = exists ? square_sums_[token * 2] : INFINITY;
#pragma unroll
            for (int s = 0; s < P::kSteps; ++s) {
                next.angles[i][s] = {};
                if (exists && channel_of(s, my_) < size_) {
                    next.angles[i][s] = load<float, 4>(angles_ + token * size_ + s * kLanes * 4);
                }
            }
        }
        angles_ += kTileTokens * size_;
        square_sums_ += kTileTokens * 2;
        left_ -= kTileTokens;
    }

    const Place& my_;
    float inverse_width_, norm_epsilon_;
    int size_, left_;
    const float *angles_, *square_sums_;
    float weights_[P::kPieces][4];
    Rotations<P> ahead_[kTurns];
};

// Runs a block's tiles through the stages in shared memory: `start(stage)` begins to copy the next
// tile there, `make(turn, stage)` turns one into features, `multiply(turn, stage, tile)` uses them.
// In each step between two barriers one tile is made into features, the one before it multiplied,
// and Stages - 2 are on their way. Half of the warps multiply first, so that tensor cores and the
// other units are busy at the same time. `prepare()` runs once, while the first copies do. Tiles
// take turns, which are constants of the unrolled loop: registers that loads are still filling
// cannot be moved.
template <int Stages, class Start, class Prepare, class Make, class Multiply>
__device__ __forceinline__ void run_tiles(int tiles, bool multiply_first, const Start& start,
                                          const Prepare& prepare, const Make& make,
                                          const Multiply& multiply) {
    auto next = [](int stage) { return stage + 1 < Stages ? stage + 1 : 0; };
    for (int i = 0; i < Stages - 2; ++i) {
        if (i < tiles) start(i);
        copy_async_commit();
    }
    prepare();
    int before = Stages - 1, stage = 0, free = Stages - 2;
    for (int first = 0; first <= tiles; first += kTurns) {
#pragma unroll
        for (int turn = 0; turn < kTurns; ++turn) {
            int tile = first + turn;
            if (tile > tiles) break;
            copy_async_wait<Stages - 3>();
            __syncthreads();
            if (tile + Stages - 2 < tiles) start(free);
            copy_async_commit();
#pragma unroll 1
            for (int half = 0; half < 2; ++half) {
                if ((half == 0) != multiply_first) {
                    if (tile < tiles) make(turn, stage);
                } else if (tile > 0) {
                    multiply((turn + kTurns - 1) % kTurns, before, tile - 1);
                }
            }
            before = stage;
            stage = next(stage);
            free = next(free);
        }
    }
}

// Calls body with `count`, one of two, as a constant.
template <int Most, int Least, class Body>
__device__ __forceinline__ void with_count(int count, const Body& body) {
    if (Most == Least || count == Most) {
        body(std::integral_constant<int, Most>());
    } else {
        body(std::integral_constant<int, Least>());
    }
}

}  // namespace
}  // namespace sv::cuda
