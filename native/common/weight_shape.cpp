#include <algorithm>

#include "common/status.hpp"
#include "common/weight.hpp"

sv_weight::sv_weight(sv_weight_kind kind, sv_dtype dtype, int rank, const int64_t* shape)
    : kind(kind), dtype(dtype), rank(rank) {
    std::copy(shape, shape + rank, this->shape);
}

void* sv_weight::matrix(int64_t*) const {
    sv::fail(SV_UNSUPPORTED, "the CPU's layout of weights is its own");
}

namespace sv {

ProductWeight::ProductWeight(sv_weight_kind kind, sv_dtype dtype, int rank, const int64_t* shape)
    : sv_weight(kind, dtype, rank, shape) {
    bool upsample = kind == SV_WEIGHT_UPSAMPLE;
    matrices = upsample ? 4 : 1;
    depth = shape[1];
    columns = shape[0];
    taps = upsample ? 4 : row_elements() / depth;
}

void Nvfp4Weight::pack(sv_context&, int64_t, int64_t, const void*, sv_dtype) {
    fail(SV_INVALID_ARGUMENT, "the weight is NVFP4, expected one that holds f32 or bf16");
}

}  // namespace sv
