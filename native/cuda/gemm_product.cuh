// How a tile is multiplied (gemm.cuh): bf16 on tensor cores, f32 by plain multiply-adds. NVFP4:
// gemm_nvfp4.cuh.
//
// Both operands lie in shared memory as rows of one slice of K, weights by output column. A block's
// warps share out its tile; a warp keeps the sums of its part in registers. A slice is multiplied
// in kSteps steps, each of which first loads fragments: what the lanes need of both operands.
#pragma once

#include "cuda/gemm_loader.cuh"
#include "cuda/number.cuh"
#include "cuda/ptx.cuh"
#include "cuda/warp.cuh"

namespace sv::cuda::gemm {

// What one block makes of the output, and how many warps along its rows and columns share it.
// kBlocks: of such blocks that a multiprocessor shall have registers for.
template <int Rows, int Columns, int RowWarps, int ColumnWarps, int Blocks>
struct Tile {
    static constexpr int kRows = Rows, kColumns = Columns;
    static constexpr int kRowWarps = RowWarps, kColumnWarps = ColumnWarps;
    static constexpr int kThreads = RowWarps * ColumnWarps * kLanes;
    static constexpr int kBlocks = Blocks;
    static constexpr int kWarpRows = Rows / RowWarps, kWarpColumns = Columns / ColumnWarps;
    static_assert(kWarpRows % 16 == 0 && kWarpColumns % 8 == 0);
};

// Where a chunk of a row lies in a tile, counted in chunks. Eight rows' chunks of one place in the
// slice lie in different banks: two rows fill all 32 banks once, and each next two are rotated.
__device__ __forceinline__ int chunk_index(int row, int chunk) {
    return row * kChunks + (chunk ^ (row / 2 % kChunks));
}

template <typename T>
__device__ __forceinline__ const T* find_chunk(const T* tile, int row, int chunk) {
    return tile + chunk_index(row, chunk) * kWide<T>;
}

template <typename T, typename TileShape>
struct Product;

// The sums of a warp's part as products of 16 x 8 leave them with the lanes (ptx.cuh).
template <typename TileShape>
struct TensorSums {
    using Tile = TileShape;
    static constexpr int kRowTiles = Tile::kWarpRows / 16;
    static constexpr int kColumnTiles = Tile::kWarpColumns / 8;
    static constexpr int kPasses = kRowTiles;  // in which the sums leave: see put
    static constexpr int kPassRows = 16;

    float sums[kRowTiles][kColumnTiles][4] = {};

    // Writes the sums of rows [16 pass, 16 pass + 16) to `to`, [16, stride].
    __device__ __forceinline__ void put(int pass, float* to, int stride, int lane) const {
        to += lane / 4 * stride + lane % 4 * 2;
#pragma unroll
        for (int j = 0; j < kColumnTiles; ++j) {
            const float* sum = sums[pass][j];
            store(to + 8 * j, Vector<float, 2>{sum[0], sum[1]});
            store(to + 8 * stride + 8 * j, Vector<float, 2>{sum[2], sum[3]});
        }
    }
};

// bf16: products of 16 x 8 x 16.
template <typename TileShape>
struct Product<bf16, TileShape> : TensorSums<TileShape> {
    using Element = bf16;
    using Tile = TileShape;
    using TensorSums<Tile>::sums, TensorSums<Tile>::kRowTiles, TensorSums<Tile>::kColumnTiles;
    static constexpr int kRowElements = kSlice<bf16>;  // that a row takes of a slot
    static constexpr int kSteps = kSliceBytes / 32;    // of 16 along K: two chunks

    struct Fragments {
        uint32_t a[kRowTiles][4];
        uint32_t b[(kColumnTiles + 1) / 2][4];  // of two column tiles
    };

    // a and b: the warp's rows and columns of both tiles.
    __device__ __forceinline__ void load(Fragments& to, const bf16* a, const bf16* b, int step,
                                         int lane) const {
#pragma unroll
        for (int i = 0; i < kRowTiles; ++i) {
            load_matrix_x4(to.a[i], find_chunk(a, 16 * i + lane % 16, 2 * step + lane / 16));
        }
        int column = lane % 8 + lane / 16 * 8, chunk = 2 * step + lane / 8 % 2;
#pragma unroll
        for (int j = 0; j < kColumnTiles / 2; ++j) {
            load_matrix_x4(to.b[j], find_chunk(b, 16 * j + column, chunk));
        }
        if constexpr (kColumnTiles % 2 != 0) {
            uint32_t last[2];
            load_matrix_x2(last, find_chunk(b, 8 * (kColumnTiles - 1) + lane % 8, chunk));
            to.b[kColumnTiles / 2][0] = last[0];
            to.b[kColumnTiles / 2][1] = last[1];
        }
    }

    __device__ __forceinline__ void multiply(const Fragments& by, int) {
#pragma unroll
        for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
            for (int j = 0; j < kColumnTiles; ++j) {
                const uint32_t b[2] = {by.b[j / 2][j % 2 * 2], by.b[j / 2][j % 2 * 2 + 1]};
                mma_bf16_m16n8k16(sums[i][j], by.a[i], b);
            }
        }
    }
};

// f32: a lane has every eighth row and every fourth column of the warp's part.
template <typename TileShape>
struct Product<float, TileShape> {
    using Element = float;
    using Tile = TileShape;
    static constexpr int kRowElements = kSlice<float>;
    static constexpr int kDepth = 2;  // elements along K of a step
    static constexpr int kSteps = kSlice<float> / kDepth;
    static constexpr int kRowLanes = 8, kColumnLanes = 4;
    static constexpr int kLaneRows = Tile::kWarpRows / kRowLanes;
    static constexpr int kLaneColumns = Tile::kWarpColumns / kColumnLanes;
    static constexpr int kPasses = kLaneRows;
    static constexpr int kPassRows = kRowLanes;

    struct Fragments {
        Vector<float, kDepth> a[kLaneRows];
        Vector<float, kDepth> b[kLaneColumns];
    };

    float sums[kLaneRows][kLaneColumns] = {};

    __device__ __forceinline__ void load(Fragments& to, const float* a, const float* b, int step,
                                         int lane) const {
#pragma unroll
        for (int i = 0; i < kLaneRows; ++i) {
            to.a[i] = find(a, kRowLanes * i + lane / kColumnLanes, step);
        }
#pragma unroll
        for (int j = 0; j < kLaneColumns; ++j) {
            to.b[j] = find(b, kColumnLanes * j + lane % kColumnLanes, step);
        }
    }

    __device__ __forceinline__ void multiply(const Fragments& by, int) {
#pragma unroll
        for (int k = 0; k < kDepth; ++k) {
#pragma unroll
            for (int i = 0; i < kLaneRows; ++i) {
#pragma unroll
                for (int j = 0; j < kLaneColumns; ++j) {
                    sums[i][j] += by.a[i].at[k] * by.b[j].at[k];
                }
            }
        }
    }

    // Writes the sums of rows [8 pass, 8 pass + 8) to `to`, [8, stride].
    __device__ __forceinline__ void put(int pass, float* to, int stride, int lane) const {
        to += lane / kColumnLanes * stride + lane % kColumnLanes;
#pragma unroll
        for (int j = 0; j < kLaneColumns; ++j) to[kColumnLanes * j] = sums[pass][j];
    }

private:
    __device__ __forceinline__ static Vector<float, kDepth> find(const float* tile, int row,
                                                                 int step) {
        constexpr int kOfChunk = kWide<float> / kDepth;  // steps
        return cuda::load<float, kDepth>(find_chunk(tile, row, step / kOfChunk) +
                                         step % kOfChunk * kDepth);
    }
};

}  // namespace sv::cuda::gemm
