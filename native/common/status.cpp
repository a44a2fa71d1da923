#include "common/status.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>

namespace sv {
namespace {

// A plain array: keeping an out-of-memory error must not need memory.
thread_local char last_error[2048] = "";

void keep(const char* text) { std::snprintf(last_error, sizeof last_error, "%s", text); }

}  // namespace

void fail(sv_status status, const char* format, ...) {
    char text[sizeof last_error];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    throw Error(status, text);
}

sv_status remember_error() noexcept {
    try {
        throw;
    } catch (const Error& error) {
        keep(error.what());
        return error.status();
    } catch (const std::bad_alloc&) {
        keep("out of host memory");
        return SV_OUT_OF_MEMORY;
    } catch (const std::exception& error) {
        keep(error.what());
        return SV_DEVICE_ERROR;
    } catch (...) {
        keep("unknown native failure");
        return SV_DEVICE_ERROR;
    }
}

}  // namespace sv

extern "C" const char* sv_last_error(void) { return sv::last_error; }
