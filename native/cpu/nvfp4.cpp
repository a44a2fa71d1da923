// NVFP4 (sanavideo/nvfp4.h): a block of 16 elements at a time; the arithmetic is that of
// common/nvfp4.hpp, which the CUDA backend shares. Not tuned: weights are quantised once, and a CPU
// computes with what they stand for.
#include "common/nvfp4.hpp"

#include <algorithm>
#include <cstring>

#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

using nvfp4::kBlock;

void nvfp4_quantize(sv_context& context, const sv_tensor& in, float global_scale,
                    sv_nvfp4_scaling scaling, const sv_tensor& codes, const sv_tensor& scales) {
    int64_t length = channels(in), blocks = channels(scales);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        parallel_tasks(context, rows(in), [&](int64_t row, int) {
            const T* x = static_cast<const T*>(in.data) + row * length;
            for (int64_t b = 0; b < blocks; ++b) {
                float values[kBlock] = {};
                int64_t count = std::min<int64_t>(kBlock, length - b * kBlock);
                for (int64_t i = 0; i < count; ++i) values[i] = widen(x[b * kBlock + i]);
                nvfp4::Block block = nvfp4::quantize(values, global_scale, scaling);
                int64_t at = row * blocks + b;
                std::memcpy(static_cast<char*>(codes.data) + at * sizeof block.codes, &block.codes,
                            sizeof block.codes);
                static_cast<uint8_t*>(scales.data)[at] = block.scale;
            }
        });
    });
}

void nvfp4_dequantize(sv_context& context, const sv_tensor& codes, const sv_tensor& scales,
                      float global_scale, const sv_tensor& out) {
    int64_t length = channels(out), blocks = channels(scales);
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        parallel_tasks(context, rows(out), [&](int64_t row, int) {
            T* x = static_cast<T*>(out.data) + row * length;
            for (int64_t k = 0; k < length; ++k) {
                int64_t at = row * blocks + k / kBlock;
                uint64_t block;
                std::memcpy(&block, static_cast<const char*>(codes.data) + at * sizeof block,
                            sizeof block);
                float step =
                    nvfp4::scale_value(static_cast<const uint8_t*>(scales.data)[at]) * global_scale;
                x[k] = narrow<T>(nvfp4::element(block, static_cast<int>(k % kBlock), step));
            }
        });
    });
}

void nvfp4_tile_scales(sv_context&, const sv_tensor& scales, const sv_tensor& tiles) {
    auto* from = static_cast<const uint8_t*>(scales.data);
    auto* to = static_cast<uint8_t*>(tiles.data);
    std::memset(to, 0, elements(tiles));
    for (int64_t row = 0; row < scales.shape[0]; ++row) {
        for (int64_t c = 0; c < scales.shape[1]; ++c) {
            to[nvfp4::tiled(row, c, scales.shape[1])] = *from++;
        }
    }
}

void nvfp4_untile_scales(sv_context&, const sv_tensor& tiles, const sv_tensor& scales) {
    auto* from = static_cast<const uint8_t*>(tiles.data);
    auto* to = static_cast<uint8_t*>(scales.data);
    for (int64_t row = 0; row < scales.shape[0]; ++row) {
        for (int64_t c = 0; c < scales.shape[1]; ++c) {
            *to++ = from[nvfp4::tiled(row, c, scales.shape[1])];
        }
    }
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
