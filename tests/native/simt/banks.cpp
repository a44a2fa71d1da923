#include "simt/banks.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "simt/report.hpp"

namespace simt {
namespace {

constexpr int kBanks = 32;
constexpr int kWord = 4;  // bytes

bool asked_for() {
    const char* wish = std::getenv("SIMT_BANKS");
    return wish != nullptr && std::strcmp(wish, "1") == 0;
}

std::atomic<bool> counting{asked_for()};

void add(const BankUse& from, BankUse& to) {
    to.executions += from.executions;
    to.parts += from.parts;
    to.turns += from.turns;
}

// Of all blocks.
class Total {
public:
    void add(const BankUses& uses) {
        std::lock_guard<std::mutex> lock(mutex_);
        for (const auto& [place, use] : uses) simt::add(use, uses_[place]);
    }
    BankUses take() {
        std::lock_guard<std::mutex> lock(mutex_);
        return std::exchange(uses_, {});
    }
    ~Total() {
        if (asked_for()) print();
    }

private:
    void print() const;

    std::mutex mutex_;
    BankUses uses_;
};

// The lines that lost the most turns come first.
void Total::print() const {
    std::vector<const void*> places;
    for (const auto& [place, use] : uses_) places.push_back(place);
    std::vector<std::string> names = source_lines(places);
    std::map<std::string, BankUse> lines;
    for (size_t i = 0; i < places.size(); ++i) simt::add(uses_.at(places[i]), lines[names[i]]);
    std::vector<std::pair<std::string, BankUse>> sorted(lines.begin(), lines.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return a.second.turns - a.second.parts > b.second.turns - b.second.parts;
    });
    std::fprintf(stderr, "%12s %8s  accesses to shared memory\n", "executions", "degree");
    for (const auto& [line, use] : sorted) {
        std::fprintf(stderr, "%12ld %8.2f  %s\n", static_cast<long>(use.executions), use.degree(),
                     line.c_str());
    }
}

Total total;

// The most different words that one bank has among those at these offsets.
int turns_of(const std::vector<int32_t>& offsets, int bytes) {
    std::vector<int32_t> words;
    for (int32_t offset : offsets) {
        for (int32_t word = offset / kWord; word <= (offset + bytes - 1) / kWord; ++word) {
            words.push_back(word);
        }
    }
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    int of_bank[kBanks] = {};
    for (int32_t word : words) ++of_bank[word % kBanks];
    return *std::max_element(of_bank, of_bank + kBanks);
}

}  // namespace

bool counting_banks() { return counting.load(std::memory_order_relaxed); }

void count_banks(bool on) { counting = on; }

BankUses take_bank_uses() { return total.take(); }

void BankCounter::note(const void* place, int thread, int64_t offset, int64_t bytes) {
    int warp = thread / kLanes, lane = thread % kLanes;
    Instruction& one = instructions_[{place, warp}];
    int64_t execution = one.executions[lane]++;
    Together& access = one.open[execution];
    access.lanes |= 1u << lane;
    access.bytes = static_cast<int>(bytes);
    access.offset[lane] = static_cast<int32_t>(offset);
    int lanes = std::min(kLanes, threads_ - warp * kLanes);
    if (access.lanes != 0xffffffffu >> (kLanes - lanes)) return;
    serve(access, uses_[place]);
    one.open.erase(execution);
}

void BankCounter::serve(const Together& access, BankUse& use) {
    ++use.executions;
    int together = access.bytes <= kWord ? kLanes : kLanes * kWord / access.bytes;
    for (int first = 0; first < kLanes; first += together) {
        std::vector<int32_t> offsets;
        for (int lane = first; lane < first + together; ++lane) {
            if ((access.lanes >> lane & 1) != 0) offsets.push_back(access.offset[lane]);
        }
        if (offsets.empty()) continue;
        ++use.parts;
        use.turns += turns_of(offsets, access.bytes);
    }
}

void BankCounter::finish() {
    for (const auto& [where, one] : instructions_) {
        for (const auto& [execution, access] : one.open) serve(access, uses_[where.first]);
    }
    instructions_.clear();
    total.add(uses_);
    uses_.clear();
}

}  // namespace simt
