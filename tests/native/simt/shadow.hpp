// What is known of every byte that threads share: whether it was written, and by whom it was last
// touched. Two accesses to a byte, one of them a write, must be ordered by a barrier; if not, that
// is a race.
//
// Order is kept by warps, as FastTrack keeps it by threads (Flanagan and Freund, 2009): each warp
// counts its releases (barriers that others may have waited for), and remembers how far it has seen
// the others count. Inside a warp, whose lanes run apart between two __syncwarp, a second count
// tells the stretches between them. An access is known by its thread and both counts of its warp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace simt {

enum class Use { kRead, kWrite, kAtomic, kAsyncWrite };

struct Access {
    uint32_t launch = 0;  // 0: none yet
    uint32_t block = 0;
    uint32_t clock = 0;    // releases of its warp
    uint32_t stretch = 0;  // barriers inside its warp
    int32_t thread = 0;
};

class WarpClocks {
public:
    void reset(int warps);
    // A barrier inside the warp: what its lanes did before is ordered before what they do next.
    void pass_warp_barrier(int warp) { ++stretches_[warp]; }
    // A barrier of these warps.
    void pass_barrier(const std::vector<int>& warps);
    // What `warp` did so far is known to whoever acquires `into` later.
    void release(int warp, std::vector<uint32_t>& into);
    void acquire(int warp, const std::vector<uint32_t>& from);

    uint32_t now(int warp) const { return clocks_[warp * warps_ + warp]; }
    uint32_t stretch(int warp) const { return stretches_[warp]; }
    // Whether what a thread of warp `earlier` did is ordered before what `warp` does now.
    bool ordered(int earlier, const Access& access, int warp) const;

private:
    uint32_t& at(int warp, int of) { return clocks_[warp * warps_ + of]; }

    int warps_ = 0;
    std::vector<uint32_t> clocks_;     // [warps, warps]: what each knows of each
    std::vector<uint32_t> stretches_;  // [warps]
};

// One byte.
struct Cell {
    enum class State : uint8_t {
        kUnwritten,
        kPending,
        kWritten
    };  // pending: an asynchronous copy is under way
    State state = State::kUnwritten;
    Access write;
    Access reads[2];  // the last ones, by different threads
};

// Who is about to touch a byte.
struct Actor {
    Access access;
    const WarpClocks* clocks;
};

// Notes a use of some cells; returns what is wrong with it, or nothing.
std::string touch(Cell* cells, int64_t bytes, Use use, const Actor& actor);

// The block of shared memory: arrays carved from it with gaps between them.
class SharedShadow {
public:
    void reset(int64_t capacity);
    char* base() { return memory_.data(); }
    const char* base() const { return memory_.data(); }
    int64_t size() const { return static_cast<int64_t>(memory_.size()); }
    // Makes [offset, offset + bytes) an array; all threads carve the same.
    void add_array(int64_t offset, int64_t bytes);
    // Whether the bytes lie in one array.
    bool holds(int64_t offset, int64_t bytes) const;
    Cell* cells(int64_t offset) { return cells_.data() + offset; }

private:
    struct Array {
        int64_t offset, bytes;
    };
    std::vector<char> memory_;
    std::vector<Cell> cells_;
    std::vector<Array> arrays_;
};

// Notes a use of global memory (what cudaMalloc returned, or, for reads, the program's constants);
// returns what is wrong with it, or nothing.
std::string touch_global(const void* address, int64_t bytes, Use use, const Actor& actor);

}  // namespace simt
