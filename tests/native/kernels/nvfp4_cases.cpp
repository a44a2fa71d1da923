// Cases of sanavideo/nvfp4.h: every device makes the CPU's bytes.
#include <cmath>

#include "case.hpp"

namespace kernels {
namespace {

constexpr float kGlobalScale = 0.037f;

int64_t padded(int64_t length) { return (length + 63) / 64 * 64; }

// The number of a scale's byte.
float scale_value(int code) {
    return code < 8 ? std::ldexp(static_cast<float>(code), -9)
                    : std::ldexp(8.0f + static_cast<float>(code % 8), code / 8 - 10);
}

Case quantize(sv_dtype dtype, int64_t rows, int64_t length, sv_nvfp4_scaling scaling,
              Range range = {}) {
    Case one{"nvfp4_quantize",
             text_of({rows, length}) + (scaling == SV_NVFP4_SIX ? "" : ", four over six") +
                 (range.high == 1 ? "" : ", up to " + std::to_string(range.high)),
             dtype,
             {}};
    one.body = [=](Run& run) {
        auto* in = run.input(dtype, {rows, length}, range);
        auto* codes = run.output(SV_U8, {rows, padded(length) / 2}, kSameBits);
        auto* scales = run.output(SV_U8, {rows, padded(length) / 16}, kSameBits);
        run.op([&] {
            return sv_nvfp4_quantize(run.context(), in, kGlobalScale, scaling, codes, scales);
        });
    };
    one.bytes = static_cast<double>(rows) * (length * size_of(dtype) + 0.5625 * padded(length));
    return one;
}

// For each scale but 0 a block of its largest number, all that lies in the middle between two
// codes, and zeros of both signs.
Case quantize_ties(sv_dtype dtype, sv_nvfp4_scaling scaling) {
    constexpr int kScales = 127;
    Case one{"nvfp4_quantize",
             std::string("ties") + (scaling == SV_NVFP4_SIX ? "" : ", four over six"),
             dtype,
             {}};
    one.body = [=](Run& run) {
        std::vector<float> values;
        for (int scale = 0; scale < kScales; ++scale) {
            for (float x : {6.0f, 0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, 5.0f, -0.25f, -0.75f,
                            -1.25f, -1.75f, -2.5f, -3.5f, -5.0f, -0.0f}) {
                values.push_back(x * scale_value(scale));
            }
        }
        auto* in = run.input(dtype, {kScales, 16}, values);
        auto* codes = run.output(SV_U8, {kScales, 32}, kSameBits);
        auto* scales = run.output(SV_U8, {kScales, 4}, kSameBits);
        run.op([&] { return sv_nvfp4_quantize(run.context(), in, 1, scaling, codes, scales); });
    };
    return one;
}

Case dequantize(sv_dtype dtype, int64_t rows, int64_t length) {
    Case one{"nvfp4_dequantize", text_of({rows, length}), dtype, {}};
    one.body = [=](Run& run) {
        auto* codes = run.input(SV_U8, {rows, padded(length) / 2}, Range{0, 255.9f});
        auto* scales = run.input(SV_U8, {rows, padded(length) / 16}, Range{0, 126.9f});
        auto* out = run.output(dtype, {rows, length}, kSameBits);
        run.op(
            [&] { return sv_nvfp4_dequantize(run.context(), codes, scales, kGlobalScale, out); });
    };
    one.bytes = static_cast<double>(rows) * (length * size_of(dtype) + 0.5625 * padded(length));
    return one;
}

Shape tiles_of(int64_t rows, int64_t count) {
    return {(rows + 127) / 128, (count + 3) / 4, 32, 4, 4};
}

Case tile(int64_t rows, int64_t count) {
    Case one{"nvfp4_tile_scales", text_of({rows, count}), SV_U8, {}};
    one.body = [=](Run& run) {
        auto* scales = run.input(SV_U8, {rows, count}, Range{0, 255.9f});
        auto* tiles = run.output(SV_U8, tiles_of(rows, count), kSameBits);
        run.op([&] { return sv_nvfp4_tile_scales(run.context(), scales, tiles); });
    };
    one.bytes = 2.0 * rows * count;
    return one;
}

Case untile(int64_t rows, int64_t count) {
    Case one{"nvfp4_untile_scales", text_of({rows, count}), SV_U8, {}};
    one.body = [=](Run& run) {
        auto* tiles = run.input(SV_U8, tiles_of(rows, count), Range{0, 255.9f});
        auto* scales = run.output(SV_U8, {rows, count}, kSameBits);
        run.op([&] { return sv_nvfp4_untile_scales(run.context(), tiles, scales); });
    };
    one.bytes = 2.0 * rows * count;
    return one;
}

}  // namespace

std::vector<Case> nvfp4_cases() {
    std::vector<Case> cases;
    for (sv_dtype dtype : kFloats) {
        for (sv_nvfp4_scaling scaling : {SV_NVFP4_SIX, SV_NVFP4_FOUR_OVER_SIX}) {
            for (int64_t length : {1, 15, 16, 17, 64, 65, 72, 200}) {
                cases.push_back(quantize(dtype, 37, length, scaling));
            }
            cases.push_back(quantize(dtype, 9, 64, scaling, {-1000, 1000}));
            cases.push_back(quantize(dtype, 9, 64, scaling, {-1e-4f, 1e-4f}));
            cases.push_back(unaligned(quantize(dtype, 9, 64, scaling), 0));
            cases.push_back(unaligned(quantize(dtype, 9, 72, scaling), 1));
            cases.push_back(quantize_ties(dtype, scaling));
        }
        for (int64_t length : {1, 15, 16, 17, 64, 65, 200}) {
            cases.push_back(dequantize(dtype, 21, length));
        }
    }
    for (auto [rows, count] : {std::pair<int64_t, int64_t>{1, 1}, {33, 4}, {129, 5}, {130, 12}}) {
        cases.push_back(tile(rows, count));
        cases.push_back(untile(rows, count));
    }
    return cases;
}

std::vector<Case> nvfp4_perf_cases() {
    constexpr int64_t kTokens = 32760, kWidth = 2240;
    return {quantize(SV_BF16, kTokens, kWidth, SV_NVFP4_SIX),
            quantize(SV_BF16, kTokens, kWidth, SV_NVFP4_FOUR_OVER_SIX),
            dequantize(SV_BF16, kTokens, kWidth), tile(kTokens, kWidth / 16),
            untile(kTokens, kWidth / 16)};
}

}  // namespace kernels
