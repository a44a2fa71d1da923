// Conversions and small sums, each one pass of the kernel of map.cuh: fp32 arithmetic on elements
// that are read once and written once.
//
//   activate        y = f(x)                     bytes of an element: 2 |x|
//   add             y = a + b                    3 |x|
//   convert         y = x in another type        |x| + |y|
//   combine         y = sum_i w_i x_i            4 (terms + 1); the terms are added in order
//   scale_channels  y = x s[c] + t[c]            |x| + |y|; s and t stay in the L1 cache
//   to_rgb8         y = rint(clamp(x / 2 + 0.5, 0, 1) 255)    |x| + 1
//   from_rgb8       y = x / 127.5 - 1            1 + |y|
//   geglu           y = gelu(g) u                3 |x|
//
// Memory bounds them. The dearest, GELU in bf16, takes 14 instructions an element, 2 of them of the
// special function unit, which does 16 a clock and multiprocessor; the memory of an H100 brings 3.6
// elements a clock and multiprocessor, that of an RTX 5090 1.1.
//
// Predicted, not measured, at full bandwidth, on an H100 (3.35 TB/s) and an RTX 5090 (1.79 TB/s):
//   activate, bf16, 32760 x 2240                 294 MB    88 us    164 us
//   add, bf16, 32760 x 2240                      440 MB   131 us    246 us
//   convert, f32 to bf16, 32760 x 2240           440 MB   131 us    246 us
//   combine, 2 terms, 21 x 60 x 104 x 16          25 MB   7.5 us     14 us
//   scale_channels, f32, 21 x 60 x 104 x 16       17 MB   5.0 us    9.4 us
//   to_rgb8, bf16, 4 x 480 x 832 x 3              14 MB   4.3 us    8.0 us
//   from_rgb8, bf16, 4 x 480 x 832 x 3            14 MB   4.3 us    8.0 us
//   geglu, bf16, 300 x 2 x 9216                   17 MB   5.0 us    9.3 us
// Those below 10 us are as short as a launch, and their data may still lie in the L2 cache.
//
// NaN: a bf16 made from one is 0x7fff, whatever its sign and payload were (the CPU keeps both);
// to_rgb8 makes 0 of it, as the CPU does.
#include "common/tensor.hpp"
#include "cuda/activation.cuh"
#include "cuda/map.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {

// A byte, of a value from 0 to 255.
template <>
__device__ __forceinline__ uint8_t narrow<uint8_t>(float value) {
    return static_cast<uint8_t>(__float2int_rn(value));
}

namespace {

struct Same {
    __device__ float operator()(float x) const { return x; }
};

template <sv_activation Kind>
struct Activation {
    __device__ float operator()(float x) const { return cuda::activate(Kind, x); }
};

// The saturation turns a NaN into 0.
struct Brightness {
    __device__ float operator()(float x) const { return __saturatef(x * 0.5f + 0.5f) * 255.0f; }
};

// out[i] = f(in[i])
template <typename In, typename OutType, typename Function>
struct Pointwise {
    using Out = OutType;
    static constexpr int kCount = widest<In, Out>;
    const In* in;

    bool fits() const { return aligned<kCount>(in); }

    template <int Count>
    __device__ Vector<Out, Count> at(int64_t i) const {
        float x[Count];
        widen(load<In, Count>(in + i), x);
#pragma unroll
        for (int n = 0; n < Count; ++n) x[n] = Function()(x[n]);
        return narrow<Out>(x);
    }
};

template <typename In, typename Out, typename Function>
void map_pointwise(Context& context, const sv_tensor& in, const sv_tensor& out) {
    Pointwise<In, Out, Function> operation{static_cast<const In*>(in.data)};
    map(context, operation, elements(out), out.data);
}

template <typename T>
struct Sum {
    using Out = T;
    static constexpr int kCount = widest<T>;
    const T *in, *other;

    bool fits() const { return aligned<kCount>(in, other); }

    template <int Count>
    __device__ Vector<T, Count> at(int64_t i) const {
        float a[Count], b[Count];
        widen(load<T, Count>(in + i), a);
        widen(load<T, Count>(other + i), b);
#pragma unroll
        for (int n = 0; n < Count; ++n) a[n] += b[n];
        return narrow<T>(a);
    }
};

struct Combination {
    using Out = float;
    static constexpr int kCount = widest<float>;
    static constexpr int kMaxTerms = 8;
    int count;
    const float* in[kMaxTerms];
    float weight[kMaxTerms];

    bool fits() const {
        return std::all_of(in, in + count, [](const float* x) { return aligned<kCount>(x); });
    }

    // All loads come before the first sum, so that they are in flight together. The terms beyond
    // `count` add zero.
    template <int Count>
    __device__ Vector<float, Count> at(int64_t i) const {
        Vector<float, Count> x[kMaxTerms]{};
#pragma unroll
        for (int term = 0; term < kMaxTerms; ++term) {
            if (term < count) x[term] = load<float, Count>(in[term] + i);
        }
        Vector<float, Count> y{};
#pragma unroll
        for (int term = 0; term < kMaxTerms; ++term) {
#pragma unroll
            for (int n = 0; n < Count; ++n) y.at[n] += weight[term] * x[term].at[n];
        }
        return y;
    }
};

template <typename In, typename OutType>
struct ChannelScale {
    using Out = OutType;
    static constexpr int kCount = widest<In, Out, float>;
    const In* in;
    const float *scale, *shift;
    int64_t channels;

    bool fits() const { return channels % kCount == 0 && aligned<kCount>(in, scale, shift); }

    template <int Count>
    __device__ Vector<Out, Count> at(int64_t i) const {
        int64_t c = i % channels;
        float x[Count];
        widen(load<In, Count>(in + i), x);
        Vector<float, Count> factor = load<float, Count>(scale + c);
        Vector<float, Count> offset = load<float, Count>(shift + c);
#pragma unroll
        for (int n = 0; n < Count; ++n) x[n] = x[n] * factor.at[n] + offset.at[n];
        return narrow<Out>(x);
    }
};

template <typename OutType>
struct Colour {
    using Out = OutType;
    static constexpr int kCount = widest<Out>;
    const uint8_t* bytes;

    bool fits() const { return aligned<kCount>(bytes); }

    template <int Count>
    __device__ Vector<Out, Count> at(int64_t i) const {
        Vector<uint8_t, Count> values = load<uint8_t, Count>(bytes + i);
        float x[Count];
#pragma unroll
        for (int n = 0; n < Count; ++n) x[n] = static_cast<float>(values.at[n]) / 127.5f - 1.0f;
        return narrow<Out>(x);
    }
};

template <typename T>
struct GatedGelu {
    using Out = T;
    static constexpr int kCount = widest<T>;
    const T* in;  // [rows, 2, hidden]
    int64_t hidden;

    bool fits() const { return hidden % kCount == 0 && aligned<kCount>(in); }

    template <int Count>
    __device__ Vector<T, Count> at(int64_t i) const {
        const T* gates = in + i + i / hidden * hidden;
        float gate[Count], value[Count];
        widen(load<T, Count>(gates), gate);
        widen(load<T, Count>(gates + hidden), value);
#pragma unroll
        for (int n = 0; n < Count; ++n) value[n] *= gelu_tanh(gate[n]);
        return narrow<T>(value);
    }
};

}  // namespace

void activate(sv_context& context, const sv_tensor& in, sv_activation activation,
              const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        switch (activation) {
            case SV_NO_ACTIVATION:
                map_pointwise<T, T, Same>(c, in, out);
                break;
            case SV_SILU:
                map_pointwise<T, T, Activation<SV_SILU>>(c, in, out);
                break;
            case SV_GELU_TANH:
                map_pointwise<T, T, Activation<SV_GELU_TANH>>(c, in, out);
                break;
        }
    });
}

void add(sv_context& context, const sv_tensor& in, const sv_tensor& other, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Sum<T> sum{static_cast<const T*>(in.data), static_cast<const T*>(other.data)};
        map(c, sum, elements(out), out.data);
    });
}

void convert(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* in_type) {
        with_float_type(out.dtype, [&](auto* out_type) {
            using In = std::remove_pointer_t<decltype(in_type)>;
            using Out = std::remove_pointer_t<decltype(out_type)>;
            map_pointwise<In, Out, Same>(c, in, out);
        });
    });
}

void combine(sv_context& context, int count, const float* coefficients, const sv_tensor** inputs,
             const sv_tensor& out) {
    Context& c = enter(context);
    Combination combination{};
    combination.count = count;
    for (int term = 0; term < count; ++term) {
        combination.in[term] = static_cast<const float*>(inputs[term]->data);
        combination.weight[term] = coefficients[term];
    }
    map(c, combination, elements(out), out.data);
}

void scale_channels(sv_context& context, const sv_tensor& in, const sv_tensor& scale,
                    const sv_tensor& shift, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* in_type) {
        with_float_type(out.dtype, [&](auto* out_type) {
            using In = std::remove_pointer_t<decltype(in_type)>;
            using Out = std::remove_pointer_t<decltype(out_type)>;
            ChannelScale<In, Out> operation{static_cast<const In*>(in.data),
                                            static_cast<const float*>(scale.data),
                                            static_cast<const float*>(shift.data), channels(in)};
            map(c, operation, elements(out), out.data);
        });
    });
}

void to_rgb8(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        map_pointwise<T, uint8_t, Brightness>(c, in, out);
    });
}

void from_rgb8(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        map(c, Colour<T>{static_cast<const uint8_t*>(in.data)}, elements(out), out.data);
    });
}

void geglu(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        map(c, GatedGelu<T>{static_cast<const T*>(in.data), channels(in)}, elements(out), out.data);
    });
}

}  // namespace sv::cuda
