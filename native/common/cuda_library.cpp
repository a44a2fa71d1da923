#include "common/cuda_library.hpp"

#include <dlfcn.h>

#include <string>

#include "common/status.hpp"

namespace sv {
namespace {

using CreateContext = sv_context*(int device);

// The folder that this library was loaded from, with a slash at its end; empty when it is not
// known.
std::string own_folder() {
    Dl_info info;
    auto* here = reinterpret_cast<void*>(&create_cuda_context);
    if (dladdr(here, &info) == 0 || info.dli_fname == nullptr) return "";
    std::string path = info.dli_fname;
    return path.substr(0, path.rfind('/') + 1);
}

CreateContext* load() {
    std::string path = own_folder() + "libsanavideo_cuda.so";
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        fail(SV_UNSUPPORTED, "this build has no CUDA kernels: %s", dlerror());
    }
    auto* create = reinterpret_cast<CreateContext*>(dlsym(library, "sv_cuda_context_create"));
    if (create == nullptr) {
        fail(SV_UNSUPPORTED, "%s is not a library of CUDA kernels: %s", path.c_str(), dlerror());
    }
    return create;
}

}  // namespace

sv_context* create_cuda_context(int device) {
    static CreateContext* create = load();
    return create(device);
}

}  // namespace sv
