#include "common/linear.hpp"

#include "common/context.hpp"
#include "common/nvfp4_matrix.hpp"

namespace sv {
namespace {

void require_square_sums(const sv_epilogue& epilogue, const sv_tensor& out) {
    const sv_tensor& sums = require(epilogue.square_sums, "square_sums", SV_F32, {rows(out), -1});
    if (epilogue.square_parts < 1 || channels(out) % epilogue.square_parts != 0) {
        fail(SV_INVALID_ARGUMENT, "square_parts is %d, expected a divisor of out's %ld features",
             int(epilogue.square_parts), long(channels(out)));
    }
    if (sums.shape[1] > epilogue.square_parts) {
        fail(SV_INVALID_ARGUMENT, "square_sums has %ld parts, expected at most square_parts, %d",
             long(sums.shape[1]), int(epilogue.square_parts));
    }
    require_apart(sums, "square_sums", out, "out");
}

void require_low_rank(const sv_epilogue& epilogue, const sv_weight& weight, const sv_tensor& out) {
    const sv_tensor* in = epilogue.low_rank;
    if (in == nullptr || epilogue.low_rank_up == nullptr) {
        fail(SV_INVALID_ARGUMENT, "%s is null, expected low_rank and low_rank_up, or neither",
             in == nullptr ? "low_rank" : "low_rank_up");
    }
    if (weight.kind != SV_WEIGHT_LINEAR) {
        fail(SV_INVALID_ARGUMENT, "low_rank is given for a weight of kind %d, expected kind %d",
             int(weight.kind), int(SV_WEIGHT_LINEAR));
    }
    require(in, "low_rank", out.dtype, {rows(out), -1});
    const sv_weight& up = require_weight(epilogue.low_rank_up, SV_WEIGHT_LINEAR, out.dtype);
    if (up.shape[0] != channels(out) || up.shape[1] != in->shape[1]) {
        fail(SV_INVALID_ARGUMENT, "low_rank_up has shape [%ld, %ld], expected [%ld, %ld]",
             long(up.shape[0]), long(up.shape[1]), long(channels(out)), long(in->shape[1]));
    }
    require_apart(*in, "low_rank", out, "out");
}

sv_epilogue require_common(const sv_epilogue* epilogue, const sv_tensor& out) {
    if (epilogue->bias != nullptr) require(epilogue->bias, "bias", SV_F32, {channels(out)});
    if (epilogue->activation < SV_NO_ACTIVATION || epilogue->activation > SV_GELU_TANH) {
        fail(SV_INVALID_ARGUMENT, "activation is %d, expected 0 to %d", int(epilogue->activation),
             int(SV_GELU_TANH));
    }
    if (epilogue->gate != nullptr) {
        const sv_tensor& gate = require(epilogue->gate, "gate", SV_F32, {-1, -1, channels(out)});
        require_groups(rows(out), gate.shape[0], "gate");
        if (epilogue->gate_row < 0 || epilogue->gate_row >= gate.shape[1]) {
            fail(SV_INVALID_ARGUMENT, "gate_row is %d, expected 0 to %ld", int(epilogue->gate_row),
                 long(gate.shape[1] - 1));
        }
    }
    if (epilogue->residual != nullptr) {
        require_same_shape(require_tensor(epilogue->residual, "residual"), "residual", out, "out");
        require_same_dtype(*epilogue->residual, "residual", out, "out");
    }
    if (epilogue->square_sums != nullptr) require_square_sums(*epilogue, out);
    return *epilogue;
}

}  // namespace

const sv_weight& require_weight(const sv_weight* weight, sv_weight_kind kind, sv_dtype dtype) {
    if (weight == nullptr) fail(SV_INVALID_ARGUMENT, "weight is null");
    if (weight->kind != kind) {
        fail(SV_INVALID_ARGUMENT, "weight is of kind %d, expected kind %d", int(weight->kind),
             int(kind));
    }
    if (weight->dtype != dtype) {
        fail(SV_INVALID_ARGUMENT, "weight is %s, expected the input's dtype %s",
             name_of(weight->dtype), name_of(dtype));
    }
    return *weight;
}

const sv_weight& require_product_weight(const sv_weight* weight, sv_weight_kind kind,
                                        sv_dtype dtype) {
    if (weight != nullptr && as_nvfp4(*weight) != nullptr) dtype = SV_U8;
    return require_weight(weight, kind, dtype);
}

void require_linear_out(const sv_tensor* out, int64_t rows, const sv_weight& weight) {
    require_float(out, "out");
    if (channels(*out) != weight.shape[0] || sv::rows(*out) != rows) {
        fail(SV_INVALID_ARGUMENT, "out has shape %s, expected %ld rows of %ld features",
             shape_text(*out).c_str(), long(rows), long(weight.shape[0]));
    }
}

sv_epilogue require_epilogue(const sv_epilogue* epilogue, const sv_tensor& out) {
    if (epilogue == nullptr) return sv_epilogue{};
    if (epilogue->low_rank != nullptr || epilogue->low_rank_up != nullptr ||
        epilogue->quantized != nullptr) {
        fail(SV_INVALID_ARGUMENT,
             "the epilogue holds low_rank or quantized, which only NVFP4 weights have");
    }
    return require_common(epilogue, out);
}

sv_epilogue require_epilogue(const sv_epilogue* epilogue, const sv_weight& weight,
                             const sv_tensor& out) {
    if (epilogue == nullptr || as_nvfp4(weight) == nullptr) return require_epilogue(epilogue, out);
    if (epilogue->low_rank != nullptr || epilogue->low_rank_up != nullptr) {
        require_low_rank(*epilogue, weight, out);
    }
    if (epilogue->quantized != nullptr) {
        require_matrix(epilogue->quantized, "quantized", rows(out), channels(out));
        require_apart(*epilogue->quantized, "quantized", out, "out");
        if (epilogue->residual != nullptr) {
            require_apart(*epilogue->quantized, "quantized", *epilogue->residual, "residual");
        }
    }
    return require_common(epilogue, out);
}

void require_temporal_epilogue(const sv_epilogue& epilogue) {
    if (epilogue.bias != nullptr || epilogue.activation != SV_NO_ACTIVATION ||
        epilogue.square_sums != nullptr) {
        fail(SV_INVALID_ARGUMENT,
             "the epilogue holds a bias, an activation or square sums, expected gate and residual "
             "only");
    }
}

}  // namespace sv

extern "C" sv_status sv_linear(sv_context* context, const sv_tensor* in, const sv_weight* weight,
                               const sv_epilogue* epilogue, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_float(in, "in");
        const sv_weight& packed = sv::require_product_weight(weight, SV_WEIGHT_LINEAR, in->dtype);
        if (sv::channels(*in) != packed.shape[1]) {
            sv::fail(SV_INVALID_ARGUMENT, "in has %ld features, expected the weight's %ld",
                     long(sv::channels(*in)), long(packed.shape[1]));
        }
        sv::require_tensor(out, "out");
        sv::require_same_dtype(*out, "out", *in, "in");
        sv::require_linear_out(out, sv::rows(*in), packed);
        sv::require_apart(*out, "out", *in, "in");
        sv_epilogue checked = sv::require_epilogue(epilogue, packed, *out);
        if (checked.square_sums != nullptr) {
            sv::require_apart(*checked.square_sums, "square_sums", *in, "in");
        }
        c.backend.linear(c, *in, packed, checked, *out);
    });
}

extern "C" sv_status sv_finish_product(sv_context* context, const sv_tensor* product,
                                       const sv_epilogue* epilogue, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_float(product, "product");
        sv::require_tensor(out, "out");
        sv::require_same_dtype(*out, "out", *product, "product");
        sv::require_same_shape(*out, "out", *product, "product");
        sv::require_same_or_apart(*out, "out", *product, "product");
        sv_epilogue checked = sv::require_epilogue(epilogue, *out);
        if (checked.square_sums != nullptr) {
            sv::require_apart(*checked.square_sums, "square_sums", *product, "product");
        }
        c.backend.finish_product(c, *product, checked, *out);
        if (checked.square_sums == nullptr) return;
        int64_t parts = checked.square_parts;
        c.backend.row_square_sums(
            c, sv::reshaped(*out, {sv::rows(*out), parts, sv::channels(*out) / parts}),
            *checked.square_sums);
    });
}
