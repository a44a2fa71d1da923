// The ABI of sanavideo/nvfp4.h: checks, then the backend.
#include "common/nvfp4.hpp"

#include "common/context.hpp"
#include "common/tensor.hpp"

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

void require_tiles(const sv_tensor* tiles, const sv_tensor* scales) {
    require(scales, "scales", SV_U8, {-1, -1});
    int64_t tile_rows = round_up(scales->shape[0], nvfp4::kTileRows) / nvfp4::kTileRows;
    int64_t tile_columns = round_up(scales->shape[1], nvfp4::kTileScales) / nvfp4::kTileScales;
    require(tiles, "tiles", SV_U8, {tile_rows, tile_columns, 32, 4, 4});
    require_apart(*tiles, "tiles", *scales, "scales");
}

}  // namespace
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

}  // extern "C"
