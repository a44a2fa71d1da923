#include "simt/grid.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>

#include "common/status.hpp"
#include "simt/block.hpp"
#include "simt/report.hpp"

namespace simt {
namespace {

Settings read_settings() {
    const char* order = std::getenv("SIMT_ORDER");
    const char* seed = std::getenv("SIMT_SEED");
    Settings read{Order::kForward, seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10)};
    if (order == nullptr || std::strcmp(order, "forward") == 0) return read;
    if (std::strcmp(order, "reverse") == 0) return {Order::kReverse, read.seed};
    if (std::strcmp(order, "shuffled") == 0) return {Order::kShuffled, read.seed};
    sv::fail(SV_INVALID_ARGUMENT, "SIMT_ORDER is '%s', expected forward, reverse or shuffled",
             order);
}

std::atomic<uint32_t> launches{0};

constexpr int64_t kMaxShared = 227 * 1024;  // of a block on a card of compute capability 9.0
constexpr int kMaxThreads = 1024;

// The kernels of this run, and the most shared memory that a block of each was given, for
// SIMT_LAUNCHED.
class Launched {
public:
    void add(const void* kernel, int64_t shared_bytes) {
        std::lock_guard<std::mutex> lock(mutex_);
        int64_t& most = kernels_[kernel];
        most = std::max(most, shared_bytes);
    }
    ~Launched() {
        const char* path = std::getenv("SIMT_LAUNCHED");
        if (path == nullptr) return;
        std::vector<const void*> places;
        for (auto& kernel : kernels_) {
            places.push_back(static_cast<const char*>(kernel.first) + 1);
        }
        std::vector<std::string> lines = source_lines(places), names = function_names(places);
        std::ofstream out(path);
        size_t i = 0;
        for (auto& kernel : kernels_) {
            out << lines[i].substr(0, lines[i].find(':')) << ' ' << kernel.second << ' ' << names[i]
                << '\n';
            ++i;
        }
    }

private:
    std::mutex mutex_;
    std::map<const void*, int64_t> kernels_;
};

Launched launched;

int64_t count_of(Index size) { return int64_t{size.x} * size.y * size.z; }

// The stacks of this core's blocks, kept from launch to launch.
Stacks& stacks(int count) {
    thread_local std::unique_ptr<Stacks> kept;
    if (kept == nullptr || kept->count() < count) kept = std::make_unique<Stacks>(count);
    return *kept;
}

}  // namespace

void run_grid(Index grid, Index block, int64_t shared_bytes, const Call& call) {
    static const Settings settings = read_settings();
    int64_t threads = count_of(block);
    if (count_of(grid) < 1 || threads < 1 || threads > kMaxThreads || grid.y > 65535 ||
        grid.z > 65535 || shared_bytes > kMaxShared) {
        sv::fail(SV_DEVICE_ERROR,
                 "a launch of %ld blocks of %ld threads with %ld bytes of shared memory is not one "
                 "that a card accepts",
                 long(count_of(grid)), long(threads), long(shared_bytes));
    }
    uint32_t launch = ++launches;
    launched.add(call.kernel, shared_bytes);
    std::mutex mutex;
    std::string fault;
#pragma omp parallel
    {
        Block one(stacks(static_cast<int>(threads)), grid, block, shared_bytes, launch);
#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < count_of(grid); ++i) {
            {
                std::lock_guard<std::mutex> lock(mutex);
                if (!fault.empty()) continue;
            }
            auto n = static_cast<unsigned>(i);
            Index index{n % grid.x, n / grid.x % grid.y, n / grid.x / grid.y};
            one.run(index, n, settings, call);
            if (!one.fault().empty()) {
                std::lock_guard<std::mutex> lock(mutex);
                fault = one.fault();
            }
        }
    }
    if (!fault.empty()) sv::fail(SV_DEVICE_ERROR, "%s", fault.c_str());
}

void* carve(Carving& next, int64_t bytes, int64_t size) {
    return current_block()->carve(next, bytes, size);
}

}  // namespace simt
