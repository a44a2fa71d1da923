// The ops of one CPU variant; each file of this folder defines those of its family.
#pragma once

#include "common/backend.hpp"
#include "common/context.hpp"

namespace sv::cpu {
inline namespace SV_VARIANT {

#define SV_DECLARE(op_name) op::op_name op_name;
SV_EACH_OP(SV_DECLARE)
#undef SV_DECLARE

}  // namespace SV_VARIANT
}  // namespace sv::cpu
