// The ABI of sanavideo/attention.h: checks, then the backend.
#include "sanavideo/attention.h"

#include <cmath>

#include "common/context.hpp"
#include "common/tensor.hpp"

namespace sv {
namespace {

void require_theta(double theta) {
    if (!(theta > 0 && theta < INFINITY)) {
        fail(SV_INVALID_ARGUMENT, "theta is %g, expected a positive number", theta);
    }
}

void check_rope_angles(int64_t first_frame, int64_t frames, int64_t height, int64_t width,
                       double theta, const sv_tensor* out) {
    constexpr int64_t kLargest = int64_t{1} << 24;
    if (first_frame < 0) {
        fail(SV_INVALID_ARGUMENT, "first_frame is %ld, expected at least 0", long(first_frame));
    }
    for (int64_t size : {frames, height, width}) {
        if (size < 1 || size > kLargest) {
            fail(SV_INVALID_ARGUMENT, "the grid is %ld x %ld x %ld, expected sizes of 1 to %ld",
                 long(frames), long(height), long(width), long(kLargest));
        }
    }
    require_theta(theta);
    require(out, "out", SV_F32, {-1, -1, 2});
    if (out->shape[0] / height / width != frames || out->shape[0] % (height * width) != 0) {
        fail(SV_INVALID_ARGUMENT, "out has shape %s, expected %ld x %ld x %ld tokens",
             shape_text(*out).c_str(), long(frames), long(height), long(width));
    }
    if (out->shape[1] < 3) {
        fail(SV_INVALID_ARGUMENT, "out has %ld pairs, expected a head_size of at least 6: 3 pairs",
             long(out->shape[1]));
    }
}

// Both parts of a state, or none. batch, heads and head_size are qkv's.
void require_state(const sv_tensor* values, const char* values_name, const sv_tensor* keys,
                   const char* keys_name, const sv_tensor& qkv) {
    if (values == nullptr && keys == nullptr) return;
    int64_t batch = qkv.shape[0], heads = qkv.shape[3], size = qkv.shape[4];
    if (values == nullptr || keys == nullptr) {
        fail(SV_INVALID_ARGUMENT, "%s is null but %s is given, expected both or none",
             values == nullptr ? values_name : keys_name,
             values == nullptr ? keys_name : values_name);
    }
    require(values, values_name, SV_F32, {batch, heads, size, size});
    require(keys, keys_name, SV_F32, {batch, heads, size});
    require_apart(*values, values_name, *keys, keys_name);
}

void check_linear_attention(const sv_tensor* qkv, const sv_tensor* square_sums,
                            const sv_tensor* q_weight, const sv_tensor* k_weight,
                            float norm_epsilon, const sv_tensor* angles, float epsilon,
                            const sv_tensor* in_values, const sv_tensor* in_keys,
                            const sv_tensor* out_values, const sv_tensor* out_keys,
                            const sv_tensor* out) {
    require_float(qkv, "qkv");
    require(qkv, "qkv", qkv->dtype, {-1, -1, 3, -1, -1});
    int64_t batch = qkv->shape[0], tokens = qkv->shape[1];
    int64_t heads = qkv->shape[3], size = qkv->shape[4];
    if (size % 2 != 0) {
        fail(SV_INVALID_ARGUMENT, "qkv has head_size %ld, expected an even one", long(size));
    }
    require(square_sums, "square_sums", SV_F32, {batch, tokens, 2});
    require(q_weight, "q_weight", SV_F32, {heads * size});
    require(k_weight, "k_weight", SV_F32, {heads * size});
    require_not_negative(norm_epsilon, "norm_epsilon");
    require(angles, "angles", SV_F32, {tokens, size / 2, 2});
    require_not_negative(epsilon, "epsilon");
    require_state(in_values, "state_in_values", in_keys, "state_in_keys", *qkv);
    require_state(out_values, "state_out_values", out_keys, "state_out_keys", *qkv);
    require(out, "out", qkv->dtype, {batch, tokens, heads * size});
    require_apart(*out, "out", *qkv, "qkv");
    if (in_values != nullptr && out_values != nullptr) {
        require_same_or_apart(*out_values, "state_out_values", *in_values, "state_in_values");
        require_same_or_apart(*out_keys, "state_out_keys", *in_keys, "state_in_keys");
        require_apart(*out_values, "state_out_values", *in_keys, "state_in_keys");
        require_apart(*out_keys, "state_out_keys", *in_values, "state_in_values");
    }
}

void check_cross_attention(const sv_tensor* q, const sv_tensor* square_sums,
                           const sv_tensor* q_weight, float norm_epsilon, const sv_tensor* kv,
                           const sv_tensor* out) {
    require_float(q, "q");
    require(q, "q", q->dtype, {-1, -1, -1});
    int64_t tokens = q->shape[0], heads = q->shape[1], size = q->shape[2];
    require(square_sums, "square_sums", SV_F32, {tokens, 1});
    require(q_weight, "q_weight", SV_F32, {heads * size});
    require_not_negative(norm_epsilon, "norm_epsilon");
    require(kv, "kv", q->dtype, {-1, 2, heads, size});
    require(out, "out", q->dtype, {tokens, heads * size});
    require_apart(*out, "out", *q, "q");
    require_apart(*out, "out", *kv, "kv");
}

void check_frame_attention(const sv_tensor* qkv, const sv_tensor* out) {
    require_float(qkv, "qkv");
    require(qkv, "qkv", qkv->dtype, {-1, -1, 3, -1});
    require(out, "out", qkv->dtype, {qkv->shape[0], qkv->shape[1], qkv->shape[3]});
    require_apart(*out, "out", *qkv, "qkv");
}

void check_text_attention(const sv_tensor* qkv, int heads, int key_heads, double theta, float scale,
                          float cap, int64_t window, const sv_tensor* out) {
    require_float(qkv, "qkv");
    require(qkv, "qkv", qkv->dtype, {-1, -1});
    if (heads < 1 || key_heads < 1 || heads % key_heads != 0) {
        fail(SV_INVALID_ARGUMENT,
             "heads is %d and key_heads is %d, expected heads to be a multiple of key_heads", heads,
             key_heads);
    }
    int64_t all_heads = heads + 2 * int64_t{key_heads};
    if (qkv->shape[1] % (2 * all_heads) != 0) {
        fail(SV_INVALID_ARGUMENT,
             "qkv has %ld columns, expected (heads + 2 * key_heads) = %ld heads of an even size",
             long(qkv->shape[1]), long(all_heads));
    }
    require_theta(theta);
    require_finite(scale, "scale");
    require_not_negative(cap, "cap");
    if (window < 0) {
        fail(SV_INVALID_ARGUMENT, "window is %ld, expected at least 1, or 0 for none",
             long(window));
    }
    require(out, "out", qkv->dtype, {qkv->shape[0], qkv->shape[1] / all_heads * heads});
    require_apart(*out, "out", *qkv, "qkv");
}

}  // namespace
}  // namespace sv

extern "C" {

sv_status sv_rope_angles(sv_context* context, int64_t first_frame, int64_t frames, int64_t height,
                         int64_t width, double theta, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_rope_angles(first_frame, frames, height, width, theta, out);
        c.backend.rope_angles(c, first_frame, frames, height, width, theta, *out);
    });
}

sv_status sv_linear_attention(sv_context* context, const sv_tensor* qkv,
                              const sv_tensor* square_sums, const sv_tensor* q_weight,
                              const sv_tensor* k_weight, float norm_epsilon,
                              const sv_tensor* angles, float epsilon,
                              const sv_tensor* state_in_values, const sv_tensor* state_in_keys,
                              const sv_tensor* state_out_values, const sv_tensor* state_out_keys,
                              const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_linear_attention(qkv, square_sums, q_weight, k_weight, norm_epsilon, angles,
                                   epsilon, state_in_values, state_in_keys, state_out_values,
                                   state_out_keys, out);
        c.backend.linear_attention(c, *qkv, *square_sums, *q_weight, *k_weight, norm_epsilon,
                                   *angles, epsilon, state_in_values, state_in_keys,
                                   state_out_values, state_out_keys, *out);
    });
}

sv_status sv_cross_attention(sv_context* context, const sv_tensor* q, const sv_tensor* square_sums,
                             const sv_tensor* q_weight, float norm_epsilon, const sv_tensor* kv,
                             const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_cross_attention(q, square_sums, q_weight, norm_epsilon, kv, out);
        c.backend.cross_attention(c, *q, *square_sums, *q_weight, norm_epsilon, *kv, *out);
    });
}

sv_status sv_frame_attention(sv_context* context, const sv_tensor* qkv, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_frame_attention(qkv, out);
        c.backend.frame_attention(c, *qkv, *out);
    });
}

sv_status sv_text_attention(sv_context* context, const sv_tensor* qkv, int heads, int key_heads,
                            double theta, float scale, float cap, int64_t window,
                            const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_text_attention(qkv, heads, key_heads, theta, scale, cap, window, out);
        c.backend.text_attention(c, *qkv, heads, key_heads, theta, scale, cap, window, *out);
    });
}

}  // extern "C"
