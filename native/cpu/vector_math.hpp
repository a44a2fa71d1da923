// Functions of one float that compilers vectorise: straight-line code, no table, no branch. Inside
// a loop with `#pragma omp simd` they run on whole vectors.
#pragma once

#include <cstdint>
#include <cstring>

namespace sv::cpu {
inline namespace SV_VARIANT {

// e^x, relative error below 1e-7. Below -87.3 it is 0, above 88.37 it is infinite, a NaN stays one.
// x = n ln 2 + r with |r| <= ln 2 / 2; e^r is a polynomial (own minimax fit), 2^n is put into the
// exponent.
inline float exponential(float x) {
    constexpr float kLog2E = 1.44269504f;
    constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
    constexpr float kRound =
        12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low bits
    float bounded = x > 89.0f ? 89.0f : x;  // 2^128 is an infinity already
    bounded = bounded < -87.3f ? -87.3f : bounded;
    float shifted = bounded * kLog2E + kRound;
    float n = shifted - kRound;
    float r = (bounded - n * kLn2High) - n * kLn2Low;
    float tail = 1.3814598e-3f;
    tail = tail * r + 8.368717e-3f;
    tail = tail * r + 4.166839e-2f;
    tail = tail * r + 1.6666521e-1f;
    tail = tail * r + 4.9999994e-1f;
    float fraction = (tail * r) * r + r + 1.0f;
    uint32_t bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127) << 23;
    float power;
    std::memcpy(&power, &bits, sizeof power);
    float result = fraction * power;
    return x < -87.3f ? 0.0f : result;
}

// tanh, relative error below 3e-7: an odd polynomial near 0 (own minimax fit), else from e^(2|x|).
inline float hyperbolic_tangent(float x) {
    float square = x * x;
    float tail = -5.7170466e-3f;
    tail = tail * square + 2.0650588e-2f;
    tail = tail * square - 5.3743500e-2f;
    tail = tail * square + 1.3331491e-1f;
    tail = tail * square - 3.3333284e-1f;
    float near = (tail * square) * x + x;
    float magnitude = x < 0 ? -x : x;
    float far = 1.0f - 2.0f / (exponential(2.0f * magnitude) + 1.0f);
    far = x < 0 ? -far : far;
    return magnitude < 0.625f ? near : far;
}

// x * sigmoid(x)
inline float silu(float x) { return x / (1.0f + exponential(-x)); }

// 0.5 x (1 + tanh(u)) = x * sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3)
inline float gelu_tanh(float x) {
    constexpr float kTwoSqrtTwoOverPi = 1.59576912f;
    return x / (1.0f + exponential(-kTwoSqrtTwoOverPi * (x + 0.044715f * x * x * x)));
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
