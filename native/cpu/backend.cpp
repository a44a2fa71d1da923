// The op table of one CPU variant (SV_VARIANT), in the order of struct Backend.
#include "cpu/ops.hpp"

#define SV_TEXT_OF(name) #name
#define SV_TEXT(name) SV_TEXT_OF(name)

namespace sv::cpu {
inline namespace SV_VARIANT {

extern const Backend kBackend;
const Backend kBackend = {
    .name = SV_TEXT(SV_VARIANT),
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

}  // namespace SV_VARIANT
}  // namespace sv::cpu
