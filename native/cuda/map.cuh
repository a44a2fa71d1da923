// The kernel behind the ops whose output is a function of the index: nothing is exchanged between
// threads, each output is written once, and memory bounds all of them.
//
// An operation is a small struct that the kernel gets by value:
//   using Out                       an element of the output
//   kCount                          how many of them it makes at once: 16 bytes of the widest type
//                                   that it touches (`widest`)
//   bool fits() const               on the host: whether its addresses and row lengths allow that
//   at<Count>(i)                    on the device: out[i, i + Count), i a multiple of Count; Count
//                                   is kCount, or 1
//
// A thread makes one vector and a warp's vectors are neighbours: 512 bytes at a time. The card
// hides the latency with its 2048 threads a multiprocessor, which have 32 KB of 16-byte loads in
// flight; Little's law asks for 18 KB of an H100 (3.35 TB/s x 0.7 us / 132 multiprocessors). What
// does not fill a vector is made one by one by the first threads of the grid; so is everything when
// the operation does not fit, as for a view that starts at an odd element.
//
// Every element is computed by one thread, which stores it last: the output may be one of the
// inputs, element for element.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda/launch.cuh"
#include "cuda/number.cuh"

namespace sv::cuda {

// Elements of each of these types that fit in 16 bytes.
template <typename... T>
constexpr int widest = 16 / static_cast<int>(std::max({sizeof(T)...}));

// Whether vectors of Count elements may be read and written there.
template <int Count, typename... T>
bool aligned(const T*... address) {
    return (... && aligned(address, Count * sizeof(T)));
}

namespace mapping {

constexpr int kThreads = 256;

template <int Count, typename Operation>
__global__ void __launch_bounds__(kThreads)
    map(Operation operation, int64_t size, typename Operation::Out* out) {
    int64_t vectors = size / Count;
    int64_t thread = int64_t{blockIdx.x} * kThreads + threadIdx.x;
    if (thread < vectors) store(out + thread * Count, operation.template at<Count>(thread * Count));
    int64_t rest = vectors * Count + thread;
    if (Count > 1 && rest < size) store(out + rest, operation.template at<1>(rest));
}

}  // namespace mapping

// Queues the operation for the `size` elements at `out`.
template <typename Operation>
void map(Context& context, const Operation& operation, int64_t size, void* out) {
    auto* to = static_cast<typename Operation::Out*>(out);
    auto start = [&](auto* kernel, int count) {
        int64_t blocks = divide_up(size / count, mapping::kThreads);
        launch(context, kernel, static_cast<unsigned>(std::max<int64_t>(blocks, 1)),
               mapping::kThreads, 0, operation, size, to);
    };
    if (operation.fits() && aligned<Operation::kCount>(to)) {
        start(mapping::map<Operation::kCount, Operation>, Operation::kCount);
    } else {
        start(mapping::map<1, Operation>, 1);
    }
}

}  // namespace sv::cuda
