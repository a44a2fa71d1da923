// Sums of squares of a linear layer's rows (sanavideo/linear.h) out of its product's epilogue.
//
// The rows' sums over the columns of each warp leave the epilogue, where the values are at hand,
// and a second kernel adds those of each part, both in a fixed order. For the queries and keys of a
// 480p clip in bf16 that is 2 * 40 sums of 56 columns a row, 10 MB written and read, instead of 293
// MB read by a pass over the output. Where the parts do not end between the columns of two warps
// that pass is made.
#pragma once

#include "common/memory.hpp"
#include "common/tensor.hpp"
#include "cuda/context.hpp"
#include "cuda/ops.hpp"

namespace sv::cuda {

// out[row, part] = the sum of the part's slices, in order. from: [parts, slices, rows]. In
// linear.cu.
void add_slices(Context& context, const float* from, int64_t rows, int64_t parts, int64_t slices,
                float* out);

// Queues multiply(), a product in such tiles whose epilogue is `finish`, and the sums of squares
// that the epilogue asks for.
template <typename Tile, typename Finish, typename Multiply>
void with_square_sums(Context& context, const sv_epilogue& epilogue, const sv_tensor& out,
                      Finish& finish, const Multiply& multiply) {
    const sv_tensor* sums = epilogue.square_sums;
    if (sums == nullptr) return multiply();
    int64_t rows = sv::rows(out), parts = epilogue.square_parts, summed = channels(*sums);
    int64_t part = channels(out) / parts;
    if (part % Tile::kWarpColumns != 0) {
        multiply();
        return row_square_sums(context, reshaped(out, {rows, parts, part}), *sums);
    }
    int64_t slices = part / Tile::kWarpColumns;
    Scratch<float> squares(context.memory, summed * slices * rows);
    finish.squares = squares;
    finish.summed_columns = static_cast<int>(summed * part);
    multiply();
    add_slices(context, squares, rows, summed, slices, static_cast<float*>(sums->data));
}

}  // namespace sv::cuda
