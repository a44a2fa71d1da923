// Products of NVFP4 operands; formulas in sanavideo/nvfp4.h. The skeleton is that of gemm.cuh, the
// operands are those of gemm_nvfp4.cuh, what comes after is in gemm_nvfp4_epilogue.cuh.
//
// out = epilogue(global scale of in * global scale of the column * sum of code * scale * code *
// scale), the sum in the instruction of compute capability 12.0 for sm_120a, in products of bf16
// elsewhere (ptx.cuh).
//
// Tiles of 128 x 224 and 128 x 160 divide the widths of the model (2240, 6720, 13440: 224 is two
// heads), 64 x 64 is for small outputs; the one whose tiles take the multiprocessors least time is
// taken. Warps make 32 rows by 112 or 80 columns, so that blocks of 16 results lie in one warp.
//
// Shared memory: four slots of 36 bytes a row, 50,688 bytes for 128 x 224, in whose place come
// 76,672 of fp32 sums at the end: one block of 256 threads a multiprocessor, with 214 registers
// each for sm_120a, 112 of which are sums.
//
// What bounds it on an RTX 5090 (170 multiprocessors, 2048 multiply-adds a cycle each): a slice of
// a tile of 128 x 224 is 896 cycles of the tensor cores, in which 41 KB of fragments and scales are
// read from shared memory (46 bytes a cycle of 128) and 12.7 KB from the L2 cache (14 bytes a
// cycle). An estimated 5 to 8 thousand cycles of epilogue after 31 thousand of product (depth 2240)
// are not hidden, with one block a multiprocessor. On other cards the instructions that expand
// operands bound it, 4200 a slice and warp: some six times as long as bf16 takes on an H100.
//
// The temporal convolution is a product of depth 3 * channels, whose taps are windows of one
// matrix: a frame earlier, at, and a frame later. What lies before the first frame and after the
// last is copied as zeros. It reads each slab three times, of which two hit the L2 cache.
//
// Time at 480p with guidance (65520 rows), predicted, not measured, on an RTX 5090 at 70% of 1676
// TFLOP/s, and memory's part of it, bf16 out:
//   QKV 2240 -> 6720:          1.973 TFLOP   1.7 ms   0.54 ms
//   2240 -> 2240:              0.658 TFLOP   0.56 ms  0.21 ms
//   2240 -> 13440:             3.945 TFLOP   3.4 ms   1.04 ms
//   6720 -> 2240:              1.973 TFLOP   1.7 ms   0.31 ms
//   temporal, 3 * 2240 -> 2240: 1.973 TFLOP  1.7 ms   0.22 ms
#include "common/tensor.hpp"
#include "cuda/context.hpp"
#include "cuda/gemm_nvfp4.cuh"
#include "cuda/gemm_nvfp4_epilogue.cuh"
#include "cuda/nvfp4_probe.hpp"
#include "cuda/ops.hpp"
#include "cuda/square_sums.cuh"

namespace sv::cuda {
namespace {

using WideTile = gemm::Tile<128, 224, 4, 2, 1>;
using MiddleTile = gemm::Tile<128, 160, 4, 2, 1>;
using gemm::SmallTile;

// Calls body(tile) with the one that suits an output.
template <typename Body>
void with_tile(const Context& context, int64_t rows, int64_t columns, const Body& body) {
    int64_t wide = gemm::tile_time<WideTile>(context, rows, columns);
    int64_t middle = gemm::tile_time<MiddleTile>(context, rows, columns);
    int64_t small = gemm::tile_time<SmallTile>(context, rows, columns);
    if (small < std::min(wide, middle)) {
        body(SmallTile{});
    } else if (middle < wide) {
        body(MiddleTile{});
    } else {
        body(WideTile{});
    }
}

// Rows, columns and slabs are counted in int.
void require_countable(int64_t rows, const SlabNvfp4Weight& weight) {
    count_of(rows, "rows");
    count_of(weight.columns, "columns");
    count_of(weight.slabs(), "slabs");
}

template <typename Tile, int kTaps, typename Epilogue>
void multiply(Context& context, const gemm::SlabWindows<kTaps>& in, const SlabNvfp4Weight& weight,
              const Epilogue& epilogue) {
    gemm::launch_tiles<gemm::Product<gemm::fp4x2, Tile>, true>(context, in.rows, weight.columns, in,
                                                               gemm::slabs_of(weight), epilogue);
}

}  // namespace

void nvfp4_linear(sv_context& context, const sv_nvfp4_matrix& in, const Nvfp4Weight& weight,
                  const sv_epilogue& epilogue, const sv_tensor& out) {
    Context& c = enter(context);
    const SlabNvfp4Weight& columns = in_slabs(weight);
    require_nvfp4_products(c);
    require_countable(in.rows, columns);
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto finish = gemm::nvfp4_epilogue_of<T, false>(epilogue, in.global_scale,
                                                        columns.channel_scales, out);
        with_tile(c, in.rows, columns.columns, [&](auto tile) {
            using Tile = decltype(tile);
            with_square_sums<Tile>(c, epilogue, out, finish, [&] {
                multiply<Tile>(c, gemm::slabs_of<1>(in), columns, finish);
            });
        });
    });
}

void nvfp4_temporal_convolution(sv_context& context, const sv_nvfp4_matrix& in,
                                const sv_tensor& identity, const Nvfp4Weight& weight,
                                const sv_epilogue& epilogue, const sv_tensor& out) {
    Context& c = enter(context);
    const SlabNvfp4Weight& columns = in_slabs(weight);
    require_nvfp4_products(c);
    require_countable(in.rows, columns);
    int64_t clip_rows = out.shape[1] * out.shape[2], clip_size = clip_rows * channels(out);
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto finish = gemm::nvfp4_epilogue_of<T, true>(epilogue, in.global_scale,
                                                       columns.channel_scales, out);
        finish.identity = static_cast<const T*>(identity.data);
        finish.wide = finish.wide && aligned(finish.identity, gemm::kGroup * sizeof(T));
        finish.rows = static_cast<int>(clip_rows);
        gemm::SlabWindows<3> frames = gemm::slabs_of<3>(in);
        frames.rows = static_cast<int>(clip_rows);
        frames.pixels = static_cast<int>(out.shape[2]);
        with_tile(c, clip_rows, columns.columns, [&](auto tile) {
            for (int64_t clip = 0; clip < out.shape[0]; ++clip) {
                multiply<decltype(tile)>(c, frames, columns, finish);
                frames.codes += clip_rows * sv::nvfp4::kSlabCodeBytes;
                frames.scales += clip_rows * sv::nvfp4::kSlabScaleBytes;
                finish.identity += clip_size;
                finish.out += clip_size;
                if (finish.residual != nullptr) finish.residual += clip_size;
                finish.first_group_row += static_cast<int>(clip_rows);
            }
        });
    });
}

}  // namespace sv::cuda
