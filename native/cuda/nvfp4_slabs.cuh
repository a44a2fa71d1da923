// NVFP4 in slabs (sv_nvfp4_matrix) as kernels write and read it.
#pragma once

#include "common/nvfp4.hpp"
#include "common/nvfp4_matrix.hpp"
#include "cuda/number.cuh"
#include "cuda/warp.cuh"

namespace sv::cuda {

// A kernel's argument.
struct Slabs {
    uint8_t* codes;
    uint8_t* scales;
    int64_t slab_rows;
    float global_scale;

    explicit Slabs(const sv_nvfp4_matrix& matrix)
        : codes(static_cast<uint8_t*>(matrix.codes)),
          scales(static_cast<uint8_t*>(matrix.scales)),
          slab_rows(matrix.slab_rows),
          global_scale(matrix.global_scale) {}

    // A row of a slab, counted through all slabs.
    __device__ __forceinline__ int64_t place(int64_t row, int64_t column) const {
        return column / nvfp4::kSlab * slab_rows + row;
    }

    // The byte that holds an element of an even column.
    __device__ __forceinline__ uint8_t* code_at(int64_t row, int64_t column) const {
        return codes + place(row, column) * nvfp4::kSlabCodeBytes + column % nvfp4::kSlab / 2;
    }

    __device__ __forceinline__ uint8_t* scale_at(int64_t row, int64_t column) const {
        return scales + place(row, column) * nvfp4::kSlabScaleBytes +
               column % nvfp4::kSlab / nvfp4::kBlock;
    }

    // Stores the block that begins at a column: codes begin at a multiple of 16 bytes, blocks at
    // one of 8.
    __device__ __forceinline__ void put(int64_t row, int64_t column,
                                        const nvfp4::Block& block) const {
        *reinterpret_cast<uint64_t*>(code_at(row, column)) = block.codes;
        *scale_at(row, column) = block.scale;
    }

    __device__ __forceinline__ nvfp4::Block get(int64_t row, int64_t column) const {
        return {*reinterpret_cast<const uint64_t*>(code_at(row, column)), *scale_at(row, column)};
    }
};

// What one of the lanes that share a block makes of its elements.
struct BlockPart {
    uint32_t codes;  // the first in the lowest four bits
    uint8_t scale;   // the block's, the same in each
};

// Quantises a block that `lanes` neighbouring lanes (a power of two) hold, Count elements each. All
// lanes of the warp must call it.
template <int Count>
__device__ __forceinline__ BlockPart quantize_part(const float (&x)[Count], int lanes,
                                                   float global_scale) {
    float largest = 0;
    for (int i = 0; i < Count; ++i) largest = fmaxf(largest, fabsf(x[i]));
    for (int distance = lanes / 2; distance > 0; distance /= 2) {
        largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, distance));
    }
    int scale = nvfp4::scale_code(largest / (6.0f * global_scale));
    float step = nvfp4::scale_value(scale) * global_scale;
    BlockPart part{0, static_cast<uint8_t>(scale)};
    for (int i = 0; i < Count; ++i) {
        part.codes |= static_cast<uint32_t>(nvfp4::signed_code(x[i], step)) << 4 * i;
    }
    return part;
}

}  // namespace sv::cuda
