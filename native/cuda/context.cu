#include "cuda/context.hpp"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

// Why no device can be used, or null.
const char* unavailable(cudaError_t error, int driver) {
    if (error == cudaErrorInsufficientDriver && driver == 0) return "no NVIDIA driver is installed";
    if (error == cudaErrorInsufficientDriver)
        return "the NVIDIA driver is older than these kernels need";
    if (error == cudaErrorNoDevice)
        return "the NVIDIA driver shows no device (is CUDA_VISIBLE_DEVICES set?)";
    return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

int require_device(int device) {
    int driver = 0, count = 0;
    cudaDriverGetVersion(&driver);
    cudaError_t error = cudaGetDeviceCount(&count);
    if (const char* reason = unavailable(error, driver)) {
        fail(SV_UNSUPPORTED, "no CUDA device can be used: %s", reason);
    }
    if (device < 0 || device >= count) {
        fail(SV_INVALID_ARGUMENT, "device is %d, expected 0 to %d", device, count - 1);
    }
    return device;
}

}  // namespace

void check(cudaError_t error, const char* what) {
    if (error == cudaSuccess) return;
    sv_status status = error == cudaErrorMemoryAllocation ? SV_OUT_OF_MEMORY : SV_DEVICE_ERROR;
    fail(status, "%s failed: %s (%s)", what, cudaGetErrorString(error), cudaGetErrorName(error));
}

void* DeviceMemory::take(int64_t bytes) {
    void* block = nullptr;
    check(cudaSetDevice(device), "the choice of a device");
    cudaError_t error = cudaMalloc(&block, bytes);
    if (error == cudaErrorMemoryAllocation) {
        cudaGetLastError();  // or the next launch would report it
        return nullptr;
    }
    check(error, "an allocation on the device");
    return block;
}

void DeviceMemory::give_back(void* block) noexcept { cudaFree(block); }

Context::Context(int index) : sv_context(cuda::backend(), *this) {
    device = require_device(index);
    check(cudaSetDevice(device), "the choice of a device");
    check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
          "a question about the device");
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "the creation of a stream");
}

Context::~Context() {
    cudaSetDevice(device);
    cudaStreamDestroy(stream);
}

void Context::synchronize() { check(cudaStreamSynchronize(stream), "work on the device"); }

void Context::upload(void* to, const void* host, int64_t bytes) {
    // Pageable memory is staged before the call returns, so host may be reused at once.
    check(cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, stream), "a copy to the device");
}

void Context::download(void* host, const void* from, int64_t bytes) {
    check(cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, stream),
          "a copy from the device");
    synchronize();
}

void Context::copy(void* out, const void* in, int64_t bytes) {
    check(cudaMemcpyAsync(out, in, bytes, cudaMemcpyDeviceToDevice, stream),
          "a copy on the device");
}

Context& enter(sv_context& context) {
    auto& entered = static_cast<Context&>(context);
    check(cudaSetDevice(entered.device), "the choice of a device");
    return entered;
}

}  // namespace sv::cuda

// The one function that the library exports; libsanavideo catches what it throws.
extern "C" __attribute__((visibility("default"))) sv_context* sv_cuda_context_create(int device) {
    return new sv::cuda::Context(device);
}
