// The ABI of sanavideo/convolution.h: checks, then the backend.
#include "sanavideo/convolution.h"

#include "common/context.hpp"
#include "common/linear.hpp"
#include "common/nvfp4_matrix.hpp"

namespace sv {
namespace {

void require_input(const sv_tensor* in, std::initializer_list<int64_t> shape) {
    require(in, "in", require_float(in, "in").dtype, shape);
}

void require_channels(const sv_tensor& in, int64_t expected) {
    if (channels(in) != expected) {
        fail(SV_INVALID_ARGUMENT, "in has %ld channels, expected the weight's %ld",
             long(channels(in)), long(expected));
    }
}

// A padding that a convolution's weight and the size of its frames allow.
void require_padding(sv_padding padding, const sv_tensor& in, const sv_weight& weight) {
    if (padding != SV_PADDING_ZEROS && padding != SV_PADDING_REFLECT) {
        fail(SV_INVALID_ARGUMENT, "padding is %d, expected %d (zeros) or %d (reflect)",
             int(padding), int(SV_PADDING_ZEROS), int(SV_PADDING_REFLECT));
    }
    for (int axis : {1, 2}) {
        int64_t width = weight.shape[axis + 2] / 2;
        if (padding == SV_PADDING_REFLECT && in.shape[axis] <= width) {
            fail(SV_INVALID_ARGUMENT,
                 "in has %ld %s, expected more than the %ld that are reflected",
                 long(in.shape[axis]), axis == 1 ? "rows" : "columns", long(width));
        }
    }
}

// The operands of a depthwise convolution with a gate; returns its weight.
const sv_weight& check_depthwise(const sv_tensor* in, const sv_weight* weight,
                                 const sv_tensor* bias) {
    require_input(in, {-1, -1, -1, -1});
    const sv_weight& packed = require_weight(weight, SV_WEIGHT_DEPTHWISE, in->dtype);
    require_channels(*in, packed.shape[0]);
    if (packed.shape[0] % 2 != 0) {
        fail(SV_INVALID_ARGUMENT, "weight has %ld channels, expected an even number",
             long(packed.shape[0]));
    }
    require(bias, "bias", SV_F32, {packed.shape[0]});
    return packed;
}

}  // namespace
}  // namespace sv

extern "C" {

sv_status sv_depthwise_gate(sv_context* context, const sv_tensor* in, const sv_weight* weight,
                            const sv_tensor* bias, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        const sv_weight& packed = sv::check_depthwise(in, weight, bias);
        sv::require(out, "out", in->dtype,
                    {in->shape[0], in->shape[1], in->shape[2], packed.shape[0] / 2});
        sv::require_apart(*out, "out", *in, "in");
        c.backend.depthwise_gate(c, *in, packed, bias, *out);
    });
}

sv_status sv_nvfp4_depthwise_gate(sv_context* context, const sv_tensor* in, const sv_weight* weight,
                                  const sv_tensor* bias, const sv_nvfp4_matrix* out) {
    return sv::run_op(context, [&](sv_context& c) {
        const sv_weight& packed = sv::check_depthwise(in, weight, bias);
        sv::require_matrix(out, "out", sv::rows(*in), packed.shape[0] / 2);
        sv::require_apart(*out, "out", *in, "in");
        c.backend.nvfp4_depthwise_gate(c, *in, packed, *bias, *out);
    });
}

sv_status sv_temporal_convolution(sv_context* context, const sv_tensor* in,
                                  const sv_tensor* previous, const sv_weight* weight,
                                  const sv_epilogue* epilogue, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_input(in, {-1, -1, -1, -1});
        const sv_weight& packed = sv::require_product_weight(weight, SV_WEIGHT_TEMPORAL, in->dtype);
        sv::require_channels(*in, packed.shape[1]);
        sv::require(out, "out", in->dtype,
                    {in->shape[0], in->shape[1], in->shape[2], in->shape[3]});
        sv::require_apart(*out, "out", *in, "in");
        if (previous != nullptr) {
            sv::require(previous, "previous", in->dtype,
                        {in->shape[0], in->shape[2], in->shape[3]});
            sv::require_apart(*out, "out", *previous, "previous");
        }
        sv_epilogue checked = sv::require_epilogue(epilogue, packed, *out);
        sv::require_temporal_epilogue(checked);
        c.backend.temporal_convolution(c, *in, previous, packed, checked, *out);
    });
}

sv_status sv_convolution(sv_context* context, const sv_tensor* in, const sv_weight* weight,
                         sv_padding padding, const sv_epilogue* epilogue, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_input(in, {-1, -1, -1, -1});
        const sv_weight& packed = sv::require_weight(weight, SV_WEIGHT_CONVOLUTION, in->dtype);
        sv::require_channels(*in, packed.shape[1]);
        int64_t frames = in->shape[0] - packed.shape[2] + 1;
        if (frames < 1) {
            sv::fail(SV_INVALID_ARGUMENT, "in has %ld frames, expected at least the weight's %ld",
                     long(in->shape[0]), long(packed.shape[2]));
        }
        sv::require(out, "out", in->dtype, {frames, in->shape[1], in->shape[2], packed.shape[0]});
        sv::require_apart(*out, "out", *in, "in");
        sv_epilogue checked = sv::require_epilogue(epilogue, *out);
        if (checked.gate != nullptr || checked.activation != SV_NO_ACTIVATION ||
            checked.square_sums != nullptr) {
            sv::fail(SV_INVALID_ARGUMENT,
                     "the epilogue holds a gate, an activation or square sums, expected bias and "
                     "residual only");
        }
        sv::require_padding(padding, *in, packed);
        c.backend.convolution(c, *in, packed, padding, checked, *out);
    });
}

sv_status sv_upsample_convolution(sv_context* context, const sv_tensor* in, const sv_weight* weight,
                                  const sv_tensor* bias, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_input(in, {-1, -1, -1, -1});
        const sv_weight& packed = sv::require_weight(weight, SV_WEIGHT_UPSAMPLE, in->dtype);
        sv::require_channels(*in, packed.shape[1]);
        if (bias != nullptr) sv::require(bias, "bias", SV_F32, {packed.shape[0]});
        sv::require(out, "out", in->dtype,
                    {in->shape[0], 2 * in->shape[1], 2 * in->shape[2], packed.shape[0]});
        sv::require_apart(*out, "out", *in, "in");
        c.backend.upsample_convolution(c, *in, packed, bias, *out);
    });
}

sv_status sv_downsample_convolution(sv_context* context, const sv_tensor* in,
                                    const sv_weight* weight, const sv_tensor* bias,
                                    const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_input(in, {-1, -1, -1, -1});
        const sv_weight& packed = sv::require_weight(weight, SV_WEIGHT_CONVOLUTION, in->dtype);
        if (packed.shape[2] != 1 || packed.shape[3] != 3 || packed.shape[4] != 3) {
            sv::fail(SV_INVALID_ARGUMENT,
                     "weight has a kernel of %ld x %ld x %ld, expected 1 x 3 x 3",
                     long(packed.shape[2]), long(packed.shape[3]), long(packed.shape[4]));
        }
        sv::require_channels(*in, packed.shape[1]);
        if (in->shape[1] < 2 || in->shape[2] < 2) {
            sv::fail(SV_INVALID_ARGUMENT, "in has %ld rows and %ld columns, expected at least 2",
                     long(in->shape[1]), long(in->shape[2]));
        }
        if (bias != nullptr) sv::require(bias, "bias", SV_F32, {packed.shape[0]});
        sv::require(out, "out", in->dtype,
                    {in->shape[0], in->shape[1] / 2, in->shape[2] / 2, packed.shape[0]});
        sv::require_apart(*out, "out", *in, "in");
        c.backend.downsample_convolution(c, *in, packed, bias, *out);
    });
}

sv_status sv_interleave_frames(sv_context* context, const sv_tensor* in, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_input(in, {-1, -1, -1});
        if (in->shape[2] % 2 != 0) {
            sv::fail(SV_INVALID_ARGUMENT, "in has %ld channels, expected an even number",
                     long(in->shape[2]));
        }
        sv::require(out, "out", in->dtype, {2 * in->shape[0], in->shape[1], in->shape[2] / 2});
        sv::require_apart(*out, "out", *in, "in");
        c.backend.interleave_frames(c, *in, *out);
    });
}

}  // extern "C"
