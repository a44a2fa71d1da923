// The tile of sums of a dense product: the inner loop of cpu/dense.cpp and cpu/winograd.cpp.
//
// bf16 pairs are multiplied by vdpbf16ps where there is one; elsewhere both halves are widened and
// go through two fp32 multiply-adds.
#pragma once

#include <cstdint>
#include <cstring>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#include "cpu/lanes.hpp"
#include "cpu/number.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

constexpr int64_t kChunkBytes = 512 * 1024;  // of a panel, in half of an L2 cache
constexpr int64_t kPrefetchBytes = 2048;

// What one tap of a tile multiplies.
template <typename T>
struct TapRows {
    const T* weights;  // [depth / pair, panel width, pair]
    const T* rows[kTileRows];
};

inline Vector broadcast(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value - Vector{};
}

template <typename T>
constexpr int64_t kPair = sizeof(float) / sizeof(T);

// sums += a * b, per lane a float or a pair of bf16.
template <typename T>
inline void multiply_add(Vector& sums, uint32_t a, Vector b);

template <>
inline void multiply_add<float>(Vector& sums, uint32_t a, Vector b) {
    sums += broadcast(a) * b;
}

template <>
inline void multiply_add<bf16>(Vector& sums, uint32_t a, Vector b) {
#ifdef __AVX512BF16__
    sums = (Vector)_mm512_dpbf16_ps((__m512)sums, (__m512bh)_mm512_set1_epi32(a), (__m512bh)b);
#else
    sums += broadcast(a << 16) * (Vector)((Bits)b << 16);
    sums += broadcast(a & 0xffff0000u) * (Vector)((Bits)b & 0xffff0000u);
#endif
}

// One step of depth: `bytes` into every row.
template <typename T, int Vectors>
__attribute__((always_inline)) inline void step(Vector (&sums)[kTileRows][Vectors],
                                                const char* const (&rows)[kTileRows], int64_t bytes,
                                                const Vector* weights, int64_t row_bytes) {
    Vector columns[Vectors];
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) columns[j] = weights[j];
#pragma GCC unroll 6
    for (int i = 0; i < kTileRows; ++i) {
        uint32_t element = 0;
        std::memcpy(&element, rows[i] + bytes, row_bytes);
#pragma GCC unroll 4
        for (int j = 0; j < Vectors; ++j) multiply_add<T>(sums[i][j], element, columns[j]);
    }
}

// sums [kTileRows, kPanelColumns] (+)= the taps' rows times the taps' weights.
template <typename T, int Vectors>
void multiply_tile(const TapRows<T>* taps, int64_t tap_count, int64_t depth, bool accumulate,
                   float* sums) {
    Vector tile[kTileRows][Vectors];
#pragma GCC unroll 6
    for (int i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < Vectors; ++j) {
            tile[i][j] = accumulate ? reinterpret_cast<const Vector*>(sums + i * kPanelColumns)[j]
                                    : Vector{};
        }
    }
    for (const TapRows<T>* tap = taps; tap < taps + tap_count; ++tap) {
        const char* rows[kTileRows];
#pragma GCC unroll 6
        for (int i = 0; i < kTileRows; ++i) rows[i] = reinterpret_cast<const char*>(tap->rows[i]);
        auto* weights = reinterpret_cast<const Vector*>(tap->weights);
        int64_t end = depth / kPair<T> * 4;
        for (int64_t bytes = 0; bytes < end; bytes += 4) {
#pragma GCC unroll 4
            for (int j = 0; j < Vectors; ++j) {
                __builtin_prefetch(reinterpret_cast<const char*>(weights + j) + kPrefetchBytes);
            }
            step<T, Vectors>(tile, rows, bytes, weights, 4);
            weights += Vectors;
        }
        // The last element of an odd depth has no neighbour.
        if (kPair<T> == 2 && depth % 2 == 1) step<T, Vectors>(tile, rows, end, weights, 2);
    }
#pragma GCC unroll 6
    for (int i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < Vectors; ++j) {
            reinterpret_cast<Vector*>(sums + i * kPanelColumns)[j] = tile[i][j];
        }
    }
}

// Apart from its callers, whose own loops would take registers from it.
template <typename T>
__attribute__((noinline)) void multiply_tile(int64_t vectors, const TapRows<T>* taps,
                                             int64_t tap_count, int64_t depth, bool accumulate,
                                             float* sums) {
    switch (vectors) {
        case 1:
            return multiply_tile<T, 1>(taps, tap_count, depth, accumulate, sums);
        case 2:
            return multiply_tile<T, 2>(taps, tap_count, depth, accumulate, sums);
    }
    if constexpr (kPanelVectors == 4) {
        if (vectors == 3) return multiply_tile<T, 3>(taps, tap_count, depth, accumulate, sums);
        return multiply_tile<T, 4>(taps, tap_count, depth, accumulate, sums);
    }
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
