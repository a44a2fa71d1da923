// Cases of the VAE's convolutions of sanavideo/convolution.h.
#include "case.hpp"

namespace kernels {
namespace {

// Frames, height and width; of a kernel, or of an output.
struct Extent {
    int64_t frames, height, width;
};

std::string text_of(const Extent& extent, const char* between) {
    return std::to_string(extent.frames) + between + std::to_string(extent.height) + between +
           std::to_string(extent.width);
}

std::string text_of_channels(int64_t from, int64_t to) {
    return std::to_string(from) + " -> " + std::to_string(to);
}

// What is added to the sums.
struct Added {
    bool bias = false;
    enum { kNone, kApart, kOutput } residual = kNone;
    sv_padding padding = SV_PADDING_ZEROS;
};

Case convolution(sv_dtype dtype, Extent kernel, Extent size, int64_t in_channels,
                 int64_t out_channels, Added added = {}) {
    std::string text = text_of(kernel, "x") + " of " + text_of(size, " x ") + ", " +
                       text_of_channels(in_channels, out_channels);
    if (added.bias) text += ", bias";
    if (added.residual == Added::kApart) text += ", residual";
    if (added.residual == Added::kOutput) text += ", onto itself";
    if (added.padding == SV_PADDING_REFLECT) text += ", reflect";
    Case one{"convolution", text, dtype, {}};
    int64_t in_frames = size.frames + kernel.frames - 1;
    int64_t terms = kernel.frames * kernel.height * kernel.width * in_channels;
    one.body = [=](Run& run) {
        sv_epilogue epilogue{};
        auto* in = run.input(dtype, {in_frames, size.height, size.width, in_channels});
        auto* weight =
            run.weight(SV_WEIGHT_CONVOLUTION, dtype,
                       {out_channels, in_channels, kernel.frames, kernel.height, kernel.width});
        if (added.bias) epilogue.bias = run.input(SV_F32, {out_channels});
        Shape shape{size.frames, size.height, size.width, out_channels};
        Bound bound = sum_bound(dtype, terms);
        const sv_tensor* out = added.residual == Added::kOutput ? run.in_place(dtype, shape, bound)
                                                                : run.output(dtype, shape, bound);
        if (added.residual == Added::kOutput) epilogue.residual = out;
        if (added.residual == Added::kApart) epilogue.residual = run.input(dtype, shape);
        run.op([&] {
            return sv_convolution(run.context(), in, weight, added.padding, &epilogue, out);
        });
    };
    auto pixels = static_cast<double>(size.height * size.width);
    double outputs = pixels * size.frames * out_channels;
    one.bytes = (pixels * in_frames * in_channels + static_cast<double>(terms) * out_channels +
                 outputs * (added.residual == Added::kNone ? 1 : 2)) *
                size_of(dtype);
    one.flops = 2 * outputs * terms;
    return one;
}

// size: of the input.
Case upsample(sv_dtype dtype, Extent size, int64_t in_channels, int64_t out_channels,
              bool has_bias = false) {
    std::string text = text_of(size, " x ") + ", " + text_of_channels(in_channels, out_channels);
    if (has_bias) text += ", bias";
    Case one{"upsample_convolution", text, dtype, {}};
    one.body = [=](Run& run) {
        auto* in = run.input(dtype, {size.frames, size.height, size.width, in_channels});
        auto* weight = run.weight(SV_WEIGHT_UPSAMPLE, dtype, {out_channels, in_channels, 3, 3});
        auto* bias = has_bias ? run.input(SV_F32, {out_channels}) : nullptr;
        auto* out = run.output(dtype, {size.frames, 2 * size.height, 2 * size.width, out_channels},
                               sum_bound(dtype, 4 * in_channels));
        run.op([&] { return sv_upsample_convolution(run.context(), in, weight, bias, out); });
    };
    auto pixels = static_cast<double>(size.frames * size.height * size.width);
    double weights = 16.0 * in_channels * out_channels;
    one.bytes = (pixels * (in_channels + 4 * out_channels) + weights) * size_of(dtype);
    one.flops = 2 * pixels * weights;
    return one;
}

// size: of the input.
Case downsample(sv_dtype dtype, Extent size, int64_t in_channels, int64_t out_channels,
                bool has_bias = false) {
    std::string text = text_of(size, " x ") + ", " + text_of_channels(in_channels, out_channels);
    if (has_bias) text += ", bias";
    Case one{"downsample_convolution", text, dtype, {}};
    int64_t height = size.height / 2, width = size.width / 2;
    one.body = [=](Run& run) {
        auto* in = run.input(dtype, {size.frames, size.height, size.width, in_channels});
        auto* weight =
            run.weight(SV_WEIGHT_CONVOLUTION, dtype, {out_channels, in_channels, 1, 3, 3});
        auto* bias = has_bias ? run.input(SV_F32, {out_channels}) : nullptr;
        auto* out = run.output(dtype, {size.frames, height, width, out_channels},
                               sum_bound(dtype, 9 * in_channels));
        run.op([&] { return sv_downsample_convolution(run.context(), in, weight, bias, out); });
    };
    auto in_pixels = static_cast<double>(size.frames * size.height * size.width);
    auto out_pixels = static_cast<double>(size.frames * height * width);
    double weights = 9.0 * in_channels * out_channels;
    one.bytes = (in_pixels * in_channels + out_pixels * out_channels + weights) * size_of(dtype);
    one.flops = 2 * out_pixels * weights;
    return one;
}

}  // namespace

std::vector<Case> causal_convolution_cases() {
    Added bias{true}, residual{true, Added::kApart}, in_place{true, Added::kOutput};
    Added only_residual{false, Added::kApart};
    Added reflect{true, Added::kApart, SV_PADDING_REFLECT};
    std::vector<Case> cases;
    for (sv_dtype dtype : kFloats) {
        for (Extent kernel : {Extent{1, 1, 1}, Extent{3, 3, 3}, Extent{3, 1, 1}, Extent{1, 3, 3},
                              Extent{5, 3, 1}, Extent{1, 1, 5}}) {
            cases.push_back(convolution(dtype, kernel, {2, 5, 7}, 16, 24, bias));
            cases.push_back(convolution(dtype, kernel, {1, 1, 1}, 8, 20));
            cases.push_back(convolution(dtype, kernel, {1, 2, 1}, 20, 7, residual));
        }
        // A tap that ends inside a slice, or inside 16 bytes; few columns and many.
        for (int64_t channels : {1, 3, 7, 8, 16, 20, 33}) {
            cases.push_back(convolution(dtype, {3, 3, 3}, {1, 4, 3}, channels, 17));
            cases.push_back(convolution(dtype, {1, 3, 3}, {2, 3, 5}, 16, channels, in_place));
            cases.push_back(upsample(dtype, {1, 3, 4}, channels, 18));
            cases.push_back(upsample(dtype, {2, 2, 3}, 16, channels, true));
            cases.push_back(downsample(dtype, {1, 4, 7}, channels, 18));
            cases.push_back(downsample(dtype, {2, 5, 6}, 16, channels, true));
        }
        // Edges of the tiles: lines, frames and the end fall anywhere in them.
        cases.push_back(convolution(dtype, {3, 3, 3}, {3, 9, 7}, 24, 65, residual));
        cases.push_back(convolution(dtype, {3, 3, 3}, {5, 3, 11}, 8, 3, bias));
        cases.push_back(convolution(dtype, {1, 3, 3}, {1, 19, 7}, 40, 16, only_residual));
        cases.push_back(convolution(dtype, {3, 3, 3}, {1, 1, 521}, 8, 96, in_place));
        cases.push_back(convolution(dtype, {3, 3, 1}, {2, 15, 19}, 48, 90, residual));
        cases.push_back(convolution(dtype, {1, 3, 3}, {3, 9, 19}, 16, 128, in_place));
        // Mirrored edges: the smallest frame, one of a single line, channels of every kind of copy.
        for (Extent size : {Extent{1, 2, 2}, Extent{2, 2, 7}, Extent{3, 9, 2}, Extent{2, 5, 11}}) {
            cases.push_back(convolution(dtype, {3, 3, 3}, size, 16, 24, reflect));
            cases.push_back(convolution(dtype, {3, 3, 3}, size, 7, 9, reflect));
        }
        cases.push_back(convolution(dtype, {1, 1, 3}, {2, 1, 4}, 8, 16, reflect));
        cases.push_back(convolution(dtype, {1, 5, 5}, {1, 3, 4}, 8, 96, reflect));
        cases.push_back(convolution(dtype, {3, 3, 3}, {2, 9, 19}, 16, 128, reflect));
        for (int tensor : {0, 1, 2, 3}) {
            cases.push_back(
                unaligned(convolution(dtype, {1, 3, 3}, {2, 3, 5}, 16, 20, residual), tensor));
        }
        for (Extent size : {Extent{1, 1, 1}, Extent{3, 1, 5}, Extent{2, 7, 1}, Extent{1, 9, 7}}) {
            cases.push_back(upsample(dtype, size, 24, 20, true));
        }
        for (Extent size : {Extent{1, 2, 2}, Extent{3, 2, 11}, Extent{2, 15, 2}, Extent{1, 3, 3}}) {
            cases.push_back(downsample(dtype, size, 24, 20, true));
        }
        cases.push_back(downsample(dtype, {3, 10, 19}, 16, 3, true));
        cases.push_back(downsample(dtype, {2, 27, 42}, 8, 96));
        cases.push_back(downsample(dtype, {3, 18, 39}, 8, 121, true));
        for (int tensor : {0, 1, 2}) {
            cases.push_back(unaligned(downsample(dtype, {2, 6, 9}, 16, 20, true), tensor));
        }
        cases.push_back(upsample(dtype, {3, 5, 9}, 16, 3, true));
        cases.push_back(upsample(dtype, {2, 13, 21}, 8, 96));
        cases.push_back(upsample(dtype, {3, 9, 19}, 8, 121, true));
    }
    return cases;
}

// The layers of the Wan decoder that one frame passes, and those of the encoder that it has not (of
// a level, those that differ), and a few of the LTX-2 decoder.
std::vector<Case> causal_convolution_perf_cases() {
    Added bias{true}, residual{true, Added::kApart};
    std::vector<Case> cases;
    for (sv_dtype dtype : {SV_BF16, SV_F32}) {
        cases.push_back(convolution(dtype, {3, 3, 3}, {1, 60, 104}, 16, 384, bias));
        cases.push_back(convolution(dtype, {3, 3, 3}, {1, 60, 104}, 384, 384, residual));
        cases.push_back(convolution(dtype, {3, 1, 1}, {1, 60, 104}, 384, 768, bias));
        cases.push_back(upsample(dtype, {1, 60, 104}, 384, 192, true));
        cases.push_back(convolution(dtype, {3, 3, 3}, {1, 120, 208}, 384, 384, residual));
        cases.push_back(upsample(dtype, {1, 120, 208}, 384, 192, true));
        cases.push_back(convolution(dtype, {3, 3, 3}, {1, 240, 416}, 192, 192, residual));
        cases.push_back(upsample(dtype, {1, 240, 416}, 192, 96, true));
        cases.push_back(convolution(dtype, {3, 3, 3}, {1, 480, 832}, 96, 96, residual));
        cases.push_back(convolution(dtype, {3, 3, 3}, {1, 480, 832}, 96, 3, bias));
        cases.push_back(convolution(dtype, {3, 3, 3}, {1, 480, 832}, 3, 96, bias));
        cases.push_back(downsample(dtype, {1, 480, 832}, 96, 96, true));
        cases.push_back(downsample(dtype, {1, 240, 416}, 192, 192, true));
        cases.push_back(downsample(dtype, {1, 120, 208}, 384, 384, true));
        // Of the LTX-2 decoder at 720p: the last level, and its way to patches of pixels.
        Added reflect{true, Added::kApart, SV_PADDING_REFLECT};
        cases.push_back(convolution(dtype, {3, 3, 3}, {1, 176, 320}, 128, 128, reflect));
        cases.push_back(convolution(dtype, {3, 3, 3}, {1, 176, 320}, 128, 48,
                                    {true, Added::kNone, SV_PADDING_REFLECT}));
    }
    return cases;
}

}  // namespace kernels
