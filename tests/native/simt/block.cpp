#include "simt/block.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "simt/report.hpp"

namespace simt {
namespace {

thread_local Block* current = nullptr;

constexpr int64_t kGap = 128;  // bytes behind each array of shared memory
constexpr int kMaxArrays = 32;

std::string text_of(Index index) {
    return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
           std::to_string(index.z) + ")";
}

// The order in which threads get their turns.
std::vector<int> turns(int count, const Settings& settings, uint32_t block) {
    std::vector<int> order(count);
    std::iota(order.begin(), order.end(), 0);
    if (settings.order == Order::kReverse) std::reverse(order.begin(), order.end());
    if (settings.order == Order::kShuffled) {
        std::mt19937_64 random(settings.seed * 0x9e3779b97f4a7c15u + block);
        std::shuffle(order.begin(), order.end(), random);
    }
    return order;
}

}  // namespace

Block* current_block() { return current; }

Block::Block(Stacks& stacks, Index grid, Index size, int64_t shared_bytes, uint32_t launch)
    : size(size),
      grid(grid),
      launch(launch),
      stacks_(stacks),
      threads_(size.x * size.y * size.z),
      meetings_((threads_.size() + kLanes - 1) / kLanes),
      banks_(static_cast<int>(threads_.size())),
      shared_bytes_(shared_bytes) {}

void Block::run(Index block_index, uint32_t block_number, const Settings& settings,
                const Call& call) {
    index = block_index;
    number = block_number;
    call_ = &call;
    int count = static_cast<int>(threads_.size());
    for (int i = 0; i < count; ++i) {
        Thread& thread = threads_[i];
        thread.number = i;
        unsigned n = i;
        thread.index = {n % size.x, n / size.x % size.y, n / size.x / size.y};
        thread.state = Thread::State::kReady;
        thread.top = stacks_.prepare(i, &Block::enter_thread);
        thread.open_copies.clear();
        thread.copy_groups.clear();
    }
    for (auto& meetings : meetings_) meetings.clear();
    for (Barrier& barrier : barriers_) barrier = Barrier{};
    memory_barriers_.clear();
    clocks_.reset(static_cast<int>(meetings_.size()));
    shared_.reset(shared_bytes_ == 0 ? 0 : shared_bytes_ + kMaxArrays * kGap);

    current = this;
    std::vector<int> order = turns(count, settings, number);
    int finished = 0;
    while (finished < count && fault_.empty()) {
        bool moved = false;
        for (int i : order) {
            Thread& thread = threads_[i];
            if (thread.state != Thread::State::kReady) continue;
            moved = true;
            resume(thread);
            if (!fault_.empty()) break;
            if (thread.state == Thread::State::kFinished) ++finished;
        }
        if (!moved) fault_ = deadlock();
    }
    current = nullptr;
    banks_.finish();
}

void Block::resume(Thread& thread) {
    running_ = &thread;
    simt_switch(&scheduler_top_, thread.top);
    running_ = nullptr;
}

void Block::enter_thread() {
    Block& block = *current;
    block.call_->run(block.call_->arguments);
    Thread& thread = *block.running_;
    thread.state = Thread::State::kFinished;
    simt_switch(&thread.top, block.scheduler_top_);
}

void Block::wait(const char* what, const void* place) {
    Thread& thread = *running_;
    thread.state = Thread::State::kWaiting;
    thread.waits_for = what;
    thread.place = place;
    simt_switch(&thread.top, scheduler_top_);
}

void Block::wake_waiting_for(const char* what) {
    for (Thread& thread : threads_) {
        if (thread.state == Thread::State::kWaiting && thread.waits_for == what) {
            thread.state = Thread::State::kReady;
        }
    }
}

// The data of an asynchronous copy lands now.
void Block::land(const AsyncCopy& copy) {
    if (copy.valid > 0) check_access(copy.from, copy.valid, Use::kRead, copy.place);
    std::memcpy(copy.to, copy.from, copy.valid);
    std::memset(copy.to + copy.valid, 0, copy.bytes - copy.valid);
    Cell* cells = shared_.cells(copy.to - shared_.base());
    for (int64_t i = 0; i < copy.bytes; ++i) cells[i].state = Cell::State::kWritten;
}

void Block::wait_at_barrier(int id, int threads, const char* what, const void* place) {
    if (id < 0 || id >= kBarriers) stop(place, "barrier " + std::to_string(id) + " does not exist");
    if (threads % kLanes != 0 && id != 0) {
        stop(place, "a named barrier for " + std::to_string(threads) + " threads, not whole warps");
    }
    Barrier& barrier = barriers_[id];
    if (barrier.arrived.empty()) {
        barrier.expected = threads;
        barrier.place = place;
    } else if (barrier.expected != threads) {
        stop(place, "barrier " + std::to_string(id) + " expects " +
                        std::to_string(barrier.expected) + " threads at " +
                        source_line(barrier.place) + " and " + std::to_string(threads) + " here");
    }
    barrier.arrived.push_back(running_);
    if (static_cast<int>(barrier.arrived.size()) < threads) {
        wait(what, place);
        return;
    }
    std::vector<int> warps;
    for (Thread* thread : barrier.arrived) {
        thread->state = Thread::State::kReady;
        if (std::find(warps.begin(), warps.end(), thread->warp()) == warps.end()) {
            warps.push_back(thread->warp());
        }
    }
    clocks_.pass_barrier(warps);
    barrier.arrived.clear();
}

void Block::meet(uint32_t mask, const char* what, const void* place, bool same_place, void* mine,
                 const std::function<void(void* const* lanes)>& together) {
    Thread& thread = *running_;
    int lane = thread.lane();
    if ((mask >> lane & 1) == 0) stop(place, std::string(what) + ": this lane is not in the mask");
    int first = thread.warp() * kLanes;
    for (int i = 0; i < kLanes; ++i) {
        if ((mask >> i & 1) == 0) continue;
        bool there = first + i < static_cast<int>(threads_.size()) &&
                     threads_[first + i].state != Thread::State::kFinished;
        if (!there) {
            stop(place, std::string(what) + ": lane " + std::to_string(i) +
                            " of the mask does not run any more");
        }
    }
    auto& meetings = meetings_[thread.warp()];
    auto meeting = std::find_if(meetings.begin(), meetings.end(),
                                [&](const Meeting& m) { return (m.mask & mask) != 0; });
    if (meeting == meetings.end()) {
        meetings.push_back({mask, 0, what, place, {}});
        meeting = meetings.end() - 1;
    } else if (meeting->mask != mask || meeting->what != what ||
               (same_place && meeting->place != place)) {
        stop(place, std::string(what) + ": other lanes of this warp wait for " + meeting->what +
                        " at " + source_line(meeting->place));
    }
    meeting->arguments[lane] = mine;
    meeting->arrived |= 1u << lane;
    if (meeting->arrived != mask) {
        wait(what, place);
        return;
    }
    Meeting done = *meeting;
    meetings.erase(meeting);
    together(done.arguments);
    for (int i = 0; i < kLanes; ++i) {
        if ((mask >> i & 1) != 0) threads_[first + i].state = Thread::State::kReady;
    }
}

bool Block::is_shared(const void* address) const {
    auto* at = static_cast<const char*>(address);
    return at >= shared_.base() && at < shared_.base() + shared_.size();
}

void Block::check_access(const void* address, int64_t bytes, Use use, const void* place) {
    auto* at = static_cast<const char*>(address);
    int thread = running_->number;
    if (at >= stacks_.low(thread) && at < stacks_.high(thread)) return;  // its own variables
    auto* arguments = static_cast<const char*>(call_->arguments);
    if (use == Use::kRead && at >= arguments && at < arguments + call_->bytes) return;
    if (reinterpret_cast<uintptr_t>(address) % bytes != 0 && bytes <= 16 &&
        (bytes & (bytes - 1)) == 0) {
        stop(place, "an access that is not aligned to " + std::to_string(bytes) + " bytes");
    }
    int warp = running_->warp();
    Actor actor{{launch, number, clocks_.now(warp), clocks_.stretch(warp), thread}, &clocks_};
    std::string wrong;
    if (is_shared(address)) {
        int64_t offset = at - shared_.base();
        if (!shared_.holds(offset, bytes)) {
            stop(place, std::to_string(bytes) + " bytes outside every array of shared memory");
        }
        // An asynchronous copy is counted when it lands.
        if (counting_banks() && bytes <= 16 && use != Use::kAsyncWrite) {
            banks_.note(place, thread, offset, bytes);
        }
        wrong = touch(shared_.cells(offset), bytes, use, actor);
        if (!wrong.empty()) wrong += " (shared memory)";
    } else {
        wrong = touch_global(address, bytes, use, actor);
    }
    if (!wrong.empty()) stop(place, wrong);
}

char* Block::carve(Carving& next, int64_t bytes, int64_t size) {
    const void* place = __builtin_return_address(0);
    next.asked += size;
    if (next.asked > shared_bytes_) {
        stop(place, "the kernel carves " + std::to_string(next.asked) +
                        " bytes of shared memory, the launch asked for " +
                        std::to_string(shared_bytes_));
    }
    int64_t offset = next.placed;
    next.placed += size + kGap;
    shared_.add_array(offset, bytes);
    return shared_.base() + offset;
}

std::string Block::where(const Thread& thread) const {
    return "thread " + text_of(thread.index) + " of block " + text_of(index);
}

void Block::stop(const void* place, const std::string& text) {
    fault_ = source_line(place) + ": " + text + ", by " + where(*running_);
    void* abandoned;
    simt_switch(&abandoned, scheduler_top_);
    __builtin_unreachable();
}

std::string Block::deadlock() const {
    std::string text = "deadlock in block " + text_of(index) + ":";
    int shown = 0, finished = 0;
    const void* last = nullptr;
    for (const Thread& thread : threads_) {
        if (thread.state == Thread::State::kFinished) {
            ++finished;
        } else if (thread.place != last && ++shown <= 8) {
            text += "\n  from thread " + text_of(thread.index) + " on, " + thread.waits_for +
                    " at " + source_line(thread.place);
            last = thread.place;
        }
    }
    return text + "\n  " + std::to_string(finished) + " of " + std::to_string(threads_.size()) +
           " threads have finished";
}

}  // namespace simt
