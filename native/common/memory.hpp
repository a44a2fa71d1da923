// Memory of a context: counted, with scratch blocks that are kept for reuse.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "common/faults.hpp"

namespace sv {

// Where a context's blocks come from: the heap or a device.
class MemorySource {
public:
    virtual ~MemorySource() = default;
    // A block aligned to at least 64 bytes, or null when there is none of that size.
    virtual void* take(int64_t bytes) = 0;
    virtual void give_back(void* block) noexcept = 0;
    // Whether there is nothing at the addresses of its blocks.
    virtual bool imaginary() const { return false; }
};

// A source of addresses that nothing lies behind, for contexts that only count.
class NoMemory : public MemorySource {
public:
    void* take(int64_t bytes) override;
    void give_back(void*) noexcept override {}
    bool imaginary() const override { return true; }

private:
    uintptr_t next_ = uintptr_t{1} << 40;
};

class Memory {
public:
    Memory(MemorySource& source, Faults& faults) : source_(source), faults_(faults) {}
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory();

    // Throws Error(SV_OUT_OF_MEMORY) with the size asked for and the bytes in use.
    void* allocate(int64_t bytes);

    // Frees a block. When nothing but idle scratch is left, that goes too.
    void release(void* memory);

    // A block of at least `bytes`, taken from those that earlier ops gave back.
    void* take_scratch(int64_t bytes);
    void give_scratch(void* memory);

    // Frees the scratch blocks not in use, unless they are held.
    void trim();

    // Scratch blocks stay where they are until as many calls of let_go: recorded ops use them.
    void hold();
    void let_go();

    bool imaginary() const { return source_.imaginary(); }
    int64_t current() const { return current_.load(); }
    int64_t peak() const { return peak_.load(); }
    void reset_peak() { peak_ = current(); }

private:
    void* allocate_locked(int64_t bytes);
    void* take(int64_t bytes);
    void drop(void* memory);
    void drop_idle();

    MemorySource& source_;
    Faults& faults_;
    std::atomic<int64_t> current_{0};
    std::atomic<int64_t> peak_{0};
    std::mutex mutex_;
    std::unordered_map<void*, int64_t> sizes_;  // of every block
    std::vector<void*> idle_;                   // scratch blocks not in use
    int64_t idle_bytes_ = 0;
    int holds_ = 0;
};

// Scratch memory for the length of one op.
template <typename T>
class Scratch {
public:
    Scratch(Memory& memory, int64_t count)
        : memory_(memory),
          data_(static_cast<T*>(memory.take_scratch(count * static_cast<int64_t>(sizeof(T))))) {}
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { memory_.give_scratch(data_); }
    T* get() const { return data_; }
    operator T*() const { return data_; }

private:
    Memory& memory_;
    T* data_;
};

}  // namespace sv
