// The hooks that a compiler calls for every access to memory when it compiles with
// -fsanitize=thread,alignment. The program is linked without those libraries: these take their
// place, for code that runs inside an emulated thread.
#include <cstdint>

#include "simt/block.hpp"

namespace {

void see(const void* address, int64_t bytes, simt::Use use, const void* place) {
    simt::Block* block = simt::current_block();
    if (block != nullptr && bytes > 0) block->check_access(address, bytes, use, place);
}

}  // namespace

#define SIMT_HOOK(name, bytes, use) \
    void name(void* address) { see(address, bytes, simt::Use::use, __builtin_return_address(0)); }
#define SIMT_HOOKS(prefix, bytes)                         \
    SIMT_HOOK(__tsan_##prefix##read##bytes, bytes, kRead) \
    SIMT_HOOK(__tsan_##prefix##write##bytes, bytes, kWrite)

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

SIMT_HOOKS(, 1)
SIMT_HOOKS(, 2)
SIMT_HOOKS(, 4)
SIMT_HOOKS(, 8)
SIMT_HOOKS(, 16)
SIMT_HOOKS(volatile_, 1)
SIMT_HOOKS(volatile_, 2)
SIMT_HOOKS(volatile_, 4)
SIMT_HOOKS(volatile_, 8)
SIMT_HOOKS(volatile_, 16)
SIMT_HOOKS(unaligned_, 2)
SIMT_HOOKS(unaligned_, 4)
SIMT_HOOKS(unaligned_, 8)
SIMT_HOOKS(unaligned_, 16)

void __tsan_read_range(void* address, unsigned long bytes) {
    see(address, static_cast<int64_t>(bytes), simt::Use::kRead, __builtin_return_address(0));
}
void __tsan_write_range(void* address, unsigned long bytes) {
    see(address, static_cast<int64_t>(bytes), simt::Use::kWrite, __builtin_return_address(0));
}

// Called, with -fsanitize=alignment, for a pointer that its type does not allow. The access itself
// may be made in smaller parts, which the hooks above see.
struct TypeMismatch {
    const void *file, *position, *type;
    uint8_t alignment_log2;
};
void __ubsan_handle_type_mismatch_v1(TypeMismatch* what, void*) {
    simt::Block* block = simt::current_block();
    if (block == nullptr) return;
    block->stop(
        __builtin_return_address(0),
        "an access that is not aligned to " + std::to_string(1 << what->alignment_log2) + " bytes");
}

// Host code in the same files reads atomic flags.
uint8_t __tsan_atomic8_load(const volatile uint8_t* from, int) {
    return __atomic_load_n(from, __ATOMIC_SEQ_CST);
}
uint64_t __tsan_atomic64_load(const volatile uint64_t* from, int) {
    return __atomic_load_n(from, __ATOMIC_SEQ_CST);
}

}  // extern "C"
