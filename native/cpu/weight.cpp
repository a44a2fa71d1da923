// Packing of weights: the layouts of cpu/weight.hpp.
#include "cpu/weight.hpp"

#include <algorithm>
#include <cstring>

#include "common/context.hpp"
#include "common/tensor.hpp"
#include "common/weight_rows.hpp"
#include "cpu/number.hpp"
#include "cpu/ops.hpp"
#include "cpu/winograd.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

// Where one column of a matrix lies.
template <typename T>
struct Column {
    static constexpr int64_t kPair = sizeof(float) / sizeof(T);
    T* first;
    int64_t step;  // from one pair to the next

    T& operator[](int64_t k) const { return first[k / kPair * step + k % kPair]; }
};

template <typename T>
Column<T> column_of(const DenseWeight& weight, int64_t matrix, int64_t column) {
    int64_t panel = column / kPanelColumns;
    T* first = static_cast<T*>(weight.data) + weight.panel_begin(matrix, panel) +
               column % kPanelColumns * weight.panels.pair;
    return {first, weight.panels.width(panel) * weight.panels.pair};
}

// row: [depth, taps], as files hold it.
template <typename T>
void place_taps(const DenseWeight& weight, int64_t column, const float* row) {
    Column<T> to = column_of<T>(weight, 0, column);
    for (int64_t tap = 0; tap < weight.taps; ++tap) {
        for (int64_t k = 0; k < weight.depth; ++k) {
            to[tap * weight.panels.padded_depth + k] = narrow<T>(row[k * weight.taps + tap]);
        }
    }
}

// row: [depth, 3, 3, 3]. Each kernel of 3x3 becomes its transform.
void place_transformed(const DenseWeight& weight, int64_t column, const float* row) {
    constexpr int64_t kTaps = winograd::kFrameTaps * winograd::kPositions;
    constexpr int64_t kBlock = 16;  // of depth: taps lie so that one after the other is slow
    Column<float> to = column_of<float>(weight, 0, column);
    for (int64_t first = 0; first < weight.depth; first += kBlock) {
        int64_t count = std::min(kBlock, weight.depth - first);
        float block[kTaps][kBlock];
        for (int64_t k = 0; k < count; ++k) {
            for (int64_t frame = 0; frame < winograd::kFrameTaps; ++frame) {
                float transform[winograd::kPositions];
                winograd::transform_kernel(row, transform);
                row += 9;
                for (int64_t position = 0; position < winograd::kPositions; ++position) {
                    block[position * winograd::kFrameTaps + frame][k] = transform[position];
                }
            }
        }
        for (int64_t tap = 0; tap < kTaps; ++tap) {
            for (int64_t k = 0; k < count; ++k) {
                to[tap * weight.depth + first + k] = block[tap][k];
            }
        }
    }
}

// row: [depth, 3, 3].
template <typename T>
void place_upsample(const DenseWeight& weight, int64_t column, const float* row) {
    for (int64_t matrix = 0; matrix < 4; ++matrix) {
        Column<T> to = column_of<T>(weight, matrix, column);
        for (int64_t tap = 0; tap < 4; ++tap) {
            for (int64_t k = 0; k < weight.depth; ++k) {
                to[tap * weight.panels.padded_depth + k] =
                    narrow<T>(upsample_tap(row + k * 9, matrix, tap));
            }
        }
    }
}

}  // namespace

DenseWeight::DenseWeight(Memory& memory, sv_weight_kind kind, sv_dtype dtype, int rank,
                         const int64_t* shape)
    : ProductWeight(kind, dtype, rank, shape),
      memory(memory),
      transformed(winograd::transforms(*this)),
      panels(*this, dtype, transformed ? winograd::kFrameTaps * winograd::kPositions : taps) {
    data = memory.allocate(bytes());
    bool padded = panels.padded_depth != depth || panels.padded_columns() != columns;
    if (padded && !memory.imaginary()) std::memset(data, 0, bytes());
}

DenseWeight::~DenseWeight() { memory.release(data); }

int64_t DenseWeight::bytes() const { return matrices * panels.elements() * bytes_of(dtype); }

void DenseWeight::pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
                       sv_dtype data_dtype) {
    with_float_type(dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* place = transformed                  ? place_transformed
                      : kind == SV_WEIGHT_UPSAMPLE ? place_upsample<T>
                                                   : place_taps<T>;
        read_rows(context, *this, first_row, rows, data, data_dtype,
                  [&](int64_t row, const float* elements) { place(*this, row, elements); });
    });
}

sv_weight* weight_create(sv_context& context, sv_weight_kind kind, sv_dtype dtype, int rank,
                         const int64_t* shape) {
    if (kind == SV_WEIGHT_DEPTHWISE) {
        return new DepthwiseWeight(context.memory, dtype, rank, shape);
    }
    return new DenseWeight(context.memory, kind, dtype, rank, shape);
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
