// Cases of sanavideo/norm.h.
#include <algorithm>
#include <cstdio>

#include "case.hpp"

namespace kernels {
namespace {

constexpr float kEpsilon = 0.1f;  // large enough that leaving it out shows

// Where a case's rows begin in memory: at the allocation, or one element further, so that no wide
// access is aligned.
enum class Start { kAligned, kOdd };

Bound bound_of(sv_dtype dtype, int64_t channels) { return sum_bound(dtype, channels); }

// A tensor of random values that the op reads, or writes over. An odd one is a view into a larger
// one, of which the rest must stay as it was.
struct Place {
    sv_tensor tensor;
    Place(Run& run, sv_dtype dtype, const Shape& shape, Start start, Range range = {},
          const Bound* compared = nullptr) {
        int64_t count = 1;
        for (int64_t size : shape) count *= size;
        int64_t skipped = start == Start::kOdd ? 1 : 0;
        const sv_tensor* whole = run.input(dtype, {count + skipped}, range);
        if (compared != nullptr) run.compare(whole, *compared);
        tensor = *whole;
        tensor.data = static_cast<char*>(whole->data) + skipped * size_of(dtype);
        tensor.rank = static_cast<int32_t>(shape.size());
        std::copy(shape.begin(), shape.end(), tensor.shape);
    }
};

struct LayerNorm {
    sv_dtype dtype;
    int64_t rows, channels, groups = 1;
    bool in_place = false;
    Start start = Start::kAligned;
};

Case layer_norm(const LayerNorm& n) {
    Shape shape{n.rows, n.channels};
    Case one{"layer_norm_modulated",
             text_of(shape) + ", " + std::to_string(n.groups) + " groups" +
                 (n.in_place ? ", in place" : "") + (n.start == Start::kOdd ? ", unaligned" : ""),
             n.dtype,
             {}};
    one.body = [=](Run& run) {
        Bound bound = bound_of(n.dtype, n.channels);
        Place in(run, n.dtype, shape, n.start, {-1, 3}, n.in_place ? &bound : nullptr);
        auto* modulation = run.input(SV_F32, {n.groups, 3, n.channels});
        sv_tensor out = n.in_place ? in.tensor : *run.output(n.dtype, shape, bound);
        run.op([&] {
            return sv_layer_norm_modulated(run.context(), &in.tensor, modulation, 2, 0, kEpsilon,
                                           &out);
        });
    };
    one.bytes = 2.0 * n.rows * n.channels * size_of(n.dtype) + 8.0 * n.groups * n.channels;
    one.flops = 8.0 * n.rows * n.channels;
    return one;
}

struct RmsNorm {
    sv_dtype dtype;
    int64_t rows, channels;
    int64_t parts = 1;  // of which the last is normalised
    enum Residual { kNone, kOther, kOut } residual = kNone;
    enum Out { kParts, kRows, kIn } out = kRows;
    Start start = Start::kAligned;
};

Case rms_norm(const RmsNorm& n) {
    const char* residuals[] = {"", ", residual", ", residual in place"};
    const char* outs[] = {", into parts", "", ", in place"};
    Case one{"rms_norm",
             text_of({n.rows, n.parts, n.channels}) + residuals[n.residual] + outs[n.out] +
                 (n.start == Start::kOdd ? ", unaligned" : ""),
             n.dtype,
             {}};
    one.body = [=](Run& run) {
        Bound bound = bound_of(n.dtype, n.channels);
        Shape parts{n.rows, n.parts, n.channels}, row{n.rows, n.channels};
        bool into_rows = n.out == RmsNorm::kRows;
        // What the op leaves as it is must stay so: outputs hold random values before it.
        Place in(run, n.dtype, parts, n.start, {}, n.out == RmsNorm::kIn ? &bound : nullptr);
        Place out(run, n.dtype, into_rows ? row : parts, n.start, {},
                  n.out == RmsNorm::kIn ? nullptr : &bound);
        Place other(run, n.dtype, row, n.start);
        auto* weight = run.input(SV_F32, {n.channels});
        const sv_tensor* target = n.out == RmsNorm::kIn ? &in.tensor : &out.tensor;
        sv_tensor residual = n.residual == RmsNorm::kOut ? *target : other.tensor;
        residual.rank = 2;
        residual.shape[1] = n.channels;
        run.op([&] {
            return sv_rms_norm(run.context(), &in.tensor, static_cast<int>(n.parts) - 1, weight,
                               1.0f, kEpsilon, n.residual == RmsNorm::kNone ? nullptr : &residual,
                               target);
        });
    };
    one.bytes = (n.residual == RmsNorm::kNone ? 2.0 : 3.0) * n.rows * n.channels * size_of(n.dtype);
    one.flops = 5.0 * n.rows * n.channels;
    return one;
}

Case row_square_sums(sv_dtype dtype, int64_t rows, int64_t parts, int64_t summed,
                     int64_t channels) {
    Case one{"row_square_sums",
             text_of({rows, parts, channels}) + ", " + std::to_string(summed) + " summed",
             dtype,
             {}};
    one.body = [=](Run& run) {
        auto* in = run.input(dtype, {rows, parts, channels});
        auto* out = run.output(SV_F32, {rows, summed}, sum_bound(SV_F32, channels));
        run.op([&] { return sv_row_square_sums(run.context(), in, out); });
    };
    one.bytes = static_cast<double>(rows * summed) * (channels * size_of(dtype) + 4);
    one.flops = 2.0 * rows * summed * channels;
    return one;
}

struct ChannelNorm {
    sv_dtype dtype;
    int64_t pixels, channels;
    int silu = 1;
    float size = 1;  // of the inputs
    bool in_place = false;
};

Case channel_norm(const ChannelNorm& n) {
    Shape shape{n.pixels, n.channels};
    char sizes[32] = "";
    if (n.size != 1) std::snprintf(sizes, sizeof sizes, " up to %g", n.size);
    Case one{"channel_norm",
             text_of(shape) + sizes + (n.silu ? ", silu" : "") + (n.in_place ? ", in place" : ""),
             n.dtype,
             {}};
    one.body = [=](Run& run) {
        Bound bound = bound_of(n.dtype, n.channels);
        Range range{-n.size, n.size};
        auto* in = n.in_place ? run.in_place(n.dtype, shape, bound, range)
                              : run.input(n.dtype, shape, range);
        auto* gamma = run.input(SV_F32, {n.channels});
        auto* out = n.in_place ? in : run.output(n.dtype, shape, bound);
        run.op([&] { return sv_channel_norm(run.context(), in, gamma, n.silu, out); });
    };
    one.bytes = 2.0 * n.pixels * n.channels * size_of(n.dtype);
    one.flops = (n.silu ? 8.0 : 4.0) * n.pixels * n.channels;
    return one;
}

struct PixelNorm {
    sv_dtype dtype;
    int64_t pixels, channels;
    int silu = 1;
    float epsilon = 1e-8f;
    bool in_place = false;
};

Case pixel_norm(const PixelNorm& n) {
    Shape shape{n.pixels, n.channels};
    char epsilon[32];
    std::snprintf(epsilon, sizeof epsilon, ", epsilon %g", n.epsilon);
    Case one{"pixel_norm",
             text_of(shape) + epsilon + (n.silu ? ", silu" : "") + (n.in_place ? ", in place" : ""),
             n.dtype,
             {}};
    one.body = [=](Run& run) {
        Bound bound = bound_of(n.dtype, n.channels);
        auto* in = n.in_place ? run.in_place(n.dtype, shape, bound) : run.input(n.dtype, shape);
        auto* out = n.in_place ? in : run.output(n.dtype, shape, bound);
        run.op([&] { return sv_pixel_norm(run.context(), in, n.epsilon, n.silu, out); });
    };
    one.bytes = 2.0 * n.pixels * n.channels * size_of(n.dtype);
    one.flops = (n.silu ? 7.0 : 3.0) * n.pixels * n.channels;
    return one;
}

}  // namespace

std::vector<Case> norm_cases() {
    // Of each way to hold a row: 1 to 3 words a lane of 1 to 32 lanes, many, in memory; and beside
    // each edge.
    const int64_t channels[] = {1, 4, 7, 8, 20, 32, 36, 96, 128, 132, 192, 256, 260, 384, 388};
    const int64_t widths[] = {2176, 2180, 2240, 2241, 2304, 2308};
    std::vector<Case> cases;
    for (sv_dtype dtype : kFloats) {
        for (int64_t count : channels) {
            cases.push_back(layer_norm({dtype, 6, count, 3}));
            cases.push_back(rms_norm({dtype, 5, count}));
            cases.push_back(channel_norm({dtype, 7, count, 1}));
            cases.push_back(pixel_norm({dtype, 7, count}));
            cases.push_back(row_square_sums(dtype, 5, 3, 2, count));
        }
        for (int64_t width : widths) {
            cases.push_back(layer_norm({dtype, 3, width}));
            cases.push_back(rms_norm({dtype, 2, width, 1, RmsNorm::kOther}));
            cases.push_back(row_square_sums(dtype, 2, 3, 2, width));
            cases.push_back(pixel_norm({dtype, 3, width, 0, 0.5f}));
        }
        for (int64_t rows : {1, 31, 32, 33, 67}) {  // of teams that share warps and blocks
            cases.push_back(layer_norm({dtype, rows, 32, rows}));
            cases.push_back(rms_norm({dtype, rows, 32, 2}));
            cases.push_back(channel_norm({dtype, rows, 48, 0}));
            cases.push_back(row_square_sums(dtype, rows, 1, 1, 64));
        }
        // More rows than the grid has teams: four multiprocessors of the emulated device.
        cases.push_back(layer_norm({dtype, 33000, 4, 3000}));
        cases.push_back(channel_norm({dtype, 33000, 4, 1}));

        for (int64_t width : {36, 96, 256, 2240}) {
            cases.push_back(layer_norm({dtype, 4, width, 2, true}));
            cases.push_back(layer_norm({dtype, 4, width, 4, true, Start::kOdd}));
            cases.push_back(channel_norm({dtype, 5, width, 0, 1, true}));
            cases.push_back(pixel_norm({dtype, 5, width, 1, 0.5f, true}));
            cases.push_back(unaligned(pixel_norm({dtype, 5, width, 0}), 0));
            for (auto residual : {RmsNorm::kNone, RmsNorm::kOther, RmsNorm::kOut}) {
                cases.push_back(rms_norm({dtype, 5, width, 1, residual, RmsNorm::kIn}));
                cases.push_back(rms_norm({dtype, 5, width, 1, residual, RmsNorm::kRows}));
            }
            cases.push_back(rms_norm({dtype, 5, width, 3, RmsNorm::kOther, RmsNorm::kParts}));
            cases.push_back(rms_norm({dtype, 5, width, 3, RmsNorm::kNone, RmsNorm::kIn}));
            cases.push_back(
                rms_norm({dtype, 5, width, 3, RmsNorm::kOther, RmsNorm::kIn, Start::kOdd}));
        }
        for (float size : {0.0f, 1e-13f, 1e-11f}) {  // around the floor of the norm
            cases.push_back(channel_norm({dtype, 5, 96, 0, size}));
        }
    }
    return cases;
}

std::vector<Case> norm_perf_cases() {
    return {layer_norm({SV_BF16, 32760, 2240, 1}),
            layer_norm({SV_BF16, 32760, 2240, 21}),
            layer_norm({SV_F32, 32760, 2240, 1}),
            rms_norm({SV_BF16, 32760, 2240}),
            rms_norm({SV_BF16, 32760, 2304, 1, RmsNorm::kOther}),
            row_square_sums(SV_BF16, 32760, 3, 2, 2240),
            channel_norm({SV_BF16, 4 * 480 * 832, 96}),
            channel_norm({SV_BF16, 4 * 240 * 416, 192}),
            channel_norm({SV_BF16, 2 * 120 * 208, 384}),
            channel_norm({SV_F32, 480 * 832, 96}),
            pixel_norm({SV_BF16, 176 * 320, 128}),
            pixel_norm({SV_BF16, 22 * 40, 1024})};
}

}  // namespace kernels
