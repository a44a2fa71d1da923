// What an op needs to know: its backend, its threads, its memory, and whether to stop.
#pragma once

#include <atomic>

#include "common/backend.hpp"
#include "common/memory.hpp"
#include "common/status.hpp"

struct sv_context {
    const sv::Backend* backend;
    int threads;
    std::atomic<bool> cancelled{false};
    sv::Memory memory;

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
