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
        std::memcpy(device, host, bytes);
    }
    void download(void* host, const void* device, int64_t bytes) override {
        std::memcpy(host, device, bytes);
    }
    void copy(void* out, const void* in, int64_t bytes) override { std::memcpy(out, in, bytes); }
};

}  // namespace

sv_context* create_context(int threads) {
    if (threads < 0 || threads > kMaxThreads) {
        fail(SV_INVALID_ARGUMENT, "threads is %d, expected 1 to %d, or 0 for all cores", threads,
             kMaxThreads);
    }
    auto* context = new Context;
    context->threads = threads != 0 ? threads : usable_cores();
    return context;
}

}  // namespace sv::cpu
