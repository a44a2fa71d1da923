// How the rotary pairs of a head are shared out between the axes of the token grid: the sides get a
// third each, rounded down, and the frames the rest.
#pragma once

#include <cstdint>

namespace sv {

struct RopeAxes {
    int64_t frame_pairs;
    int64_t side_pairs;  // of rows, and as many of columns
};

RopeAxes rope_axes(int64_t pairs);

}  // namespace sv
