// Cases of products of NVFP4 operands: against the CPU, and against the product in doubles of what
// the codes stand for.
#include <array>

#include "nvfp4_product.hpp"

namespace kernels {
namespace {

Case linear(sv_dtype dtype, int64_t rows, int64_t in_features, int64_t out_features,
            Finish finish = {}) {
    Case one{
        "nvfp4_linear", text_of({rows, in_features, out_features}) + words_of(finish), dtype, {}};
    one.body = [=](Run& run) {
        Bound bound = sum_bound(dtype, in_features + finish.rank);
        Codes in = draw_codes(run, rows, in_features, finish.all_scales);
        PackedWeight weight = draw_weight(run, {out_features, in_features}, finish.all_scales);
        SlabTensors operand = in_slabs(run, in, finish.window);
        Finishing finishing(run, finish, dtype, {rows, out_features}, bound);
        auto call = [&](const sv_epilogue* epilogue, const sv_tensor* out) {
            sv_nvfp4_matrix matrix = operand.matrix();
            return sv_nvfp4_linear(run.context(), &matrix, weight.handle, epilogue, out);
        };
        run.op([&] { return call(finishing.epilogue(), finishing.out()); });
        if (!run.measures()) {
            finishing.require_near(product(in.numbers, weight, kInputScale), nullptr, bound);
        }
        if (dtype == SV_F32 || finish.rank == 0) {
            finishing.require_same_codes([&](const sv_epilogue* epilogue, const sv_tensor* out) {
                require(call(epilogue, out));
            });
        }
    };
    double outs = static_cast<double>(rows) * out_features;
    double residual = finish.residual == Finish::kNone ? 0 : outs;
    one.bytes = static_cast<double>(rows + out_features) * in_features * 0.5625 +
                (outs + residual) * size_of(dtype);
    if (finish.quantized) one.bytes += 0.5625 * outs;
    one.flops = 2 * outs * in_features;
    return one;
}

Case temporal(sv_dtype dtype, int64_t batch, int64_t frames, int64_t pixels, int64_t channels,
              Finish finish = {}) {
    Case one{"nvfp4_temporal_convolution",
             text_of({batch, frames, pixels, channels}) + words_of(finish),
             dtype,
             {}};
    one.body = [=](Run& run) {
        int64_t rows = batch * frames * pixels;
        Shape shape{batch, frames, pixels, channels};
        Bound bound = sum_bound(dtype, 3 * channels);
        Codes in = draw_codes(run, rows, channels);
        PackedWeight weight = draw_weight(run, {channels, channels, 3});
        SlabTensors operand = in_slabs(run, in, finish.window);
        Numbers identity = draw(run, dtype, rows, channels);
        auto* given = run.input(dtype, shape, identity.at);
        auto* wide = run.input(SV_F32, shape, identity.at);
        Finishing finishing(run, finish, dtype, shape, bound);
        auto call = [&](const sv_tensor* added, const sv_epilogue* epilogue, const sv_tensor* out) {
            sv_nvfp4_matrix matrix = operand.matrix();
            return sv_nvfp4_temporal_convolution(run.context(), &matrix, added, weight.handle,
                                                 epilogue, out);
        };
        run.op([&] { return call(given, finishing.epilogue(), finishing.out()); });
        if (run.measures()) return;
        finishing.require_near(product(windows_of(in.numbers, frames, pixels), weight, kInputScale),
                               &identity, bound);
        finishing.require_same_codes([&](const sv_epilogue* epilogue, const sv_tensor* out) {
            require(call(wide, epilogue, out));
        });
    };
    double elements = static_cast<double>(batch) * frames * pixels * channels;
    double arrays = finish.residual == Finish::kNone ? 2 : 3;
    one.bytes =
        0.5625 * (elements + 3.0 * channels * channels) + arrays * elements * size_of(dtype);
    if (finish.quantized) one.bytes += 0.5625 * elements;
    one.flops = 2 * elements * 3 * channels;
    return one;
}

// More rows than a card counts are refused before anything is read. The CPU would read them.
Case too_many_rows(bool quantized) {
    Case one{quantized ? "nvfp4_linear" : "linear",
             std::string("too many rows") + (quantized ? "" : " of NVFP4"),
             SV_F32,
             {}};
    one.body = [=](Run& run) {
        constexpr int64_t kRows = (int64_t{1} << 30) + 1, kFeatures = 16;
        run.compare(run.input(SV_U8, {1}, Range{1, 1}), kSameBits);
        void* stream = nullptr;
        if (sv_cuda_stream(run.context(), &stream) != SV_OK) return;
        PackedWeight weight = draw_weight(run, {kFeatures, kFeatures});
        auto at = [](int bit) { return reinterpret_cast<void*>(uintptr_t{1} << bit); };
        sv_nvfp4_matrix matrix{at(44), at(45), kRows, kFeatures, kRows, kInputScale};
        sv_tensor in{at(44), SV_F32, 2, {kRows, kFeatures}};
        sv_tensor out{at(46), SV_F32, 2, {kRows, kFeatures}};
        sv_status status =
            quantized ? sv_nvfp4_linear(run.context(), &matrix, weight.handle, nullptr, &out)
                      : sv_linear(run.context(), &in, weight.handle, nullptr, &out);
        std::string message = status == SV_OK ? "nothing is refused" : sv_last_error();
        if (status != SV_UNSUPPORTED ||
            message != (quantized ? "1073741825 rows are more than the 1073741824 that a CUDA "
                                    "device counts to"
                                  : "a product of 1073741825 rows with 16 columns is too large")) {
            throw std::runtime_error(message);
        }
    };
    return one;
}

}  // namespace

std::vector<Case> nvfp4_gemm_cases() {
    Finish bias{true}, all{true, SV_SILU, 3, Finish::kApart}, onto{true, SV_GELU_TANH, 1};
    onto.residual = Finish::kOutput;
    Finish corrected = all, gated{false, SV_NO_ACTIVATION, 7, Finish::kOutput};
    corrected.rank = 32;
    Finish quantized = all, inside = gated;
    quantized.quantized = true;
    inside.quantized = true;
    inside.window = {3, 2};
    std::vector<Case> cases{too_many_rows(true), too_many_rows(false)};
    for (sv_dtype dtype : kFloats) {
        // Edges of the small tile, in each dimension.
        for (int64_t size : {1, 7, 16, 63, 64, 65, 97}) {
            cases.push_back(linear(dtype, size, 48, 64));
            cases.push_back(linear(dtype, 21, 48, size, bias));
        }
        // Depths around one slab and the length of the ring.
        for (int64_t depth : {16, 32, 64, 80, 128, 192, 208, 256, 272, 320, 336, 2240, 6720}) {
            cases.push_back(linear(dtype, 19, depth, 24));
        }
        Finish all_scales;
        all_scales.all_scales = true;
        cases.push_back(linear(dtype, 33, 160, 48, all_scales));
        cases.push_back(linear(dtype, 129, 64, 130, all));
        cases.push_back(linear(dtype, 70, 48, 96, onto));
        cases.push_back(linear(dtype, 77, 48, 65, gated));
        for (int64_t rank : {1, 7, 16, 18, 32, 40}) {
            Finish low = rank == 7 ? Finish{} : all;
            low.rank = rank;
            cases.push_back(linear(dtype, 66, 80, 70, low));
        }
        // Blocks and slabs that the columns do not fill, warps that have none of them.
        for (int64_t columns : {1, 15, 16, 17, 32, 48, 63, 64, 65, 80, 200}) {
            Finish plain = columns % 2 == 0 ? quantized : Finish{};
            plain.quantized = true;
            cases.push_back(linear(dtype, 21, 48, columns, plain));
        }
        cases.push_back(linear(dtype, 70, 80, 72, inside));
        for (auto [columns, parts, summed] :
             {std::array<int64_t, 3>{64, 1, 1}, {192, 3, 2}, {96, 3, 3}, {65, 5, 2}}) {
            Finish squares = bias;
            squares.parts = parts;
            squares.summed = summed;
            squares.quantized = parts == 3;
            cases.push_back(linear(dtype, 67, 48, columns, squares));
        }
        // The tile of 160 columns, then that of 224: more than one, and ragged edges.
        Finish squares = corrected;
        squares.parts = 2;
        squares.summed = 1;
        squares.quantized = dtype == SV_F32;
        cases.push_back(linear(dtype, 510, 80, 320, squares));
        cases.push_back(linear(dtype, 497, 48, 157, inside));
        cases.push_back(linear(dtype, 510, 144, 448, squares));
        cases.push_back(linear(dtype, 469, 320, 441, inside));
        cases.push_back(linear(dtype, 2177, 32, 100, onto));

        for (int64_t frames : {1, 2, 3, 5}) cases.push_back(temporal(dtype, 1, frames, 13, 32));
        for (int64_t channels : {16, 48, 64, 80, 208}) {
            cases.push_back(temporal(dtype, 1, 3, 7, channels));
        }
        Finish per_frame{false, SV_NO_ACTIVATION, 6, Finish::kApart};
        Finish kept = per_frame;
        kept.quantized = true;
        kept.window = {5, 1};
        cases.push_back(temporal(dtype, 2, 3, 11, 32, per_frame));
        cases.push_back(temporal(dtype, 2, 3, 11, 48, kept));
        Finish onto_itself{false, SV_NO_ACTIVATION, 5, Finish::kOutput};
        onto_itself.quantized = true;
        cases.push_back(temporal(dtype, 1, 5, 100, 160, onto_itself));
        cases.push_back(temporal(dtype, 1, 5, 102, 224, onto_itself));
    }
    return cases;
}

std::vector<Case> nvfp4_gemm_perf_cases() {
    constexpr int64_t kTokens = 32760, kWidth = 2240, kHidden = 6720;
    Finish gated{false, SV_NO_ACTIVATION, 21, Finish::kOutput}, squares{}, corrected{};
    squares.parts = 3;
    squares.summed = 2;
    corrected.rank = 32;
    Finish quantized = gated;
    quantized.quantized = true;
    std::vector<Case> cases;
    cases.push_back(linear(SV_BF16, kTokens, kWidth, 3 * kWidth));
    cases.push_back(linear(SV_BF16, kTokens, kWidth, 3 * kWidth, squares));
    cases.push_back(linear(SV_BF16, kTokens, kWidth, kWidth, gated));
    cases.push_back(linear(SV_BF16, kTokens, kWidth, kWidth, quantized));
    cases.push_back(linear(SV_BF16, kTokens, kWidth, kWidth, corrected));
    cases.push_back(linear(SV_BF16, kTokens, kWidth, 2 * kHidden, {true, SV_SILU}));
    cases.push_back(linear(SV_BF16, kTokens, kHidden, kWidth, quantized));
    cases.push_back(temporal(SV_BF16, 1, 21, 1560, kWidth, gated));
    return cases;
}

}  // namespace kernels
