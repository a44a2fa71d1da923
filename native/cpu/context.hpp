// Contexts on the CPU.
#pragma once

#include "common/context.hpp"

namespace sv::cpu {

// threads: 1 to 1024, or 0 for one a core this process may use.
sv_context* create_context(int threads);

// Counts memory and computes nothing.
sv_context* create_dry_context(int threads);

}  // namespace sv::cpu
