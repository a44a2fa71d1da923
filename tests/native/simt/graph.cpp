#include "simt/graph.hpp"

#include <cuda_runtime.h>

#include <memory>
#include <vector>

// A graph and what is made of it are one: a list of work that is shared.
struct CUgraph_st {
    std::shared_ptr<std::vector<std::function<void()>>> work;
};

namespace {

std::unique_ptr<CUgraph_st> under_way;

}  // namespace

namespace simt {

bool record(std::function<void()> work) {
    if (under_way == nullptr) return false;
    under_way->work->push_back(std::move(work));
    return true;
}

}  // namespace simt

cudaError_t cudaLaunchHostFunc(cudaStream_t, void (*work)(void*), void* data) {
    if (!simt::record([=] { work(data); })) work(data);
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
    if (under_way != nullptr) return cudaErrorInvalidValue;
    under_way = std::make_unique<CUgraph_st>();
    under_way->work = std::make_shared<std::vector<std::function<void()>>>();
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
    *graph = under_way.release();
    return *graph == nullptr ? cudaErrorInvalidValue : cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
    *exec = new CUgraph_st{graph->work};
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t) {
    for (auto& work : *exec->work) work();
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return cudaGraphDestroy(exec); }
