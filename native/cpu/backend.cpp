// The op table of one CPU variant (SV_VARIANT).
#include "cpu/ops.hpp"

#define SV_TEXT_OF(name) #name
#define SV_TEXT(name) SV_TEXT_OF(name)

namespace sv::cpu {
inline namespace SV_VARIANT {

extern const Backend kBackend;
const Backend kBackend = {.name = SV_TEXT(SV_VARIANT),
#define SV_ENTRY(op_name) .op_name = op_name,
                          SV_EACH_OP(SV_ENTRY)
#undef SV_ENTRY
};

}  // namespace SV_VARIANT
}  // namespace sv::cpu
