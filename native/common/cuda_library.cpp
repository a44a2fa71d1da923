#include "common/cuda_library.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "common/status.hpp"

namespace sv {
namespace {

// The folder that this library was loaded from, with a slash at its end; empty when it is not
// known.
std::string own_folder() {
    Dl_info info;
    auto* here = reinterpret_cast<void*>(&cuda_library);
    if (dladdr(here, &info) == 0 || info.dli_fname == nullptr) return "";
    std::string path = info.dli_fname;
    return path.substr(0, path.rfind('/') + 1);
}

std::string path_of_library() {
    const char* named = std::getenv("SANA_CUDA_LIBRARY");
    return named != nullptr ? named : own_folder() + "libsanavideo_cuda.so";
}

const CudaLibrary& load() {
    std::string path = path_of_library();
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        fail(SV_UNSUPPORTED, "this build has no CUDA kernels: %s", dlerror());
    }
    auto* table = reinterpret_cast<const CudaLibrary* (*)()>(dlsym(library, "sv_cuda_library"));
    if (table == nullptr) {
        fail(SV_UNSUPPORTED, "%s is not a library of CUDA kernels: %s", path.c_str(), dlerror());
    }
    return *table();
}

}  // namespace

const CudaLibrary& cuda_library() {
    static const CudaLibrary& library = load();
    return library;
}

}  // namespace sv
