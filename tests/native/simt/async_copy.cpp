// Asynchronous copies to shared memory, modelled as late as the instruction allows: the destination
// is poisoned when a copy is issued, and the data appears when its group is waited for. Whoever
// reads in between is stopped.
#include <cuda_runtime.h>

#include <cstring>
#include <string>

#include "cuda/ptx.cuh"
#include "simt/block.hpp"

namespace simt {
namespace {

// The thread that waits is the one that has written.
void finish(Block& block, const AsyncCopy& copy) {
    block.land(copy);
    block.check_access(copy.to, copy.bytes, Use::kWrite, copy.place);
}

void start(void* shared, const void* global, int valid, int bytes, const char* what,
           const void* place) {
    Block& block = *current_block();
    std::string name = what;
    if (valid < 0 || valid > bytes) {
        block.stop(place, name + " of " + std::to_string(valid) + " bytes");
    }
    if (!block.is_shared(shared)) block.stop(place, name + " to memory that is not shared");
    if (reinterpret_cast<uintptr_t>(global) % bytes != 0) {
        block.stop(place,
                   name + " from an address that is not a multiple of " + std::to_string(bytes));
    }
    block.check_access(shared, bytes, Use::kAsyncWrite, place);
    std::memset(shared, 0xff, bytes);
    block.running().open_copies.push_back(
        {static_cast<char*>(shared), static_cast<const char*>(global), valid, bytes, place});
}

}  // namespace
}  // namespace simt

namespace sv::cuda {

void copy_async_16(void* shared, const void* global, int valid) {
    simt::start(shared, global, valid, 16, "copy_async_16", __builtin_return_address(0));
}

void copy_async_4(void* shared, const void* global, bool exists) {
    simt::start(shared, global, exists ? 4 : 0, 4, "copy_async_4", __builtin_return_address(0));
}

void copy_async_commit() {
    simt::Thread& thread = simt::current_block()->running();
    thread.copy_groups.push_back(std::move(thread.open_copies));
    thread.open_copies.clear();
}

void copy_async_wait_for(int pending) {
    simt::Block& block = *simt::current_block();
    auto& groups = block.running().copy_groups;
    while (static_cast<int>(groups.size()) > pending) {
        for (const simt::AsyncCopy& copy : groups.front()) simt::finish(block, copy);
        groups.erase(groups.begin());
    }
}

}  // namespace sv::cuda
