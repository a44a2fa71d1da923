// NVFP4 operands of the GEMM skeleton (gemm.cuh): how their slices are copied and multiplied.
//
// A slice is a slab (sv_nvfp4_matrix), the 64 columns of one instruction: of a row 32 bytes of
// codes and four scales. Both operands lie slab by slab in device memory, so that the rows of a
// tile are one piece of it, which copies read from its beginning to its end.
//
// In a slot 16 rows lie together: their codes, 512 bytes, then their scales, 64 bytes. The two
// chunks of a row's codes change places in rows 4 to 7 and 12 to 15, so that eight rows' chunks of
// one place lie in different banks (load_matrix). A lane reads the scale words of one row of 32:
// the instruction chooses the lanes whose words it takes, so that one load serves two row tiles, or
// four column tiles.
//
// A slice is multiplied in steps, a few of its column tiles each: registers would not do for
// fragments of whole slices, loaded one ahead. Those of rows are loaded with the first step.
#pragma once

#include "cuda/gemm.cuh"
#include "cuda/nvfp4_weight.hpp"

namespace sv::cuda::gemm {

// A byte of codes, or of a scale.
struct fp4x2 {
    uint8_t bits;
};

constexpr int kSlabCodes = 32, kSlabScales = 4;  // bytes of a row
constexpr int kRowsTogether = 16;                // in a slot
constexpr int kTogether = kRowsTogether * (kSlabCodes + kSlabScales);

// Where a chunk of a row's codes lies in a slot, and where its scales.
__device__ __forceinline__ int codes_in_slot(int row, int chunk) {
    return row / kRowsTogether * kTogether + row % kRowsTogether * kSlabCodes +
           (chunk ^ (row / 4 % 2)) * 16;
}
__device__ __forceinline__ int scales_in_slot(int row) {
    return row / kRowsTogether * kTogether + kRowsTogether * kSlabCodes +
           row % kRowsTogether * kSlabScales;
}

// A loader: a matrix in slabs. With three taps, the rows that those of a temporal convolution see:
// of row r the rows r - pixels, r and r + pixels, zeros where there is none. Along K all slabs of a
// tap come before those of the next.
template <int kTaps>
struct SlabWindows {
    const uint8_t* codes;
    const uint8_t* scales;
    int64_t slab_rows;
    int rows, slabs;  // slabs of a tap
    int pixels = 0;

    // The row that a tap sees; negative where that is zeros.
    __device__ int find(int r, int tap) const {
        int row = r + (tap - kTaps / 2) * pixels;
        return r < rows && row < rows ? row : -1;
    }
    __device__ int slices() const { return kTaps * slabs; }
};

// Copies chunks of codes as the skeleton does, and scales word by word, because a window of rows
// begins at any row.
template <int kTaps, int kRows, int kThreads>
class TileCopy<fp4x2, kRows, kThreads, SlabWindows<kTaps>, true> {
public:
    __device__ TileCopy(const SlabWindows<kTaps>& loader, int first_row)
        : loader_(loader), first_row_(first_row) {
        find();
    }

    __device__ __forceinline__ void copy(fp4x2* tile) {
#pragma unroll
        for (int i = 0; i < kCodeShare; ++i) {
            int row = code_row(i), chunk = static_cast<int>(threadIdx.x) % 2;
            if (kRows % kCodeRows != 0 && row >= kRows) continue;
            bool exists = code_rows_[i] >= 0;
            int64_t from = exists ? (slab_row_ + code_rows_[i]) * kSlabCodes + chunk * 16 : 0;
            copy_async_16(tile + codes_in_slot(row, chunk), loader_.codes + from, exists ? 16 : 0);
        }
#pragma unroll
        for (int i = 0; i < kScaleShare; ++i) {
            int row = scale_row(i);
            if (kRows % kThreads != 0 && row >= kRows) continue;
            bool exists = scale_rows_[i] >= 0;
            int64_t from = exists ? (slab_row_ + scale_rows_[i]) * kSlabScales : 0;
            copy_async_4(tile + scales_in_slot(row), loader_.scales + from, exists);
        }
        slab_row_ += loader_.slab_rows;
        if (kTaps == 1 || slab_row_ < loader_.slabs * loader_.slab_rows) return;
        slab_row_ = 0;
        ++tap_;
        find();
    }

private:
    static constexpr int kCodeRows = kThreads / 2;  // at once
    static constexpr int kCodeShare = static_cast<int>(divide_up(kRows, kCodeRows));
    static constexpr int kScaleShare = static_cast<int>(divide_up(kRows, kThreads));

    __device__ __forceinline__ static int code_row(int i) {
        return static_cast<int>(threadIdx.x) / 2 + i * kCodeRows;
    }
    __device__ __forceinline__ static int scale_row(int i) {
        return static_cast<int>(threadIdx.x) + i * kThreads;
    }
    __device__ __forceinline__ void find() {
#pragma unroll
        for (int i = 0; i < kCodeShare; ++i) {
            code_rows_[i] = loader_.find(first_row_ + code_row(i), tap_);
        }
#pragma unroll
        for (int i = 0; i < kScaleShare; ++i) {
            scale_rows_[i] = loader_.find(first_row_ + scale_row(i), tap_);
        }
    }

    const SlabWindows<kTaps>& loader_;
    int64_t slab_row_ = 0;  // the first row of the next slab
    int first_row_, tap_ = 0;
    int code_rows_[kCodeShare], scale_rows_[kScaleShare];  // at the present tap
};

// Products of 16 x 8 x 64.
template <typename TileShape>
struct Product<fp4x2, TileShape> : TensorSums<TileShape> {
    using Element = fp4x2;
    using Tile = TileShape;
    using TensorSums<Tile>::sums, TensorSums<Tile>::kRowTiles, TensorSums<Tile>::kColumnTiles;
    static constexpr int kRowElements = kSlabCodes + kSlabScales;  // that a row takes of a slot
    static constexpr int kPairs = kColumnTiles / 2;                // of column tiles
    static constexpr int kSteps = kPairs > 4 ? 4 : 2;
    static_assert(kRowTiles % 2 == 0 && kColumnTiles % 2 == 0);

    struct Rows {
        uint32_t codes[kRowTiles][4];
        uint32_t scales[kRowTiles / 2];  // of two row tiles
    };
    struct Fragments {
        Rows a;                              // with step 0
        uint32_t b[kPairs / kSteps + 1][4];  // of two column tiles
        uint32_t scales_b[2];                // of four, from a multiple of four on
    };

    Rows rows;

    // Pairs of a step: [first_pair(step), first_pair(step + 1)).
    __device__ __forceinline__ static constexpr int first_pair(int step) {
        return kPairs * step / kSteps;
    }

    // a and b: the warp's rows and columns of both tiles.
    __device__ __forceinline__ void load(Fragments& to, const fp4x2* a, const fp4x2* b, int step,
                                         int lane) const {
        int scaled_row = lane % 4 * 8 + lane / 4;  // of 32: whose scales the lane supplies
        if (step == 0) {
#pragma unroll
            for (int i = 0; i < kRowTiles; ++i) {
                load_matrix_x4(to.a.codes[i],
                               a + 16 * i * kRowElements + codes_in_slot(lane % 16, lane / 16));
            }
#pragma unroll
            for (int i = 0; i < kRowTiles / 2; ++i) {
                to.a.scales[i] = word(a + 32 * i * kRowElements + scales_in_slot(scaled_row));
            }
        }
        int column = lane % 8 + lane / 16 * 8, chunk = lane / 8 % 2;
        int first = first_pair(step), end = first_pair(step + 1);
#pragma unroll
        for (int p = first; p < end; ++p) {
            load_matrix_x4(to.b[p - first],
                           b + 16 * p * kRowElements + codes_in_slot(column, chunk));
        }
#pragma unroll
        for (int p = first / 2 * 2; p < end; p += 2) {
            // Of the last 16 columns alone, those of the others are not there.
            int there = p + 1 < kPairs ? scaled_row : scaled_row % 16;
            to.scales_b[p / 2 - first / 2] =
                word(b + 16 * p * kRowElements + scales_in_slot(there));
        }
    }

    __device__ __forceinline__ void multiply(const Fragments& by, int step) {
        if (step == 0) rows = by.a;
        int first = first_pair(step), end = first_pair(step + 1);
#pragma unroll
        for (int j = 2 * first; j < 2 * end; ++j) {
            const uint32_t* pair = by.b[j / 2 - first];
            const uint32_t b[2] = {pair[j % 2 * 2], pair[j % 2 * 2 + 1]};
#pragma unroll
            for (int i = 0; i < kRowTiles; ++i) {
                mma_nvfp4_m16n8k64(sums[i][j], rows.codes[i], b, rows.scales[i / 2], i % 2,
                                   by.scales_b[j / 4 - first / 2], j % 4);
            }
        }
    }

private:
    __device__ __forceinline__ static uint32_t word(const fp4x2* from) {
        return *reinterpret_cast<const uint32_t*>(from);
    }
};

// A matrix, and a weight, as an operand.
template <int kTaps>
SlabWindows<kTaps> slabs_of(const sv_nvfp4_matrix& matrix) {
    return {static_cast<const uint8_t*>(matrix.codes), static_cast<const uint8_t*>(matrix.scales),
            matrix.slab_rows, static_cast<int>(matrix.rows),
            static_cast<int>(sv::nvfp4::slabs(matrix.columns))};
}

inline SlabWindows<1> slabs_of(const SlabNvfp4Weight& weight) {
    return {weight.codes, weight.scales, weight.slab_rows, static_cast<int>(weight.columns),
            static_cast<int>(weight.slabs())};
}

}  // namespace sv::cuda::gemm
