// Cases of sanavideo/elementwise.h, but for the ops that move or make rows: layout_cases.cpp.
#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "case.hpp"

namespace kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Around vectors of 4 and 8 elements, and around the 1024 and 2048 that a block makes of them.
constexpr int64_t kSizes[] = {1, 3, 4, 5, 7, 8, 9, 1023, 1025, 2047, 2048, 2049, 4099};

Bound rounded(sv_dtype dtype) { return sum_bound(dtype, 1); }

std::string name_of(sv_dtype dtype) { return dtype == SV_F32 ? "f32" : "bf16"; }

// Whether the output lies in memory of its own, or in the first input's.
enum class Place { kApart, kSame };

std::string suffix_of(Place place) { return place == Place::kSame ? ", in place" : ""; }

using Body = std::function<void(Run&, const sv_tensor* in, const sv_tensor* out)>;

// A case of an op from `in` to `out`, of one shape; the body draws what else it needs, and calls
// it.
Case mapping(const std::string& op, const std::string& text, sv_dtype from, sv_dtype to,
             const Shape& shape, Place place, Bound bound, Range range, const Body& body) {
    Case one{op, text + text_of(shape) + suffix_of(place), from, {}};
    one.body = [=](Run& run) {
        if (place == Place::kSame) {
            auto* both = run.in_place(from, shape, bound, range);
            body(run, both, both);
        } else {
            auto* in = run.input(from, shape, range);
            body(run, in, run.output(to, shape, bound));
        }
    };
    one.bytes = bytes_of(from, shape) + bytes_of(to, shape);
    return one;
}

Case activate(sv_dtype dtype, sv_activation activation, const Shape& shape, Place place) {
    static const char* const names[] = {"none ", "SiLU ", "GELU "};
    return mapping("activate", names[activation], dtype, dtype, shape, place, rounded(dtype),
                   {-9, 9}, [=](Run& run, auto* in, auto* out) {
                       run.op([&] { return sv_activate(run.context(), in, activation, out); });
                   });
}

Case add(sv_dtype dtype, const Shape& shape, Place place) {
    Case one = mapping("add", "", dtype, dtype, shape, place, kSameBits, {-3, 3},
                       [=](Run& run, auto* in, auto* out) {
                           auto* other = run.input(dtype, shape, Range{-3, 3});
                           run.op([&] { return sv_add(run.context(), in, other, out); });
                       });
    one.bytes *= 1.5;
    return one;
}

Case add_to_itself(sv_dtype dtype, int64_t size) {
    return mapping("add", "to itself ", dtype, dtype, {size}, Place::kSame, kSameBits, {-3, 3},
                   [](Run& run, auto* in, auto* out) {
                       run.op([&] { return sv_add(run.context(), in, out, out); });
                   });
}

Case convert(sv_dtype from, sv_dtype to, const Shape& shape) {
    return mapping("convert", "to " + name_of(to) + " ", from, to, shape, Place::kApart, kSameBits,
                   {-1e3f, 1e3f}, [](Run& run, auto* in, auto* out) {
                       run.op([&] { return sv_convert(run.context(), in, out); });
                   });
}

// The last term is `in`.
Case combine(int count, const Shape& shape, Place place) {
    Case one =
        mapping("combine", std::to_string(count) + " terms ", SV_F32, SV_F32, shape, place,
                rounded(SV_F32), {-2, 2}, [=](Run& run, auto* in, auto* out) {
                    std::vector<const sv_tensor*> terms;
                    for (int i = 1; i < count; ++i) {
                        terms.push_back(run.input(SV_F32, shape, Range{-2, 2}));
                    }
                    terms.push_back(in);
                    std::vector<float> weights = run.numbers(count, {-2, 2});
                    run.op([&] {
                        return sv_combine(run.context(), count, weights.data(), terms.data(), out);
                    });
                });
    one.bytes *= (count + 1) / 2.0;
    return one;
}

Case scale_channels(sv_dtype from, sv_dtype to, const Shape& shape, Place place) {
    return mapping(
        "scale_channels", "to " + name_of(to) + " ", from, to, shape, place, rounded(to), {-2, 2},
        [=](Run& run, auto* in, auto* out) {
            auto* scale = run.input(SV_F32, {shape.back()}, Range{0.5f, 2});
            auto* shift = run.input(SV_F32, {shape.back()}, Range{-1, 1});
            run.op([&] { return sv_scale_channels(run.context(), in, scale, shift, out); });
        });
}

Case to_rgb8(sv_dtype dtype, const Shape& shape) {
    return mapping("to_rgb8", "", dtype, SV_U8, shape, Place::kApart, kSameBits, {-1.2f, 1.2f},
                   [](Run& run, auto* in, auto* out) {
                       run.op([&] { return sv_to_rgb8(run.context(), in, out); });
                   });
}

Case from_rgb8(sv_dtype dtype, const Shape& shape) {
    Case one = mapping("from_rgb8", "", SV_U8, dtype, shape, Place::kApart, kSameBits, {0, 256},
                       [](Run& run, auto* in, auto* out) {
                           run.op([&] { return sv_from_rgb8(run.context(), in, out); });
                       });
    one.dtype = dtype;
    return one;
}

Case geglu(sv_dtype dtype, int64_t rows, int64_t hidden) {
    Shape shape{rows, 2, hidden};
    Case one{"geglu", text_of(shape), dtype, {}, bytes_of(dtype, shape) * 1.5};
    one.body = [=](Run& run) {
        auto* in = run.input(dtype, shape, Range{-4, 4});
        auto* out = run.output(dtype, {rows, hidden}, rounded(dtype));
        run.op([&] { return sv_geglu(run.context(), in, out); });
    };
    return one;
}

// Ties, the largest and smallest numbers, and both zeros; a NaN has other bits on a card, so what
// became of it is seen as a byte: 0, where an infinity would be 255.
Case convert_special() {
    Case one{"convert", "to bf16, special values", SV_F32, {}};
    one.body = [](Run& run) {
        float step = 1.0f / 128;  // of bf16 from 1 to 2
        std::vector<float> values = {0.0f,
                                     -0.0f,
                                     kInfinity,
                                     -kInfinity,
                                     3.4028235e38f,
                                     -1e38f,
                                     1.17549435e-38f,
                                     1e-40f,
                                     -3e-39f,
                                     1 + step / 2,
                                     1 + step * 3 / 2,
                                     -1 - step / 2,
                                     1 + step / 2 + 1e-7f,
                                     1 + step * 0.51f,
                                     2 - step / 4};
        auto size = static_cast<int64_t>(values.size());
        auto* in = run.input(SV_F32, {size}, values);
        auto* out = run.output(SV_BF16, {size}, kSameBits);
        run.op([&] { return sv_convert(run.context(), in, out); });
        auto* bad = run.input(SV_F32, {3}, std::vector<float>{kNaN, -kNaN, kInfinity});
        auto* converted = run.input(SV_BF16, {3}, Range{});
        auto* bytes = run.output(SV_U8, {3}, kSameBits);
        run.op([&] { return sv_convert(run.context(), bad, converted); });
        run.op([&] { return sv_to_rgb8(run.context(), converted, bytes); });
    };
    return one;
}

// The tie above every byte, and what lies outside of them.
Case to_rgb8_special(sv_dtype dtype) {
    Case one{"to_rgb8", "ties and special values", dtype, {}};
    one.body = [=](Run& run) {
        std::vector<float> values = {kNaN, -kNaN, kInfinity, -kInfinity, -1.0f, 1.0f, 3.0f, -0.0f};
        for (int byte = 0; byte < 255; ++byte) {
            values.push_back(2 * ((static_cast<float>(byte) + 0.5f) / 255 - 0.5f));
        }
        auto size = static_cast<int64_t>(values.size());
        auto* in = run.input(dtype, {size}, values);
        auto* out = run.output(SV_U8, {size}, kSameBits);
        run.op([&] { return sv_to_rgb8(run.context(), in, out); });
    };
    return one;
}

// Every byte.
Case from_rgb8_all(sv_dtype dtype) {
    Case one{"from_rgb8", "every byte", dtype, {}};
    one.body = [=](Run& run) {
        std::vector<float> values(256);
        std::iota(values.begin(), values.end(), 0.0f);
        auto* in = run.input(SV_U8, {256}, values);
        auto* out = run.output(dtype, {256}, kSameBits);
        run.op([&] { return sv_from_rgb8(run.context(), in, out); });
    };
    return one;
}

// What the check says of good values, and of values with one bad one at each kind of place.
Case require_finite_spots(sv_dtype dtype, int64_t size) {
    Case one{"require_finite", text_of({size}), dtype, {}};
    one.body = [=](Run& run) {
        std::vector<float> values = run.numbers(size, {-1e30f, 1e30f});
        std::vector<float> statuses;
        auto check = [&] {
            auto* in = run.input(dtype, {size}, values);
            statuses.push_back(static_cast<float>(sv_require_finite(run.context(), in)));
        };
        check();
        for (int64_t at : {int64_t{0}, size / 2, std::max<int64_t>(size - 2, 0), size - 1}) {
            for (float bad : {kNaN, kInfinity, -kInfinity}) {
                float good = std::exchange(values[at], bad);
                check();
                values[at] = good;
            }
        }
        auto count = static_cast<int64_t>(statuses.size());
        auto* out = run.output(SV_F32, {count}, kSameBits);
        run.op([&] { return sv_upload(run.context(), out->data, statuses.data(), 4 * count); });
    };
    return one;
}

Case require_finite_speed(sv_dtype dtype, const Shape& shape) {
    Case one{"require_finite", text_of(shape), dtype, {}, bytes_of(dtype, shape)};
    one.body = [=](Run& run) {
        auto* in = run.input(dtype, shape, Range{});
        run.op([&] { return sv_require_finite(run.context(), in); });
    };
    return one;
}

}  // namespace

std::vector<Case> elementwise_cases() {
    constexpr Place apart = Place::kApart, same = Place::kSame;
    std::vector<Case> cases{convert_special()};
    for (sv_dtype dtype : kFloats) {
        cases.push_back(to_rgb8_special(dtype));
        cases.push_back(from_rgb8_all(dtype));
        cases.push_back(add_to_itself(dtype, 67));
        cases.push_back(add(dtype, {5, 13}, same));
        cases.push_back(scale_channels(dtype, dtype, {9, 8}, same));
        cases.push_back(require_finite_spots(dtype, 65536 + 29));
        cases.push_back(unaligned(require_finite_spots(dtype, 67), 0));
        for (int64_t size : kSizes) {
            cases.push_back(add(dtype, {size}, apart));
            cases.push_back(to_rgb8(dtype, {size}));
            cases.push_back(from_rgb8(dtype, {size}));
            cases.push_back(require_finite_spots(dtype, size));
            for (sv_dtype to : kFloats) cases.push_back(convert(dtype, to, {size}));
        }
        for (sv_activation activation : {SV_NO_ACTIVATION, SV_SILU, SV_GELU_TANH}) {
            cases.push_back(activate(dtype, activation, {3, 7, 11}, apart));
            cases.push_back(activate(dtype, activation, {2051}, same));
        }
        for (sv_dtype to : kFloats) {
            for (int64_t channels : {1, 3, 4, 7, 8, 12, 16, 33, 1030}) {
                cases.push_back(scale_channels(dtype, to, {2, 3, channels}, apart));
            }
        }
        for (int64_t hidden : {1, 4, 7, 8, 9, 16, 257, 2056}) {
            cases.push_back(geglu(dtype, 3, hidden));
        }
        for (int tensor : {0, 1}) {
            cases.push_back(unaligned(activate(dtype, SV_SILU, {67}, apart), tensor));
            cases.push_back(unaligned(to_rgb8(dtype, {67}), tensor));
            cases.push_back(unaligned(from_rgb8(dtype, {67}), tensor));
            cases.push_back(unaligned(geglu(dtype, 3, 8), tensor));
            for (sv_dtype to : kFloats) {
                cases.push_back(unaligned(convert(dtype, to, {67}), tensor));
            }
        }
        for (int tensor : {0, 1, 2}) {
            cases.push_back(unaligned(add(dtype, {67}, apart), tensor));
        }
        for (int tensor : {0, 1, 2, 3}) {
            cases.push_back(unaligned(scale_channels(dtype, dtype, {9, 8}, apart), tensor));
        }
    }
    cases.push_back(combine(3, {5, 13}, same));
    for (int terms : {1, 2, 4, 7, 8}) cases.push_back(combine(terms, {1027}, apart));
    for (int tensor : {0, 1, 2, 3}) cases.push_back(unaligned(combine(3, {67}, apart), tensor));
    return cases;
}

std::vector<Case> elementwise_perf_cases() {
    constexpr Place apart = Place::kApart;
    Shape hidden{32760, 2240}, latent{21, 60, 104, 16}, frames{4, 480, 832, 3};
    return {
        activate(SV_BF16, SV_SILU, hidden, apart),
        activate(SV_F32, SV_GELU_TANH, hidden, apart),
        add(SV_BF16, hidden, apart),
        convert(SV_F32, SV_BF16, hidden),
        convert(SV_BF16, SV_F32, hidden),
        combine(2, latent, apart),
        combine(4, latent, apart),
        scale_channels(SV_F32, SV_F32, latent, apart),
        scale_channels(SV_F32, SV_BF16, latent, apart),
        to_rgb8(SV_BF16, frames),
        from_rgb8(SV_BF16, frames),
        geglu(SV_BF16, 300, 9216),
        require_finite_speed(SV_F32, latent),
    };
}

}  // namespace kernels
