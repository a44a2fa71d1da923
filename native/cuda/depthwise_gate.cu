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
// Bound by memory. Predicted, not measured, in bf16 at 480p, frames of 30 x 52, hidden 6720:
//
//                                  bytes      H100      RTX 5090
//   21 frames                     1.32 GB    0.39 ms     0.74 ms
//   42 frames (two sequences)     2.64 GB    0.79 ms     1.47 ms
//
// What else a multiprocessor of an H100 (132 of them at 1.76 GHz: 14.4 bytes a clock each) does in
// the time of an output, which moves 6 bytes, counted in the machine code: 39 instructions (18
// multiply-adds, 7 for the SiLU, 6 for loads, stores and their addresses), 73% of what it can
// issue; 34% of its multiply-adds; 30% of its exponentials and reciprocals. 16 warps have 24 KB of
// loads under way while a row is worked on, 16 KB of them not in the L1 cache; 15 KB cover a
// latency of 1 us. An RTX 5090 has three times the instructions a byte.
#include <algorithm>

#include "common/tensor.hpp"
#include "cuda/activation.cuh"
#include "cuda/launch.cuh"
#include "cuda/number.cuh"
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

// Writes the columns of the mask.
template <typename T, int Count>
__device__ __forceinline__ void write(const float (&value)[kStrip][Count],
                                      const float (&gate)[kStrip][Count], char* at, int64_t pixel,
                                      unsigned mask) {
#pragma unroll
    for (int s = 0; s < kStrip; ++s) {
        float gated[Count];
#pragma unroll
        for (int i = 0; i < Count; ++i) gated[i] = value[s][i] * silu(gate[s][i]);
        bool there = (mask >> (s + 1) & 1) != 0;
        if (there) store(reinterpret_cast<T*>(at), narrow<T>(gated));
        at += pixel;
    }
}

constexpr unsigned kAllColumns = (1 << (kStrip + 2)) - 1;

template <typename T, int Count>
__global__ void __launch_bounds__(kWarps* kLanes, kResident<T>)
    convolve_and_gate(Shape shape, const T* __restrict__ in, const float* __restrict__ taps,
                      const float* __restrict__ bias, T* __restrict__ out) {
    int lane = static_cast<int>(threadIdx.x) % kLanes;
    int warp = static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / kLanes;
    int rest = warp / shape.strips;
    int column = warp % shape.strips * kStrip;
    int channel = (rest % shape.channel_blocks * kLanes + lane) * Count;
    rest /= shape.channel_blocks;
    int first_row = rest % shape.segments * shape.segment_rows;
    int frame = rest / shape.segments;
    if (warp >= shape.warps || channel >= shape.hidden) return;
    int end_row = min(first_row + shape.segment_rows, shape.height);

    int channels = 2 * shape.hidden;
    int64_t half = shape.hidden * static_cast<int64_t>(sizeof(T));
    int64_t pixel = (int64_t{frame} * shape.height + first_row) * shape.width + column;
    auto* from = reinterpret_cast<const char*>(in + channel) + (pixel - shape.width - 1) * 2 * half;
    auto* to = reinterpret_cast<char*>(out + channel) + pixel * half;
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
            write<T, Count>(values, gates, to, half, kAllColumns);
        } else {
            write<T, Count>(values, gates, to, half, mask);
        }
        to += shape.width * half;
    }
}

// How the frames are dealt to warps, of which each takes `lane_channels` channels a lane.
Shape shape_of(const Context& context, const sv_tensor& out, int lane_channels) {
    Shape shape{};
    shape.height = count_of(out.shape[1], "rows");
    shape.width = count_of(out.shape[2], "columns");
    shape.hidden = count_of(out.shape[3], "channels");
    shape.strips = static_cast<int>(divide_up(shape.width, kStrip));
    shape.channel_blocks = static_cast<int>(divide_up(shape.hidden, kLanes * lane_channels));
    int64_t warps = out.shape[0] * shape.strips * shape.channel_blocks;
    int64_t wanted = int64_t{context.multiprocessors} * kWarpsPerUnit;
    int64_t segments = std::min(divide_up(wanted, warps), divide_up(shape.height, kMinSegment));
    shape.segment_rows = static_cast<int>(divide_up(shape.height, segments));
    shape.segments = static_cast<int>(divide_up(shape.height, shape.segment_rows));
    shape.warps = count_of(warps * shape.segments, "strips of columns");
    return shape;
}

}  // namespace

void depthwise_gate(sv_context& context, const sv_tensor& in, const sv_weight& weight,
                    const sv_tensor* bias, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        constexpr int kPair = 2;
        int64_t pair_bytes = kPair * bytes_of(in.dtype);
        bool pairs = out.shape[3] % kPair == 0 && aligned(in.data, pair_bytes) &&
                     aligned(out.data, pair_bytes);
        Shape shape = shape_of(c, out, pairs ? kPair : 1);
        launch(c, pairs ? convolve_and_gate<T, kPair> : convolve_and_gate<T, 1>,
               dim3(static_cast<unsigned>(divide_up(shape.warps, kWarps))), kWarps * kLanes, 0,
               shape, static_cast<const T*>(in.data),
               static_cast<const float*>(static_cast<const DepthwiseWeight&>(weight).taps),
               static_cast<const float*>(bias->data), static_cast<T*>(out.data));
    });
}

}  // namespace sv::cuda
