// The built-in functions of CUDA C++ that kernels use.
#include "simt/builtins.hpp"

#include <mutex>

#include "simt/block.hpp"

namespace simt {

Index thread_index() { return current_block()->running().index; }
Index block_index() { return current_block()->index; }
Index block_size() { return current_block()->size; }
Index grid_size() { return current_block()->grid; }
int lane() { return current_block()->running().lane(); }

void synchronize_block() {
    Block& block = *current_block();
    int threads = static_cast<int>(block.size.x * block.size.y * block.size.z);
    block.wait_at_barrier(0, threads, "__syncthreads", __builtin_return_address(0));
}

void synchronize_warp() {
    Block& block = *current_block();
    int warp = block.running().warp();
    block.meet(kAllLanes, "__syncwarp", __builtin_return_address(0), false, nullptr,
               [&](void* const*) { block.clocks().pass_warp_barrier(warp); });
}

uint32_t exchange(uint32_t mask, uint32_t value, int source) {
    struct Lane {
        uint32_t in, out;
        int source;
    } mine{value, 0, source};
    const void* place = __builtin_return_address(0);
    Block& block = *current_block();
    if ((mask >> source & 1) == 0) {
        block.stop(place,
                   "a shuffle from lane " + std::to_string(source) + ", which is not in the mask");
    }
    block.meet(mask, "a shuffle", place, false, &mine, [&](void* const* lanes) {
        for (int i = 0; i < kLanes; ++i) {
            if ((mask >> i & 1) == 0) continue;
            auto* lane = static_cast<Lane*>(lanes[i]);
            lane->out = static_cast<Lane*>(lanes[lane->source])->in;
        }
    });
    return mine.out;
}

uint32_t ballot(uint32_t mask, bool predicate) {
    struct Lane {
        bool in;
        uint32_t out;
    } mine{predicate, 0};
    current_block()->meet(mask, "a vote", __builtin_return_address(0), false, &mine,
                          [&](void* const* lanes) {
                              uint32_t votes = 0;
                              for (int i = 0; i < kLanes; ++i) {
                                  bool there = (mask >> i & 1) != 0;
                                  if (there && static_cast<Lane*>(lanes[i])->in) votes |= 1u << i;
                              }
                              for (int i = 0; i < kLanes; ++i) {
                                  if ((mask >> i & 1) != 0)
                                      static_cast<Lane*>(lanes[i])->out = votes;
                              }
                          });
    return mine.out;
}

unsigned atomic_or(unsigned* to, unsigned value) {
    current_block()->check_access(to, sizeof *to, Use::kAtomic, __builtin_return_address(0));
    return __atomic_fetch_or(to, value, __ATOMIC_SEQ_CST);
}

unsigned atomic_add(unsigned* to, unsigned value) {
    current_block()->check_access(to, sizeof *to, Use::kAtomic, __builtin_return_address(0));
    return __atomic_fetch_add(to, value, __ATOMIC_SEQ_CST);
}

}  // namespace simt
