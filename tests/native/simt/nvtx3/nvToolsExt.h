// Takes the place of NVTX's own header: the emulator's ranges.
#pragma once

#include "simt/ranges.hpp"

inline int nvtxRangePushA(const char* name) { return simt::begin_range(name); }
inline int nvtxRangePop() { return simt::end_range(); }
