// The emulator's side of native/cuda/launch.cuh: a launch runs the grid to its end on this machine,
// and the arrays carved from shared memory have a gap behind each of them that nobody may touch.
#pragma once

#include <cuda_runtime.h>

#include <tuple>

#include "cuda/context.hpp"
#include "cuda/layout.hpp"
#include "simt/graph.hpp"
#include "simt/grid.hpp"

namespace sv::cuda {

class SharedMemory {
public:
    template <typename T>
    T* shared(int count) {
        return static_cast<T*>(
            simt::carve(next_, count * static_cast<int64_t>(sizeof(T)), shared_size<T>(count)));
    }

private:
    simt::Carving next_;
};

template <typename... Parameters, typename... Arguments>
void launch(Context& context, void (*kernel)(Parameters...), dim3 grid, dim3 block,
            int64_t shared_bytes, Arguments... arguments) {
    static_assert(sizeof...(Parameters) == sizeof...(Arguments));
    context.faults.pass(SV_FAULT_LAUNCH, "the launch of a kernel");
    if (context.dry) return;
    struct Start {
        void (*kernel)(Parameters...);
        std::tuple<Parameters...> values;
    } start{kernel, {arguments...}};
    auto work = [=] {
        auto call = [](const void* what) {
            auto& one = *static_cast<const Start*>(what);
            std::apply(one.kernel, one.values);
        };
        simt::run_grid({grid.x, grid.y, grid.z}, {block.x, block.y, block.z}, shared_bytes,
                       {reinterpret_cast<const void*>(kernel), call, &start, sizeof start});
    };
    if (!simt::record(work)) work();
}

}  // namespace sv::cuda
