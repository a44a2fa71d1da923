// The product of NVFP4 fragments (ptx.cuh) on cards that have no instruction for it: four products
// of bf16. They give the same but for the order of the sums: codes times scales are exact in bf16,
// and what a lane holds along k are the same k of both operands, whichever these are.
//
// Some 130 instructions for the four, three quarters of which expand rows that the next product
// expands again: it is there for the same results on every card, not to be fast. It is not inlined
// because nothing hides in it, and kept rows would take the registers of sums. Tests run it against
// the emulator's own model of the instruction.
#pragma once

#include "cuda/nvfp4_codes.cuh"
#include "cuda/ptx.cuh"

namespace sv::cuda {

// Eight codes times the scale in byte `byte` of `scales`, as pairs of bf16.
__device__ __forceinline__ void nvfp4_scaled(uint32_t codes, uint32_t scales, int byte,
                                             uint32_t (&pairs)[4]) {
    uint32_t scale = nvfp4_scale_bf16x2(scales >> 8 * byte & 0xffu);
    nvfp4_codes(codes, pairs);
    for (int i = 0; i < 4; ++i) pairs[i] = multiply_bf16x2(pairs[i], scale);
}

// Four registers by value: a function that is not inlined gets them in registers.
template <typename T>
struct alignas(16) Nvfp4Four {
    T at[4];
};

__device__ __noinline__ inline Nvfp4Four<float> nvfp4_product(Nvfp4Four<float> sums,
                                                              Nvfp4Four<uint32_t> a, uint32_t b0,
                                                              uint32_t b1, uint32_t scales_a,
                                                              int lane_a, uint32_t scales_b,
                                                              int lane_b) {
    constexpr uint32_t kAll = 0xffffffffu;
    int lane = static_cast<int>(threadIdx.x % 32), first = lane / 4 * 4, byte = lane % 4 / 2;
    uint32_t upper_scales = __shfl_sync(kAll, scales_a, first + 2 * lane_a);
    uint32_t lower_scales = __shfl_sync(kAll, scales_a, first + 2 * lane_a + 1);
    uint32_t column_scales = __shfl_sync(kAll, scales_b, first + lane_b);
#pragma unroll
    for (int half = 0; half < 2; ++half) {  // of k
        uint32_t upper[4], lower[4], column[4];
        nvfp4_scaled(a.at[2 * half], upper_scales, 2 * half + byte, upper);
        nvfp4_scaled(a.at[2 * half + 1], lower_scales, 2 * half + byte, lower);
        nvfp4_scaled(half == 0 ? b0 : b1, column_scales, 2 * half + byte, column);
#pragma unroll
        for (int pair = 0; pair < 4; pair += 2) {
            const uint32_t rows[4] = {upper[pair], lower[pair], upper[pair + 1], lower[pair + 1]};
            const uint32_t columns[2] = {column[pair], column[pair + 1]};
            mma_bf16_m16n8k16(sums.at, rows, columns);
        }
    }
    return sums;
}

__device__ __forceinline__ void mma_nvfp4_by_bf16(float (&d)[4], const uint32_t (&a)[4],
                                                  const uint32_t (&b)[2], uint32_t scales_a,
                                                  int lane_a, uint32_t scales_b, int lane_b) {
    Nvfp4Four<float> sums = nvfp4_product({{d[0], d[1], d[2], d[3]}}, {{a[0], a[1], a[2], a[3]}},
                                          b[0], b[1], scales_a, lane_a, scales_b, lane_b);
    for (int i = 0; i < 4; ++i) d[i] = sums.at[i];
}

}  // namespace sv::cuda
