#include "simt/fiber.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if !defined(__x86_64__)
#error "simt_switch is written for x86-64"
#endif

// The System V calling convention keeps rbx, rbp and r12 to r15 across a call; everything else the
// caller has saved.
asm(R"(
    .text
    .globl simt_switch
    .type simt_switch, @function
simt_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size simt_switch, .-simt_switch
)");

namespace simt {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kStack = 128 * 1024;  // bytes, the page that faults with them

}  // namespace

Stacks::Stacks(int count) : count_(count) {
    void* memory = mmap(nullptr, count * kStack, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<char*>(memory);
    for (int i = 0; i < count; ++i) mprotect(memory_ + i * kStack, kPage, PROT_NONE);
}

Stacks::~Stacks() { munmap(memory_, count_ * kStack); }

char* Stacks::low(int index) const { return memory_ + index * kStack + kPage; }

char* Stacks::high(int index) const { return memory_ + (index + 1) * kStack; }

void* Stacks::prepare(int index, void (*entry)()) {
    // As simt_switch leaves a stack: six registers, then the address it returns to. At entry the
    // stack must be 8 bytes off a multiple of 16, as after a call.
    auto* top = reinterpret_cast<uintptr_t*>(high(index)) - 1;
    *--top = reinterpret_cast<uintptr_t>(entry);
    for (int i = 0; i < 6; ++i) *--top = 0;
    return top;
}

}  // namespace simt
