// The arithmetic of NVFP4 (sanavideo/nvfp4.h), once for every device: IEEE fp32, nothing
// contracted. Files that use SV_NVFP4_FOUR_OVER_SIX are compiled with contraction off; elsewhere no
// sum follows a product that is not exact.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "sanavideo/nvfp4.h"

#ifdef __CUDACC__
#define SV_NVFP4_FUNCTION __host__ __device__ __forceinline__
#else
#define SV_NVFP4_FUNCTION inline __attribute__((always_inline))
#endif

namespace sv::nvfp4 {

constexpr int kBlock = 16;      // elements that share a scale
constexpr int kPadding = 64;    // what a row's length is rounded up to: K of one instruction
constexpr int kTileRows = 128;  // of the tiled layout of scales
constexpr int kTileScales = 4;
constexpr int kTileBytes = kTileRows * kTileScales;

// Where the scale of a row lies in the tiled layout. count: scales of a row.
SV_NVFP4_FUNCTION int64_t tiled(int64_t row, int64_t scale, int64_t count) {
    int64_t tile =
        row / kTileRows * ((count + kTileScales - 1) / kTileScales) + scale / kTileScales;
    int64_t in_tile = row % kTileRows;
    return tile * kTileBytes + in_tile % 32 * 16 + in_tile / 32 * 4 + scale % kTileScales;
}

// The code of a magnitude, ties to the even code; above 6 it is that of 6.
SV_NVFP4_FUNCTION int magnitude_code(float x) {
    return (x > 0.25f) + (x >= 0.75f) + (x > 1.25f) + (x >= 1.75f) + (x > 2.5f) + (x >= 3.5f) +
           (x > 5.0f);
}

// The number of a code without its sign: 0, 0.5, 1, 1.5, 2, 3, 4, 6.
SV_NVFP4_FUNCTION float magnitude(int code) {
    int exponent = code >> 1, fraction = code & 1;
    return exponent == 0 ? 0.5f * fraction
                         : (1.0f + 0.5f * fraction) * static_cast<float>(1 << (exponent - 1));
}

// A number from 0 on, rounded to nearest even; above 448 it is 448.
SV_NVFP4_FUNCTION int scale_code(float x) {
    constexpr int kLargest = 0x7e;
    // Steps of 2^-9 up to the smallest normal number, 2^-6, whose byte follows on theirs.
    if (x < 0.015625f) return static_cast<int>(rintf(x * 512.0f));
    if (x >= 448.0f) return kLargest;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits += 0x7ffff + (bits >> 20 & 1);
    return static_cast<int>((bits >> 20) - (120 << 3));  // biases of 127 and 7
}

SV_NVFP4_FUNCTION float scale_value(int code) {
    if (code < 8) return static_cast<float>(code) * (1.0f / 512.0f);
    uint32_t bits = static_cast<uint32_t>(code + (120 << 3)) << 20;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// A block's scale and its codes, the first element in the lowest four bits.
struct Block {
    uint64_t codes;
    uint8_t scale;
};

SV_NVFP4_FUNCTION int signed_code(float x, float step) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    float size = step == 0.0f ? 0.0f : fabsf(x) / step;
    return magnitude_code(size) | static_cast<int>(bits >> 31 << 3);
}

// Codes for a scale that is given.
SV_NVFP4_FUNCTION Block with_scale(const float (&x)[kBlock], int scale, float global_scale) {
    float step = scale_value(scale) * global_scale;
    Block block{0, static_cast<uint8_t>(scale)};
    for (int i = 0; i < kBlock; ++i) {
        block.codes |= static_cast<uint64_t>(signed_code(x[i], step)) << 4 * i;
    }
    return block;
}

SV_NVFP4_FUNCTION float element(uint64_t codes, int i, float step) {
    int code = static_cast<int>(codes >> 4 * i & 15);
    float size = magnitude(code & 7) * step;
    return (code & 8) != 0 ? -size : size;
}

SV_NVFP4_FUNCTION float squared_error(const float (&x)[kBlock], const Block& block,
                                      float global_scale) {
    float step = scale_value(block.scale) * global_scale, sum = 0;
    for (int i = 0; i < kBlock; ++i) {
        float difference = x[i] - element(block.codes, i, step);
        sum = sum + difference * difference;
    }
    return sum;
}

SV_NVFP4_FUNCTION Block quantize(const float (&x)[kBlock], float global_scale,
                                 sv_nvfp4_scaling scaling) {
    float largest = 0;
    for (int i = 0; i < kBlock; ++i) largest = fmaxf(largest, fabsf(x[i]));
    Block six = with_scale(x, scale_code(largest / (6.0f * global_scale)), global_scale);
    if (scaling == SV_NVFP4_SIX) return six;
    Block four = with_scale(x, scale_code(largest / (4.0f * global_scale)), global_scale);
    bool better = squared_error(x, four, global_scale) < squared_error(x, six, global_scale);
    return better ? four : six;
}

}  // namespace sv::nvfp4
