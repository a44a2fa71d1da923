// NVTX ranges: names, nesting, and an end for each that began.
#include <stdexcept>

#include "self_test/check.hpp"
#include "simt/ranges.hpp"

namespace self_test {
namespace {

using sv::cuda::Context;

void expect(const std::vector<std::string>& expected) {
    std::vector<std::string> found = simt::take_ranges();
    if (found == expected) return;
    std::string text = "the ranges are";
    for (const std::string& one : found) text += " '" + one + "'";
    throw std::runtime_error(text);
}

// The name of an op that fails stands beside, not inside, the name of the one before.
sv_status sv_failing(Context& c) {
    return sv::run_op(&c, [](sv_context&) { sv::fail(SV_INVALID_ARGUMENT, "on purpose"); });
}

Check with_ranges(const char* name, void (*body)(Context&)) {
    return {name, "", [=](Context& c) {
                simt::take_ranges();
                c.ranges = true;
                body(c);
                c.ranges = false;
            }};
}

}  // namespace

std::vector<Check> range_checks() {
    return {
        with_ranges("ranges of ops inside another, one failing",
                    [](Context& c) {
                        {
                            sv::Range step(c, "step");
                            sv_failing(c);
                            sv_failing(c);
                        }
                        sv::Range next(c, "next");
                        expect({"step", " failing", " failing", "next"});
                    }),
        {"no range where none are wanted", "",
         [](Context& c) {
             simt::take_ranges();
             sv_failing(c);
             expect({});
         }},
    };
}

}  // namespace self_test
