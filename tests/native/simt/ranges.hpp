// NVTX ranges as a profiler would see them.
#pragma once

#include <string>
#include <vector>

namespace simt {

// Return how many ranges are open around the one that begins or ends; -1 when none is open to end.
int begin_range(const char* name);
int end_range();

// The ranges that have begun since the last call, in order, indented by a blank for each that was
// open.
std::vector<std::string> take_ranges();

}  // namespace simt
