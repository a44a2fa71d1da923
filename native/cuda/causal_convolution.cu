// The dense convolutions of the VAEs as products over windows (gemm.cuh); formulas in
// sanavideo/convolution.h. A clip's left context stands in front of it in memory, so that nothing
// here knows of streams.
//
// convolution: row r of the product is output position (frame, row, column), its K elements are the
// channels of the input positions that the kernel sees, tap by tap (gemm::Windows); nothing is
// gathered in memory. A thread takes its rows apart once a tile and walks along K by additions.
// What lies outside of a frame is zeros, or pixels of the frame that the index is mirrored to.
//
// upsample_convolution: the doubled image is never made. Of it an output pixel sees two by two
// input pixels, always the same way for those of one parity of row and column, so that each such
// quarter of the output is a convolution of its own: 2x2 taps over the input with the 3x3 kernel's
// weights summed when they were packed. 16 taps for 4 output pixels in place of 36. The epilogue
// puts the rows of a quarter at every other pixel of every other line.
//
// downsample_convolution: windows whose rows and columns begin two apart. What they see right of a
// line and below a frame are the zeros that any window sees there.
//
// Tiles: the VAEs' channels are 96, 192 and 384 (Wan) or powers of two from 128 on (LTX), and a few
// colours or latents, so the columns of a tile are 96, 128 or 16: of 96 or 128 columns a tile has
// 256 rows (f32: 128 x 128), in 88 or 96 KiB of shared memory; 128 x 16 needs 36 KiB and runs
// several blocks a multiprocessor; 64 x 64 is for outputs that are too small for those.
//
// What bounds it, in bf16. Every tile reads its windows from the L2 cache, tap by tap: 70 FLOP a
// byte at 256 x 96 and 85 at 256 x 128. mma.sync at 614 TFLOP/s (gemm.cuh) would take 8.8 TB/s of
// that on an H100; at an assumed 5.5 the cache bounds it, at 380 TFLOP/s. On an RTX 5090 it is 3
// TB/s at 209.5 TFLOP/s: the tensor cores bound it. Device memory is far away: three frames in and
// one out are 0.12 ms of the H100 at 480x832. Three colours are another matter: their tile reads
// 5.8 KB a pixel from the cache and does little with it. (To read less from the cache one would
// keep the neighbouring pixels of a tile in shared memory for all taps of a line.)
//
// Layers of the Wan decoder at 480p, one frame, bf16. Predicted, not measured: H100 at 380 TFLOP/s,
// RTX 5090 at 180, less where the tiles leave multiprocessors idle; colours at 5.5 TB/s of L2.
//   384 -> 384, 3x3x3, 60x104:    0.050 TFLOP   32 MB   H100 0.17 ms   5090 0.47 ms
//   384 -> 384, 3x3x3, 120x208:   0.199        104           0.52           1.1
//   192 -> 192, 3x3x3, 240x416:   0.199        194           0.52           1.1
//    96 ->  96, 3x3x3, 480x832:   0.199        384           0.52           1.1
//    96 ->   3, 3x3x3, 480x832:   0.006        232           0.42           0.42
//   192 ->  96, up to 480x832:    0.059        115           0.16           0.33
// Of the encoder, whose other layers are alike:
//    96 ->  96, down from 480x832: 0.017         96           0.04           0.09
//   192 -> 192, down from 240x416: 0.017         48           0.04           0.09
//   384 -> 384, down from 120x208: 0.017         27           0.04           0.09
// The 81 frames of a clip are 261 TFLOP in the decoder: 0.73 s on an H100, 1.5 s on a 5090. f32, at
// 80% of 66.9 and 104.8 TFLOP/s: 4.9 and 3.1 s. In the encoder they are 163 TFLOP. Its three
// colours come in element by element, as no pixel begins at a multiple of 16 bytes.
#include "common/tensor.hpp"
#include "cuda/context.hpp"
#include "cuda/gemm.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

template <typename T>
using WideTile = std::conditional_t<std::is_same_v<T, float>, gemm::LargeTile<float>,
                                    gemm::Tile<256, 128, 4, 2, 1>>;
using MiddleTile = gemm::Tile<256, 96, 4, 2, 1>;
using NarrowTile = gemm::Tile<128, 16, 4, 1, 3>;

// The epilogue of a product whose row r makes output pixel step * r + what its image line adds.
template <typename T>
struct PixelEpilogue : gemm::Epilogue<T, false> {
    using Plain = gemm::Epilogue<T, false>;

    int step = 1;
    int width = INT32_MAX;  // of a line: rows of the product
    int line_step = 0;      // added for each line above
    int first = 0;          // the pixel that row 0 makes

    struct Columns : Plain::Columns {
        int line_end;  // the first row of the next line
        int offset;    // what this line adds
    };

    template <bool kWide>
    __device__ __forceinline__ Columns columns_at(int column) const {
        return {Plain::template columns_at<kWide>(column), 0, 0};
    }

    // The residual is read at row r: products with a step have none.
    template <bool kWide>
    __device__ __forceinline__ float finish(int row, int column, Columns& kept,
                                            const typename Plain::Fetched& fetched,
                                            float (&sums)[gemm::kGroup]) const {
        if (row >= kept.line_end) {
            int line = row / width;
            kept.line_end = (line + 1) * width;
            kept.offset = line * line_step + first;
        }
        // Rows beyond the last one make pixels beyond the last one.
        return Plain::template finish<kWide>(step * row + kept.offset, column, kept, fetched, sums);
    }
};

// Windows of all frames of a clip, one for each input position.
template <typename T>
gemm::Windows<T> windows_of(const sv_tensor& in) {
    gemm::Windows<T> windows{static_cast<const T*>(in.data)};
    windows.frames = windows.in_frames = static_cast<int>(in.shape[0]);
    windows.height = windows.in_height = static_cast<int>(in.shape[1]);
    windows.width = windows.in_width = static_cast<int>(in.shape[2]);
    windows.channels = static_cast<int>(in.shape[3]);
    return windows;
}

// Kernels count positions in int.
void require_countable(const sv_tensor& tensor, const char* name) {
    if (rows(tensor) > INT32_MAX / 2) {
        fail(SV_UNSUPPORTED, "%s has %ld positions, expected at most %ld", name, long(rows(tensor)),
             long(INT32_MAX / 2));
    }
}

// Queues a product with matrix `matrix` of the weight, in tiles that suit its shape.
template <typename T>
void product(Context& context, const gemm::Windows<T>& in, const DenseWeight& weight,
             int64_t matrix, const PixelEpilogue<T>& epilogue) {
    int64_t rows = int64_t{in.frames} * in.height * in.width;
    auto multiply = [&](auto tile) {
        gemm::launch_product<decltype(tile), true, T>(context, rows, in, weight, matrix, epilogue);
    };
    auto time = [&](auto tile) {
        return gemm::tile_time<decltype(tile)>(context, rows, weight.columns);
    };
    int64_t widest = time(WideTile<T>{}), middle = time(MiddleTile{}),
            small = time(gemm::SmallTile{});
    if (in.channels % kWide<T> != 0 || !aligned(in.data, 16)) {
        gemm::launch_product<gemm::SmallTile, false, T>(context, rows, in, weight, matrix,
                                                        epilogue);
    } else if (weight.columns <= NarrowTile::kColumns) {
        multiply(NarrowTile{});
    } else if (small < std::min(widest, middle)) {
        multiply(gemm::SmallTile{});
    } else if (middle < widest) {
        multiply(MiddleTile{});
    } else {
        multiply(WideTile<T>{});
    }
}

}  // namespace

void convolution(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                 sv_padding padding, const sv_epilogue& epilogue, const sv_tensor& out) {
    Context& c = enter(context);
    require_countable(in, "in");
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        gemm::Windows<T> windows = windows_of<T>(in);
        windows.frames = static_cast<int>(out.shape[0]);
        windows.frame_taps = static_cast<int>(weight.shape[2]);
        windows.row_taps = static_cast<int>(weight.shape[3]);
        windows.column_taps = static_cast<int>(weight.shape[4]);
        windows.first_row = -(windows.row_taps / 2);
        windows.first_column = -(windows.column_taps / 2);
        windows.reflects = padding == SV_PADDING_REFLECT;
        product<T>(c, windows, static_cast<const DenseWeight&>(weight), 0,
                   {gemm::epilogue_of<T, false>(epilogue, out)});
    });
}

void downsample_convolution(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                            const sv_tensor* bias, const sv_tensor& out) {
    Context& c = enter(context);
    require_countable(in, "in");
    sv_epilogue plain{};
    plain.bias = bias;
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        gemm::Windows<T> windows = windows_of<T>(in);
        windows.height = static_cast<int>(out.shape[1]);
        windows.width = static_cast<int>(out.shape[2]);
        windows.stride = 2;
        windows.row_taps = windows.column_taps = 3;
        product<T>(c, windows, static_cast<const DenseWeight&>(weight), 0,
                   {gemm::epilogue_of<T, false>(plain, out)});
    });
}

void upsample_convolution(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                          const sv_tensor* bias, const sv_tensor& out) {
    Context& c = enter(context);
    require_countable(out, "out");
    sv_epilogue plain{};
    plain.bias = bias;
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        for (int quarter = 0; quarter < 4; ++quarter) {
            int row_parity = quarter / 2, column_parity = quarter % 2;
            gemm::Windows<T> windows = windows_of<T>(in);
            windows.row_taps = windows.column_taps = 2;
            windows.first_row = row_parity - 1;
            windows.first_column = column_parity - 1;
            PixelEpilogue<T> epilogue{gemm::epilogue_of<T, false>(plain, out)};
            epilogue.step = 2;
            epilogue.width = windows.width;
            epilogue.line_step = 2 * windows.width;
            epilogue.first = row_parity * 2 * windows.width + column_parity;
            product<T>(c, windows, static_cast<const DenseWeight&>(weight), quarter, epilogue);
        }
    });
}

}  // namespace sv::cuda
