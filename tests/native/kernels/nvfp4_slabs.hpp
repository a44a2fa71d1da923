// NVFP4 matrices in slabs as operands of cases.
#pragma once

#include "case.hpp"

namespace kernels {

// A window of a larger matrix: `before` rows in front of it, `after` behind.
struct Window {
    int64_t before = 0, after = 0;
};

// The tensors of all of the matrix that the window is cut from, and the window.
struct SlabTensors {
    const sv_tensor* codes;
    const sv_tensor* scales;
    Window window;
    int64_t rows, columns;
    float global_scale;

    // As the op gets it: tensors are elsewhere in each call that is timed.
    sv_nvfp4_matrix matrix() const {
        return {static_cast<char*>(codes->data) + 32 * window.before,
                static_cast<char*>(scales->data) + 4 * window.before,
                rows,
                columns,
                codes->shape[1],
                global_scale};
    }
};

inline Shape slab_shape(int64_t rows, int64_t columns, const Window& window, int64_t row_bytes) {
    return {(columns + 63) / 64, window.before + rows + window.after, row_bytes};
}

// Poisoned, compared with the CPU's bytes, the rows around the window too; not compared where
// results are other than the CPU's in their last bits.
inline SlabTensors slab_output(Run& run, int64_t rows, int64_t columns, float global_scale,
                               const Window& window, bool compared = true) {
    Shape codes = slab_shape(rows, columns, window, 32),
          scales = slab_shape(rows, columns, window, 4);
    auto tensor = [&](const Shape& shape) {
        if (compared) return run.output(SV_U8, shape, kSameBits);
        return run.input(SV_U8, shape, Range{255, 255});
    };
    const sv_tensor* codes_tensor = tensor(codes);
    return {codes_tensor, tensor(scales), window, rows, columns, global_scale};
}

// Any codes, scales that are numbers.
inline SlabTensors slab_input(Run& run, int64_t rows, int64_t columns, float global_scale,
                              const Window& window = {}) {
    auto* codes = run.input(SV_U8, slab_shape(rows, columns, window, 32), Range{0, 255.9f});
    auto* scales = run.input(SV_U8, slab_shape(rows, columns, window, 4), Range{0, 126.9f});
    return {codes, scales, window, rows, columns, global_scale};
}

}  // namespace kernels
