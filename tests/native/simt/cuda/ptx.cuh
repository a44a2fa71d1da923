// The instructions of native/cuda/ptx.cuh, modelled on the host: same names, same contracts. They
// are functions of the emulator (instructions.cpp, async_copy.cpp, memory_barrier.cpp), which finds
// the calling line by the return address.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace sv::cuda {

uint32_t pack_bf16x2(float low, float high);
uint32_t multiply_bf16x2(uint32_t a, uint32_t b);
inline float exp2_approximate(float x) { return std::exp2(x); }
float max_or_nan(float a, float b);

void copy_async_16(void* shared, const void* global, int valid = 16);
void copy_async_4(void* shared, const void* global, bool exists = true);
void copy_async_commit();
void copy_async_wait_for(int pending);
template <int Pending>
inline void copy_async_wait() {
    copy_async_wait_for(Pending);
}

void load_matrix_x4(uint32_t (&out)[4], const void* row);
void load_matrix_x4_transposed(uint32_t (&out)[4], const void* row);
void load_matrix_x2(uint32_t (&out)[2], const void* row);
void load_matrix_x2_transposed(uint32_t (&out)[2], const void* row);
void store_matrix_x4(void* row, const uint32_t (&in)[4]);
void mma_bf16_m16n8k16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void mma_nvfp4_m16n8k64(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                        uint32_t scales_a, int lane_a, uint32_t scales_b, int lane_b);
void named_barrier(int id, int threads);

void memory_barrier_init(uint64_t* barrier, int arrivals);
void memory_barrier_arrive(uint64_t* barrier);
void memory_barrier_arrive_expect(uint64_t* barrier, int bytes);
void memory_barrier_wait(uint64_t* barrier, int parity);
void copy_bulk(void* shared, const void* global, int bytes, uint64_t* barrier);

}  // namespace sv::cuda
