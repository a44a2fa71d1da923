// What an op needs to know: its backend, its memory, and whether to stop. Each kind of device
// derives its own.
#pragma once

#include <atomic>
#include <memory>

#include "common/backend.hpp"
#include "common/faults.hpp"
#include "common/memory.hpp"
#include "common/status.hpp"

// Ops that can be repeated; see sanavideo/recording.h.
struct __attribute__((visibility("default"))) sv_recording {
    virtual ~sv_recording() = default;
    virtual void play() = 0;
};

struct __attribute__((visibility("default"))) sv_context {
    const sv::Backend& backend;
    const bool dry;  // counts memory and computes nothing
    sv::Faults faults;
    sv::Memory memory;
    int threads = 0;  // that ops use on the host; 0 where a device schedules its own
    std::atomic<bool> cancelled{false};
    bool ranges = false;  // begin_range and end_range are to be called

    sv_context(const sv::Backend& backend, sv::MemorySource& source, bool dry = false)
        : backend(backend), dry(dry), memory(source, faults) {}
    virtual ~sv_context() = default;

    virtual void synchronize() = 0;
    virtual void upload(void* device, const void* host, int64_t bytes) = 0;
    virtual void download(void* host, const void* device, int64_t bytes) = 0;
    virtual void copy(void* out, const void* in, int64_t bytes) = 0;
    virtual void clear(void* out, int64_t bytes) = 0;
    // Frees what is kept for later ops.
    virtual void trim() { memory.trim(); }
    virtual void begin_recording() {
        sv::fail(SV_UNSUPPORTED, "the CPU records no work: call the ops again");
    }
    virtual std::unique_ptr<sv_recording> end_recording() {
        sv::fail(SV_UNSUPPORTED, "the CPU records no work: call the ops again");
    }

    // See sv_cuda_stream.
    virtual void* cuda_stream() { sv::fail(SV_UNSUPPORTED, "the CPU has no CUDA stream"); }

    // A stretch of time that a profiler shows; see sanavideo/range.h.
    virtual void begin_range(const char*) {}
    virtual void end_range() {}

    // Long ops call this between pieces of their work, outside parallel regions.
    void stop_if_cancelled() const {
        if (cancelled.load(std::memory_order_relaxed)) sv::fail(SV_CANCELLED, "cancelled");
    }
};

namespace sv {

// The range of what runs while this lives, however it ends.
class Range {
public:
    Range(sv_context& context, const char* name) : context_(context.ranges ? &context : nullptr) {
        if (context_ != nullptr) context_->begin_range(name);
    }
    ~Range() {
        if (context_ != nullptr) context_->end_range();
    }
    Range(const Range&) = delete;
    Range& operator=(const Range&) = delete;

private:
    sv_context* context_;
};

// Checks the context and runs an op's body on it; no exception leaves it. The name is that of the
// function that calls this, sv_ and the op's.
template <typename Body>
sv_status run_op(sv_context* context, Body&& body,
                 const char* name = __builtin_FUNCTION()) noexcept {
    return guarded([&] {
        if (context == nullptr) fail(SV_INVALID_ARGUMENT, "context is null");
        Range range(*context, name + 3);
        context->stop_if_cancelled();
        context->faults.pass(SV_FAULT_OP, "an op");
        body(*context);
    });
}

}  // namespace sv
