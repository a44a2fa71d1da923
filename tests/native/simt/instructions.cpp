// The PTX instructions of cuda/ptx.cuh, all but the asynchronous copies. Fragments:
// native/cuda/ptx.cuh.
#include <cuda_runtime.h>

#include <cstdlib>

#include "cuda/ptx.cuh"
#include "simt/block.hpp"

namespace simt {
namespace {

uint16_t round_to_bf16(float value) {
    uint32_t bits = __float_as_uint(value);
    if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fff;  // NaN, as the card has it
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float low(uint32_t pair) { return __uint_as_float(pair << 16); }
float high(uint32_t pair) { return __uint_as_float(pair & 0xffff0000); }

// Written apart from native/cuda/nvfp4_codes.cuh, which it is compared with.
float code_value(uint32_t code) {
    constexpr float kMagnitudes[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
    return code & 8 ? -kMagnitudes[code & 7] : kMagnitudes[code & 7];
}

float scale_value(uint32_t byte) {
    if (byte >= 0x7f) return __uint_as_float(0x7fffffff);  // no number; there are no signs
    int exponent = static_cast<int>(byte >> 3), fraction = static_cast<int>(byte & 7);
    return exponent == 0 ? std::ldexp(static_cast<float>(fraction), -9)
                         : std::ldexp(static_cast<float>(8 + fraction), exponent - 10);
}

struct MatrixLane {
    const uint16_t* row;
    uint32_t* out;
};

template <int Matrices>
void load_matrices(uint32_t* out, const void* row, bool transposed, const char* what,
                   const void* place) {
    Block& block = *current_block();
    if (block.running().lane() < 8 * Matrices) {
        if (!block.is_shared(row))
            block.stop(place, std::string(what) + " of memory that is not shared");
        block.check_access(row, 16, Use::kRead, place);
    }
    MatrixLane mine{static_cast<const uint16_t*>(row), out};
    block.meet(kAllLanes, what, place, true, &mine, [&](void* const* lanes) {
        auto lane = [&](int i) { return static_cast<MatrixLane*>(lanes[i]); };
        for (int i = 0; i < kLanes; ++i) {
            int g = i / 4, t = i % 4;
            for (int m = 0; m < Matrices; ++m) {
                auto at = [&](int r, int c) { return uint32_t{lane(8 * m + r)->row[c]}; };
                lane(i)->out[m] = transposed ? at(2 * t, g) | at(2 * t + 1, g) << 16
                                             : at(g, 2 * t) | at(g, 2 * t + 1) << 16;
            }
        }
    });
}

struct StoreLane {
    uint16_t* row;
    const uint32_t* in;
};

struct ProductLane {
    float* d;
    const uint32_t *a, *b;
};

struct ScaledLane {
    float* d;
    const uint32_t *a, *b;
    uint32_t scales_a, scales_b;
    int lane_a, lane_b;
};

}  // namespace
}  // namespace simt

namespace sv::cuda {

uint32_t pack_bf16x2(float low, float high) {
    return simt::round_to_bf16(low) | uint32_t{simt::round_to_bf16(high)} << 16;
}

uint32_t multiply_bf16x2(uint32_t a, uint32_t b) {
    return pack_bf16x2(simt::low(a) * simt::low(b), simt::high(a) * simt::high(b));
}

float max_or_nan(float a, float b) { return a != a || b != b ? a + b : a < b ? b : a; }

void load_matrix_x4(uint32_t (&out)[4], const void* row) {
    simt::load_matrices<4>(out, row, false, "load_matrix_x4", __builtin_return_address(0));
}

void load_matrix_x4_transposed(uint32_t (&out)[4], const void* row) {
    simt::load_matrices<4>(out, row, true, "load_matrix_x4_transposed",
                           __builtin_return_address(0));
}

void load_matrix_x2(uint32_t (&out)[2], const void* row) {
    simt::load_matrices<2>(out, row, false, "load_matrix_x2", __builtin_return_address(0));
}

void load_matrix_x2_transposed(uint32_t (&out)[2], const void* row) {
    simt::load_matrices<2>(out, row, true, "load_matrix_x2_transposed",
                           __builtin_return_address(0));
}

void store_matrix_x4(void* row, const uint32_t (&in)[4]) {
    using namespace simt;
    Block& block = *current_block();
    const void* place = __builtin_return_address(0);
    if (!block.is_shared(row)) block.stop(place, "store_matrix_x4 to memory that is not shared");
    block.check_access(row, 16, Use::kWrite, place);
    StoreLane mine{static_cast<uint16_t*>(row), in};
    block.meet(kAllLanes, "store_matrix_x4", place, true, &mine, [](void* const* lanes) {
        auto lane = [&](int i) { return static_cast<StoreLane*>(lanes[i]); };
        for (int i = 0; i < kLanes; ++i) {
            for (int m = 0; m < 4; ++m) {
                uint16_t* to = lane(8 * m + i / 4)->row + 2 * (i % 4);
                to[0] = static_cast<uint16_t>(lane(i)->in[m]);
                to[1] = static_cast<uint16_t>(lane(i)->in[m] >> 16);
            }
        }
    });
}

void mma_bf16_m16n8k16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    simt::ProductLane mine{d, a, b};
    const void* place = __builtin_return_address(0);
    simt::current_block()->meet(
        simt::kAllLanes, "mma_bf16_m16n8k16", place, true, &mine, [](void* const* lanes) {
            float a[16][16], b[16][8];
            for (int i = 0; i < simt::kLanes; ++i) {
                auto* lane = static_cast<simt::ProductLane*>(lanes[i]);
                int g = i / 4, t = i % 4;
                for (int r = 0; r < 4; ++r) {
                    int row = g + 8 * (r & 1), k = 2 * t + 8 * (r >> 1);
                    a[row][k] = simt::low(lane->a[r]);
                    a[row][k + 1] = simt::high(lane->a[r]);
                }
                for (int r = 0; r < 2; ++r) {
                    int k = 2 * t + 8 * r;
                    b[k][g] = simt::low(lane->b[r]);
                    b[k + 1][g] = simt::high(lane->b[r]);
                }
            }
            for (int i = 0; i < simt::kLanes; ++i) {
                auto* lane = static_cast<simt::ProductLane*>(lanes[i]);
                for (int r = 0; r < 4; ++r) {
                    int row = i / 4 + 8 * (r >> 1), column = 2 * (i % 4) + (r & 1);
                    float sum = lane->d[r];
                    for (int k = 0; k < 16; ++k) sum += a[row][k] * b[k][column];
                    lane->d[r] = sum;
                }
            }
        });
}

void mma_nvfp4_m16n8k64(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                        uint32_t scales_a, int lane_a, uint32_t scales_b, int lane_b) {
    simt::Block& block = *simt::current_block();
    const void* place = __builtin_return_address(0);
    if (lane_a < 0 || lane_a > 1 || lane_b < 0 || lane_b > 3) {
        block.stop(place, "mma_nvfp4_m16n8k64 with scales of lanes " + std::to_string(lane_a) +
                              " and " + std::to_string(lane_b));
    }
    simt::ScaledLane mine{d, a, b, scales_a, scales_b, lane_a, lane_b};
    block.meet(simt::kAllLanes, "mma_nvfp4_m16n8k64", place, true, &mine, [](void* const* lanes) {
        auto lane = [&](int i) { return static_cast<simt::ScaledLane*>(lanes[i]); };
        static const int swapped = std::getenv("SIMT_NVFP4_SWAPPED") != nullptr ? 1 : 0;
        float a[16][64], b[64][8];
        for (int i = 0; i < simt::kLanes; ++i) {
            int g = i / 4, t = i % 4;
            for (int j = 0; j < 8; ++j) {
                auto code = [&](uint32_t word) { return simt::code_value(word >> 4 * j & 15); };
                for (int r = 0; r < 4; ++r) {
                    a[g + 8 * (r & 1)][8 * t + 32 * (r >> 1) + j] = code(lane(i)->a[r]);
                }
                for (int r = 0; r < 2; ++r) b[8 * t + 32 * r + j][g] = code(lane(i)->b[r]);
            }
        }
        auto scale = [](uint32_t bytes, int k) {
            return simt::scale_value(bytes >> 8 * (k / 16) & 0xff);
        };
        for (int k = 0; k < 64; ++k) {
            for (int row = 0; row < 16; ++row) {
                int supplier = 4 * (row % 8) + 2 * lane(0)->lane_a + (row / 8 ^ swapped);
                a[row][k] *= scale(lane(supplier)->scales_a, k);
            }
            for (int column = 0; column < 8; ++column) {
                b[k][column] *= scale(lane(4 * column + lane(0)->lane_b)->scales_b, k);
            }
        }
        for (int i = 0; i < simt::kLanes; ++i) {
            for (int r = 0; r < 4; ++r) {
                int row = i / 4 + 8 * (r >> 1), column = 2 * (i % 4) + (r & 1);
                float sum = lane(i)->d[r];
                for (int k = 0; k < 64; ++k) sum += a[row][k] * b[k][column];
                lane(i)->d[r] = sum;
            }
        }
    });
}

void named_barrier(int id, int threads) {
    simt::current_block()->wait_at_barrier(id, threads, "named_barrier",
                                           __builtin_return_address(0));
}

}  // namespace sv::cuda
