// Rotation angles of a token grid: three short tables in double, then one row of cosines and sines
// a token.
#include <cmath>

#include "common/rope.hpp"
#include "cpu/ops.hpp"
#include "cpu/parallel.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {
namespace {

// out[p, j] = (cos, sin) of (first + p) * theta^(-j / pairs)
void fill_axis(int64_t first, int64_t positions, int64_t pairs, double theta, float* out) {
    for (int64_t j = 0; j < pairs; ++j) {
        double frequency = std::pow(theta, -static_cast<double>(j) / static_cast<double>(pairs));
        for (int64_t p = 0; p < positions; ++p) {
            double angle = static_cast<double>(first + p) * frequency;
            out[2 * (p * pairs + j)] = static_cast<float>(std::cos(angle));
            out[2 * (p * pairs + j) + 1] = static_cast<float>(std::sin(angle));
        }
    }
}

}  // namespace

void rope_angles(sv_context& context, int64_t first_frame, int64_t frames, int64_t height,
                 int64_t width, double theta, const sv_tensor& out) {
    auto [frame_pairs, side_pairs] = rope_axes(out.shape[1]);
    int64_t frame_row = 2 * frame_pairs;
    int64_t side_row = 2 * side_pairs;
    Scratch<float> of_frame(context.memory, frames * frame_row);
    Scratch<float> of_row(context.memory, height * side_row);
    Scratch<float> of_column(context.memory, width * side_row);
    fill_axis(first_frame, frames, frame_pairs, theta, of_frame);
    fill_axis(0, height, side_pairs, theta, of_row);
    fill_axis(0, width, side_pairs, theta, of_column);
    auto* to = static_cast<float*>(out.data);
    for (int64_t t = 0; t < frames; ++t) {
        for (int64_t y = 0; y < height; ++y) {
            for (int64_t x = 0; x < width; ++x) {
                to = std::copy_n(of_frame + t * frame_row, frame_row, to);
                to = std::copy_n(of_row + y * side_row, side_row, to);
                to = std::copy_n(of_column + x * side_row, side_row, to);
            }
        }
    }
}

}  // namespace SV_VARIANT
}  // namespace sv::cpu
