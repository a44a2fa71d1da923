// Single-head softmax attention inside each frame: formula in sanavideo/attention.h, tiling in
// softmax_attention.cuh.
//
// A 480p clip's 21 latent frames of 6,240 pixels and 384 channels in bf16, once a clip:
// - Memory: q, k, v and out, 403 MB: 0.12 ms on an H100, 0.23 ms on an RTX 5090.
// - Products: 4 * pixels^2 * channels a frame, 1.26 TFLOP; three slabs of columns make it 2.5. At
//   the 60% of 989 TFLOP/s that this instruction reaches on an H100 4 ms, at 209.5 TFLOP/s 12 ms.
// - A warp's 256 products for a tile of keys read 64 KiB of shared memory (512 cycles of a
//   multiprocessor) and its queries again through the first-level cache (96 loads of 4 to 8
//   cycles): 9 to 13 ms on an H100, half of it on an RTX 5090.
// Predicted, not measured: 12 ms and 14 ms. That is little beside the decoder's convolutions;
// keeping three slabs of sums in more warps would halve it.
#include "cuda/ops.hpp"
#include "cuda/softmax_attention.cuh"

namespace sv::cuda {

void frame_attention(sv_context& context, const sv_tensor& qkv, const sv_tensor& out) {
    Context& c = enter(context);
    int64_t pixels = qkv.shape[1], channels = qkv.shape[3];
    AllKeys keys{count_of(pixels, "pixels"), 1.0f / std::sqrt(static_cast<float>(channels))};
    with_float_type(qkv.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* in = static_cast<const T*>(qkv.data);
        auto part = [&](int which) {
            return Rows<const T>{in + which * channels, 3 * pixels * channels, 3 * channels, 0};
        };
        Attention<T> a{
            .q = part(0),
            .k = part(1),
            .v = part(2),
            .out = {static_cast<T*>(out.data), pixels * channels, channels, 0},
            .batch = count_of(qkv.shape[0], "frames"),
            .queries = keys.keys,
            .keys = keys.keys,
            .heads = 1,
            .group = 1,
            .size = count_of(channels, "channels"),
        };
        softmax_attention(c, a, keys);
    });
}

}  // namespace sv::cuda
