/** Faults on demand. For tests: nothing else calls this. */
#ifndef SANAVIDEO_TESTING_H
#define SANAVIDEO_TESTING_H

#include "sanavideo/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What can be made to fail. */
typedef enum sv_fault {
    SV_FAULT_NONE = 0,
    /** Memory that a device or the heap is asked for. Fails with SV_OUT_OF_MEMORY. */
    SV_FAULT_ALLOCATION = 1,
    /** A call of an op. Fails with SV_DEVICE_ERROR, as all below. */
    SV_FAULT_OP = 2,
    /** The start of a kernel, or of a recording; there are none on the CPU. */
    SV_FAULT_LAUNCH = 3,
    /** A copy to, from or inside the device's memory. */
    SV_FAULT_COPY = 4
} sv_fault;

/** Makes the n-th such event on the context from now on fail, once; n is 1 or more. */
SV_API sv_status sv_fail_next(sv_context* context, sv_fault fault, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
