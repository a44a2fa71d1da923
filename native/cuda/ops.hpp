// The ops on CUDA devices; each file of this folder defines those of its family.
#pragma once

#include "common/backend.hpp"
#include "common/context.hpp"

namespace sv::cuda {

// The table of them.
const Backend& backend();

op::weight_create weight_create;
op::linear linear;
op::layer_norm_modulated layer_norm_modulated;
op::rms_norm rms_norm;
op::row_square_sums row_square_sums;
op::channel_norm channel_norm;
op::rope_angles rope_angles;
op::linear_attention linear_attention;
op::cross_attention cross_attention;
op::frame_attention frame_attention;
op::text_attention text_attention;
op::depthwise_gate depthwise_gate;
op::temporal_convolution temporal_convolution;
op::convolution convolution;
op::upsample_convolution upsample_convolution;
op::interleave_frames interleave_frames;
op::patchify patchify;
op::unpatchify unpatchify;
op::timestep_sinusoids timestep_sinusoids;
op::modulation modulation;
op::activate activate;
op::add add;
op::convert convert;
op::combine combine;
op::scale_channels scale_channels;
op::to_rgb8 to_rgb8;
op::embedding embedding;
op::geglu geglu;
op::all_finite all_finite;

}  // namespace sv::cuda
