#include "simt/report.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace simt {
namespace {

// Where an address is in the program's file; 0 when it is not in it.
uintptr_t offset_of(const void* place) {
    Dl_info info;
    if (dladdr(place, &info) == 0) return 0;
    return reinterpret_cast<uintptr_t>(place) - reinterpret_cast<uintptr_t>(info.dli_fbase);
}

// "file.cu:123" of "/folder/file.cu:123 (discriminator 2)".
std::string short_line(std::string line) {
    size_t folder = line.rfind('/');
    if (folder != std::string::npos) line = line.substr(folder + 1);
    return line.substr(0, line.find_first_of(" \n"));
}

std::string file_of(const std::string& line) { return line.substr(0, line.find(':')); }

// The lines that addr2line prints about the calls before these return addresses.
std::vector<std::string> addr2line(const std::string& options,
                                   const std::vector<const void*>& places) {
    std::string command = "addr2line " + options + " -e /proc/" + std::to_string(getpid()) + "/exe";
    for (const void* place : places) {
        char address[32];
        std::snprintf(address, sizeof address, " 0x%lx",
                      static_cast<unsigned long>(offset_of(place) - 1));
        command += address;
    }
    std::vector<std::string> lines;
    if (FILE* pipe = popen((command + " 2>/dev/null").c_str(), "r")) {
        char* line = nullptr;
        size_t size = 0;
        while (getline(&line, &size, pipe) > 0) lines.emplace_back(line);
        std::free(line);
        pclose(pipe);
    }
    return lines;
}

}  // namespace

std::string source_line(const void* place) { return source_lines({place}).front(); }

std::vector<std::string> source_lines(const std::vector<const void*>& places) {
    std::vector<std::string> lines;
    // -a writes each address before its lines, -i the lines that a function was inlined into.
    for (const std::string& text : addr2line("-a -i", places)) {
        if (text.compare(0, 2, "0x") == 0) {
            lines.emplace_back();
            continue;
        }
        std::string line = short_line(text);
        if (lines.empty() || line.empty() || line[0] == '?') continue;
        std::string& known = lines.back();
        if (known.empty()) {
            known = line;
        } else if (known.find(" in ") == std::string::npos && file_of(line) != file_of(known)) {
            known += " in " + line;
        }
    }
    lines.resize(places.size());
    for (std::string& line : lines) {
        if (line.empty()) line = "an unknown line";
    }
    return lines;
}

std::vector<std::string> function_names(const std::vector<const void*>& places) {
    std::vector<std::string> names;
    // -f writes the function in a line before that with file and line, -C as the source names it.
    std::vector<std::string> text = addr2line("-f -C", places);
    for (size_t i = 0; i < text.size(); i += 2) {
        names.push_back(text[i].substr(0, text[i].find('\n')));
    }
    names.resize(places.size());
    return names;
}

}  // namespace simt
