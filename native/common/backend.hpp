// The table of ops that a backend fills in. Ops get checked arguments (common/*.cpp checks them
// against the headers in include/) and throw Error. One table a CPU variant, one for CUDA.
#pragma once

#include "common/weight.hpp"
#include "sanavideo/sanavideo.h"

namespace sv {

// The types of the ops. A backend declares its ops with them: `op::add add;`
namespace op {

// weight.h
using weight_create = sv_weight*(sv_context&, sv_weight_kind, sv_dtype, int rank,
                                 const int64_t* shape);

// linear.h; epilogue members are null or checked
using linear = void(sv_context&, const sv_tensor& in, const sv_weight& weight,
                    const sv_epilogue& epilogue, const sv_tensor& out);

// All but the sums of squares, which are a pass that the ABI adds.
using finish_product = void(sv_context&, const sv_tensor& product, const sv_epilogue& epilogue,
                            const sv_tensor& out);

// norm.h; residual is null or checked
using layer_norm_modulated = void(sv_context&, const sv_tensor& in, const sv_tensor& modulation,
                                  int shift_row, int scale_row, float epsilon,
                                  const sv_tensor& out);
using rms_norm = void(sv_context&, const sv_tensor& in, int part, const sv_tensor& weight,
                      float weight_offset, float epsilon, const sv_tensor* residual,
                      const sv_tensor& out);
using row_square_sums = void(sv_context&, const sv_tensor& in, const sv_tensor& out);
using channel_norm = void(sv_context&, const sv_tensor& in, const sv_tensor& gamma, bool silu,
                          const sv_tensor& out);
using pixel_norm = void(sv_context&, const sv_tensor& in, float epsilon, bool silu,
                        const sv_tensor& out);

// attention.h; each state is null or checked
using rope_angles = void(sv_context&, int64_t first_frame, int64_t frames, int64_t height,
                         int64_t width, double theta, const sv_tensor& out);
using linear_attention = void(sv_context&, const sv_tensor& qkv, const sv_tensor& square_sums,
                              const sv_tensor& q_weight, const sv_tensor& k_weight,
                              float norm_epsilon, const sv_tensor& angles, float epsilon,
                              const sv_tensor* state_in_values, const sv_tensor* state_in_keys,
                              const sv_tensor* state_out_values, const sv_tensor* state_out_keys,
                              const sv_tensor& out);
using cross_attention = void(sv_context&, const sv_tensor& q, const sv_tensor& square_sums,
                             const sv_tensor& q_weight, float norm_epsilon, const sv_tensor& kv,
                             const sv_tensor& out);
using frame_attention = void(sv_context&, const sv_tensor& qkv, const sv_tensor& out);
using text_attention = void(sv_context&, const sv_tensor& qkv, int heads, int key_heads,
                            double theta, float scale, float cap, int64_t window,
                            const sv_tensor& out);

// convolution.h; bias and previous are null or checked
using depthwise_gate = void(sv_context&, const sv_tensor& in, const sv_weight& weight,
                            const sv_tensor* bias, const sv_tensor& out);
using temporal_convolution = void(sv_context&, const sv_tensor& in, const sv_tensor* previous,
                                  const sv_weight& weight, const sv_epilogue& epilogue,
                                  const sv_tensor& out);
using convolution = void(sv_context&, const sv_tensor& in, const sv_weight& weight,
                         sv_padding padding, const sv_epilogue& epilogue, const sv_tensor& out);
using upsample_convolution = void(sv_context&, const sv_tensor& in, const sv_weight& weight,
                                  const sv_tensor* bias, const sv_tensor& out);
using downsample_convolution = upsample_convolution;
using interleave_frames = void(sv_context&, const sv_tensor& in, const sv_tensor& out);

// space_to_depth.h; skip is null or checked
using space_to_depth = void(sv_context&, const sv_tensor& in, const sv_tensor* skip,
                            int block_frames, int block_height, int block_width,
                            sv_block_order order, const sv_tensor& out);
using depth_to_space = space_to_depth;

// elementwise.h
using patchify = void(sv_context&, const sv_tensor& in, int patch_frames, int patch_height,
                      int patch_width, const sv_tensor& out);
using unpatchify = patchify;
using timestep_sinusoids = void(sv_context&, const double* timesteps, int64_t count,
                                const sv_tensor& out);
using modulation = void(sv_context&, const sv_tensor& table, const sv_tensor& embedding,
                        const sv_tensor& out);
using activate = void(sv_context&, const sv_tensor& in, sv_activation activation,
                      const sv_tensor& out);
using add = void(sv_context&, const sv_tensor& in, const sv_tensor& other, const sv_tensor& out);
using convert = void(sv_context&, const sv_tensor& in, const sv_tensor& out);
using combine = void(sv_context&, int count, const float* coefficients, const sv_tensor** inputs,
                     const sv_tensor& out);
using scale_channels = void(sv_context&, const sv_tensor& in, const sv_tensor& scale,
                            const sv_tensor& shift, const sv_tensor& out);
using to_rgb8 = void(sv_context&, const sv_tensor& in, const sv_tensor& out);
using from_rgb8 = to_rgb8;
using embedding = void(sv_context&, const sv_tensor& table, const int32_t* ids, int64_t count,
                       float scale, const sv_tensor& out);
using geglu = void(sv_context&, const sv_tensor& in, const sv_tensor& out);
using all_finite = bool(sv_context&, const sv_tensor& in);

// nvfp4.h
using nvfp4_quantize = void(sv_context&, const sv_tensor& in, float global_scale,
                            sv_nvfp4_scaling scaling, const sv_tensor& codes,
                            const sv_tensor& scales);
using nvfp4_dequantize = void(sv_context&, const sv_tensor& codes, const sv_tensor& scales,
                              float global_scale, const sv_tensor& out);
using nvfp4_tile_scales = void(sv_context&, const sv_tensor& scales, const sv_tensor& tiles);
using nvfp4_untile_scales = void(sv_context&, const sv_tensor& tiles, const sv_tensor& scales);
using nvfp4_to_slabs = void(sv_context&, const sv_tensor& codes, const sv_tensor& scales,
                            const sv_nvfp4_matrix& out);
using nvfp4_from_slabs = void(sv_context&, const sv_nvfp4_matrix& in, const sv_tensor& codes,
                              const sv_tensor& scales);
using nvfp4_quantize_rows = void(sv_context&, const sv_tensor& in, const sv_nvfp4_matrix& out);
using nvfp4_layer_norm_modulated = void(sv_context&, const sv_tensor& in,
                                        const sv_tensor& modulation, int shift_row, int scale_row,
                                        float epsilon, const sv_nvfp4_matrix& out);
using nvfp4_depthwise_gate = void(sv_context&, const sv_tensor& in, const sv_weight& weight,
                                  const sv_tensor& bias, const sv_nvfp4_matrix& out);
using nvfp4_weight_create = Nvfp4Weight*(sv_context&, sv_weight_kind, int rank,
                                         const int64_t* shape);
using nvfp4_linear = void(sv_context&, const sv_nvfp4_matrix& in, const Nvfp4Weight& weight,
                          const sv_epilogue& epilogue, const sv_tensor& out);
using nvfp4_temporal_convolution = void(sv_context&, const sv_nvfp4_matrix& in,
                                        const sv_tensor& identity, const Nvfp4Weight& weight,
                                        const sv_epilogue& epilogue, const sv_tensor& out);
using nvfp4_probe = int64_t(sv_context&);

}  // namespace op

// Every op, for what is said once an op: X(name).
// clang-format off
#define SV_EACH_OP(X) \
    X(weight_create) X(linear) X(finish_product) X(layer_norm_modulated) X(rms_norm) \
    X(row_square_sums) X(channel_norm) X(pixel_norm) X(rope_angles) X(linear_attention) X(cross_attention) X(frame_attention) \
    X(text_attention) X(depthwise_gate) X(temporal_convolution) X(convolution) \
    X(upsample_convolution) X(downsample_convolution) X(interleave_frames) X(space_to_depth) \
    X(depth_to_space) X(patchify) X(unpatchify) X(timestep_sinusoids) \
    X(modulation) X(activate) X(add) X(convert) X(combine) X(scale_channels) X(to_rgb8) X(from_rgb8) \
    X(embedding) X(geglu) X(all_finite) X(nvfp4_quantize) X(nvfp4_dequantize) \
    X(nvfp4_tile_scales) X(nvfp4_untile_scales) X(nvfp4_to_slabs) X(nvfp4_from_slabs) \
    X(nvfp4_quantize_rows) X(nvfp4_layer_norm_modulated) X(nvfp4_depthwise_gate) \
    X(nvfp4_weight_create) X(nvfp4_linear) X(nvfp4_temporal_convolution) \
    X(nvfp4_probe)
// clang-format on

struct Backend {
    const char* name;
#define SV_MEMBER(op_name) op::op_name* op_name;
    SV_EACH_OP(SV_MEMBER)
#undef SV_MEMBER
};

}  // namespace sv
