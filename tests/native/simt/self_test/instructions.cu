// Fragments of matrices against plain loops.
#include <cmath>

#include "cuda/number.cuh"
#include "self_test/check.hpp"

namespace self_test {
namespace {

using namespace sv::cuda;
using sv::Scratch;

// D = A B + C with the operands read by load_matrix: A [16][16], B [8][16] (columns of B are rows),
// D [16][8]. Swapped exchanges two registers of A, as a wrong fragment map would.
template <bool Swapped>
__global__ void product(const bf16* a, const bf16* b, float* d) {
    SharedMemory memory;
    bf16* tile_a = memory.shared<bf16>(16 * 16);
    bf16* tile_b = memory.shared<bf16>(8 * 16);
    int lane = static_cast<int>(threadIdx.x);
    for (int i = lane; i < 16 * 16; i += 32) tile_a[i] = a[i];
    for (int i = lane; i < 8 * 16; i += 32) tile_b[i] = b[i];
    __syncthreads();
    uint32_t fragment_a[4], fragment_b[2];
    load_matrix_x4(fragment_a, tile_a + lane % 16 * 16 + lane / 16 * 8);
    load_matrix_x2(fragment_b, tile_b + lane % 8 * 16 + lane / 8 % 2 * 8);
    if (Swapped) {
        uint32_t first = fragment_a[1];
        fragment_a[1] = fragment_a[2];
        fragment_a[2] = first;
    }
    float sums[4] = {1, 1, 1, 1};
    mma_bf16_m16n8k16(sums, fragment_a, fragment_b);
    for (int r = 0; r < 4; ++r) {
        d[(lane / 4 + 8 * (r / 2)) * 8 + 2 * (lane % 4) + r % 2] = sums[r];
    }
}

// The same with A given transposed, [k][row], and B as [k][column].
__global__ void transposed_product(const bf16* a, const bf16* b, float* d) {
    SharedMemory memory;
    bf16* tile_a = memory.shared<bf16>(16 * 16);
    bf16* tile_b = memory.shared<bf16>(16 * 8);
    int lane = static_cast<int>(threadIdx.x);
    for (int i = lane; i < 16 * 16; i += 32) tile_a[i % 16 * 16 + i / 16] = a[i];
    for (int i = lane; i < 8 * 16; i += 32) tile_b[i % 16 * 8 + i / 16] = b[i];
    __syncthreads();
    uint32_t fragment_a[4], fragment_b[2];
    load_matrix_x4_transposed(fragment_a,
                              tile_a + (lane % 8 + lane / 16 * 8) * 16 + lane / 8 % 2 * 8);
    load_matrix_x2_transposed(fragment_b, tile_b + lane % 16 * 8);
    float sums[4] = {1, 1, 1, 1};
    mma_bf16_m16n8k16(sums, fragment_a, fragment_b);
    for (int r = 0; r < 4; ++r) {
        d[(lane / 4 + 8 * (r / 2)) * 8 + 2 * (lane % 4) + r % 2] = sums[r];
    }
}

// What load_matrix_x4 took apart, store_matrix_x4 puts together.
__global__ void move_matrices(const bf16* in, float* out) {
    SharedMemory memory;
    bf16* from = memory.shared<bf16>(16 * 16);
    bf16* to = memory.shared<bf16>(16 * 16);
    int lane = static_cast<int>(threadIdx.x);
    for (int i = lane; i < 16 * 16; i += 32) from[i] = in[i];
    __syncthreads();
    uint32_t registers[4];
    int row = lane % 16 * 16 + lane / 16 * 8;
    load_matrix_x4(registers, from + row);
    store_matrix_x4(to + row, registers);
    __syncthreads();
    for (int i = lane; i < 8 * 16; i += 32) out[i] = widen(to[i]);
}

struct Data {
    std::vector<float> a, b;
    Scratch<bf16> device_a, device_b;
    Scratch<float> out;
    explicit Data(Context& c)
        : a(16 * 16),
          b(8 * 16),
          device_a(c.memory, 16 * 16),
          device_b(c.memory, 8 * 16),
          out(c.memory, 16 * 8) {
        for (int i = 0; i < 16 * 16; ++i) a[i] = static_cast<float>(i % 13 - 6);
        for (int i = 0; i < 8 * 16; ++i) b[i] = static_cast<float>(i % 7 - 3);
        upload(c, device_a, a);
        upload(c, device_b, b);
    }
    static void upload(Context& c, bf16* to, const std::vector<float>& values) {
        std::vector<bf16> bits;
        for (float value : values) {  // small integers: nothing is rounded
            bits.push_back({static_cast<uint16_t>(__float_as_uint(value) >> 16)});
        }
        c.upload(to, bits.data(), static_cast<int64_t>(bits.size() * sizeof(bf16)));
    }
    void require(Context& c, const std::vector<float>& expected) const {
        std::vector<float> values(16 * 8);
        c.download(values.data(), out, static_cast<int64_t>(values.size() * sizeof(float)));
        for (size_t i = 0; i < values.size(); ++i) {
            if (values[i] != expected[i]) {
                throw std::runtime_error("element " + std::to_string(i) + " is " +
                                         std::to_string(values[i]) + ", expected " +
                                         std::to_string(expected[i]));
            }
        }
    }
    std::vector<float> product() const {
        std::vector<float> d(16 * 8, 1.0f);
        for (int row = 0; row < 16; ++row) {
            for (int column = 0; column < 8; ++column) {
                for (int k = 0; k < 16; ++k)
                    d[row * 8 + column] += a[row * 16 + k] * b[column * 16 + k];
            }
        }
        return d;
    }
};

}  // namespace

std::vector<Check> instruction_checks() {
    auto multiplied = [](void (*kernel)(const bf16*, const bf16*, float*)) {
        return [=](Context& c) {
            Data data(c);
            int64_t bytes = shared_size<bf16>(16 * 16) + shared_size<bf16>(8 * 16);
            launch(c, kernel, 1, 32, bytes, static_cast<const bf16*>(data.device_a.get()),
                   static_cast<const bf16*>(data.device_b.get()), data.out.get());
            data.require(c, data.product());
        };
    };
    return {
        {"a product of fragments", "", multiplied(product<false>)},
        {"a product with two registers swapped", "expected", multiplied(product<true>)},
        {"a product of transposed fragments", "", multiplied(transposed_product)},
        {"matrices loaded and stored", "",
         [](Context& c) {
             Data data(c);
             launch(c, move_matrices, 1, 32, 2 * shared_size<bf16>(16 * 16),
                    static_cast<const bf16*>(data.device_a.get()), data.out.get());
             data.require(c, data.a);
         }},
    };
}

}  // namespace self_test
