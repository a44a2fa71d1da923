// Rearrangements, conversions and small sums. Each is one pass over memory and bound by it.
#include <atomic>
#include <cmath>

#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"
#include "cpu/vector_math.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

// Elements that are worth a thread of their own.
constexpr int64_t kGrain = 16384;

// y[i] = f(x[i])
template <typename In, typename Out, typename Function>
void map(const sv_context& context, const sv_tensor& in, const sv_tensor& out, Function f) {
    auto* x = static_cast<const In*>(in.data);
    auto* y = static_cast<Out*>(out.data);
    parallel_ranges(context, elements(in), kGrain, [=](int64_t first, int64_t last) {
#pragma omp simd
        for (int64_t i = first; i < last; ++i) y[i] = narrow<Out>(f(widen(x[i])));
    });
}

// NaN and infinities are those whose difference with themselves is not 0.
template <typename T>
bool are_finite(const T* x, int64_t count) {
    int32_t bad = 0;
#pragma omp simd reduction(| : bad)
    for (int64_t i = 0; i < count; ++i) {
        float value = widen(x[i]);
        bad |= value - value == 0.0f ? 0 : 1;
    }
    return bad == 0;
}

}  // namespace

void activate(sv_context& context, const sv_tensor& in, sv_activation activation,
              const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        switch (activation) {
            case SV_NO_ACTIVATION:
                map<T, T>(context, in, out, [](float x) { return x; });
                break;
            case SV_SILU:
                map<T, T>(context, in, out, [](float x) { return silu(x); });
                break;
            case SV_GELU_TANH:
                map<T, T>(context, in, out, [](float x) { return gelu_tanh(x); });
                break;
        }
    });
}

void add(sv_context& context, const sv_tensor& in, const sv_tensor& other, const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* a = static_cast<const T*>(in.data);
        auto* b = static_cast<const T*>(other.data);
        auto* y = static_cast<T*>(out.data);
        parallel_ranges(context, elements(in), kGrain, [=](int64_t first, int64_t last) {
#pragma omp simd
            for (int64_t i = first; i < last; ++i) y[i] = narrow<T>(widen(a[i]) + widen(b[i]));
        });
    });
}

void convert(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* in_type) {
        with_float_type(out.dtype, [&](auto* out_type) {
            using In = std::remove_pointer_t<decltype(in_type)>;
            using Out = std::remove_pointer_t<decltype(out_type)>;
            map<In, Out>(context, in, out, [](float x) { return x; });
        });
    });
}

void combine(sv_context& context, int count, const float* coefficients, const sv_tensor** inputs,
             const sv_tensor& out) {
    auto* y = static_cast<float*>(out.data);
    parallel_ranges(context, elements(out), kGrain, [=](int64_t first, int64_t last) {
        constexpr int64_t kBlock = 256;
        float sums[kBlock];  // out may be an input, and is written last
        for (int64_t start = first; start < last; start += kBlock) {
            int64_t size = std::min(kBlock, last - start);
            std::fill_n(sums, size, 0.0f);
            for (int term = 0; term < count; ++term) {
                const float* x = static_cast<const float*>(inputs[term]->data) + start;
#pragma omp simd
                for (int64_t i = 0; i < size; ++i) sums[i] += coefficients[term] * x[i];
            }
            std::copy_n(sums, size, y + start);
        }
    });
}

void scale_channels(sv_context& context, const sv_tensor& in, const sv_tensor& scale,
                    const sv_tensor& shift, const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* in_type) {
        with_float_type(out.dtype, [&](auto* out_type) {
            using In = std::remove_pointer_t<decltype(in_type)>;
            using Out = std::remove_pointer_t<decltype(out_type)>;
            int64_t count = channels(in);
            auto* x = static_cast<const In*>(in.data);
            auto* y = static_cast<Out*>(out.data);
            auto* factor = static_cast<const float*>(scale.data);
            auto* offset = static_cast<const float*>(shift.data);
            parallel_ranges(context, rows(in), kGrain / count, [=](int64_t first, int64_t last) {
                for (int64_t r = first; r < last; ++r) {
#pragma omp simd
                    for (int64_t c = 0; c < count; ++c) {
                        float value = widen(x[r * count + c]) * factor[c] + offset[c];
                        y[r * count + c] = narrow<Out>(value);
                    }
                }
            });
        });
    });
}

void to_rgb8(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* x = static_cast<const T*>(in.data);
        auto* y = static_cast<uint8_t*>(out.data);
        parallel_ranges(context, elements(in), kGrain, [=](int64_t first, int64_t last) {
#pragma omp simd
            for (int64_t i = first; i < last; ++i) {
                float value = widen(x[i]) * 0.5f + 0.5f;
                value = value > 0 ? value : 0;
                value = value < 1 ? value : 1;
                y[i] = static_cast<uint8_t>(
                    static_cast<int32_t>(__builtin_nearbyintf(value * 255.0f)));
            }
        });
    });
}

void from_rgb8(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* x = static_cast<const uint8_t*>(in.data);
        auto* y = static_cast<T*>(out.data);
        parallel_ranges(context, elements(in), kGrain, [=](int64_t first, int64_t last) {
#pragma omp simd
            for (int64_t i = first; i < last; ++i) {
                y[i] = narrow<T>(static_cast<float>(x[i]) / 127.5f - 1.0f);
            }
        });
    });
}

void modulation(sv_context&, const sv_tensor& table, const sv_tensor& embedding,
                const sv_tensor& out) {
    with_float_type(embedding.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t groups = out.shape[0], table_rows = out.shape[1], count = out.shape[2];
        int64_t embedding_rows = embedding.shape[1];
        auto* constant = static_cast<const float*>(table.data);
        auto* x = static_cast<const T*>(embedding.data);
        auto* y = static_cast<float*>(out.data);
        for (int64_t g = 0; g < groups; ++g) {
            for (int64_t j = 0; j < table_rows; ++j) {
                const T* row = x + (g * embedding_rows + (embedding_rows == 1 ? 0 : j)) * count;
                float* to = y + (g * table_rows + j) * count;
#pragma omp simd
                for (int64_t c = 0; c < count; ++c) to[c] = constant[j * count + c] + widen(row[c]);
            }
        }
    });
}

void embedding(sv_context& context, const sv_tensor& table, const int32_t* ids, int64_t count,
               float scale, const sv_tensor& out) {
    with_float_type(table.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        float factor = widen(narrow<T>(scale));
        int64_t width = channels(table);
        auto* x = static_cast<const T*>(table.data);
        auto* y = static_cast<T*>(out.data);
        parallel_ranges(context, count, kGrain / width, [=](int64_t first, int64_t last) {
            for (int64_t l = first; l < last; ++l) {
                const T* row = x + ids[l] * width;
#pragma omp simd
                for (int64_t c = 0; c < width; ++c) {
                    y[l * width + c] = narrow<T>(widen(row[c]) * factor);
                }
            }
        });
    });
}

void geglu(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t hidden = channels(in);
        auto* x = static_cast<const T*>(in.data);
        auto* y = static_cast<T*>(out.data);
        parallel_ranges(context, in.shape[0], kGrain / hidden, [=](int64_t first, int64_t last) {
            for (int64_t r = first; r < last; ++r) {
                const T* gate = x + 2 * r * hidden;
                const T* value = gate + hidden;
                T* to = y + r * hidden;
#pragma omp simd
                for (int64_t c = 0; c < hidden; ++c) {
                    to[c] = narrow<T>(gelu_tanh(widen(gate[c])) * widen(value[c]));
                }
            }
        });
    });
}

void timestep_sinusoids(sv_context&, const double* timesteps, int64_t count, const sv_tensor& out) {
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t half = channels(out) / 2;
        auto* y = static_cast<T*>(out.data);
        for (int64_t j = 0; j < half; ++j) {
            double frequency =
                std::exp(-std::log(10000.0) * static_cast<double>(j) / static_cast<double>(half));
            for (int64_t g = 0; g < count; ++g) {
                double angle = timesteps[g] * frequency;
                y[g * 2 * half + j] = narrow<T>(static_cast<float>(std::cos(angle)));
                y[g * 2 * half + half + j] = narrow<T>(static_cast<float>(std::sin(angle)));
            }
        }
    });
}

bool all_finite(sv_context& context, const sv_tensor& in) {
    std::atomic<bool> finite{true};
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* x = static_cast<const T*>(in.data);
        parallel_ranges(context, elements(in), kGrain, [x, &finite](int64_t first, int64_t last) {
            if (!are_finite(x + first, last - first)) finite.store(false);
        });
    });
    return finite.load();
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
