// Counting blocks and bytes, on the host and in kernels.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "common/status.hpp"

namespace sv::cuda {

// Parts of size `part` that cover `whole`.
__host__ __device__ constexpr int64_t divide_up(int64_t whole, int64_t part) {
    return (whole + part - 1) / part;
}

__host__ __device__ constexpr int64_t round_up(int64_t value, int64_t step) {
    return divide_up(value, step) * step;
}

// A number that kernels count in an int, with room for a step past the end. Throws
// Error(SV_UNSUPPORTED) when it is larger.
inline int count_of(int64_t count, const char* what) {
    constexpr int64_t kMost = 1 << 30;
    if (count > kMost) {
        fail(SV_UNSUPPORTED, "%ld %s are more than the %ld that a CUDA device counts to",
             long(count), what, long(kMost));
    }
    return static_cast<int>(count);
}

// Whether an address can be read in words of `bytes`, a power of two.
inline bool aligned(const void* address, int64_t bytes) {
    return reinterpret_cast<uintptr_t>(address) % static_cast<uintptr_t>(bytes) == 0;
}

constexpr int kSharedAlignment = 128;  // bytes

// Bytes that `count` elements take in a block's shared memory.
template <typename T>
__host__ __device__ constexpr int64_t shared_size(int64_t count) {
    return round_up(count * static_cast<int64_t>(sizeof(T)), kSharedAlignment);
}

}  // namespace sv::cuda
