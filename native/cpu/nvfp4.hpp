// NVFP4 operands on the CPU: what a product makes of them on the way in, and of its rows on the way
// out.
#pragma once

#include "common/memory.hpp"
#include "common/nvfp4_matrix.hpp"
#include "cpu/weight.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

// A weight that stays NVFP4, cut into panels of columns as dense weights are, so that a panel is
// expanded vector by vector. A panel of `width` columns: codes [taps * depth / 2, width], a byte
// for two neighbours along the depth, the first in its low four bits; scales [taps * depth / 16,
// width]. What pads columns is zero.
struct PanelNvfp4Weight final : Nvfp4Weight {
    Memory& memory;
    Panels panels;
    uint8_t* codes;
    uint8_t* scales;
    float* channel_scales;  // f32 [padded columns]: the global scale of each

    PanelNvfp4Weight(Memory& memory, sv_weight_kind kind, int rank, const int64_t* shape);
    ~PanelNvfp4Weight() override;
    void pack_nvfp4(sv_context& context, int64_t first_row, int64_t rows, const uint8_t* codes,
                    const uint8_t* scales, float global_scale) override;
    int64_t bytes() const override;
};

// Codes times block scales of a panel, which every float and every bf16 holds exactly, in the order
// of `panels`, which are those of T.
template <typename T>
void expand_panel(const PanelNvfp4Weight& weight, const Panels& panels, int64_t panel, T* out);

// Codes times block scales of all rows: [rows, columns].
template <typename T>
void expand_rows(const sv_context& context, const sv_nvfp4_matrix& in, T* out);

// Quantises columns [first, first + count) of a row, and zeros up to the end of a slab when they
// are the last. first: a multiple of 16, as is count unless they are the last. The arithmetic is
// that of common/nvfp4.hpp.
void quantize_columns(const sv_nvfp4_matrix& out, int64_t row, int64_t first, int64_t count,
                      const float* values);

}  // namespace SV_VARIANT
}  // namespace sv::cpu
