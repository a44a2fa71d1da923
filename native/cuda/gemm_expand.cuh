// NVFP4 weights of products whose left operand is bf16 or f32 (gemm.cuh): they stay packed in
// device memory and become bf16, or f32, on the way into shared memory. Codes times block scales
// are exact in both; the global scale of a column comes in the epilogue (gemm_nvfp4_epilogue.cuh).
//
// A thread takes blocks of 16 elements along K, 8 bytes of codes and their scale: loaded into
// registers a slice ahead, expanded into a slot while the tensor cores have work. A block of bf16
// is 16 elements in some 50 instructions. In a slice of a tile of 128 x 224 (one or two blocks a
// thread, 448 in all) an H100 issues them in about 170 cycles of the 716 that its tensor cores are
// busy. Device memory is read for 0.5625 bytes an element instead of 2; times are those of dense
// weights (gemm.cuh) plus what of the expansion is not hidden, an estimated tenth on an H100 and
// nothing that can be seen on an RTX 5090, whose tensor cores take 3584 cycles a slice for bf16.
// Predicted, not measured.
#pragma once

#include "cuda/gemm.cuh"
#include "cuda/nvfp4_codes.cuh"
#include "cuda/nvfp4_weight.hpp"

namespace sv::cuda::gemm {

// The loader. Along K the channels of each tap, without the columns that pad its last slab: the
// input's order, since their count is a multiple of 16.
template <typename T>
struct ExpandedColumns {
    const uint8_t* codes;
    const uint8_t* scales;
    int64_t slab_rows;
    int columns;  // of the output: the weight's rows
    int tap_slabs;
    int tap_blocks;  // of 16 channels
    int taps;

    __device__ int slices() const {
        constexpr int kBlocks = kSlice<T> / 16;
        return (taps * tap_blocks + kBlocks - 1) / kBlocks;
    }
};

// A block's codes times its scale, into its chunks of a row.
__device__ __forceinline__ void expand_block(Vector<uint32_t, 2> codes, uint32_t scale, bf16* tile,
                                             int row, int first_chunk) {
    uint32_t factor = nvfp4_scale_bf16x2(scale);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        Vector<uint32_t, 4> chunk;
        nvfp4_codes(codes.at[half], chunk.at);
#pragma unroll
        for (int i = 0; i < 4; ++i) chunk.at[i] = multiply_bf16x2(chunk.at[i], factor);
        bf16* to = tile + chunk_index(row, first_chunk + half) * kWide<bf16>;
        *reinterpret_cast<Vector<uint32_t, 4>*>(to) = chunk;
    }
}

__device__ __forceinline__ void expand_block(Vector<uint32_t, 2> codes, uint32_t scale, float* tile,
                                             int row, int first_chunk) {
    float factor = nvfp4_scale(scale);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        uint32_t pairs[4];
        nvfp4_codes(codes.at[half], pairs);
#pragma unroll
        for (int i = 0; i < 4; i += 2) {
            Vector<float, 4> chunk{low_half(pairs[i]) * factor, high_half(pairs[i]) * factor,
                                   low_half(pairs[i + 1]) * factor,
                                   high_half(pairs[i + 1]) * factor};
            store(tile + chunk_index(row, first_chunk + 2 * half + i / 2) * kWide<float>, chunk);
        }
    }
}

template <typename T, int kRows, int kThreads>
class TileCopy<T, kRows, kThreads, ExpandedColumns<T>, true> {
public:
    __device__ TileCopy(const ExpandedColumns<T>& loader, int first_row)
        : loader_(loader), first_row_(first_row), block_(static_cast<int>(threadIdx.x) % kBlocks) {
        skip_taps();
        fetch();
    }

    // Expands the slice that was loaded, and loads the next one.
    __device__ __forceinline__ void copy(T* tile) {
#pragma unroll
        for (int i = 0; i < kShare; ++i) {
            int row = tile_row(i);
            if (kRows % kRowsAtOnce != 0 && row >= kRows) continue;
            int first_chunk = static_cast<int>(threadIdx.x) % kBlocks * (kChunks / kBlocks);
            expand_block(codes_[i], scales_[i], tile, row, first_chunk);
        }
        block_ += kBlocks;
        skip_taps();
        fetch();
    }

private:
    static constexpr int kBlocks = kSlice<T> / 16;  // of a row in a slice
    static constexpr int kRowsAtOnce = kThreads / kBlocks;
    static constexpr int kShare = static_cast<int>(divide_up(kRows, kRowsAtOnce));

    __device__ __forceinline__ static int tile_row(int i) {
        return static_cast<int>(threadIdx.x) / kBlocks + i * kRowsAtOnce;
    }

    __device__ __forceinline__ void skip_taps() {
        while (block_ >= loader_.tap_blocks) {
            block_ -= loader_.tap_blocks;
            ++tap_;
        }
    }

    __device__ __forceinline__ void fetch() {
        int64_t slab_row = (tap_ * loader_.tap_slabs + block_ / 4) * loader_.slab_rows;
#pragma unroll
        for (int i = 0; i < kShare; ++i) {
            int row = first_row_ + tile_row(i);
            bool exists = row < loader_.columns && tap_ < loader_.taps;
            int64_t at = exists ? (slab_row + row) * 4 + block_ % 4 : 0;  // in blocks
            codes_[i] =
                load<uint32_t, 2>(reinterpret_cast<const uint32_t*>(loader_.codes) + 2 * at);
            scales_[i] = exists ? loader_.scales[at] : 0;
        }
    }

    const ExpandedColumns<T>& loader_;
    int first_row_, block_, tap_ = 0;  // of the slice that is loaded
    Vector<uint32_t, 2> codes_[kShare];
    uint32_t scales_[kShare];
};

// A weight as such an operand.
template <typename T>
ExpandedColumns<T> expanded(const SlabNvfp4Weight& weight) {
    return {weight.codes,
            weight.scales,
            weight.slab_rows,
            count_of(weight.columns, "columns"),
            static_cast<int>(weight.tap_slabs),
            count_of(weight.depth / 16, "blocks of a column"),
            static_cast<int>(weight.taps)};
}

// Whether a result is to be quantised by warps that would not have whole blocks in large tiles,
// where they have 56 columns. It costs up to half of the speed; the model's blocks quantise only
// what follows a product of quantised rows (nvfp4_gemm.cu).
template <typename T>
bool needs_small_tiles(const sv_epilogue& epilogue) {
    return LargeTile<T>::kWarpColumns % 16 != 0 && epilogue.quantized != nullptr;
}

}  // namespace sv::cuda::gemm
