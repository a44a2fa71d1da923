// The emulated card, its driver and its streams. For tests of what is said where there is none,
// SIMT_DRIVER gives the driver's version (0 for no driver; 13000 unless set), SIMT_DEVICES the
// number of cards (1) and SIMT_CAPABILITY what they are (90; the kernels run on 80 and newer);
// with SIMT_NVFP4_SWAPPED set, their NVFP4 instruction takes the scales of rows g and g + 8 from
// each other's lanes (instructions.cpp).
#include <cuda_runtime.h>

#include <cstdlib>

namespace {

constexpr int kNeededDriver = 13000;
constexpr int kLeastCapability = 80;

int setting(const char* name, int otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::atoi(text);
}

int capability() { return setting("SIMT_CAPABILITY", 90); }

}  // namespace

cudaError_t cudaDriverGetVersion(int* version) {
    *version = setting("SIMT_DRIVER", kNeededDriver);
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
    *count = setting("SIMT_DEVICES", 1);
    int driver = 0;
    cudaDriverGetVersion(&driver);
    if (driver < kNeededDriver) return cudaErrorInsufficientDriver;
    return *count == 0 ? cudaErrorNoDevice : cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
    // Few multiprocessors, so that persistent kernels take several rounds.
    *properties = {"SIMT emulator", capability() / 10, capability() % 10, 4};
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* all) {
    *free = size_t{6} << 30;
    *all = size_t{8} << 30;
    return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes*, const void*) {
    return capability() < kLeastCapability ? cudaErrorNoKernelImageForDevice : cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) {
    return error == cudaErrorInvalidValue ? "memory outside every buffer" : "an emulated error";
}

const char* cudaGetErrorName(cudaError_t) { return "emulated"; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = nullptr;
    return cudaSuccess;
}

// An event is over when it is recorded.
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    *event = nullptr;
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventDestroy(cudaEvent_t) { return cudaSuccess; }
