#include "common/faults.hpp"

#include "common/status.hpp"

namespace sv {

void Faults::arm(sv_fault kind, int64_t n) {
    left_ = n;
    kind_ = kind;
}

bool Faults::strikes(sv_fault kind) {
    if (kind_.load(std::memory_order_relaxed) != kind || --left_ > 0) return false;
    kind_ = SV_FAULT_NONE;
    return true;
}

void Faults::pass(sv_fault kind, const char* what) {
    if (strikes(kind)) fail(SV_DEVICE_ERROR, "%s failed: a test asked for it", what);
}

}  // namespace sv
