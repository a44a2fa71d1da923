// Keeps NVTX ranges for tests. With SIMT_RANGES naming a file, they are also written there, a line
// each, when the program ends, and a line "N open" at its end when N have not ended.
#include "simt/ranges.hpp"

#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace simt {
namespace {

thread_local int open = 0;

// Of all threads.
struct Record {
    std::mutex mutex;
    std::vector<std::string> lines;
    int balance = 0;

    ~Record() {
        const char* path = std::getenv("SIMT_RANGES");
        FILE* file = path == nullptr ? nullptr : std::fopen(path, "w");
        if (file == nullptr) return;
        for (const std::string& line : lines) std::fprintf(file, "%s\n", line.c_str());
        if (balance != 0) std::fprintf(file, "%d open\n", balance);
        std::fclose(file);
    }
} record;

}  // namespace

int begin_range(const char* name) {
    std::lock_guard<std::mutex> lock(record.mutex);
    record.lines.push_back(std::string(open, ' ') + name);
    ++record.balance;
    return open++;
}

int end_range() {
    if (open == 0) return -1;
    std::lock_guard<std::mutex> lock(record.mutex);
    --record.balance;
    return --open;
}

std::vector<std::string> take_ranges() {
    std::lock_guard<std::mutex> lock(record.mutex);
    return std::move(record.lines);
}

}  // namespace simt
