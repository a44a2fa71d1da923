#include <nvtx3/nvToolsExt.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/cuda_library.hpp"
#include "cuda/context.hpp"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

// 13010 is 13.1.
std::string version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// Why no device can be used, or nothing.
std::string unavailable(cudaError_t error, int driver) {
    if (error == cudaErrorInsufficientDriver && driver == 0) return "no NVIDIA driver is installed";
    if (error == cudaErrorInsufficientDriver) {
        return "the NVIDIA driver is for CUDA " + version_text(driver) +
               ", and these kernels need one for CUDA " + version_text(CUDART_VERSION) +
               " or newer";
    }
    if (error == cudaErrorNoDevice) {
        return "the NVIDIA driver shows no device (is CUDA_VISIBLE_DEVICES set?)";
    }
    return error == cudaSuccess ? "" : cudaGetErrorString(error);
}

int device_count() {
    int driver = 0, count = 0;
    cudaDriverGetVersion(&driver);
    cudaError_t error = cudaGetDeviceCount(&count);
    std::string reason = unavailable(error, driver);
    if (!reason.empty()) {
        fail(SV_UNSUPPORTED, "no CUDA device can be used: %s", reason.c_str());
    }
    return count;
}

int require_device(int device) {
    int count = device_count();
    if (device < 0 || device >= count) {
        fail(SV_INVALID_ARGUMENT, "device is %d, expected 0 to %d", device, count - 1);
    }
    return device;
}

sv_cuda_device describe(int index) {
    check(cudaSetDevice(require_device(index)), "the choice of a device");
    constexpr const char* kQuestion = "a question about the device";
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, index), kQuestion);
    size_t free = 0, all = 0;
    check(cudaMemGetInfo(&free, &all), kQuestion);
    cudaFuncAttributes attributes;
    bool supported = cudaFuncGetAttributes(&attributes, a_kernel()) == cudaSuccess;
    cudaGetLastError();  // or the next launch would report it

    sv_cuda_device device{};
    std::snprintf(device.name, sizeof device.name, "%s", properties.name);
    device.capability = 10 * properties.major + properties.minor;
    device.multiprocessors = properties.multiProcessorCount;
    cudaDriverGetVersion(&device.driver);
    device.supported = supported ? 1 : 0;
    device.memory = static_cast<int64_t>(all);
    device.free_memory = static_cast<int64_t>(free);
    return device;
}

}  // namespace

void check(cudaError_t error, const char* what) {
    if (error == cudaSuccess) return;
    sv_status status = error == cudaErrorMemoryAllocation ? SV_OUT_OF_MEMORY : SV_DEVICE_ERROR;
    fail(status, "%s failed: %s (%s)", what, cudaGetErrorString(error), cudaGetErrorName(error));
}

Context::Context(int index) : sv_context(cuda::backend(), device_memory) {
    sv_cuda_device known = describe(index);
    if (known.supported == 0) {
        fail(SV_UNSUPPORTED,
             "device %d, %s, has compute capability %d.%d: this build has no code for it; build "
             "with -Dnative.arch=all",
             index, known.name, known.capability / 10, known.capability % 10);
    }
    device = index;
    multiprocessors = known.multiprocessors;
    const char* asked = std::getenv("SANA_NVTX");
    ranges = asked != nullptr && std::strcmp(asked, "1") == 0;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "the creation of a stream");
    device_memory.open(device, stream);
}

Context* Context::create_dry(int multiprocessors) {
    if (multiprocessors < 1) {
        fail(SV_INVALID_ARGUMENT, "multiprocessors is %d, expected 1 or more", multiprocessors);
    }
    auto* context = new Context;
    context->multiprocessors = multiprocessors;
    return context;
}

Context::~Context() {
    if (dry) return;
    cudaSetDevice(device);
    memory.trim();
    cudaStreamSynchronize(stream);
    staging.close();
    device_memory.close();
    cudaStreamDestroy(stream);
}

void Context::require_not_recording(const char* what) const {
    if (recording_) fail(SV_DEVICE_ERROR, "%s cannot be recorded", what);
}

void Context::synchronize() {
    if (!dry) check(cudaStreamSynchronize(stream), "work on the device");
}

void Context::upload(void* to, const void* host, int64_t bytes) {
    require_not_recording("a copy to the device");
    faults.pass(SV_FAULT_COPY, "a copy to the device");
    if (dry) return;
    // Small pieces of pageable memory are staged by the driver before the call returns.
    constexpr int64_t kSmall = 64 << 10;
    if (bytes <= kSmall) {
        queue_upload(to, host, bytes);
        return;
    }
    for (int64_t done = 0; done < bytes; done += Staging::kBytes) {
        int64_t count = std::min(Staging::kBytes, bytes - done);
        void* block = staging.next();
        std::memcpy(block, static_cast<const char*>(host) + done, count);
        queue_upload(static_cast<char*>(to) + done, block, count);
        staging.copied(stream);
    }
}

void Context::upload_staged(void* to, const void* block, int64_t bytes) {
    faults.pass(SV_FAULT_COPY, "a copy to the device");
    queue_upload(to, block, bytes);
}

void Context::queue_upload(void* to, const void* host, int64_t bytes) {
    check(cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, stream), "a copy to the device");
}

void Context::download(void* host, const void* from, int64_t bytes) {
    require_not_recording("a copy from the device");
    faults.pass(SV_FAULT_COPY, "a copy from the device");
    if (dry) {
        std::memset(host, 0, bytes);
        return;
    }
    check(cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, stream),
          "a copy from the device");
    synchronize();
}

void Context::copy(void* out, const void* in, int64_t bytes) {
    faults.pass(SV_FAULT_COPY, "a copy on the device");
    if (dry) return;
    check(cudaMemcpyAsync(out, in, bytes, cudaMemcpyDeviceToDevice, stream),
          "a copy on the device");
}

void Context::clear(void* out, int64_t bytes) {
    if (!dry) check(cudaMemsetAsync(out, 0, bytes, stream), "the clearing of memory");
}

void Context::trim() {
    memory.trim();
    if (dry) return;
    check(cudaSetDevice(device), "the choice of a device");
    synchronize();
    staging.close();
    device_memory.trim();
}

void Context::begin_range(const char* name) { nvtxRangePushA(name); }

void Context::end_range() { nvtxRangePop(); }

Context& enter(sv_context& context) {
    auto& entered = static_cast<Context&>(context);
    if (!context.dry) check(cudaSetDevice(entered.device), "the choice of a device");
    return entered;
}

}  // namespace sv::cuda

// The one function that the library exports; libsanavideo catches what the table's functions throw.
extern "C" __attribute__((visibility("default"))) const sv::CudaLibrary* sv_cuda_library() {
    static const sv::CudaLibrary library = {
        sv::cuda::device_count,
        sv::cuda::describe,
        [](int device) -> sv_context* { return new sv::cuda::Context(device); },
        [](int multiprocessors) -> sv_context* {
            return sv::cuda::Context::create_dry(multiprocessors);
        },
    };
    return &library;
}
