// Every PTX instruction that kernels use, each behind one function. Nothing else in native/cuda
// holds assembly, so that a host model of these functions runs the kernels without a GPU.
//
// Fragments of the m16n8k16 product, with g = lane / 4 and t = lane % 4 (PTX ISA, "Matrix fragments
// for mma.m16n8k16"); a register holds two neighbours along k, the lower k in its lower half:
//   a[0]: row g,     k 2t, 2t+1        b[0]: column g, k 2t, 2t+1
//   a[1]: row g + 8, k 2t, 2t+1        b[1]: column g, k 2t+8, 2t+9
//   a[2]: row g,     k 2t+8, 2t+9      d[0], d[1]: row g,     columns 2t, 2t+1
//   a[3]: row g + 8, k 2t+8, 2t+9      d[2], d[3]: row g + 8, columns 2t, 2t+1
// Those of the m16n8k64 product of E2M1 codes (PTX ISA, "Matrix fragments for mma.m16n8k64" and
// "Block scaling"); a register holds eight neighbours along k, the lowest k in its lowest bits:
//   a[0]: row g,     k 8t to 8t+7      b[0]: column g, k 8t to 8t+7
//   a[1]: row g + 8, k 8t to 8t+7      b[1]: column g, k 8t+32 to 8t+39
//   a[2]: row g,     k 8t+32 to 8t+39  d: as above
//   a[3]: row g + 8, k 8t+32 to 8t+39
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace sv::cuda {

// nvfp4_model.cuh
__device__ void mma_nvfp4_by_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                                  uint32_t scales_a, int lane_a, uint32_t scales_b, int lane_b);

// Two floats as bf16, rounded to nearest even: `low` in the lower half.
__device__ __forceinline__ uint32_t pack_bf16x2(float low, float high) {
    uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

// The products of the halves of two registers of bf16, rounded to nearest even.
__device__ __forceinline__ uint32_t multiply_bf16x2(uint32_t a, uint32_t b) {
    uint32_t product;  // plus -0, which leaves a product as it is; a mul came with 9.0
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(product) : "r"(a), "r"(b), "r"(0x80008000u));
    return product;
}

// 2^x, off by 2 units in the last place; what is too small for a normal number becomes 0.
__device__ __forceinline__ float exp2_approximate(float x) {
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
    return power;
}

// The larger of two floats; NaN when one is.
__device__ __forceinline__ float max_or_nan(float a, float b) {
    float larger;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(larger) : "f"(a), "f"(b));
    return larger;
}

__device__ __forceinline__ uint32_t shared_address(const void* shared) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
}

// Starts a copy of 16 bytes from global to shared memory, both aligned to 16; `valid` of them (0 to
// 16) are read, the rest becomes zero.
__device__ __forceinline__ void copy_async_16(void* shared, const void* global, int valid = 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
                 "l"(global), "r"(valid)
                 : "memory");
}

// The same of 4 bytes, aligned to 4: all or none of them.
__device__ __forceinline__ void copy_async_4(void* shared, const void* global, bool exists = true) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(shared)),
                 "l"(global), "r"(exists ? 4 : 0)
                 : "memory");
}

// Closes a group of this thread's copies.
__device__ __forceinline__ void copy_async_commit() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits until at most Pending of this thread's groups are still under way. Other threads see the
// copies after a barrier.
template <int Pending>
__device__ __forceinline__ void copy_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

// Loads four 8x8 matrices of 16-bit elements. Lane i passes the address of row i % 8 (16 bytes,
// aligned) of matrix i / 8; register m gets elements 2t, 2t+1 of row g of matrix m.
__device__ __forceinline__ void load_matrix_x4(uint32_t (&out)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// The same, transposed: register m gets elements g of rows 2t and 2t+1 of matrix m.
__device__ __forceinline__ void load_matrix_x4_transposed(uint32_t (&out)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// Two matrices; lanes 0 to 15 pass the rows, those of the others are ignored.
__device__ __forceinline__ void load_matrix_x2(uint32_t (&out)[2], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(out[0]), "=r"(out[1])
                 : "r"(shared_address(row))
                 : "memory");
}

__device__ __forceinline__ void load_matrix_x2_transposed(uint32_t (&out)[2], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(out[0]), "=r"(out[1])
                 : "r"(shared_address(row))
                 : "memory");
}

// d += a b: bf16 operands, fp32 accumulation.
__device__ __forceinline__ void mma_bf16_m16n8k16(float (&d)[4], const uint32_t (&a)[4],
                                                  const uint32_t (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
        "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// d += a b of E2M1 codes with a UE4M3 scale for each 16 of them along k, fp32 accumulation. A
// register of scales has one byte for each 16 of the 64 k, the lowest k in the lowest byte. For the
// rows of a those of lanes 4g + 2 lane_a (row g) and 4g + 2 lane_a + 1 (row g + 8) are read, lane_a
// being 0 or 1; for column g of b that of lane 4g + lane_b, 0 to 3; those of other lanes are
// ignored.
//
// An instruction of compute capability 12.0 (sm_120a); elsewhere its model of nvfp4_model.cuh.
__device__ __forceinline__ void mma_nvfp4_m16n8k64(float (&d)[4], const uint32_t (&a)[4],
                                                   const uint32_t (&b)[2], uint32_t scales_a,
                                                   int lane_a, uint32_t scales_b, int lane_b) {
#ifdef __CUDA_ARCH_FEAT_SM120_ALL
    asm volatile(
        "mma.sync.aligned.m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::4X"
        ".f32.e2m1.e2m1.f32.ue4m3 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3}, "
        "%10, {%11, %12}, %13, {%11, %14};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(scales_a),
          "h"(short{0}), "h"(static_cast<short>(lane_a)), "r"(scales_b),
          "h"(static_cast<short>(lane_b)));
#else
    mma_nvfp4_by_bf16(d, a, b, scales_a, lane_a, scales_b, lane_b);
#endif
}

// Stores four 8x8 matrices of 16-bit elements, laid out as load_matrix_x4 loads them. Compute
// capability 9.0 and up.
__device__ __forceinline__ void store_matrix_x4(void* row, const uint32_t (&in)[4]) {
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(
                     shared_address(row)),
                 "r"(in[0]), "r"(in[1]), "r"(in[2]), "r"(in[3])
                 : "memory");
}

// Barriers in shared memory that count bytes, and the bulk copies that they count: compute
// capability 9.0 and up. A phase ends when `arrivals` threads have arrived and every byte that they
// expect has landed; phases alternate in parity, beginning with 0.
__device__ __forceinline__ void memory_barrier_init(uint64_t* barrier, int arrivals) {
    asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals)
                 : "memory");
}

__device__ __forceinline__ void memory_barrier_arrive(uint64_t* barrier) {
    asm volatile("mbarrier.arrive.shared.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}

// Arrives, and makes the phase wait for this many bytes more.
__device__ __forceinline__ void memory_barrier_arrive_expect(uint64_t* barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
                 "r"(bytes)
                 : "memory");
}

// Waits until the phase of this parity has ended.
__device__ __forceinline__ void memory_barrier_wait(uint64_t* barrier, int parity) {
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "again:\n"
        "mbarrier.try_wait.parity.shared.b64 done, [%0], %1;\n"
        "@!done bra again;\n"
        "}" ::"r"(shared_address(barrier)),
        "r"(parity)
        : "memory");
}

// Starts a copy from global to shared memory, both aligned to 16, bytes a multiple of 16; the
// barrier counts the bytes as they land.
__device__ __forceinline__ void copy_bulk(void* shared, const void* global, int bytes,
                                          uint64_t* barrier) {
    asm volatile(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::
            "r"(shared_address(shared)),
        "l"(global), "r"(bytes), "r"(shared_address(barrier))
        : "memory");
}

// Waits until `threads` threads of the block (a multiple of 32) have come to barrier `id` (1 to
// 15).
__device__ __forceinline__ void named_barrier(int id, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

}  // namespace sv::cuda

#include "cuda/nvfp4_model.cuh"
