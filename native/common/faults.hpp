// Failures on demand (sanavideo/testing.h), so that tests can walk every path that an error takes.
#pragma once

#include <atomic>
#include <cstdint>

#include "sanavideo/testing.h"

namespace sv {

class Faults {
public:
    // The n-th event of this kind from now on fails, n from 1; none for SV_FAULT_NONE.
    void arm(sv_fault kind, int64_t n);

    // Counts an event; whether it is the one to fail.
    bool strikes(sv_fault kind);

    // Counts an event and throws for the one to fail.
    void pass(sv_fault kind, const char* what);

private:
    std::atomic<sv_fault> kind_{SV_FAULT_NONE};
    std::atomic<int64_t> left_{0};
};

}  // namespace sv
