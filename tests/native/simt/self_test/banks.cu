// Bank conflicts that are known beforehand.
#include <algorithm>
#include <stdexcept>

#include "cuda/number.cuh"
#include "self_test/check.hpp"
#include "simt/banks.hpp"

namespace self_test {
namespace {

using namespace sv::cuda;
using sv::Scratch;

constexpr int kElements = 32 * 36;

// Fills shared memory without conflicts, and waits for it.
__device__ float* filled(SharedMemory& memory) {
    float* array = memory.shared<float>(kElements);
    for (int i = threadIdx.x; i < kElements; i += static_cast<int>(blockDim.x)) array[i] = 1;
    __syncthreads();
    return array;
}

// Lane i reads element i * stride.
__global__ void read_words(int stride, float* out) {
    SharedMemory memory;
    float* array = filled(memory);
    out[threadIdx.x] = array[threadIdx.x % 32 * stride];
}

// Lane i writes 16 bytes at element i * stride.
__global__ void write_vectors(int stride, float*) {
    SharedMemory memory;
    float* array = filled(memory);
    store(array + threadIdx.x % 32 * stride, Vector<float, 4>{});
}

// Lane i reads 8 bytes at element i * stride.
__global__ void read_pairs(int stride, float* out) {
    SharedMemory memory;
    float* array = filled(memory);
    Vector<float, 2> pair = load<float, 2>(array + threadIdx.x % 32 * stride);
    store(out + 2 * (threadIdx.x % 32), pair);
}

// Lane i reads the bf16 i * stride.
__global__ void read_halves(int stride, float* out) {
    SharedMemory memory;
    float* array = filled(memory);
    out[threadIdx.x] = widen(reinterpret_cast<bf16*>(array)[threadIdx.x % 32 * stride]);
}

// Every second lane reads, lane i in turns 0 to i. With a stride of 4 words, 4 of them share a
// bank: of 31 turns, 7 have conflicts of 4, 8 each of 3, 2 and 1.
__global__ void read_apart(int stride, float* out) {
    SharedMemory memory;
    float* array = filled(memory);
    float sum = 0;
    for (int i = 0; threadIdx.x % 2 == 0 && i <= static_cast<int>(threadIdx.x); ++i) {
        sum += array[threadIdx.x * stride + i % 4];
    }
    out[threadIdx.x] = sum;
}

// Rows of 16 bytes that lie `stride` floats apart.
__global__ void read_matrices(int stride, float* out) {
    SharedMemory memory;
    float* array = filled(memory);
    uint32_t registers[4];
    load_matrix_x4(registers, array + threadIdx.x % 32 * stride);
    out[threadIdx.x] = __uint_as_float(registers[0]);
}

__global__ void copy_rows(int stride, float* in) {
    SharedMemory memory;
    float* array = filled(memory);
    copy_async_16(array + threadIdx.x % 32 * stride, in);
    copy_async_commit();
    copy_async_wait<0>();
}

// The worst degree among a kernel's instructions.
Check degree(const char* name, void (*kernel)(int, float*), int stride, double expected) {
    return {
        std::string("bank conflicts of ") + name + " " + std::to_string(stride) + " words apart",
        "", [=](Context& c) {
            Scratch<float> out(c.memory, 64);
            cudaMemsetAsync(out.get(), 0, 64 * sizeof(float), c.stream);
            simt::take_bank_uses();
            bool on = simt::counting_banks();
            simt::count_banks(true);
            launch(c, kernel, 1, 32, shared_size<float>(kElements), stride, out.get());
            simt::count_banks(on);
            double worst = 0;
            for (const auto& [place, use] : simt::take_bank_uses()) {
                worst = std::max(worst, use.degree());
            }
            if (worst == expected) return;
            throw std::runtime_error("degree " + std::to_string(worst) + ", expected " +
                                     std::to_string(expected));
        }};
}

}  // namespace

std::vector<Check> bank_checks() {
    return {
        degree("words", read_words, 0, 1),
        degree("words", read_words, 1, 1),
        degree("words", read_words, 2, 2),
        degree("words", read_words, 8, 8),
        degree("words", read_words, 32, 32),
        degree("words", read_words, 33, 1),
        degree("half words", read_halves, 1, 1),
        degree("half words", read_halves, 2, 1),
        degree("half words", read_halves, 4, 2),
        degree("pairs", read_pairs, 2, 1),
        degree("pairs", read_pairs, 4, 2),
        degree("vectors", write_vectors, 4, 1),
        degree("vectors", write_vectors, 8, 2),
        degree("vectors", write_vectors, 32, 8),
        degree("vectors", write_vectors, 36, 1),
        degree("reads by some lanes", read_apart, 4, 76.0 / 31),
        degree("matrix rows", read_matrices, 4, 1),
        degree("matrix rows", read_matrices, 8, 2),
        degree("matrix rows", read_matrices, 16, 4),
        degree("matrix rows", read_matrices, 32, 8),
        degree("matrix rows", read_matrices, 36, 1),
        degree("asynchronous copies", copy_rows, 4, 1),
        degree("asynchronous copies", copy_rows, 32, 8),
    };
}

}  // namespace self_test
