// Counts bank conflicts. Shared memory has 32 banks of 4 bytes, each of which serves one word at a
// time: what the lanes of a warp ask for together takes as many turns as the busiest bank has
// different words. The card takes accesses of 4 bytes and less by whole warps, of 8 bytes by halves
// of one, and of 16 bytes, load_matrix and copy_async_16 with them, by quarters. The degree of an
// access is the number of turns of such a part: 1 without conflicts.
//
// Threads run one after the other here, so what lanes do together is found afterwards: the k-th
// execution of an instruction by one lane belongs to the k-th of the others. Where lanes skip
// iterations of their own, that is a guess.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

namespace simt {

struct BankUse {
    int64_t executions = 0;  // by warps
    int64_t parts = 0;       // of warps, that were served together
    int64_t turns = 0;       // that they took
    double degree() const { return static_cast<double>(turns) / static_cast<double>(parts); }
};

// By program address.
using BankUses = std::map<const void*, BankUse>;

// On from the start when the environment has SIMT_BANKS=1; then a table of all source lines is
// written to stderr when the program ends.
bool counting_banks();
void count_banks(bool on);

// What was counted since the last call.
BankUses take_bank_uses();

// The accesses of one block.
class BankCounter {
public:
    explicit BankCounter(int threads) : threads_(threads) {}
    // A thread touches `bytes` (1 to 16) at an offset of the block's shared memory.
    void note(const void* place, int thread, int64_t offset, int64_t bytes);
    // The block has ended.
    void finish();

private:
    static constexpr int kLanes = 32;

    // What the lanes of a warp do in one execution of an instruction.
    struct Together {
        uint32_t lanes = 0;
        int bytes = 0;
        int32_t offset[kLanes];
    };
    struct Instruction {
        int64_t executions[kLanes] = {};   // of each lane
        std::map<int64_t, Together> open;  // executions that not all lanes have come to
    };

    static void serve(const Together& access, BankUse& use);

    int threads_;
    std::map<std::pair<const void*, int>, Instruction> instructions_;  // by place and warp
    BankUses uses_;
};

}  // namespace simt
