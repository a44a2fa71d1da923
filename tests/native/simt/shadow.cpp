#include "simt/shadow.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "simt/block.hpp"
#include "simt/report.hpp"

namespace simt {
namespace {

constexpr int kPoison = 0xff;  // NaN in every float type

bool conflict(const Access& earlier, const Actor& actor) {
    const Access& now = actor.access;
    if (earlier.launch != now.launch) return false;  // launches run one after the other
    if (earlier.block != now.block) return true;
    if (earlier.thread == now.thread) return false;
    return !actor.clocks->ordered(earlier.thread / kLanes, earlier, now.thread / kLanes);
}

std::string race(const char* now, const char* before, const Access& earlier, const Actor& actor) {
    std::string text =
        std::string(now) + " races with " + before + " thread " + std::to_string(earlier.thread);
    if (earlier.block != actor.access.block) {
        text += " of block " + std::to_string(earlier.block);
    }
    return text + ": no barrier orders them";
}

void note_read(Cell& cell, const Access& access) {
    if (cell.reads[0].launch == access.launch && cell.reads[0].thread == access.thread &&
        cell.reads[0].block == access.block) {
        cell.reads[0] = access;
        return;
    }
    cell.reads[1] = cell.reads[0];
    cell.reads[0] = access;
}

}  // namespace

void WarpClocks::reset(int warps) {
    warps_ = warps;
    clocks_.assign(warps * warps, 0);
    stretches_.assign(warps, 0);
    for (int warp = 0; warp < warps; ++warp) at(warp, warp) = 1;
}

void WarpClocks::release(int warp, std::vector<uint32_t>& into) {
    into.resize(warps_, 0);
    for (int of = 0; of < warps_; ++of) into[of] = std::max(into[of], at(warp, of));
    ++at(warp, warp);
}

void WarpClocks::acquire(int warp, const std::vector<uint32_t>& from) {
    for (int of = 0; of < static_cast<int>(from.size()); ++of) {
        if (of != warp) at(warp, of) = std::max(at(warp, of), from[of]);
    }
}

void WarpClocks::pass_barrier(const std::vector<int>& warps) {
    std::vector<uint32_t> joined;
    for (int warp : warps) release(warp, joined);
    for (int warp : warps) {
        acquire(warp, joined);
        pass_warp_barrier(warp);
    }
}

bool WarpClocks::ordered(int earlier, const Access& access, int warp) const {
    if (earlier == warp) return access.stretch < stretches_[warp];
    return access.clock <= clocks_[warp * warps_ + earlier];
}

std::string touch(Cell* cells, int64_t bytes, Use use, const Actor& actor) {
    bool writes = use == Use::kWrite || use == Use::kAsyncWrite;
    for (int64_t i = 0; i < bytes; ++i) {
        Cell& cell = cells[i];
        if (cell.state == Cell::State::kPending) {
            return writes
                       ? "a write to memory that an asynchronous copy is still filling"
                       : "a read of memory that an asynchronous copy is still filling: wait for it";
        }
        if (!writes && cell.state == Cell::State::kUnwritten) {
            return "a read of memory that nothing has written";
        }
        if (use == Use::kAtomic) continue;
        if (conflict(cell.write, actor)) {
            return race(writes ? "a write" : "a read", "a write by", cell.write, actor);
        }
        if (writes) {
            for (const Access& read : cell.reads) {
                if (conflict(read, actor)) return race("a write", "a read by", read, actor);
            }
            cell.write = actor.access;
            cell.state = use == Use::kAsyncWrite ? Cell::State::kPending : Cell::State::kWritten;
        } else {
            note_read(cell, actor.access);
        }
    }
    return "";
}

void SharedShadow::reset(int64_t capacity) {
    memory_.assign(capacity, static_cast<char>(kPoison));
    cells_.assign(capacity, Cell{});
    arrays_.clear();
}

void SharedShadow::add_array(int64_t offset, int64_t bytes) {
    for (const Array& array : arrays_) {
        if (array.offset == offset && array.bytes == bytes) return;
    }
    arrays_.push_back({offset, bytes});
}

bool SharedShadow::holds(int64_t offset, int64_t bytes) const {
    for (const Array& array : arrays_) {
        if (offset >= array.offset && offset + bytes <= array.offset + array.bytes) return true;
    }
    return false;
}

}  // namespace simt
