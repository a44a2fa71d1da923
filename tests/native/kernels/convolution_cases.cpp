// Cases of the dense convolutions of sanavideo/convolution.h.
#include "case.hpp"

namespace kernels {
namespace {

// What surrounds a temporal convolution.
struct Around {
    bool previous = false;
    int64_t groups = 0;  // of the gate; 0: no gate
    enum { kNone, kApart, kOutput } residual = kNone;
};

Case temporal(sv_dtype dtype, int64_t batch, int64_t frames, int64_t pixels, int64_t channels,
              Around around = {}) {
    std::string text = text_of({batch, frames, pixels, channels});
    if (around.previous) text += ", previous";
    if (around.groups > 0) text += ", gate of " + std::to_string(around.groups);
    if (around.residual == Around::kApart) text += ", residual";
    if (around.residual == Around::kOutput) text += ", onto itself";
    Case one{"temporal_convolution", text, dtype, {}};
    Shape shape{batch, frames, pixels, channels};
    one.body = [=](Run& run) {
        constexpr int kGateRows = 6, kGateRow = 5;
        sv_epilogue epilogue{};
        auto* in = run.input(dtype, shape);
        auto* weight = run.weight(SV_WEIGHT_TEMPORAL, dtype, {channels, channels, 3});
        auto* previous = around.previous ? run.input(dtype, {batch, pixels, channels}) : nullptr;
        if (around.groups > 0) {
            epilogue.gate = run.input(SV_F32, {around.groups, kGateRows, channels});
            epilogue.gate_row = kGateRow;
        }
        Bound bound = sum_bound(dtype, 3 * channels);
        const sv_tensor* out = around.residual == Around::kOutput
                                   ? run.in_place(dtype, shape, bound)
                                   : run.output(dtype, shape, bound);
        if (around.residual == Around::kOutput) epilogue.residual = out;
        if (around.residual == Around::kApart) epilogue.residual = run.input(dtype, shape);
        run.op([&] {
            return sv_temporal_convolution(run.context(), in, previous, weight, &epilogue, out);
        });
    };
    double elements = static_cast<double>(batch) * frames * pixels * channels;
    double arrays = around.residual == Around::kNone ? 2 : 3;
    one.bytes = (arrays * elements + 3.0 * channels * channels) * size_of(dtype);
    one.flops = 2 * elements * 3 * channels;
    return one;
}

}  // namespace

std::vector<Case> convolution_cases() {
    std::vector<Case> cases;
    for (sv_dtype dtype : kFloats) {
        for (int64_t frames : {1, 2, 3, 5}) {
            cases.push_back(temporal(dtype, 1, frames, 13, 24));
            cases.push_back(temporal(dtype, 1, frames, 13, 24, {true}));
        }
        // A tap that ends inside a slice, or inside 16 bytes.
        for (int64_t channels : {1, 5, 8, 12, 32, 33, 40, 65}) {
            cases.push_back(temporal(dtype, 1, 3, 7, channels, {true}));
        }
        cases.push_back(temporal(dtype, 2, 3, 23, 40, {true, 6, Around::kOutput}));
        cases.push_back(temporal(dtype, 3, 2, 11, 9, {true, 2, Around::kApart}));
        cases.push_back(temporal(dtype, 2, 2, 33, 72, {false, 1, Around::kOutput}));
        // Large tiles; the gate changes inside a tile, and frames do.
        cases.push_back(temporal(dtype, 2, 5, 95, 232, {true, 10, Around::kOutput}));
    }
    return cases;
}

std::vector<Case> convolution_perf_cases() {
    std::vector<Case> cases;
    for (sv_dtype dtype : {SV_BF16, SV_F32}) {
        cases.push_back(temporal(dtype, 1, 21, 1560, 2240, {true, 21, Around::kOutput}));
        cases.push_back(temporal(dtype, 1, 3, 1560, 2240, {true, 3, Around::kOutput}));
    }
    return cases;
}

}  // namespace kernels
