// Cases of the ops that make NVFP4 matrices in slabs.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "case.hpp"
#include "nvfp4_slabs.hpp"

namespace kernels {
namespace {

constexpr float kGlobalScale = 0.0043f;
constexpr float kEpsilon = 0.1f;
constexpr Window kInside{3, 2};

int64_t padded(int64_t columns) { return (columns + 63) / 64 * 64; }

std::string windowed(const Window& window) {
    return window.before + window.after == 0 ? "" : ", a window";
}

Case to_slabs(int64_t rows, int64_t columns, Window window = {}) {
    Case one{"nvfp4_to_slabs", text_of({rows, columns}) + windowed(window), SV_U8, {}};
    one.body = [=](Run& run) {
        auto* codes = run.input(SV_U8, {rows, padded(columns) / 2}, Range{0, 255.9f});
        auto* scales = run.input(SV_U8, {rows, padded(columns) / 16}, Range{0, 126.9f});
        SlabTensors out = slab_output(run, rows, columns, kGlobalScale, window);
        run.op([&] {
            sv_nvfp4_matrix matrix = out.matrix();
            return sv_nvfp4_to_slabs(run.context(), codes, scales, &matrix);
        });
    };
    one.bytes = 2 * 0.5625 * rows * padded(columns);
    return one;
}

Case from_slabs(int64_t rows, int64_t columns, Window window = {}) {
    Case one{"nvfp4_from_slabs", text_of({rows, columns}) + windowed(window), SV_U8, {}};
    one.body = [=](Run& run) {
        auto* codes = run.output(SV_U8, {rows, padded(columns) / 2}, kSameBits);
        auto* scales = run.output(SV_U8, {rows, padded(columns) / 16}, kSameBits);
        SlabTensors in = slab_input(run, rows, columns, kGlobalScale, window);
        run.op([&] {
            sv_nvfp4_matrix matrix = in.matrix();
            return sv_nvfp4_from_slabs(run.context(), &matrix, codes, scales);
        });
    };
    one.bytes = 2 * 0.5625 * rows * padded(columns);
    return one;
}

Case quantize_rows(sv_dtype dtype, int64_t rows, int64_t columns, Window window = {},
                   float size = 1) {
    Case one{"nvfp4_quantize_rows",
             text_of({rows, columns}) + windowed(window) +
                 (size == 1 ? "" : ", up to " + std::to_string(size)),
             dtype,
             {}};
    one.body = [=](Run& run) {
        auto* in = run.input(dtype, {rows, columns}, Range{-size, size});
        SlabTensors out = slab_output(run, rows, columns, kGlobalScale, window);
        run.op([&] {
            sv_nvfp4_matrix matrix = out.matrix();
            return sv_nvfp4_quantize_rows(run.context(), in, &matrix);
        });
    };
    one.bytes = static_cast<double>(rows) * (columns * size_of(dtype) + 0.5625 * padded(columns));
    return one;
}

// What a fused op has quantised: the bytes of its fp32 result quantised on the same device. The
// CPU's result may be another in its last bits, and then an element that lies at the middle between
// two codes may get the other one, which is at most two steps of 6 away, or a block the next scale:
// its numbers are compared with the CPU's, and one such element is allowed.
void check_fused(Run& run, const SlabTensors& fused, const sv_tensor* result) {
    if (run.measures()) return;
    auto require = [](sv_status status) {
        if (status != SV_OK) throw std::runtime_error(sv_last_error());
    };
    SlabTensors apart =
        slab_output(run, fused.rows, fused.columns, fused.global_scale, fused.window, false);
    sv_nvfp4_matrix matrix = apart.matrix();
    require(sv_nvfp4_quantize_rows(run.context(), result, &matrix));
    run.require_same(fused.codes, apart.codes);
    run.require_same(fused.scales, apart.scales);

    int64_t rows = fused.rows, columns = fused.columns;
    auto* codes = run.input(SV_U8, {rows, padded(columns) / 2}, Range{0, 0});
    auto* scales = run.input(SV_U8, {rows, padded(columns) / 16}, Range{0, 0});
    matrix = fused.matrix();
    require(sv_nvfp4_from_slabs(run.context(), &matrix, codes, scales));
    auto* numbers = run.output(SV_F32, {rows, columns},
                               Bound{2 / std::sqrt(static_cast<double>(rows * columns))});
    require(sv_nvfp4_dequantize(run.context(), codes, scales, fused.global_scale, numbers));
}

// Inputs of a dtype, and the same numbers in f32, of which an op makes its fp32 result.
struct Inputs {
    const sv_tensor* given;
    const sv_tensor* wide;

    Inputs(Run& run, sv_dtype dtype, const Shape& shape, Range range) {
        given = run.input(dtype, shape, range);
        wide = given;
        if (dtype == SV_F32 || run.measures()) return;
        auto* converted = run.input(SV_F32, shape, Range{0, 0});
        if (sv_convert(run.context(), given, converted) != SV_OK) {
            throw std::runtime_error(sv_last_error());
        }
        wide = converted;
    }
};

struct LayerNorm {
    sv_dtype dtype;
    int64_t rows, channels, groups = 1;
    Window window = {};
};

Case layer_norm(const LayerNorm& n) {
    Case one{"nvfp4_layer_norm_modulated",
             text_of({n.rows, n.channels}) + ", " + std::to_string(n.groups) + " groups" +
                 windowed(n.window),
             n.dtype,
             {}};
    one.body = [=](Run& run) {
        Inputs in(run, n.dtype, {n.rows, n.channels}, {-1, 3});
        auto* modulation = run.input(SV_F32, {n.groups, 3, n.channels});
        SlabTensors out = slab_output(run, n.rows, n.channels, kGlobalScale, n.window, false);
        run.op([&] {
            sv_nvfp4_matrix matrix = out.matrix();
            return sv_nvfp4_layer_norm_modulated(run.context(), in.given, modulation, 2, 0,
                                                 kEpsilon, &matrix);
        });
        if (run.measures()) return;
        auto* result = run.output(SV_F32, {n.rows, n.channels}, sum_bound(SV_F32, n.channels));
        run.op([&] {
            return sv_layer_norm_modulated(run.context(), in.wide, modulation, 2, 0, kEpsilon,
                                           result);
        });
        check_fused(run, out, result);
    };
    one.bytes = static_cast<double>(n.rows) *
                    (n.channels * size_of(n.dtype) + 0.5625 * padded(n.channels)) +
                8.0 * n.groups * n.channels;
    one.flops = 8.0 * n.rows * n.channels;
    return one;
}

Case depthwise_gate(sv_dtype dtype, int64_t frames, int64_t height, int64_t width, int64_t hidden,
                    Window window = {}) {
    Case one{"nvfp4_depthwise_gate",
             text_of({frames, height, width, hidden}) + windowed(window),
             dtype,
             {}};
    one.body = [=](Run& run) {
        int64_t pixels = frames * height * width;
        Inputs in(run, dtype, {frames, height, width, 2 * hidden}, {});
        // Of numbers that bf16 holds, so that weights of both dtypes are the same.
        std::vector<float> taps = run.numbers(2 * hidden * 9);
        for (float& tap : taps) tap = std::round(tap * 64) / 64;
        auto* weight = run.weight(SV_WEIGHT_DEPTHWISE, dtype, {2 * hidden, 1, 3, 3}, taps);
        auto* bias = run.input(SV_F32, {2 * hidden});
        SlabTensors out = slab_output(run, pixels, hidden, kGlobalScale, window, false);
        run.op([&] {
            sv_nvfp4_matrix matrix = out.matrix();
            return sv_nvfp4_depthwise_gate(run.context(), in.given, weight, bias, &matrix);
        });
        if (run.measures()) return;
        auto* wide_weight = run.weight(SV_WEIGHT_DEPTHWISE, SV_F32, {2 * hidden, 1, 3, 3}, taps);
        auto* result = run.output(SV_F32, {frames, height, width, hidden}, sum_bound(SV_F32, 9));
        run.op(
            [&] { return sv_depthwise_gate(run.context(), in.wide, wide_weight, bias, result); });
        check_fused(run, out, result);
    };
    double outputs = 1.0 * frames * height * width * hidden;
    one.bytes = outputs * (2 * size_of(dtype) + 0.5625) + 80.0 * hidden;
    one.flops = outputs * (2 * 18 + 4);
    return one;
}

// Both the instruction and what stands in for it; a CPU has nothing to try.
Case probe() {
    Case one{"nvfp4_probe", "", SV_U8, {}};
    one.body = [](Run& run) {
        int64_t positions = -1;
        run.op([&] { return sv_nvfp4_probe(run.context(), &positions); });
        bool right = positions == 0 || positions == 2 * (1024 + 512 + 2 * 64 + 4 * 32);
        run.compare(run.input(SV_U8, {1}, Range{1, 1}), kSameBits);
        if (!right) throw std::runtime_error(std::to_string(positions) + " positions were tried");
        if (sv_nvfp4_probe(run.context(), nullptr) != SV_INVALID_ARGUMENT ||
            sv_last_error() != std::string("positions is null")) {
            throw std::runtime_error("positions that are null are taken");
        }
    };
    return one;
}

// A row that a card cannot pack is refused before memory is taken for it. The CPU takes it.
Case long_row() {
    constexpr int64_t kLongest = (int64_t{32 << 20} - 4) / 36 * 64;  // 36 bytes for 64 channels
    Case one{"nvfp4_weight_create", "a row that is too long", SV_U8, {}};
    one.body = [](Run& run) {
        run.compare(run.input(SV_U8, {1}, Range{1, 1}), kSameBits);
        void* stream = nullptr;
        if (sv_cuda_stream(run.context(), &stream) != SV_OK) return;
        int64_t shape[] = {1, kLongest + 64};
        sv_weight* weight = nullptr;
        sv_status status =
            sv_nvfp4_weight_create(run.context(), SV_WEIGHT_LINEAR, 2, shape, &weight);
        std::string message = status == SV_OK ? "nothing is refused" : sv_last_error();
        if (status != SV_UNSUPPORTED ||
            message != "a row of the weight takes 33554452 bytes, expected at most 33554432") {
            throw std::runtime_error(message);
        }
    };
    return one;
}

// Where a layout of rows begins at an odd byte.
Case odd(Case one) { return unaligned(std::move(one), 0); }

}  // namespace

std::vector<Case> nvfp4_producer_cases() {
    std::vector<Case> cases{probe(), long_row()};
    for (int64_t columns : {1, 16, 17, 48, 64, 65, 200}) {
        for (int64_t rows : {1, 5, 37}) {
            cases.push_back(to_slabs(rows, columns));
            cases.push_back(from_slabs(rows, columns));
        }
        cases.push_back(to_slabs(7, columns, kInside));
        cases.push_back(from_slabs(7, columns, kInside));
    }
    cases.push_back(odd(to_slabs(5, 72)));
    cases.push_back(odd(from_slabs(5, 72)));
    for (sv_dtype dtype : kFloats) {
        for (int64_t columns : {1, 15, 16, 17, 63, 64, 65, 72, 200}) {
            cases.push_back(quantize_rows(dtype, 1, columns));
            cases.push_back(quantize_rows(dtype, 37, columns));
            cases.push_back(quantize_rows(dtype, 6, columns, kInside));
        }
        cases.push_back(quantize_rows(dtype, 9, 80, {}, 1000));
        cases.push_back(quantize_rows(dtype, 9, 80, {}, 1e-6f));
        cases.push_back(odd(quantize_rows(dtype, 9, 64)));

        // Each way to hold a row (norm_cases.cpp), and blocks and slabs that the row does not fill.
        for (int64_t channels : {1,   4,   7,   8,   12,  16,  20,  32,   36,   64,   76,   96,
                                 128, 132, 192, 256, 260, 384, 388, 2180, 2240, 2241, 2304, 2308}) {
            cases.push_back(layer_norm({dtype, 6, channels, 3}));
            cases.push_back(layer_norm({dtype, 3, channels, 1, kInside}));
        }
        for (int64_t rows : {1, 31, 32, 33, 67}) {  // of teams that share warps and blocks
            cases.push_back(layer_norm({dtype, rows, 4, rows}));
            cases.push_back(layer_norm({dtype, rows, 32, rows}));
        }
        cases.push_back(odd(layer_norm({dtype, 5, 96})));
        cases.push_back(layer_norm({dtype, 33000, 4, 3000}));  // more rows than the grid has teams

        // One pixel; edges of a strip of 4 columns; of a segment of rows; of a slab.
        cases.push_back(depthwise_gate(dtype, 1, 1, 1, 1));
        for (int64_t width : {1, 3, 4, 5, 9}) {
            cases.push_back(depthwise_gate(dtype, 2, 3, width, 6));
        }
        for (int64_t height : {1, 2, 8, 9, 17}) {
            cases.push_back(depthwise_gate(dtype, 1, height, 5, 4));
        }
        for (int64_t hidden : {15, 16, 17, 18, 31, 33, 48, 62, 63, 64, 65, 66, 97, 130}) {
            cases.push_back(depthwise_gate(dtype, 1, 4, 6, hidden));
            cases.push_back(depthwise_gate(dtype, 1, 3, 5, hidden, kInside));
        }
        cases.push_back(odd(depthwise_gate(dtype, 2, 5, 6, 34)));
        cases.push_back(depthwise_gate(dtype, 40, 10, 9, 66));  // each frame is one segment
    }
    return cases;
}

std::vector<Case> nvfp4_producer_perf_cases() {
    constexpr int64_t kTokens = 32760, kWidth = 2240;
    return {to_slabs(kTokens, kWidth),
            from_slabs(kTokens, kWidth),
            quantize_rows(SV_BF16, kTokens, kWidth),
            layer_norm({SV_BF16, kTokens, kWidth}),
            layer_norm({SV_BF16, kTokens, kWidth, 21}),
            depthwise_gate(SV_BF16, 21, 30, 52, 6720),
            depthwise_gate(SV_BF16, 42, 30, 52, 6720)};
}

}  // namespace kernels
