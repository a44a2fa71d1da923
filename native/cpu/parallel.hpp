// OpenMP loops that respect a context's thread count.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

#include "common/context.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

// Calls body(first, last) on pieces of [0, count), one a thread at most, none smaller than `grain`
// unless it is the only one. body must not throw. The split depends on count, grain and the thread
// count alone.
template <typename Body>
void parallel_ranges(const sv_context& context, int64_t count, int64_t grain, const Body& body) {
    int64_t pieces = std::clamp<int64_t>(count / std::max<int64_t>(grain, 1), 1, context.threads);
    if (pieces == 1) {
        body(int64_t{0}, count);
        return;
    }
#pragma omp parallel for num_threads(static_cast<int>(pieces)) schedule(static, 1)
    for (int64_t piece = 0; piece < pieces; ++piece) {
        // A copy of its captures, which no store of the loop can alias: else many loops do not
        // vectorise.
        Body own = body;
        own(count * piece / pieces, count * (piece + 1) / pieces);
    }
}

// Calls body(task, thread) for each task of [0, count), in no fixed order; thread is in [0,
// context.threads) and names scratch that no other call uses at that time. body must not throw.
// Once the context is cancelled the remaining tasks are left out and Error(SV_CANCELLED) is thrown.
template <typename Body>
void parallel_tasks(const sv_context& context, int64_t count, const Body& body) {
    int threads = static_cast<int>(std::min<int64_t>(count, context.threads));
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int64_t task = 0; task < count; ++task) {
        if (!context.cancelled.load(std::memory_order_relaxed)) body(task, omp_get_thread_num());
    }
    context.stop_if_cancelled();
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
