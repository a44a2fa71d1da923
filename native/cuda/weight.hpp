// The packed weights of the CUDA backend, in device memory.
#pragma once

#include <cstdint>

#include "common/memory.hpp"
#include "common/weight.hpp"
#include "cuda/layout.hpp"

namespace sv::cuda {

// Linear, temporal, convolution and upsample weights: `matrices` matrices of [columns, taps, padded
// depth], one after the other (an upsample weight has four, 2 * row parity + column parity of the
// output pixels they make; else one). A column is one output feature, as the file has it, but the
// channels lie together tap by tap: frames, rows and columns of the kernel in this order, columns
// fastest. Each tap's channels are padded with zeros to whole 16 bytes, so that a kernel can copy
// them 16 bytes at a time.
struct DenseWeight final : ProductWeight {
    Memory& memory;
    void* data;
    int64_t padded_depth;

    DenseWeight(Memory& memory, sv_weight_kind kind, sv_dtype dtype, int rank,
                const int64_t* shape);
    ~DenseWeight() override;
    void pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
              sv_dtype data_dtype) override;
    int64_t bytes() const override;
    void* matrix(int64_t* padded) const override {
        *padded = padded_depth;
        return data;
    }

    int64_t column_elements() const { return taps * padded_depth; }
    int64_t matrix_elements() const { return columns * column_elements(); }
};

}  // namespace sv::cuda
