// The packed weights of the CPU variants.
#pragma once

#include "common/memory.hpp"
#include "common/weight.hpp"
#include "cpu/lanes.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

// Linear, temporal, convolution and upsample weights: what dense products read, in the order in
// which they read it. A weight holds `matrices` matrices of [taps * depth, columns] (an upsample
// weight four, else one).
//
// A matrix is cut into panels of kPanelColumns columns, the last one as many whole vectors as are
// left, one after the other. A panel is [taps, padded depth, its columns] in f32; in bf16 two
// neighbours along the depth lie side by side, as the pair that one instruction multiplies: [taps,
// padded depth / 2, its columns, 2]. What pads columns and depth is zero.
struct DenseWeight final : ProductWeight {
    Memory& memory;
    void* data;
    int64_t pair;          // elements along the depth that lie side by side
    int64_t padded_depth;  // a multiple of pair

    DenseWeight(Memory& memory, sv_weight_kind kind, sv_dtype dtype, int rank,
                const int64_t* shape);
    ~DenseWeight() override;
    void pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
              sv_dtype data_dtype) override;
    int64_t bytes() const override;

    int64_t panels() const { return (columns + kPanelColumns - 1) / kPanelColumns; }
    int64_t padded_columns() const { return (columns + kLanes - 1) / kLanes * kLanes; }
    // Columns of a panel with the padding: whole vectors.
    int64_t panel_width(int64_t panel) const {
        int64_t left = padded_columns() - panel * kPanelColumns;
        return left < kPanelColumns ? left : kPanelColumns;
    }
    int64_t matrix_elements() const { return taps * padded_depth * padded_columns(); }
    // Index in data where a panel begins.
    int64_t panel_begin(int64_t matrix, int64_t panel) const {
        return matrix * matrix_elements() + panel * kPanelColumns * taps * padded_depth;
    }
};

}  // namespace SV_VARIANT
}  // namespace sv::cpu
