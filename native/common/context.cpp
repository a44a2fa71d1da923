#include "common/context.hpp"

#include <sched.h>

#include <cstring>
#include <memory>

#include "cpu/variant.hpp"

namespace {

constexpr int kMaxThreads = 1024;

int usable_cores() {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
    return CPU_COUNT(&cores);
}

void require_pointer(const void* pointer, const char* name) {
    if (pointer == nullptr) sv::fail(SV_INVALID_ARGUMENT, "%s is null", name);
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
        if (threads < 0 || threads > kMaxThreads) {
            sv::fail(SV_INVALID_ARGUMENT, "threads is %d, expected 1 to %d, or 0 for all cores",
                     threads, kMaxThreads);
        }
        auto context = std::make_unique<sv_context>();
        context->backend = &sv::cpu::backend();
        context->threads = threads != 0 ? threads : usable_cores();
        *out = context.release();
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
    // The CPU backend finishes each op before it returns.
    return sv::guarded([&] { require_pointer(context, "context"); });
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

sv_status sv_memory(sv_context* context, int64_t* current, int64_t* peak) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        require_pointer(current, "current");
        require_pointer(peak, "peak");
        *current = context->memory.current();
        *peak = context->memory.peak();
    });
}

static sv_status copy_bytes(sv_context* context, void* out, const void* in, int64_t bytes) {
    return sv::guarded([&] {
        require_pointer(context, "context");
        if (bytes < 0) sv::fail(SV_INVALID_ARGUMENT, "bytes is %ld, expected at least 0", bytes);
        if (bytes == 0) return;
        require_pointer(out, "the target");
        require_pointer(in, "the source");
        std::memcpy(out, in, bytes);
    });
}

sv_status sv_upload(sv_context* context, void* device, const void* host, int64_t bytes) {
    return copy_bytes(context, device, host, bytes);
}

sv_status sv_download(sv_context* context, void* host, const void* device, int64_t bytes) {
    return copy_bytes(context, host, device, bytes);
}

sv_status sv_copy(sv_context* context, void* out, const void* in, int64_t bytes) {
    return copy_bytes(context, out, in, bytes);
}

}  // extern "C"
