// The ABI of sanavideo/norm.h: checks, then the backend.
#include "sanavideo/norm.h"

#include "common/context.hpp"
#include "common/nvfp4_matrix.hpp"

namespace sv {
namespace {

void require_row(int row, int64_t rows, const char* name) {
    if (row < 0 || row >= rows) {
        fail(SV_INVALID_ARGUMENT, "%s is %d, expected 0 to %ld", name, row, long(rows - 1));
    }
}

void require_rank(const sv_tensor& tensor, const char* name, int least, int most,
                  const char* expected) {
    if (tensor.rank < least || tensor.rank > most) {
        fail(SV_INVALID_ARGUMENT, "%s has shape %s, expected %s", name, shape_text(tensor).c_str(),
             expected);
    }
}

void check_layer_norm(const sv_tensor* in, const sv_tensor* modulation, int shift_row,
                      int scale_row, float epsilon) {
    require_float(in, "in");
    require(modulation, "modulation", SV_F32, {-1, -1, channels(*in)});
    require_groups(rows(*in), modulation->shape[0], "modulation");
    require_row(shift_row, modulation->shape[1], "shift_row");
    require_row(scale_row, modulation->shape[1], "scale_row");
    require_not_negative(epsilon, "epsilon");
}

void check_layer_norm_out(const sv_tensor* out, const sv_tensor& in, const sv_tensor& modulation) {
    require_like(out, "out", in, "in");
    require_same_or_apart(*out, "out", in, "in");
    require_apart(*out, "out", modulation, "modulation");
}

void check_rms_norm(const sv_tensor* in, int part, const sv_tensor* weight, float weight_offset,
                    float epsilon, const sv_tensor* residual, const sv_tensor* out) {
    const char* expected = "[rows, parts, channels] or [rows, channels]";
    require_float(in, "in");
    require_rank(*in, "in", 2, 3, expected);
    require_row(part, in->rank == 3 ? in->shape[1] : 1, "part");
    require(weight, "weight", SV_F32, {channels(*in)});
    require_finite(weight_offset, "weight_offset");
    require_not_negative(epsilon, "epsilon");
    require_tensor(out, "out");
    require_same_dtype(*out, "out", *in, "in");
    require_rank(*out, "out", 2, 3, expected);
    if (out->rank == 2) {
        require(out, "out", in->dtype, {in->shape[0], channels(*in)});
    } else {
        require_same_shape(*out, "out", *in, "in");
    }
    require_same_or_apart(*out, "out", *in, "in");
    require_apart(*out, "out", *weight, "weight");
    if (residual != nullptr) {
        require(residual, "residual", in->dtype, {in->shape[0], channels(*in)});
        require_same_or_apart(*out, "out", *residual, "residual");
    }
}

void check_row_square_sums(const sv_tensor* in, const sv_tensor* out) {
    require_float(in, "in");
    require_rank(*in, "in", 3, 3, "[rows, parts, channels]");
    require(out, "out", SV_F32, {in->shape[0], -1});
    if (out->shape[1] > in->shape[1]) {
        fail(SV_INVALID_ARGUMENT, "out has %ld parts, expected at most in's %ld",
             long(out->shape[1]), long(in->shape[1]));
    }
    require_apart(*out, "out", *in, "in");
}

void require_flag(int flag, const char* name) {
    if (flag != 0 && flag != 1) {
        fail(SV_INVALID_ARGUMENT, "%s is %d, expected 0 or 1", name, flag);
    }
}

void check_channel_norm(const sv_tensor* in, const sv_tensor* gamma, int silu,
                        const sv_tensor* out) {
    require_float(in, "in");
    require(gamma, "gamma", SV_F32, {channels(*in)});
    require_flag(silu, "silu");
    require_like(out, "out", *in, "in");
    require_same_or_apart(*out, "out", *in, "in");
    require_apart(*out, "out", *gamma, "gamma");
}

void check_pixel_norm(const sv_tensor* in, float epsilon, int silu, const sv_tensor* out) {
    require_float(in, "in");
    require_not_negative(epsilon, "epsilon");
    require_flag(silu, "silu");
    require_like(out, "out", *in, "in");
    require_same_or_apart(*out, "out", *in, "in");
}

}  // namespace
}  // namespace sv

extern "C" {

sv_status sv_layer_norm_modulated(sv_context* context, const sv_tensor* in,
                                  const sv_tensor* modulation, int shift_row, int scale_row,
                                  float epsilon, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_layer_norm(in, modulation, shift_row, scale_row, epsilon);
        sv::check_layer_norm_out(out, *in, *modulation);
        c.backend.layer_norm_modulated(c, *in, *modulation, shift_row, scale_row, epsilon, *out);
    });
}

sv_status sv_nvfp4_layer_norm_modulated(sv_context* context, const sv_tensor* in,
                                        const sv_tensor* modulation, int shift_row, int scale_row,
                                        float epsilon, const sv_nvfp4_matrix* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_layer_norm(in, modulation, shift_row, scale_row, epsilon);
        sv::require_matrix(out, "out", sv::rows(*in), sv::channels(*in));
        sv::require_apart(*out, "out", *in, "in");
        sv::require_apart(*out, "out", *modulation, "modulation");
        c.backend.nvfp4_layer_norm_modulated(c, *in, *modulation, shift_row, scale_row, epsilon,
                                             *out);
    });
}

sv_status sv_rms_norm(sv_context* context, const sv_tensor* in, int part, const sv_tensor* weight,
                      float weight_offset, float epsilon, const sv_tensor* residual,
                      const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_rms_norm(in, part, weight, weight_offset, epsilon, residual, out);
        c.backend.rms_norm(c, *in, part, *weight, weight_offset, epsilon, residual, *out);
    });
}

sv_status sv_row_square_sums(sv_context* context, const sv_tensor* in, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_row_square_sums(in, out);
        c.backend.row_square_sums(c, *in, *out);
    });
}

sv_status sv_channel_norm(sv_context* context, const sv_tensor* in, const sv_tensor* gamma,
                          int silu, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_channel_norm(in, gamma, silu, out);
        c.backend.channel_norm(c, *in, *gamma, silu == 1, *out);
    });
}

sv_status sv_pixel_norm(sv_context* context, const sv_tensor* in, float epsilon, int silu,
                        const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_pixel_norm(in, epsilon, silu, out);
        c.backend.pixel_norm(c, *in, epsilon, silu == 1, *out);
    });
}

}  // extern "C"
