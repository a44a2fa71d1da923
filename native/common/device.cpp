// The ABI of sanavideo/device.h.
#include "sanavideo/device.h"

#include "common/context.hpp"
#include "common/cuda_library.hpp"

namespace {

void require_out(const void* out) {
    if (out == nullptr) sv::fail(SV_INVALID_ARGUMENT, "out is null");
}

}  // namespace

extern "C" {

sv_status sv_cuda_device_count(int* out) {
    return sv::guarded([&] {
        require_out(out);
        *out = sv::cuda_library().device_count();
    });
}

sv_status sv_cuda_device_describe(int device, sv_cuda_device* out) {
    return sv::guarded([&] {
        require_out(out);
        *out = sv::cuda_library().describe(device);
    });
}

sv_status sv_context_create_cuda(int device, sv_context** out) {
    return sv::guarded([&] {
        require_out(out);
        *out = sv::cuda_library().create_context(device);
    });
}

sv_status sv_context_create_cuda_dry(int multiprocessors, sv_context** out) {
    return sv::guarded([&] {
        require_out(out);
        *out = sv::cuda_library().create_dry_context(multiprocessors);
    });
}

sv_status sv_cuda_stream(sv_context* context, void** out) {
    return sv::guarded([&] {
        if (context == nullptr) sv::fail(SV_INVALID_ARGUMENT, "context is null");
        require_out(out);
        *out = context->cuda_stream();
    });
}

}  // extern "C"
