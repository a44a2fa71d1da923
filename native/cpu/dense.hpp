// Dense products with a fused epilogue: what linear layers and convolutions share.
#pragma once

#include "common/context.hpp"
#include "cpu/weight.hpp"
#include "sanavideo/nvfp4.h"

namespace sv::cpu {
inline namespace SV_VARIANT {

// The rows that a product multiplies. Output position (frame, row, column) sees one input row of
// `channels` elements a tap: that at frame + first_frame + tap's frame, at stride * row
// + first_row + tap's row, and so on. Positions
// outside the input read zeros, those in the frame before the first one `previous` where there is
// one, those outside a frame that reflects the pixel on the other side of its edge. A linear layer
// has a single tap and all its rows as columns.
struct Window {
    const void* in;
    const void* previous = nullptr;             // [in_height, in_width, channels]
    int64_t frames = 1, height = 1, width = 1;  // of the output
    int64_t in_frames = 1, in_height = 1, in_width = 1;
    int64_t stride = 1;  // of rows and columns: from what a position sees to what the next one does
    int64_t frame_taps = 1, row_taps = 1, column_taps = 1;
    int64_t first_frame = 0, first_row = 0, first_column = 0;  // where tap 0 reads
    bool reflects = false;                                     // rows and columns, by less than one
};

// A position less than `size` outside of [0, size), mirrored about the outermost ones.
inline int64_t mirrored(int64_t position, int64_t size) {
    if (position < 0) return -position;
    return position < size ? position : 2 * (size - 1) - position;
}

// What happens to a row of sums, in fp32: out = residual + gate * activation(sums + bias +
// low-rank correction + identity). Row r is out's row r, or for an upsampled quarter that of its
// pixel in the doubled image.
struct Epilogue {
    void* out;
    const float* bias = nullptr;
    sv_activation activation = SV_NO_ACTIVATION;
    const float* gate = nullptr;
    int64_t gate_stride = 0;  // from one group's row of gates to the next
    int64_t rows_per_group = 1;
    const void* identity = nullptr;
    const void* residual = nullptr;
    int64_t first_group_row = 0;  // added to r when its group or its quantised row is looked up
    int64_t scale = 1;            // of height and width: 2 for an upsampled quarter
    int64_t row_phase = 0, column_phase = 0;
    // Of NVFP4 products: what is left out of operands, and what corrects the weight.
    float input_scale = 1;
    const void* low_rank = nullptr;  // [rows, rank]
    const DenseWeight* low_rank_up = nullptr;
    const sv_nvfp4_matrix* quantized = nullptr;
};

// The ABI's epilogue of a product that is stored to out.
Epilogue epilogue_of(const sv_epilogue& epilogue, const sv_tensor& out);

// Finishes sums that were stored: [rows, columns] of dtype. The epilogue's out may be the sums.
void finish_stored(sv_context& context, const void* sums, sv_dtype dtype, int64_t rows,
                   int64_t columns, const Epilogue& epilogue);

// Multiplies every row of the window, of dtype, by one matrix of the weight: a dense one of that
// dtype, or an NVFP4 one. Sums over taps and channels in fp32, rounded once when stored. Stops
// early, with an error, when the context is cancelled.
void dense_product(sv_context& context, const Window& window, const sv_weight& weight,
                   sv_dtype dtype, int64_t matrix, const Epilogue& epilogue);

}  // namespace SV_VARIANT
}  // namespace sv::cpu
