/**
 * Named stretches of time in the timeline of a profiler: NVTX ranges, docs/profiling.md. On a card
 * each op is one, under its name without "sv_", when the environment had SANA_NVTX=1 when the
 * context was created; these functions put others around them.
 */
#ifndef SANAVIDEO_RANGE_H
#define SANAVIDEO_RANGE_H

#include "sanavideo/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Begins a range, inside those of this thread that have not ended. Does nothing on the CPU and
 * without SANA_NVTX=1. While ops are recorded it marks the recording, not what is played.
 */
SV_API sv_status sv_range_begin(sv_context* context, const char* name);

/** Ends the range that this thread began last; where there is none it does nothing. */
SV_API sv_status sv_range_end(sv_context* context);

#ifdef __cplusplus
}
#endif
#endif
