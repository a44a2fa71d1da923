// Recorded work as a CUDA graph; see sanavideo/recording.h.
#include "cuda/context.hpp"

namespace sv::cuda {
namespace {

// Keeps the scratch memory that its kernels use from being freed.
struct Recording final : sv_recording {
    Context& context;
    cudaGraphExec_t graph;  // null in a dry context

    Recording(Context& context, cudaGraphExec_t graph) : context(context), graph(graph) {}
    ~Recording() override {
        if (graph != nullptr) cudaGraphExecDestroy(graph);
        context.memory.let_go();
    }
    void play() override {
        context.faults.pass(SV_FAULT_LAUNCH, "the launch of recorded work");
        if (graph == nullptr) return;
        check(cudaGraphLaunch(graph, enter(context).stream), "the launch of recorded work");
    }
};

}  // namespace

void Context::begin_recording() {
    require_not_recording("the start of a recording");
    if (!dry) {
        check(cudaSetDevice(device), "the choice of a device");
        // Other threads, with contexts of their own, may go on as they like.
        check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed),
              "the start of a recording");
    }
    memory.hold();
    recording_ = device_memory.frozen = true;
}

std::unique_ptr<sv_recording> Context::end_recording() {
    if (!recording_)
        fail(SV_INVALID_ARGUMENT, "nothing is being recorded: begin a recording first");
    recording_ = device_memory.frozen = false;
    if (dry) return std::make_unique<Recording>(*this, nullptr);
    cudaGraph_t recorded = nullptr;
    cudaGraphExec_t graph = nullptr;
    cudaError_t error = cudaStreamEndCapture(stream, &recorded);
    if (error == cudaSuccess) error = cudaGraphInstantiate(&graph, recorded, 0);
    if (recorded != nullptr) cudaGraphDestroy(recorded);
    if (error != cudaSuccess) {
        memory.let_go();
        cudaGetLastError();  // or the next launch would report it
        check(error, "a recording");
    }
    return std::make_unique<Recording>(*this, graph);
}

}  // namespace sv::cuda
