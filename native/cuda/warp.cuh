// Sums and maxima over the lanes of a warp, in an order that does not depend on the data. All lanes
// get the result.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace sv::cuda {

constexpr int kLaneBits = 5;
constexpr int kLanes = 1 << kLaneBits;
constexpr uint32_t kAllLanes = 0xffffffffu;

__device__ __forceinline__ float sum_over_warp(float value) {
    for (int distance = kLanes / 2; distance > 0; distance /= 2) {
        value += __shfl_xor_sync(kAllLanes, value, distance);
    }
    return value;
}

__device__ __forceinline__ float max_over_warp(float value) {
    for (int distance = kLanes / 2; distance > 0; distance /= 2) {
        value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, distance));
    }
    return value;
}

}  // namespace sv::cuda
