// Shapes: what ops check before work is queued. Every message names the argument, what it was and
// what was expected.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "common/status.hpp"

namespace sv {

int64_t elements(const sv_tensor& tensor);
int64_t bytes_of(sv_dtype dtype);
const char* name_of(sv_dtype dtype);
std::string shape_text(const sv_tensor& tensor);

// The same memory with another shape of as many elements.
sv_tensor reshaped(const sv_tensor& tensor, std::initializer_list<int64_t> shape);

// Elements before and in the last dimension.
int64_t rows(const sv_tensor& tensor);
int64_t channels(const sv_tensor& tensor);

// A well-formed tensor: not null, has data, known dtype, rank 1 to SV_MAX_RANK, positive sizes.
const sv_tensor& require_tensor(const sv_tensor* tensor, const char* name);

// One that is f32 or bf16.
const sv_tensor& require_float(const sv_tensor* tensor, const char* name);

// One of this dtype and shape; a size of -1 is any.
const sv_tensor& require(const sv_tensor* tensor, const char* name, sv_dtype dtype,
                         std::initializer_list<int64_t> shape);

void require_same_shape(const sv_tensor& a, const char* a_name, const sv_tensor& b,
                        const char* b_name);
void require_same_dtype(const sv_tensor& a, const char* a_name, const sv_tensor& b,
                        const char* b_name);

// One of b's shape and dtype.
const sv_tensor& require_like(const sv_tensor* a, const char* a_name, const sv_tensor& b,
                              const char* b_name);

// Memory that does not overlap.
void require_apart(const sv_tensor& a, const char* a_name, const sv_tensor& b, const char* b_name);

// Memory that is the same, in as many elements of one dtype, or does not overlap.
void require_same_or_apart(const sv_tensor& a, const char* a_name, const sv_tensor& b,
                           const char* b_name);

// Numbers.
void require_finite(float value, const char* name);
void require_not_negative(float value, const char* name);

// Rows of `tensor` divide evenly among groups.
void require_groups(int64_t tensor_rows, int64_t groups, const char* name);

}  // namespace sv
