// Patches of a latent to token rows and back. The latent is small beside the tokens' hidden states.
#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/ops.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

// Calls visit(token, a, b, d, pixel) for each pixel (a, b, d) of each patch; pixel is its index in
// the latent.
template <typename Visit>
void for_each_pixel(const sv_tensor& latent, int patch_frames, int patch_height, int patch_width,
                    const Visit& visit) {
    int64_t height = latent.shape[1], width = latent.shape[2];
    int64_t token = 0;
    for (int64_t t = 0; t < latent.shape[0]; t += patch_frames) {
        for (int64_t y = 0; y < height; y += patch_height) {
            for (int64_t x = 0; x < width; x += patch_width, ++token) {
                for (int a = 0; a < patch_frames; ++a) {
                    for (int b = 0; b < patch_height; ++b) {
                        for (int d = 0; d < patch_width; ++d) {
                            visit(token, a, b, d, ((t + a) * height + y + b) * width + x + d);
                        }
                    }
                }
            }
        }
    }
}

}  // namespace

void patchify(sv_context&, const sv_tensor& in, int patch_frames, int patch_height, int patch_width,
              const sv_tensor& out) {
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t count = channels(in), columns = channels(out);
        auto* x = static_cast<const float*>(in.data);
        auto* y = static_cast<T*>(out.data);
        for_each_pixel(in, patch_frames, patch_height, patch_width,
                       [=](int64_t token, int a, int b, int d, int64_t pixel) {
                           for (int64_t c = 0; c < count; ++c) {
                               int64_t column = (c * patch_frames + a) * patch_height + b;
                               y[token * columns + column * patch_width + d] =
                                   narrow<T>(x[pixel * count + c]);
                           }
                       });
    });
}

void unpatchify(sv_context&, const sv_tensor& in, int patch_frames, int patch_height,
                int patch_width, const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t count = channels(out), columns = channels(in);
        auto* x = static_cast<const T*>(in.data);
        auto* y = static_cast<float*>(out.data);
        for_each_pixel(out, patch_frames, patch_height, patch_width,
                       [=](int64_t token, int a, int b, int d, int64_t pixel) {
                           int64_t place = (int64_t{a} * patch_height + b) * patch_width + d;
                           for (int64_t c = 0; c < count; ++c) {
                               y[pixel * count + c] = widen(x[token * columns + place * count + c]);
                           }
                       });
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
