// What an op needs to know: its backend, its memory, and whether to stop. Each kind of device
// derives its own.
#pragma once

#include <atomic>

#include "common/backend.hpp"
#include "common/memory.hpp"
#include "common/status.hpp"

struct __attribute__((visibility("default"))) sv_context {
    const sv::Backend& backend;
    sv::Memory memory;
    int threads = 0;  // that ops use on the host; 0 where a device schedules its own
    std::atomic<bool> cancelled{false};

    sv_context(const sv::Backend& backend, sv::MemorySource& source)
        : backend(backend), memory(source) {}
    virtual ~sv_context() = default;

    virtual void synchronize() = 0;
    virtual void upload(void* device, const void* host, int64_t bytes) = 0;
    virtual void download(void* host, const void* device, int64_t bytes) = 0;
    virtual void copy(void* out, const void* in, int64_t bytes) = 0;

    // Long ops call this between pieces of their work, outside parallel regions.
    void stop_if_cancelled() const {
        if (cancelled.load(std::memory_order_relaxed)) sv::fail(SV_CANCELLED, "cancelled");
    }
};

namespace sv {

// Checks the context and runs an op's body on it; no exception leaves it.
template <typename Body>
sv_status run_op(sv_context* context, Body&& body) noexcept {
    return guarded([&] {
        if (context == nullptr) fail(SV_INVALID_ARGUMENT, "context is null");
        context->stop_if_cancelled();
        body(*context);
    });
}

}  // namespace sv
