// Contexts on the CPU: memory is the heap, and every op is finished when it returns.
#include "cpu/context.hpp"

#include <sched.h>

#include <cstdlib>
#include <cstring>

#include "cpu/variant.hpp"

namespace sv::cpu {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int64_t kAlignment = 64;

int usable_cores() {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
    return CPU_COUNT(&cores);
}

struct Heap : MemorySource {
    void* take(int64_t bytes) override {
        int64_t whole = (bytes + kAlignment - 1) / kAlignment * kAlignment;
        return whole < bytes ? nullptr : std::aligned_alloc(kAlignment, whole);
    }
    void give_back(void* block) noexcept override { std::free(block); }
};

struct Context final : Heap, sv_context {
    Context() : sv_context(cpu::backend(), *this) {}
    void synchronize() override {}
    void upload(void* device, const void* host, int64_t bytes) override {
        copy(device, host, bytes);
    }
    void download(void* host, const void* device, int64_t bytes) override {
        copy(host, device, bytes);
    }
    void copy(void* out, const void* in, int64_t bytes) override {
        faults.pass(SV_FAULT_COPY, "a copy");
        std::memcpy(out, in, bytes);
    }
    void clear(void* out, int64_t bytes) override { std::memset(out, 0, bytes); }
};

// An op that does nothing: a member of the table of dry contexts. Others look at context.dry.
template <typename Op>
struct Nothing;

template <typename Result, typename... Arguments>
struct Nothing<Result(Arguments...)> {
    static Result run(Arguments...) { return Result(); }
};

bool finite(sv_context&, const sv_tensor&) { return true; }

const Backend& dry_backend() {
    static const Backend table = [] {
        Backend made = {.name = "dry",
#define SV_ENTRY(op_name) .op_name = Nothing<op::op_name>::run,
                        SV_EACH_OP(SV_ENTRY)
#undef SV_ENTRY
        };
        made.weight_create = cpu::backend().weight_create;
        made.nvfp4_weight_create = cpu::backend().nvfp4_weight_create;
        made.convolution = cpu::backend().convolution;  // its scratch may be megabytes
        made.all_finite = finite;
        return made;
    }();
    return table;
}

struct DryContext final : NoMemory, sv_context {
    DryContext() : sv_context(dry_backend(), *this, true) {}
    void synchronize() override {}
    void upload(void*, const void*, int64_t) override {}
    void download(void* host, const void*, int64_t bytes) override { std::memset(host, 0, bytes); }
    void copy(void*, const void*, int64_t) override {}
    void clear(void*, int64_t) override {}
};

int checked(int threads) {
    if (threads < 0 || threads > kMaxThreads) {
        fail(SV_INVALID_ARGUMENT, "threads is %d, expected 1 to %d, or 0 for all cores", threads,
             kMaxThreads);
    }
    return threads != 0 ? threads : usable_cores();
}

}  // namespace

sv_context* create_context(int threads) {
    int count = checked(threads);
    auto* context = new Context;
    context->threads = count;
    return context;
}

sv_context* create_dry_context(int threads) {
    int count = checked(threads);
    auto* context = new DryContext;
    context->threads = count;
    return context;
}

}  // namespace sv::cpu
