// Convolutions of 3x3x3 taps in f32 with fewer multiplications: Winograd's F(2x2, 3x3), formula (8)
// of Lavin & Gray 2015, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308). A
// square of 2x2 output pixels sees 4x4 input pixels d, in each of three frames:
//
//   out = A^T [ sum over frames and channels of (G g G^T) * (B^T d B) ] A
//
// with g the kernel's 3x3 taps, * element by element, and
//
//         1  0 -1  0         1    0    0
//   B^T = 0  1  1  0     G = 1/2  1/2  1/2     A^T = 1  1  1  0
//         0 -1  1  0         1/2 -1/2  1/2           0  1 -1 -1
//         0  1  0 -1         0    0    1
//
// Each of the 16 positions of a transform is a product of matrices by itself, [squares, frames *
// channels] times [frames * channels, columns]: 16 multiplications where cpu/dense.cpp, which is
// the specification, has 36.
//
// Weights: transformed once, when they are packed, in place of the direct panels: 16/9 of their
// bytes, 28 MB for 384 to 384 channels, which take 20 ms to pack where the direct ones took 8 (two
// Zen 4 cores). Nothing else reads a weight of three frames; those of one frame are left alone
// since the downsampling convolution, of stride 2, reads them.
//
// Tasks: a block of squares with all panels of columns, or some where blocks are few. It transforms
// the input into scratch, then goes panel by panel and position by position: the weights of one
// (384 channels: 295 KB) stay in the L2 cache while the register tiles of all squares pass by, each
// of which sums three frames before it is stored. The frames of a place follow each other, so that
// in a clip of many frames an input square is transformed once for the three that see it. A thread
// has scratch for 4.4 MB of inputs at 384 channels, of which a long clip touches 1.5, and 245 KB of
// sums on AVX-512; contexts that only count count it. Blocks of 42, 90 and 120 squares were none of
// them faster at every width from 96 to 1024.
//
// Bound: the multipliers, as in cpu/dense.cpp. An input square takes 32 additions a channel and an
// output square 24 a column, beside 48 multiply-adds for each pair of them. In `bench vae --dtype
// f32` on two Zen 4 cores at 3.65 GHz, AVX-512, 70% of the samples of `perf` are in the tiles, 6.5%
// in the transforms of inputs and 2.5% in those of outputs.
//
// Accuracy: the inputs' transform only adds, the weights' is rounded once more; but sums are
// shorter, and errors come out smaller than the direct way's: of Gaussian numbers against sums in
// double 5.4e-7 (96 channels) and 1.0e-6 (384) in relative L2, where that has 8.8e-7 and 1.65e-6. A
// NaN reaches the pixels that see it and no others.
//
// Bits: which weights are transformed, and the order of every sum, depend on the weight alone: a
// frame is the same in every clip and with any number of threads.
#include "cpu/winograd.hpp"

#include <algorithm>
#include <cstring>

#include "cpu/epilogue.hpp"
#include "cpu/parallel.hpp"
#include "cpu/tile.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace winograd {
namespace {

constexpr int64_t kMinDepth = 16;  // fewer channels leave vectors empty
constexpr int64_t kTaskSquares = 60;
static_assert(kTaskSquares % kTileRows == 0);
constexpr int64_t kTileSums = kTileRows * kPanelColumns;
constexpr int64_t kGap = 80;  // floats between the inputs of two positions

// Copies, since a template's argument loses what Vector says of its alignment.
template <typename V>
inline V load(const float* from) {
    V value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <typename V>
inline void store(float* to, V value) {
    std::memcpy(to, &value, sizeof value);
}

// out[position * step] = B^T pixels B, for as many channels as V holds, from k on.
template <typename V>
inline void transform_pixels(const float* const (&pixels)[4][4], int64_t k, float* out,
                             int64_t step) {
    V rows[4][4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        V a = load<V>(pixels[i][0] + k), b = load<V>(pixels[i][1] + k);
        V c = load<V>(pixels[i][2] + k), d = load<V>(pixels[i][3] + k);
        rows[i][0] = a - c;
        rows[i][1] = b + c;
        rows[i][2] = c - b;
        rows[i][3] = b - d;
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
        store<V>(out + j * step, rows[0][j] - rows[2][j]);
        store<V>(out + (4 + j) * step, rows[1][j] + rows[2][j]);
        store<V>(out + (8 + j) * step, rows[2][j] - rows[1][j]);
        store<V>(out + (12 + j) * step, rows[1][j] - rows[3][j]);
    }
}

// out[2 * row + column] = A^T sums A, for a vector of columns from n on.
inline void transform_sums(const float* sums, int64_t step, float (&out)[4][kPanelColumns],
                           int64_t n) {
    Vector rows[2][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
        Vector a = load<Vector>(sums + j * step), b = load<Vector>(sums + (4 + j) * step);
        Vector c = load<Vector>(sums + (8 + j) * step), d = load<Vector>(sums + (12 + j) * step);
        rows[0][j] = a + b + c;
        rows[1][j] = b - c - d;
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
        store<Vector>(out[2 * i] + n, rows[i][0] + rows[i][1] + rows[i][2]);
        store<Vector>(out[2 * i + 1] + n, rows[i][1] - rows[i][2] - rows[i][3]);
    }
}

// The squares of 2x2 pixels of a clip, place by place and frame by frame of a place, so that frames
// which see the same input follow each other. Those at the end of an odd height or width hang over
// the edge.
struct Squares {
    int64_t frames, down, across;

    Squares(int64_t frames, const Window& window)
        : frames(frames), down((window.height + 1) / 2), across((window.width + 1) / 2) {}

    int64_t count() const { return frames * down * across; }
    int64_t frame(int64_t square) const { return square % frames; }
    int64_t row(int64_t square) const { return square / frames / across * 2; }
    int64_t column(int64_t square) const { return square / frames % across * 2; }
};

// Some panels' products with a block of squares: a task of one thread.
class Task {
public:
    Task(const Window& window, const DenseWeight& weight, const Epilogue& epilogue)
        : window_(window),
          panels_(weight.panels),
          weights_(static_cast<const float*>(weight.data)),
          epilogue_(epilogue),
          in_(window.in_frames, window),
          out_(window.frames, window) {}

    // Elements of a thread's scratch: a pixel of zeros; inputs [positions, input squares, depth];
    // sums [positions, tiles, kTileRows, kPanelColumns]. As many as the largest block of a clip of
    // any length takes: what a stream needs must not depend on how many frames come at a time.
    int64_t scratch() const {
        int64_t places = std::min(kTaskSquares, out_.down * out_.across);
        return zeros() + kPositions * position_step(kTaskSquares + places * (kFrameTaps - 1)) +
               kPositions * tiles(kTaskSquares) * kTileSums;
    }

    // Squares [first, last) of the output.
    void run(int64_t first, int64_t last, int64_t first_panel, int64_t last_panel,
             float* scratch) const {
        Block block{first, last, input_of(first), input_of(last - 1) + kFrameTaps};
        float* inputs = scratch + zeros();
        float* sums = inputs + kPositions * position_step(block.last_input - block.first_input);
        std::memset(scratch, 0, zeros() * sizeof(float));
        transform(block, scratch, inputs);
        for (int64_t panel = first_panel; panel < last_panel; ++panel) {
            for (int64_t position = 0; position < kPositions; ++position) {
                multiply(block, panel, position, inputs,
                         sums + position * tiles(last - first) * kTileSums);
            }
            finish(block, panel, sums);
        }
    }

private:
    struct Block {
        int64_t first, last;              // squares of the output
        int64_t first_input, last_input;  // and of the input that they see
    };

    // The first square of the input that one of the output sees; the next frames' follow it.
    int64_t input_of(int64_t square) const {
        return square + square / out_.frames * (kFrameTaps - 1);
    }
    // Whole cache lines, as all parts of the scratch are.
    int64_t zeros() const { return (panels_.depth + 15) / 16 * 16; }
    static int64_t tiles(int64_t squares) { return (squares + kTileRows - 1) / kTileRows; }
    // Without the gap the positions of a square would share few sets of the first-level cache.
    int64_t position_step(int64_t squares) const { return squares * panels_.depth + kGap; }

    // Where pixels of a row or a column of the frame are read; -1 where zeros are.
    int64_t inside(int64_t position, int64_t size) const {
        // Only what hangs over the edge reads so far out, and its output is not stored.
        if (position > size) return -1;
        if (window_.reflects) return mirrored(position, size);
        return position < size ? position : -1;
    }

    void transform(const Block& block, const float* zeros, float* inputs) const {
        int64_t depth = panels_.depth;
        int64_t step = position_step(block.last_input - block.first_input);
        for (int64_t square = block.first_input; square < block.last_input; ++square) {
            const float* frame = static_cast<const float*>(window_.in) +
                                 in_.frame(square) * window_.height * window_.width * depth;
            const float* pixels[4][4];
            for (int64_t y = 0; y < 4; ++y) {
                int64_t row = inside(in_.row(square) - 1 + y, window_.height);
                for (int64_t x = 0; x < 4; ++x) {
                    int64_t column = inside(in_.column(square) - 1 + x, window_.width);
                    pixels[y][x] = row < 0 || column < 0
                                       ? zeros
                                       : frame + (row * window_.width + column) * depth;
                }
            }
            float* out = inputs + (square - block.first_input) * depth;
            int64_t k = 0;
            for (; k + kLanes <= depth; k += kLanes) {
                // The columns that the next place adds, which lie too far apart for the processor
                // to foresee.
                for (int64_t y = 0; y < 4; ++y) {
                    __builtin_prefetch(pixels[y][2] + 2 * depth + k);
                    __builtin_prefetch(pixels[y][3] + 2 * depth + k);
                }
                transform_pixels<Vector>(pixels, k, out + k, step);
            }
            for (; k < depth; ++k) transform_pixels<float>(pixels, k, out + k, step);
        }
    }

    // sums = the block's transformed inputs times the panel's weights, at one position.
    void multiply(const Block& block, int64_t panel, int64_t position, const float* inputs,
                  float* sums) const {
        int64_t depth = panels_.depth;
        int64_t width = panels_.width(panel);
        inputs += position * position_step(block.last_input - block.first_input);
        const float* weights =
            weights_ + panels_.begin(panel) + position * kFrameTaps * depth * width;
        int64_t bytes = kFrameTaps * depth * width * static_cast<int64_t>(sizeof(float));
        int64_t parts = (bytes + kChunkBytes - 1) / kChunkBytes;
        int64_t part_depth = (depth + parts - 1) / parts;
        for (int64_t k = 0; k < depth; k += part_depth) {
            float* tile = sums;
            for (int64_t first = block.first; first < block.last; first += kTileRows) {
                TapRows<float> taps[kFrameTaps];
                for (int64_t i = 0; i < kTileRows; ++i) {
                    // Squares beyond the last one repeat it; their sums are not stored.
                    int64_t square = std::min(first + i, block.last - 1);
                    const float* row = inputs + (input_of(square) - block.first_input) * depth + k;
                    for (int64_t tap = 0; tap < kFrameTaps; ++tap) {
                        taps[tap].rows[i] = row + tap * depth;
                    }
                }
                for (int64_t tap = 0; tap < kFrameTaps; ++tap) {
                    taps[tap].weights = weights + (tap * depth + k) * width;
                }
                multiply_tile(width / kLanes, taps, kFrameTaps, std::min(part_depth, depth - k),
                              k > 0, tile);
                tile += kTileSums;
            }
        }
    }

    void finish(const Block& block, int64_t panel, const float* sums) const {
        int64_t first = panel * kPanelColumns;
        int64_t out_columns = panels_.columns;
        int64_t columns = std::min(kPanelColumns, out_columns - first);
        int64_t step = tiles(block.last - block.first) * kTileSums;
        for (int64_t square = block.first; square < block.last; ++square, sums += kPanelColumns) {
            alignas(64) float pixels[4][kPanelColumns];
            for (int64_t n = 0; n < panels_.width(panel); n += kLanes) {
                transform_sums(sums + n, step, pixels, n);
            }
            for (int64_t pixel = 0; pixel < 4; ++pixel) {
                int64_t row = out_.row(square) + pixel / 2;
                int64_t column = out_.column(square) + pixel % 2;
                if (row >= window_.height || column >= window_.width) continue;
                int64_t out_row =
                    (out_.frame(square) * window_.height + row) * window_.width + column;
                if (columns == kPanelColumns) {
                    finish_row<float>(epilogue_, out_row, out_row, out_columns, first,
                                      kPanelColumns, pixels[pixel]);
                } else {
                    finish_row<float>(epilogue_, out_row, out_row, out_columns, first, columns,
                                      pixels[pixel]);
                }
            }
        }
    }

    const Window& window_;
    const Panels& panels_;
    const float* weights_;
    const Epilogue& epilogue_;
    const Squares in_, out_;
};

}  // namespace

bool transforms(const ProductWeight& weight) {
    return weight.kind == SV_WEIGHT_CONVOLUTION && weight.dtype == SV_F32 &&
           weight.shape[2] == kFrameTaps && weight.shape[3] == 3 && weight.shape[4] == 3 &&
           weight.depth >= kMinDepth;
}

void transform_kernel(const float* kernel, float* out) {
    float rows[4][3];
    for (int x = 0; x < 3; ++x) {
        float a = kernel[x], b = kernel[3 + x], c = kernel[6 + x];
        rows[0][x] = a;
        rows[1][x] = (a + b + c) / 2;
        rows[2][x] = (a - b + c) / 2;
        rows[3][x] = c;
    }
    for (int y = 0; y < 4; ++y) {
        float a = rows[y][0], b = rows[y][1], c = rows[y][2];
        out[4 * y] = a;
        out[4 * y + 1] = (a + b + c) / 2;
        out[4 * y + 2] = (a - b + c) / 2;
        out[4 * y + 3] = c;
    }
}

void convolve(sv_context& context, const Window& window, const DenseWeight& weight,
              const Epilogue& epilogue) {
    Task task(window, weight, epilogue);
    int64_t squares = Squares(window.frames, window).count();
    int64_t panels = weight.panels.count();
    int64_t threads = context.threads;
    // Blocks of one size for all threads; where they are too few, each is shared by tasks that take
    // some of the panels and transform its inputs again.
    int64_t blocks = (squares + kTaskSquares - 1) / kTaskSquares;
    int64_t shares = 1;
    if (blocks < threads) {
        shares = std::min(panels, (2 * threads + blocks - 1) / blocks);
    } else {
        blocks = (blocks + threads - 1) / threads * threads;
    }
    // One piece, of which later ops can take what this one gives back.
    int64_t each = task.scratch();
    Scratch<float> scratch(context.memory, std::min(threads, blocks * shares) * each);
    if (context.dry) return;
    parallel_tasks(context, blocks * shares, [&](int64_t index, int thread) {
        int64_t block = index / shares, share = index % shares;
        task.run(squares * block / blocks, squares * (block + 1) / blocks, panels * share / shares,
                 panels * (share + 1) / shares, scratch + thread * each);
    });
}

}  // namespace winograd
}  // namespace SV_VARIANT
}  // namespace sv::cpu
