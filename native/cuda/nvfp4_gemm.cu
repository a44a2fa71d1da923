// Products of NVFP4 operands: not there yet on cards.
#include "common/status.hpp"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

[[noreturn]] void refuse() { fail(SV_UNSUPPORTED, "NVFP4 is not there yet on cards"); }

}  // namespace

void nvfp4_linear(sv_context&, const sv_nvfp4_matrix&, const Nvfp4Weight&, const sv_epilogue&,
                  const sv_tensor&) {
    refuse();
}
void nvfp4_temporal_convolution(sv_context&, const sv_nvfp4_matrix&, const sv_tensor&,
                                const Nvfp4Weight&, const sv_epilogue&, const sv_tensor&) {
    refuse();
}

}  // namespace sv::cuda
