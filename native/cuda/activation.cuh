// The activations of sanavideo/linear.h.
#pragma once

#include <cuda_runtime.h>

#include "cuda/ptx.cuh"
#include "sanavideo/linear.h"

namespace sv::cuda {

// x / (1 + exp(-exponent)).
__device__ __forceinline__ float times_sigmoid(float x, float exponent) {
    constexpr float kLog2E = 1.4426950408889634f;
    return __fdividef(x, 1.0f + exp2_approximate(-kLog2E * exponent));
}

__device__ __forceinline__ float silu(float x) { return times_sigmoid(x, x); }

// 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u)), which has no difference of near numbers.
__device__ __forceinline__ float gelu_tanh(float x) {
    float u = 0.7978845608028654f * (x + 0.044715f * x * x * x);  // sqrt(2 / pi)
    return times_sigmoid(x, 2.0f * u);
}

__device__ __forceinline__ float activate(sv_activation activation, float x) {
    return activation == SV_SILU ? silu(x) : activation == SV_GELU_TANH ? gelu_tanh(x) : x;
}

}  // namespace sv::cuda
