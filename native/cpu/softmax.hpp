// Rows of a softmax, in fp32.
#pragma once

#include <cstdint>

#include "cpu/number.hpp"
#include "cpu/vector_math.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

inline float largest(const float* row, int64_t count) {
    float maximum = row[0];
#pragma omp simd reduction(max : maximum)
    for (int64_t i = 0; i < count; ++i) maximum = row[i] > maximum ? row[i] : maximum;
    return maximum;
}

// out[i] = e^(scale * (row[i] - maximum)); returns their sum before rounding to Element.
template <typename Element>
float exponentials(const float* row, int64_t count, float scale, float maximum, Element* out) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; ++i) {
        float weight = exponential(scale * (row[i] - maximum));
        sum += weight;
        out[i] = narrow<Element>(weight);
    }
    return sum;
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
