#include "cpu/variant.hpp"

#include <cstdlib>
#include <cstring>

#include "common/status.hpp"

namespace sv::cpu {

// Defined once a variant by cpu/backend.cpp.
namespace v2 {
extern const Backend kBackend;
}
namespace v3 {
extern const Backend kBackend;
}
namespace v4 {
extern const Backend kBackend;
}
namespace v4_bf16 {
extern const Backend kBackend;
}

namespace {

struct Variant {
    const char* name;
    const Backend* backend;
    bool available;
};

const Variant& choose() {
    __builtin_cpu_init();
    static const Variant variants[] = {
        {"v4-bf16", &v4_bf16::kBackend,
         __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16")},
        {"v4", &v4::kBackend, bool(__builtin_cpu_supports("x86-64-v4"))},
        {"v3", &v3::kBackend, bool(__builtin_cpu_supports("x86-64-v3"))},
        {"v2", &v2::kBackend, bool(__builtin_cpu_supports("x86-64-v2"))},
    };
    const char* asked = std::getenv("SANA_ISA");
    for (const Variant& variant : variants) {
        if (asked != nullptr && *asked != '\0' && std::strcmp(asked, variant.name) != 0) continue;
        if (variant.available) return variant;
    }
    fail(SV_UNSUPPORTED,
         "SANA_ISA is '%s', expected v2, v3, v4 or v4-bf16, as far as this processor has them",
         asked == nullptr ? "" : asked);
}

// Chosen once: the environment of a running process is not looked at again.
const Variant& variant() {
    static const Variant& chosen = choose();
    return chosen;
}

}  // namespace

const Backend& backend() { return *variant().backend; }

const char* variant_name() {
    try {
        return variant().name;
    } catch (const Error&) {
        return "unavailable";
    }
}

bool has_bf16_products() { return std::strcmp(variant_name(), "v4-bf16") == 0; }

}  // namespace sv::cpu
