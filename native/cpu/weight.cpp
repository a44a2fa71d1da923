// Packing of weights: conversion, the check for NaN and infinities, and the layouts of
// cpu/weight.hpp.
#include "cpu/weight.hpp"

#include <atomic>
#include <cmath>
#include <cstring>

#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

struct f16 {
    uint16_t bits;
};

// Moves exponent and fraction to their places in a float; the scaling by 2^112 mends the exponent's
// bias and makes subnormals normal.
float widen(f16 value) {
    uint32_t magnitude = uint32_t{value.bits & 0x7fffu} << 13;
    if (magnitude >= 0x0f800000) magnitude |= 0x7f800000;  // an infinity or a NaN stays one
    float wide;
    std::memcpy(&wide, &magnitude, sizeof wide);
    wide = magnitude >= 0x7f800000 ? wide : wide * 0x1p112f;
    return value.bits & 0x8000 ? -wide : wide;
}

using cpu::widen;

// Reads `count` elements of T from bytes of any alignment, rounded to the weight's dtype. Returns
// the index of the first one that is not finite then, or count.
template <typename T>
int64_t read_row(const char* bytes, int64_t count, sv_dtype dtype, float* row) {
    bool finite = true;
    for (int64_t i = 0; i < count; ++i) {
        T element;
        std::memcpy(&element, bytes + i * sizeof(T), sizeof element);
        float value = widen(element);
        row[i] = dtype == SV_BF16 ? widen(narrow<bf16>(value)) : value;
        finite &= std::fabs(row[i]) <= __FLT_MAX__;
    }
    int64_t first = 0;
    while (!finite && std::fabs(row[first]) <= __FLT_MAX__) ++first;
    return finite ? count : first;
}

// Reads whole rows on all threads and hands each, as f32, to place(row index, elements).
template <typename Place>
void read_rows(sv_context& context, const sv_weight& weight, int64_t first_row, int64_t rows,
               const void* data, sv_dtype data_dtype, const Place& place) {
    // Rows whose columns share cache lines go to the same thread.
    constexpr int64_t kRowsPerTask = 64;
    int64_t count = weight.row_elements();
    int64_t row_bytes = count * bytes_of(data_dtype);
    int64_t last_row = first_row + rows;
    int64_t first_task = first_row / kRowsPerTask;
    int64_t tasks = (last_row + kRowsPerTask - 1) / kRowsPerTask - first_task;
    Scratch<float> buffers(context.memory, context.threads * count);
    std::atomic<int64_t> bad{INT64_MAX};
    parallel_tasks(context, tasks, [&](int64_t task, int thread) {
        float* elements = buffers + thread * count;
        int64_t begin = std::max(first_row, (first_task + task) * kRowsPerTask);
        int64_t end = std::min(last_row, (first_task + task + 1) * kRowsPerTask);
        for (int64_t row = begin; row < end; ++row) {
            const char* bytes = static_cast<const char*>(data) + (row - first_row) * row_bytes;
            int64_t finite =
                data_dtype == SV_F32   ? read_row<float>(bytes, count, weight.dtype, elements)
                : data_dtype == SV_F16 ? read_row<f16>(bytes, count, weight.dtype, elements)
                                       : read_row<bf16>(bytes, count, weight.dtype, elements);
            if (finite < count) {
                int64_t index = row * count + finite;
                for (int64_t seen = bad; index < seen && !bad.compare_exchange_weak(seen, index);) {
                }
                return;
            }
            place(row, elements);
        }
    });
    if (bad != INT64_MAX) {
        fail(SV_NOT_FINITE, "element %ld of the weight (row %ld, %ld in it) is not a finite %s",
             long(bad), long(bad / count), long(bad % count), name_of(weight.dtype));
    }
}

void describe(sv_weight& weight, sv_weight_kind kind, sv_dtype dtype, int rank,
              const int64_t* shape) {
    weight.kind = kind;
    weight.dtype = dtype;
    weight.rank = rank;
    std::copy(shape, shape + rank, weight.shape);
}

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
               column % kPanelColumns * weight.pair;
    return {first, weight.panel_width(panel) * weight.pair};
}

// row: [depth, taps], as files hold it.
template <typename T>
void place_taps(const DenseWeight& weight, int64_t column, const float* row) {
    Column<T> to = column_of<T>(weight, 0, column);
    for (int64_t tap = 0; tap < weight.taps; ++tap) {
        for (int64_t k = 0; k < weight.depth; ++k) {
            to[tap * weight.padded_depth + k] = narrow<T>(row[k * weight.taps + tap]);
        }
    }
}

// row: [depth, 3, 3]. Of the doubled image each output pixel sees only two by two different input
// pixels: the kernel's rows (and columns) that fall on the same one are added. An even row sees
// {0}, {1, 2}; an odd one {0, 1}, {2}.
template <typename T>
void place_upsample(const DenseWeight& weight, int64_t column, const float* row) {
    for (int64_t matrix = 0; matrix < 4; ++matrix) {
        Column<T> to = column_of<T>(weight, matrix, column);
        for (int64_t tap = 0; tap < 4; ++tap) {
            auto begin = [](int64_t odd, int64_t i) { return i == 0 ? 0 : odd + 1; };
            auto end = [](int64_t odd, int64_t i) { return i == 0 ? odd + 1 : 3; };
            for (int64_t k = 0; k < weight.depth; ++k) {
                float sum = 0;
                for (int64_t y = begin(matrix / 2, tap / 2); y < end(matrix / 2, tap / 2); ++y) {
                    for (int64_t x = begin(matrix % 2, tap % 2); x < end(matrix % 2, tap % 2);
                         ++x) {
                        sum += row[(k * 3 + y) * 3 + x];
                    }
                }
                to[tap * weight.padded_depth + k] = narrow<T>(sum);
            }
        }
    }
}

}  // namespace

DenseWeight::DenseWeight(Memory& memory, sv_weight_kind kind, sv_dtype dtype, int rank,
                         const int64_t* shape)
    : memory(memory) {
    describe(*this, kind, dtype, rank, shape);
    matrices = kind == SV_WEIGHT_UPSAMPLE ? 4 : 1;
    depth = shape[1];
    columns = shape[0];
    taps = kind == SV_WEIGHT_UPSAMPLE ? 4 : row_elements() / depth;
    pair = dtype == SV_BF16 ? 2 : 1;
    padded_depth = (depth + pair - 1) / pair * pair;
    data = memory.allocate(bytes());
    if (padded_depth != depth || padded_columns() != columns) std::memset(data, 0, bytes());
}

DenseWeight::~DenseWeight() { memory.release(data); }

int64_t DenseWeight::bytes() const { return matrices * matrix_elements() * bytes_of(dtype); }

void DenseWeight::pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
                       sv_dtype data_dtype) {
    with_float_type(dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* place = kind == SV_WEIGHT_UPSAMPLE ? place_upsample<T> : place_taps<T>;
        read_rows(context, *this, first_row, rows, data, data_dtype,
                  [&](int64_t row, const float* elements) { place(*this, row, elements); });
    });
}

DepthwiseWeight::DepthwiseWeight(Memory& memory, sv_dtype dtype, int rank, const int64_t* shape)
    : memory(memory) {
    describe(*this, SV_WEIGHT_DEPTHWISE, dtype, rank, shape);
    taps = static_cast<float*>(memory.allocate(bytes()));
}

DepthwiseWeight::~DepthwiseWeight() { memory.release(taps); }

int64_t DepthwiseWeight::bytes() const { return shape[0] * row_elements() * sizeof(float); }

void DepthwiseWeight::pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
                           sv_dtype data_dtype) {
    read_rows(context, *this, first_row, rows, data, data_dtype,
              [&](int64_t row, const float* elements) {
                  for (int64_t tap = 0; tap < row_elements(); ++tap) {
                      taps[tap * shape[0] + row] = elements[tap];
                  }
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
