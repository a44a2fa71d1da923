// The dense product: every large multiplication of the CPU backend.
//
// A tile of kTileRows x kPanelColumns sums stays in registers while the depth goes by: a step loads
// one row of the packed panel and multiplies it by one broadcast element (bf16: pair) of each input
// row, which is read where it lies. A step of 24 multiply-adds on AVX-512 needs 10 loads, so the
// multipliers are what bounds it. The panel's chunk of depth stays in the L2 cache while the rows
// of a task go by; between chunks the sums rest in the task's scratch. Each output is summed by one
// thread in one order: same inputs, same bits.
//
// On two Zen 4 cores at 3.65 GHz (multipliers: 235 GFLOP/s in f32, 467 in bf16) the products of a
// block of width 2240 run at 217 to 223 and 427 to 445 GFLOP/s, 92 to 95% of that. oneDNN 3.13,
// alternating with it in one process, took 0.98 to 1.07 times its time on them, and 0.8 to 0.96
// times on convolutions of 96 channels.
#include "cpu/dense.hpp"

#include <algorithm>
#include <cstring>

#include "common/tensor.hpp"
#include "cpu/epilogue.hpp"
#include "cpu/nvfp4.hpp"
#include "cpu/parallel.hpp"
#include "cpu/tile.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

constexpr int64_t kTaskRows = 240;
static_assert(kTaskRows % kTileRows == 0);
constexpr int64_t kMaxTaps = 32;  // in one chunk

struct Position {
    int64_t frame, row, column;
};

Position position_of(const Window& window, int64_t r) {
    return {r / window.width / window.height, r / window.width % window.height, r % window.width};
}

void advance(const Window& window, Position& at) {
    if (++at.column < window.width) return;
    at.column = 0;
    if (++at.row < window.height) return;
    at.row = 0;
    ++at.frame;
}

// The input row that an output position sees at a tap; null where it reads zeros.
template <typename T>
const T* input_row(const Window& window, int64_t channels, const Position& at, int64_t tap) {
    int64_t frame = at.frame + window.first_frame + tap / window.column_taps / window.row_taps;
    int64_t row =
        at.row * window.stride + window.first_row + tap / window.column_taps % window.row_taps;
    int64_t column = at.column * window.stride + window.first_column + tap % window.column_taps;
    if (window.reflects) {
        row = mirrored(row, window.in_height);
        column = mirrored(column, window.in_width);
    }
    if (row < 0 || row >= window.in_height) return nullptr;
    if (column < 0 || column >= window.in_width) return nullptr;
    if (frame >= window.in_frames) return nullptr;
    auto* base = static_cast<const T*>(window.in);
    if (frame < 0) {
        if (window.previous == nullptr) return nullptr;
        base = static_cast<const T*>(window.previous);
        frame = 0;
    }
    return base + ((frame * window.in_height + row) * window.in_width + column) * channels;
}

// A weight as products of T read it: panel by panel, of which an NVFP4 weight's are expanded.
template <typename T>
class Operand {
public:
    Operand(const sv_weight& weight, int64_t matrix)
        : panels(static_cast<const ProductWeight&>(weight), kPair<T> == 2 ? SV_BF16 : SV_F32),
          nvfp4(static_cast<const PanelNvfp4Weight*>(as_nvfp4(weight))) {
        if (nvfp4 == nullptr) {
            const auto& dense = static_cast<const DenseWeight&>(weight);
            data_ = static_cast<const T*>(dense.data) + dense.panel_begin(matrix, 0);
        }
    }

    const Panels panels;
    const PanelNvfp4Weight* const nvfp4;

    // Elements that a thread needs to expand a panel.
    int64_t expanded() const {
        return nvfp4 == nullptr ? 0 : panels.taps * panels.padded_depth * kPanelColumns;
    }

    const T* panel(int64_t panel, T* expanded) const {
        if (nvfp4 == nullptr) return data_ + panels.begin(panel);
        expand_panel(*nvfp4, panels, panel, expanded);
        return expanded;
    }

private:
    const T* data_ = nullptr;
};

// One panel's product with a block of rows: a task of one thread.
template <typename T>
class Task {
public:
    Task(const Window& window, const Operand<T>& weight, const Epilogue& epilogue, const T* zeros)
        : window_(window), weight_(weight), epilogue_(epilogue), zeros_(zeros) {}

    // expanded: of the thread, what the weight needs.
    void run(int64_t panel, int64_t first_row, int64_t rows, T* expanded) const {
        alignas(64) float sums[kTaskRows * kPanelColumns];
        multiply(window_, weight_, panel, first_row, rows, expanded, false, sums);
        if (weight_.nvfp4 != nullptr) scale(panel, rows, sums);
        if (epilogue_.low_rank != nullptr) {
            Window window{epilogue_.low_rank};
            window.width = window.in_width = window_.frames * window_.height * window_.width;
            Operand<T> up(*epilogue_.low_rank_up, 0);
            multiply(window, up, panel, first_row, rows, nullptr, true, sums);
        }
        finish(panel, first_row, rows, sums);
    }

private:
    void multiply(const Window& window, const Operand<T>& weight, int64_t panel, int64_t first_row,
                  int64_t rows, T* expanded, bool accumulate, float* sums) const {
        const Panels& panels = weight.panels;
        const T* weights = weight.panel(panel, expanded);
        int64_t width = panels.width(panel);
        int64_t tap_elements = panels.padded_depth * width;

        // A chunk is some whole taps, or a part of the depth of a single one.
        int64_t chunk_elements = kChunkBytes / static_cast<int64_t>(sizeof(T));
        int64_t chunk_taps = std::clamp<int64_t>(chunk_elements / tap_elements, 1, kMaxTaps);
        int64_t parts = (tap_elements + chunk_elements - 1) / chunk_elements;
        int64_t part_depth = (panels.depth + parts - 1) / parts;
        part_depth += part_depth % panels.pair;

        for (int64_t tap = 0; tap < panels.taps; tap += chunk_taps) {
            Chunk chunk{tap, std::min(chunk_taps, panels.taps - tap)};
            for (int64_t k = 0; k < panels.depth; k += part_depth) {
                chunk.first_depth = k;
                chunk.depth = std::min(part_depth, panels.depth - k);
                multiply_chunk(window, panels, weights + tap * tap_elements, chunk, width,
                               first_row, rows, accumulate, sums);
                accumulate = true;
            }
        }
    }

    struct Chunk {
        int64_t first_tap, taps;
        int64_t first_depth = 0, depth = 0;
    };

    // Adds one chunk to the sums of all rows.
    void multiply_chunk(const Window& window, const Panels& panels, const T* weights,
                        const Chunk& chunk, int64_t width, int64_t first_row, int64_t rows,
                        bool accumulate, float* sums) const {
        Position at = position_of(window, first_row);
        for (int64_t r = 0; r < rows; r += kTileRows) {
            Position positions[kTileRows];
            for (int i = 0; i < kTileRows; ++i) {
                positions[i] = at;
                // Rows beyond the last one repeat it; their sums are not stored.
                if (r + i + 1 < rows) advance(window, at);
            }
            TapRows<T> used[kMaxTaps];
            int64_t count = 0;
            for (int64_t tap = 0; tap < chunk.taps; ++tap) {
                TapRows<T>& rows_of_tap = used[count];
                bool any = false;
                for (int i = 0; i < kTileRows; ++i) {
                    const T* row =
                        input_row<T>(window, panels.depth, positions[i], chunk.first_tap + tap);
                    any |= row != nullptr;
                    rows_of_tap.rows[i] = row != nullptr ? row + chunk.first_depth : zeros_;
                }
                rows_of_tap.weights =
                    weights + (tap * panels.padded_depth + chunk.first_depth) * width;
                count += any;  // a tap that reads nothing but zeros is left out
            }
            multiply_tile(width / kLanes, used, count, chunk.depth, accumulate,
                          sums + r * kPanelColumns);
        }
    }

    // The global scales of both operands.
    void scale(int64_t panel, int64_t rows, float* sums) const {
        const float* scales = weight_.nvfp4->channel_scales + panel * kPanelColumns;
        int64_t width = weight_.panels.width(panel);
        for (int64_t r = 0; r < rows; ++r) {
            float* row = sums + r * kPanelColumns;
            for (int64_t n = 0; n < width; ++n) row[n] *= epilogue_.input_scale * scales[n];
        }
    }

    void finish(int64_t panel, int64_t first_row, int64_t rows, float* sums) const {
        int64_t first = panel * kPanelColumns;
        int64_t out_columns = weight_.panels.columns;
        int64_t columns = std::min(kPanelColumns, out_columns - first);
        Position at = position_of(window_, first_row);
        for (int64_t r = 0; r < rows; ++r, advance(window_, at)) {
            int64_t scale = epilogue_.scale;
            int64_t out_row = ((at.frame * window_.height + at.row) * scale + epilogue_.row_phase) *
                                  window_.width * scale +
                              at.column * scale + epilogue_.column_phase;
            float* row_sums = sums + r * kPanelColumns;
            if (columns == kPanelColumns) {
                finish_row<T>(epilogue_, first_row + r, out_row, out_columns, first, kPanelColumns,
                              row_sums);
            } else {
                finish_row<T>(epilogue_, first_row + r, out_row, out_columns, first, columns,
                              row_sums);
            }
        }
    }

    const Window& window_;
    const Operand<T>& weight_;
    const Epilogue& epilogue_;
    const T* zeros_;
};

}  // namespace

Epilogue epilogue_of(const sv_epilogue& epilogue, const sv_tensor& out) {
    Epilogue result{out.data};
    if (epilogue.bias != nullptr) result.bias = static_cast<const float*>(epilogue.bias->data);
    result.activation = epilogue.activation;
    if (epilogue.gate != nullptr) {
        const sv_tensor& gate = *epilogue.gate;
        result.gate = static_cast<const float*>(gate.data) + epilogue.gate_row * gate.shape[2];
        result.gate_stride = gate.shape[1] * gate.shape[2];
        result.rows_per_group = rows(out) / gate.shape[0];
    }
    if (epilogue.residual != nullptr) result.residual = epilogue.residual->data;
    result.quantized = epilogue.quantized;
    if (epilogue.low_rank != nullptr) {
        result.low_rank = epilogue.low_rank->data;
        result.low_rank_up = static_cast<const DenseWeight*>(epilogue.low_rank_up);
    }
    return result;
}

void finish_stored(sv_context& context, const void* sums, sv_dtype dtype, int64_t rows,
                   int64_t columns, const Epilogue& epilogue) {
    with_float_type(dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Scratch<float> wide(context.memory, context.threads * columns);
        parallel_tasks(context, rows, [&](int64_t row, int thread) {
            const T* stored = static_cast<const T*>(sums) + row * columns;
            float* row_sums = wide + thread * columns;
            for (int64_t n = 0; n < columns; ++n) row_sums[n] = widen(stored[n]);
            finish_row<T>(epilogue, row, row, columns, 0, columns, row_sums);
        });
    });
}

void dense_product(sv_context& context, const Window& window, const sv_weight& weight,
                   sv_dtype dtype, int64_t matrix, const Epilogue& epilogue) {
    with_float_type(dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Operand<T> operand(weight, matrix);
        int64_t rows = window.frames * window.height * window.width;
        int64_t tiles = (rows + kTileRows - 1) / kTileRows;
        int64_t blocks = (rows + kTaskRows - 1) / kTaskRows;
        int64_t longest = operand.panels.depth;
        if (epilogue.low_rank != nullptr) {
            longest = std::max(longest, epilogue.low_rank_up->panels.depth);
        }
        longest = (longest + 63) / 64 * 64;  // whole cache lines
        // One piece, of which later ops can take what this one gives back.
        Scratch<T> zeros(context.memory, longest + context.threads * operand.expanded());
        std::memset(static_cast<void*>(zeros.get()), 0, longest * sizeof(T));
        T* expanded = zeros + longest;
        Task<T> task(window, operand, epilogue, zeros);
        int64_t panels = operand.panels.count();
        parallel_tasks(context, blocks * panels, [&](int64_t index, int thread) {
            int64_t block = index / panels;
            int64_t first = tiles * block / blocks * kTileRows;
            int64_t last = std::min(tiles * (block + 1) / blocks * kTileRows, rows);
            task.run(index % panels, first, last - first, expanded + thread * operand.expanded());
        });
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
