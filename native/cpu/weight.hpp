// The packed weights of the CPU variants.
#pragma once

#include "common/memory.hpp"
#include "common/weight.hpp"
#include "cpu/lanes.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

// How a matrix of [taps * depth, columns] is cut for dense products: into panels of kPanelColumns
// columns, the last one as many whole vectors as are left, one after the other. A panel is [taps,
// padded depth, its columns] in f32; in bf16 two neighbours along the depth lie side by side, as
// the pair that one instruction multiplies: [taps, padded depth / 2, its columns, 2]. What pads
// columns and depth is zero.
struct Panels {
    int64_t taps, depth, columns;
    int64_t pair;          // elements along the depth that lie side by side
    int64_t padded_depth;  // a multiple of pair

    Panels(const ProductWeight& weight, sv_dtype dtype) : Panels(weight, dtype, weight.taps) {}
    Panels(const ProductWeight& weight, sv_dtype dtype, int64_t taps)
        : taps(taps),
          depth(weight.depth),
          columns(weight.columns),
          pair(dtype == SV_BF16 ? 2 : 1),
          padded_depth((depth + pair - 1) / pair * pair) {}

    int64_t count() const { return (columns + kPanelColumns - 1) / kPanelColumns; }
    int64_t padded_columns() const { return (columns + kLanes - 1) / kLanes * kLanes; }
    // Columns of a panel with the padding: whole vectors.
    int64_t width(int64_t panel) const {
        int64_t left = padded_columns() - panel * kPanelColumns;
        return left < kPanelColumns ? left : kPanelColumns;
    }
    int64_t elements() const { return taps * padded_depth * padded_columns(); }
    // Elements before a panel.
    int64_t begin(int64_t panel) const { return panel * kPanelColumns * taps * padded_depth; }
};

// Linear, temporal, convolution and upsample weights: the panels of `matrices` matrices (an
// upsample weight has four, else one), in the order in which dense products read them. A
// transformed one (cpu/winograd.hpp) has taps of its own.
struct DenseWeight final : ProductWeight {
    Memory& memory;
    const bool transformed;
    Panels panels;
    void* data;

    DenseWeight(Memory& memory, sv_weight_kind kind, sv_dtype dtype, int rank,
                const int64_t* shape);
    ~DenseWeight() override;
    void pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
              sv_dtype data_dtype) override;
    int64_t bytes() const override;

    // Index in data where a panel begins.
    int64_t panel_begin(int64_t matrix, int64_t panel) const {
        return matrix * panels.elements() + panels.begin(panel);
    }
};

}  // namespace SV_VARIANT
}  // namespace sv::cpu
