// Words for what went wrong.
#pragma once

#include <string>
#include <vector>

namespace simt {

// "file.cu:123" of an address in this program, from the debug information that addr2line reads; of
// a function that was inlined from another file also the line there: "number.cuh:54 in
// file.cu:123".
std::string source_line(const void* place);

// The same of many.
std::vector<std::string> source_lines(const std::vector<const void*>& places);

// The functions that addresses are in, as the source names them.
std::vector<std::string> function_names(const std::vector<const void*>& places);

}  // namespace simt
