// What products of NVFP4 weights have beside the epilogue of all products (gemm_epilogue.cuh): the
// global scales of both operands, a correction of low rank, and a result that is quantised too.
//
// The first two change the sums where the product left them. The correction is a product of bf16
// (or of f32, by plain multiply-adds) of depth `rank`, whose fragments come from device memory as
// they are: 36 words a lane for 28 instructions. At rank 32 that is some 2 thousand cycles of a
// tile whose product takes 31 thousand of an RTX 5090 at depth 2240.
//
// The result is quantised from shared memory, where the fp32 sums of a few rows are when they have
// been finished, by lanes that take whole blocks of 16: the arithmetic is that of
// common/nvfp4.hpp, so the bytes are those of sv_nvfp4_quantize_rows. That part of it has no
// product that a sum follows, so there is nothing to contract.
#pragma once

#include "cuda/gemm_epilogue.cuh"
#include "cuda/gemm_product.cuh"
#include "cuda/nvfp4_slabs.cuh"
#include "cuda/weight.hpp"

namespace sv::cuda::gemm {

// in up^T, up being a dense weight.
template <typename T>
struct LowRank {
    const T* in = nullptr;  // [rows, rank]; null: no correction
    const T* up = nullptr;  // [columns, stride]
    int rank = 0, stride = 0, rows = 0, columns = 0;
    bool pairs = false;  // rows of `in` are whole words of two bf16

    __device__ const T* in_row(int row) const {
        return row < rows ? in + int64_t{row} * rank : nullptr;
    }
    __device__ const T* up_row(int column) const {
        return column < columns ? up + int64_t{column} * stride : nullptr;
    }
    // One element, or two neighbours; zeros beyond the ends.
    __device__ T element(const T* row, int k) const { return row != nullptr ? row[k] : T{}; }
    __device__ uint32_t pair(const bf16* row, int k, bool whole) const {
        if (row == nullptr || k >= rank) return 0;
        if (whole) return *reinterpret_cast<const uint32_t*>(row + k);
        return row[k].bits | (k + 1 < rank ? uint32_t{row[k + 1].bits} << 16 : 0u);
    }
};

// Multiplies the sums of each column by scale(column).
template <typename Tile, typename Scale>
__device__ __forceinline__ void scale_columns(TensorSums<Tile>& product, int lane,
                                              const Scale& scale) {
    using Sums = TensorSums<Tile>;
#pragma unroll
    for (int j = 0; j < Sums::kColumnTiles; ++j) {
#pragma unroll
        for (int c = 0; c < 2; ++c) {
            float factor = scale(8 * j + lane % 4 * 2 + c);
#pragma unroll
            for (int i = 0; i < Sums::kRowTiles; ++i) {
                product.sums[i][j][c] *= factor;
                product.sums[i][j][2 + c] *= factor;
            }
        }
    }
}

template <typename Tile, typename Scale>
__device__ __forceinline__ void scale_columns(Product<float, Tile>& product, int lane,
                                              const Scale& scale) {
    using Sums = Product<float, Tile>;
#pragma unroll
    for (int j = 0; j < Sums::kLaneColumns; ++j) {
        float factor = scale(Sums::kColumnLanes * j + lane % Sums::kColumnLanes);
#pragma unroll
        for (int i = 0; i < Sums::kLaneRows; ++i) product.sums[i][j] *= factor;
    }
}

// Adds the correction of the warp's part, which begins at first_row and first_column.
template <typename Tile>
__device__ __forceinline__ void add(TensorSums<Tile>& product, const LowRank<bf16>& low,
                                    int first_row, int first_column, int lane) {
    using Sums = TensorSums<Tile>;
    first_row += lane / 4;
    first_column += lane / 4;
#pragma unroll 1
    for (int k = lane % 4 * 2; k - lane % 4 * 2 < low.rank; k += 16) {
        uint32_t a[Sums::kRowTiles][4];
#pragma unroll
        for (int i = 0; i < Sums::kRowTiles; ++i) {
#pragma unroll
            for (int r = 0; r < 4; ++r) {
                const bf16* row = low.in_row(first_row + 16 * i + r % 2 * 8);
                a[i][r] = low.pair(row, k + r / 2 * 8, low.pairs);
            }
        }
#pragma unroll
        for (int j = 0; j < Sums::kColumnTiles; ++j) {
            const bf16* column = low.up_row(first_column + 8 * j);
            const uint32_t b[2] = {low.pair(column, k, true), low.pair(column, k + 8, true)};
#pragma unroll
            for (int i = 0; i < Sums::kRowTiles; ++i) {
                mma_bf16_m16n8k16(product.sums[i][j], a[i], b);
            }
        }
    }
}

template <typename Tile>
__device__ __forceinline__ void add(TensorSums<Tile>& product, const LowRank<float>& low,
                                    int first_row, int first_column, int lane) {
    using Sums = TensorSums<Tile>;
    first_row += lane / 4;
    first_column += lane % 4 * 2;
#pragma unroll 1
    for (int k = 0; k < low.rank; ++k) {
        float a[Sums::kRowTiles][2];
#pragma unroll
        for (int i = 0; i < Sums::kRowTiles; ++i) {
            a[i][0] = low.element(low.in_row(first_row + 16 * i), k);
            a[i][1] = low.element(low.in_row(first_row + 16 * i + 8), k);
        }
#pragma unroll
        for (int j = 0; j < Sums::kColumnTiles; ++j) {
#pragma unroll
            for (int c = 0; c < 2; ++c) {
                float b = low.element(low.up_row(first_column + 8 * j + c), k);
#pragma unroll
                for (int i = 0; i < Sums::kRowTiles; ++i) {
                    product.sums[i][j][c] += a[i][0] * b;
                    product.sums[i][j][2 + c] += a[i][1] * b;
                }
            }
        }
    }
}

template <typename Tile>
__device__ __forceinline__ void add(Product<float, Tile>& product, const LowRank<float>& low,
                                    int first_row, int first_column, int lane) {
    using Sums = Product<float, Tile>;
    first_row += lane / Sums::kColumnLanes;
    first_column += lane % Sums::kColumnLanes;
#pragma unroll 1
    for (int k = 0; k < low.rank; ++k) {
        float a[Sums::kLaneRows];
#pragma unroll
        for (int i = 0; i < Sums::kLaneRows; ++i) {
            a[i] = low.element(low.in_row(first_row + Sums::kRowLanes * i), k);
        }
#pragma unroll
        for (int j = 0; j < Sums::kLaneColumns; ++j) {
            float b = low.element(low.up_row(first_column + Sums::kColumnLanes * j), k);
#pragma unroll
            for (int i = 0; i < Sums::kLaneRows; ++i) product.sums[i][j] += a[i] * b;
        }
    }
}

template <typename T, bool kIdentity>
struct Nvfp4Epilogue : Epilogue<T, kIdentity> {
    using Plain = Epilogue<T, kIdentity>;
    using Plain::rows, Plain::columns, Plain::first_group_row;
    static constexpr bool kCorrects = true, kQuantizes = true;

    const float* channel_scales = nullptr;  // [columns]
    float input_scale = 1;
    LowRank<T> low_rank = {};
    Slabs quantized{sv_nvfp4_matrix{}};  // whose row first_group_row is row 0; or without codes

    template <typename Product>
    __device__ __forceinline__ void correct(Product& product, int first_row, int first_column,
                                            int lane) const {
        scale_columns(product, lane, [&](int column) {
            column += first_column;
            return column < columns ? input_scale * channel_scales[column] : 0.0f;
        });
        if (low_rank.in != nullptr) add(product, low_rank, first_row, first_column, lane);
    }

    __device__ bool quantizes() const { return quantized.codes != nullptr; }

    // sums: [Staging::kRows, Staging::kStride], of which Staging::kColumns are columns.
    template <typename Staging>
    __device__ __forceinline__ void quantize(const float* sums, int first_row, int first_column,
                                             int lane) const {
        constexpr int kBlock = sv::nvfp4::kBlock, kSlab = sv::nvfp4::kPadding;
        static_assert(Staging::kColumns % kBlock == 0);
#pragma unroll 1
        for (int task = lane; task < Staging::kRows * (Staging::kColumns / kBlock);
             task += kLanes) {
            int row = task % Staging::kRows, in_row = task / Staging::kRows * kBlock;
            int column = first_column + in_row;
            if (first_row + row >= rows || column >= columns) continue;
            // Four at a time, twice, because the sums of the next rows take most registers. Those
            // beyond the last column are zeros.
            const float* from = sums + row * Staging::kStride + in_row;
            float largest = 0;
#pragma unroll 1
            for (int i = 0; i < kBlock; i += kGroup) {
                auto x = load<float, kGroup>(from + i);
                for (int n = 0; n < kGroup; ++n) largest = fmaxf(largest, fabsf(x.at[n]));
            }
            int scale = sv::nvfp4::scale_code(largest / (6.0f * quantized.global_scale));
            float step = sv::nvfp4::scale_value(scale) * quantized.global_scale;
            uint64_t codes = 0;
#pragma unroll 1
            for (int i = 0; i < kBlock; i += kGroup) {
                auto x = load<float, kGroup>(from + i);
                uint32_t four = 0;
                for (int n = 0; n < kGroup; ++n) {
                    four |= static_cast<uint32_t>(sv::nvfp4::signed_code(x.at[n], step)) << 4 * n;
                }
                codes |= static_cast<uint64_t>(four) << 4 * i;
            }
            int output_row = first_group_row + first_row + row;
            quantized.put(output_row, column, {codes, static_cast<uint8_t>(scale)});
            if (column + kBlock < columns) continue;
            for (column += kBlock; column % kSlab != 0; column += kBlock) {
                quantized.put(output_row, column, {0, 0});
            }
        }
    }
};

// The ABI's epilogue of a product with an NVFP4 weight, whose channels have these global scales.
template <typename T, bool kIdentity>
Nvfp4Epilogue<T, kIdentity> nvfp4_epilogue_of(const sv_epilogue& from, float input_scale,
                                              const float* channel_scales, const sv_tensor& out) {
    Nvfp4Epilogue<T, kIdentity> to{epilogue_of<T, kIdentity>(from, out)};
    to.channel_scales = channel_scales;
    to.input_scale = input_scale;
    if (from.low_rank != nullptr) {
        const auto& up = static_cast<const DenseWeight&>(*from.low_rank_up);
        to.low_rank = {static_cast<const T*>(from.low_rank->data), static_cast<const T*>(up.data)};
        to.low_rank.rank = count_of(up.depth, "columns of low_rank");
        to.low_rank.stride = static_cast<int>(up.padded_depth);
        to.low_rank.rows = to.rows;
        to.low_rank.columns = to.columns;
        to.low_rank.pairs = up.depth % 2 == 0 && aligned(to.low_rank.in, 4);
    }
    if (from.quantized != nullptr) to.quantized = Slabs(*from.quantized);
    return to;
}

}  // namespace sv::cuda::gemm
