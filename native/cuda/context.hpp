// A CUDA device with its stream and memory.
#pragma once

#include <cuda_runtime.h>

#include <string>

#include "common/context.hpp"
#include "cuda/ops.hpp"

namespace sv::cuda {

// Throws Error (SV_OUT_OF_MEMORY or SV_DEVICE_ERROR) with what failed and CUDA's words for it.
void check(cudaError_t error, const char* what);

// A device's memory in the order of a stream: what is freed can be had again by what is queued
// later, and the driver is asked only when the pool grows.
class DeviceMemory final : public MemorySource {
public:
    // Blocks are taken and given back in the order of this stream.
    void open(int device, cudaStream_t stream);
    // Nothing may be in use.
    void close() noexcept;
    void* take(int64_t bytes) override;
    void give_back(void* block) noexcept override;
    // Gives what nobody uses back to the driver.
    void trim();

    bool frozen = false;  // takes fail: work is being recorded

private:
    int device_ = 0;
    cudaStream_t stream_ = nullptr;
    cudaMemPool_t pool_ = nullptr;
};

// Pinned memory of the host through which data goes to the device: two blocks in turn, so that one
// can be filled while the other is copied.
class Staging {
public:
    static constexpr int64_t kBytes = 32 << 20;  // of a block

    void close() noexcept;
    // A block to fill, once its last copy is done. Valid until the call after the next.
    void* next();
    // Notes that copies from the block of the last call were queued.
    void copied(cudaStream_t stream);

private:
    void* blocks_[2] = {};
    cudaEvent_t done_[2] = {};
    int turn_ = 1;
};

// In front of sv_context, whose blocks go back to one of them when it ends.
struct MemorySources {
    DeviceMemory device_memory;
    NoMemory no_memory;
};

struct Context final : MemorySources, sv_context {
    int device = 0;
    cudaStream_t stream = nullptr;  // null in a dry context
    int multiprocessors = 0;
    Staging staging;
    bool nvfp4_probed = false;
    std::string nvfp4_refusal;  // why products of NVFP4 operands are refused; empty: they are not

    // Throws Error(SV_UNSUPPORTED) when the machine has no such device or this build no code for
    // it.
    explicit Context(int device);
    // Computes nothing, as on a device with so many multiprocessors.
    static Context* create_dry(int multiprocessors);
    ~Context() override;
    void synchronize() override;
    void upload(void* device, const void* host, int64_t bytes) override;
    void download(void* host, const void* device, int64_t bytes) override;
    void copy(void* out, const void* in, int64_t bytes) override;
    void clear(void* out, int64_t bytes) override;
    void trim() override;
    void begin_recording() override;
    std::unique_ptr<sv_recording> end_recording() override;
    void* cuda_stream() override { return stream; }
    void begin_range(const char* name) override;
    void end_range() override;

    // Queues a copy from a block of `staging`.
    void upload_staged(void* device, const void* block, int64_t bytes);

private:
    Context() : sv_context(cuda::backend(), no_memory, true) {}
    void queue_upload(void* device, const void* host, int64_t bytes);
    // Recorded work may not use memory of the host, which is another one when it is repeated.
    void require_not_recording(const char* what) const;

    bool recording_ = false;
};

// The context that an op of this backend runs on, made current on this thread.
Context& enter(sv_context& context);

}  // namespace sv::cuda
