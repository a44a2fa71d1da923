// The choice among the CPU variants of the ops: v2, v3, v4, v4-bf16.
#pragma once

#include "common/backend.hpp"

namespace sv::cpu {

// The ops for this processor, or for SANA_ISA; throws Error for a name that is unknown or not
// available.
const Backend& backend();

// The name of that variant; "unavailable" when SANA_ISA names one that cannot be had.
const char* variant_name();

// Whether bf16 products run on this variant's bf16 instructions.
bool has_bf16_products();

}  // namespace sv::cpu
