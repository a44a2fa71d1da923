// The ABI of sanavideo/elementwise.h: checks, then the backend.
#include "sanavideo/elementwise.h"

#include "common/context.hpp"
#include "common/tensor.hpp"

namespace sv {
namespace {

// f32 or bf16, in's shape and dtype; its memory may be in's.
void require_mapped(const sv_tensor* out, const sv_tensor* in) {
    require_like(out, "out", require_float(in, "in"), "in");
    require_same_or_apart(*out, "out", *in, "in");
}

void require_bytes(const sv_tensor* tensor, const char* name) {
    require_tensor(tensor, name);
    if (tensor->dtype != SV_U8) {
        fail(SV_INVALID_ARGUMENT, "%s is %s, expected u8", name, name_of(tensor->dtype));
    }
}

void require_as_many(const sv_tensor& out, const sv_tensor& in) {
    if (elements(out) != elements(in)) {
        fail(SV_INVALID_ARGUMENT, "out has shape %s, expected as many elements as in's %s",
             shape_text(out).c_str(), shape_text(in).c_str());
    }
}

// latent: f32 [frames, height, width, channels] in whole patches; tokens: [tokens, channels of a
// patch].
void require_patches(const sv_tensor* latent, const char* latent_name, int patch_frames,
                     int patch_height, int patch_width, const sv_tensor* tokens,
                     const char* tokens_name) {
    require(latent, latent_name, SV_F32, {-1, -1, -1, -1});
    int patch[] = {patch_frames, patch_height, patch_width};
    int64_t count = 1, size = 1;
    for (int axis = 0; axis < 3; ++axis) {
        if (patch[axis] < 1 || latent->shape[axis] % patch[axis] != 0) {
            fail(SV_INVALID_ARGUMENT,
                 "%s has shape %s and the patch is %d x %d x %d, expected whole patches",
                 latent_name, shape_text(*latent).c_str(), patch_frames, patch_height, patch_width);
        }
        count *= latent->shape[axis] / patch[axis];
        size *= patch[axis];
    }
    require_float(tokens, tokens_name);
    require(tokens, tokens_name, tokens->dtype, {count, size * channels(*latent)});
    require_apart(*latent, latent_name, *tokens, tokens_name);
}

void check_timestep_sinusoids(const double* timesteps, int64_t count, const sv_tensor* out) {
    if (timesteps == nullptr) fail(SV_INVALID_ARGUMENT, "timesteps is null");
    if (count < 1) fail(SV_INVALID_ARGUMENT, "count is %ld, expected at least 1", long(count));
    require_float(out, "out");
    require(out, "out", out->dtype, {count, -1});
    if (channels(*out) % 2 != 0) {
        fail(SV_INVALID_ARGUMENT, "out has %ld channels, expected an even number",
             long(channels(*out)));
    }
    for (int64_t i = 0; i < count; ++i) {
        if (!(timesteps[i] - timesteps[i] == 0)) {
            fail(SV_INVALID_ARGUMENT, "timestep %ld is %g, expected a finite number", long(i),
                 timesteps[i]);
        }
    }
}

void check_modulation(const sv_tensor* table, const sv_tensor* embedding, const sv_tensor* out) {
    require(table, "table", SV_F32, {-1, -1});
    int64_t rows = table->shape[0], width = table->shape[1];
    require_float(embedding, "embedding");
    require(embedding, "embedding", embedding->dtype, {-1, -1, width});
    if (embedding->shape[1] != rows && embedding->shape[1] != 1) {
        fail(SV_INVALID_ARGUMENT, "embedding has %ld rows, expected the table's %ld, or 1",
             long(embedding->shape[1]), long(rows));
    }
    require(out, "out", SV_F32, {embedding->shape[0], rows, width});
    require_apart(*out, "out", *embedding, "embedding");
    require_apart(*out, "out", *table, "table");
}

void check_combine(int count, const float* coefficients, const sv_tensor** inputs,
                   const sv_tensor* out) {
    constexpr int kMaxTerms = 8;
    if (count < 1 || count > kMaxTerms) {
        fail(SV_INVALID_ARGUMENT, "count is %d, expected 1 to %d", count, kMaxTerms);
    }
    if (coefficients == nullptr) fail(SV_INVALID_ARGUMENT, "coefficients is null");
    if (inputs == nullptr) fail(SV_INVALID_ARGUMENT, "inputs is null");
    require_tensor(out, "out");
    if (out->dtype != SV_F32) {
        fail(SV_INVALID_ARGUMENT, "out is %s, expected f32", name_of(out->dtype));
    }
    for (int i = 0; i < count; ++i) {
        require_like(inputs[i], "an input", *out, "out");
        require_same_or_apart(*out, "out", *inputs[i], "an input");
    }
}

void check_embedding(const sv_tensor* table, const int32_t* ids, int64_t count, float scale,
                     const sv_tensor* out) {
    require_float(table, "table");
    require(table, "table", table->dtype, {-1, -1});
    if (ids == nullptr) fail(SV_INVALID_ARGUMENT, "ids is null");
    require_finite(scale, "scale");
    if (count < 1) fail(SV_INVALID_ARGUMENT, "count is %ld, expected at least 1", long(count));
    require(out, "out", table->dtype, {count, channels(*table)});
    require_apart(*out, "out", *table, "table");
    for (int64_t i = 0; i < count; ++i) {
        if (ids[i] < 0 || ids[i] >= table->shape[0]) {
            fail(SV_INVALID_ARGUMENT, "id %ld is %d, expected 0 to %ld", long(i), int(ids[i]),
                 long(table->shape[0] - 1));
        }
    }
}

}  // namespace
}  // namespace sv

extern "C" {

sv_status sv_patchify(sv_context* context, const sv_tensor* in, int patch_frames, int patch_height,
                      int patch_width, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_patches(in, "in", patch_frames, patch_height, patch_width, out, "out");
        c.backend.patchify(c, *in, patch_frames, patch_height, patch_width, *out);
    });
}

sv_status sv_unpatchify(sv_context* context, const sv_tensor* in, int patch_frames,
                        int patch_height, int patch_width, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_patches(out, "out", patch_frames, patch_height, patch_width, in, "in");
        c.backend.unpatchify(c, *in, patch_frames, patch_height, patch_width, *out);
    });
}

sv_status sv_timestep_sinusoids(sv_context* context, const double* timesteps, int64_t count,
                                const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_timestep_sinusoids(timesteps, count, out);
        c.backend.timestep_sinusoids(c, timesteps, count, *out);
    });
}

sv_status sv_modulation(sv_context* context, const sv_tensor* table, const sv_tensor* embedding,
                        const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_modulation(table, embedding, out);
        c.backend.modulation(c, *table, *embedding, *out);
    });
}

sv_status sv_activate(sv_context* context, const sv_tensor* in, sv_activation activation,
                      const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_mapped(out, in);
        if (activation < SV_NO_ACTIVATION || activation > SV_GELU_TANH) {
            sv::fail(SV_INVALID_ARGUMENT, "activation is %d, expected 0 to %d", int(activation),
                     int(SV_GELU_TANH));
        }
        c.backend.activate(c, *in, activation, *out);
    });
}

sv_status sv_add(sv_context* context, const sv_tensor* in, const sv_tensor* other,
                 const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_mapped(out, in);
        sv::require_like(other, "other", *in, "in");
        sv::require_same_or_apart(*out, "out", *other, "other");
        c.backend.add(c, *in, *other, *out);
    });
}

sv_status sv_convert(sv_context* context, const sv_tensor* in, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_as_many(sv::require_float(out, "out"), sv::require_float(in, "in"));
        sv::require_apart(*out, "out", *in, "in");
        c.backend.convert(c, *in, *out);
    });
}

sv_status sv_combine(sv_context* context, int count, const float* coefficients,
                     const sv_tensor** inputs, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_combine(count, coefficients, inputs, out);
        c.backend.combine(c, count, coefficients, inputs, *out);
    });
}

sv_status sv_scale_channels(sv_context* context, const sv_tensor* in, const sv_tensor* scale,
                            const sv_tensor* shift, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_float(in, "in");
        sv::require(scale, "scale", SV_F32, {sv::channels(*in)});
        sv::require(shift, "shift", SV_F32, {sv::channels(*in)});
        sv::require_same_shape(sv::require_float(out, "out"), "out", *in, "in");
        sv::require_same_or_apart(*out, "out", *in, "in");
        sv::require_apart(*out, "out", *scale, "scale");
        sv::require_apart(*out, "out", *shift, "shift");
        c.backend.scale_channels(c, *in, *scale, *shift, *out);
    });
}

sv_status sv_to_rgb8(sv_context* context, const sv_tensor* in, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_float(in, "in");
        sv::require_bytes(out, "out");
        sv::require_as_many(*out, *in);
        sv::require_apart(*out, "out", *in, "in");
        c.backend.to_rgb8(c, *in, *out);
    });
}

sv_status sv_from_rgb8(sv_context* context, const sv_tensor* in, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_bytes(in, "in");
        sv::require_as_many(sv::require_float(out, "out"), *in);
        sv::require_apart(*out, "out", *in, "in");
        c.backend.from_rgb8(c, *in, *out);
    });
}

sv_status sv_embedding(sv_context* context, const sv_tensor* table, const int32_t* ids,
                       int64_t count, float scale, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_embedding(table, ids, count, scale, out);
        c.backend.embedding(c, *table, ids, count, scale, *out);
    });
}

sv_status sv_require_finite(sv_context* context, const sv_tensor* in) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_float(in, "in");
        if (!c.backend.all_finite(c, *in)) {
            sv::fail(SV_NOT_FINITE, "in, %s %s, holds NaN or infinite values, expected finite ones",
                     sv::name_of(in->dtype), sv::shape_text(*in).c_str());
        }
    });
}

sv_status sv_geglu(sv_context* context, const sv_tensor* in, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::require_float(in, "in");
        sv::require(in, "in", in->dtype, {-1, 2, -1});
        sv::require(out, "out", in->dtype, {in->shape[0], in->shape[2]});
        sv::require_apart(*out, "out", *in, "in");
        c.backend.geglu(c, *in, *out);
    });
}

}  // extern "C"
