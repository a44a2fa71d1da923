// Rotation angles of a token grid: three short tables in double, one of each axis, then one row of
// cosines and sines a token, gathered from them. Both are passes of the kernel of map.cuh.
//
//   table[p, j] = (cos, sin) of (first + p) theta^(-j / pairs)
//   out[token (t, y, x)] = (frame table[t], row table[y], column table[x])
//
// Positions count from the start of the clip, thousands of frames in; in double the angle of frame
// 10^4 is still exact to 10^-12. The tables of 21 x 30 x 52 tokens and 56 pairs hold 1896 pairs: 15
// KB that stay in the L1 cache, and at about 400 fp64 operations each 1 us on an H100 and 2.5 us on
// an RTX 5090, which does two of them a clock and multiprocessor. The rows are bound by what they
// write, 8 bytes a pair: 14.7 MB, 4.4 us and 8.2 us (predicted, not measured).
#include "common/rope.hpp"
#include "common/tensor.hpp"
#include "cuda/map.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

struct Axis {
    using Out = float;
    static constexpr int kCount = 2;
    int64_t first, pairs;
    double theta;

    bool fits() const { return true; }

    template <int Count>
    __device__ Vector<float, Count> at(int64_t i) const {
        int64_t position = i / 2 / pairs, j = i / 2 % pairs;
        double frequency = pow(theta, -static_cast<double>(j) / static_cast<double>(pairs));
        double angle = static_cast<double>(first + position) * frequency;
        Vector<float, Count> out;
        double sine, cosine;
        sincos(angle, &sine, &cosine);
        out.at[0] = static_cast<float>(i % 2 == 0 ? cosine : sine);
        if constexpr (Count == 2) out.at[1] = static_cast<float>(sine);
        return out;
    }
};

struct TokenAngles {
    using Out = float;
    static constexpr int kCount = widest<float>;
    const float *of_frame, *of_row, *of_column;  // tables
    int64_t frame_size, side_size;               // floats of their rows
    int64_t height, width;

    bool fits() const { return frame_size % kCount == 0 && side_size % kCount == 0; }

    template <int Count>
    __device__ Vector<float, Count> at(int64_t i) const {
        int64_t size = frame_size + 2 * side_size;
        int64_t token = i / size, place = i % size;
        int64_t x = token % width, y = token / width % height, t = token / width / height;
        const float* from = of_frame + t * frame_size + place;
        if (place >= frame_size) from = of_row + y * side_size + place - frame_size;
        if (place >= frame_size + side_size) {
            from = of_column + x * side_size + place - frame_size - side_size;
        }
        return load<float, Count>(from);
    }
};

}  // namespace

void rope_angles(sv_context& context, int64_t first_frame, int64_t frames, int64_t height,
                 int64_t width, double theta, const sv_tensor& out) {
    Context& c = enter(context);
    RopeAxes axes = rope_axes(out.shape[1]);
    TokenAngles angles{};
    angles.frame_size = 2 * axes.frame_pairs;
    angles.side_size = 2 * axes.side_pairs;
    angles.height = height;
    angles.width = width;
    Scratch<float> of_frame(c.memory, frames * angles.frame_size);
    Scratch<float> of_row(c.memory, height * angles.side_size);
    Scratch<float> of_column(c.memory, width * angles.side_size);
    map(c, Axis{first_frame, axes.frame_pairs, theta}, frames * angles.frame_size, of_frame);
    map(c, Axis{0, axes.side_pairs, theta}, height * angles.side_size, of_row);
    map(c, Axis{0, axes.side_pairs, theta}, width * angles.side_size, of_column);
    angles.of_frame = of_frame;
    angles.of_row = of_row;
    angles.of_column = of_column;
    map(c, angles, elements(out), out.data);
}

}  // namespace sv::cuda
