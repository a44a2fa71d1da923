#include "common/context.hpp"

#include "cpu/context.hpp"
#include "cpu/variant.hpp"
#include "sanavideo/range.h"
#include "sanavideo/recording.h"

namespace {

void require_pointer(const void* pointer, const char* name) {
    if (pointer == nullptr) sv::fail(SV_INVALID_ARGUMENT, "%s is null", name);
}

// Checks a copy's arguments and runs it when there is something to copy.
template <typename Copy>
sv_status copy_bytes(sv_context* context, void* out, const void* in, int64_t bytes, Copy copy) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        if (bytes < 0) {
            sv::fail(SV_INVALID_ARGUMENT, "bytes is %ld, expected at least 0", long(bytes));
        }
        if (bytes == 0) return;
        require_pointer(out, "the target");
        require_pointer(in, "the source");
        copy(*context);
    });
}

}  // namespace

extern "C" {

const char* sv_version(void) { return SV_VERSION; }

#define SV_TEXT_OF(value) #value
#define SV_TEXT(value) SV_TEXT_OF(value)

const char* sv_build(void) { return "GCC " __VERSION__ ", OpenMP " SV_TEXT(_OPENMP); }

const char* sv_cpu_variant(void) { return sv::cpu::variant_name(); }

int sv_cpu_has_bf16(void) { return sv::cpu::has_bf16_products() ? 1 : 0; }

sv_status sv_context_create(int threads, sv_context** out) {
    return sv::guarded([&] {
        require_pointer(out, "out");
        *out = sv::cpu::create_context(threads);
    });
}

sv_status sv_context_create_dry(int threads, sv_context** out) {
    return sv::guarded([&] {
        require_pointer(out, "out");
        *out = sv::cpu::create_dry_context(threads);
    });
}

void sv_context_destroy(sv_context* context) { delete context; }

sv_status sv_context_threads(sv_context* context, int* out) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        require_pointer(out, "out");
        *out = context->threads;
    });
}

sv_status sv_synchronize(sv_context* context) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        context->synchronize();
    });
}

sv_status sv_cancel(sv_context* context, int cancelled) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        context->cancelled.store(cancelled != 0);
    });
}

sv_status sv_allocate(sv_context* context, int64_t bytes, void** out) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        require_pointer(out, "out");
        *out = context->memory.allocate(bytes);
    });
}

sv_status sv_free(sv_context* context, void* memory) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        context->memory.release(memory);
    });
}

sv_status sv_take_scratch(sv_context* context, int64_t bytes, void** out) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        require_pointer(out, "out");
        *out = context->memory.take_scratch(bytes);
    });
}

sv_status sv_give_scratch(sv_context* context, void* memory) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        require_pointer(memory, "memory");
        context->memory.give_scratch(memory);
    });
}

sv_status sv_memory(sv_context* context, int64_t* current, int64_t* peak) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        require_pointer(current, "current");
        require_pointer(peak, "peak");
        *current = context->memory.current();
        *peak = context->memory.peak();
    });
}

sv_status sv_reset_peak(sv_context* context) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        context->memory.reset_peak();
    });
}

sv_status sv_trim(sv_context* context) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        context->trim();
    });
}

sv_status sv_fail_next(sv_context* context, sv_fault fault, int64_t n) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        if (fault < SV_FAULT_NONE || fault > SV_FAULT_COPY || n < 1) {
            sv::fail(
                SV_INVALID_ARGUMENT,
                "fault %d and n %ld were given, expected a fault of 0 to %d and n of 1 or more",
                int(fault), long(n), int(SV_FAULT_COPY));
        }
        context->faults.arm(fault, n);
    });
}

sv_status sv_recording_begin(sv_context* context) {
    return sv::run_op(context, [](sv_context& c) { c.begin_recording(); });
}

sv_status sv_recording_end(sv_context* context, sv_recording** out) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        require_pointer(out, "out");
        *out = context->end_recording().release();
    });
}

sv_status sv_recording_play(sv_context* context, sv_recording* recording) {
    return sv::run_op(context, [&](sv_context&) {
        require_pointer(recording, "recording");
        recording->play();
    });
}

sv_status sv_recording_destroy(sv_context* context, sv_recording* recording) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        delete recording;
    });
}

sv_status sv_range_begin(sv_context* context, const char* name) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        require_pointer(name, "name");
        if (context->ranges) context->begin_range(name);
    });
}

sv_status sv_range_end(sv_context* context) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        if (context->ranges) context->end_range();
    });
}

sv_status sv_upload(sv_context* context, void* device, const void* host, int64_t bytes) {
    return copy_bytes(context, device, host, bytes,
                      [=](sv_context& c) { c.upload(device, host, bytes); });
}

sv_status sv_download(sv_context* context, void* host, const void* device, int64_t bytes) {
    return copy_bytes(context, host, device, bytes,
                      [=](sv_context& c) { c.download(host, device, bytes); });
}

sv_status sv_clear(sv_context* context, void* out, int64_t bytes) {
    return copy_bytes(context, out, out, bytes, [=](sv_context& c) { c.clear(out, bytes); });
}

sv_status sv_copy(sv_context* context, void* out, const void* in, int64_t bytes) {
    return copy_bytes(context, out, in, bytes, [=](sv_context& c) { c.copy(out, in, bytes); });
}

}  // extern "C"
