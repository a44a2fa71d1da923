#include "device.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace vendor {
namespace {

template <typename Function>
Function* runtime(const char* name) {
    const char* path = std::getenv("SANA_CUDA_LIBRARY");
    void* library = path == nullptr ? nullptr : dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    void* function = library == nullptr ? nullptr : dlsym(library, name);
    if (function == nullptr) {
        std::fprintf(stderr, "the stand-in for a vendor's library finds no %s\n", name);
        std::abort();
    }
    return reinterpret_cast<Function*>(function);
}

void call(void* work) { (*static_cast<std::function<void()>*>(work))(); }

}  // namespace

void queue(void* stream, std::function<void()> work) {
    static auto* launch = runtime<int(void*, void (*)(void*), void*)>("cudaLaunchHostFunc");
    // Kept for ever: what was recorded may be played at any time.
    launch(stream, call, new std::function<void()>(std::move(work)));
}

void store_bf16(void* device, const std::vector<float>& values) {
    static auto* copy = runtime<int(void*, const void*, size_t, int, void*)>("cudaMemcpyAsync");
    constexpr int kHostToDevice = 1;
    std::vector<uint16_t> rounded(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
        uint32_t bits;
        std::memcpy(&bits, &values[i], sizeof bits);
        rounded[i] = static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
    copy(device, rounded.data(), 2 * rounded.size(), kHostToDevice, nullptr);
}

}  // namespace vendor
