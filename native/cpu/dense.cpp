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
//
// bf16 pairs are multiplied by vdpbf16ps where there is one; elsewhere both halves are widened and
// go through two fp32 multiply-adds.
#include "cpu/dense.hpp"

#include <algorithm>
#include <cstring>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/parallel.hpp"
#include "cpu/vector_math.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

constexpr int64_t kTaskRows = 40 * kTileRows;
constexpr int64_t kChunkBytes = 512 * 1024;  // of a panel, in half of an L2 cache
constexpr int64_t kMaxTaps = 32;             // in one chunk
constexpr int64_t kPrefetchBytes = 2048;

// What one tap of a tile multiplies.
template <typename T>
struct TapRows {
    const T* weights;  // [depth / pair, panel width, pair]
    const T* rows[kTileRows];
};

inline Vector broadcast(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value - Vector{};
}

template <typename T>
constexpr int64_t kPair = sizeof(float) / sizeof(T);

// sums += a * b, per lane a float or a pair of bf16.
template <typename T>
inline void multiply_add(Vector& sums, uint32_t a, Vector b);

template <>
inline void multiply_add<float>(Vector& sums, uint32_t a, Vector b) {
    sums += broadcast(a) * b;
}

template <>
inline void multiply_add<bf16>(Vector& sums, uint32_t a, Vector b) {
#ifdef __AVX512BF16__
    sums = (Vector)_mm512_dpbf16_ps((__m512)sums, (__m512bh)_mm512_set1_epi32(a), (__m512bh)b);
#else
    sums += broadcast(a << 16) * (Vector)((Bits)b << 16);
    sums += broadcast(a & 0xffff0000u) * (Vector)((Bits)b & 0xffff0000u);
#endif
}

// One step of depth: `bytes` into every row.
template <typename T, int Vectors>
__attribute__((always_inline)) inline void step(Vector (&sums)[kTileRows][Vectors],
                                                const char* const (&rows)[kTileRows], int64_t bytes,
                                                const Vector* weights, int64_t row_bytes) {
    Vector columns[Vectors];
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) columns[j] = weights[j];
#pragma GCC unroll 6
    for (int i = 0; i < kTileRows; ++i) {
        uint32_t element = 0;
        std::memcpy(&element, rows[i] + bytes, row_bytes);
#pragma GCC unroll 4
        for (int j = 0; j < Vectors; ++j) multiply_add<T>(sums[i][j], element, columns[j]);
    }
}

// sums [kTileRows, kPanelColumns] (+)= the taps' rows times the taps' weights.
template <typename T, int Vectors>
void multiply_tile(const TapRows<T>* taps, int64_t tap_count, int64_t depth, bool accumulate,
                   float* sums) {
    Vector tile[kTileRows][Vectors];
#pragma GCC unroll 6
    for (int i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < Vectors; ++j) {
            tile[i][j] = accumulate ? reinterpret_cast<const Vector*>(sums + i * kPanelColumns)[j]
                                    : Vector{};
        }
    }
    for (const TapRows<T>* tap = taps; tap < taps + tap_count; ++tap) {
        const char* rows[kTileRows];
#pragma GCC unroll 6
        for (int i = 0; i < kTileRows; ++i) rows[i] = reinterpret_cast<const char*>(tap->rows[i]);
        auto* weights = reinterpret_cast<const Vector*>(tap->weights);
        int64_t end = depth / kPair<T> * 4;
        for (int64_t bytes = 0; bytes < end; bytes += 4) {
#pragma GCC unroll 4
            for (int j = 0; j < Vectors; ++j) {
                __builtin_prefetch(reinterpret_cast<const char*>(weights + j) + kPrefetchBytes);
            }
            step<T, Vectors>(tile, rows, bytes, weights, 4);
            weights += Vectors;
        }
        // The last element of an odd depth has no neighbour.
        if (kPair<T> == 2 && depth % 2 == 1) step<T, Vectors>(tile, rows, end, weights, 2);
    }
#pragma GCC unroll 6
    for (int i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < Vectors; ++j) {
            reinterpret_cast<Vector*>(sums + i * kPanelColumns)[j] = tile[i][j];
        }
    }
}

template <typename T>
void multiply_tile(int64_t vectors, const TapRows<T>* taps, int64_t tap_count, int64_t depth,
                   bool accumulate, float* sums) {
    switch (vectors) {
        case 1:
            return multiply_tile<T, 1>(taps, tap_count, depth, accumulate, sums);
        case 2:
            return multiply_tile<T, 2>(taps, tap_count, depth, accumulate, sums);
#if defined(__AVX512F__)
        case 3:
            return multiply_tile<T, 3>(taps, tap_count, depth, accumulate, sums);
        case 4:
            return multiply_tile<T, 4>(taps, tap_count, depth, accumulate, sums);
#endif
    }
}

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
    int64_t row = at.row + window.first_row + tap / window.column_taps % window.row_taps;
    int64_t column = at.column + window.first_column + tap % window.column_taps;
    if (row < 0 || row >= window.height || column < 0 || column >= window.width) return nullptr;
    if (frame >= window.in_frames) return nullptr;
    auto* base = static_cast<const T*>(window.in);
    if (frame < 0) {
        if (window.previous == nullptr) return nullptr;
        base = static_cast<const T*>(window.previous);
        frame = 0;
    }
    return base + ((frame * window.height + row) * window.width + column) * channels;
}

// One row of sums through the epilogue. `columns` is a constant where the compiler can make it one.
template <typename T>
__attribute__((always_inline)) inline void finish_row(const Epilogue& epilogue, int64_t r,
                                                      int64_t out_row, int64_t out_columns,
                                                      int64_t first, int64_t columns, float* sums) {
    int64_t at = out_row * out_columns + first;
    if (epilogue.bias != nullptr) {
        const float* bias = epilogue.bias + first;
        for (int64_t n = 0; n < columns; ++n) sums[n] += bias[n];
    }
    if (epilogue.activation == SV_SILU) {
#pragma omp simd
        for (int64_t n = 0; n < columns; ++n) sums[n] = silu(sums[n]);
    } else if (epilogue.activation == SV_GELU_TANH) {
#pragma omp simd
        for (int64_t n = 0; n < columns; ++n) sums[n] = gelu_tanh(sums[n]);
    }
    if (epilogue.identity != nullptr) {
        const T* identity = static_cast<const T*>(epilogue.identity) + at;
        for (int64_t n = 0; n < columns; ++n) sums[n] += widen(identity[n]);
    }
    if (epilogue.gate != nullptr) {
        int64_t group = (epilogue.first_group_row + r) / epilogue.rows_per_group;
        const float* gate = epilogue.gate + group * epilogue.gate_stride + first;
        for (int64_t n = 0; n < columns; ++n) sums[n] *= gate[n];
    }
    if (epilogue.residual != nullptr) {
        const T* residual = static_cast<const T*>(epilogue.residual) + at;
        for (int64_t n = 0; n < columns; ++n) sums[n] += widen(residual[n]);
    }
    T* out = static_cast<T*>(epilogue.out) + at;
    for (int64_t n = 0; n < columns; ++n) out[n] = narrow<T>(sums[n]);
}

// One panel's product with a block of rows: a task of one thread.
template <typename T>
class Task {
public:
    Task(const Window& window, const DenseWeight& weight, int64_t matrix, const Epilogue& epilogue,
         const T* zeros)
        : window_(window), weight_(weight), matrix_(matrix), epilogue_(epilogue), zeros_(zeros) {}

    void run(int64_t panel, int64_t first_row, int64_t rows) const {
        alignas(64) float sums[kTaskRows * kPanelColumns];
        int64_t width = weight_.panel_width(panel);
        const T* weights =
            static_cast<const T*>(weight_.data) + weight_.panel_begin(matrix_, panel);
        int64_t tap_elements = weight_.padded_depth * width;

        // A chunk is some whole taps, or a part of the depth of a single one.
        int64_t chunk_elements = kChunkBytes / static_cast<int64_t>(sizeof(T));
        int64_t chunk_taps = std::clamp<int64_t>(chunk_elements / tap_elements, 1, kMaxTaps);
        int64_t parts = (tap_elements + chunk_elements - 1) / chunk_elements;
        int64_t part_depth = (weight_.depth + parts - 1) / parts;
        part_depth += part_depth % weight_.pair;

        bool accumulate = false;
        for (int64_t tap = 0; tap < weight_.taps; tap += chunk_taps) {
            int64_t taps = std::min(chunk_taps, weight_.taps - tap);
            for (int64_t k = 0; k < weight_.depth; k += part_depth) {
                int64_t depth = std::min(part_depth, weight_.depth - k);
                multiply_rows(weights + tap * tap_elements, tap, taps, k, depth, width, first_row,
                              rows, accumulate, sums);
                accumulate = true;
            }
        }
        finish(panel, first_row, rows, sums);
    }

private:
    // Adds one chunk to the sums of all rows.
    void multiply_rows(const T* weights, int64_t first_tap, int64_t taps, int64_t first_depth,
                       int64_t depth, int64_t width, int64_t first_row, int64_t rows,
                       bool accumulate, float* sums) const {
        Position at = position_of(window_, first_row);
        for (int64_t r = 0; r < rows; r += kTileRows) {
            Position positions[kTileRows];
            for (int i = 0; i < kTileRows; ++i) {
                positions[i] = at;
                // Rows beyond the last one repeat it; their sums are not stored.
                if (r + i + 1 < rows) advance(window_, at);
            }
            TapRows<T> used[kMaxTaps];
            int64_t count = 0;
            for (int64_t tap = 0; tap < taps; ++tap) {
                TapRows<T>& rows_of_tap = used[count];
                bool any = false;
                for (int i = 0; i < kTileRows; ++i) {
                    const T* row =
                        input_row<T>(window_, weight_.depth, positions[i], first_tap + tap);
                    any |= row != nullptr;
                    rows_of_tap.rows[i] = row != nullptr ? row + first_depth : zeros_;
                }
                rows_of_tap.weights = weights + (tap * weight_.padded_depth + first_depth) * width;
                count += any;  // a tap that reads nothing but zeros is left out
            }
            multiply_tile(width / kLanes, used, count, depth, accumulate, sums + r * kPanelColumns);
        }
    }

    void finish(int64_t panel, int64_t first_row, int64_t rows, float* sums) const {
        int64_t first = panel * kPanelColumns;
        int64_t columns = std::min(kPanelColumns, weight_.columns - first);
        Position at = position_of(window_, first_row);
        for (int64_t r = 0; r < rows; ++r, advance(window_, at)) {
            int64_t scale = epilogue_.scale;
            int64_t out_row = ((at.frame * window_.height + at.row) * scale + epilogue_.row_phase) *
                                  window_.width * scale +
                              at.column * scale + epilogue_.column_phase;
            float* row_sums = sums + r * kPanelColumns;
            if (columns == kPanelColumns) {
                finish_row<T>(epilogue_, first_row + r, out_row, weight_.columns, first,
                              kPanelColumns, row_sums);
            } else {
                finish_row<T>(epilogue_, first_row + r, out_row, weight_.columns, first, columns,
                              row_sums);
            }
        }
    }

    const Window& window_;
    const DenseWeight& weight_;
    int64_t matrix_;
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

void dense_product(sv_context& context, const Window& window, const DenseWeight& weight,
                   int64_t matrix, const Epilogue& epilogue) {
    with_float_type(weight.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t rows = window.frames * window.height * window.width;
        int64_t tiles = (rows + kTileRows - 1) / kTileRows;
        int64_t blocks = (rows + kTaskRows - 1) / kTaskRows;
        Scratch<T> zeros(context.memory, weight.depth);
        std::memset(static_cast<void*>(zeros.get()), 0, weight.depth * sizeof(T));
        Task<T> task(window, weight, matrix, epilogue, zeros);
        parallel_tasks(context, blocks * weight.panels(), [&](int64_t index, int) {
            int64_t block = index / weight.panels();
            int64_t first = tiles * block / blocks * kTileRows;
            int64_t last = std::min(tiles * (block + 1) / blocks * kTileRows, rows);
            task.run(index % weight.panels(), first, last - first);
        });
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
