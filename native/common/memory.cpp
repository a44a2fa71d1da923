#include "common/memory.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/status.hpp"

namespace sv {
namespace {

constexpr int64_t kAlignment = 64;

// In front of each block: its size. One cache line, so that the block itself stays aligned.
struct alignas(kAlignment) Header {
    int64_t bytes;
};

Header* header_of(void* memory) { return static_cast<Header*>(memory) - 1; }

}  // namespace

Memory::~Memory() { drop_idle(); }

void* Memory::allocate(int64_t bytes) {
    if (bytes < 1) fail(SV_INVALID_ARGUMENT, "bytes is %ld, expected at least 1", long(bytes));
    int64_t whole = (bytes + 2 * kAlignment - 1) / kAlignment * kAlignment;
    void* block = whole > bytes ? std::aligned_alloc(kAlignment, whole) : nullptr;
    if (block == nullptr) {
        fail(SV_OUT_OF_MEMORY, "cannot allocate %ld bytes; this context already uses %ld",
             long(bytes), long(current()));
    }
    int64_t now = current_.fetch_add(bytes) + bytes;
    for (int64_t seen = peak_.load(); seen < now && !peak_.compare_exchange_weak(seen, now);) {
    }
    auto* header = static_cast<Header*>(block);
    header->bytes = bytes;
    return header + 1;
}

void Memory::release(void* memory) {
    if (memory == nullptr) return;
    drop(memory);
    std::lock_guard<std::mutex> lock(mutex_);
    if (current_.load() == idle_bytes_) drop_idle();
}

void Memory::drop_idle() {
    for (void* block : idle_) drop(block);
    idle_.clear();
    idle_bytes_ = 0;
}

void Memory::drop(void* memory) {
    Header* header = header_of(memory);
    current_.fetch_sub(header->bytes);
    std::free(header);
}

void* Memory::take_scratch(int64_t bytes) {
    bytes = std::max<int64_t>(bytes, 1);
    std::lock_guard<std::mutex> lock(mutex_);
    auto best = idle_.end();
    for (auto block = idle_.begin(); block != idle_.end(); ++block) {
        int64_t size = header_of(*block)->bytes;
        if (size >= bytes && (best == idle_.end() || size < header_of(*best)->bytes)) best = block;
    }
    if (best != idle_.end()) {
        void* block = *best;
        idle_.erase(best);
        idle_bytes_ -= header_of(block)->bytes;
        return block;
    }
    // Too small ones are given up, so that growing needs do not pile up blocks.
    if (!idle_.empty()) {
        idle_bytes_ -= header_of(idle_.back())->bytes;
        drop(idle_.back());
        idle_.pop_back();
    }
    idle_.reserve(idle_.size() + 8);
    return allocate(bytes);
}

void Memory::give_scratch(void* memory) {
    std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(memory);
    idle_bytes_ += header_of(memory)->bytes;
}

}  // namespace sv
