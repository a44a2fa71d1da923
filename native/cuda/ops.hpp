// The ops on CUDA devices; each file of this folder defines those of its family.
#pragma once

#include "common/backend.hpp"
#include "common/context.hpp"

namespace sv::cuda {

// A kernel of this build, to ask whether a device can run it.
const void* a_kernel();

// The table of them.
const Backend& backend();

#define SV_DECLARE(op_name) op::op_name op_name;
SV_EACH_OP(SV_DECLARE)
#undef SV_DECLARE

}  // namespace sv::cuda
