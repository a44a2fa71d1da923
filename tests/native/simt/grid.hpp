// Runs a grid of thread blocks on the host.
#pragma once

#include <cstdint>
#include <string>

#include "simt/builtins.hpp"

namespace simt {

// In which order the threads of a block get their turns. Results must not depend on it.
enum class Order { kForward, kReverse, kShuffled };

// From the environment: SIMT_ORDER is forward, reverse or shuffled, SIMT_SEED the seed of a
// shuffled one.
struct Settings {
    Order order;
    uint64_t seed;
};

// A kernel and its arguments, which its threads may read.
struct Call {
    const void* kernel;
    void (*run)(const void* arguments);
    const void* arguments;
    int64_t bytes;
};

// Makes `call` once for every thread of the grid; blocks in parallel, each on one core. The block
// of shared memory has shared_bytes, as the launch asked for. Throws sv::Error(SV_DEVICE_ERROR)
// with what went wrong, in which thread and at which line.
//
// When the environment names a file in SIMT_LAUNCHED, a line for each kernel that was launched is
// written to it when the program ends: source file, the most shared memory that a block was given,
// name.
void run_grid(Index grid, Index block, int64_t shared_bytes, const Call& call);

// How far a thread has carved the block of shared memory.
struct Carving {
    int64_t asked = 0;   // bytes, as the kernel counts them
    int64_t placed = 0;  // bytes, with the gaps
};

// The next array of `bytes` bytes, which takes `size` of the block.
void* carve(Carving& next, int64_t bytes, int64_t size);

}  // namespace simt
