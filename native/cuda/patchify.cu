// Patches of a latent to token rows and back, one pass each of the kernel of map.cuh:
//
//   patchify    out[token, ((c pt + a) ph + b) pw + d] = in[t pt + a, y ph + b, x pw + d, c]
//   unpatchify  out[t pt + a, y ph + b, x pw + d, c] = in[token, ((a ph + b) pw + d) channels + c]
//
// Both go through their output in order. unpatchify reads as it writes, runs of `channels`.
// patchify gathers single floats: a warp's outputs are the channels of a few pixels, which lie in
// whole 32-byte sectors when there are 8 channels or more, so that no byte is fetched in vain; the
// sectors of one vector's later elements are in the L1 cache from its earlier ones. The index is
// split once a vector, and counted up from there.
//
// Bytes: |in| + |out|; the divisions of the index are about as dear as the memory. Predicted, not
// measured, for 21 x 60 x 104 x 16 in patches of 1 x 2 x 2 with bf16 tokens, 12.6 MB: 3.8 us on an
// H100 (3.35 TB/s), 7.0 us on an RTX 5090 (1.79 TB/s).
#include "common/tensor.hpp"
#include "cuda/map.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

// The grid of tokens over a latent.
struct Patches {
    int64_t height, width, channels;  // of the latent
    int frames_of, height_of, width_of;

    Patches(const sv_tensor& latent, int patch_frames, int patch_height, int patch_width)
        : height(latent.shape[1]),
          width(latent.shape[2]),
          channels(latent.shape[3]),
          frames_of(patch_frames),
          height_of(patch_height),
          width_of(patch_width) {}

    __device__ int64_t columns() const { return channels * (frames_of * height_of * width_of); }
};

template <typename T>
struct Patchify {
    using Out = T;
    static constexpr int kCount = widest<T>;
    const float* in;
    Patches patches;

    bool fits() const {
        const Patches& p = patches;
        return p.channels * p.frames_of * p.height_of * p.width_of % kCount == 0;
    }

    template <int Count>
    __device__ Vector<T, Count> at(int64_t i) const {
        const Patches& p = patches;
        int64_t token = i / p.columns(), column = i % p.columns();
        int64_t row = token / (p.width / p.width_of), rows = p.height / p.height_of;
        int64_t x = token % (p.width / p.width_of) * p.width_of;
        int64_t y = row % rows * p.height_of, t = row / rows * p.frames_of;
        // The first element's place in its patch; the next ones count up, d first.
        auto place = static_cast<int>(column % (p.frames_of * p.height_of * p.width_of));
        int64_t c = column / (p.frames_of * p.height_of * p.width_of);
        int d = place % p.width_of, b = place / p.width_of % p.height_of;
        int a = place / p.width_of / p.height_of;
        float out[Count];
#pragma unroll
        for (int n = 0; n < Count; ++n) {
            int64_t pixel = ((t + a) * p.height + y + b) * p.width + x + d;
            out[n] = in[pixel * p.channels + c];
            if (++d < p.width_of) continue;
            d = 0;
            if (++b < p.height_of) continue;
            b = 0;
            if (++a < p.frames_of) continue;
            a = 0;
            ++c;
        }
        return narrow<T>(out);
    }
};

template <typename T>
struct Unpatchify {
    using Out = float;
    static constexpr int kCount = widest<T, float>;
    const T* in;
    Patches patches;

    bool fits() const { return patches.channels % kCount == 0 && aligned<kCount>(in); }

    template <int Count>
    __device__ Vector<float, Count> at(int64_t i) const {
        const Patches& p = patches;
        int64_t pixel = i / p.channels, c = i % p.channels;
        int64_t row = pixel / p.width, x = pixel % p.width;
        int64_t t = row / p.height, y = row % p.height;
        int64_t token = (t / p.frames_of * (p.height / p.height_of) + y / p.height_of) *
                            (p.width / p.width_of) +
                        x / p.width_of;
        int64_t place =
            (t % p.frames_of * p.height_of + y % p.height_of) * p.width_of + x % p.width_of;
        Vector<float, Count> out;
        widen(load<T, Count>(in + token * p.columns() + place * p.channels + c), out.at);
        return out;
    }
};

}  // namespace

void patchify(sv_context& context, const sv_tensor& in, int patch_frames, int patch_height,
              int patch_width, const sv_tensor& out) {
    Context& c = enter(context);
    Patches patches(in, patch_frames, patch_height, patch_width);
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        map(c, Patchify<T>{static_cast<const float*>(in.data), patches}, elements(out), out.data);
    });
}

void unpatchify(sv_context& context, const sv_tensor& in, int patch_frames, int patch_height,
                int patch_width, const sv_tensor& out) {
    Context& c = enter(context);
    Patches patches(out, patch_frames, patch_height, patch_width);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        map(c, Unpatchify<T>{static_cast<const T*>(in.data), patches}, elements(out), out.data);
    });
}

}  // namespace sv::cuda
