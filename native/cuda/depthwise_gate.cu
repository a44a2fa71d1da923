// Depthwise 3x3 convolution, bias and SiLU gate in one pass; formula in sanavideo/convolution.h.
//
// A thread makes the outputs of two neighbouring channels (one where the channels or addresses are
// odd) of a strip of 4 columns, and walks down the rows. It needs both halves of the channels: 18
// weights an output, which stay in its registers together with the sums of the two output rows that
// a row of input reaches after the one it completes, so that an input element is loaded and widened
// once a strip. A warp is 64 channels of a strip, its loads and stores whole lines of 128 bytes in
// bf16; wider accesses would need twice the registers for weights and sums. The next row's loads
// are under way while a row is worked on. The columns on either side of a strip are read by its
// neighbour too, mostly the next warp of the block: of 6 columns that a strip reads, 4 are its own,
// and the other two come from the L1 or L2 cache. Tall frames are cut into segments of rows where
// the frames alone do not fill the device. What lies outside of a frame is zero. No shared memory,
// no barriers.
//
// Quantised to NVFP4 it is the same kernel with another place for its outputs: of a pixel the 64
// channels of a warp are a row of a slab, 8 lanes share a block and agree on its scale, and each
// lane stores a byte of codes.
//
// Bound by memory. Predicted, not measured, in bf16 at 480p, frames of 30 x 52, hidden 6720:
//
//                                  bytes      H100      RTX 5090
//   21 frames                     1.32 GB    0.39 ms     0.74 ms
//   42 frames (two sequences)     2.64 GB    0.79 ms     1.47 ms
//   the same to NVFP4             2.01 GB    1.56 ms     1.12 ms
//
// What else a multiprocessor of an H100 (132 of them at 1.76 GHz: 14.4 bytes a clock each) does in
// the time of an output, which moves 6 bytes, counted in the machine code: 39 instructions (18
// multiply-adds, 7 for the SiLU, 6 for loads, stores and their addresses), 73% of what it can
// issue; 34% of its multiply-adds; 30% of its exponentials and reciprocals. 16 warps have 24 KB of
// loads under way while a row is worked on, 16 KB of them not in the L1 cache; 15 KB cover a
// latency of 1 us. An RTX 5090 has three times the instructions a byte.
// Quantising adds some 65 instructions to an output, which bound an H100, not an RTX 5090.
#include <algorithm>

#include "common/tensor.hpp"
#include "cuda/activation.cuh"
#include "cuda/launch.cuh"
#include "cuda/number.cuh"
#include "cuda/nvfp4_slabs.cuh"
#include "cuda/ops.hpp"
#include "cuda/warp.cuh"
#include "cuda/weight.hpp"

namespace sv::cuda {
namespace {

constexpr int kStrip = 4;  // columns of a thread
constexpr int kTaps = 9;
constexpr int kWarps = 4;  // of a block
// Blocks that a multiprocessor has registers for.
template <typename T>
constexpr int kResident = sizeof(T) == 2 ? 3 : 2;
constexpr int kWarpsPerUnit = 24;  // that a multiprocessor should get, if segments can make them
constexpr int kMinSegment = 8;     // rows

struct Shape {
    int height, width, hidden;
    int strips, channel_blocks;  // of a row
    int segments, segment_rows;  // of a frame
    int warps;                   // in all
};

// One half of the channels, of one thread: Count channels of kStrip columns.
template <int Count>
struct Half {
    float taps[kTaps][Count], bias[Count];
    // Sums so far of the output rows that an input row reaches after its own and the one above.
    float above[kStrip][Count] = {}, here[kStrip][Count] = {};

    __device__ __forceinline__ Half(const float* from, int64_t channels, const float* bias_from) {
#pragma unroll
        for (int i = 0; i < Count; ++i) {
#pragma unroll
            for (int tap = 0; tap < kTaps; ++tap) taps[tap][i] = from[tap * channels + i];
            bias[i] = bias_from[i];
        }
    }

    // sum + the taps of one row of them over column s.
    __device__ __forceinline__ float row_of_taps(const float (&x)[kStrip + 2][Count], int row,
                                                 int s, int i, float sum) const {
#pragma unroll
        for (int column = 0; column < 3; ++column) {
            sum += x[s + column][i] * taps[3 * row + column][i];
        }
        return sum;
    }

    // Takes the next input row, and gives the output row above it, which is then complete.
    template <typename T>
    __device__ __forceinline__ void next(const Words<T, Count> (&row)[kStrip + 2],
                                         float (&done)[kStrip][Count]) {
        float x[kStrip + 2][Count];
#pragma unroll
        for (int column = 0; column < kStrip + 2; ++column) {
            widen<T, Count>(row[column], x[column]);
        }
#pragma unroll
        for (int s = 0; s < kStrip; ++s) {
#pragma unroll
            for (int i = 0; i < Count; ++i) {
                done[s][i] = row_of_taps(x, 2, s, i, above[s][i]);
                above[s][i] = row_of_taps(x, 1, s, i, here[s][i]);
                here[s][i] = row_of_taps(x, 0, s, i, bias[i]);
            }
        }
    }
};

// A row of input under a strip and one column on either side, of both halves of the channels.
template <typename T, int Count>
struct InputRow {
    Words<T, Count> value[kStrip + 2], gate[kStrip + 2];

    // `at` is the column to the left of the strip, `half` the bytes from its one half to the other
    // and from that to the next column. Columns that are not in the mask read as zeros.
    __device__ __forceinline__ void read(const char* at, int64_t half, unsigned mask) {
#pragma unroll
        for (int i = 0; i < kStrip + 2; ++i) {
            bool there = (mask >> i & 1) != 0;
            value[i] = load_words<T, Count>(reinterpret_cast<const T*>(at), there);
            at += half;
            gate[i] = load_words<T, Count>(reinterpret_cast<const T*>(at), there);
            at += half;
        }
    }
};

// Where outputs go: to channels of pixels. A place is that of a lane's channels of a strip's row;
// put writes a column of the strip if it is there.
template <typename T>
struct PixelRows {
    static constexpr bool kPadded = false;  // lanes past the last channel have nothing to do
    T* __restrict__ out;

    template <int Count>
    struct Place {
        char* at;
        int64_t pixel_bytes;

        __device__ __forceinline__ Place(const PixelRows& rows, const Shape& shape, int64_t pixel,
                                         int channel) {
            pixel_bytes = shape.hidden * static_cast<int64_t>(sizeof(T));
            at = reinterpret_cast<char*>(rows.out + channel) + pixel * pixel_bytes;
        }

        __device__ __forceinline__ void put(int column, const float (&x)[Count], bool there) const {
            if (there) store(reinterpret_cast<T*>(at + column * pixel_bytes), narrow<T>(x));
        }

        __device__ __forceinline__ void next_row(int width) { at += width * pixel_bytes; }
    };
};

// Outputs quantised: a warp's channels are those of a slab (half of one where Count is 1), and the
// lanes that share a block agree on its scale. Lanes past the last channel make the zeros that fill
// the slab.
struct PixelSlabs {
    static constexpr bool kPadded = true;
    Slabs slabs;

    template <int Count>
    struct Place {
        uint8_t* codes;
        uint8_t* scales;
        float global_scale;
        bool zero, first_of_block;

        __device__ __forceinline__ Place(const PixelSlabs& out, const Shape& shape, int64_t pixel,
                                         int channel) {
            codes = out.slabs.code_at(pixel, channel);
            scales = out.slabs.scale_at(pixel, channel);
            global_scale = out.slabs.global_scale;
            zero = channel >= shape.hidden;
            first_of_block = channel % nvfp4::kBlock == 0;
        }

        __device__ __forceinline__ void put(int column, const float (&x)[Count], bool there) const {
            float some[Count];
#pragma unroll
            for (int i = 0; i < Count; ++i) some[i] = zero ? 0.0f : x[i];
            BlockPart part = quantize_part(some, nvfp4::kBlock / Count, global_scale);
            if constexpr (Count == 1) {  // a byte is that of two lanes
                part.codes |= __shfl_down_sync(kAllLanes, part.codes, 1) << 4;
                there = there && threadIdx.x % 2 == 0;
            }
            if (!there) return;
            codes[column * nvfp4::kSlabCodeBytes] = static_cast<uint8_t>(part.codes);
            if (first_of_block) scales[column * nvfp4::kSlabScaleBytes] = part.scale;
        }

        __device__ __forceinline__ void next_row(int width) {
            codes += width * nvfp4::kSlabCodeBytes;
            scales += width * nvfp4::kSlabScaleBytes;
        }
    };
};

// Writes the columns of the mask.
template <int Count, typename Place>
__device__ __forceinline__ void write(const float (&value)[kStrip][Count],
                                      const float (&gate)[kStrip][Count], const Place& place,
                                      unsigned mask) {
#pragma unroll
    for (int s = 0; s < kStrip; ++s) {
        float gated[Count];
#pragma unroll
        for (int i = 0; i < Count; ++i) gated[i] = value[s][i] * silu(gate[s][i]);
        place.put(s, gated, (mask >> (s + 1) & 1) != 0);
    }
}

constexpr unsigned kAllColumns = (1 << (kStrip + 2)) - 1;

template <typename T, int Count, typename Out>
__global__ void __launch_bounds__(kWarps* kLanes, kResident<T>)
    convolve_and_gate(Shape shape, const T* __restrict__ in, const float* __restrict__ taps,
                      const float* __restrict__ bias, Out out) {
    int lane = static_cast<int>(threadIdx.x) % kLanes;
    int warp = static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / kLanes;
    int rest = warp / shape.strips;
    int column = warp % shape.strips * kStrip;
    int channel = (rest % shape.channel_blocks * kLanes + lane) * Count;
    rest /= shape.channel_blocks;
    int first_row = rest % shape.segments * shape.segment_rows;
    int frame = rest / shape.segments;
    if (warp >= shape.warps || (!Out::kPadded && channel >= shape.hidden)) return;
    int end_row = min(first_row + shape.segment_rows, shape.height);

    int channels = 2 * shape.hidden;
    int64_t half = shape.hidden * static_cast<int64_t>(sizeof(T));
    int64_t pixel = (int64_t{frame} * shape.height + first_row) * shape.width + column;
    typename Out::template Place<Count> to(out, shape, pixel, channel);
    if (Out::kPadded) channel = min(channel, shape.hidden - Count);  // what zeros are made beside
    auto* from = reinterpret_cast<const char*>(in + channel) + (pixel - shape.width - 1) * 2 * half;
    unsigned mask = 0;
#pragma unroll
    for (int i = 0; i < kStrip + 2; ++i) {
        int x = column + i - 1;
        mask |= x >= 0 && x < shape.width ? 1u << i : 0u;
    }

    Half<Count> value(taps + channel, channels, bias + channel);
    Half<Count> gate(taps + shape.hidden + channel, channels, bias + shape.hidden + channel);
    InputRow<T, Count> row, next;
    row.read(from, half, first_row > 0 ? mask : 0);
    for (int r = first_row - 1; r <= end_row; ++r) {
        from += shape.width * 2 * half;
        if (r + 1 == shape.height || r == end_row) {
            next = {};
        } else if (mask == kAllColumns) {
            next.read(from, half, kAllColumns);
        } else {
            next.read(from, half, mask);
        }
        float values[kStrip][Count], gates[kStrip][Count];
        value.template next<T>(row.value, values);
        gate.template next<T>(row.gate, gates);
        row = next;
        if (r <= first_row) continue;  // what is above begins before the segment
        if (mask == kAllColumns) {
            write<Count>(values, gates, to, kAllColumns);
        } else {
            write<Count>(values, gates, to, mask);
        }
        to.next_row(shape.width);
    }
}

// How the frames are dealt to warps, of which each takes `lane_channels` channels a lane; of `in`,
// which holds values and gates.
Shape shape_of(const Context& context, const sv_tensor& in, int lane_channels, bool padded) {
    Shape shape{};
    shape.height = count_of(in.shape[1], "rows");
    shape.width = count_of(in.shape[2], "columns");
    shape.hidden = count_of(in.shape[3] / 2, "channels");
    shape.strips = static_cast<int>(divide_up(shape.width, kStrip));
    int64_t channels = padded ? round_up(shape.hidden, nvfp4::kSlab) : shape.hidden;
    shape.channel_blocks = static_cast<int>(divide_up(channels, kLanes * lane_channels));
    int64_t warps = in.shape[0] * shape.strips * shape.channel_blocks;
    int64_t wanted = int64_t{context.multiprocessors} * kWarpsPerUnit;
    int64_t segments = std::min(divide_up(wanted, warps), divide_up(shape.height, kMinSegment));
    shape.segment_rows = static_cast<int>(divide_up(shape.height, segments));
    shape.segments = static_cast<int>(divide_up(shape.height, shape.segment_rows));
    shape.warps = count_of(warps * shape.segments, "strips of columns");
    return shape;
}

// pairs: whether addresses allow two channels at a time.
template <typename T, typename Out>
void queue(Context& c, const sv_tensor& in, const sv_weight& weight, const sv_tensor& bias,
           bool pairs, const Out& out) {
    constexpr int kPair = 2;
    pairs = pairs && in.shape[3] / 2 % kPair == 0 && aligned(in.data, kPair * sizeof(T));
    Shape shape = shape_of(c, in, pairs ? kPair : 1, Out::kPadded);
    launch(c, pairs ? convolve_and_gate<T, kPair, Out> : convolve_and_gate<T, 1, Out>,
           dim3(static_cast<unsigned>(divide_up(shape.warps, kWarps))), kWarps * kLanes, 0, shape,
           static_cast<const T*>(in.data),
           static_cast<const float*>(static_cast<const DepthwiseWeight&>(weight).taps),
           static_cast<const float*>(bias.data), out);
}

}  // namespace

void depthwise_gate(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                    const sv_tensor* bias, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        queue<T>(c, in, weight, *bias, aligned(out.data, 2 * sizeof(T)),
                 PixelRows<T>{static_cast<T*>(out.data)});
    });
}

void nvfp4_depthwise_gate(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                          const sv_tensor& bias, const sv_nvfp4_matrix& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        queue<T>(c, in, weight, bias, true, PixelSlabs{Slabs(out)});
    });
}

}  // namespace sv::cuda
