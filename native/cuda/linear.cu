// Linear layers; formula in sanavideo/linear.h, the product in gemm.cuh, sums of squares in
// square_sums.cuh, NVFP4 weights in gemm_expand.cuh.
#include "common/tensor.hpp"
#include "cuda/context.hpp"
#include "cuda/gemm.cuh"
#include "cuda/gemm_expand.cuh"
#include "cuda/gemm_nvfp4_epilogue.cuh"
#include "cuda/ops.hpp"
#include "cuda/square_sums.cuh"

namespace sv::cuda {
namespace {

constexpr int kThreads = 256;  // rows of a block

// out[row, part] = the sum of the part's slices, in order. from: [parts, slices, rows].
__global__ void add_slices_of_rows(const float* from, int rows, int slices, float* out) {
    int row = blockIdx.x * kThreads + threadIdx.x;
    if (row >= rows) return;
    from += int64_t{blockIdx.y} * slices * rows + row;
    float sum = 0;
#pragma unroll 8
    for (int slice = 0; slice < slices; ++slice) sum += from[int64_t{slice} * rows];
    out[int64_t{row} * gridDim.y + blockIdx.y] = sum;
}

// small: in small tiles, whatever the shape.
template <typename T, typename Columns, typename Finish>
void multiply(Context& context, const sv_tensor& in, const Columns& columns, bool small,
              const sv_epilogue& epilogue, Finish finish, const sv_tensor& out) {
    int64_t rows = sv::rows(in);
    gemm::Rows<T> operand{static_cast<const T*>(in.data), static_cast<int>(rows),
                          static_cast<int>(channels(in))};
    bool wide = operand.elements % kWide<T> == 0 && aligned(in.data, 16);
    auto in_tiles = [&](auto tile, auto wide_loads) {
        using Tile = decltype(tile);
        with_square_sums<Tile>(context, epilogue, out, finish, [&] {
            gemm::launch_tiles<gemm::Product<T, Tile>, decltype(wide_loads)::value>(
                context, rows, channels(out), operand, columns, finish);
        });
    };
    if (small && wide) return in_tiles(gemm::SmallTile{}, std::true_type{});
    gemm::with_tile<T>(context, rows, channels(out), wide, in_tiles);
}

template <typename T>
void run(Context& context, const sv_tensor& in, const sv_weight& weight,
         const sv_epilogue& epilogue, const sv_tensor& out) {
    if (const Nvfp4Weight* packed = as_nvfp4(weight)) {
        const SlabNvfp4Weight& slabs = in_slabs(*packed);
        multiply<T>(context, in, gemm::expanded<T>(slabs), gemm::needs_small_tiles<T>(epilogue),
                    epilogue,
                    gemm::nvfp4_epilogue_of<T, false>(epilogue, 1, slabs.channel_scales, out), out);
    } else {
        multiply<T>(context, in, gemm::columns_of<T>(static_cast<const DenseWeight&>(weight), 0),
                    false, epilogue, gemm::epilogue_of<T, false>(epilogue, out), out);
    }
}

}  // namespace

void add_slices(Context& context, const float* from, int64_t rows, int64_t parts, int64_t slices,
                float* out) {
    dim3 grid(static_cast<unsigned>(divide_up(rows, kThreads)), static_cast<unsigned>(parts));
    launch(context, add_slices_of_rows, grid, kThreads, 0, from, static_cast<int>(rows),
           static_cast<int>(slices), out);
}

void linear(sv_context& context, const sv_tensor& in, const sv_weight& weight,
            const sv_epilogue& epilogue, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        run<std::remove_pointer_t<decltype(type)>>(c, in, weight, epilogue, out);
    });
}

}  // namespace sv::cuda
