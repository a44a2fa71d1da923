// What the dense products do to a row of sums before it is stored.
#pragma once

#include "cpu/dense.hpp"
#include "cpu/number.hpp"
#include "cpu/nvfp4.hpp"
#include "cpu/vector_math.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

// One row of sums through the epilogue. `columns` is a constant where the compiler can make it one.
template <typename T>
__attribute__((always_inline)) inline void finish_row(const Epilogue& epilogue, int64_t r,
                                                      int64_t out_row, int64_t out_columns,
                                                      int64_t first, int64_t columns, float* sums) {
    int64_t at = out_row * out_columns + first;
    if (epilogue.bias != nullptr) {
        const float* bias = epilogue.bias + first;
        for (int64_t n = 0; n < columns; ++n) sums[n] += bias[n];
    }
    if (epilogue.activation == SV_SILU) {
#pragma omp simd
        for (int64_t n = 0; n < columns; ++n) sums[n] = silu(sums[n]);
    } else if (epilogue.activation == SV_GELU_TANH) {
#pragma omp simd
        for (int64_t n = 0; n < columns; ++n) sums[n] = gelu_tanh(sums[n]);
    }
    if (epilogue.identity != nullptr) {
        const T* identity = static_cast<const T*>(epilogue.identity) + at;
        for (int64_t n = 0; n < columns; ++n) sums[n] += widen(identity[n]);
    }
    if (epilogue.gate != nullptr) {
        int64_t group = (epilogue.first_group_row + r) / epilogue.rows_per_group;
        const float* gate = epilogue.gate + group * epilogue.gate_stride + first;
        for (int64_t n = 0; n < columns; ++n) sums[n] *= gate[n];
    }
    if (epilogue.residual != nullptr) {
        const T* residual = static_cast<const T*>(epilogue.residual) + at;
        for (int64_t n = 0; n < columns; ++n) sums[n] += widen(residual[n]);
    }
    if (epilogue.quantized != nullptr) {
        quantize_columns(*epilogue.quantized, epilogue.first_group_row + r, first, columns, sums);
    }
    T* out = static_cast<T*>(epilogue.out) + at;
    for (int64_t n = 0; n < columns; ++n) out[n] = narrow<T>(sums[n]);
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
