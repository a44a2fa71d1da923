#include "common/memory.hpp"

#include <algorithm>

#include "common/status.hpp"

namespace sv {

void* NoMemory::take(int64_t bytes) {
    constexpr uintptr_t kAlignment = 256;
    auto* block = reinterpret_cast<void*>(next_);
    next_ += (static_cast<uintptr_t>(bytes) + kAlignment) / kAlignment * kAlignment;
    return block;
}

Memory::~Memory() {
    holds_ = 0;
    drop_idle();
}

void* Memory::allocate(int64_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    return allocate_locked(bytes);
}

void* Memory::allocate_locked(int64_t bytes) {
    if (bytes < 1) fail(SV_INVALID_ARGUMENT, "bytes is %ld, expected at least 1", long(bytes));
    idle_.reserve(sizes_.size() + 1);  // so that giving back scratch cannot fail
    void* block = take(bytes);
    if (block == nullptr) {
        fail(SV_OUT_OF_MEMORY, "cannot allocate %ld bytes; this context already uses %ld",
             long(bytes), long(current()));
    }
    try {
        sizes_.emplace(block, bytes);
    } catch (...) {
        source_.give_back(block);
        throw;
    }
    current_ += bytes;
    peak_ = std::max(peak(), current());
    return block;
}

// Null when there is none, not even in place of idle scratch.
void* Memory::take(int64_t bytes) {
    if (faults_.strikes(SV_FAULT_ALLOCATION)) return nullptr;
    void* block = source_.take(bytes);
    if (block != nullptr || idle_.empty() || holds_ > 0) return block;
    drop_idle();
    return source_.take(bytes);
}

void Memory::release(void* memory) {
    if (memory == nullptr) return;
    std::lock_guard<std::mutex> lock(mutex_);
    drop(memory);
    if (current() == idle_bytes_) drop_idle();
}

void Memory::trim() {
    std::lock_guard<std::mutex> lock(mutex_);
    drop_idle();
}

void Memory::hold() {
    std::lock_guard<std::mutex> lock(mutex_);
    ++holds_;
}

void Memory::let_go() {
    std::lock_guard<std::mutex> lock(mutex_);
    --holds_;
}

void Memory::drop_idle() {
    if (holds_ > 0) return;
    for (void* block : idle_) drop(block);
    idle_.clear();
    idle_bytes_ = 0;
}

void Memory::drop(void* memory) {
    auto block = sizes_.find(memory);
    current_ -= block->second;
    sizes_.erase(block);
    source_.give_back(memory);
}

void* Memory::take_scratch(int64_t bytes) {
    bytes = std::max<int64_t>(bytes, 1);
    std::lock_guard<std::mutex> lock(mutex_);
    auto best = idle_.end();
    for (auto block = idle_.begin(); block != idle_.end(); ++block) {
        int64_t size = sizes_[*block];
        if (size >= bytes && (best == idle_.end() || size < sizes_[*best])) best = block;
    }
    if (best != idle_.end()) {
        void* block = *best;
        idle_.erase(best);
        idle_bytes_ -= sizes_[block];
        return block;
    }
    // Too small ones are given up, so that growing needs do not pile up blocks.
    if (!idle_.empty() && holds_ == 0) {
        idle_bytes_ -= sizes_[idle_.back()];
        drop(idle_.back());
        idle_.pop_back();
    }
    return allocate_locked(bytes);
}

void Memory::give_scratch(void* memory) {
    std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(memory);
    idle_bytes_ += sizes_[memory];
}

}  // namespace sv
