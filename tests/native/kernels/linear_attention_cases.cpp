// Cases of sv_linear_attention.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "case.hpp"

namespace kernels {
namespace {

constexpr float kEpsilon = 1e-6f;

struct Sizes {
    int64_t batch, tokens, heads, size;

    Shape state() const { return {batch, heads, size, size}; }
    Shape state_keys() const { return {batch, heads, size}; }
    Shape out() const { return {batch, tokens, heads * size}; }
    std::string text() const { return text_of({batch, tokens, heads, size}); }
};

// Heads this small are given positive q and k: where few terms of either sign meet, a denominator
// near zero makes any rounding look large.
constexpr int64_t kFewTerms = 16;

// How q, k and what turns them into features are drawn. Exact ones need no rounding to bf16: rows
// whose rms is 1, weights of 1, quarter turns. Dead ones are all zero after the ReLU.
enum class Features { kRandom, kExact, kDead };

struct Inputs {
    Sizes sizes;
    float norm_epsilon = 1e-5f;
    const sv_tensor *qkv, *square_sums, *q_weight, *k_weight, *angles;

    Inputs(Run& run, sv_dtype dtype, const Sizes& sizes, Features features = Features::kRandom)
        : sizes(sizes) {
        auto [batch, tokens, heads, size] = sizes;
        bool positive = size < kFewTerms || features == Features::kDead;
        qkv =
            run.input(dtype, {batch, tokens, 3, heads, size}, positive ? Range{0.25f, 1} : Range{});
        auto width = static_cast<float>(heads * size);
        Range sums{0.2f * width, 0.5f * width}, weights{0.5f, 1.5f};
        if (features == Features::kExact) {
            norm_epsilon = 0;
            sums = {width, width};
            weights = {1, 1};
        }
        if (features == Features::kDead) weights = {-1.5f, -0.5f};
        square_sums = run.input(SV_F32, {batch, tokens, 2}, sums);
        q_weight = run.input(SV_F32, {heads * size}, weights);
        k_weight = run.input(SV_F32, {heads * size}, weights);
        std::vector<float> turned = run.numbers(tokens * size, Range{0, 4});  // in quarter turns
        for (size_t i = 0; i < turned.size(); i += 2) {
            constexpr float kCosines[] = {1, 0, -1, 0};
            constexpr float kQuarter = 1.5707963f;
            float quarters = turned[i];
            int whole = static_cast<int>(quarters) % 4;
            bool exact = features == Features::kExact;
            turned[i] = exact ? kCosines[whole] : std::cos(quarters * kQuarter);
            turned[i + 1] = exact ? kCosines[(whole + 3) % 4] : std::sin(quarters * kQuarter);
        }
        angles = run.input(SV_F32, {tokens, size / 2, 2}, turned);
    }
};

struct State {
    const sv_tensor *values = nullptr, *keys = nullptr;
};

// Key sums are sums of positive numbers.
State incoming(Run& run, const Sizes& sizes) {
    return {run.input(SV_F32, sizes.state()),
            run.input(SV_F32, sizes.state_keys(), Range{0.5f, 2})};
}

State outgoing(Run& run, sv_dtype dtype, const Sizes& sizes) {
    return {run.output(SV_F32, sizes.state(), sum_bound(dtype, sizes.tokens)),
            run.output(SV_F32, sizes.state_keys(), sum_bound(SV_F32, sizes.tokens))};
}

Bound out_bound(sv_dtype dtype, const Sizes& sizes) {
    return sum_bound(dtype, sizes.tokens + sizes.size);
}

sv_status attend(Run& run, const Inputs& in, const State& before, const State& after,
                 const sv_tensor* out) {
    return sv_linear_attention(run.context(), in.qkv, in.square_sums, in.q_weight, in.k_weight,
                               in.norm_epsilon, in.angles, kEpsilon, before.values, before.keys,
                               after.values, after.keys, out);
}

double size_in_bytes(sv_dtype dtype, const Sizes& sizes, bool state) {
    auto [batch, tokens, heads, size] = sizes;
    double rows = static_cast<double>(batch) * static_cast<double>(tokens);
    double width = static_cast<double>(heads * size);
    double states = static_cast<double>(batch) * width * static_cast<double>(size + 1) * 4;
    return rows * (4 * width * static_cast<double>(size_of(dtype)) + 8) +
           static_cast<double>(tokens * size) * 4 + (state ? 2 * states : 0);
}

Case one_case(sv_dtype dtype, const Sizes& sizes, const char* with) {
    Case one{"linear_attention", sizes.text() + with, dtype, {}};
    one.bytes = size_in_bytes(dtype, sizes, *with != 0);
    one.flops = 4.0 * static_cast<double>(sizes.batch * sizes.tokens * sizes.heads) *
                static_cast<double>(sizes.size * sizes.size);
    return one;
}

// All tokens see all tokens.
Case bidirectional(sv_dtype dtype, const Sizes& sizes) {
    Case one = one_case(dtype, sizes, "");
    one.body = [=](Run& run) {
        Inputs in(run, dtype, sizes);
        auto* out = run.output(dtype, sizes.out(), out_bound(dtype, sizes));
        run.op([&] { return attend(run, in, {}, {}, out); });
    };
    return one;
}

// With features that bf16 holds, the state is as good as fp32 sums, and so are outputs but for
// their own rounding, which now and then falls the other way.
Case exact(const Sizes& sizes) {
    Case one = one_case(SV_BF16, sizes, ", exact features");
    one.body = [=](Run& run) {
        Inputs in(run, SV_BF16, sizes, Features::kExact);
        State after = outgoing(run, SV_F32, sizes);
        auto* out = run.output(SV_BF16, sizes.out(), {1e-3});
        run.op([&] { return attend(run, in, {}, after, out); });
    };
    return one;
}

// Every denominator is epsilon.
Case dead(sv_dtype dtype, const Sizes& sizes) {
    Case one = one_case(dtype, sizes, ", no positive feature");
    one.body = [=](Run& run) {
        Inputs in(run, dtype, sizes, Features::kDead);
        auto* out = run.output(dtype, sizes.out(), out_bound(dtype, sizes));
        run.op([&] { return attend(run, in, {}, {}, out); });
    };
    return one;
}

// One step of the cumulative form.
Case with_states(sv_dtype dtype, const Sizes& sizes, bool in_place) {
    Case one = one_case(dtype, sizes, in_place ? ", state in place" : ", state in and out");
    one.body = [=](Run& run) {
        Inputs in(run, dtype, sizes);
        State before = incoming(run, sizes), after = before;
        auto* out = run.output(dtype, sizes.out(), out_bound(dtype, sizes));
        if (in_place) {
            run.compare(before.values, sum_bound(dtype, sizes.tokens));
            run.compare(before.keys, sum_bound(SV_F32, sizes.tokens));
        } else {
            after = outgoing(run, dtype, sizes);
        }
        run.op([&] { return attend(run, in, before, after, out); });
    };
    return one;
}

// One half of the state: what the first call leaves, what the last one takes.
Case with_one_state(sv_dtype dtype, const Sizes& sizes, bool takes) {
    Case one = one_case(dtype, sizes, takes ? ", state in" : ", state out");
    one.body = [=](Run& run) {
        Inputs in(run, dtype, sizes);
        State before, after;
        if (takes) {
            before = incoming(run, sizes);
        } else {
            after = outgoing(run, dtype, sizes);
        }
        auto* out = run.output(dtype, sizes.out(), out_bound(dtype, sizes));
        run.op([&] { return attend(run, in, before, after, out); });
    };
    return one;
}

// `count` tokens from `first` on, of one batch element.
sv_tensor rows_of(const sv_tensor* whole, int dimension, int64_t first, int64_t count) {
    sv_tensor part = *whole;
    int64_t row = size_of(whole->dtype);
    for (int i = dimension + 1; i < whole->rank; ++i) row *= whole->shape[i];
    part.data = static_cast<char*>(whole->data) + first * row;
    part.shape[dimension] = count;
    return part;
}

std::vector<float> values_of(Run& run, const sv_tensor& tensor) {
    int64_t count = 1;
    for (int i = 0; i < tensor.rank; ++i) count *= tensor.shape[i];
    int64_t size = size_of(tensor.dtype);
    std::vector<char> bytes(count * size);
    if (sv_download(run.context(), bytes.data(), tensor.data, count * size) != SV_OK) {
        throw std::runtime_error(sv_last_error());
    }
    std::vector<float> values(count);
    for (int64_t i = 0; i < count; ++i) {
        uint32_t bits = 0;
        std::memcpy(&bits, &bytes[i * size], size);
        if (size == 2) bits <<= 16;
        std::memcpy(&values[i], &bits, sizeof bits);
    }
    return values;
}

void require_near(Run& run, const sv_tensor& one, const sv_tensor& other, Bound bound,
                  const char* what) {
    std::vector<float> a = values_of(run, one), b = values_of(run, other);
    double difference = 0, size = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        difference += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
        size += double{b[i]} * b[i];
    }
    if (!(std::sqrt(difference) <= bound.relative * std::sqrt(size))) {
        throw std::runtime_error(std::string(what) + " of the pieces and of the whole are " +
                                 std::to_string(std::sqrt(difference / size)) + " apart");
    }
}

// A clip in pieces, each with the state of those before it. Their last state is that of one call
// for all tokens, and the last piece sees what it sees there.
Case in_pieces(sv_dtype dtype, int64_t heads, int64_t size, const Shape& pieces) {
    Sizes whole{1, 0, heads, size};
    for (int64_t piece : pieces) whole.tokens += piece;
    Case one = one_case(dtype, whole, "");
    one.shape += ", in pieces of " + text_of(pieces);
    one.body = [=](Run& run) {
        Inputs in(run, dtype, whole);
        State all = outgoing(run, dtype, whole), state = outgoing(run, dtype, whole);
        auto* out = run.output(dtype, whole.out(), out_bound(dtype, whole));
        auto* piece_out = run.output(dtype, whole.out(), out_bound(dtype, whole));
        run.op([&] { return attend(run, in, {}, all, out); });
        int64_t first = 0;
        for (int64_t count : pieces) {
            sv_tensor qkv = rows_of(in.qkv, 1, first, count);
            sv_tensor square_sums = rows_of(in.square_sums, 1, first, count);
            sv_tensor angles = rows_of(in.angles, 0, first, count);
            sv_tensor to = rows_of(piece_out, 1, first, count);
            Inputs piece = in;
            piece.qkv = &qkv;
            piece.square_sums = &square_sums;
            piece.angles = &angles;
            run.op([&] { return attend(run, piece, first == 0 ? State{} : state, state, &to); });
            first += count;
        }
        int64_t last = pieces.back();
        // Their keys were rounded alike, so the states differ by the order of fp32 sums.
        Bound bound = sum_bound(SV_F32, whole.tokens);
        require_near(run, *state.values, *all.values, bound, "the values");
        require_near(run, *state.keys, *all.keys, bound, "the keys");
        require_near(run, rows_of(piece_out, 1, first - last, last),
                     rows_of(out, 1, first - last, last), out_bound(dtype, whole), "the outputs");
    };
    return one;
}

// A tensor of this shape that begins one element behind the start of another's memory.
sv_tensor off_by_one(const sv_tensor* memory, const Shape& shape) {
    sv_tensor tensor = *memory;
    tensor.data = static_cast<char*>(memory->data) + size_of(memory->dtype);
    tensor.rank = static_cast<int32_t>(shape.size());
    std::copy(shape.begin(), shape.end(), tensor.shape);
    return tensor;
}

int64_t count_of(const Shape& shape) {
    int64_t count = 1;
    for (int64_t size : shape) count *= size;
    return count;
}

// One argument begins where no vector fits: qkv (0), angles (1), out (2) or the outgoing state (3).
Case unaligned(sv_dtype dtype, const Sizes& sizes, int which) {
    constexpr const char* kNames[] = {"qkv", "angles", "out", "the state"};
    Case one = one_case(dtype, sizes, "");
    one.shape += std::string(", ") + kNames[which] + " off by one element";
    one.body = [=](Run& run) {
        Inputs in(run, dtype, sizes);
        State after = outgoing(run, dtype, sizes);
        auto* out = run.output(dtype, sizes.out(), out_bound(dtype, sizes));
        sv_tensor moved;
        auto move = [&](sv_dtype type, const Shape& shape) {
            moved = off_by_one(run.in_place(type, {count_of(shape) + 1}, {out_bound(dtype, sizes)},
                                            Range{0.25f, 1}),
                               shape);
            return &moved;
        };
        auto [batch, tokens, heads, size] = sizes;
        if (which == 0) in.qkv = move(dtype, {batch, tokens, 3, heads, size});
        if (which == 1) in.angles = move(SV_F32, {tokens, size / 2, 2});
        if (which == 3) {
            auto* values = move(SV_F32, sizes.state());
            run.op([&] { return attend(run, in, {}, {values, after.keys}, out); });
            run.op([&] { return attend(run, in, {}, after, out); });
            return;
        }
        if (which == 2) {
            auto* other = move(dtype, sizes.out());
            run.op([&] { return attend(run, in, {}, after, other); });
        }
        run.op([&] { return attend(run, in, {}, after, out); });
    };
    return one;
}

}  // namespace

std::vector<Case> linear_attention_cases() {
    std::vector<Case> cases;
    for (sv_dtype dtype : kFloats) {
        // Head sizes: the tiled ones, those between them, and those that no vector fits.
        for (int64_t size : {2, 6, 30, 32, 48, 64, 112, 126, 128}) {
            cases.push_back(bidirectional(dtype, {1, 37, size < kFewTerms ? 9 : 3, size}));
        }
        cases.push_back(bidirectional(dtype, {1, 33, 1, 130}));
        cases.push_back(bidirectional(dtype, {1, 18, 2, 256}));
        cases.push_back(bidirectional(dtype, {1, 19, 1, 258}));
        // Tokens around a tile, a prime, and several chunks.
        for (int64_t tokens : {1, 15, 16, 17, 31, 127, 257, 401}) {
            // One token's error is its head's: enough of them, or chance would judge.
            cases.push_back(bidirectional(dtype, {1, tokens, tokens == 1 ? 41 : 3, 32}));
        }
        for (int64_t tokens : {1, 16, 63, 65, 111, 113}) {
            cases.push_back(bidirectional(dtype, {1, tokens, 1, 112}));
        }
        cases.push_back(bidirectional(dtype, {3, 16, 2, 112}));
        cases.push_back(with_states(dtype, {2, 29, 3, 48}, false));
        cases.push_back(with_states(dtype, {2, 17, 2, 112}, true));
        cases.push_back(with_states(dtype, {1, 5, 2, 256}, true));
        cases.push_back(with_one_state(dtype, {1, 260, 1, 32}, true));
        cases.push_back(with_one_state(dtype, {1, 23, 1, 112}, false));
        cases.push_back(in_pieces(dtype, 3, 32, {16, 40, 1, 263}));
        cases.push_back(in_pieces(dtype, 1, 112, {19, 32, 13}));
        cases.push_back(in_pieces(dtype, 2, 30, {17, 3}));
        cases.push_back(bidirectional(dtype, {1, 263, 1, 112}));
        cases.push_back(bidirectional(dtype, {2, 260, 1, 32}));
        cases.push_back(dead(dtype, {1, 20, 3, 32}));
        for (int which = 0; which < 4; ++which) {
            cases.push_back(unaligned(dtype, {1, 17, 7, 32}, which));
        }
    }
    for (int64_t size : {24, 32, 64, 112, 128, 256}) cases.push_back(exact({1, 41, 2, size}));
    return cases;
}

std::vector<Case> linear_attention_perf_cases() {
    Sizes clip{1, 32760, 20, 112}, piece{1, 15600, 20, 112};
    return {bidirectional(SV_BF16, clip), bidirectional(SV_BF16, {2, 32760, 20, 112}),
            with_states(SV_BF16, piece, true), bidirectional(SV_F32, clip)};
}

}  // namespace kernels
