// Linear layers, and epilogues of products that others made; formulas in sanavideo/linear.h.
#include "common/tensor.hpp"
#include "cpu/dense.hpp"
#include "cpu/number.hpp"
#include "cpu/nvfp4.hpp"
#include "cpu/ops.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

// A pass of its own: next to the product it takes no time that can be seen.
void sum_squares(sv_context& context, const sv_epilogue& epilogue, const sv_tensor& out) {
    if (epilogue.square_sums == nullptr) return;
    int64_t parts = epilogue.square_parts;
    row_square_sums(context, reshaped(out, {rows(out), parts, channels(out) / parts}),
                    *epilogue.square_sums);
}

}  // namespace

void linear(sv_context& context, const sv_tensor& in, const sv_weight& weight,
            const sv_epilogue& epilogue, const sv_tensor& out) {
    Window window{in.data};
    window.width = window.in_width = rows(in);
    dense_product(context, window, weight, in.dtype, 0, epilogue_of(epilogue, out));
    sum_squares(context, epilogue, out);
}

void nvfp4_linear(sv_context& context, const sv_nvfp4_matrix& in, const Nvfp4Weight& weight,
                  const sv_epilogue& epilogue, const sv_tensor& out) {
    with_float_type(out.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Scratch<T> expanded(context.memory, in.rows * in.columns);
        expand_rows(context, in, expanded.get());
        Window window{expanded};
        window.width = window.in_width = in.rows;
        Epilogue store = epilogue_of(epilogue, out);
        store.input_scale = in.global_scale;
        dense_product(context, window, weight, out.dtype, 0, store);
    });
    sum_squares(context, epilogue, out);
}

void finish_product(sv_context& context, const sv_tensor& product, const sv_epilogue& epilogue,
                    const sv_tensor& out) {
    finish_stored(context, product.data, out.dtype, rows(out), channels(out),
                  epilogue_of(epilogue, out));
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
