// Blocks of pixels to channels and back, with a residual; formulas in sanavideo/space_to_depth.h.
// Outputs are written in order, a pixel at a time; the pixels that are read for it lie in cache
// until the neighbouring outputs have read theirs. Memory bounds it.
#include "common/tensor.hpp"
#include "cpu/number.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

// Elements that are worth a thread of their own.
constexpr int64_t kGrain = 16384;

// Blocks of a clip of pixels whose size is height x width.
struct Blocks {
    int64_t frames_of, height_of, width_of;
    bool columns_first;
    int64_t height, width;

    Blocks(const sv_tensor& pixels, int block_frames, int block_height, int block_width,
           sv_block_order order)
        : frames_of(block_frames),
          height_of(block_height),
          width_of(block_width),
          columns_first(order == SV_FRAME_COLUMN_ROW),
          height(pixels.shape[1]),
          width(pixels.shape[2]) {}

    int64_t size() const { return frames_of * height_of * width_of; }

    // The pixel at a place of a block.
    int64_t pixel(int64_t block, int64_t place) const {
        int64_t columns = width / width_of, rows = height / height_of;
        int64_t t = block / columns / rows, y = block / columns % rows, x = block % columns;
        int64_t i = place / height_of / width_of;
        int64_t j = columns_first ? place % height_of : place / width_of % height_of;
        int64_t k = columns_first ? place / height_of % width_of : place % width_of;
        return ((t * frames_of + i) * height + y * height_of + j) * width + x * width_of + k;
    }

    // The block that a pixel is of, and its place there.
    void find(int64_t pixel, int64_t& block, int64_t& place) const {
        int64_t t = pixel / width / height, y = pixel / width % height, x = pixel % width;
        block = (t / frames_of * (height / height_of) + y / height_of) * (width / width_of) +
                x / width_of;
        int64_t j = y % height_of, k = x % width_of;
        place = t % frames_of * height_of * width_of +
                (columns_first ? k * height_of + j : j * width_of + k);
    }
};

}  // namespace

void space_to_depth(sv_context& context, const sv_tensor& in, const sv_tensor* skip,
                    int block_frames, int block_height, int block_width, sv_block_order order,
                    const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Blocks blocks(in, block_frames, block_height, block_width, order);
        int64_t count = channels(in), size = blocks.size();
        int64_t skipped = skip == nullptr ? 0 : channels(*skip);
        auto* x = static_cast<const T*>(in.data);
        auto* s = skip == nullptr ? nullptr : static_cast<const T*>(skip->data);
        auto* y = static_cast<T*>(out.data);
        parallel_ranges(context, rows(out), kGrain / channels(out),
                        [=](int64_t first, int64_t last) {
                            int64_t group = skipped / count;
                            float share = 1.0f / static_cast<float>(group);
                            int64_t pixels[SV_MAX_BLOCK];
                            for (int64_t block = first; block < last; ++block) {
                                for (int64_t p = 0; p < size; ++p)
                                    pixels[p] = blocks.pixel(block, p);
                                T* to = y + block * count * size;
                                const T* from = x;
                                const T* added = s;
                                int64_t place = 0;  // of the next term of the residual
                                for (int64_t c = 0; c < count; ++c, ++from) {
                                    for (int64_t p = 0; p < size; ++p) {
                                        float value = widen(from[pixels[p] * count]);
                                        float sum = 0;
                                        for (int64_t term = 0; term < group; ++term) {
                                            sum += widen(added[pixels[place] * skipped]);
                                            if (++place < size) continue;
                                            place = 0;
                                            ++added;
                                        }
                                        if (group > 0) value += sum * share;
                                        to[c * size + p] = narrow<T>(value);
                                    }
                                }
                            }
                        });
    });
}

void depth_to_space(sv_context& context, const sv_tensor& in, const sv_tensor* skip,
                    int block_frames, int block_height, int block_width, sv_block_order order,
                    const sv_tensor& out) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Blocks blocks(out, block_frames, block_height, block_width, order);
        int64_t count = channels(out), size = blocks.size();
        int64_t period = skip == nullptr ? count : channels(*skip) / size;
        auto* x = static_cast<const T*>(in.data);
        auto* s = skip == nullptr ? nullptr : static_cast<const T*>(skip->data);
        auto* y = static_cast<T*>(out.data);
        parallel_ranges(context, rows(out), kGrain / count, [=](int64_t first, int64_t last) {
            for (int64_t pixel = first; pixel < last; ++pixel) {
                int64_t block, place;
                blocks.find(pixel, block, place);
                const T* from = x + block * count * size + place;
                const T* added = s == nullptr ? nullptr : s + block * period * size + place;
                T* to = y + pixel * count;
                for (int64_t c = 0; c < count; c += period) {
                    for (int64_t p = 0; p < period; ++p) {
                        float value = widen(from[(c + p) * size]);
                        if (added != nullptr) value += widen(added[p * size]);
                        to[c + p] = narrow<T>(value);
                    }
                }
            }
        });
    });
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
