// Bounds, alignment, unwritten memory, races.
#include "self_test/check.hpp"

namespace self_test {
namespace {

using sv::Scratch;
using sv::cuda::Context;
using sv::cuda::launch;
using sv::cuda::shared_size;
using sv::cuda::SharedMemory;

constexpr int kThreads = 64;

// Each thread passes its number to the thread `step` on, through shared memory.
template <bool Barrier, int Step>
__global__ void pass_on(int* out) {
    SharedMemory memory;
    int* numbers = memory.shared<int>(kThreads);
    int me = static_cast<int>(threadIdx.x);
    numbers[me] = 0;
    __syncthreads();
    numbers[me] = me;
    if (Barrier) __syncthreads();
    out[me] = numbers[(me + Step) % kThreads];
}

// The same inside one warp.
template <bool Barrier>
__global__ void pass_to_neighbour(int* out) {
    SharedMemory memory;
    int* numbers = memory.shared<int>(32);
    int me = static_cast<int>(threadIdx.x);
    numbers[me] = 0;
    __syncwarp();
    numbers[me] = me;
    if (Barrier) __syncwarp();
    out[me] = numbers[me ^ 1];
}

// Read, then overwritten by another warp.
template <bool Barrier>
__global__ void overwrite(int* out) {
    SharedMemory memory;
    int* numbers = memory.shared<int>(kThreads);
    int me = static_cast<int>(threadIdx.x), other = kThreads - 1 - me;
    numbers[me] = me;
    __syncthreads();
    out[me] = numbers[other];
    if (Barrier) __syncthreads();
    numbers[me] = 0;
}

__global__ void write_at(int* out, int64_t index) { out[index + threadIdx.x] = 1; }

__global__ void read_at(const int* in, int* out) { out[threadIdx.x] = in[threadIdx.x]; }

__global__ void read_past_an_array(int* out) {
    SharedMemory memory;
    int* a = memory.shared<int>(32);
    int* b = memory.shared<int>(32);
    a[threadIdx.x] = b[threadIdx.x] = 1;
    __syncthreads();
    out[threadIdx.x] = a[threadIdx.x + 1];
}

__global__ void read_unwritten(int* out) {
    SharedMemory memory;
    int* a = memory.shared<int>(32);
    out[threadIdx.x] = a[threadIdx.x];
}

__global__ void carve_two(int* out) {
    SharedMemory memory;
    memory.shared<int>(32);
    memory.shared<int>(32)[0] = 1;
    out[0] = 1;
}

__global__ void misaligned(const float* in, float4* out) {
    out[0] = *reinterpret_cast<const float4*>(in + 1);
}

// The compiler reads only the parts that are used, each of them aligned.
__global__ void misaligned_parts(const float* in, float4* out) {
    auto* vector = reinterpret_cast<const float4*>(in + 1);
    out[0].x = vector->x + vector->w;
}

__global__ void all_blocks_write(int* out) { out[0] = 1; }

__global__ void all_blocks_count(unsigned* out) { atomicAdd(out, 1u); }

__global__ void neighbours_in_a_word(unsigned char* out) { out[threadIdx.x] = 1; }

}  // namespace

std::vector<Check> memory_checks() {
    auto with_output = [](auto body) {
        return [=](Context& c) {
            Scratch<int> out(c.memory, 2 * kThreads);
            cudaMemsetAsync(out.get(), 0, 2 * kThreads * sizeof(int), nullptr);
            body(c, out.get());
        };
    };
    int64_t array = shared_size<int>(kThreads);
    auto start = [=](void (*kernel)(int*), unsigned blocks = 1, unsigned threads = kThreads) {
        return with_output(
            [=](Context& c, int* out) { launch(c, kernel, blocks, threads, array, out); });
    };
    auto vectors = [=](void (*kernel)(const float*, float4*)) {
        return with_output([=](Context& c, int* out) {
            launch(c, kernel, 1, 1, 0, reinterpret_cast<const float*>(out),
                   reinterpret_cast<float4*>(out + 8));
        });
    };
    return {
        {"a barrier between a write and a read", "", start(pass_on<true, 32>)},
        {"no barrier between a write and a read", "races with", start(pass_on<false, 32>)},
        {"no barrier, but each reads its own", "", start(pass_on<false, 0>)},
        {"__syncwarp between lanes", "", start(pass_to_neighbour<true>, 1, 32)},
        {"no __syncwarp between lanes", "races with", start(pass_to_neighbour<false>, 1, 32)},
        {"a barrier before memory is used again", "", start(overwrite<true>)},
        {"no barrier before memory is used again", "races with", start(overwrite<false>)},
        {"a write behind a buffer", "past the end of one of", with_output([](Context& c, int* out) {
             launch(c, write_at, 1, 32, 0, out, int64_t{2 * kThreads - 31});
         })},
        {"a write before a buffer", "before the start of one of",
         with_output([](Context& c, int* out) { launch(c, write_at, 1, 1, 0, out, int64_t{-1}); })},
        {"a read of a buffer that nothing filled", "nothing has written",
         with_output([](Context& c, int* out) {
             void* empty;
             cudaMalloc(&empty, 32 * sizeof(int));
             struct Free {
                 void* block;
                 ~Free() { cudaFree(block); }
             } free{empty};
             launch(c, read_at, 1, 32, 0, static_cast<const int*>(empty), out);
         })},
        {"a read past an array of shared memory", "outside every array",
         with_output([](Context& c, int* out) {
             launch(c, read_past_an_array, 1, 32, 2 * shared_size<int>(32), out);
         })},
        {"a read of shared memory that nothing filled", "nothing has written",
         start(read_unwritten, 1, 32)},
        {"more shared memory than the launch asked for", "the launch asked for",
         with_output([](Context& c, int* out) { launch(c, carve_two, 1, 1, 128, out); })},
        {"an access that is not aligned", "not aligned", vectors(misaligned)},
        {"parts of a vector that is not aligned", "not aligned", vectors(misaligned_parts)},
        {"two blocks that write one element", "races with a write", start(all_blocks_write, 2, 1)},
        {"two blocks that count in one element", "", with_output([](Context& c, int* out) {
             launch(c, all_blocks_count, 7, 32, 0, reinterpret_cast<unsigned*>(out));
             int count;
             c.download(&count, out, sizeof count);
             if (count != 7 * 32) throw std::runtime_error("counted " + std::to_string(count));
         })},
        {"neighbours in one word", "", with_output([](Context& c, int* out) {
             launch(c, neighbours_in_a_word, 1, 64, 0, reinterpret_cast<unsigned char*>(out));
         })},
        {"a block larger than a card takes", "not one that a card accepts",
         start(all_blocks_write, 1, 1025)},
    };
}

}  // namespace self_test
