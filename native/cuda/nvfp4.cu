// NVFP4 (sanavideo/nvfp4.h) on its own: what producers that write it in their epilogues are
// compared with, and how weights are made. The arithmetic is that of common/nvfp4.hpp, compiled
// without contraction, so that a card makes the bytes that the CPU makes.
//
// quantize: a thread a block of 16 elements: it reads 32 bytes (bf16) or 64 (f32), writes 8 bytes
// of codes and 1 of a scale; neighbours write neighbours, in slabs four of them a row of a slab.
// Divisions are IEEE: 17 or 34 a block, some 10 instructions each. dequantize: the kernel of
// map.cuh. The tiled layout of scales: a thread a byte of the output. Between rows and slabs: a
// thread a block of what fills whole slabs, 9 bytes.
//
// Bytes of an element: quantize |x| + 0.5625, dequantize 0.5625 + |x|. Memory bounds dequantize;
// quantize has some 30 instructions an element (60 with four over six), which an H100 issues at 132
// x 128 x 1.755 GHz, 1.0 an element and picosecond: 32760 x 2240 in bf16 is 188 MB or 56 us of
// memory, and 75 us of instructions (150 us). Predicted, not measured; an RTX 5090: 105 us, 55 us
// (110 us).
#include "common/nvfp4.hpp"
#include "common/tensor.hpp"
#include "cuda/map.cuh"
#include "cuda/nvfp4_slabs.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

using nvfp4::kBlock;

constexpr int kThreads = 128;
constexpr int kBlockBytes = kBlock / 2;
constexpr int64_t kSlabBlocks = nvfp4::kSlab / kBlock;

// Of a thread a block.
unsigned grid_of(int64_t blocks) { return static_cast<unsigned>(divide_up(blocks, kThreads)); }

// Blocks as files hold them, row by row. Their codes may begin at any byte.
struct FileRows {
    uint8_t* codes;
    uint8_t* scales;
    int64_t row_blocks;
    bool words;  // codes are at multiples of 8 bytes

    FileRows(const sv_tensor& codes, const sv_tensor& scales)
        : codes(static_cast<uint8_t*>(codes.data)),
          scales(static_cast<uint8_t*>(scales.data)),
          row_blocks(channels(scales)),
          words(aligned(codes.data, kBlockBytes)) {}

    __device__ __forceinline__ void put(int64_t row, int64_t column,
                                        const nvfp4::Block& block) const {
        int64_t at = row * row_blocks + column / kBlock;
        uint8_t* to = codes + at * kBlockBytes;
        if (words) {
            *reinterpret_cast<uint64_t*>(to) = block.codes;
        } else {
            for (int i = 0; i < kBlockBytes; ++i) {
                to[i] = static_cast<uint8_t>(block.codes >> 8 * i);
            }
        }
        scales[at] = block.scale;
    }

    __device__ __forceinline__ nvfp4::Block get(int64_t row, int64_t column) const {
        int64_t at = row * row_blocks + column / kBlock;
        const uint8_t* from = codes + at * kBlockBytes;
        nvfp4::Block block{0, scales[at]};
        if (words) {
            block.codes = *reinterpret_cast<const uint64_t*>(from);
        } else {
            for (int i = 0; i < kBlockBytes; ++i) block.codes |= uint64_t{from[i]} << 8 * i;
        }
        return block;
    }
};

// Out: where blocks are put, FileRows or Slabs.
template <typename T, typename Out>
__global__ void __launch_bounds__(kThreads)
    quantize(const T* in, int64_t length, int64_t row_blocks, int64_t blocks, bool wide,
             float global_scale, sv_nvfp4_scaling scaling, Out out) {
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
    out.put(row, first, nvfp4::quantize(x, global_scale, scaling));
}

template <typename Out>
void queue_quantize(Context& c, const sv_tensor& in, float global_scale, sv_nvfp4_scaling scaling,
                    const Out& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* from = static_cast<const T*>(in.data);
        int64_t length = channels(in), row_blocks = nvfp4::slabs(length) * kSlabBlocks;
        int64_t blocks = rows(in) * row_blocks;
        bool wide = length % widest<T> == 0 && aligned(from, 16);
        launch(c, quantize<T, Out>, grid_of(blocks), kThreads, 0, from, length, row_blocks, blocks,
               wide, global_scale, scaling, out);
    });
}

// Moves each block from one layout to the other.
template <typename In, typename Out>
__global__ void __launch_bounds__(kThreads)
    move(In in, int64_t row_blocks, int64_t blocks, Out out) {
    int64_t at = int64_t{blockIdx.x} * kThreads + threadIdx.x;
    if (at >= blocks) return;
    int64_t row = at / row_blocks, column = (at - row * row_blocks) * kBlock;
    out.put(row, column, in.get(row, column));
}

template <typename In, typename Out>
void queue_move(Context& c, const sv_nvfp4_matrix& matrix, const In& in, const Out& out) {
    int64_t row_blocks = nvfp4::slabs(matrix.columns) * kSlabBlocks;
    int64_t blocks = matrix.rows * row_blocks;
    launch(c, move<In, Out>, grid_of(blocks), kThreads, 0, in, row_blocks, blocks, out);
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
    queue_quantize(enter(context), in, global_scale, scaling, FileRows(codes, scales));
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

void nvfp4_to_slabs(sv_context& context, const sv_tensor& codes, const sv_tensor& scales,
                    const sv_nvfp4_matrix& out) {
    queue_move(enter(context), out, FileRows(codes, scales), Slabs(out));
}

void nvfp4_from_slabs(sv_context& context, const sv_nvfp4_matrix& in, const sv_tensor& codes,
                      const sv_tensor& scales) {
    queue_move(enter(context), in, Slabs(in), FileRows(codes, scales));
}

void nvfp4_quantize_rows(sv_context& context, const sv_tensor& in, const sv_nvfp4_matrix& out) {
    queue_quantize(enter(context), in, out.global_scale, SV_NVFP4_SIX, Slabs(out));
}

}  // namespace sv::cuda
