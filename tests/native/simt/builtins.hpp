// What a kernel sees of the emulator: where its thread stands, barriers, and the exchange between
// lanes.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace simt {

struct Index {
    unsigned x, y, z;
};

// By value: a kernel reads no memory for them.
Index thread_index();
Index block_index();
Index block_size();
Index grid_size();

void synchronize_block();
void synchronize_warp();

// The 32 bits that lane `source` of this warp passed. All lanes of `mask` must call it together.
uint32_t exchange(uint32_t mask, uint32_t value, int source);
uint32_t ballot(uint32_t mask, bool predicate);
int lane();

unsigned atomic_or(unsigned* to, unsigned value);
unsigned atomic_add(unsigned* to, unsigned value);

template <typename T>
T shuffle(uint32_t mask, T value, int source, int width = 32) {
    static_assert(sizeof(T) == 4 && std::is_trivially_copyable_v<T>);
    int segment = lane() / width * width;
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    bits = exchange(mask, bits, segment + (source & (width - 1)));
    std::memcpy(&value, &bits, sizeof bits);
    return value;
}

// A lane outside the segment leaves the value as it is, as on the card.
template <typename T>
T shuffle_from(uint32_t mask, T value, int source, int width) {
    int segment = lane() / width * width;
    bool inside = source >= segment && source < segment + width;
    return shuffle(mask, value, (inside ? source : lane()) - segment, width);
}

template <typename T>
T shuffle_xor(uint32_t mask, T value, int lanes, int width = 32) {
    return shuffle_from(mask, value, lane() ^ lanes, width);
}

template <typename T>
T shuffle_down(uint32_t mask, T value, int lanes, int width = 32) {
    return shuffle_from(mask, value, lane() + lanes, width);
}

}  // namespace simt
