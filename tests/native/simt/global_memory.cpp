// Device memory and the calls of the runtime that move it.
#include <cuda_runtime.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "simt/graph.hpp"
#include "simt/shadow.hpp"

// The first and last bytes of the program or library that this is linked into, from the linker:
// constants lie between them.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start, _end;

namespace simt {
namespace {

constexpr int64_t kGuard = 256;  // bytes before and behind a buffer that belong to nobody
constexpr int kPoison = 0xff;

struct Buffer {
    int64_t bytes;
    std::vector<Cell> cells;
    std::mutex mutex;  // blocks run in parallel
};

std::map<char*, Buffer>& buffers() {
    static std::map<char*, Buffer> all;
    return all;
}

std::shared_mutex& buffers_mutex() {
    static std::shared_mutex mutex;
    return mutex;
}

using Entry = std::pair<char* const, Buffer>;

// The last buffer that begins at or before an address, or null.
Entry* buffer_before(const void* address) {
    auto after = buffers().upper_bound(static_cast<char*>(const_cast<void*>(address)));
    return after == buffers().begin() ? nullptr : &*std::prev(after);
}

bool holds(const Entry& entry, const void* address, int64_t bytes) {
    auto* at = static_cast<const char*>(address);
    return at >= entry.first && at + bytes <= entry.first + entry.second.bytes;
}

std::string outside(const void* address, int64_t bytes) {
    auto* at = static_cast<const char*>(address);
    std::string text = std::to_string(bytes) + " bytes outside every buffer";
    Entry* before = buffer_before(address);
    if (before != nullptr && at - before->first < before->second.bytes + (1 << 20)) {
        return text + ": " + std::to_string(at + bytes - before->first - before->second.bytes) +
               " past the end of one of " + std::to_string(before->second.bytes);
    }
    auto after = buffers().upper_bound(const_cast<char*>(at));
    if (after != buffers().end() && after->first - at < (1 << 20)) {
        return text + ": " + std::to_string(after->first - at) + " before the start of one of " +
               std::to_string(after->second.bytes);
    }
    return text;
}

// Checks that the host's side of a copy stays inside a buffer, and notes what it writes.
bool host_touch(void* address, int64_t bytes, bool writes) {
    Entry* entry = buffer_before(address);
    if (entry == nullptr || !holds(*entry, address, bytes)) return false;
    if (writes) {
        Cell* cells = entry->second.cells.data() + (static_cast<char*>(address) - entry->first);
        for (int64_t i = 0; i < bytes; ++i) cells[i] = {Cell::State::kWritten, {}, {}};
    }
    return true;
}

}  // namespace

std::string touch_global(const void* address, int64_t bytes, Use use, const Actor& actor) {
    std::shared_lock<std::shared_mutex> lock(buffers_mutex());
    Entry* entry = buffer_before(address);
    if (entry == nullptr || !holds(*entry, address, bytes)) {
        bool constant = address >= &__ehdr_start && address < &_end;
        return use == Use::kRead && constant ? "" : outside(address, bytes);
    }
    std::lock_guard<std::mutex> one_block(entry->second.mutex);
    Cell* cells = entry->second.cells.data() + (static_cast<const char*>(address) - entry->first);
    std::string wrong = touch(cells, bytes, use, actor);
    return wrong.empty() ? wrong : wrong + " (global memory)";
}

}  // namespace simt

cudaError_t cudaMalloc(void** memory, size_t bytes) {
    auto size = static_cast<int64_t>(bytes);
    int64_t whole = (size + 2 * simt::kGuard + 255) / 256 * 256;
    auto* block = static_cast<char*>(std::aligned_alloc(256, whole));
    if (block == nullptr) return cudaErrorMemoryAllocation;
    std::memset(block, simt::kPoison, whole);
    std::unique_lock<std::shared_mutex> lock(simt::buffers_mutex());
    simt::Buffer& buffer = simt::buffers()[block + simt::kGuard];
    buffer.bytes = size;
    buffer.cells.resize(size);
    *memory = block + simt::kGuard;
    return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
    if (memory == nullptr) return cudaSuccess;
    std::unique_lock<std::shared_mutex> lock(simt::buffers_mutex());
    if (simt::buffers().erase(static_cast<char*>(memory)) == 0) return cudaErrorInvalidValue;
    std::free(static_cast<char*>(memory) - simt::kGuard);
    return cudaSuccess;
}

cudaError_t cudaMallocFromPoolAsync(void** memory, size_t bytes, cudaMemPool_t, cudaStream_t) {
    return cudaMalloc(memory, bytes);
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t) { return cudaFree(memory); }

// A pool is the emulator's own memory.
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps*) {
    *pool = nullptr;
    return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return cudaSuccess; }
cudaError_t cudaMemPoolDestroy(cudaMemPool_t) { return cudaSuccess; }

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
    *memory = std::malloc(bytes);
    return *memory == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
    std::free(memory);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    auto again = [=] { cudaMemcpyAsync(to, from, bytes, kind, stream); };
    if (simt::record(again)) return cudaSuccess;
    auto size = static_cast<int64_t>(bytes);
    bool from_device = kind != cudaMemcpyHostToDevice;
    bool to_device = kind != cudaMemcpyDeviceToHost;
    if (from_device && !simt::host_touch(const_cast<void*>(from), size, false)) {
        return cudaErrorInvalidValue;
    }
    if (to_device && !simt::host_touch(to, size, true)) return cudaErrorInvalidValue;
    std::memcpy(to, from, bytes);
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
    auto again = [=] { cudaMemsetAsync(to, value, bytes, stream); };
    if (simt::record(again)) return cudaSuccess;
    if (!simt::host_touch(to, static_cast<int64_t>(bytes), true)) return cudaErrorInvalidValue;
    std::memset(to, value, bytes);
    return cudaSuccess;
}
