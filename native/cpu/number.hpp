// f32 and bf16 elements: loads widen to float, stores round to nearest even.
#pragma once

#include <cstdint>
#include <cstring>

#include "sanavideo/core.h"

namespace sv::cpu {
inline namespace SV_VARIANT {

struct bf16 {
    uint16_t bits;
};

inline float widen(float value) { return value; }

inline float widen(bf16 value) {
    uint32_t bits = uint32_t{value.bits} << 16;
    float wide;
    std::memcpy(&wide, &bits, sizeof wide);
    return wide;
}

template <typename T>
inline T narrow(float value);

template <>
inline float narrow<float>(float value) {
    return value;
}

template <>
inline bf16 narrow<bf16>(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
    // A NaN must not round up to an infinity.
    return {static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? (bits >> 16) | 0x40
                                                                   : rounded >> 16)};
}

// Calls body with a null pointer of the dtype's element type: f32 or bf16 (checked before).
template <typename Body>
void with_float_type(sv_dtype dtype, const Body& body) {
    if (dtype == SV_F32) {
        body(static_cast<float*>(nullptr));
    } else {
        body(static_cast<bf16*>(nullptr));
    }
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
