// What conditions the network: rows for token ids and timesteps, and the modulation of the blocks.
// One pass each of the kernel of map.cuh.
//
//   embedding           out[l] = table[ids[l]] scale                    2 |x| bytes an element
//   modulation          out[g, j] = table[j] + embedding[g, j or 0]     4 to 12 bytes an element
//   timestep_sinusoids  out[g] = (cos(t_g f_j), ..., sin(t_g f_j), ...), f_j = exp(-ln(10000) j /
//   half)
//
// Ids and timesteps come from the host: they are uploaded to scratch memory, which the stream has
// staged when the call returns. The sinusoids are computed in double, as on the CPU: angles reach
// 1000, where a float has lost the last four digits of its fraction.
//
// Predicted, not measured, on an H100 (3.35 TB/s) and an RTX 5090 (1.79 TB/s):
//   embedding, bf16, 300 x 2304                  2.8 MB   0.8 us   1.5 us
//   modulation, f32, 42 x 6 x 2240               4.5 MB   1.4 us   2.5 us
//   timestep_sinusoids, 42 x 256: 11 k elements of about 150 fp64 operations; 0.8 us on a 5090,
//   which does two of them a clock and multiprocessor
// All three are shorter than their launch.
#include "common/tensor.hpp"
#include "cuda/map.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

template <typename T>
struct Lookup {
    using Out = T;
    static constexpr int kCount = widest<T>;
    const T* table;
    const int32_t* ids;
    int64_t channels;
    float scale;

    bool fits() const { return channels % kCount == 0 && aligned<kCount>(table); }

    template <int Count>
    __device__ Vector<T, Count> at(int64_t i) const {
        int64_t row = i / channels, c = i % channels;
        float x[Count];
        widen(load<T, Count>(table + ids[row] * channels + c), x);
        float factor = widen(narrow<T>(scale));
#pragma unroll
        for (int n = 0; n < Count; ++n) x[n] *= factor;
        return narrow<T>(x);
    }
};

template <typename T>
struct Modulation {
    using Out = float;
    static constexpr int kCount = widest<T, float>;
    const float* table;
    const T* embedding;  // [groups, rows or 1, channels]
    int64_t rows, channels;
    bool one_row;

    bool fits() const { return channels % kCount == 0 && aligned<kCount>(table, embedding); }

    template <int Count>
    __device__ Vector<float, Count> at(int64_t i) const {
        int64_t row = i / channels, c = i % channels;  // row: of all groups
        int64_t group = row / rows;
        const T* from = embedding + (one_row ? group : row) * channels + c;
        Vector<float, Count> y = load<float, Count>(table + (row - group * rows) * channels + c);
        float x[Count];
        widen(load<T, Count>(from), x);
#pragma unroll
        for (int n = 0; n < Count; ++n) y.at[n] += x[n];
        return y;
    }
};

template <typename T>
struct Sinusoids {
    using Out = T;
    static constexpr int kCount = 1;
    const double* timesteps;
    int64_t half;

    bool fits() const { return true; }

    template <int>
    __device__ Vector<T, 1> at(int64_t i) const {
        int64_t group = i / (2 * half), c = i % (2 * half);
        int64_t j = c < half ? c : c - half;
        double log_10000 = 9.210340371976184;
        double frequency = exp(-log_10000 * static_cast<double>(j) / static_cast<double>(half));
        double angle = timesteps[group] * frequency;
        return {{narrow<T>(static_cast<float>(c < half ? cos(angle) : sin(angle)))}};
    }
};

}  // namespace

void embedding(sv_context& context, const sv_tensor& table, const int32_t* ids, int64_t count,
               float scale, const sv_tensor& out) {
    Context& c = enter(context);
    Scratch<int32_t> uploaded(c.memory, count);
    c.upload(uploaded, ids, count * static_cast<int64_t>(sizeof *ids));
    with_float_type(table.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Lookup<T> lookup{static_cast<const T*>(table.data), uploaded, channels(table), scale};
        map(c, lookup, elements(out), out.data);
    });
}

void modulation(sv_context& context, const sv_tensor& table, const sv_tensor& embedding,
                const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(embedding.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Modulation<T> modulation{static_cast<const float*>(table.data),
                                 static_cast<const T*>(embedding.data), out.shape[1], out.shape[2],
                                 embedding.shape[1] == 1};
        map(c, modulation, elements(out), out.data);
    });
}

void timestep_sinusoids(sv_context& context, const double* timesteps, int64_t count,
                        const sv_tensor& out) {
    Context& c = enter(context);
    Scratch<double> uploaded(c.memory, count);
    c.upload(uploaded, timesteps, count * static_cast<int64_t>(sizeof *timesteps));
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        map(c, Sinusoids<T>{uploaded, channels(out) / 2}, elements(out), out.data);
    });
}

}  // namespace sv::cuda
