// Barriers that not everybody reaches, lanes that do not meet.
#include "cuda/ptx.cuh"
#include "self_test/check.hpp"

namespace self_test {
namespace {

using namespace sv::cuda;
using sv::Scratch;

__global__ void half_at_a_barrier(int* out) {
    if (threadIdx.x < 32) __syncthreads();
    out[threadIdx.x] = 1;
}

__global__ void leave_before_a_shuffle(int* out) {
    if (threadIdx.x == 5) return;
    out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1, 1);
}

__global__ void different_collectives(int* out) {
    int value = threadIdx.x < 16 ? __shfl_xor_sync(0xffffffffu, 1, 1)
                                 : static_cast<int>(__ballot_sync(0xffffffffu, true));
    out[threadIdx.x] = value;
}

__global__ void half_warps_apart(int* out) {
    uint32_t mask = threadIdx.x < 16 ? 0xffffu : 0xffff0000u;
    out[threadIdx.x] = __shfl_xor_sync(mask, static_cast<int>(threadIdx.x), 1);
}

// The first warp fills, the second reads; both share barrier 1, the third warp does not.
template <bool Both>
__global__ void named(int* out) {
    SharedMemory memory;
    int* numbers = memory.shared<int>(32);
    int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    if (warp == 0) numbers[lane] = 0;
    __syncthreads();
    if (warp == 0) numbers[lane] = lane;
    if (warp < 2 || (Both && warp == 2)) named_barrier(1, Both ? 96 : 64);
    if (warp == 1) out[lane] = numbers[lane ^ 3];
    if (!Both && warp == 2) out[lane] = numbers[lane];
}

__global__ void sums_by_shuffles(int* out) {
    int value = static_cast<int>(threadIdx.x);
    for (int distance = 16; distance > 0; distance /= 2) {
        value += __shfl_down_sync(0xffffffffu, value, distance);
    }
    if (threadIdx.x == 0) out[0] = value;
}

void require_equal(Context& c, const int* out, int index, int expected) {
    int value;
    c.download(&value, out + index, sizeof value);
    if (value != expected) {
        throw std::runtime_error("element " + std::to_string(index) + " is " +
                                 std::to_string(value) + ", expected " + std::to_string(expected));
    }
}

}  // namespace

std::vector<Check> barrier_checks() {
    auto start = [](void (*kernel)(int*), unsigned threads, int index = -1, int expected = 0) {
        return [=](Context& c) {
            Scratch<int> out(c.memory, 128);
            launch(c, kernel, 1, threads, shared_size<int>(32), out.get());
            if (index >= 0) require_equal(c, out, index, expected);
        };
    };
    return {
        {"a barrier that half the block skips", "deadlock", start(half_at_a_barrier, 64)},
        {"a shuffle after a lane has left", "does not run any more",
         start(leave_before_a_shuffle, 32)},
        {"lanes at different collectives", "other lanes of this warp wait for",
         start(different_collectives, 32)},
        {"two halves of a warp, each with its mask", "", start(half_warps_apart, 32, 17, 16)},
        {"a warp that is not at the named barrier", "races with", start(named<false>, 96)},
        {"a named barrier of three warps", "", start(named<true>, 96, 4, 7)},
        {"a sum by shuffles", "", start(sums_by_shuffles, 32, 0, 496)},
    };
}

}  // namespace self_test
