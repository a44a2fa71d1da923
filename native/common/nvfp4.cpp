// The ABI of sanavideo/nvfp4.h: checks, then the backend.
#include "common/nvfp4.hpp"

#include "common/context.hpp"
#include "common/linear.hpp"
#include "common/nvfp4_matrix.hpp"
#include "common/weight.hpp"

namespace sv {
namespace {

int64_t round_up(int64_t size, int64_t multiple) {
    return (size + multiple - 1) / multiple * multiple;
}

void require_global_scale(float scale) {
    require_finite(scale, "global_scale");
    if (!(scale > 0)) {
        fail(SV_INVALID_ARGUMENT, "global_scale is %g, expected a number above 0", double(scale));
    }
}

// Codes and scales of these rows, apart from each other and from them.
void require_quantized(const sv_tensor* codes, const sv_tensor* scales, const sv_tensor& values,
                       const char* name) {
    int64_t padded = round_up(channels(values), nvfp4::kPadding);
    require(codes, "codes", SV_U8, {rows(values), padded / 2});
    require(scales, "scales", SV_U8, {rows(values), padded / nvfp4::kBlock});
    require_apart(*codes, "codes", *scales, "scales");
    require_apart(*codes, "codes", values, name);
    require_apart(*scales, "scales", values, name);
}

// The matrix's memory as tensors.
sv_tensor codes_of(const sv_nvfp4_matrix& matrix) {
    int64_t slabs = nvfp4::slabs(matrix.columns);
    int64_t rows = (slabs - 1) * matrix.slab_rows + matrix.rows;  // of a window: not to its end
    return {matrix.codes, SV_U8, 2, {rows, nvfp4::kSlabCodeBytes}};
}

sv_tensor scales_of(const sv_nvfp4_matrix& matrix) {
    sv_tensor scales = codes_of(matrix);
    scales.data = matrix.scales;
    scales.shape[1] = nvfp4::kSlabScaleBytes;
    return scales;
}

void require_aligned(const void* address, uintptr_t bytes, const char* name, const char* member) {
    if (address == nullptr || reinterpret_cast<uintptr_t>(address) % bytes != 0) {
        fail(SV_INVALID_ARGUMENT, "%s's %s are at %p, expected a multiple of %ld bytes", name,
             member, address, long(bytes));
    }
}

// Rows of a file, of as many rows and columns as the matrix.
void require_file_rows(const sv_tensor* codes, const sv_tensor* scales,
                       const sv_nvfp4_matrix& matrix, const char* name) {
    int64_t padded = round_up(matrix.columns, nvfp4::kPadding);
    require(codes, "codes", SV_U8, {matrix.rows, padded / 2});
    require(scales, "scales", SV_U8, {matrix.rows, padded / nvfp4::kBlock});
    require_apart(matrix, name, *codes, "codes");
    require_apart(matrix, name, *scales, "scales");
}

const Nvfp4Weight& require_nvfp4_weight(const sv_weight* weight, sv_weight_kind kind) {
    if (weight != nullptr && as_nvfp4(*weight) == nullptr) {
        fail(SV_INVALID_ARGUMENT, "weight is %s, expected NVFP4", name_of(weight->dtype));
    }
    return static_cast<const Nvfp4Weight&>(require_weight(weight, kind, SV_U8));
}

void require_scales(const uint8_t* scales, int64_t first, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        if (scales[i] >= 0x7f) {
            fail(SV_NOT_FINITE, "scale %ld is the byte 0x%02x, expected 0 to 0x7e", long(first + i),
                 unsigned(scales[i]));
        }
    }
}

void require_tiles(const sv_tensor* tiles, const sv_tensor* scales) {
    require(scales, "scales", SV_U8, {-1, -1});
    int64_t tile_rows = round_up(scales->shape[0], nvfp4::kTileRows) / nvfp4::kTileRows;
    int64_t tile_columns = round_up(scales->shape[1], nvfp4::kTileScales) / nvfp4::kTileScales;
    require(tiles, "tiles", SV_U8, {tile_rows, tile_columns, 32, 4, 4});
    require_apart(*tiles, "tiles", *scales, "scales");
}

}  // namespace

const sv_nvfp4_matrix& require_matrix(const sv_nvfp4_matrix* matrix, const char* name, int64_t rows,
                                      int64_t columns) {
    if (matrix == nullptr) fail(SV_INVALID_ARGUMENT, "%s is null", name);
    if (rows == -1) rows = matrix->rows;
    if (columns == -1) columns = matrix->columns;
    if (matrix->rows != rows || matrix->columns != columns || rows < 1 || columns < 1) {
        fail(SV_INVALID_ARGUMENT, "%s has %ld rows of %ld columns, expected %ld of %ld", name,
             long(matrix->rows), long(matrix->columns), long(rows), long(columns));
    }
    if (matrix->slab_rows < rows) {
        fail(SV_INVALID_ARGUMENT, "%s has slabs of %ld rows, expected at least its %ld", name,
             long(matrix->slab_rows), long(rows));
    }
    require_aligned(matrix->codes, 16, name, "codes");
    require_aligned(matrix->scales, 4, name, "scales");
    require_global_scale(matrix->global_scale);
    return *matrix;
}

void require_apart(const sv_nvfp4_matrix& a, const char* a_name, const sv_tensor& b,
                   const char* b_name) {
    require_apart(codes_of(a), a_name, b, b_name);
    require_apart(scales_of(a), a_name, b, b_name);
}

void require_apart(const sv_nvfp4_matrix& a, const char* a_name, const sv_nvfp4_matrix& b,
                   const char* b_name) {
    require_apart(a, a_name, codes_of(b), b_name);
    require_apart(a, a_name, scales_of(b), b_name);
}

}  // namespace sv

extern "C" {

sv_status sv_nvfp4_quantize(sv_context* context, const sv_tensor* in, float global_scale,
                            sv_nvfp4_scaling scaling, const sv_tensor* codes,
                            const sv_tensor* scales) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_float(in, "in");
        sv::require_global_scale(global_scale);
        if (scaling != SV_NVFP4_SIX && scaling != SV_NVFP4_FOUR_OVER_SIX) {
            sv::fail(SV_INVALID_ARGUMENT, "scaling is %d, expected 0 or 1", int(scaling));
        }
        sv::require_quantized(codes, scales, *in, "in");
        c.backend.nvfp4_quantize(c, *in, global_scale, scaling, *codes, *scales);
    });
}

sv_status sv_nvfp4_dequantize(sv_context* context, const sv_tensor* codes, const sv_tensor* scales,
                              float global_scale, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_float(out, "out");
        sv::require_global_scale(global_scale);
        sv::require_quantized(codes, scales, *out, "out");
        c.backend.nvfp4_dequantize(c, *codes, *scales, global_scale, *out);
    });
}

sv_status sv_nvfp4_tile_scales(sv_context* context, const sv_tensor* scales,
                               const sv_tensor* tiles) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_tiles(tiles, scales);
        c.backend.nvfp4_tile_scales(c, *scales, *tiles);
    });
}

sv_status sv_nvfp4_untile_scales(sv_context* context, const sv_tensor* tiles,
                                 const sv_tensor* scales) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_tiles(tiles, scales);
        c.backend.nvfp4_untile_scales(c, *tiles, *scales);
    });
}

sv_status sv_nvfp4_to_slabs(sv_context* context, const sv_tensor* codes, const sv_tensor* scales,
                            const sv_nvfp4_matrix* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_matrix(out, "out", -1, -1);
        sv::require_file_rows(codes, scales, *out, "out");
        c.backend.nvfp4_to_slabs(c, *codes, *scales, *out);
    });
}

sv_status sv_nvfp4_from_slabs(sv_context* context, const sv_nvfp4_matrix* in,
                              const sv_tensor* codes, const sv_tensor* scales) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_matrix(in, "in", -1, -1);
        sv::require_file_rows(codes, scales, *in, "in");
        c.backend.nvfp4_from_slabs(c, *in, *codes, *scales);
    });
}

sv_status sv_nvfp4_quantize_rows(sv_context* context, const sv_tensor* in,
                                 const sv_nvfp4_matrix* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_float(in, "in");
        sv::require_matrix(out, "out", sv::rows(*in), sv::channels(*in));
        sv::require_apart(*out, "out", *in, "in");
        c.backend.nvfp4_quantize_rows(c, *in, *out);
    });
}

sv_status sv_nvfp4_weight_create(sv_context* context, sv_weight_kind kind, int rank,
                                 const int64_t* shape, sv_weight** out) {
    return sv::run_op(context, [&](sv_context& c) {
        if (out == nullptr) sv::fail(SV_INVALID_ARGUMENT, "out is null");
        if (kind != SV_WEIGHT_LINEAR && kind != SV_WEIGHT_TEMPORAL) {
            sv::fail(SV_INVALID_ARGUMENT, "kind is %d, expected %d or %d", int(kind),
                     int(SV_WEIGHT_LINEAR), int(SV_WEIGHT_TEMPORAL));
        }
        sv::require_weight_shape(kind, SV_F32, rank, shape);
        if (shape[1] % sv::nvfp4::kBlock != 0) {
            sv::fail(SV_INVALID_ARGUMENT,
                     "the weight has %ld input channels, expected a multiple "
                     "of %d",
                     long(shape[1]), sv::nvfp4::kBlock);
        }
        *out = c.backend.nvfp4_weight_create(c, kind, rank, shape);
    });
}

sv_status sv_nvfp4_weight_pack(sv_context* context, sv_weight* weight, int64_t first_row,
                               int64_t rows, const void* codes, const void* scales,
                               float global_scale) {
    return sv::run_op(context, [&](sv_context& c) {
        if (weight == nullptr) sv::fail(SV_INVALID_ARGUMENT, "weight is null");
        if (sv::as_nvfp4(*weight) == nullptr) {
            sv::fail(SV_INVALID_ARGUMENT, "weight is %s, expected NVFP4",
                     sv::name_of(weight->dtype));
        }
        if (codes == nullptr) sv::fail(SV_INVALID_ARGUMENT, "codes is null");
        if (scales == nullptr) sv::fail(SV_INVALID_ARGUMENT, "scales is null");
        sv::require_global_scale(global_scale);
        sv::require_rows(*weight, first_row, rows);
        if (c.dry) return;
        auto* bytes = static_cast<const uint8_t*>(scales);
        int64_t row_scales = weight->row_elements() / sv::nvfp4::kBlock;
        sv::require_scales(bytes, first_row * row_scales, rows * row_scales);
        static_cast<sv::Nvfp4Weight*>(weight)->pack_nvfp4(
            c, first_row, rows, static_cast<const uint8_t*>(codes), bytes, global_scale);
    });
}

sv_status sv_nvfp4_linear(sv_context* context, const sv_nvfp4_matrix* in, const sv_weight* weight,
                          const sv_epilogue* epilogue, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        const sv::Nvfp4Weight& packed = sv::require_nvfp4_weight(weight, SV_WEIGHT_LINEAR);
        sv::require_matrix(in, "in", -1, packed.shape[1]);
        sv::require_linear_out(out, in->rows, packed);
        sv::require_apart(*in, "in", *out, "out");
        sv_epilogue checked = sv::require_epilogue(epilogue, packed, *out);
        if (checked.square_sums != nullptr) {
            sv::require_apart(*in, "in", *checked.square_sums, "square_sums");
        }
        if (checked.quantized != nullptr) {
            sv::require_apart(*in, "in", *checked.quantized, "quantized");
        }
        c.backend.nvfp4_linear(c, *in, packed, checked, *out);
    });
}

sv_status sv_nvfp4_temporal_convolution(sv_context* context, const sv_nvfp4_matrix* in,
                                        const sv_tensor* identity, const sv_weight* weight,
                                        const sv_epilogue* epilogue, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        const sv::Nvfp4Weight& packed = sv::require_nvfp4_weight(weight, SV_WEIGHT_TEMPORAL);
        sv::require_float(out, "out");
        sv::require(out, "out", out->dtype, {-1, -1, -1, packed.shape[0]});
        sv::require_like(identity, "identity", *out, "out");
        sv::require_apart(*out, "out", *identity, "identity");
        sv::require_matrix(in, "in", sv::rows(*out), packed.shape[1]);
        sv::require_apart(*in, "in", *out, "out");
        sv_epilogue checked = sv::require_epilogue(epilogue, packed, *out);
        sv::require_temporal_epilogue(checked);
        if (checked.quantized != nullptr) {
            sv::require_apart(*in, "in", *checked.quantized, "quantized");
        }
        c.backend.nvfp4_temporal_convolution(c, *in, *identity, packed, checked, *out);
    });
}

sv_status sv_nvfp4_probe(sv_context* context, int64_t* positions) {
    return sv::run_op(context, [&](sv_context& c) {
        if (positions == nullptr) sv::fail(SV_INVALID_ARGUMENT, "positions is null");
        *positions = c.backend.nvfp4_probe(c);
    });
}

}  // extern "C"
