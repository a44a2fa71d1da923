// What NVFP4 codes and scales stand for (sanavideo/nvfp4.h), eight codes at a time and in few
// instructions: for kernels that multiply them as bf16, which holds every code, every scale and
// each product of the two exactly.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace sv::cuda {

// Eight codes, the first in the lowest four bits, as pairs of bf16, the first in the lower half.
// The two bytes of a magnitude come from tables: 0, 0.5, 1, 1.5, 2, 3, 4, 6 are 0000, 3f00, 3f80,
// 3fc0, 4000, 4040, 4080, 40c0.
__device__ __forceinline__ void nvfp4_codes(uint32_t codes, uint32_t (&pairs)[4]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        uint32_t four = codes >> 16 * half, magnitudes = four & 0x7777u;
        uint32_t low = __byte_perm(0xc0800000u, 0xc0804000u, magnitudes);
        uint32_t high = __byte_perm(0x3f3f3f00u, 0x40404040u, magnitudes);
        // With its sign a code selects a byte of 80 or, that byte's own sign repeated, of ff.
        uint32_t signs = __byte_perm(0x80808080u, 0x80808080u, four & 0xffffu) << 1;
        high |= signs & 0x80808080u;
        pairs[2 * half] = __byte_perm(low, high, 0x5140u);
        pairs[2 * half + 1] = __byte_perm(low, high, 0x7362u);
    }
}

// A scale's byte. Its bits are those of a float whose exponent is 120 too small, also below the
// smallest normal number.
__device__ __forceinline__ float nvfp4_scale(uint32_t byte) {
    constexpr float kTwoTo120 = 1.329227995784916e36f;
    return byte == 0x7fu ? __uint_as_float(0x7fffffffu) : __uint_as_float(byte << 20) * kTwoTo120;
}

// The same twice, as bf16.
__device__ __forceinline__ uint32_t nvfp4_scale_bf16x2(uint32_t byte) {
    return __byte_perm(__float_as_uint(nvfp4_scale(byte)), 0u, 0x3232u);
}

}  // namespace sv::cuda
