// Checks of NVFP4 matrices in slabs, and what their memory is.
#pragma once

#include "common/tensor.hpp"
#include "sanavideo/nvfp4.h"

namespace sv {

namespace nvfp4 {

constexpr int64_t kSlab = 64;           // columns
constexpr int64_t kSlabCodeBytes = 32;  // of a row
constexpr int64_t kSlabScaleBytes = 4;

inline int64_t slabs(int64_t columns) { return (columns + kSlab - 1) / kSlab; }

}  // namespace nvfp4

// A well-formed matrix of so many rows and columns; -1 is any number.
const sv_nvfp4_matrix& require_matrix(const sv_nvfp4_matrix* matrix, const char* name, int64_t rows,
                                      int64_t columns);

// Memory that does not overlap.
void require_apart(const sv_nvfp4_matrix& a, const char* a_name, const sv_tensor& b,
                   const char* b_name);
void require_apart(const sv_nvfp4_matrix& a, const char* a_name, const sv_nvfp4_matrix& b,
                   const char* b_name);

}  // namespace sv
