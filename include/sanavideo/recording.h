/**
 * Work that is queued once and repeated: a CUDA graph. A repetition costs one launch, however many
 * kernels it holds.
 */
#ifndef SANAVIDEO_RECORDING_H
#define SANAVIDEO_RECORDING_H

#include "sanavideo/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Recorded ops, with the addresses of the tensors and weights that they were called with. */
typedef struct sv_recording sv_recording;

/**
 * Ops from here on are recorded and not run. Only ops that need no memory of the host may follow:
 * uploads, downloads, and the ops that take host arrays fail with SV_DEVICE_ERROR, and so does an
 * op that needs more scratch memory than earlier calls have left: run what is to be recorded once
 * before. Fails with SV_UNSUPPORTED on the CPU.
 */
SV_API sv_status sv_recording_begin(sv_context* context);

/**
 * Ends the recording. When an op failed in between, this fails too, and the context runs ops again.
 */
SV_API sv_status sv_recording_end(sv_context* context, sv_recording** out);

/**
 * Queues what was recorded. The tensors and weights of its ops must still be there. The cancel flag
 * is looked at once, before.
 */
SV_API sv_status sv_recording_play(sv_context* context, sv_recording* recording);

/** Frees a recording. Null is allowed. The context keeps all scratch memory until then. */
SV_API sv_status sv_recording_destroy(sv_context* context, sv_recording* recording);

#ifdef __cplusplus
}
#endif
#endif
