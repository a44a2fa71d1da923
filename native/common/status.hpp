// Errors below the ABI: thrown as Error, turned into a status and a text at the ABI's edge.
#pragma once

#include <exception>
#include <string>

#include "sanavideo/core.h"

namespace sv {

class __attribute__((visibility("default"))) Error : public std::exception {
public:
    Error(sv_status status, std::string text) : status_(status), text_(std::move(text)) {}
    sv_status status() const { return status_; }
    const char* what() const noexcept override { return text_.c_str(); }

private:
    sv_status status_;
    std::string text_;
};

[[noreturn]] __attribute__((format(printf, 2, 3))) void fail(sv_status status, const char* format,
                                                             ...);

// Keeps the exception that is being handled as this thread's last error and returns its status.
sv_status remember_error() noexcept;

// Runs body; no exception leaves it.
template <typename Body>
sv_status guarded(Body&& body) noexcept {
    try {
        body();
        return SV_OK;
    } catch (...) {
        return remember_error();
    }
}

}  // namespace sv
