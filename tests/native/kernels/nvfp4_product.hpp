// Operands, epilogues and the doubles that products with NVFP4 weights are compared with.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "nvfp4_slabs.hpp"

namespace kernels {

constexpr float kInputScale = 0.043f, kResultScale = 0.031f;
constexpr int64_t kBlock = 16;  // elements that share a scale

inline void require(sv_status status) {
    if (status != SV_OK) throw std::runtime_error(sv_last_error());
}

inline double scale_value(int byte) {
    return byte < 8 ? std::ldexp(byte, -9) : std::ldexp(8 + byte % 8, byte / 8 - 10);
}

inline float rounded(sv_dtype dtype, float value) {
    if (dtype == SV_F32) return value;
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    std::memcpy(&value, &bits, sizeof bits);
    return value;
}

// A matrix of numbers.
struct Numbers {
    int64_t rows, columns;
    std::vector<float> at;

    double operator()(int64_t row, int64_t column) const { return at[row * columns + column]; }
};

inline Numbers draw(Run& run, sv_dtype dtype, int64_t rows, int64_t columns) {
    Numbers numbers{rows, columns, run.numbers(rows * columns)};
    for (float& x : numbers.at) x = rounded(dtype, x);
    return numbers;
}

// Codes and scales, row by row, and what they stand for without a global scale.
struct Codes {
    Numbers numbers;
    std::vector<uint8_t> codes;   // [rows, columns / 2]
    std::vector<uint8_t> scales;  // [rows, columns / 16]

    uint8_t code(int64_t row, int64_t byte) const {
        return codes[row * numbers.columns / 2 + byte];
    }
    uint8_t scale(int64_t row, int64_t block) const {
        return scales[row * numbers.columns / kBlock + block];
    }
};

// All codes, with scales from 2^-3 to 2^3, or all of them.
inline Codes draw_codes(Run& run, int64_t rows, int64_t columns, bool all_scales = false) {
    constexpr double kCodes[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
    Codes drawn{{rows, columns, std::vector<float>(rows * columns)}, {}, {}};
    Range scales = all_scales ? Range{0, 126.9f} : Range{32, 80.9f};
    for (float x : run.numbers(rows * columns / 2, {0, 255.9f})) {
        drawn.codes.push_back(static_cast<uint8_t>(x));
    }
    for (float x : run.numbers(rows * columns / kBlock, scales)) {
        drawn.scales.push_back(static_cast<uint8_t>(x));
    }
    for (int64_t i = 0; i < rows * columns; ++i) {
        int code = drawn.codes[i / 2] >> i % 2 * 4 & 15;
        double size = kCodes[code & 7] * scale_value(drawn.scales[i / kBlock]);
        drawn.numbers.at[i] = static_cast<float>((code & 8) != 0 ? -size : size);
    }
    return drawn;
}

// In slabs, as a window of a larger matrix whose other rows are no numbers.
inline SlabTensors in_slabs(Run& run, const Codes& from, const Window& window) {
    int64_t rows = from.numbers.rows, columns = from.numbers.columns;
    int64_t all = window.before + rows + window.after, slabs = (columns + 63) / 64;
    std::vector<float> codes(slabs * all * 32, 0x77), scales(slabs * all * 4, 0x7f);
    for (int64_t slab = 0; slab < slabs; ++slab) {
        for (int64_t row = 0; row < rows; ++row) {
            int64_t at = slab * all + window.before + row;
            for (int64_t i = 0; i < 32; ++i) {
                int64_t byte = slab * 32 + i;
                codes[at * 32 + i] = byte < columns / 2 ? from.code(row, byte) : 0;
            }
            for (int64_t i = 0; i < 4; ++i) {
                int64_t block = slab * 4 + i;
                scales[at * 4 + i] = block < columns / kBlock ? from.scale(row, block) : 0;
            }
        }
    }
    auto* code_tensor = run.input(SV_U8, slab_shape(rows, columns, window, 32), codes);
    auto* scale_tensor = run.input(SV_U8, slab_shape(rows, columns, window, 4), scales);
    return {code_tensor, scale_tensor, window, rows, columns, kInputScale};
}

// A weight in two packs of rows with global scales of their own.
struct PackedWeight {
    const sv_weight* handle;
    Codes codes;  // [columns, taps * depth]
    double global(int64_t column) const { return column < codes.numbers.rows / 2 ? 0.07f : 0.031f; }
};

inline PackedWeight draw_weight(Run& run, const Shape& shape, bool all_scales = false) {
    int64_t columns = shape[0], taps = shape.size() == 3 ? 3 : 1, depth = taps * shape[1];
    PackedWeight packed{nullptr, draw_codes(run, columns, depth, all_scales)};
    const Codes& codes = packed.codes;
    auto pack = [&](sv_weight* weight, int64_t first, int64_t rows) {
        if (rows == 0) return;
        require(sv_nvfp4_weight_pack(
            run.context(), weight, first, rows, &codes.codes[first * depth / 2],
            &codes.scales[first * depth / kBlock], static_cast<float>(packed.global(first))));
    };
    packed.handle = run.nvfp4_weight(taps == 3 ? SV_WEIGHT_TEMPORAL : SV_WEIGHT_LINEAR, shape,
                                     [&](sv_weight* weight) {
                                         pack(weight, 0, columns / 2);
                                         pack(weight, columns / 2, columns - columns / 2);
                                     });
    return packed;
}

// What is done to the product.
struct Finish {
    bool bias = false;
    sv_activation activation = SV_NO_ACTIVATION;
    int64_t groups = 0;  // of the gate; 0: no gate
    enum { kNone, kApart, kOutput } residual = kNone;
    int64_t parts = 0, summed = 0;  // of the sums of squares
    int64_t rank = 0;               // of the correction
    bool quantized = false;
    Window window = {};       // of the operand and of the quantised result
    bool all_scales = false;  // of the operands
};

inline std::string words_of(const Finish& finish) {
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
    if (finish.rank > 0) text += ", rank " + std::to_string(finish.rank);
    if (finish.quantized) text += ", quantised";
    if (finish.window.before > 0) text += ", a window";
    if (finish.all_scales) text += ", all scales";
    return text;
}

// The epilogue in one dtype, and the same in doubles.
class Finishing {
public:
    Finishing(Run& run, const Finish& finish, sv_dtype dtype, const Shape& shape, Bound bound)
        : run_(run), finish_(finish), shape_(shape), rows_(1), columns_(shape.back()) {
        for (size_t i = 0; i + 1 < shape.size(); ++i) rows_ *= shape[i];
        if (finish.bias) bias_ = draw(run, SV_F32, 1, columns_);
        if (finish.groups > 0) gate_ = draw(run, SV_F32, finish.groups * kGateRows, columns_);
        if (finish.residual != Finish::kNone) residual_ = draw(run, dtype, rows_, columns_);
        if (finish.rank > 0) {
            low_ = draw(run, dtype, rows_, finish.rank);
            up_ = draw(run, dtype, columns_, finish.rank);
        }
        if (finish.quantized) {
            quantized_.push_back(
                slab_output(run, rows_, columns_, kResultScale, finish.window, false));
        }
        epilogue_ = make(dtype, bound, &out_);
    }

    const sv_tensor* out() const { return out_; }

    // By a call of the op.
    const sv_epilogue* epilogue() {
        if (!quantized_.empty()) {
            matrix_ = quantized_[0].matrix();
            epilogue_.quantized = &matrix_;
        }
        return &epilogue_;
    }

    // Compares what call(epilogue, out), the op on f32, makes of the same numbers, when it is
    // quantised by an op of its own, with what this one has quantised. bf16 loses the correction.
    template <typename Call>
    void require_same_codes(const Call& call) {
        if (quantized_.empty() || run_.measures()) return;
        const sv_tensor* wide;
        sv_epilogue epilogue = make(SV_F32, Bound{1e30}, &wide);
        call(&epilogue, wide);
        SlabTensors apart = slab_output(run_, rows_, columns_, kResultScale, finish_.window, false);
        sv_nvfp4_matrix matrix = apart.matrix();
        require(sv_nvfp4_quantize_rows(run_.context(), wide, &matrix));
        run_.require_same(quantized_[0].codes, apart.codes);
        run_.require_same(quantized_[0].scales, apart.scales);
    }

    // Requires that `out` is near the epilogue of these sums.
    void require_near(std::vector<double> sums, const Numbers* identity, Bound bound) const {
        if (run_.measures()) return;
        for (int64_t i = 0; i < rows_ * columns_; ++i) {
            sums[i] = finished(sums[i], i / columns_, i % columns_, identity);
        }
        double off = distance(sums);
        if (!(off <= bound.relative)) {
            char text[96];
            std::snprintf(text, sizeof text, "is off doubles by %.2e, allowed %.2e", off,
                          bound.relative);
            throw std::runtime_error(text);
        }
    }

private:
    static constexpr int64_t kGateRows = 3, kGateRow = 1;

    sv_epilogue make(sv_dtype dtype, Bound bound, const sv_tensor** out) {
        sv_epilogue epilogue{};
        epilogue.activation = finish_.activation;
        if (finish_.bias) epilogue.bias = run_.input(SV_F32, {columns_}, bias_.at);
        if (finish_.groups > 0) {
            epilogue.gate = run_.input(SV_F32, {finish_.groups, kGateRows, columns_}, gate_.at);
            epilogue.gate_row = kGateRow;
        }
        if (finish_.rank > 0) {
            epilogue.low_rank = run_.input(dtype, {rows_, finish_.rank}, low_.at);
            epilogue.low_rank_up =
                run_.weight(SV_WEIGHT_LINEAR, dtype, {columns_, finish_.rank}, up_.at);
        }
        if (finish_.residual == Finish::kOutput) {
            *out = run_.input(dtype, shape_, residual_.at);
            run_.compare(*out, bound);
            epilogue.residual = *out;
        } else {
            *out = run_.output(dtype, shape_, bound);
            if (finish_.residual == Finish::kApart) {
                epilogue.residual = run_.input(dtype, shape_, residual_.at);
            }
        }
        if (finish_.parts > 0) {
            epilogue.square_parts = static_cast<int32_t>(finish_.parts);
            // Of what was stored: an output that rounds the other way is rare.
            epilogue.square_sums = run_.output(SV_F32, {rows_, finish_.summed},
                                               dtype == SV_BF16 ? Bound{1e-4} : bound);
        }
        return epilogue;
    }

    double finished(double sum, int64_t row, int64_t column, const Numbers* identity) const {
        for (int64_t r = 0; r < finish_.rank; ++r) sum += low_(row, r) * up_(column, r);
        if (finish_.bias) sum += bias_(0, column);
        if (finish_.activation == SV_SILU) sum /= 1 + std::exp(-sum);
        if (finish_.activation == SV_GELU_TANH) {
            sum *= 0.5 * (1 + std::tanh(std::sqrt(2 / M_PI) * (sum + 0.044715 * sum * sum * sum)));
        }
        if (identity != nullptr) sum += (*identity)(row, column);
        if (finish_.groups > 0) {
            int64_t group = row / (rows_ / finish_.groups);
            sum *= gate_(group * kGateRows + kGateRow, column);
        }
        if (finish_.residual != Finish::kNone) sum += residual_(row, column);
        return sum;
    }

    double distance(const std::vector<double>& expected) const {
        std::vector<uint8_t> bytes(expected.size() * size_of(out_->dtype));
        require(sv_download(run_.context(), bytes.data(), out_->data,
                            static_cast<int64_t>(bytes.size())));
        double difference = 0, size = 0;
        for (size_t i = 0; i < expected.size(); ++i) {
            uint32_t bits = 0;
            std::memcpy(&bits, &bytes[i * size_of(out_->dtype)], size_of(out_->dtype));
            if (out_->dtype == SV_BF16) bits <<= 16;
            float value;
            std::memcpy(&value, &bits, sizeof value);
            difference += (value - expected[i]) * (value - expected[i]);
            size += expected[i] * expected[i];
        }
        return std::sqrt(difference / size);
    }

    Run& run_;
    Finish finish_;
    Shape shape_;
    int64_t rows_, columns_;
    Numbers bias_{}, gate_{}, residual_{}, low_{}, up_{};
    std::vector<SlabTensors> quantized_;
    sv_nvfp4_matrix matrix_{};
    const sv_tensor* out_ = nullptr;
    sv_epilogue epilogue_{};
};

// in weight^T with the weight's global scales.
inline std::vector<double> product(const Numbers& in, const PackedWeight& weight,
                                   double input_scale) {
    int64_t columns = weight.codes.numbers.rows;
    std::vector<double> sums(in.rows * columns);
    for (int64_t row = 0; row < in.rows; ++row) {
        for (int64_t n = 0; n < columns; ++n) {
            double sum = 0;
            for (int64_t k = 0; k < in.columns; ++k) {
                sum += in(row, k) * weight.codes.numbers(n, k);
            }
            sums[row * columns + n] = sum * input_scale * weight.global(n);
        }
    }
    return sums;
}

// Rows that see three frames of a clip: [rows, 3 * channels].
inline Numbers windows_of(const Numbers& in, int64_t frames, int64_t pixels) {
    Numbers windows{in.rows, 3 * in.columns, std::vector<float>(in.rows * 3 * in.columns)};
    for (int64_t row = 0; row < in.rows; ++row) {
        for (int64_t tap = 0; tap < 3; ++tap) {
            int64_t frame = row / pixels % frames + tap - 1;
            if (frame < 0 || frame >= frames) continue;
            for (int64_t k = 0; k < in.columns; ++k) {
                windows.at[(row * 3 + tap) * in.columns + k] =
                    in.at[(row + (tap - 1) * pixels) * in.columns + k];
            }
        }
    }
    return windows;
}

}  // namespace kernels
