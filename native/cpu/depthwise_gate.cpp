// Depthwise 3x3 convolution, bias and SiLU gate in one pass; formula in sanavideo/convolution.h.
//
// A task is one block of channels (and its gate's) of one frame: while it walks down the frame, the
// three input rows that it needs stay in the core's cache, so that memory is read once and written
// once, which bounds it. Taps outside the frame read a row of zeros, so that the inner loop is the
// same everywhere.
#include <algorithm>

#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/nvfp4.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/vector_math.hpp"
#include "cpu/weight.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

constexpr int64_t kBlock = 256;  // channels
constexpr int kTaps = 9;

// One pixel's convolution at channel c: nine rows of input and of weights.
template <typename T>
float convolve(const T* const* taps, const float* weights, int64_t weight_row, int64_t c,
               float bias) {
    float sum = bias;
#pragma GCC unroll 9
    for (int tap = 0; tap < kTaps; ++tap) {
        sum += widen(taps[tap][c]) * weights[tap * weight_row + c];
    }
    return sum;
}

// Calls store(row, first channel, count, results) with what Out holds of each pixel's block.
template <typename T, typename Out, typename Store>
void run(sv_context& context, const sv_tensor& in, const sv_weight& weight, const sv_tensor& biases,
         const Store& store) {
    const float* weights = static_cast<const DepthwiseWeight&>(weight).taps;
    auto* bias = static_cast<const float*>(biases.data);
    int64_t frames = in.shape[0], height = in.shape[1], width = in.shape[2];
    int64_t channels = in.shape[3], hidden = channels / 2;
    auto* x = static_cast<const T*>(in.data);
    static const T zeros[kBlock] = {};

    int64_t blocks = (hidden + kBlock - 1) / kBlock;
    parallel_tasks(context, frames * blocks, [&](int64_t task, int) {
        int64_t frame = task / blocks, first = task % blocks * kBlock;
        int64_t count = std::min(kBlock, hidden - first);
        const float* value_weights = weights + first;
        const float* gate_weights = value_weights + hidden;
        const float* value_bias = bias + first;
        const float* gate_bias = value_bias + hidden;
        for (int64_t pixel = 0; pixel < height * width; ++pixel) {
            int64_t row = pixel / width, column = pixel % width;
            const T* values[kTaps];
            const T* gates[kTaps];
            for (int tap = 0; tap < kTaps; ++tap) {
                int64_t r = row + tap / 3 - 1, c = column + tap % 3 - 1;
                bool inside = r >= 0 && r < height && c >= 0 && c < width;
                int64_t at = ((frame * height + r) * width + c) * channels + first;
                values[tap] = inside ? x + at : zeros;
                gates[tap] = inside ? x + at + hidden : zeros;
            }
            Out to[kBlock];
#pragma omp simd
            for (int64_t c = 0; c < count; ++c) {
                float value = convolve(values, value_weights, channels, c, value_bias[c]);
                float gate = convolve(gates, gate_weights, channels, c, gate_bias[c]);
                to[c] = narrow<Out>(value * silu(gate));
            }
            store(frame * height * width + pixel, first, count, to);
        }
    });
}

}  // namespace

void depthwise_gate(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                    const sv_tensor* bias, const sv_tensor& out) {
    int64_t hidden = channels(out);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        run<T, T>(context, in, weight, *bias,
                  [&](int64_t row, int64_t first, int64_t count, const T* results) {
                      std::copy_n(results, count, static_cast<T*>(out.data) + row * hidden + first);
                  });
    });
}

void nvfp4_depthwise_gate(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                          const sv_tensor& bias, const sv_nvfp4_matrix& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        run<T, float>(context, in, weight, bias,
                      [&](int64_t row, int64_t first, int64_t count, const float* results) {
                          quantize_columns(out, row, first, count, results);
                      });
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
