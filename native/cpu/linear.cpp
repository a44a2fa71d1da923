// Linear layers, and epilogues of products that others made; formulas in sanavideo/linear.h.
#include "common/tensor.hpp"
#include "cpu/dense.hpp"
#include "cpu/ops.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

void linear(sv_context& context, const sv_tensor& in, const sv_weight& weight,
            const sv_epilogue& epilogue, const sv_tensor& out) {
    Window window{in.data};
    window.width = rows(in);
    dense_product(context, window, static_cast<const DenseWeight&>(weight), 0,
                  epilogue_of(epilogue, out));
    if (epilogue.square_sums == nullptr) return;
    // A pass of its own: next to the product it takes no time that can be seen.
    int64_t parts = epilogue.square_parts;
    row_square_sums(context, reshaped(out, {rows(out), parts, channels(out) / parts}),
                    *epilogue.square_sums);
}

void finish_product(sv_context& context, const sv_tensor& product, const sv_epilogue& epilogue,
                    const sv_tensor& out) {
    finish_stored(context, product.data, out.dtype, rows(out), channels(out),
                  epilogue_of(epilogue, out));
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
