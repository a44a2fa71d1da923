// The op table of the CUDA backend, in the order of struct Backend.
#include "cuda/ops.hpp"

namespace sv::cuda {

static const Backend kBackend = {
    .name = "cuda",
    .weight_create = weight_create,
    .linear = linear,
    .layer_norm_modulated = layer_norm_modulated,
    .rms_norm = rms_norm,
    .row_square_sums = row_square_sums,
    .channel_norm = channel_norm,
    .rope_angles = rope_angles,
    .linear_attention = linear_attention,
    .cross_attention = cross_attention,
    .frame_attention = frame_attention,
    .text_attention = text_attention,
    .depthwise_gate = depthwise_gate,
    .temporal_convolution = temporal_convolution,
    .convolution = convolution,
    .upsample_convolution = upsample_convolution,
    .interleave_frames = interleave_frames,
    .patchify = patchify,
    .unpatchify = unpatchify,
    .timestep_sinusoids = timestep_sinusoids,
    .modulation = modulation,
    .activate = activate,
    .add = add,
    .convert = convert,
    .combine = combine,
    .scale_channels = scale_channels,
    .to_rgb8 = to_rgb8,
    .embedding = embedding,
    .geglu = geglu,
    .all_finite = all_finite,
};

const Backend& backend() { return kBackend; }

}  // namespace sv::cuda
