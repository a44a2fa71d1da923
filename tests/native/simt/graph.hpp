// Recorded work: between the begin and the end of a recording, what is queued is kept instead of
// run.
#pragma once

#include <functional>

namespace simt {

// Keeps the work and returns true while a recording is under way.
bool record(std::function<void()> work);

}  // namespace simt
