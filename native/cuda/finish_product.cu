// The epilogue of a product that a library has stored; formula in sanavideo/linear.h:
// out = residual + gate * activation(product + bias), one pass of the kernel of map.cuh in fp32.
// The sums of squares are a pass of row_square_sums that the ABI adds.
//
// Bytes of an element of |x|: 2 |x|, or 3 |x| with a residual; bias and gates stay in the L1 cache.
// Memory bounds it: in bf16 the dearest, GELU with all else, takes some 20 instructions an element,
// as the kernels of elementwise.cu do. What a product of our own spares by finishing its sums in
// registers is all of this, and one rounding.
//
// Predicted, not measured, at full bandwidth, on an H100 (3.35 TB/s) and an RTX 5090 (1.79 TB/s),
// in bf16:
//   bias, SiLU, in place, 32760 x 13440     1.76 GB   526 us   984 us
//   gate, residual, 32760 x 2240            440 MB    131 us   246 us
#include "common/tensor.hpp"
#include "cuda/activation.cuh"
#include "cuda/context.hpp"
#include "cuda/gemm_epilogue.cuh"
#include "cuda/map.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

template <typename T>
struct Finish {
    using Out = T;
    static constexpr int kCount = widest<T, float>;
    const T* product;
    const T* residual = nullptr;
    const float* bias = nullptr;
    const float* gate = nullptr;
    int64_t gate_stride = 0;  // from one group's row of gates to the next
    int64_t rows_per_group = 1, columns = 1;
    sv_activation activation = SV_NO_ACTIVATION;

    bool fits() const {
        return columns % kCount == 0 && aligned<kCount>(product, residual) &&
               aligned<kCount>(bias, gate);
    }

    template <int Count>
    __device__ Vector<T, Count> at(int64_t i) const {
        int64_t row = i / columns, column = i - row * columns;
        Vector<T, Count> sums = load<T, Count>(product + i);
        Vector<T, Count> added{};
        Vector<float, Count> offset{}, factor{};
        if (residual != nullptr) added = load<T, Count>(residual + i);
        if (bias != nullptr) offset = load<float, Count>(bias + column);
        if (gate != nullptr) {
            factor = load<float, Count>(gate + row / rows_per_group * gate_stride + column);
        }
        float x[Count], more[Count];
        widen(sums, x);
        widen(added, more);
#pragma unroll
        for (int n = 0; n < Count; ++n) {
            x[n] = activate(activation, x[n] + offset.at[n]);
            if (gate != nullptr) x[n] *= factor.at[n];
            x[n] += more[n];
        }
        return narrow<T>(x);
    }
};

template <typename T>
void run(Context& context, const sv_tensor& product, const sv_epilogue& epilogue,
         const sv_tensor& out) {
    Finish<T> finish{static_cast<const T*>(product.data)};
    auto parts = gemm::epilogue_of<T, false>(epilogue, out);
    finish.residual = parts.residual;
    finish.bias = parts.bias;
    finish.gate = parts.gate;
    finish.gate_stride = parts.gate_stride;
    finish.rows_per_group = parts.rows_per_group;
    finish.columns = parts.columns;
    finish.activation = parts.activation;
    map(context, finish, elements(out), out.data);
}

}  // namespace

void finish_product(sv_context& context, const sv_tensor& product, const sv_epilogue& epilogue,
                    const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(out.dtype, [&](auto* type) {
        run<std::remove_pointer_t<decltype(type)>>(c, product, epilogue, out);
    });
}

}  // namespace sv::cuda
