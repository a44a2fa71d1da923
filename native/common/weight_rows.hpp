// Reading the rows of a weight as files hold them: what every backend does before it packs them.
#pragma once

#include <cstdint>

#include "common/weight.hpp"

namespace sv {

// What is done with a row of the weight, given as f32.
using PlaceRow = void (*)(const void* place, int64_t row, const float* elements);

// Reads whole rows, rounded to the weight's dtype, on the context's threads (on all cores where a
// device has none on the host) and hands each to place(row index, elements). Throws
// Error(SV_NOT_FINITE) with the index of the first element that is not finite then; rows may have
// been placed before.
void read_rows(const sv_context& context, const sv_weight& weight, int64_t first_row, int64_t rows,
               const void* data, sv_dtype data_dtype, PlaceRow call, const void* place);

template <typename Place>
void read_rows(const sv_context& context, const sv_weight& weight, int64_t first_row, int64_t rows,
               const void* data, sv_dtype data_dtype, const Place& place) {
    auto call = [](const void* what, int64_t row, const float* elements) {
        (*static_cast<const Place*>(what))(row, elements);
    };
    read_rows(context, weight, first_row, rows, data, data_dtype, call, &place);
}

// One tap of the 2x2 kernels that a 3x3 kernel becomes when it reads a doubled image. Of that image
// each output pixel sees only two by two different input pixels: the kernel's rows (and columns)
// that fall on the same one are added. An even row sees {0}, {1, 2}; an odd one {0, 1}, {2}.
//
// kernel: [3, 3]; quarter: 2 * (the output's row is odd) + (its column is odd); tap: [2, 2].
float upsample_tap(const float* kernel, int64_t quarter, int64_t tap);

}  // namespace sv
