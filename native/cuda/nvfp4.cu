// NVFP4 (sanavideo/nvfp4.h) on its own: what producers that write it in their epilogues are
// compared with, and how weights are made. The arithmetic is that of common/nvfp4.hpp, compiled
// without contraction, so that a card makes the bytes that the CPU makes.
//
// quantize: a thread a block of 16 elements: it reads 32 bytes (bf16) or 64 (f32), writes 8 bytes
// of codes and 1 of a scale; neighbours write neighbours. Divisions are IEEE: 17 or 34 a block,
// some 10 instructions each. dequantize: the kernel of map.cuh. The tiled layout of scales: a
// thread a byte of the output.
//
// Bytes of an element: quantize |x| + 0.5625, dequantize 0.5625 + |x|. Memory bounds dequantize;
// quantize has some 30 instructions an element (60 with four over six), which an H100 issues at 132
// x 128 x 1.755 GHz, 1.0 an element and picosecond: 32760 x 2240 in bf16 is 188 MB or 56 us of
// memory, and 75 us of instructions (150 us). Predicted, not measured; an RTX 5090: 105 us, 55 us
// (110 us).
#include "common/nvfp4.hpp"
#include "common/tensor.hpp"
#include "cuda/map.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

using nvfp4::kBlock;

constexpr int kThreads = 128;

template <typename T>
__global__ void __launch_bounds__(kThreads)
    quantize(const T* in, int64_t length, int64_t row_blocks, int64_t blocks, bool wide,
             float global_scale, sv_nvfp4_scaling scaling, uint64_t* codes, uint8_t* scales) {
    int64_t at = int64_t{blockIdx.x} * kThreads + threadIdx.x;
    if (at >= blocks) return;
    int64_t row = at / row_blocks, first = (at - row * row_blocks) * kBlock;
    const T* from = in + row * length + first;
    float x[kBlock];
    if (wide && first + kBlock <= length) {
        constexpr int kCount = kBlock < widest<T> ? kBlock : widest<T>;
#pragma unroll
        for (int part = 0; part < kBlock / kCount; ++part) {
            float some[kCount];
            widen(load<T, kCount>(from + part * kCount), some);
#pragma unroll
            for (int i = 0; i < kCount; ++i) x[part * kCount + i] = some[i];
        }
    } else {
#pragma unroll
        for (int i = 0; i < kBlock; ++i) x[i] = first + i < length ? widen(from[i]) : 0.0f;
    }
    nvfp4::Block block = nvfp4::quantize(x, global_scale, scaling);
    codes[at] = block.codes;
    scales[at] = block.scale;
}

// out = what codes and scales stand for.
template <typename T>
struct Dequantize {
    using Out = T;
    static constexpr int kCount = widest<T, float>;
    const uint8_t* codes;
    const uint8_t* scales;
    int64_t length, row_blocks;
    float global_scale;

    bool fits() const { return length % kCount == 0; }

    template <int Count>
    __device__ Vector<T, Count> at(int64_t i) const {
        int64_t row = i / length, k = i - row * length;
        int64_t block = row * row_blocks + k / kBlock;
        float step = nvfp4::scale_value(scales[block]) * global_scale;
        float x[Count];
#pragma unroll
        for (int n = 0; n < Count; ++n) {
            int in_block = static_cast<int>(k % kBlock) + n;
            uint64_t code = codes[block * (kBlock / 2) + in_block / 2] >> in_block % 2 * 4;
            x[n] = nvfp4::element(code & 15, 0, step);
        }
        return narrow<T>(x);
    }
};

// A byte of the tiled layout, found from its place.
struct Tiling {
    using Out = uint8_t;
    static constexpr int kCount = 1;
    const uint8_t* scales;
    int64_t rows, count;

    bool fits() const { return false; }

    template <int Count>
    __device__ Vector<uint8_t, Count> at(int64_t i) const {
        int64_t columns = (count + nvfp4::kTileScales - 1) / nvfp4::kTileScales;
        int64_t tile = i / nvfp4::kTileBytes, in_tile = i % nvfp4::kTileBytes;
        int64_t row = tile / columns * nvfp4::kTileRows + in_tile / 16 + in_tile % 16 / 4 * 32;
        int64_t scale = tile % columns * nvfp4::kTileScales + in_tile % 4;
        return {row < rows && scale < count ? scales[row * count + scale] : uint8_t{0}};
    }
};

struct Untiling {
    using Out = uint8_t;
    static constexpr int kCount = 1;
    const uint8_t* tiles;
    int64_t count;

    bool fits() const { return false; }

    template <int Count>
    __device__ Vector<uint8_t, Count> at(int64_t i) const {
        return {tiles[nvfp4::tiled(i / count, i % count, count)]};
    }
};

}  // namespace

void nvfp4_quantize(sv_context& context, const sv_tensor& in, float global_scale,
                    sv_nvfp4_scaling scaling, const sv_tensor& codes, const sv_tensor& scales) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* from = static_cast<const T*>(in.data);
        int64_t length = channels(in), blocks = elements(scales);
        bool wide = length % widest<T> == 0 && aligned(from, 16);
        auto grid = static_cast<unsigned>(divide_up(blocks, kThreads));
        launch(c, quantize<T>, grid, kThreads, 0, from, length, channels(scales), blocks, wide,
               global_scale, scaling, static_cast<uint64_t*>(codes.data),
               static_cast<uint8_t*>(scales.data));
    });
}

void nvfp4_dequantize(sv_context& context, const sv_tensor& codes, const sv_tensor& scales,
                      float global_scale, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Dequantize<T> operation{static_cast<const uint8_t*>(codes.data),
                                static_cast<const uint8_t*>(scales.data), channels(out),
                                channels(scales), global_scale};
        map(c, operation, elements(out), out.data);
    });
}

void nvfp4_tile_scales(sv_context& context, const sv_tensor& scales, const sv_tensor& tiles) {
    map(enter(context),
        Tiling{static_cast<const uint8_t*>(scales.data), scales.shape[0], scales.shape[1]},
        elements(tiles), tiles.data);
}

void nvfp4_untile_scales(sv_context& context, const sv_tensor& tiles, const sv_tensor& scales) {
    map(enter(context), Untiling{static_cast<const uint8_t*>(tiles.data), scales.shape[1]},
        elements(scales), scales.data);
}

}  // namespace sv::cuda
