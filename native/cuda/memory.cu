// Memory of a device, and memory of the host that it copies from.
#include <limits>

#include "cuda/context.hpp"

namespace sv::cuda {

void DeviceMemory::open(int device, cudaStream_t stream) {
    device_ = device;
    stream_ = stream;
    cudaMemPoolProps properties = {};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = device;
    check(cudaMemPoolCreate(&pool_, &properties), "the creation of a memory pool");
    // What is freed stays in the pool until trim.
    uint64_t threshold = std::numeric_limits<uint64_t>::max();
    check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &threshold),
          "the setting of a memory pool");
}

void DeviceMemory::close() noexcept {
    cudaMemPoolDestroy(pool_);
    pool_ = nullptr;
}

void* DeviceMemory::take(int64_t bytes) {
    if (frozen) fail(SV_DEVICE_ERROR, "an allocation of %ld bytes cannot be recorded", long(bytes));
    void* block = nullptr;
    check(cudaSetDevice(device_), "the choice of a device");
    cudaError_t error = cudaMallocFromPoolAsync(&block, bytes, pool_, stream_);
    if (error == cudaErrorMemoryAllocation) {
        cudaGetLastError();  // or the next launch would report it
        return nullptr;
    }
    check(error, "an allocation on the device");
    return block;
}

void DeviceMemory::give_back(void* block) noexcept {
    cudaSetDevice(device_);
    cudaFreeAsync(block, stream_);
}

void DeviceMemory::trim() { check(cudaMemPoolTrimTo(pool_, 0), "the trimming of a memory pool"); }

void* Staging::next() {
    turn_ ^= 1;
    if (blocks_[turn_] == nullptr) {
        check(cudaMallocHost(&blocks_[turn_], kBytes), "an allocation of pinned memory");
        check(cudaEventCreateWithFlags(&done_[turn_], cudaEventDisableTiming),
              "the creation of an event");
    } else {
        check(cudaEventSynchronize(done_[turn_]), "a copy to the device");
    }
    return blocks_[turn_];
}

void Staging::copied(cudaStream_t stream) {
    check(cudaEventRecord(done_[turn_], stream), "the recording of an event");
}

void Staging::close() noexcept {
    for (int i = 0; i < 2; ++i) {
        if (blocks_[i] == nullptr) continue;
        cudaEventDestroy(done_[i]);
        cudaFreeHost(blocks_[i]);
        blocks_[i] = nullptr;
    }
}

}  // namespace sv::cuda
