// Normalisations over the last dimension. A row stays in cache between its passes, so each op reads
// and writes memory once and is bound by it. Sums are fp32, in vector partial sums whose order
// depends on the row's length alone.
#include <cmath>

#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/nvfp4.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/vector_math.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

// Elements that are worth a thread of their own.
constexpr int64_t kGrain = 16384;

template <typename T>
float square_sum(const T* row, int64_t count) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < count; ++c) sum += widen(row[c]) * widen(row[c]);
    return sum;
}

template <typename T>
float mean(const T* row, int64_t count) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < count; ++c) sum += widen(row[c]);
    return sum / static_cast<float>(count);
}

template <typename T>
float variance(const T* row, int64_t count, float mean) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < count; ++c) {
        float distance = widen(row[c]) - mean;
        sum += distance * distance;
    }
    return sum / static_cast<float>(count);
}

// One row after the other, stored as T or as f32.
template <typename T>
struct LayerNorm {
    int64_t count, rows_per_group, group_stride;
    const T* in;
    const float* shift;  // of the first group
    const float* scale;
    float epsilon;

    LayerNorm(const sv_tensor& in, const sv_tensor& modulation, int shift_row, int scale_row,
              float epsilon)
        : count(channels(in)),
          rows_per_group(rows(in) / modulation.shape[0]),
          group_stride(modulation.shape[1] * count),
          in(static_cast<const T*>(in.data)),
          shift(static_cast<const float*>(modulation.data) + shift_row * count),
          scale(static_cast<const float*>(modulation.data) + scale_row * count),
          epsilon(epsilon) {}

    template <typename Out>
    void row(int64_t r, Out* to) const {
        const T* x = in + r * count;
        const float* shifts = shift + r / rows_per_group * group_stride;
        const float* scales = scale + r / rows_per_group * group_stride;
        float centre = mean(x, count);
        float inverse = 1.0f / std::sqrt(variance(x, count, centre) + epsilon);
        int64_t n = count;
#pragma omp simd
        for (int64_t c = 0; c < n; ++c) {
            float normal = (widen(x[c]) - centre) * inverse;
            to[c] = narrow<Out>(normal * (1.0f + scales[c]) + shifts[c]);
        }
    }
};

}  // namespace

void layer_norm_modulated(sv_context& context, const sv_tensor& in, const sv_tensor& modulation,
                          int shift_row, int scale_row, float epsilon, const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        LayerNorm<T> norm(in, modulation, shift_row, scale_row, epsilon);
        auto* y = static_cast<T*>(out.data);
        parallel_ranges(context, rows(in), kGrain / norm.count, [=](int64_t first, int64_t last) {
            for (int64_t r = first; r < last; ++r) norm.row(r, y + r * norm.count);
        });
    });
}

void nvfp4_layer_norm_modulated(sv_context& context, const sv_tensor& in,
                                const sv_tensor& modulation, int shift_row, int scale_row,
                                float epsilon, const sv_nvfp4_matrix& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        LayerNorm<T> norm(in, modulation, shift_row, scale_row, epsilon);
        Scratch<float> results(context.memory, context.threads * norm.count);
        parallel_tasks(context, out.rows, [&](int64_t r, int thread) {
            float* row = results + thread * norm.count;
            norm.row(r, row);
            quantize_columns(out, r, 0, norm.count, row);
        });
    });
}

void rms_norm(sv_context& context, const sv_tensor& in, int part, const sv_tensor& weight,
              float weight_offset, float epsilon, const sv_tensor* residual, const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t count = channels(in);
        int64_t in_parts = in.rank == 3 ? in.shape[1] : 1;
        int64_t out_parts = out.rank == 3 ? out.shape[1] : 1;
        auto* x = static_cast<const T*>(in.data) + part * count;
        auto* y = static_cast<T*>(out.data) + (out.rank == 3 ? part * count : 0);
        auto* w = static_cast<const float*>(weight.data);
        auto* base = residual == nullptr ? nullptr : static_cast<const T*>(residual->data);
        parallel_ranges(context, in.shape[0], kGrain / count, [=](int64_t first, int64_t last) {
            for (int64_t r = first; r < last; ++r) {
                const T* row = x + r * in_parts * count;
                T* to = y + r * out_parts * count;
                float mean_square = square_sum(row, count) / static_cast<float>(count);
                float inverse = 1.0f / std::sqrt(mean_square + epsilon);
                if (base == nullptr) {
#pragma omp simd
                    for (int64_t c = 0; c < count; ++c) {
                        to[c] = narrow<T>(widen(row[c]) * inverse * (weight_offset + w[c]));
                    }
                } else {
                    const T* left = base + r * count;
#pragma omp simd
                    for (int64_t c = 0; c < count; ++c) {
                        float normal = widen(row[c]) * inverse * (weight_offset + w[c]);
                        to[c] = narrow<T>(widen(left[c]) + normal);
                    }
                }
            }
        });
    });
}

void row_square_sums(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t count = channels(in);
        int64_t parts = in.shape[1];
        int64_t summed = out.shape[1];
        auto* x = static_cast<const T*>(in.data);
        auto* y = static_cast<float*>(out.data);
        parallel_ranges(context, in.shape[0], kGrain / count, [=](int64_t first, int64_t last) {
            for (int64_t r = first; r < last; ++r) {
                for (int64_t p = 0; p < summed; ++p) {
                    y[r * summed + p] = square_sum(x + (r * parts + p) * count, count);
                }
            }
        });
    });
}

void channel_norm(sv_context& context, const sv_tensor& in, const sv_tensor& gamma, bool with_silu,
                  const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t count = channels(in);
        auto* x = static_cast<const T*>(in.data);
        auto* y = static_cast<T*>(out.data);
        auto* w = static_cast<const float*>(gamma.data);
        parallel_ranges(context, rows(in), kGrain / count, [=](int64_t first, int64_t last) {
            for (int64_t r = first; r < last; ++r) {
                const T* row = x + r * count;
                T* to = y + r * count;
                float norm = std::max(std::sqrt(square_sum(row, count)), 1e-12f);
                float factor = std::sqrt(static_cast<float>(count)) / norm;
                if (with_silu) {
#pragma omp simd
                    for (int64_t c = 0; c < count; ++c) {
                        to[c] = narrow<T>(silu(widen(row[c]) * factor * w[c]));
                    }
                } else {
#pragma omp simd
                    for (int64_t c = 0; c < count; ++c) {
                        to[c] = narrow<T>(widen(row[c]) * factor * w[c]);
                    }
                }
            }
        });
    });
}

void pixel_norm(sv_context& context, const sv_tensor& in, float epsilon, bool with_silu,
                const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t count = channels(in);
        auto* x = static_cast<const T*>(in.data);
        auto* y = static_cast<T*>(out.data);
        parallel_ranges(context, rows(in), kGrain / count, [=](int64_t first, int64_t last) {
            for (int64_t r = first; r < last; ++r) {
                const T* row = x + r * count;
                T* to = y + r * count;
                float mean_square = square_sum(row, count) / static_cast<float>(count);
                float factor = 1.0f / std::sqrt(mean_square + epsilon);
                if (with_silu) {
#pragma omp simd
                    for (int64_t c = 0; c < count; ++c) {
                        to[c] = narrow<T>(silu(widen(row[c]) * factor));
                    }
                } else {
#pragma omp simd
                    for (int64_t c = 0; c < count; ++c) to[c] = narrow<T>(widen(row[c]) * factor);
                }
            }
        });
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
