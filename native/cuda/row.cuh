// Rows that are read once: a row is held in the registers of its team, the lanes of a warp (or of a
// part of one) that share it, while any number of passes go over it.
//
// A row is cut into words of Count channels; lane l of a team of L takes the words l, l + L, ...
// Neighbouring lanes read neighbouring words, so that every sector that is fetched is used. Where
// fp32 tables are read beside rows of bf16, words are of 4 channels, 8 bytes of the row and 16 of
// the table: of 8 channels, the 16-byte reads of the table would leave every second 16 bytes to the
// next instruction, and the table's way through the L1 cache is the longer one.
//
// How many words a lane holds is known at compile time, and all of them but the last are there for
// sure: there is hardly a branch, and the loads of all words are under way at once.
//
//   channels   words of 4   lanes x words of a lane
//         32            8            4 x 2
//         96           24            8 x 3
//        192           48           16 x 3
//        384           96           32 x 3
//       2240          560           32 x 18 (half of the lanes have 17)
//       2304          576           32 x 18
//
// Rows of more than 384 channels that do not fill 18 words a lane (2177 to 2304 channels do), and
// those whose size or address does not allow whole words, are read from memory again in each pass,
// mostly from the L1 cache.
#pragma once

#include <initializer_list>

#include "cuda/launch.cuh"
#include "cuda/number.cuh"
#include "cuda/warp.cuh"

namespace sv::cuda {

constexpr int kRowThreads = 128;       // of a block
constexpr int kRowBlocksPerUnit = 64;  // of the grid, a multiprocessor: several waves
constexpr int kRowChannels = 2304;     // at most, in the registers of a warp
constexpr int kMinTeamBits = 2;        // 4 lanes, lest reads of neighbours have gaps between them

// How rows are dealt to lanes.
struct RowLayout {
    int rows;
    int words;      // of a row
    int lane_bits;  // a team has 1 << lane_bits lanes
};

// A lane, and the row that its team has at hand.
struct Team {
    int row;
    bool idle;  // no row is left for this team: it must not write this one, which is another's
    int lane, lanes;
    int words;  // of a row

    // The sum over the team, in every lane of it, in an order that depends on nothing but its size.
    __device__ __forceinline__ float sum(float value) const {
        for (int distance = lanes / 2; distance > 0; distance /= 2) {
            value += __shfl_xor_sync(kAllLanes, value, distance);
        }
        return value;
    }
};

// Rows of many words a lane are a warp's, one for each warp of the grid: the distance between the
// words of a lane then costs no arithmetic, and no tables stay in registers from row to row, where
// they would leave none for the row.
template <int Held>
constexpr bool kWarpRow = Held > 3;

// Calls body(team) for the rows of this thread's team. The lanes of a warp stay together: where its
// last rows do not suffice for all of its teams, the others idle.
template <int Held, typename Body>
__device__ __forceinline__ void each_row(const RowLayout& layout, const Body& body) {
    int bits = kWarpRow<Held> ? kLaneBits : layout.lane_bits;
    int teams = kRowThreads >> bits;
    int lane = static_cast<int>(threadIdx.x) % kLanes;
    int row =
        static_cast<int>(blockIdx.x) * teams + ((static_cast<int>(threadIdx.x) - lane) >> bits);
    for (; row < layout.rows; row += static_cast<int>(gridDim.x) * teams) {
        Team team;
        team.row = row + (lane >> bits);
        team.idle = !kWarpRow<Held> && team.row >= layout.rows;
        if (team.idle) team.row = layout.rows - 1;
        team.lanes = 1 << bits;
        team.lane = lane & (team.lanes - 1);
        team.words = layout.words;
        body(team);
        if constexpr (kWarpRow<Held>) break;
    }
}

// Where a word lies. What is not inside, but past the row's end, reads as zeros.
struct Word {
    int slot;     // among its lane's
    int channel;  // from the first one of the lane's first word on
    bool inside;
};

template <typename T, int Count>
__device__ __forceinline__ void load_word(const T* first, Word at, float (&x)[Count]) {
    widen<T, Count>(load_words<T, Count>(first + at.channel, at.inside), x);
}

template <typename T, int Count>
__device__ __forceinline__ void store_word(T* first, Word at, const float (&x)[Count]) {
    if (at.inside) store(first + at.channel, narrow<T>(x));
}

// A lane's share of a row: Held words of Count elements in registers, zeros for an idle team.
// `first` is the address of the lane's first one.
template <typename T, int Count, int Held>
class Row {
public:
    __device__ __forceinline__ Row(const T* first, const Team& team) : team_(team) {
        each([&](Word at) {
            words_[at.slot] = load_words<T, Count>(first + at.channel, at.inside && !team.idle);
        });
    }

    // Calls body(Word) for this lane's words.
    template <typename Body>
    __device__ __forceinline__ void each(const Body& body) const {
#pragma unroll
        for (int slot = 0; slot < Held; ++slot) {
            int word = slot * team_.lanes;
            bool inside = slot < Held - 1 || word + team_.lane < team_.words;
            body(Word{slot, word * Count, inside});
        }
    }

    __device__ __forceinline__ void get(Word at, float (&x)[Count]) const {
        widen<T, Count>(words_[at.slot], x);
    }

private:
    const Team& team_;
    Words<T, Count> words_[Held];
};

// The same for rows that stay in memory.
template <typename T, int Count>
class Row<T, Count, 0> {
public:
    __device__ __forceinline__ Row(const T* first, const Team& team) : team_(team), first_(first) {}

    template <typename Body>
    __device__ __forceinline__ void each(const Body& body) const {
        if (team_.idle) return;
        int left = team_.words - team_.lane;
        for (int word = 0; word < left; word += team_.lanes) body(Word{0, word * Count, true});
    }

    __device__ __forceinline__ void get(Word at, float (&x)[Count]) const {
        load_word(first_, at, x);
    }

private:
    const Team& team_;
    const T* first_;
};

// Row<T, count, held>, as an argument.
template <int Count, int Held>
struct RowShape {
    static constexpr int count = Count, held = Held;
};

// Calls body(RowShape, RowLayout) with the shape that suits rows of so many channels: of words of
// Count elements when the channels and the addresses allow it.
template <int Count, typename Body>
void with_row_shape(int64_t rows, int64_t channels, std::initializer_list<const void*> addresses,
                    const Body& body) {
    RowLayout layout{count_of(rows, "rows"), count_of(channels, "channels"), kLaneBits};
    bool whole = channels % Count == 0;
    for (const void* address : addresses) whole = whole && aligned(address, 16);
    if (!whole) return body(RowShape<1, 0>{}, layout);

    layout.words /= Count;
    constexpr int kWarpWords = kRowChannels / Count / kLanes;
    auto fits = [&](int words) {
        int slots = words << layout.lane_bits;
        return slots - (1 << layout.lane_bits) < layout.words && layout.words <= slots;
    };
    if (fits(kWarpWords)) return body(RowShape<Count, kWarpWords>{}, layout);
    // The fewer lanes the better: more of each lane's loads are under way at once.
    for (layout.lane_bits = 0; layout.lane_bits <= kLaneBits; ++layout.lane_bits) {
        bool gaps = layout.lane_bits < kMinTeamBits;
        if (!gaps && fits(3)) return body(RowShape<Count, 3>{}, layout);
        if (!gaps && fits(2)) return body(RowShape<Count, 2>{}, layout);
        if (fits(1)) return body(RowShape<Count, 1>{}, layout);
    }
    layout.lane_bits = kLaneBits;
    body(RowShape<Count, 0>{}, layout);
}

// Blocks for all rows.
template <int Held>
dim3 row_blocks(const Context& context, const RowLayout& layout) {
    int64_t blocks = divide_up(layout.rows, kRowThreads >> layout.lane_bits);
    int64_t most = int64_t{context.multiprocessors} * kRowBlocksPerUnit;
    if (!kWarpRow<Held> && blocks > most) blocks = most;
    return dim3(static_cast<unsigned>(blocks));
}

}  // namespace sv::cuda
