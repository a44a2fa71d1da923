// Packing of weights: rows are read and checked on the host, put into the layouts of
// cuda/weight.hpp in pinned memory, and copied from there while the next ones are packed. It runs
// while a model is loaded, at the speed of its files.
#include <algorithm>
#include <cstring>

#include "common/tensor.hpp"
#include "common/weight_rows.hpp"
#include "cuda/context.hpp"
#include "cuda/number.cuh"
#include "cuda/ops.hpp"
#include "cuda/weight.hpp"

namespace sv::cuda {
namespace {

template <typename T>
T rounded(float value);

template <>
float rounded<float>(float value) {
    return value;
}

// To nearest even. Finite values only: rows were checked.
template <>
bf16 rounded<bf16>(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return {static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

// One column of one matrix. row: [depth, taps], as files hold it.
template <typename T>
void place_column(const DenseWeight& weight, const float* row, int64_t matrix, T* column) {
    for (int64_t tap = 0; tap < weight.taps; ++tap) {
        T* to = column + tap * weight.padded_depth;
        for (int64_t k = 0; k < weight.depth; ++k) {
            float value = weight.kind == SV_WEIGHT_UPSAMPLE ? upsample_tap(row + k * 9, matrix, tap)
                                                            : row[k * weight.taps + tap];
            to[k] = rounded<T>(value);
        }
    }
}

// Packs rows that fit into one block of staging memory.
template <typename T>
void pack_piece(Context& context, const DenseWeight& weight, int64_t first_row, int64_t rows,
                const void* data, sv_dtype data_dtype) {
    int64_t size = weight.column_elements();
    auto* packed = static_cast<T*>(context.staging.next());
    if (weight.padded_depth != weight.depth) {
        std::memset(packed, 0, weight.matrices * rows * size * static_cast<int64_t>(sizeof(T)));
    }
    read_rows(context, weight, first_row, rows, data, data_dtype,
              [&](int64_t row, const float* elements) {
                  for (int64_t matrix = 0; matrix < weight.matrices; ++matrix) {
                      T* column = packed + (matrix * rows + row - first_row) * size;
                      place_column(weight, elements, matrix, column);
                  }
              });
    for (int64_t matrix = 0; matrix < weight.matrices; ++matrix) {
        T* to = static_cast<T*>(weight.data) + matrix * weight.matrix_elements() + first_row * size;
        context.upload_staged(to, packed + matrix * rows * size,
                              rows * size * static_cast<int64_t>(sizeof(T)));
    }
    context.staging.copied(context.stream);
}

}  // namespace

DenseWeight::DenseWeight(Memory& memory, sv_weight_kind kind, sv_dtype dtype, int rank,
                         const int64_t* shape)
    : ProductWeight(kind, dtype, rank, shape), memory(memory) {
    padded_depth = round_up(depth, 16 / bytes_of(dtype));
    data = memory.allocate(bytes());
}

DenseWeight::~DenseWeight() { memory.release(data); }

int64_t DenseWeight::bytes() const { return matrices * matrix_elements() * bytes_of(dtype); }

void DenseWeight::pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
                       sv_dtype data_dtype) {
    Context& c = enter(context);
    int64_t row_bytes = matrices * column_elements() * bytes_of(dtype);
    int64_t piece = Staging::kBytes / row_bytes;
    if (piece < 1) {
        fail(SV_UNSUPPORTED, "a row of the weight takes %ld bytes, expected at most %ld",
             long(row_bytes), long(Staging::kBytes));
    }
    with_float_type(dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        for (int64_t row = 0; row < rows; row += piece) {
            const char* from =
                static_cast<const char*>(data) + row * row_elements() * bytes_of(data_dtype);
            pack_piece<T>(c, *this, first_row + row, std::min(piece, rows - row), from, data_dtype);
        }
    });
}

sv_weight* weight_create(sv_context& context, sv_weight_kind kind, sv_dtype dtype, int rank,
                         const int64_t* shape) {
    Context& c = enter(context);
    if (kind == SV_WEIGHT_DEPTHWISE) return new DepthwiseWeight(c.memory, dtype, rank, shape);
    return new DenseWeight(c.memory, kind, dtype, rank, shape);
}

}  // namespace sv::cuda
