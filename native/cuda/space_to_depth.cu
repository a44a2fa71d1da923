// Blocks of pixels to channels and back, with a residual; formulas in sanavideo/space_to_depth.h.
// One pass each of the kernel of map.cuh, which goes through its output in order:
//
// space_to_depth: a vector of outputs is the places of one or a few channels, so that its elements
// come from as many pixels. Neighbouring threads read neighbouring channels of the same pixels:
// what one leaves of a sector the next ones take from the L1 cache. The residual's `group` terms
// are read the same way and summed in order.
//
// depth_to_space: a vector of outputs is the channels of one pixel, which lie `size` elements apart
// in the input. Of every sector a pixel takes one place; its neighbour in the line takes the next
// from the L1 cache, those in other lines and frames from the L2 cache.
//
// The index is split once a vector, and counted up from there. Bytes of device memory: those of in,
// skip and out. In blocks of 2 x 2 x 2 depth_to_space reads its inputs four times from the L2
// cache, which then bounds it. Predicted, not measured, for the last upsampler of the 720p decoder,
// one frame of 88 x 160 x 1024 bf16 (256 channels of residual) to two of 176 x 320 x 128: 65 MB of
// memory, 173 MB of the L2 cache, 31 us on an H100 (5.5 TB/s of L2), 58 us on an RTX 5090 (3 TB/s).
#include "common/tensor.hpp"
#include "cuda/map.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

// Blocks of a clip of pixels.
struct Blocks {
    int64_t height, width;  // of the clip, in pixels
    int frames_of, height_of, width_of;
    bool columns_first;

    Blocks(const sv_tensor& pixels, int block_frames, int block_height, int block_width,
           sv_block_order order)
        : height(pixels.shape[1]),
          width(pixels.shape[2]),
          frames_of(block_frames),
          height_of(block_height),
          width_of(block_width),
          columns_first(order == SV_FRAME_COLUMN_ROW) {}

    __host__ __device__ int size() const { return frames_of * height_of * width_of; }

    // The pixel at place 0 of a block, and how far from it another place is.
    __device__ int64_t first_pixel(int64_t block) const {
        int64_t columns = width / width_of, rows = height / height_of;
        int64_t line = block / columns, x = block % columns;
        int64_t t = line / rows, y = line % rows;
        return (t * frames_of * height + y * height_of) * width + x * width_of;
    }
    __device__ int64_t offset(int place) const {
        int within = place % (height_of * width_of);
        int j = columns_first ? within % height_of : within / width_of;
        int k = columns_first ? within / height_of : within % width_of;
        return (place / (height_of * width_of) * height + j) * width + k;
    }

    // The block that a pixel is of, and its place there.
    __device__ int64_t find(int64_t pixel, int& place) const {
        int64_t line = pixel / width, x = pixel % width;
        int64_t t = line / height, y = line % height;
        auto i = static_cast<int>(t % frames_of), j = static_cast<int>(y % height_of);
        auto k = static_cast<int>(x % width_of);
        place = i * height_of * width_of + (columns_first ? k * height_of + j : j * width_of + k);
        return (t / frames_of * (height / height_of) + y / height_of) * (width / width_of) +
               x / width_of;
    }
};

template <typename T>
struct SpaceToDepth {
    using Out = T;
    static constexpr int kCount = widest<T>;
    const T* in;
    const T* skip;  // null: none
    Blocks blocks;
    int channels, skipped, group;  // of in and skip; terms of a mean
    float share;                   // of a term

    bool fits() const { return channels * blocks.size() % kCount == 0; }

    template <int Count>
    __device__ Vector<T, Count> at(int64_t i) const {
        int size = blocks.size();
        int64_t first = blocks.first_pixel(i / (channels * size));
        auto o = static_cast<int>(i % (channels * size));
        int c = o / size, place = o % size;
        // The next term of the residual.
        int channel = o * group / size, term_place = o * group % size;
        float out[Count];
#pragma unroll
        for (int n = 0; n < Count; ++n) {
            out[n] = widen(in[(first + blocks.offset(place)) * channels + c]);
            if (skip != nullptr) {
                float sum = 0;
                for (int term = 0; term < group; ++term) {
                    sum += widen(skip[(first + blocks.offset(term_place)) * skipped + channel]);
                    if (++term_place < size) continue;
                    term_place = 0;
                    ++channel;
                }
                out[n] += sum * share;
            }
            if (++place < size) continue;
            place = 0;
            ++c;
        }
        return narrow<T>(out);
    }
};

template <typename T>
struct DepthToSpace {
    using Out = T;
    static constexpr int kCount = widest<T>;
    const T* in;
    const T* skip;  // null: none
    Blocks blocks;
    int channels;  // of the output
    int period;    // channels of the residual, which repeat

    bool fits() const { return channels % kCount == 0; }

    template <int Count>
    __device__ Vector<T, Count> at(int64_t i) const {
        int size = blocks.size(), place = 0;
        int64_t block = blocks.find(i / channels, place);
        auto c = static_cast<int>(i % channels);
        const T* from = in + (block * channels + c) * size + place;
        float out[Count];
#pragma unroll
        for (int n = 0; n < Count; ++n) out[n] = widen(from[n * size]);
        if (skip != nullptr) {
            const T* added = skip + block * period * size + place;
#pragma unroll
            for (int n = 0; n < Count; ++n) out[n] += widen(added[(c + n) % period * size]);
        }
        return narrow<T>(out);
    }
};

const void* data_of(const sv_tensor* tensor) { return tensor == nullptr ? nullptr : tensor->data; }

}  // namespace

void space_to_depth(sv_context& context, const sv_tensor& in, const sv_tensor* skip,
                    int block_frames, int block_height, int block_width, sv_block_order order,
                    const sv_tensor& out) {
    Context& c = enter(context);
    Blocks blocks(in, block_frames, block_height, block_width, order);
    int count = count_of(channels(in), "channels of in");
    int skipped = skip == nullptr ? 0 : count_of(channels(*skip), "channels of skip");
    count_of(int64_t{std::max(count, skipped)} * blocks.size(), "channels of a block");
    int group = skipped / count;
    float share = group == 0 ? 0.0f : 1.0f / static_cast<float>(group);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        SpaceToDepth<T> operation{static_cast<const T*>(in.data),
                                  static_cast<const T*>(data_of(skip)),
                                  blocks,
                                  count,
                                  skipped,
                                  group,
                                  share};
        map(c, operation, elements(out), out.data);
    });
}

void depth_to_space(sv_context& context, const sv_tensor& in, const sv_tensor* skip,
                    int block_frames, int block_height, int block_width, sv_block_order order,
                    const sv_tensor& out) {
    Context& c = enter(context);
    Blocks blocks(out, block_frames, block_height, block_width, order);
    int count = count_of(channels(in), "channels of in") / blocks.size();
    int period = skip == nullptr ? count : static_cast<int>(channels(*skip)) / blocks.size();
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        DepthToSpace<T> operation{static_cast<const T*>(in.data),
                                  static_cast<const T*>(data_of(skip)), blocks, count, period};
        map(c, operation, elements(out), out.data);
    });
}

}  // namespace sv::cuda
