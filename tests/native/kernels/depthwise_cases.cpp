// Cases of sv_depthwise_gate.
#include <algorithm>

#include "case.hpp"

namespace kernels {
namespace {

// Elements that lie in front of a tensor: with one of them, pairs of channels are not aligned.
struct Skipped {
    int64_t in = 0, out = 0;
};

Case depthwise_gate(sv_dtype dtype, int64_t frames, int64_t height, int64_t width, int64_t hidden,
                    Skipped skipped = {}) {
    Case one{"depthwise_gate",
             text_of({frames, height, width, hidden}) + (skipped.in > 0 ? ", unaligned in" : "") +
                 (skipped.out > 0 ? ", unaligned out" : ""),
             dtype,
             {}};
    one.body = [=](Run& run) {
        int64_t pixels = frames * height * width;
        // 9 products a half, then the product of two halves.
        Bound bound = sum_bound(dtype, 9);
        auto view = [&](const sv_tensor* whole, int64_t skip, int64_t channels) {
            sv_tensor tensor = *whole;
            tensor.data = static_cast<char*>(whole->data) + skip * size_of(dtype);
            tensor.rank = 4;
            int64_t shape[] = {frames, height, width, channels};
            std::copy(shape, shape + 4, tensor.shape);
            return tensor;
        };
        sv_tensor in =
            view(run.input(dtype, {pixels * 2 * hidden + skipped.in}), skipped.in, 2 * hidden);
        auto* weight = run.weight(SV_WEIGHT_DEPTHWISE, dtype, {2 * hidden, 1, 3, 3});
        auto* bias = run.input(SV_F32, {2 * hidden});
        // What the op must leave alone is compared too.
        sv_tensor out =
            view(skipped.out > 0 ? run.in_place(dtype, {pixels * hidden + skipped.out}, bound)
                                 : run.output(dtype, {pixels * hidden}, bound),
                 skipped.out, hidden);
        run.op([&] { return sv_depthwise_gate(run.context(), &in, weight, bias, &out); });
    };
    double outputs = 1.0 * frames * height * width * hidden;
    one.bytes = 3 * outputs * size_of(dtype) + 80.0 * hidden;
    one.flops = outputs * (2 * 18 + 4);
    return one;
}

}  // namespace

std::vector<Case> depthwise_cases() {
    std::vector<Case> cases;
    for (sv_dtype dtype : kFloats) {
        // One pixel; edges of a strip of 4 columns; of a segment of rows; of 32 lanes of 1 and 2
        // channels.
        cases.push_back(depthwise_gate(dtype, 1, 1, 1, 1));
        for (int64_t width : {1, 2, 3, 4, 5, 8, 9, 13}) {
            cases.push_back(depthwise_gate(dtype, 2, 3, width, 6));
        }
        for (int64_t height : {1, 2, 7, 8, 9, 16, 17, 29}) {
            cases.push_back(depthwise_gate(dtype, 1, height, 5, 4));
        }
        for (int64_t hidden : {31, 32, 33, 62, 64, 66, 97, 130}) {
            cases.push_back(depthwise_gate(dtype, 1, 4, 6, hidden));
        }
        cases.push_back(depthwise_gate(dtype, 2, 5, 6, 34, {1, 0}));
        cases.push_back(depthwise_gate(dtype, 2, 5, 6, 34, {0, 1}));
        // So many frames that each is one segment.
        cases.push_back(depthwise_gate(dtype, 40, 10, 9, 66));
    }
    return cases;
}

std::vector<Case> depthwise_perf_cases() {
    return {depthwise_gate(SV_BF16, 21, 30, 52, 6720), depthwise_gate(SV_BF16, 42, 30, 52, 6720),
            depthwise_gate(SV_BF16, 3, 30, 52, 6720), depthwise_gate(SV_F32, 21, 30, 52, 6720)};
}

}  // namespace kernels
