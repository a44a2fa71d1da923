// Barriers in shared memory and the bulk copies that they count. A copy lands at the last moment:
// when everybody has arrived and somebody waits.
#include <cuda_runtime.h>

#include <cstring>
#include <string>

#include "cuda/ptx.cuh"
#include "simt/block.hpp"

namespace simt {
namespace {

constexpr const char* kWait = "memory_barrier_wait";

MemoryBarrier& find(Block& block, uint64_t* barrier, const void* place) {
    auto known = block.memory_barriers().find(barrier);
    if (known == block.memory_barriers().end()) {
        block.stop(place, "a memory barrier that was not initialised");
    }
    return known->second;
}

void arrive(uint64_t* barrier, int64_t bytes, const void* place) {
    Block& block = *current_block();
    MemoryBarrier& known = find(block, barrier, place);
    if (known.arrived == known.arrivals) {
        block.stop(place, "more arrivals at a memory barrier than the " +
                              std::to_string(known.arrivals) + " of its phase");
    }
    ++known.arrived;
    known.expected += bytes;
    block.clocks().release(block.running().warp(), known.releasing);
    block.wake_waiting_for(kWait);
}

// Ends the phase when all is there but the copies; they land first.
void try_to_end(Block& block, MemoryBarrier& barrier) {
    int64_t coming = 0;
    for (const AsyncCopy& copy : barrier.copies) coming += copy.bytes;
    if (barrier.arrived < barrier.arrivals || coming != barrier.expected) return;
    for (const AsyncCopy& copy : barrier.copies) block.land(copy);
    barrier.copies.clear();
    barrier.arrived = 0;
    barrier.expected = 0;
    ++barrier.phase;
    barrier.released = barrier.releasing;
    block.wake_waiting_for(kWait);
}

}  // namespace
}  // namespace simt

namespace sv::cuda {

void memory_barrier_init(uint64_t* barrier, int arrivals) {
    simt::Block& block = *simt::current_block();
    const void* place = __builtin_return_address(0);
    if (!block.is_shared(barrier)) block.stop(place, "a memory barrier outside shared memory");
    block.check_access(barrier, sizeof *barrier, simt::Use::kWrite, place);
    simt::MemoryBarrier fresh;
    fresh.arrivals = arrivals;
    block.memory_barriers()[barrier] = fresh;
}

void memory_barrier_arrive(uint64_t* barrier) {
    simt::arrive(barrier, 0, __builtin_return_address(0));
}

void memory_barrier_arrive_expect(uint64_t* barrier, int bytes) {
    simt::arrive(barrier, bytes, __builtin_return_address(0));
}

void memory_barrier_wait(uint64_t* barrier, int parity) {
    const void* place = __builtin_return_address(0);
    simt::Block& block = *simt::current_block();
    simt::MemoryBarrier& known = simt::find(block, barrier, place);
    while ((known.phase & 1) == (parity & 1)) {
        simt::try_to_end(block, known);
        if ((known.phase & 1) == (parity & 1)) block.wait(simt::kWait, place);
    }
    block.clocks().acquire(block.running().warp(), known.released);
}

void copy_bulk(void* shared, const void* global, int bytes, uint64_t* barrier) {
    const void* place = __builtin_return_address(0);
    simt::Block& block = *simt::current_block();
    simt::MemoryBarrier& known = simt::find(block, barrier, place);
    if (bytes <= 0 || bytes % 16 != 0 || reinterpret_cast<uintptr_t>(shared) % 16 != 0 ||
        reinterpret_cast<uintptr_t>(global) % 16 != 0) {
        block.stop(place, "copy_bulk of " + std::to_string(bytes) +
                              " bytes: addresses and size must be multiples of 16");
    }
    if (!block.is_shared(shared)) block.stop(place, "copy_bulk to memory that is not shared");
    block.check_access(shared, bytes, simt::Use::kAsyncWrite, place);
    std::memset(shared, 0xff, bytes);
    // Who passes the barrier has seen the copy, even one that was issued after this thread arrived.
    block.clocks().release(block.running().warp(), known.releasing);
    known.copies.push_back(
        {static_cast<char*>(shared), static_cast<const char*>(global), bytes, bytes, place});
    block.wake_waiting_for(simt::kWait);
}

}  // namespace sv::cuda
