// Packing and expanding of NVFP4 weights: the layouts of cpu/nvfp4.hpp.
//
// A panel is expanded once for each block of rows of a product (240 of them): about ten
// instructions on whole vectors for what those rows then multiply 240 times.
#include <algorithm>
#include <cstring>

#include "common/nvfp4.hpp"
#include "cpu/number.hpp"
#include "cpu/nvfp4.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

using nvfp4::kBlock;

constexpr int64_t kBlockPairs = kBlock / 2;

// Where a panel's codes and scales begin.
int64_t first_code(const Panels& panels, int64_t panel) { return panels.begin(panel) / 2; }
int64_t first_scale(const Panels& panels, int64_t panel) { return panels.begin(panel) / kBlock; }

int64_t code_bytes(const Panels& panels) { return panels.elements() / 2; }
int64_t scale_bytes(const Panels& panels) { return panels.elements() / kBlock; }

// The numbers of codes in straight-line code, which compilers vectorise: twice a magnitude is a
// small integer, one to four of whose bits lie where its exponent says.
inline float twice(uint32_t code) {
    int32_t magnitude = static_cast<int32_t>(code & 7);
    int32_t exponent = magnitude >> 1;
    int32_t shift = exponent > 0 ? exponent - 1 : 0;
    int32_t leading = exponent > 0 ? 2 : 0;
    float value = static_cast<float>((leading | (magnitude & 1)) << shift);
    return (code & 8) != 0 ? -value : value;
}

inline float half_scale(uint32_t code) {
    // As the bits of a float whose exponent is 120 too small; the smallest have no leading bit.
    uint32_t bits = (code << 20) + (uint32_t{120} << 23);
    float normal;
    std::memcpy(&normal, &bits, sizeof normal);
    float value = code < 8 ? static_cast<float>(static_cast<int32_t>(code)) * (1.0f / 512) : normal;
    return 0.5f * value;
}

// Two neighbours along the depth, as a panel holds them.
inline void place(bf16* out, int64_t, int64_t n, float even, float odd) {
    uint32_t low, high;
    std::memcpy(&low, &even, sizeof low);
    std::memcpy(&high, &odd, sizeof high);
    uint32_t pair = low >> 16 | (high & 0xffff0000u);
    std::memcpy(out + 2 * n, &pair, sizeof pair);
}

inline void place(float* out, int64_t width, int64_t n, float even, float odd) {
    out[n] = even;
    out[width + n] = odd;
}

}  // namespace

PanelNvfp4Weight::PanelNvfp4Weight(Memory& memory, sv_weight_kind kind, int rank,
                                   const int64_t* shape)
    : Nvfp4Weight(kind, rank, shape), memory(memory), panels(*this, SV_BF16) {
    codes = static_cast<uint8_t*>(memory.allocate(bytes()));
    scales = codes + code_bytes(panels);
    channel_scales = reinterpret_cast<float*>(scales + scale_bytes(panels));
    if (!memory.imaginary()) std::memset(codes, 0, bytes());
}

PanelNvfp4Weight::~PanelNvfp4Weight() { memory.release(codes); }

int64_t PanelNvfp4Weight::bytes() const {
    return code_bytes(panels) + scale_bytes(panels) +
           panels.padded_columns() * static_cast<int64_t>(sizeof(float));
}

void PanelNvfp4Weight::pack_nvfp4(sv_context& context, int64_t first_row, int64_t rows,
                                  const uint8_t* from_codes, const uint8_t* from_scales,
                                  float global_scale) {
    int64_t row_codes = row_elements() / 2, row_scales = row_elements() / kBlock;
    parallel_tasks(context, rows, [&](int64_t r, int) {
        int64_t column = first_row + r, panel = column / kPanelColumns, n = column % kPanelColumns;
        int64_t width = panels.width(panel);
        uint8_t* to = codes + first_code(panels, panel) + n;
        for (int64_t i = 0; i < row_codes; ++i) to[i * width] = from_codes[r * row_codes + i];
        to = scales + first_scale(panels, panel) + n;
        for (int64_t i = 0; i < row_scales; ++i) to[i * width] = from_scales[r * row_scales + i];
        channel_scales[column] = global_scale;
    });
}

template <typename T>
void expand_panel(const PanelNvfp4Weight& weight, const Panels& panels, int64_t panel, T* out) {
    int64_t width = panels.width(panel);
    int64_t blocks = panels.taps * panels.depth / kBlock;
    const uint8_t* codes = weight.codes + first_code(weight.panels, panel);
    const uint8_t* scales = weight.scales + first_scale(weight.panels, panel);
    float steps[kPanelColumns];
    for (int64_t block = 0; block < blocks; ++block, scales += width) {
#pragma omp simd
        for (int64_t n = 0; n < width; ++n) steps[n] = half_scale(scales[n]);
        for (int64_t pair = 0; pair < kBlockPairs; ++pair, codes += width, out += 2 * width) {
#pragma omp simd
            for (int64_t n = 0; n < width; ++n) {
                uint32_t byte = codes[n];
                place(out, width, n, twice(byte) * steps[n], twice(byte >> 4) * steps[n]);
            }
        }
    }
}

template void expand_panel<float>(const PanelNvfp4Weight&, const Panels&, int64_t, float*);
template void expand_panel<bf16>(const PanelNvfp4Weight&, const Panels&, int64_t, bf16*);

Nvfp4Weight* nvfp4_weight_create(sv_context& context, sv_weight_kind kind, int rank,
                                 const int64_t* shape) {
    return new PanelNvfp4Weight(context.memory, kind, rank, shape);
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
