// A CUDA device with its stream and memory.
#pragma once

#include <cuda_runtime.h>

#include "common/context.hpp"

namespace sv::cuda {

// Throws Error (SV_OUT_OF_MEMORY or SV_DEVICE_ERROR) with what failed and CUDA's words for it.
void check(cudaError_t error, const char* what);

struct DeviceMemory : MemorySource {
    int device = 0;
    void* take(int64_t bytes) override;
    void give_back(void* block) noexcept override;
};

struct Context final : DeviceMemory, sv_context {
    cudaStream_t stream = nullptr;
    int multiprocessors = 0;

    // Throws Error(SV_UNSUPPORTED) when the machine has no such device.
    explicit Context(int device);
    ~Context() override;
    void synchronize() override;
    void upload(void* device, const void* host, int64_t bytes) override;
    void download(void* host, const void* device, int64_t bytes) override;
    void copy(void* out, const void* in, int64_t bytes) override;
};

// The context that an op of this backend runs on, made current on this thread.
Context& enter(sv_context& context);

}  // namespace sv::cuda
