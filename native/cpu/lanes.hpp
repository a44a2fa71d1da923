// The vector registers of a CPU variant, and the tile of sums that fills them.
#pragma once

#include <cstdint>

namespace sv::cpu {
inline namespace SV_VARIANT {

// Floats in a vector, and vectors in a row of a tile of sums. A tile of kTileRows rows leaves
// registers for one row of the weights and for one broadcast element: 24 sums of 32 registers, or
// 12 of 16. Its columns are whole blocks of NVFP4.
#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kPanelVectors = 4;
constexpr int kTileRows = 6;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
constexpr int kPanelVectors = 2;
constexpr int kTileRows = 6;
#else
constexpr int kLanes = 4;
constexpr int kPanelVectors = 4;
constexpr int kTileRows = 3;
#endif
constexpr int64_t kPanelColumns = kPanelVectors * kLanes;

typedef float Vector __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
typedef uint32_t Bits __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

}  // namespace SV_VARIANT
}  // namespace sv::cpu
