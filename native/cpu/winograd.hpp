// Convolutions of 3x3x3 taps with fewer products: which weights they take, and how those are held.
#pragma once

#include "cpu/dense.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace winograd {

constexpr int64_t kFrameTaps = 3;
constexpr int64_t kPositions = 16;  // of a transformed 4x4 pixels

// Whether a weight is transformed when it is packed, into panels of [positions, frame taps, depth,
// columns]. It depends on the weight alone, so that a frame has the same bits in every clip.
bool transforms(const ProductWeight& weight);

// out [4, 4] = G kernel G^T
void transform_kernel(const float* kernel, float* out);

// out = epilogue(convolution), for a transformed weight and its window: see dense_product. The
// epilogue holds what sv_convolution lets it hold.
void convolve(sv_context& context, const Window& window, const DenseWeight& weight,
              const Epilogue& epilogue);

}  // namespace winograd
}  // namespace SV_VARIANT
}  // namespace sv::cpu
