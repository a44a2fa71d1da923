#include "common/tensor.hpp"

#include <algorithm>
#include <cmath>

namespace sv {
namespace {

std::string shape_text(const int64_t* shape, int rank) {
    std::string text = "[";
    for (int i = 0; i < rank; ++i) {
        if (i > 0) text += ", ";
        text += shape[i] == -1 ? "any" : std::to_string(shape[i]);
    }
    return text + "]";
}

bool known(sv_dtype dtype) { return dtype >= SV_F32 && dtype <= SV_F64; }

}  // namespace

int64_t elements(const sv_tensor& tensor) {
    int64_t count = 1;
    for (int i = 0; i < tensor.rank; ++i) count *= tensor.shape[i];
    return count;
}

int64_t bytes_of(sv_dtype dtype) {
    switch (dtype) {
        case SV_F32:
        case SV_I32:
            return 4;
        case SV_BF16:
        case SV_F16:
            return 2;
        case SV_U8:
            return 1;
        case SV_I64:
        case SV_F64:
            return 8;
    }
    return 0;
}

const char* name_of(sv_dtype dtype) {
    static const char* const names[] = {"f32", "bf16", "f16", "i32", "u8", "i64", "f64"};
    return known(dtype) ? names[dtype] : "unknown";
}

std::string shape_text(const sv_tensor& tensor) { return shape_text(tensor.shape, tensor.rank); }

sv_tensor reshaped(const sv_tensor& tensor, std::initializer_list<int64_t> shape) {
    sv_tensor view{tensor.data, tensor.dtype, static_cast<int32_t>(shape.size()), {}};
    std::copy(shape.begin(), shape.end(), view.shape);
    return view;
}

int64_t rows(const sv_tensor& tensor) { return elements(tensor) / channels(tensor); }

int64_t channels(const sv_tensor& tensor) { return tensor.shape[tensor.rank - 1]; }

const sv_tensor& require_tensor(const sv_tensor* tensor, const char* name) {
    if (tensor == nullptr) fail(SV_INVALID_ARGUMENT, "%s is null", name);
    if (tensor->data == nullptr) fail(SV_INVALID_ARGUMENT, "%s has no data", name);
    if (!known(tensor->dtype)) {
        fail(SV_INVALID_ARGUMENT, "%s has the unknown dtype %d", name, int(tensor->dtype));
    }
    if (tensor->rank < 1 || tensor->rank > SV_MAX_RANK) {
        fail(SV_INVALID_ARGUMENT, "%s has rank %d, expected 1 to %d", name, int(tensor->rank),
             SV_MAX_RANK);
    }
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; ++i) {
        if (tensor->shape[i] < 1 || __builtin_mul_overflow(count, tensor->shape[i], &count) ||
            count > (int64_t{1} << 60)) {
            fail(SV_INVALID_ARGUMENT, "%s has shape %s, expected positive sizes that fit in memory",
                 name, shape_text(*tensor).c_str());
        }
    }
    return *tensor;
}

const sv_tensor& require_float(const sv_tensor* tensor, const char* name) {
    require_tensor(tensor, name);
    if (tensor->dtype != SV_F32 && tensor->dtype != SV_BF16) {
        fail(SV_INVALID_ARGUMENT, "%s is %s, expected f32 or bf16", name, name_of(tensor->dtype));
    }
    return *tensor;
}

const sv_tensor& require(const sv_tensor* tensor, const char* name, sv_dtype dtype,
                         std::initializer_list<int64_t> shape) {
    require_tensor(tensor, name);
    bool fits = tensor->rank == static_cast<int>(shape.size());
    for (int i = 0; fits && i < tensor->rank; ++i) {
        int64_t expected = shape.begin()[i];
        fits = expected == -1 || expected == tensor->shape[i];
    }
    if (!fits || tensor->dtype != dtype) {
        fail(SV_INVALID_ARGUMENT, "%s is %s %s, expected %s %s", name, name_of(tensor->dtype),
             shape_text(*tensor).c_str(), name_of(dtype),
             shape_text(shape.begin(), static_cast<int>(shape.size())).c_str());
    }
    return *tensor;
}

void require_same_shape(const sv_tensor& a, const char* a_name, const sv_tensor& b,
                        const char* b_name) {
    bool same = a.rank == b.rank;
    for (int i = 0; same && i < a.rank; ++i) same = a.shape[i] == b.shape[i];
    if (!same) {
        fail(SV_INVALID_ARGUMENT, "%s has shape %s, expected %s's shape %s", a_name,
             shape_text(a).c_str(), b_name, shape_text(b).c_str());
    }
}

void require_same_dtype(const sv_tensor& a, const char* a_name, const sv_tensor& b,
                        const char* b_name) {
    if (a.dtype != b.dtype) {
        fail(SV_INVALID_ARGUMENT, "%s is %s, expected %s's dtype %s", a_name, name_of(a.dtype),
             b_name, name_of(b.dtype));
    }
}

const sv_tensor& require_like(const sv_tensor* a, const char* a_name, const sv_tensor& b,
                              const char* b_name) {
    require_same_shape(require_tensor(a, a_name), a_name, b, b_name);
    require_same_dtype(*a, a_name, b, b_name);
    return *a;
}

void require_apart(const sv_tensor& a, const char* a_name, const sv_tensor& b, const char* b_name) {
    const char* a_begin = static_cast<const char*>(a.data);
    const char* b_begin = static_cast<const char*>(b.data);
    const char* a_end = a_begin + elements(a) * bytes_of(a.dtype);
    const char* b_end = b_begin + elements(b) * bytes_of(b.dtype);
    if (a_begin < b_end && b_begin < a_end) {
        fail(SV_INVALID_ARGUMENT, "%s overlaps %s, expected separate memory", a_name, b_name);
    }
}

void require_same_or_apart(const sv_tensor& a, const char* a_name, const sv_tensor& b,
                           const char* b_name) {
    if (a.data == b.data && a.dtype == b.dtype && elements(a) == elements(b)) return;
    require_apart(a, a_name, b, b_name);
}

void require_finite(float value, const char* name) {
    if (!std::isfinite(value)) {
        fail(SV_INVALID_ARGUMENT, "%s is %g, expected a finite number", name, double(value));
    }
}

void require_not_negative(float value, const char* name) {
    if (!std::isfinite(value) || value < 0) {
        fail(SV_INVALID_ARGUMENT, "%s is %g, expected a finite number of at least 0", name,
             double(value));
    }
}

void require_groups(int64_t tensor_rows, int64_t groups, const char* name) {
    if (groups < 1 || tensor_rows % groups != 0) {
        fail(SV_INVALID_ARGUMENT, "%s has %ld groups, expected a divisor of %ld rows", name,
             long(groups), long(tensor_rows));
    }
}

}  // namespace sv
