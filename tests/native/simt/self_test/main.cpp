#include <cstdio>
#include <exception>
#include <memory>

#include "common/cuda_library.hpp"
#include "self_test/check.hpp"

namespace self_test {
namespace {

// What is wrong with the emulator, or nothing.
std::string verdict(const Check& check, sv::cuda::Context& context) {
    std::string report;
    try {
        check.run(context);
    } catch (const std::exception& error) {
        report = error.what();
    }
    if (check.words.empty()) return report;
    if (report.empty()) return "not noticed";
    return report.find(check.words) == std::string::npos ? "another report: " + report : "";
}

int run() {
    std::unique_ptr<sv_context> context(sv::cuda_library().create_context(0));
    int failed = 0, count = 0;
    for (auto* group : {memory_checks, barrier_checks, async_checks, instruction_checks,
                        bank_checks, range_checks}) {
        for (const Check& check : group()) {
            std::string wrong = verdict(check, static_cast<sv::cuda::Context&>(*context));
            std::printf("%-6s %s %s\n", wrong.empty() ? "ok" : "FAILED", check.name.c_str(),
                        wrong.c_str());
            failed += wrong.empty() ? 0 : 1;
            ++count;
        }
    }
    std::printf("%d checks, %d failed\n", count, failed);
    return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace self_test

int main() { return self_test::run(); }
