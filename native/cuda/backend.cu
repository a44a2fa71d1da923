// The op table of the CUDA backend.
#include "cuda/ops.hpp"

namespace sv::cuda {

static const Backend kBackend = {.name = "cuda",
#define SV_ENTRY(op_name) .op_name = op_name,
                                 SV_EACH_OP(SV_ENTRY)
#undef SV_ENTRY
};

const Backend& backend() { return kBackend; }

}  // namespace sv::cuda
