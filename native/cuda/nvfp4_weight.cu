// Packing of NVFP4 weights: rows are put into slabs in pinned memory, and copied from there while
// the next ones are packed. One thread does it: it moves 4.5 bits an element, and those in words
// of 8 bytes.
#include <algorithm>
#include <cstring>
#include <memory>

#include "common/nvfp4.hpp"
#include "cuda/context.hpp"
#include "cuda/layout.hpp"
#include "cuda/nvfp4_weight.hpp"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

using nvfp4::kBlock;
using nvfp4::kSlab;
using nvfp4::kSlabCodeBytes;
using nvfp4::kSlabScaleBytes;

// Of a row in all slabs, with its global scale.
int64_t row_bytes(int64_t taps, int64_t tap_slabs) {
    return taps * tap_slabs * (kSlabCodeBytes + kSlabScaleBytes) + int64_t{sizeof(float)};
}

// Puts rows of `unit` bytes a block into slabs of so many rows, of `slab_bytes` a row.
void place_rows(const SlabNvfp4Weight& weight, int64_t rows, const uint8_t* from, int64_t unit,
                int64_t slab_bytes, uint8_t* to) {
    int64_t tap_bytes = weight.depth / kBlock * unit;
    if (weight.depth % kSlab != 0) std::memset(to, 0, weight.slabs() * rows * slab_bytes);
    for (int64_t row = 0; row < rows; ++row) {
        for (int64_t tap = 0; tap < weight.taps; ++tap) {
            for (int64_t slab = 0; slab < weight.tap_slabs; ++slab) {
                int64_t count = std::min(slab_bytes, tap_bytes - slab * slab_bytes);
                int64_t place = ((tap * weight.tap_slabs + slab) * rows + row) * slab_bytes;
                std::memcpy(to + place, from, count);
                from += count;
            }
        }
    }
}

// Copies slabs of so many rows from staging memory into the weight's.
void upload_slabs(Context& context, const SlabNvfp4Weight& weight, int64_t first_row, int64_t rows,
                  const uint8_t* staged, int64_t slab_bytes, uint8_t* to) {
    if (rows == weight.slab_rows) {
        context.upload_staged(to, staged, weight.slabs() * rows * slab_bytes);
        return;
    }
    for (int64_t slab = 0; slab < weight.slabs(); ++slab) {
        context.upload_staged(to + (slab * weight.slab_rows + first_row) * slab_bytes,
                              staged + slab * rows * slab_bytes, rows * slab_bytes);
    }
}

// Packs rows that fit into one block of staging memory.
void pack_piece(Context& context, const SlabNvfp4Weight& weight, int64_t first_row, int64_t rows,
                const uint8_t* from_codes, const uint8_t* from_scales, float global_scale) {
    auto* codes = static_cast<uint8_t*>(context.staging.next());
    uint8_t* scales = codes + weight.slabs() * rows * kSlabCodeBytes;
    auto* channel_scales =
        reinterpret_cast<float*>(scales + weight.slabs() * rows * kSlabScaleBytes);
    place_rows(weight, rows, from_codes, kBlock / 2, kSlabCodeBytes, codes);
    place_rows(weight, rows, from_scales, 1, kSlabScaleBytes, scales);
    std::fill_n(channel_scales, rows, global_scale);
    upload_slabs(context, weight, first_row, rows, codes, kSlabCodeBytes, weight.codes);
    upload_slabs(context, weight, first_row, rows, scales, kSlabScaleBytes, weight.scales);
    context.upload_staged(weight.channel_scales + first_row, channel_scales,
                          rows * int64_t{sizeof(float)});
    context.staging.copied(context.stream);
}

}  // namespace

SlabNvfp4Weight::SlabNvfp4Weight(Memory& memory, sv_weight_kind kind, int rank,
                                 const int64_t* shape)
    : Nvfp4Weight(kind, rank, shape), memory(memory) {
    tap_slabs = nvfp4::slabs(depth);
    slab_rows = round_up(columns, 16 / kSlabScaleBytes);
    if (row_bytes(taps, tap_slabs) > Staging::kBytes) {
        fail(SV_UNSUPPORTED, "a row of the weight takes %ld bytes, expected at most %ld",
             long(row_bytes(taps, tap_slabs)), long(Staging::kBytes));
    }
    codes = static_cast<uint8_t*>(memory.allocate(bytes()));
    scales = codes + slabs() * slab_rows * kSlabCodeBytes;
    channel_scales = reinterpret_cast<float*>(scales + slabs() * slab_rows * kSlabScaleBytes);
}

SlabNvfp4Weight::~SlabNvfp4Weight() { memory.release(codes); }

int64_t SlabNvfp4Weight::bytes() const { return slab_rows * row_bytes(taps, tap_slabs); }

void SlabNvfp4Weight::pack_nvfp4(sv_context& context, int64_t first_row, int64_t rows,
                                 const uint8_t* from_codes, const uint8_t* from_scales,
                                 float global_scale) {
    Context& c = enter(context);
    int64_t piece = Staging::kBytes / row_bytes(taps, tap_slabs);
    int64_t row_blocks = row_elements() / kBlock;
    for (int64_t row = 0; row < rows; row += piece) {
        pack_piece(c, *this, first_row + row, std::min(piece, rows - row),
                   from_codes + row * row_blocks * (kBlock / 2), from_scales + row * row_blocks,
                   global_scale);
    }
}

Nvfp4Weight* nvfp4_weight_create(sv_context& context, sv_weight_kind kind, int rank,
                                 const int64_t* shape) {
    Context& c = enter(context);
    auto weight = std::make_unique<SlabNvfp4Weight>(c.memory, kind, rank, shape);
    c.clear(weight->codes, weight->bytes());
    return weight.release();
}

}  // namespace sv::cuda
