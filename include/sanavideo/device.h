/** The CUDA devices of this machine. */
#ifndef SANAVIDEO_DEVICE_H
#define SANAVIDEO_DEVICE_H

#include "sanavideo/core.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a device is. */
typedef struct sv_cuda_device {
    /** As the driver calls it, ending in 0. */
    char name[256];
    /** Compute capability, 10 times the first number plus the second: 90 is 9.0. */
    int32_t capability;
    int32_t multiprocessors;
    /** The newest CUDA that the driver knows, 1000 times the first number plus 10 times the second.
     */
    int32_t driver;
    /** 1 when this build has code for the device, else 0. */
    int32_t supported;
    /** Bytes of memory, and how many of them nobody uses now. */
    int64_t memory;
    int64_t free_memory;
} sv_cuda_device;

/**
 * Number of CUDA devices, at least 1. Fails with SV_UNSUPPORTED and one sentence when there is none
 * that could be used: a build without CUDA kernels, no driver, a driver that is too old, no device.
 */
SV_API sv_status sv_cuda_device_count(int* out);

/** Describes a device, 0 being the first. Fails as sv_cuda_device_count does. */
SV_API sv_status sv_cuda_device_describe(int device, sv_cuda_device* out);

/**
 * Creates a context on a CUDA device. Fails with SV_UNSUPPORTED as sv_cuda_device_count does, and
 * when this build has no code for the device.
 */
SV_API sv_status sv_context_create_cuda(int device, sv_context** out);

/**
 * Creates a context that computes nothing, as sv_context_create_dry does, but with the layouts and
 * the scratch memory of the kernels on a card with so many multiprocessors. Needs no card; fails
 * with SV_UNSUPPORTED in a build without CUDA kernels.
 */
SV_API sv_status sv_context_create_cuda_dry(int multiprocessors, sv_context** out);

/**
 * The CUDA stream (a cudaStream_t) that the context's ops are queued on, for libraries that work
 * between them. It is the context's and ends with it; null in a dry context. Fails with
 * SV_UNSUPPORTED on a context of the CPU.
 */
SV_API sv_status sv_cuda_stream(sv_context* context, void** out);

#ifdef __cplusplus
}
#endif
#endif
