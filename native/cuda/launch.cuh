// How kernels are started and how they share out a block's shared memory. Kernels use no <<< >>>
// and no __shared__ arrays: both go through here, so that a host model can take their place.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/context.hpp"
#include "cuda/layout.hpp"

namespace sv::cuda {

// A thread's view of the one dynamic block of shared memory: arrays are carved from it in order.
// Every thread makes the same calls and gets the same addresses; the launch asks for the sum of
// shared_size of them.
class SharedMemory {
public:
    __device__ SharedMemory() {
        extern __shared__ __align__(128) unsigned char sv_shared[];
        next_ = sv_shared;
    }
    // An array of `count` elements, aligned to kSharedAlignment, its content undefined.
    template <typename T>
    __device__ T* shared(int count) {
        auto* array = reinterpret_cast<T*>(next_);
        next_ += shared_size<T>(count);
        return array;
    }

private:
    unsigned char* next_;
};

// Queues a kernel on the context's stream. Throws Error(SV_DEVICE_ERROR) when it cannot be started.
template <typename... Parameters, typename... Arguments>
void launch(Context& context, void (*kernel)(Parameters...), dim3 grid, dim3 block,
            int64_t shared_bytes, Arguments... arguments) {
    static_assert(sizeof...(Parameters) == sizeof...(Arguments));
    constexpr int64_t kDefaultShared = 48 * 1024;  // what a block gets without asking
    context.faults.pass(SV_FAULT_LAUNCH, "the launch of a kernel");
    if (context.dry) return;
    auto* function = reinterpret_cast<const void*>(kernel);
    if (shared_bytes > kDefaultShared) {
        check(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                   static_cast<int>(shared_bytes)),
              "shared memory for a kernel");
    }
    auto start = [&](Parameters... values) {
        void* addresses[] = {const_cast<void*>(static_cast<const void*>(&values))...};
        check(cudaLaunchKernel(function, grid, block, addresses, shared_bytes, context.stream),
              "the launch of a kernel");
    };
    start(arguments...);
}

}  // namespace sv::cuda
