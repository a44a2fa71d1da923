// Linear layers; formula in sanavideo/linear.h, the product in gemm.cuh.
//
// Sums of squares: the rows' sums over the columns of each warp leave the product's epilogue, where
// the values are at hand, and a second kernel adds those of each part, both in a fixed order. For
// the queries and keys of a 480p clip in bf16 that is 2 * 40 sums of 56 columns a row, 10 MB
// written and read, instead of 293 MB read by a pass over the output. Where the parts do not end
// between the columns of two warps that pass is made.
#include "common/tensor.hpp"
#include "cuda/context.hpp"
#include "cuda/gemm.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

constexpr int kThreads = 256;  // rows of a block

// out[row, part] = the sum of the part's slices, in order. from: [parts, slices, rows].
__global__ void add_slices(const float* from, int rows, int slices, float* out) {
    int row = blockIdx.x * kThreads + threadIdx.x;
    if (row >= rows) return;
    from += int64_t{blockIdx.y} * slices * rows + row;
    float sum = 0;
#pragma unroll 8
    for (int slice = 0; slice < slices; ++slice) sum += from[int64_t{slice} * rows];
    out[int64_t{row} * gridDim.y + blockIdx.y] = sum;
}

template <typename T>
void run(Context& context, const sv_tensor& in, const DenseWeight& weight,
         const sv_epilogue& epilogue, const sv_tensor& out) {
    int64_t rows = sv::rows(in);
    gemm::Rows<T> operand{static_cast<const T*>(in.data), static_cast<int>(rows),
                          static_cast<int>(channels(in))};
    bool wide = operand.elements % kWide<T> == 0 && aligned(in.data, 16);
    auto finish = gemm::epilogue_of<T, false>(epilogue, out);
    const sv_tensor* sums = epilogue.square_sums;
    int64_t parts = epilogue.square_parts;
    gemm::with_tile<T>(context, rows, weight.columns, wide, [&](auto tile, auto wide_loads) {
        using Tile = decltype(tile);
        auto multiply = [&] {
            gemm::launch_product<Tile, decltype(wide_loads)::value, T>(context, rows, operand,
                                                                       weight, 0, finish);
        };
        if (sums == nullptr) return multiply();
        int64_t part = weight.columns / parts, summed = channels(*sums);
        if (part % Tile::kWarpColumns != 0) {
            multiply();
            return row_square_sums(context, reshaped(out, {rows, parts, part}), *sums);
        }
        int64_t slices = part / Tile::kWarpColumns;
        Scratch<float> squares(context.memory, summed * slices * rows);
        finish.squares = squares;
        finish.summed_columns = static_cast<int>(summed * part);
        multiply();
        dim3 grid(static_cast<unsigned>(divide_up(rows, kThreads)), static_cast<unsigned>(summed));
        launch(context, add_slices, grid, kThreads, 0, static_cast<const float*>(squares.get()),
               static_cast<int>(rows), static_cast<int>(slices), static_cast<float*>(sums->data));
    });
}

}  // namespace

void linear(sv_context& context, const sv_tensor& in, const sv_weight& weight,
            const sv_epilogue& epilogue, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        run<std::remove_pointer_t<decltype(type)>>(c, in, static_cast<const DenseWeight&>(weight),
                                                   epilogue, out);
    });
}

}  // namespace sv::cuda
