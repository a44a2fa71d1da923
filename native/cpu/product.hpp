// Small dense products C = A B for attention, on operands that lie in cache.
//
// A is [rows, depth], B is packed: panels of kPanelColumns columns, each [depth, width of the
// panel] in one piece, so that the innermost loop reads it in order. C is f32, each row padded to
// whole vectors. The tile of C that one inner loop computes stays in registers.
//
// Element is float, or bf16 where the variant multiplies bf16 pairs with fp32 accumulation
// (ProductElement picks): then one step of depth is a Unit of two elements, and depth is padded
// with a zero to even.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#include "cpu/lanes.hpp"
#include "cpu/number.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

constexpr int64_t kDepth = 128;  // units whose panel fits the first-level cache

#ifdef __AVX512BF16__
template <typename T>
using ProductElement = T;
#else
template <typename T>
using ProductElement = float;
#endif

template <typename Element>
constexpr int64_t kUnit = sizeof(float) / sizeof(Element);

inline int64_t round_up(int64_t count, int64_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

// Columns of C and of packed B: whole vectors.
inline int64_t padded_columns(int64_t columns) { return round_up(columns, kLanes); }

template <typename Element>
int64_t padded_depth(int64_t depth) {
    return round_up(depth, kUnit<Element>);
}

template <typename Element>
int64_t packed_size(int64_t depth, int64_t columns) {
    return padded_depth<Element>(depth) * padded_columns(columns);
}

// Where B[k, n] lies. depth is B's whole depth.
template <typename Element>
int64_t packed_index(int64_t k, int64_t n, int64_t depth, int64_t columns) {
    int64_t first = n / kPanelColumns * kPanelColumns;
    int64_t width = std::min(kPanelColumns, padded_columns(columns) - first);
    return first * padded_depth<Element>(depth) +
           (k / kUnit<Element> * width + n - first) * kUnit<Element> + k % kUnit<Element>;
}

inline Vector multiply_add(Vector sum, const float* a, Vector b) { return sum + *a * b; }

#ifdef __AVX512BF16__
inline Vector multiply_add(Vector sum, const bf16* a, Vector b) {
    int pair;
    std::memcpy(&pair, a, sizeof pair);
    return (Vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(pair), (__m512bh)b);
}
#endif

// One tile of C. Strides are in elements; a_step is the stride of one unit of depth.
template <int Rows, int Vectors, typename Element>
void product_tile(int64_t units, const Element* a, int64_t a_row, int64_t a_step, const Element* b,
                  bool accumulate, float* c, int64_t c_row) {
    Vector sum[Rows][Vectors] = {};
    for (int64_t k = 0; k < units; ++k) {
        Vector columns[Vectors];
#pragma GCC unroll 4
        for (int j = 0; j < Vectors; ++j) {
            columns[j] = reinterpret_cast<const Vector*>(b)[k * Vectors + j];
        }
#pragma GCC unroll 6
        for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
            for (int j = 0; j < Vectors; ++j) {
                sum[i][j] = multiply_add(sum[i][j], a + i * a_row + k * a_step, columns[j]);
            }
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < Vectors; ++j) {
            auto* to = reinterpret_cast<Vector*>(c + i * c_row + j * kLanes);
            *to = accumulate ? *to + sum[i][j] : sum[i][j];
        }
    }
}

// One panel of C, kDepth units at a time: they stay in the first-level cache while A's rows pass
// by, and their sums are added up afterwards, which also keeps long sums accurate.
template <int Vectors, typename Element>
void product_panel(int64_t rows, int64_t units, const Element* a, int64_t a_row, int64_t a_step,
                   const Element* b, bool accumulate, float* c, int64_t c_row) {
    for (int64_t k = 0; k < units; k += kDepth) {
        int64_t count = std::min(kDepth, units - k);
        bool add = accumulate || k > 0;
        const Element* left = a + k * a_step;
        const Element* right = b + k * Vectors * kLanes * kUnit<Element>;
        int64_t i = 0;
        for (; i + kTileRows <= rows; i += kTileRows) {
            product_tile<kTileRows, Vectors>(count, left + i * a_row, a_row, a_step, right, add,
                                             c + i * c_row, c_row);
        }
        for (; i < rows; ++i) {
            product_tile<1, Vectors>(count, left + i * a_row, a_row, a_step, right, add,
                                     c + i * c_row, c_row);
        }
    }
}

// C = A B, or C += A B. a_row: stride of A's rows; a_step: stride of its units of depth (kUnit for
// a row-major A). c_row: at least padded_columns(columns).
template <typename Element>
void product(int64_t rows, int64_t columns, int64_t depth, const Element* a, int64_t a_row,
             int64_t a_step, const Element* b, bool accumulate, float* c, int64_t c_row) {
    int64_t units = padded_depth<Element>(depth) / kUnit<Element>;
    for (int64_t first = 0; first < columns; first += kPanelColumns) {
        const Element* panel = b + first * padded_depth<Element>(depth);
        float* to = c + first;
        int64_t vectors = std::min(kPanelColumns, padded_columns(columns) - first) / kLanes;
        if (vectors == 1) {
            product_panel<1>(rows, units, a, a_row, a_step, panel, accumulate, to, c_row);
        } else if (vectors == 2) {
            product_panel<2>(rows, units, a, a_row, a_step, panel, accumulate, to, c_row);
        }
        if constexpr (kPanelVectors == 4) {
            if (vectors == 3) {
                product_panel<3>(rows, units, a, a_row, a_step, panel, accumulate, to, c_row);
            } else if (vectors == 4) {
                product_panel<4>(rows, units, a, a_row, a_step, panel, accumulate, to, c_row);
            }
        }
    }
}

// Packs B[k, n] = rows[k * stride + n].
template <typename Element, typename T>
void pack_rows(const T* rows, int64_t stride, int64_t depth, int64_t columns, Element* b) {
    std::memset(static_cast<void*>(b), 0, packed_size<Element>(depth, columns) * sizeof(Element));
    for (int64_t first = 0; first < columns; first += kPanelColumns) {
        int64_t count = std::min(kPanelColumns, columns - first);
        for (int64_t k = 0; k < depth; ++k) {
            Element* to = b + packed_index<Element>(k, first, depth, columns);
            const T* from = rows + k * stride + first;
            for (int64_t n = 0; n < count; ++n) {
                to[n * kUnit<Element>] = narrow<Element>(widen(from[n]));
            }
        }
    }
}

// Packs B[k, n] = columns[n * stride + k].
template <typename Element, typename T>
void pack_transposed(const T* columns, int64_t stride, int64_t depth, int64_t count, Element* b) {
    std::memset(static_cast<void*>(b), 0, packed_size<Element>(depth, count) * sizeof(Element));
    for (int64_t n = 0; n < count; ++n) {
        const T* from = columns + n * stride;
        Element* to = b + packed_index<Element>(0, n, depth, count);
        int64_t next = packed_index<Element>(kUnit<Element>, n, depth, count) -
                       packed_index<Element>(0, n, depth, count);
        for (int64_t k = 0; k < depth; ++k) {
            to[k / kUnit<Element> * next + k % kUnit<Element>] = narrow<Element>(widen(from[k]));
        }
    }
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
