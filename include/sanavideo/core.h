/**
 * Contexts, tensors and errors: what every other header of this ABI builds on. Plain C11.
 *
 * Every function returns an sv_status. On failure sv_last_error() says which argument is wrong,
 * what it was and what was expected. Arguments are checked before work is queued; nothing below
 * this line aborts, throws across it, prints or exits.
 */
#ifndef SANAVIDEO_CORE_H
#define SANAVIDEO_CORE_H

#include <stddef.h>
#include <stdint.h>

#if defined(SV_BUILD)
#define SV_API __attribute__((visibility("default")))
#else
#define SV_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sv_status {
    SV_OK = 0,
    SV_INVALID_ARGUMENT = 1,
    SV_OUT_OF_MEMORY = 2,
    SV_CANCELLED = 3,
    SV_DEVICE_ERROR = 4,
    SV_NOT_FINITE = 5,
    SV_UNSUPPORTED = 6
} sv_status;

typedef enum sv_dtype {
    SV_F32 = 0,
    SV_BF16 = 1,
    SV_F16 = 2,
    SV_I32 = 3,
    SV_U8 = 4,
    SV_I64 = 5,
    SV_F64 = 6
} sv_dtype;

#define SV_MAX_RANK 6

/**
 * A contiguous, row-major, channels-last array: [batch, frames, height, width, channels]. A view is
 * another sv_tensor on the same memory. Tensors never own their memory.
 */
typedef struct sv_tensor {
    void* data;
    sv_dtype dtype;
    int32_t rank;
    int64_t shape[SV_MAX_RANK];
} sv_tensor;

/** One device, one stream, one memory pool, and the backend that runs every op on it. */
typedef struct sv_context sv_context;

/** Text about the last failed call on this thread; never null, valid until the next failed call. */
SV_API const char* sv_last_error(void);

/** Version of the library, for example "0.1.0". */
SV_API const char* sv_version(void);

/** The compiler and OpenMP version the library was built with, "GCC 12.2.0, OpenMP 201511". */
SV_API const char* sv_build(void);

/**
 * Instruction set of the CPU kernels in use: "v2", "v3", "v4" or "v4-bf16"; the best that the
 * processor has, or what the environment variable SANA_ISA names (an unknown or unavailable name
 * fails sv_context_create).
 */
SV_API const char* sv_cpu_variant(void);

/** 1 when bf16 products run on bf16 instructions of this CPU, else 0. */
SV_API int sv_cpu_has_bf16(void);

/** Creates a context on the CPU. threads: 1 to 1024, or 0 for one a core this process may use. */
SV_API sv_status sv_context_create(int threads, sv_context** out);

/**
 * Creates a context on the CPU that computes nothing, to learn what memory work would take.
 * Allocations are counted but not made, so that any size fits; ops check their arguments and leave
 * their outputs undefined; downloads give zeros. Of the scratch memory of ops only that of
 * sv_convolution is counted.
 */
SV_API sv_status sv_context_create_dry(int threads, sv_context** out);

/** Frees a context. Null is allowed. Memory and weights made on it must have been freed before. */
SV_API void sv_context_destroy(sv_context* context);

/** Number of threads that ops on this context use on the host; 0 on a GPU. */
SV_API sv_status sv_context_threads(sv_context* context, int* out);

/** Waits until all queued work is done. */
SV_API sv_status sv_synchronize(sv_context* context);

/**
 * Sets (1) or clears (0) the cancel flag; may be called from any thread. While it is set every op
 * returns SV_CANCELLED, and long ops look at it inside.
 */
SV_API sv_status sv_cancel(sv_context* context, int cancelled);

/** Allocates bytes (at least 1), aligned to 64, uninitialised; accounted to the context's pool. */
SV_API sv_status sv_allocate(sv_context* context, int64_t bytes, void** out);

/** Frees what sv_allocate returned. Null is allowed. */
SV_API sv_status sv_free(sv_context* context, void* memory);

/**
 * A block of at least that many bytes from the scratch memory that ops keep for each other, for
 * what works between them and may be recorded. Its content is undefined.
 */
SV_API sv_status sv_take_scratch(sv_context* context, int64_t bytes, void** out);

/** Gives back what sv_take_scratch returned, once all that uses it is queued. */
SV_API sv_status sv_give_scratch(sv_context* context, void* memory);

/** Bytes allocated now and at most so far, by sv_allocate, weights and scratch of this context. */
SV_API sv_status sv_memory(sv_context* context, int64_t* current, int64_t* peak);

/** Makes the most bytes so far those that are allocated now. */
SV_API sv_status sv_reset_peak(sv_context* context);

/** Frees the scratch memory that ops keep for each other. */
SV_API sv_status sv_trim(sv_context* context);

/** Copies bytes from host memory to device memory. */
SV_API sv_status sv_upload(sv_context* context, void* device, const void* host, int64_t bytes);

/** Copies bytes from device memory to host memory and waits. */
SV_API sv_status sv_download(sv_context* context, void* host, const void* device, int64_t bytes);

/** Sets bytes of the device's memory to 0. */
SV_API sv_status sv_clear(sv_context* context, void* out, int64_t bytes);

/** Copies bytes inside the device's memory; ranges must not overlap. */
SV_API sv_status sv_copy(sv_context* context, void* out, const void* in, int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
