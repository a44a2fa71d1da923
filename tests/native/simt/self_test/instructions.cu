// Fragments of matrices against plain loops.
#include <cmath>
#include <utility>

#include "cuda/number.cuh"
#include "cuda/nvfp4_model.cuh"
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

// D = A B + C of NVFP4, A [16][32 bytes], B [8][32 bytes] (columns of B are rows), with 4 bytes of
// scales a row. Lanes that supply no scale hold no number. Model: by products of bf16.
enum class Fault { kNone, kRowScales, kColumnScales, kHalves };

template <bool Model, Fault Planted>
__global__ void nvfp4_product(const uint8_t* a, const uint32_t* scales_a, const uint8_t* b,
                              const uint32_t* scales_b, int lane_a, int lane_b, float* d) {
    SharedMemory memory;
    uint8_t* tile_a = memory.shared<uint8_t>(16 * 32);
    uint8_t* tile_b = memory.shared<uint8_t>(8 * 32);
    int lane = static_cast<int>(threadIdx.x), g = lane / 4, t = lane % 4;
    for (int i = lane; i < 16 * 32; i += 32) tile_a[i] = a[i];
    for (int i = lane; i < 8 * 32; i += 32) tile_b[i] = b[i];
    __syncthreads();
    uint32_t fragment_a[4], fragment_b[2], row_scales = 0x7f7f7f7fu, column_scales = 0x7f7f7f7fu;
    load_matrix_x4(fragment_a, tile_a + lane % 16 * 32 + lane / 16 * 16);
    load_matrix_x2(fragment_b, tile_b + lane % 8 * 32 + lane / 8 % 2 * 16);
    if (Planted == Fault::kHalves) std::swap(fragment_b[0], fragment_b[1]);
    int lower = Planted == Fault::kRowScales ? 1 - t % 2 : t % 2;
    if (t / 2 == lane_a) row_scales = scales_a[g + 8 * lower];
    if (t == lane_b) column_scales = scales_b[Planted == Fault::kColumnScales ? g ^ 1 : g];
    float sums[4] = {1, 1, 1, 1};
    if (Model) {
        mma_nvfp4_by_bf16(sums, fragment_a, fragment_b, row_scales, lane_a, column_scales, lane_b);
    } else {
        mma_nvfp4_m16n8k64(sums, fragment_a, fragment_b, row_scales, lane_a, column_scales, lane_b);
    }
    for (int r = 0; r < 4; ++r) d[(g + 8 * (r / 2)) * 8 + 2 * t + r % 2] = sums[r];
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

// Codes of all kinds, and scales that are powers of two near 1, so that no sum is rounded.
struct Nvfp4Data {
    std::vector<uint8_t> a, b, scales_a, scales_b;
    Nvfp4Data() : a(16 * 32), b(8 * 32), scales_a(16 * 4), scales_b(8 * 4) {
        uint32_t state = 1;
        auto next = [&] { return (state = state * 1664525 + 1013904223) >> 16; };
        for (auto* codes : {&a, &b}) {
            for (uint8_t& byte : *codes) byte = static_cast<uint8_t>(next());
        }
        for (auto* scales : {&scales_a, &scales_b}) {
            for (uint8_t& byte : *scales) byte = static_cast<uint8_t>((5 + next() % 5) << 3);
        }
    }
    static float value(const std::vector<uint8_t>& codes, const std::vector<uint8_t>& scales,
                       int row, int k) {
        constexpr float kMagnitudes[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
        int code = codes[row * 32 + k / 2] >> k % 2 * 4 & 15;
        float size = std::ldexp(kMagnitudes[code & 7], (scales[row * 4 + k / 16] >> 3) - 7);
        return code & 8 ? -size : size;
    }
    void require(Context& c, bool model, Fault fault, int first_lanes = 0) const {
        Scratch<uint8_t> device_a(c.memory, 16 * 32), device_b(c.memory, 8 * 32);
        Scratch<uint32_t> row_scales(c.memory, 16), column_scales(c.memory, 8);
        Scratch<float> out(c.memory, 16 * 8);
        c.upload(device_a, a.data(), 16 * 32);
        c.upload(device_b, b.data(), 8 * 32);
        c.upload(row_scales, scales_a.data(), 16 * 4);
        c.upload(column_scales, scales_b.data(), 8 * 4);
        auto* kernel = model                           ? nvfp4_product<true, Fault::kNone>
                       : fault == Fault::kRowScales    ? nvfp4_product<false, Fault::kRowScales>
                       : fault == Fault::kColumnScales ? nvfp4_product<false, Fault::kColumnScales>
                       : fault == Fault::kHalves       ? nvfp4_product<false, Fault::kHalves>
                                                       : nvfp4_product<false, Fault::kNone>;
        for (int lanes = first_lanes; lanes < first_lanes + 8; ++lanes) {
            launch(c, kernel, 1, 32, shared_size<uint8_t>(16 * 32) + shared_size<uint8_t>(8 * 32),
                   static_cast<const uint8_t*>(device_a.get()),
                   static_cast<const uint32_t*>(row_scales.get()),
                   static_cast<const uint8_t*>(device_b.get()),
                   static_cast<const uint32_t*>(column_scales.get()), lanes / 4, lanes % 4,
                   out.get());
            compare(c, out);
        }
    }

private:
    void compare(Context& c, const float* out) const {
        std::vector<float> values(16 * 8);
        c.download(values.data(), out, static_cast<int64_t>(values.size() * sizeof(float)));
        for (int i = 0; i < 16 * 8; ++i) {
            float sum = 1;
            for (int k = 0; k < 64; ++k) {
                sum += value(a, scales_a, i / 8, k) * value(b, scales_b, i % 8, k);
            }
            if (values[i] != sum) {
                throw std::runtime_error("element " + std::to_string(i) + " is " +
                                         std::to_string(values[i]) + ", expected " +
                                         std::to_string(sum));
            }
        }
    }
};

// Every code and every scale of nvfp4_codes.cuh against sanavideo/nvfp4.h.
void require_expanded() {
    constexpr float kMagnitudes[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    auto require = [](float value, float expected, const std::string& what) {
        if (value == expected && std::signbit(value) == std::signbit(expected)) return;
        throw std::runtime_error(what + " is " + std::to_string(value) + ", expected " +
                                 std::to_string(expected));
    };
    for (uint32_t codes : {0x76543210u, 0xfedcba98u, 0x08192a3bu}) {
        uint32_t pairs[4];
        nvfp4_codes(codes, pairs);
        for (int i = 0; i < 8; ++i) {
            uint32_t code = codes >> 4 * i & 15;
            float size = kMagnitudes[code & 7];
            require(i % 2 == 0 ? low_half(pairs[i / 2]) : high_half(pairs[i / 2]),
                    (code & 8) != 0 ? -size : size, "code " + std::to_string(code));
        }
    }
    for (uint32_t byte = 0; byte < 0x7f; ++byte) {
        int exponent = static_cast<int>(byte >> 3), fraction = static_cast<int>(byte & 7);
        float value = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -9)
                                    : std::ldexp(static_cast<float>(8 + fraction), exponent - 10);
        require(nvfp4_scale(byte), value, "scale " + std::to_string(byte));
        uint32_t pair = nvfp4_scale_bf16x2(byte);
        require(low_half(pair), value, "the low half of scale " + std::to_string(byte));
        require(high_half(pair), value, "the high half of scale " + std::to_string(byte));
    }
    if (!std::isnan(nvfp4_scale(0x7f)) || !std::isnan(low_half(nvfp4_scale_bf16x2(0x7f)))) {
        throw std::runtime_error("the scale that is no number is one");
    }
}

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
        {"a product of NVFP4 fragments", "",
         [](Context& c) { Nvfp4Data().require(c, false, Fault::kNone); }},
        {"a product of NVFP4 fragments by products of bf16", "",
         [](Context& c) { Nvfp4Data().require(c, true, Fault::kNone); }},
        {"NVFP4 with the scales of rows g and g + 8 swapped", "expected",
         [](Context& c) { Nvfp4Data().require(c, false, Fault::kRowScales); }},
        {"NVFP4 with the scales of neighbouring columns", "expected",
         [](Context& c) { Nvfp4Data().require(c, false, Fault::kColumnScales); }},
        {"NVFP4 with the halves of k swapped", "expected",
         [](Context& c) { Nvfp4Data().require(c, false, Fault::kHalves); }},
        {"NVFP4 with scales of lanes that there are not", "with scales of lanes 2 and 0",
         [](Context& c) { Nvfp4Data().require(c, false, Fault::kNone, 8); }},
        {"NVFP4 codes and scales as bf16", "", [](Context&) { require_expanded(); }},
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
