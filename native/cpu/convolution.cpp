// Dense convolutions as products over windows; formulas in sanavideo/convolution.h.
#include <cstring>

#include "common/tensor.hpp"
#include "cpu/dense.hpp"
#include "cpu/number.hpp"
#include "cpu/nvfp4.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/winograd.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

// The same tensor, from element `index` of its first dimension on.
const void* slice(const sv_tensor& tensor, int64_t index) {
    return static_cast<const char*>(tensor.data) +
           index * (elements(tensor) / tensor.shape[0]) * bytes_of(tensor.dtype);
}

// out = epilogue(convolution of in, times input_scale, + identity), clip by clip.
void convolve_clips(sv_context& context, const sv_tensor& in, const sv_tensor* previous,
                    const sv_tensor& identity, const sv_weight& weight, float input_scale,
                    const sv_epilogue& epilogue, const sv_tensor& out) {
    int64_t frames = in.shape[1], pixels = in.shape[2];
    for (int64_t clip = 0; clip < in.shape[0]; ++clip) {
        Window window{slice(in, clip)};
        window.previous = previous != nullptr ? slice(*previous, clip) : nullptr;
        window.frames = window.in_frames = frames;
        window.width = window.in_width = pixels;
        window.frame_taps = 3;
        window.first_frame = -1;
        Epilogue store = epilogue_of(epilogue, out);
        store.out = const_cast<void*>(slice(out, clip));
        store.identity = slice(identity, clip);
        if (epilogue.residual != nullptr) store.residual = slice(*epilogue.residual, clip);
        store.first_group_row = clip * frames * pixels;
        store.input_scale = input_scale;
        dense_product(context, window, weight, in.dtype, 0, store);
    }
}

}  // namespace

void temporal_convolution(sv_context& context, const sv_tensor& in, const sv_tensor* previous,
                          const sv_weight& weight, const sv_epilogue& epilogue,
                          const sv_tensor& out) {
    convolve_clips(context, in, previous, in, weight, 1, epilogue, out);
}

void nvfp4_temporal_convolution(sv_context& context, const sv_nvfp4_matrix& in,
                                const sv_tensor& identity, const Nvfp4Weight& weight,
                                const sv_epilogue& epilogue, const sv_tensor& out) {
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Scratch<T> expanded(context.memory, in.rows * in.columns);
        expand_rows(context, in, expanded.get());
        sv_tensor read = out;
        read.data = expanded.get();
        convolve_clips(context, read, nullptr, identity, weight, in.global_scale, epilogue, out);
    });
}

void convolution(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                 sv_padding padding, const sv_epilogue& epilogue, const sv_tensor& out) {
    Window window{in.data};
    window.frames = out.shape[0];
    window.in_frames = in.shape[0];
    window.height = window.in_height = in.shape[1];
    window.width = window.in_width = in.shape[2];
    window.frame_taps = weight.shape[2];
    window.row_taps = weight.shape[3];
    window.column_taps = weight.shape[4];
    window.first_row = -(weight.shape[3] / 2);
    window.first_column = -(weight.shape[4] / 2);
    window.reflects = padding == SV_PADDING_REFLECT;
    Epilogue store = epilogue_of(epilogue, out);
    const auto& dense = static_cast<const DenseWeight&>(weight);
    if (dense.transformed) {
        winograd::convolve(context, window, dense, store);
    } else if (!context.dry) {
        dense_product(context, window, weight, in.dtype, 0, store);
    }
}

void upsample_convolution(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                          const sv_tensor* bias, const sv_tensor& out) {
    // Each quarter of the output pixels (even or odd row, even or odd column) is a convolution of
    // its own over two by two input pixels, with kernel rows and columns added up when the weight
    // was packed.
    for (int64_t quarter = 0; quarter < 4; ++quarter) {
        Window window{in.data};
        window.frames = window.in_frames = in.shape[0];
        window.height = window.in_height = in.shape[1];
        window.width = window.in_width = in.shape[2];
        window.row_taps = window.column_taps = 2;
        window.first_row = quarter / 2 - 1;
        window.first_column = quarter % 2 - 1;
        Epilogue store{out.data};
        if (bias != nullptr) store.bias = static_cast<const float*>(bias->data);
        store.scale = 2;
        store.row_phase = quarter / 2;
        store.column_phase = quarter % 2;
        dense_product(context, window, weight, in.dtype, quarter, store);
    }
}

void downsample_convolution(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                            const sv_tensor* bias, const sv_tensor& out) {
    Window window{in.data};
    window.frames = window.in_frames = in.shape[0];
    window.height = out.shape[1];
    window.width = out.shape[2];
    window.in_height = in.shape[1];
    window.in_width = in.shape[2];
    window.stride = 2;
    window.row_taps = window.column_taps = 3;
    Epilogue store{out.data};
    if (bias != nullptr) store.bias = static_cast<const float*>(bias->data);
    dense_product(context, window, weight, in.dtype, 0, store);
}

void interleave_frames(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    int64_t pixels = out.shape[1];
    int64_t row_bytes = out.shape[2] * bytes_of(out.dtype);
    auto* from = static_cast<const char*>(in.data);
    auto* to = static_cast<char*>(out.data);
    constexpr int64_t kGrain = 64;  // pixels
    parallel_ranges(context, out.shape[0] * pixels, kGrain, [=](int64_t first, int64_t last) {
        for (int64_t row = first; row < last; ++row) {
            int64_t frame = row / pixels, pixel = row % pixels;
            int64_t source = (frame / 2 * pixels + pixel) * 2 + frame % 2;
            std::memcpy(to + row * row_bytes, from + source * row_bytes, row_bytes);
        }
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
