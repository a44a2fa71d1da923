// What the stand-ins for the vendor's libraries need of the emulated card: to queue work in its
// stream's order, and to write its memory so that it knows. Both are calls of the CUDA runtime, of
// the library that SANA_CUDA_LIBRARY names.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

namespace vendor {

// Runs work when the stream comes to it; each time when it is recorded.
void queue(void* stream, std::function<void()> work);

// Copies numbers to the card, rounded to bf16.
void store_bf16(void* device, const std::vector<float>& values);

inline float load_bf16(const void* data, int64_t index) {
    uint32_t bits = uint32_t{static_cast<const uint16_t*>(data)[index]} << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace vendor
