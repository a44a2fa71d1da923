// A thread block while it runs: its threads, how they wait for each other, and what each warp knows
// of the others.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "simt/banks.hpp"
#include "simt/fiber.hpp"
#include "simt/grid.hpp"
#include "simt/shadow.hpp"

namespace simt {

constexpr int kLanes = 32;
constexpr uint32_t kAllLanes = 0xffffffff;
constexpr int kBarriers = 16;

struct AsyncCopy {
    char* to;
    const char* from;
    int64_t valid;  // bytes that are read
    int64_t bytes;  // that are written: behind the valid ones zeros
    const void* place;
};

struct Thread {
    enum class State { kReady, kWaiting, kFinished };

    int number;  // in the block
    Index index;
    State state;
    void* top;              // of its stack, while others run
    const char* waits_for;  // while waiting
    const void* place;
    std::vector<AsyncCopy> open_copies;               // not yet in a group
    std::vector<std::vector<AsyncCopy>> copy_groups;  // oldest first

    int warp() const { return number / kLanes; }
    int lane() const { return number % kLanes; }
};

// Lanes of a warp that wait for the others of their mask.
struct Meeting {
    uint32_t mask;
    uint32_t arrived;
    const char* what;
    const void* place;
    void* arguments[kLanes];
};

struct Barrier {
    int expected = 0;
    std::vector<Thread*> arrived;
    const void* place = nullptr;
};

// A barrier in shared memory that counts arrivals and bytes.
struct MemoryBarrier {
    int arrivals = 0;  // that end a phase
    int arrived = 0;
    int64_t expected = 0;  // bytes of this phase
    int phase = 0;
    std::vector<AsyncCopy> copies;    // under way
    std::vector<uint32_t> releasing;  // what those who arrived have done
    std::vector<uint32_t> released;   // the same of the last phase
};

class Block {
public:
    Block(Stacks& stacks, Index grid, Index size, int64_t shared_bytes, uint32_t launch);

    // Runs every thread of block `index` to its end. On a fault, the text is in fault() and the
    // block stops.
    void run(Index index, uint32_t number, const Settings& settings, const Call& call);
    const std::string& fault() const { return fault_; }

    // What the running thread does. `place` is the address in the kernel that it comes from.
    Thread& running() { return *running_; }
    void wait_at_barrier(int id, int threads, const char* what, const void* place);
    // All lanes of `mask` meet; the last one to come calls `together` with what each lane passed.
    void meet(uint32_t mask, const char* what, const void* place, bool same_place, void* mine,
              const std::function<void(void* const* lanes)>& together);
    WarpClocks& clocks() { return clocks_; }
    void wait(const char* what, const void* place);
    void wake_waiting_for(const char* what);
    void land(const AsyncCopy& copy);
    void check_access(const void* address, int64_t bytes, Use use, const void* place);
    [[noreturn]] void stop(const void* place, const std::string& text);
    char* carve(Carving& next, int64_t bytes, int64_t size);
    bool is_shared(const void* address) const;
    SharedShadow& shared() { return shared_; }
    std::map<const void*, MemoryBarrier>& memory_barriers() { return memory_barriers_; }

    Index index{}, size{}, grid{};
    uint32_t number = 0;  // in the grid
    uint32_t launch = 0;

private:
    static void enter_thread();
    void resume(Thread& thread);
    std::string deadlock() const;
    std::string where(const Thread& thread) const;

    Stacks& stacks_;
    std::vector<Thread> threads_;
    std::vector<std::vector<Meeting>> meetings_;  // by warp
    Barrier barriers_[kBarriers];
    std::map<const void*, MemoryBarrier> memory_barriers_;  // by their address
    WarpClocks clocks_;
    BankCounter banks_;
    int64_t shared_bytes_;  // as asked for
    SharedShadow shared_;
    const Call* call_ = nullptr;
    Thread* running_ = nullptr;
    void* scheduler_top_ = nullptr;
    std::string fault_;
};

// The block that runs on this core, or null outside of launches.
Block* current_block();

}  // namespace simt
