// A thread of execution that runs until it hands control back: one for each emulated thread.
#pragma once

#include <cstddef>

namespace simt {

// Saves the registers of the running stack, its top in *from, and goes on with the stack whose top
// is `to`.
extern "C" void simt_switch(void** from, void* to);

// Memory for the stacks of a block's threads, each with a page below it that faults.
class Stacks {
public:
    explicit Stacks(int count);
    ~Stacks();
    Stacks(const Stacks&) = delete;
    Stacks& operator=(const Stacks&) = delete;

    int count() const { return count_; }
    // The lowest and one past the highest usable byte of a stack.
    char* low(int index) const;
    char* high(int index) const;
    // A stack top which, when switched to, calls entry (which must not return).
    void* prepare(int index, void (*entry)());

private:
    int count_;
    char* memory_;
};

}  // namespace simt
