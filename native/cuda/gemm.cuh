// The GEMM skeleton: out[r, n] = epilogue(sum_k in[r, k] * weight[n, k]) with fp32 sums.
//
// Four words that are chosen apart: the tile (gemm_product.cuh: what a block computes, how its
// warps share it, how they multiply it), the loaders of both operands (gemm_loader.cuh: rows of a
// matrix or windows of a clip; NVFP4: gemm_nvfp4.cuh, and weights alone: gemm_expand.cuh), the
// epilogue (gemm_epilogue.cuh, gemm_nvfp4_epilogue.cuh) and the pipeline, which is here:
//
//   A block makes one tile of the output. K goes by in slices of 64 bytes (32 bf16, 16 f32). Slices
//   of both operands are copied asynchronously into a ring of kStages slots of shared memory,
//   kStages - 1 slices ahead of the product. One barrier a slice says both that the next slice has
//   arrived and that everybody is done with the slot that the next copy fills. Fragments are loaded
//   one step ahead of their product, across slices too, so that tensor cores never wait for shared
//   memory.
//   At the end the sums of a warp pass through shared memory a few rows at a time, so that the
//   epilogue reads and writes whole lines of device memory.
//
// Slices lie in shared memory as rows of four 16-byte chunks, rotated so that neither the copies
// nor the loads of fragments meet in a bank (chunk_index).
//
// Blocks are numbered so that those which run together share operands: kGroupTiles row tiles by all
// column tiles, rows first. At width 2240 a group's rows (16 * 128 * 2240 bf16: 9.2 MB) and the
// whole weight (10 MB) stay in the L2 cache, and each is read from memory once.
//
// Shared memory: kStages * 64 bytes * (rows + columns of the tile): 88 KiB for 128 x 224, so that
// it fits into the 99 KiB of compute capability 8.9 and 12.0 too; 32 KiB for 64 x 64.
//
// What bounds it, for bf16 tiles of 128 x 224: a step of 16 along K is 224 instructions of 2048
// multiply-adds and reads 30 KB of fragments from shared memory (8 warps of 64 x 56: 2 KB + 1.8 KB
// each) and writes 11 KB. On an H100, whose mma.sync reaches about 62% of the 989 TFLOP/s that only
// wgmma gets, that is 358 cycles of the tensor cores against 240 + 88 of shared memory: the tensor
// cores bound it, with little to spare. On an RTX 5090 it is 1792 cycles: nothing else matters
// there. Device memory is far away: at M = 32760, N = K = 2240 it is 0.33 TFLOP for 304 MB.
// With one block a multiprocessor nothing hides the epilogue: a tile's product of depth 2240 takes
// 50 thousand cycles of an H100, its epilogue an estimated 2 to 5 thousand (57 KB out, with a
// residual as much in first; SiLU 3.6 thousand on the special function units).
//
// Time at 480p, predicted, not measured: H100 at 430 TFLOP/s (70% of what mma.sync can), RTX 5090
// at 180 TFLOP/s (86% of 209.5):
//   QKV 2240 -> 6720, M = 32760: 0.986 TFLOP   H100 2.3 ms    5090 5.5 ms
//   2240 -> 2240:                0.329 TFLOP   H100 0.76 ms   5090 1.8 ms
//   2240 -> 13440:               1.973 TFLOP   H100 4.6 ms    5090 11 ms
// f32 runs on the plain multiply-adds: 66.9 and 104.8 TFLOP/s, of which about 80% is expected.
#pragma once

#include <algorithm>

#include "common/status.hpp"
#include "cuda/gemm_epilogue.cuh"
#include "cuda/gemm_loader.cuh"
#include "cuda/gemm_product.cuh"
#include "cuda/launch.cuh"
#include "cuda/weight.hpp"

namespace sv::cuda::gemm {

constexpr int kStages = 4;
constexpr int kGroupTiles = 16;
constexpr int64_t kMost = INT32_MAX / 2;  // rows, columns or tiles: counted in int

// A thread's share of copying the slices of one operand into tiles of kRows rows.
template <typename T, int kRows, int kThreads, typename Loader, bool kWideLoads>
class TileCopy {
public:
    __device__ TileCopy(const Loader& loader, int first_row)
        : loader_(loader), place_(loader.place(threadIdx.x % kChunks)) {
#pragma unroll
        for (int i = 0; i < kShare; ++i) {
            rows_[i] = loader.row(first_row + tile_row(i));
            found_[i] = loader.find(rows_[i], place_);
        }
    }

    // Copies the next slice.
    __device__ __forceinline__ void copy(T* tile) {
        int valid = loader_.valid(place_);
#pragma unroll
        for (int i = 0; i < kShare; ++i) {
            int row = tile_row(i);
            if (kRows % kRowsAtOnce != 0 && row >= kRows) continue;
            T* to = tile + chunk_index(row, threadIdx.x % kChunks) * kWide<T>;
            bool exists = found_[i] != nullptr && valid > 0;
            const T* from = exists ? found_[i] + place_.element : loader_.data;
            if constexpr (kWideLoads) {
                copy_async_16(to, from, exists ? 16 : 0);
            } else {
                Vector<T, kWide<T>> chunk{};
                for (int k = 0; k < kWide<T>; ++k) {
                    if (exists && k < valid) chunk.at[k] = from[k];
                }
                store(to, chunk);
            }
        }
        if (!loader_.advance(place_)) return;
#pragma unroll
        for (int i = 0; i < kShare; ++i) found_[i] = loader_.find(rows_[i], place_);
    }

private:
    static constexpr int kRowsAtOnce = kThreads / kChunks;
    static constexpr int kShare = static_cast<int>(divide_up(kRows, kRowsAtOnce));

    __device__ __forceinline__ int tile_row(int i) const {
        return threadIdx.x / kChunks + i * kRowsAtOnce;
    }

    const Loader& loader_;
    typename Loader::Place place_;
    typename Loader::Row rows_[kShare];
    const T* found_[kShare];  // the rows at the present tap
};

// Tile of the output that a block makes.
struct TileIndex {
    int row, column;
};

__device__ __forceinline__ TileIndex tile_of_block(int block, int row_tiles, int column_tiles) {
    int group = block / (kGroupTiles * column_tiles);
    int first = group * kGroupTiles;
    int height = min(kGroupTiles, row_tiles - first);
    int within = block - first * column_tiles;
    return {first + within % height, within / height};
}

// Elements of one slot of the ring, and where the second operand begins in it.
template <typename Product>
constexpr int kFirstOperand = Product::Tile::kRows * Product::kRowElements;
template <typename Product>
constexpr int kSlot = kFirstOperand<Product> + Product::Tile::kColumns * Product::kRowElements;

// How the sums of a warp leave it: 32 rows at a time (16 of wide ones) through shared memory, where
// each lane finishes the same group of columns of some of these rows.
template <typename Product>
struct Staging {
    using Tile = typename Product::Tile;
    static constexpr int kRows = Tile::kWarpColumns > 64 ? 16 : 32;
    static constexpr int kRounds = Tile::kWarpRows / kRows;
    static constexpr int kPasses = kRows / Product::kPassRows;  // in a round
    static constexpr int kColumns = Tile::kWarpColumns;
    static constexpr int kGroups = kColumns / kGroup;  // in a row
    static constexpr int kRowsAtOnce = kLanes / kGroups;
    static constexpr int kShare = static_cast<int>(divide_up(kRows, kRowsAtOnce));
    // Rows begin 8 or 24 banks apart, so that those which lanes write together do not meet.
    static constexpr int kStride = kColumns % 16 == 8 ? kColumns : kColumns + 8;
    static constexpr int kSquareStride = kRows + 1;  // of the groups' sums of squares, by row
    static constexpr int kSums = kRows * kStride;    // floats
    static constexpr int kSize =
        kSums + static_cast<int>(round_up(kGroups * kSquareStride, kGroup));
    static_assert(Tile::kWarpRows % kRows == 0 && kRows % Product::kPassRows == 0 &&
                  kColumns % kGroup == 0 && kGroups <= kLanes);
    static_assert(kRows <= kLanes);  // a lane adds up the squares of a row
};

// Elements of a block's shared memory: the ring, which the sums of all warps take the place of.
template <typename Product>
constexpr int kSharedElements =
    std::max(kStages * kSlot<Product>,
             Product::Tile::kThreads / kLanes * Staging<Product>::kSize *
                 static_cast<int>(sizeof(float) / sizeof(typename Product::Element)));

// The sums of a warp through the epilogue. staging: the warp's own, of kSize floats.
template <bool kWide, typename Product, typename Epilogue>
__device__ __forceinline__ void finish(const Product& product, const Epilogue& epilogue,
                                       int first_row, int first_column, float* staging, int lane) {
    using Shape = Staging<Product>;
    using Fetched = typename Epilogue::Fetched;
    // Rows of a lane whose reads are under way together: 4 KB a warp.
    constexpr int kMost = 128 / static_cast<int>(sizeof(Fetched));
    constexpr int kBatch = Shape::kShare < kMost ? Shape::kShare : kMost;
    constexpr int kBatches = static_cast<int>(divide_up(Shape::kShare, kBatch));  // in a round
    // Warps whose columns are no whole blocks of NVFP4 are not asked to quantise.
    constexpr bool kQuantizes = Epilogue::kQuantizes && Shape::kColumns % 16 == 0;
    int lane_row = lane / Shape::kGroups, column = lane % Shape::kGroups * kGroup;
    auto columns = epilogue.template columns_at<kWide>(first_column + column);
    bool sums_squares = epilogue.sums_squares(first_column);
    float* squares = staging + Shape::kSums;  // [kGroups, kSquareStride]
#pragma unroll 1                              // the code of one batch is long
    for (int batch = 0; batch < Shape::kRounds * kBatches; ++batch) {
        int round = batch / kBatches;
        int batch_row = lane_row + batch % kBatches * kBatch * Shape::kRowsAtOnce;
        int output_row = first_row + round * Shape::kRows;
        auto row_of = [&](int i) { return batch_row + i * Shape::kRowsAtOnce; };
        auto is_mine = [&](int i) {
            return lane_row < Shape::kRowsAtOnce && row_of(i) < Shape::kRows;
        };
        auto sums_of = [&](int i) { return staging + row_of(i) * Shape::kStride + column; };
        Fetched fetched[kBatch];
#pragma unroll
        for (int i = 0; i < kBatch; ++i) {
            if (!is_mine(i)) continue;
            fetched[i] =
                epilogue.template fetch<kWide>(output_row + row_of(i), first_column + column);
        }
        if (batch % kBatches == 0) {
            __syncwarp();  // all lanes are done with the last round's rows
#pragma unroll
            for (int pass = 0; pass < Product::kPasses; ++pass) {  // registers: fixed indices
                if (pass / Shape::kPasses != round) continue;
                float* to = staging + pass % Shape::kPasses * Product::kPassRows * Shape::kStride;
                product.put(pass, to, Shape::kStride, lane);
            }
            __syncwarp();
        }
        if (epilogue.transforms()) {
#pragma unroll 2
            for (int i = 0; i < kBatch; ++i) {
                if (!is_mine(i)) continue;
                auto sums = load<float, kGroup>(sums_of(i));
                epilogue.transform(columns, sums.at);
                store(sums_of(i), sums);
            }
        }
#pragma unroll
        for (int i = 0; i < kBatch; ++i) {
            if (!is_mine(i)) continue;
            auto sums = load<float, kGroup>(sums_of(i));
            float square_sum = epilogue.template finish<kWide>(
                output_row + row_of(i), first_column + column, columns, fetched[i], sums.at);
            if constexpr (kQuantizes) {
                if (epilogue.quantizes()) store(sums_of(i), sums);
            }
            if (sums_squares) {
                squares[column / kGroup * Shape::kSquareStride + row_of(i)] = square_sum;
            }
        }
        if (batch % kBatches != kBatches - 1) continue;
        if (sums_squares) {
            __syncwarp();
            float sum = 0;
            if (lane < Shape::kRows) {
                for (int group = 0; group < Shape::kGroups; ++group) {
                    sum += squares[group * Shape::kSquareStride + lane];
                }
                epilogue.store_squares(output_row + lane, first_column / Shape::kColumns, sum);
            }
        }
        if constexpr (kQuantizes) {
            if (epilogue.quantizes()) {
                __syncwarp();  // the results of all lanes are there
                epilogue.template quantize<Shape>(staging, output_row, first_column, lane);
            }
        }
    }
}

template <typename Product, typename Loader, typename Columns, typename Epilogue, bool kWideLoads>
__global__ void __launch_bounds__(Product::Tile::kThreads, Product::Tile::kBlocks)
    multiply(Loader in, Columns weight, Epilogue epilogue, int row_tiles, int column_tiles) {
    using T = typename Product::Element;
    using Tile = typename Product::Tile;
    SharedMemory memory;
    T* ring = memory.shared<T>(kSharedElements<Product>);

    TileIndex tile = tile_of_block(blockIdx.x, row_tiles, column_tiles);
    int lane = threadIdx.x % kLanes, warp = threadIdx.x / kLanes;
    int warp_row = warp / Tile::kColumnWarps * Tile::kWarpRows;
    int warp_column = warp % Tile::kColumnWarps * Tile::kWarpColumns;

    TileCopy<T, Tile::kRows, Tile::kThreads, Loader, kWideLoads> copy_in(in,
                                                                         tile.row * Tile::kRows);
    TileCopy<T, Tile::kColumns, Tile::kThreads, Columns, true> copy_weight(
        weight, tile.column * Tile::kColumns);
    int slices = weight.slices();
    int copied = 0;
    T* filling = ring;
    auto copy_next = [&] {
        if (copied < slices) {
            copy_in.copy(filling);
            copy_weight.copy(filling + kFirstOperand<Product>);
            filling = ++copied % kStages == 0 ? ring : filling + kSlot<Product>;
        }
        copy_async_commit();  // also an empty group, so that groups count slices
    };
    for (int i = 0; i < kStages - 1; ++i) copy_next();

    Product product;
    typename Product::Fragments fragments[2];
    const T* slot = ring;
    auto load_fragments = [&](int step) {
        product.load(fragments[step % 2], slot + warp_row * Product::kRowElements,
                     slot + kFirstOperand<Product> + warp_column * Product::kRowElements, step,
                     lane);
    };
    copy_async_wait<kStages - 2>();
    __syncthreads();
    load_fragments(0);
    for (int slice = 0; slice < slices; ++slice) {
#pragma unroll
        for (int step = 0; step < Product::kSteps; ++step) {
            if (step + 1 < Product::kSteps) {
                load_fragments(step + 1);
            } else if (slice + 1 < slices) {
                copy_async_wait<kStages - 2>();
                __syncthreads();
                slot = (slice + 1) % kStages == 0 ? ring : slot + kSlot<Product>;
                load_fragments(0);
            }
            if (step == 0) copy_next();
            product.multiply(fragments[step % 2], step);
        }
    }
    copy_async_wait<0>();
    __syncthreads();
    int first_row = tile.row * Tile::kRows + warp_row;
    int first_column = tile.column * Tile::kColumns + warp_column;
    if constexpr (Epilogue::kCorrects) epilogue.correct(product, first_row, first_column, lane);
    float* staging = reinterpret_cast<float*>(ring) + warp * Staging<Product>::kSize;
    if (epilogue.wide) {
        finish<true>(product, epilogue, first_row, first_column, staging, lane);
    } else {
        finish<false>(product, epilogue, first_row, first_column, staging, lane);
    }
}

// Queues the product of `rows` rows with `columns` columns.
template <typename Product, bool kWideLoads, typename Loader, typename Columns, typename Epilogue>
void launch_tiles(Context& context, int64_t rows, int64_t columns, const Loader& in,
                  const Columns& weight, const Epilogue& epilogue) {
    using Tile = typename Product::Tile;
    using T = typename Product::Element;
    int64_t row_tiles = divide_up(rows, Tile::kRows);
    int64_t column_tiles = divide_up(columns, Tile::kColumns);
    if (rows > kMost || row_tiles * column_tiles > kMost) {
        fail(SV_UNSUPPORTED, "a product of %ld rows with %ld columns is too large", long(rows),
             long(columns));
    }
    launch(context, multiply<Product, Loader, Columns, Epilogue, kWideLoads>,
           static_cast<unsigned>(row_tiles * column_tiles), Tile::kThreads,
           shared_size<T>(kSharedElements<Product>), in, weight, epilogue,
           static_cast<int>(row_tiles), static_cast<int>(column_tiles));
}

// Matrix `matrix` of a dense weight as the right operand.
template <typename T>
Rows<T> columns_of(const DenseWeight& weight, int64_t matrix) {
    if (weight.columns > kMost || weight.column_elements() > kMost) {
        fail(SV_UNSUPPORTED, "a product of %ld columns of %ld elements is too large",
             long(weight.columns), long(weight.column_elements()));
    }
    return {static_cast<const T*>(weight.data) + matrix * weight.matrix_elements(),
            static_cast<int>(weight.columns), static_cast<int>(weight.column_elements())};
}

// Queues the product of `rows` rows with matrix `matrix` of the weight.
template <typename Tile, bool kWideLoads, typename T, typename Loader, typename Epilogue>
void launch_product(Context& context, int64_t rows, const Loader& in, const DenseWeight& weight,
                    int64_t matrix, const Epilogue& epilogue) {
    launch_tiles<Product<T, Tile>, kWideLoads>(context, rows, weight.columns, in,
                                               columns_of<T>(weight, matrix), epilogue);
}

// Large tiles do more arithmetic for each byte of shared memory; small ones are there for outputs
// that would leave multiprocessors idle.
template <typename T>
using LargeTile =
    std::conditional_t<std::is_same_v<T, float>, Tile<128, 128, 2, 4, 1>, Tile<128, 224, 2, 4, 1>>;
using SmallTile = Tile<64, 64, 2, 2, 3>;

// How long the multiprocessors are busy with an output in tiles of a shape, in no unit. Small tiles
// take twice as long for their area.
template <typename Tile>
int64_t tile_time(const Context& context, int64_t rows, int64_t columns) {
    int64_t tiles = divide_up(rows, Tile::kRows) * divide_up(columns, Tile::kColumns);
    int64_t area = Tile::kRows * Tile::kColumns;
    return divide_up(tiles, context.multiprocessors) *
           (std::is_same_v<Tile, SmallTile> ? 2 * area : area);
}

// Calls body(tile, std::bool_constant<wide>) with a tile that suits an output. `wide`: the loader
// finds whole aligned chunks.
template <typename T, typename Body>
void with_tile(const Context& context, int64_t rows, int64_t columns, bool wide, const Body& body) {
    if (!wide) {
        body(SmallTile{}, std::false_type{});
    } else if (tile_time<LargeTile<T>>(context, rows, columns) <=
               tile_time<SmallTile>(context, rows, columns)) {
        body(LargeTile<T>{}, std::true_type{});
    } else {
        body(SmallTile{}, std::true_type{});
    }
}

}  // namespace sv::cuda::gemm
