// Dense convolutions as products over windows (gemm.cuh); formulas in sanavideo/convolution.h.
//
// The temporal convolution is a product of depth 3 * channels: the three taps of a row are the same
// row of three frames, so that nothing is gathered in memory; each frame is read three times, of
// which two hit the L2 cache when frames of a group of row tiles lie in it (a frame at 480p has 7
// MB). The identity is added in fp32 by the epilogue, which costs one more read of the input.
//
// At 480p, 32760 x 6720 x 2240: 0.986 TFLOP and 0.62 GB. Bound by the tensor cores; predicted, not
// measured: H100 2.3 ms at 430 TFLOP/s, RTX 5090 5.5 ms at 180.
#include "common/tensor.hpp"
#include "cuda/context.hpp"
#include "cuda/gemm.cuh"
#include "cuda/gemm_expand.cuh"
#include "cuda/gemm_nvfp4_epilogue.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

// Clip by clip. small: in small tiles, whatever the shape.
template <typename T, typename Columns, typename Finish>
void multiply_clips(Context& context, const sv_tensor& in, const sv_tensor* previous,
                    const Columns& columns, bool small, Finish finish) {
    int64_t frames = in.shape[1], pixels = in.shape[2], channels = in.shape[3];
    int64_t clip_rows = frames * pixels, clip_size = clip_rows * channels;
    gemm::Windows<T> windows{static_cast<const T*>(in.data)};
    if (previous != nullptr) windows.previous = static_cast<const T*>(previous->data);
    windows.channels = static_cast<int>(channels);
    windows.frames = windows.in_frames = static_cast<int>(frames);
    windows.width = windows.in_width = static_cast<int>(pixels);
    windows.frame_taps = 3;
    windows.first_frame = -1;
    bool wide =
        channels % kWide<T> == 0 && aligned(windows.data, 16) && aligned(windows.previous, 16);
    finish.wide = finish.wide && aligned(windows.data, gemm::kGroup * sizeof(T));
    finish.rows = static_cast<int>(clip_rows);
    auto in_tiles = [&](auto tile, auto wide_loads) {
        gemm::launch_tiles<gemm::Product<T, decltype(tile)>, decltype(wide_loads)::value>(
            context, clip_rows, channels, windows, columns, finish);
    };
    for (int64_t clip = 0; clip < in.shape[0]; ++clip) {
        finish.identity = windows.data;
        if (small && wide) {
            in_tiles(gemm::SmallTile{}, std::true_type{});
        } else {
            gemm::with_tile<T>(context, clip_rows, channels, wide, in_tiles);
        }
        windows.data += clip_size;
        if (windows.previous != nullptr) windows.previous += pixels * channels;
        finish.out += clip_size;
        if (finish.residual != nullptr) finish.residual += clip_size;
        finish.first_group_row += static_cast<int>(clip_rows);
    }
}

}  // namespace

void temporal_convolution(sv_context& context, const sv_tensor& in, const sv_tensor* previous,
                          const sv_weight& weight, const sv_epilogue& epilogue,
                          const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        if (const Nvfp4Weight* packed = as_nvfp4(weight)) {
            const SlabNvfp4Weight& slabs = in_slabs(*packed);
            multiply_clips<T>(
                c, in, previous, gemm::expanded<T>(slabs), gemm::needs_small_tiles<T>(epilogue),
                gemm::nvfp4_epilogue_of<T, true>(epilogue, 1, slabs.channel_scales, out));
        } else {
            multiply_clips<T>(c, in, previous,
                              gemm::columns_of<T>(static_cast<const DenseWeight&>(weight), 0),
                              false, gemm::epilogue_of<T, true>(epilogue, out));
        }
    });
}

}  // namespace sv::cuda
