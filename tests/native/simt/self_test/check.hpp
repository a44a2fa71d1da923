// The emulator on trial: kernels with a mistake that it must name, and kernels without one that it
// must leave alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cuda/launch.cuh"

namespace self_test {

struct Check {
    std::string name;
    std::string words;  // that the emulator's report must hold; empty: there must be none
    std::function<void(sv::cuda::Context&)> run;  // throws std::runtime_error for wrong results
};

std::vector<Check> memory_checks();
std::vector<Check> barrier_checks();
std::vector<Check> async_checks();
std::vector<Check> instruction_checks();
std::vector<Check> bank_checks();
std::vector<Check> range_checks();

}  // namespace self_test
