#include "common/weight.hpp"

#include <memory>

#include "common/context.hpp"
#include "common/tensor.hpp"

namespace sv {
namespace {

// Rank of each kind's shape, and whether the shape is one of that kind.
bool fits_kind(sv_weight_kind kind, int rank, const int64_t* shape) {
    auto odd = [](int64_t size) { return size % 2 == 1; };
    switch (kind) {
        case SV_WEIGHT_LINEAR:
            return rank == 2;
        case SV_WEIGHT_TEMPORAL:
            return rank == 3 && shape[0] == shape[1] && shape[2] == 3;
        case SV_WEIGHT_CONVOLUTION:
            return rank == 5 && odd(shape[2]) && odd(shape[3]) && odd(shape[4]);
        case SV_WEIGHT_UPSAMPLE:
            return rank == 4 && shape[2] == 3 && shape[3] == 3;
        case SV_WEIGHT_DEPTHWISE:
            return rank == 4 && shape[1] == 1 && shape[2] == 3 && shape[3] == 3;
    }
    return false;
}

const char* shape_of(sv_weight_kind kind) {
    static const char* const shapes[] = {"[out, in]", "[channels, channels, 3]",
                                         "[out, in, frames, height, width] with odd sizes",
                                         "[out, in, 3, 3]", "[channels, 1, 3, 3]"};
    return shapes[kind];
}

}  // namespace

void require_weight_shape(sv_weight_kind kind, sv_dtype dtype, int rank, const int64_t* shape) {
    if (shape == nullptr) fail(SV_INVALID_ARGUMENT, "shape is null");
    if (kind < SV_WEIGHT_LINEAR || kind > SV_WEIGHT_DEPTHWISE) {
        fail(SV_INVALID_ARGUMENT, "kind is %d, expected 0 to %d", int(kind),
             int(SV_WEIGHT_DEPTHWISE));
    }
    sv_tensor form{&form, dtype, rank, {}};
    for (int i = 0; i < rank && i < SV_MAX_RANK; ++i) form.shape[i] = shape[i];
    require_float(&form, "the weight");
    if (!fits_kind(kind, rank, shape)) {
        fail(SV_INVALID_ARGUMENT, "the weight has shape %s, expected %s", shape_text(form).c_str(),
             shape_of(kind));
    }
}

void require_rows(const sv_weight& weight, int64_t first_row, int64_t rows) {
    if (first_row < 0 || rows < 1 || rows > weight.shape[0] - first_row) {
        fail(SV_INVALID_ARGUMENT, "rows %ld to %ld were given, expected rows of 0 to %ld",
             long(first_row), long(first_row + rows - 1), long(weight.shape[0] - 1));
    }
}

}  // namespace sv

extern "C" {

sv_status sv_weight_create(sv_context* context, sv_weight_kind kind, sv_dtype dtype, int rank,
                           const int64_t* shape, sv_weight** out) {
    return sv::run_op(context, [&](sv_context& c) {
        if (out == nullptr) sv::fail(SV_INVALID_ARGUMENT, "out is null");
        sv::require_weight_shape(kind, dtype, rank, shape);
        *out = c.backend.weight_create(c, kind, dtype, rank, shape);
    });
}

sv_status sv_weight_pack(sv_context* context, sv_weight* weight, int64_t first_row, int64_t rows,
                         const void* data, sv_dtype data_dtype) {
    return sv::run_op(context, [&](sv_context& c) {
        if (weight == nullptr) sv::fail(SV_INVALID_ARGUMENT, "weight is null");
        if (data == nullptr) sv::fail(SV_INVALID_ARGUMENT, "data is null");
        if (data_dtype != SV_F32 && data_dtype != SV_F16 && data_dtype != SV_BF16) {
            sv::fail(SV_INVALID_ARGUMENT, "data is %s, expected f32, f16 or bf16",
                     sv::name_of(data_dtype));
        }
        sv::require_rows(*weight, first_row, rows);
        if (!c.dry) weight->pack(c, first_row, rows, data, data_dtype);
    });
}

sv_status sv_weight_bytes(const sv_weight* weight, int64_t* out) {
    return sv::guarded([&] {
        if (weight == nullptr) sv::fail(SV_INVALID_ARGUMENT, "weight is null");
        if (out == nullptr) sv::fail(SV_INVALID_ARGUMENT, "out is null");
        *out = weight->bytes();
    });
}

sv_status sv_weight_matrix(const sv_weight* weight, void** data, int64_t* padded_depth) {
    return sv::guarded([&] {
        if (weight == nullptr) sv::fail(SV_INVALID_ARGUMENT, "weight is null");
        if (data == nullptr) sv::fail(SV_INVALID_ARGUMENT, "data is null");
        if (padded_depth == nullptr) sv::fail(SV_INVALID_ARGUMENT, "padded_depth is null");
        if (sv::as_nvfp4(*weight) != nullptr) {
            sv::fail(SV_UNSUPPORTED, "weight is NVFP4, expected one that holds f32 or bf16");
        }
        if (weight->kind != SV_WEIGHT_LINEAR && weight->kind != SV_WEIGHT_CONVOLUTION) {
            sv::fail(SV_UNSUPPORTED, "weight is of kind %d, expected kind %d or %d",
                     int(weight->kind), int(SV_WEIGHT_LINEAR), int(SV_WEIGHT_CONVOLUTION));
        }
        *data = weight->matrix(padded_depth);
    });
}

void sv_weight_destroy(sv_context*, sv_weight* weight) { delete weight; }

}  // extern "C"
