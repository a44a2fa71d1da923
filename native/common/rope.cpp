#include "common/rope.hpp"

namespace sv {

RopeAxes rope_axes(int64_t pairs) {
    int64_t side_pairs = pairs / 3;
    return {pairs - 2 * side_pairs, side_pairs};
}

}  // namespace sv
