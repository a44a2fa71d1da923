// NVFP4 (sanavideo/nvfp4.h): a block of 16 elements at a time; the arithmetic is that of
// common/nvfp4.hpp, which the CUDA backend shares. Not tuned: weights are quantised once, and a CPU
// computes with what they stand for.
#include "common/nvfp4.hpp"

#include <algorithm>
#include <cstring>

#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/nvfp4.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

using nvfp4::kBlock;
using nvfp4::kSlab;
using nvfp4::kSlabCodeBytes;
using nvfp4::kSlabScaleBytes;

namespace {

constexpr int64_t kBlockBytes = kBlock / 2;
constexpr int64_t kSlabBlocks = kSlab / kBlock;

// Where a block of a row lies in slabs.
uint8_t* codes_at(const sv_nvfp4_matrix& matrix, int64_t row, int64_t block) {
    return static_cast<uint8_t*>(matrix.codes) +
           (block / kSlabBlocks * matrix.slab_rows + row) * kSlabCodeBytes +
           block % kSlabBlocks * kBlockBytes;
}

uint8_t* scale_at(const sv_nvfp4_matrix& matrix, int64_t row, int64_t block) {
    return static_cast<uint8_t*>(matrix.scales) +
           (block / kSlabBlocks * matrix.slab_rows + row) * kSlabScaleBytes + block % kSlabBlocks;
}

}  // namespace

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

void nvfp4_to_slabs(sv_context&, const sv_tensor& codes, const sv_tensor& scales,
                    const sv_nvfp4_matrix& out) {
    auto* code = static_cast<const uint8_t*>(codes.data);
    auto* scale = static_cast<const uint8_t*>(scales.data);
    for (int64_t row = 0; row < out.rows; ++row) {
        for (int64_t b = 0; b < channels(scales); ++b, code += kBlockBytes) {
            std::memcpy(codes_at(out, row, b), code, kBlockBytes);
            *scale_at(out, row, b) = *scale++;
        }
    }
}

void nvfp4_from_slabs(sv_context&, const sv_nvfp4_matrix& in, const sv_tensor& codes,
                      const sv_tensor& scales) {
    auto* code = static_cast<uint8_t*>(codes.data);
    auto* scale = static_cast<uint8_t*>(scales.data);
    for (int64_t row = 0; row < in.rows; ++row) {
        for (int64_t b = 0; b < channels(scales); ++b, code += kBlockBytes) {
            std::memcpy(code, codes_at(in, row, b), kBlockBytes);
            *scale++ = *scale_at(in, row, b);
        }
    }
}

void quantize_columns(const sv_nvfp4_matrix& out, int64_t row, int64_t first, int64_t count,
                      const float* values) {
    int64_t last = first + count;
    if (last == out.columns) last = nvfp4::slabs(out.columns) * kSlab;
    for (int64_t column = first; column < last; column += kBlock) {
        float block[kBlock] = {};
        int64_t left = std::clamp<int64_t>(first + count - column, 0, kBlock);
        std::copy_n(values + (column - first), left, block);
        nvfp4::Block made = nvfp4::quantize(block, out.global_scale, SV_NVFP4_SIX);
        std::memcpy(codes_at(out, row, column / kBlock), &made.codes, sizeof made.codes);
        *scale_at(out, row, column / kBlock) = made.scale;
    }
}

int64_t nvfp4_probe(sv_context&) { return 0; }

void nvfp4_quantize_rows(sv_context& context, const sv_tensor& in, const sv_nvfp4_matrix& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        parallel_tasks(context, out.rows, [&](int64_t row, int) {
            const T* x = static_cast<const T*>(in.data) + row * out.columns;
            for (int64_t first = 0; first < out.columns; first += kSlab) {
                float values[kSlab];
                int64_t count = std::min<int64_t>(kSlab, out.columns - first);
                for (int64_t i = 0; i < count; ++i) values[i] = widen(x[first + i]);
                quantize_columns(out, row, first, count, values);
            }
        });
    });
}

template <typename T>
void expand_rows(const sv_context& context, const sv_nvfp4_matrix& in, T* out) {
    parallel_tasks(context, in.rows, [&](int64_t row, int) {
        T* to = out + row * in.columns;
        for (int64_t column = 0; column < in.columns; column += kBlock) {
            uint64_t codes;
            std::memcpy(&codes, codes_at(in, row, column / kBlock), sizeof codes);
            float scale = nvfp4::scale_value(*scale_at(in, row, column / kBlock));
            int64_t count = std::min<int64_t>(kBlock, in.columns - column);
            for (int i = 0; i < count; ++i) {
                to[column + i] = narrow<T>(nvfp4::element(codes, i, scale));
            }
        }
    });
}

template void expand_rows<float>(const sv_context&, const sv_nvfp4_matrix&, float*);
template void expand_rows<bf16>(const sv_context&, const sv_nvfp4_matrix&, bf16*);

}  // namespace SV_VARIANT
}  // namespace sv::cpu
