// The product of NVFP4 fragments (ptx.cuh), position by position: sv_nvfp4_probe.
//
// Where the lanes of a warp hold the operands of the instruction and its scales is known from
// documents; a card on which they were elsewhere would give wrong numbers without a word. Here
// every element of a and of b is 1 while all else of its operand is 0, and every scale is 2 while
// all others are 1. The other operand is made so that the product tells which k met: of an element
// of a, row k of b has the bits of k as signs of its columns, and the other way round; of a scale
// of a, column c of b is 1 in the 16 k of the scales' byte c. All sums are exact in any order.
//
// A warp takes a position: 1792 for the instruction, as many for its model by products of bf16,
// some microseconds once a context.
#include <string>
#include <vector>

#include "common/nvfp4.hpp"
#include "cuda/launch.cuh"
#include "cuda/nvfp4_model.cuh"
#include "cuda/nvfp4_probe.hpp"
#include "cuda/ops.hpp"
#include "cuda/ptx.cuh"
#include "cuda/warp.cuh"

namespace sv::cuda {
namespace {

// Of the product: d [kRows, kColumns] += a [kRows, kDepth] b [kDepth, kColumns].
constexpr int kRows = 16, kColumns = 8, kDepth = 64;
constexpr int kScales = kDepth / nvfp4::kBlock;  // of a row or column
constexpr int kRowLanes = 2, kColumnLanes = 4;   // that can supply a row's or column's scales
constexpr int kWarps = 4;                        // of a block

constexpr int kOfA = kRows * kDepth;
constexpr int kOfB = kColumns * kDepth;
constexpr int kScalesOfA = kRowLanes * kRows * kScales;
constexpr int kScalesOfB = kColumnLanes * kColumns * kScales;
constexpr int kPositions = kOfA + kOfB + kScalesOfA + kScalesOfB;

// The place that is tried, and what the operands are then.
struct Position {
    enum Kind { kA, kB, kScaleA, kScaleB };

    Kind kind;
    int line;  // row of a, column of b
    int at;    // k, or which of the scales
    int lane;  // which lane supplies the scales of a's rows or b's columns

    __host__ __device__ explicit Position(int index) : kind(kA), lane(0) {
        int length = kDepth;
        if (index >= kOfA) kind = kB, index -= kOfA;
        if (kind == kB && index >= kOfB) kind = kScaleA, index -= kOfB;
        if (kind == kScaleA && index >= kScalesOfA) kind = kScaleB, index -= kScalesOfA;
        if (kind == kScaleA || kind == kScaleB) length = kScales;
        at = index % length;
        line = index / length;
        if (kind == kScaleA) lane = line / kRows, line %= kRows;
        if (kind == kScaleB) lane = line / kColumns, line %= kColumns;
    }

    // The sign that tells k in the i-th row or column of the other operand.
    __device__ static int sign(int k, int i) { return i < 6 && (k >> i & 1) == 0 ? -1 : 1; }

    __device__ int a(int row, int k) const {
        if (kind == kA) return row == line && k == at ? 1 : 0;
        if (kind == kB) return sign(k, row);
        return kind == kScaleA || row == k / nvfp4::kBlock ? 1 : 0;
    }
    __device__ int b(int k, int column) const {
        if (kind == kA) return sign(k, column);
        if (kind == kB) return column == line && k == at ? 1 : 0;
        return kind == kScaleB || column == k / nvfp4::kBlock ? 1 : 0;
    }
    __device__ int scale(Kind of, int row_or_column, int scale) const {
        return kind == of && row_or_column == line && scale == at ? 2 : 1;
    }
    __device__ int product(int row, int column) const {
        switch (kind) {
            case kA:
                return row == line ? sign(at, column) : 0;
            case kB:
                return column == line ? sign(at, row) : 0;
            case kScaleA:
                return column < kScales ? nvfp4::kBlock * scale(kScaleA, row, column) : 0;
            default:
                return row < kScales ? nvfp4::kBlock * scale(kScaleB, column, row) : 0;
        }
    }
};

// The first element of a product that is not as it should be.
struct Difference {
    int element;  // kColumns * row + column, or -1
    float found;
    int expected;
};

// E2M1 codes and UE4M3 scales of the few numbers that are used.
__device__ uint32_t code_of(int number) { return number == 0 ? 0u : number > 0 ? 2u : 10u; }
__device__ uint32_t scale_of(int number) { return number == 1 ? 0x38u : 0x40u; }

// Four scales that no lane which supplies scales has: 4.
constexpr uint32_t kIgnored = 0x48484848u;

template <bool Model, int LaneA, int LaneB>
__device__ __forceinline__ void multiply(float (&d)[4], const uint32_t (&a)[4],
                                         const uint32_t (&b)[2], uint32_t scales_a,
                                         uint32_t scales_b) {
    if constexpr (Model) {
        mma_nvfp4_by_bf16(d, a, b, scales_a, LaneA, scales_b, LaneB);
    } else {
        mma_nvfp4_m16n8k64(d, a, b, scales_a, LaneA, scales_b, LaneB);
    }
}

template <bool Model>
__global__ void __launch_bounds__(kWarps* kLanes) probe(Difference* differences) {
    int index = static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / kLanes;
    if (index >= kPositions) return;
    Position position(index);
    int lane = static_cast<int>(threadIdx.x) % kLanes, g = lane / 4, t = lane % 4;
    uint32_t a[4] = {}, b[2] = {}, scales_a = 0, scales_b = 0;
    for (int j = 0; j < 8; ++j) {
        for (int r = 0; r < 4; ++r) {
            a[r] |= code_of(position.a(g + r % 2 * 8, 8 * t + r / 2 * 32 + j)) << 4 * j;
        }
        for (int r = 0; r < 2; ++r) {
            b[r] |= code_of(position.b(8 * t + r * 32 + j, g)) << 4 * j;
        }
    }
    int lane_a = position.kind == Position::kScaleA ? position.lane : 0;
    int lane_b = position.kind == Position::kScaleB ? position.lane : 0;
    for (int i = 0; i < kScales; ++i) {
        scales_a |= scale_of(position.scale(Position::kScaleA, g + t % 2 * 8, i)) << 8 * i;
        scales_b |= scale_of(position.scale(Position::kScaleB, g, i)) << 8 * i;
    }
    if (t / 2 != lane_a) scales_a = kIgnored;
    if (t != lane_b) scales_b = kIgnored;

    // Which lanes supply scales is a part of the instruction.
    float d[4] = {};
    if (lane_a == 1) {
        multiply<Model, 1, 0>(d, a, b, scales_a, scales_b);
    } else if (lane_b == 0) {
        multiply<Model, 0, 0>(d, a, b, scales_a, scales_b);
    } else if (lane_b == 1) {
        multiply<Model, 0, 1>(d, a, b, scales_a, scales_b);
    } else if (lane_b == 2) {
        multiply<Model, 0, 2>(d, a, b, scales_a, scales_b);
    } else {
        multiply<Model, 0, 3>(d, a, b, scales_a, scales_b);
    }

    Difference mine{-1, 0, 0};
    for (int r = 3; r >= 0; --r) {
        int row = g + r / 2 * 8, column = 2 * t + r % 2;
        int expected = position.product(row, column);
        if (!(d[r] == static_cast<float>(expected))) {
            mine = {row * kColumns + column, d[r], expected};
        }
    }
    unsigned differing = __ballot_sync(kAllLanes, mine.element >= 0);
    unsigned before = (1u << lane) - 1;  // lanes
    if (differing == 0 ? lane == 0 : mine.element >= 0 && (differing & before) == 0) {
        differences[index] = mine;
    }
}

std::string text_of(const Position& position) {
    bool row = position.kind == Position::kA || position.kind == Position::kScaleA;
    std::string operand = row ? "a" : "b";
    std::string line = (row ? "row " : "column ") + std::to_string(position.line);
    if (position.kind == Position::kA || position.kind == Position::kB) {
        return "the element of " + operand + " in " + line + ", k " + std::to_string(position.at);
    }
    return "scale " + std::to_string(position.at) + " of " + operand + "'s " + line +
           ", supplied by lane " + std::to_string(position.lane);
}

// Throws Error(SV_UNSUPPORTED) when a position is not where it should be.
template <bool Model>
void probe_all(Context& c, const char* what) {
    Scratch<Difference> found(c.memory, kPositions);
    std::vector<Difference> differences(kPositions);
    launch(c, probe<Model>, static_cast<unsigned>(divide_up(kPositions, kWarps)), kWarps * kLanes,
           0, found.get());
    c.download(differences.data(), found.get(), kPositions * int64_t{sizeof(Difference)});
    if (c.dry) return;
    for (int i = 0; i < kPositions; ++i) {
        const Difference& d = differences[i];
        if (d.element < 0) continue;
        fail(SV_UNSUPPORTED,
             "NVFP4 %s of this device are not as documented, and products would be wrong: trying "
             "%s, row %d and column %d of the product is %g, expected %d (position %d of %d)",
             what, text_of(Position(i)).c_str(), d.element / kColumns, d.element % kColumns,
             double(d.found), d.expected, i, kPositions);
    }
}

}  // namespace

int64_t nvfp4_probe(sv_context& context) {
    Context& c = enter(context);
    probe_all<false>(c, "instructions");
    probe_all<true>(c, "products by bf16");
    return 2 * kPositions;
}

void require_nvfp4_products(Context& c) {
    if (!c.nvfp4_probed) {
        try {
            probe_all<false>(c, "instructions");
        } catch (const Error& error) {
            if (error.status() != SV_UNSUPPORTED) throw;
            c.nvfp4_refusal = error.what();
        }
        c.nvfp4_probed = true;
    }
    if (!c.nvfp4_refusal.empty()) fail(SV_UNSUPPORTED, "%s", c.nvfp4_refusal.c_str());
}

}  // namespace sv::cuda
