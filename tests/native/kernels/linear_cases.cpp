// Cases of sanavideo/linear.h.
#include <array>

#include "case.hpp"

namespace kernels {
namespace {

// What is done to the product.
struct Finish {
    bool bias = false;
    sv_activation activation = SV_NO_ACTIVATION;
    int64_t groups = 0;  // of the gate; 0: no gate
    enum { kNone, kApart, kOutput } residual = kNone;
    int64_t parts = 0, summed = 0;  // of the sums of squares
    bool shifted = false;  // every tensor of the dtype begins one element behind an aligned address
};

std::string words_of(const Finish& finish) {
    std::string text;
    if (finish.bias) text += ", bias";
    if (finish.activation == SV_SILU) text += ", silu";
    if (finish.activation == SV_GELU_TANH) text += ", gelu";
    if (finish.groups > 0) text += ", gate of " + std::to_string(finish.groups);
    if (finish.residual == Finish::kApart) text += ", residual";
    if (finish.residual == Finish::kOutput) text += ", onto itself";
    if (finish.parts > 0) {
        text +=
            ", squares of " + std::to_string(finish.summed) + "/" + std::to_string(finish.parts);
    }
    if (finish.shifted) text += ", shifted";
    return text;
}

// [rows, columns] in a larger buffer, from its second element on.
sv_tensor shifted(const sv_tensor& buffer, int64_t rows, int64_t columns) {
    sv_tensor tensor{static_cast<char*>(buffer.data) + size_of(buffer.dtype), buffer.dtype, 2, {}};
    tensor.shape[0] = rows;
    tensor.shape[1] = columns;
    return tensor;
}

// Bias, activation and gate.
sv_epilogue factors(Run& run, const Finish& finish, int64_t columns) {
    constexpr int kGateRows = 3, kGateRow = 1;
    sv_epilogue epilogue{};
    if (finish.bias) epilogue.bias = run.input(SV_F32, {columns});
    epilogue.activation = finish.activation;
    if (finish.groups > 0) {
        epilogue.gate = run.input(SV_F32, {finish.groups, kGateRows, columns});
        epilogue.gate_row = kGateRow;
    }
    return epilogue;
}

void add_square_sums(Run& run, const Finish& finish, sv_dtype dtype, int64_t rows, Bound bound,
                     sv_epilogue& epilogue) {
    if (finish.parts == 0) return;
    epilogue.square_parts = static_cast<int32_t>(finish.parts);
    // Of what was stored: an output that rounds the other way is rare.
    Bound squares = dtype == SV_BF16 ? Bound{1e-4} : bound;
    epilogue.square_sums = run.output(SV_F32, {rows, finish.summed}, squares);
}

Case linear(sv_dtype dtype, int64_t rows, int64_t in_features, int64_t out_features,
            Finish finish = {}) {
    Case one{"linear", text_of({rows, in_features, out_features}) + words_of(finish), dtype, {}};
    one.body = [=](Run& run) {
        auto* in = run.input(dtype, {rows, in_features});
        auto* weight = run.weight(SV_WEIGHT_LINEAR, dtype, {out_features, in_features});
        sv_epilogue epilogue = factors(run, finish, out_features);
        Bound bound = sum_bound(dtype, in_features);
        if (finish.shifted) {
            auto* inputs = run.input(dtype, {rows * in_features + 1});
            auto* outputs = run.in_place(dtype, {rows * out_features + 1}, bound);
            auto* residuals = run.input(dtype, {rows * out_features + 1});
            sv_tensor in = shifted(*inputs, rows, in_features);
            sv_tensor out = shifted(*outputs, rows, out_features);
            sv_tensor residual = shifted(*residuals, rows, out_features);
            epilogue.residual = &residual;
            run.op([&] { return sv_linear(run.context(), &in, weight, &epilogue, &out); });
            return;
        }
        add_square_sums(run, finish, dtype, rows, bound, epilogue);
        const sv_tensor* out;
        if (finish.residual == Finish::kOutput) {
            out = run.in_place(dtype, {rows, out_features}, bound);
            epilogue.residual = out;
        } else {
            out = run.output(dtype, {rows, out_features}, bound);
            if (finish.residual == Finish::kApart) {
                epilogue.residual = run.input(dtype, {rows, out_features});
            }
        }
        run.op([&] { return sv_linear(run.context(), in, weight, &epilogue, out); });
    };
    double outs = static_cast<double>(rows) * out_features;
    double residual = finish.residual == Finish::kNone ? 0 : outs;
    one.bytes =
        (static_cast<double>(rows + out_features) * in_features + outs + residual) * size_of(dtype);
    if (finish.parts > 0) one.bytes += 4.0 * rows * finish.summed;
    one.flops = 2 * outs * in_features;
    return one;
}

// Of a product that is stored already: apart from the output, or in it unless the residual is.
Case finish_product(sv_dtype dtype, int64_t rows, int64_t columns, Finish finish, bool in_place) {
    Case one{"finish_product",
             text_of({rows, columns}) + words_of(finish) + (in_place ? ", in place" : ""),
             dtype,
             {}};
    one.body = [=](Run& run) {
        Bound bound = sum_bound(dtype, 1);
        sv_epilogue epilogue = factors(run, finish, columns);
        if (finish.shifted) {
            auto* buffer = run.in_place(dtype, {rows * columns + 1}, bound);
            sv_tensor product = shifted(*buffer, rows, columns);
            run.op([&] { return sv_finish_product(run.context(), &product, &epilogue, &product); });
            return;
        }
        bool reads_out = in_place || finish.residual == Finish::kOutput;
        auto* out = reads_out ? run.in_place(dtype, {rows, columns}, bound)
                              : run.output(dtype, {rows, columns}, bound);
        auto* product = in_place ? out : run.input(dtype, {rows, columns});
        if (finish.residual == Finish::kOutput) epilogue.residual = out;
        if (finish.residual == Finish::kApart)
            epilogue.residual = run.input(dtype, {rows, columns});
        add_square_sums(run, finish, dtype, rows, sum_bound(dtype, columns), epilogue);
        run.op([&] { return sv_finish_product(run.context(), product, &epilogue, out); });
    };
    double outs = static_cast<double>(rows) * columns;
    one.bytes = outs * size_of(dtype) * (finish.residual == Finish::kNone ? 2 : 3);
    if (finish.parts > 0) one.bytes += outs * size_of(dtype) + 4.0 * rows * finish.summed;
    return one;
}

}  // namespace

std::vector<Case> linear_cases() {
    Finish bias{true}, all{true, SV_SILU, 3, Finish::kApart}, in_place{true, SV_GELU_TANH, 1};
    in_place.residual = Finish::kOutput;
    Finish gated{false, SV_NO_ACTIVATION, 7, Finish::kOutput};
    Finish shifted{};
    shifted.shifted = true;
    std::vector<Case> cases;
    for (sv_dtype dtype : kFloats) {
        // Edges of the small tile, in each dimension.
        for (int64_t size : {1, 7, 63, 64, 65, 97}) {
            cases.push_back(linear(dtype, size, 40, 64));
            cases.push_back(linear(dtype, 21, 40, size, bias));
        }
        // Depths around one slice and the length of the ring; those that are no multiple of 16
        // bytes are copied element by element.
        for (int64_t depth : {1, 3, 4, 8, 16, 24, 31, 32, 33, 64, 96, 127, 128, 136, 160, 161}) {
            cases.push_back(linear(dtype, 30, depth, 72));
        }
        cases.push_back(linear(dtype, 129, 64, 130, all));
        cases.push_back(linear(dtype, 66, 33, 67, all));
        cases.push_back(linear(dtype, 70, 48, 96, in_place));
        cases.push_back(linear(dtype, 77, 48, 65, gated));
        cases.push_back(linear(dtype, 20, 32, 72, shifted));
        cases.push_back(linear(dtype, 3, 2240, 5, bias));
        // Parts that end between warps' columns, and others.
        for (auto [columns, parts, summed] : {std::array<int64_t, 3>{64, 1, 1},
                                              {192, 3, 2},
                                              {96, 3, 3},
                                              {65, 5, 2},
                                              {40, 2, 1},
                                              {33, 33, 4}}) {
            Finish squares = parts % 2 == 0 ? gated : bias;
            if (parts == 2) squares.groups = 1;
            squares.parts = parts;
            squares.summed = summed;
            cases.push_back(linear(dtype, 67, 24, columns, squares));
        }
        Finish squares = all;
        squares.parts = 2;
        squares.summed = 1;
        cases.push_back(linear(dtype, 510, 72, 448, squares));
        // One vector and less, a block's edge, and rows that end inside a vector.
        for (int64_t columns : {1, 3, 4, 64, 65}) {
            cases.push_back(finish_product(dtype, 21, columns, bias, false));
            cases.push_back(finish_product(dtype, 21, columns, all, true));
        }
        cases.push_back(finish_product(dtype, 70, 96, in_place, false));
        cases.push_back(finish_product(dtype, 77, 65, gated, false));
        cases.push_back(finish_product(dtype, 5, 72, {}, false));
        cases.push_back(finish_product(dtype, 20, 72, shifted, true));
        Finish parted = bias;
        parted.parts = 3;
        parted.summed = 2;
        cases.push_back(finish_product(dtype, 67, 192, parted, true));
        // Large tiles: more than one group of row tiles, and ragged edges.
        cases.push_back(linear(dtype, 510, 72, 448, all));
        cases.push_back(linear(dtype, 469, 200, 441, gated));
        cases.push_back(linear(dtype, 2177, 32, 100, in_place));
    }
    return cases;
}

std::vector<Case> linear_perf_cases() {
    constexpr int64_t kTokens = 32760, kWidth = 2240, kHidden = 6720;
    Finish gated{false, SV_NO_ACTIVATION, 21, Finish::kOutput};
    Finish squares{};
    squares.parts = 3;
    squares.summed = 2;
    std::vector<Case> cases;
    for (sv_dtype dtype : {SV_BF16, SV_F32}) {
        cases.push_back(linear(dtype, kTokens, kWidth, 3 * kWidth));
        cases.push_back(linear(dtype, kTokens, kWidth, 3 * kWidth, squares));
        cases.push_back(linear(dtype, kTokens, kWidth, kWidth, gated));
        cases.push_back(linear(dtype, kTokens, kWidth, 2 * kHidden, {true, SV_SILU}));
        cases.push_back(linear(dtype, kTokens, kHidden, kWidth));
        cases.push_back(
            linear(dtype, 300, 2304, 2 * kWidth, {true}));  // the text's keys and values
        cases.push_back(linear(dtype, 1, kWidth, 6 * kWidth, {true}));  // a time step
        cases.push_back(finish_product(dtype, kTokens, 2 * kHidden, {true, SV_SILU}, true));
        cases.push_back(finish_product(dtype, kTokens, kWidth, gated, false));
    }
    return cases;
}

}  // namespace kernels
