// f32 and bf16 elements of the CUDA kernels, and vectors of them. The only bf16 type on the device:
// its bits are plain integers, so that a host compiler can read the same source.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cuda/ptx.cuh"
#include "sanavideo/core.h"

namespace sv::cuda {

struct bf16 {
    uint16_t bits;
};

__device__ __forceinline__ float widen(float value) { return value; }

__device__ __forceinline__ float widen(bf16 value) {
    return __uint_as_float(uint32_t{value.bits} << 16);
}

// Rounds to nearest even.
template <typename T>
__device__ __forceinline__ T narrow(float value);

template <>
__device__ __forceinline__ float narrow<float>(float value) {
    return value;
}

template <>
__device__ __forceinline__ bf16 narrow<bf16>(float value) {
    return {static_cast<uint16_t>(pack_bf16x2(value, 0.0f))};
}

// The halves of a register that holds two bf16, as pack_bf16x2 makes it.
__device__ __forceinline__ float low_half(uint32_t pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float high_half(uint32_t pair) {
    return __uint_as_float(pair & 0xffff0000u);
}

// Count elements that are loaded and stored as one word of up to 16 bytes.
template <typename T, int Count>
struct alignas(sizeof(T) * Count) Vector {
    T at[Count];
};

// Elements in 16 bytes.
template <typename T>
constexpr int kWide = 16 / static_cast<int>(sizeof(T));

template <typename T, int Count>
__device__ __forceinline__ Vector<T, Count> load(const T* from) {
    return *reinterpret_cast<const Vector<T, Count>*>(from);
}

// Count elements as the registers hold them: 32 bits at a time, or the 16 of a single bf16. What is
// loaded on a condition or kept for later is best left so; the compiler takes a Vector of bf16
// apart.
template <typename T, int Count>
using Words = std::conditional_t<Count * sizeof(T) % 4 == 0,
                                 Vector<uint32_t, Count * sizeof(T) / 4>, Vector<uint16_t, Count>>;

// Zeros unless `there`.
template <typename T, int Count>
__device__ __forceinline__ Words<T, Count> load_words(const T* from, bool there) {
    Words<T, Count> words{};
    if (there) words = *reinterpret_cast<const Words<T, Count>*>(from);
    return words;
}

template <typename T, int Count>
__device__ __forceinline__ void widen(const Words<T, Count>& words, float (&to)[Count]) {
#pragma unroll
    for (int i = 0; i < Count; ++i) {
        if constexpr (sizeof(T) == 4) {
            to[i] = __uint_as_float(words.at[i]);
        } else if constexpr (sizeof words.at[0] == 4) {
            to[i] = i % 2 == 0 ? low_half(words.at[i / 2]) : high_half(words.at[i / 2]);
        } else {
            to[i] = widen(bf16{words.at[i]});
        }
    }
}

template <typename T, int Count>
__device__ __forceinline__ void widen(const Vector<T, Count>& value, float (&to)[Count]) {
    Words<T, Count> words;
    memcpy(&words, &value, sizeof words);
    widen<T, Count>(words, to);
}

template <typename T, int Count>
__device__ __forceinline__ void store(T* to, const Vector<T, Count>& value) {
    *reinterpret_cast<Vector<T, Count>*>(to) = value;
}

template <typename T, int Count>
__device__ __forceinline__ Vector<T, Count> narrow(const float (&value)[Count]) {
    Vector<T, Count> result;
    if constexpr (sizeof(T) == 2 && Count % 2 == 0) {
        Words<T, Count> pairs;
#pragma unroll
        for (int i = 0; i < Count; i += 2) pairs.at[i / 2] = pack_bf16x2(value[i], value[i + 1]);
        memcpy(&result, &pairs, sizeof pairs);
    } else {
#pragma unroll
        for (int i = 0; i < Count; ++i) result.at[i] = narrow<T>(value[i]);
    }
    return result;
}

// Calls body with a null pointer of the dtype's element type: f32 or bf16 (checked before).
template <typename Body>
void with_float_type(sv_dtype dtype, const Body& body) {
    if (dtype == SV_F32) {
        body(static_cast<float*>(nullptr));
    } else {
        body(static_cast<bf16*>(nullptr));
    }
}

}  // namespace sv::cuda
