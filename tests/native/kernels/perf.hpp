// Speed of cases.
#pragma once

#include <string>
#include <vector>

#include "case.hpp"

namespace kernels {

// Times each case, prints a line for it, and writes all of them to the file `json` unless that is
// empty. Returns the exit status: 1 when there is no case.
int perf(const std::vector<Case>& cases, sv_context* device, const std::string& json);

}  // namespace kernels
