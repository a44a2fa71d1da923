// Weights that stay NVFP4 in device memory.
#pragma once

#include <cstdint>

#include "common/memory.hpp"
#include "common/nvfp4_matrix.hpp"
#include "common/weight.hpp"

namespace sv::cuda {

// Linear and temporal weights as products read NVFP4 (sv_nvfp4_matrix): a row is an output channel.
// The slabs of all taps lie one after the other, each tap's input channels padded with zeros to
// whole slabs of 64: along K a product sees one matrix of `taps * tap_slabs` slabs. A slab's rows
// are the weight's, padded with zeros to a multiple of 4, so that its scales begin at a multiple of
// 16 bytes. All that was not packed is zero.
struct SlabNvfp4Weight final : Nvfp4Weight {
    Memory& memory;
    int64_t tap_slabs, slab_rows;
    uint8_t* codes;         // [taps, tap_slabs, slab_rows, 32]
    uint8_t* scales;        // [taps, tap_slabs, slab_rows, 4]
    float* channel_scales;  // f32 [slab_rows]: the global scale of each row

    SlabNvfp4Weight(Memory& memory, sv_weight_kind kind, int rank, const int64_t* shape);
    ~SlabNvfp4Weight() override;
    void pack_nvfp4(sv_context& context, int64_t first_row, int64_t rows, const uint8_t* codes,
                    const uint8_t* scales, float global_scale) override;
    int64_t bytes() const override;

    int64_t slabs() const { return taps * tap_slabs; }
};

// The weight as this backend makes it.
inline const SlabNvfp4Weight& in_slabs(const Nvfp4Weight& weight) {
    return static_cast<const SlabNvfp4Weight&>(weight);
}

}  // namespace sv::cuda
