// A packed weight as the ABI knows it; a backend derives its own layout from it.
#pragma once

#include <cstdint>

#include "common/memory.hpp"
#include "sanavideo/weight.h"

struct __attribute__((visibility("default"))) sv_weight {
    sv_weight_kind kind;
    sv_dtype dtype;
    int rank;
    int64_t shape[SV_MAX_RANK];

    sv_weight(sv_weight_kind kind, sv_dtype dtype, int rank, const int64_t* shape);
    virtual ~sv_weight() = default;

    // Rows are in range and data is not null; throws Error(SV_NOT_FINITE) as the ABI says.
    virtual void pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
                      sv_dtype data_dtype) = 0;
    virtual int64_t bytes() const = 0;
    // See sv_weight_matrix, which has checked the kind.
    virtual void* matrix(int64_t* padded_depth) const;

    // Elements of one row (a slice along the first dimension).
    int64_t row_elements() const {
        int64_t count = 1;
        for (int i = 1; i < rank; ++i) count *= shape[i];
        return count;
    }
};

namespace sv {

// A weight of any kind but SV_WEIGHT_DEPTHWISE, as what dense products multiply: `matrices`
// matrices with a column for each output channel and, along K, `depth` input channels for each of
// `taps` taps. An upsample weight is four, one for each parity of the output's row and column, of
// 2x2 taps.
struct ProductWeight : sv_weight {
    int64_t matrices, taps, depth, columns;

    ProductWeight(sv_weight_kind kind, sv_dtype dtype, int rank, const int64_t* shape);
};

// A linear or temporal weight that stays NVFP4: its dtype is SV_U8. Rows come by pack_nvfp4 alone.
struct Nvfp4Weight : ProductWeight {
    Nvfp4Weight(sv_weight_kind kind, int rank, const int64_t* shape)
        : ProductWeight(kind, SV_U8, rank, shape) {}

    // See sv_nvfp4_weight_pack, which has checked the arguments, the scales too.
    virtual void pack_nvfp4(sv_context& context, int64_t first_row, int64_t rows,
                            const uint8_t* codes, const uint8_t* scales, float global_scale) = 0;
    void pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
              sv_dtype data_dtype) final;
};

// The weight as NVFP4; null when it is another.
inline const Nvfp4Weight* as_nvfp4(const sv_weight& weight) {
    return weight.dtype == SV_U8 ? static_cast<const Nvfp4Weight*>(&weight) : nullptr;
}

// SV_WEIGHT_DEPTHWISE: values of the weight's dtype, held as f32 for the fp32 maths they enter.
struct DepthwiseWeight final : sv_weight {
    Memory& memory;
    float* taps;  // [3 * 3, channels] on the device, tap 3 * y + x

    DepthwiseWeight(Memory& memory, sv_dtype dtype, int rank, const int64_t* shape);
    ~DepthwiseWeight() override;
    void pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
              sv_dtype data_dtype) override;
    int64_t bytes() const override;
};

// A shape of the kind, of f32 or bf16.
void require_weight_shape(sv_weight_kind kind, sv_dtype dtype, int rank, const int64_t* shape);

// Rows of the weight.
void require_rows(const sv_weight& weight, int64_t first_row, int64_t rows);

}  // namespace sv
