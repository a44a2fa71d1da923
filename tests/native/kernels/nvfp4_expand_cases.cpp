// Cases of NVFP4 weights whose inputs are f32 or bf16: against the CPU, and against the product in
// doubles of what the codes stand for.
#include "nvfp4_product.hpp"

namespace kernels {
namespace {

// [rows, columns] in a buffer of one more element, from its second element on.
sv_tensor second_on(const sv_tensor& buffer, const Shape& shape) {
    sv_tensor tensor{static_cast<char*>(buffer.data) + size_of(buffer.dtype),
                     buffer.dtype,
                     static_cast<int32_t>(shape.size()),
                     {}};
    for (size_t i = 0; i < shape.size(); ++i) tensor.shape[i] = shape[i];
    return tensor;
}

// An input of these numbers, at an address where no vector is aligned when it is `odd`.
class Input {
public:
    Input(Run& run, sv_dtype dtype, const Shape& shape, const Numbers& numbers, bool odd)
        : shape_(shape), odd_(odd) {
        std::vector<float> values = numbers.at;
        if (odd) values.insert(values.begin(), 0.0f);
        buffer_ =
            run.input(dtype, odd ? Shape{static_cast<int64_t>(values.size())} : shape, values);
    }
    // Once a call of the op.
    const sv_tensor* tensor() {
        if (!odd_) return buffer_;
        inside_ = second_on(*buffer_, shape_);
        return &inside_;
    }

private:
    Shape shape_;
    bool odd_;
    const sv_tensor* buffer_;
    sv_tensor inside_;
};

Case linear(sv_dtype dtype, int64_t rows, int64_t in_features, int64_t out_features,
            Finish finish = {}, bool odd = false) {
    Case one{"linear",
             text_of({rows, in_features, out_features}) + " of NVFP4" + words_of(finish) +
                 (odd ? ", input unaligned" : ""),
             dtype,
             {}};
    one.body = [=](Run& run) {
        Bound bound = sum_bound(dtype, in_features + finish.rank);
        Numbers in = draw(run, dtype, rows, in_features);
        PackedWeight weight = draw_weight(run, {out_features, in_features}, finish.all_scales);
        Input given(run, dtype, {rows, in_features}, in, odd);
        Input wide(run, SV_F32, {rows, in_features}, in, false);
        Finishing finishing(run, finish, dtype, {rows, out_features}, bound);
        auto call = [&](Input& input, const sv_epilogue* epilogue, const sv_tensor* out) {
            return sv_linear(run.context(), input.tensor(), weight.handle, epilogue, out);
        };
        run.op([&] { return call(given, finishing.epilogue(), finishing.out()); });
        if (run.measures()) return;
        finishing.require_near(product(in, weight, 1), nullptr, bound);
        // Of f32 alone: products of bf16 add up in another order.
        if (dtype == SV_BF16) return;
        finishing.require_same_codes([&](const sv_epilogue* epilogue, const sv_tensor* out) {
            require(call(wide, epilogue, out));
        });
    };
    double outs = static_cast<double>(rows) * out_features;
    double residual = finish.residual == Finish::kNone ? 0 : outs;
    one.bytes = static_cast<double>(rows) * in_features * size_of(dtype) +
                static_cast<double>(out_features) * in_features * 0.5625 +
                (outs + residual) * size_of(dtype);
    one.flops = 2 * outs * in_features;
    return one;
}

Case temporal(sv_dtype dtype, int64_t batch, int64_t frames, int64_t pixels, int64_t channels,
              Finish finish = {}, bool has_previous = false, bool odd = false) {
    Case one{"temporal_convolution",
             text_of({batch, frames, pixels, channels}) + " of NVFP4" + words_of(finish) +
                 (has_previous ? ", previous" : "") + (odd ? ", input unaligned" : ""),
             dtype,
             {}};
    one.body = [=](Run& run) {
        int64_t rows = batch * frames * pixels;
        Shape shape{batch, frames, pixels, channels};
        Bound bound = sum_bound(dtype, 3 * channels);
        Numbers in = draw(run, dtype, rows, channels);
        PackedWeight weight = draw_weight(run, {channels, channels, 3});
        Input given(run, dtype, shape, in, odd);
        Numbers before = draw(run, dtype, batch * pixels, channels);
        auto* previous = run.input(dtype, {batch, pixels, channels}, before.at);
        Finishing finishing(run, finish, dtype, shape, bound);
        auto call = [&](const sv_epilogue* epilogue, const sv_tensor* out) {
            return sv_temporal_convolution(run.context(), given.tensor(),
                                           has_previous ? previous : nullptr, weight.handle,
                                           epilogue, out);
        };
        run.op([&] { return call(finishing.epilogue(), finishing.out()); });
        if (run.measures()) return;
        Numbers windows = windows_of(in, frames, pixels);
        for (int64_t row = 0; has_previous && row < rows; ++row) {
            if (row / pixels % frames != 0) continue;
            for (int64_t k = 0; k < channels; ++k) {
                windows.at[row * 3 * channels + k] =
                    static_cast<float>(before(row / (frames * pixels) * pixels + row % pixels, k));
            }
        }
        finishing.require_near(product(windows, weight, 1), &in, bound);
        if (dtype == SV_BF16) return;
        finishing.require_same_codes([&](const sv_epilogue* epilogue, const sv_tensor* out) {
            require(call(epilogue, out));
        });
    };
    double elements = static_cast<double>(batch) * frames * pixels * channels;
    one.bytes = 2 * elements * size_of(dtype) + 0.5625 * 3.0 * channels * channels;
    one.flops = 2 * elements * 3 * channels;
    return one;
}

}  // namespace

std::vector<Case> nvfp4_expand_cases() {
    Finish bias{true}, all{true, SV_SILU, 3, Finish::kApart}, onto{true, SV_GELU_TANH, 1};
    onto.residual = Finish::kOutput;
    Finish gated{false, SV_NO_ACTIVATION, 7, Finish::kOutput};
    Finish corrected = all, quantized = gated;
    corrected.rank = 18;
    quantized.quantized = true;
    quantized.window = {3, 2};
    std::vector<Case> cases;
    for (sv_dtype dtype : kFloats) {
        for (int64_t size : {1, 7, 63, 64, 65, 97}) {
            cases.push_back(linear(dtype, size, 48, 64));
            cases.push_back(linear(dtype, 21, 48, size, bias));
        }
        // Depths around one slice, the length of the ring, and a slab.
        for (int64_t depth : {16, 32, 48, 64, 80, 96, 128, 144, 160, 320, 2240, 6720}) {
            cases.push_back(linear(dtype, 19, depth, 24));
        }
        Finish all_scales;
        all_scales.all_scales = true;
        cases.push_back(linear(dtype, 33, 160, 48, all_scales));
        cases.push_back(linear(dtype, 66, 48, 67, all));
        cases.push_back(linear(dtype, 70, 48, 96, onto));
        cases.push_back(linear(dtype, 78, 80, 65, corrected));
        cases.push_back(linear(dtype, 77, 80, 72, quantized));
        cases.push_back(linear(dtype, 70, 80, 72, gated, true));
        cases.push_back(linear(dtype, 70, 48, 65, quantized, true));
        Finish squares = bias;
        squares.parts = 3;
        squares.summed = 2;
        cases.push_back(linear(dtype, 67, 48, 192, squares));
        // Large tiles.
        squares = corrected;
        squares.parts = 2;
        squares.summed = 1;
        cases.push_back(linear(dtype, 510, 144, 448, squares));
        cases.push_back(linear(dtype, 469, 80, 441, gated));
        cases.push_back(linear(dtype, 469, 48, 441, quantized));

        for (int64_t frames : {1, 2, 5}) {
            cases.push_back(temporal(dtype, 1, frames, 13, 32));
            cases.push_back(temporal(dtype, 1, frames, 13, 48, {}, true));
        }
        for (int64_t channels : {16, 64, 80, 208}) {
            cases.push_back(temporal(dtype, 1, 3, 7, channels));
        }
        Finish per_frame{false, SV_NO_ACTIVATION, 6, Finish::kApart};
        cases.push_back(temporal(dtype, 2, 3, 11, 48, per_frame, true));
        cases.push_back(temporal(dtype, 2, 3, 11, 48, per_frame, false, true));
        per_frame.quantized = true;
        per_frame.window = {5, 1};
        cases.push_back(temporal(dtype, 2, 3, 11, 80, per_frame));
        Finish onto_itself{false, SV_NO_ACTIVATION, 5, Finish::kOutput};
        cases.push_back(temporal(dtype, 1, 5, 102, 224, onto_itself));
    }
    return cases;
}

std::vector<Case> nvfp4_expand_perf_cases() {
    constexpr int64_t kTokens = 32760, kWidth = 2240, kHidden = 6720;
    Finish gated{false, SV_NO_ACTIVATION, 21, Finish::kOutput};
    return {linear(SV_BF16, kTokens, kWidth, 3 * kWidth),
            linear(SV_BF16, kTokens, kWidth, kWidth, gated),
            linear(SV_BF16, kTokens, kHidden, kWidth),
            temporal(SV_BF16, 1, 21, 1560, kWidth, gated)};
}

}  // namespace kernels
