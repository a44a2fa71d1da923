// Tests and times the CUDA kernels below Java, on whatever runs them: a card, or the emulator that
// stands in for one.
//
//   kernels list [WORD]        the cases whose name contains WORD
//   kernels test [WORD]        compares each with the CPU op; exit status 1 when one is too far off
//       --seed N               draws the inputs that a run with this seed printed
//   kernels perf [WORD]        GB/s and TFLOP/s at the shapes of a 480p clip, and their share of
//                              what the device reached in the same run
//       --json FILE            writes them as JSON too, with the time of each batch of calls
//       --cpu                  times the CPU's ops
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <random>
#include <stdexcept>

#include "case.hpp"
#include "perf.hpp"

namespace kernels {
namespace {

struct Options {
    std::string command, word, json;
    bool cpu = false;
    uint64_t seed = std::random_device{}();
};

using Context = std::unique_ptr<sv_context, decltype(&sv_context_destroy)>;

Context context_of(bool cuda) {
    sv_context* context = nullptr;
    sv_status status = cuda ? sv_context_create_cuda(0, &context) : sv_context_create(0, &context);
    if (status != SV_OK) throw std::runtime_error(sv_last_error());
    return Context(context, sv_context_destroy);
}

std::vector<uint8_t> bytes_of(sv_context* context, const sv_tensor& tensor) {
    int64_t count = 1;
    for (int i = 0; i < tensor.rank; ++i) count *= tensor.shape[i];
    int64_t size = size_of(tensor.dtype);
    std::vector<uint8_t> bytes(count * size);
    if (sv_download(context, bytes.data(), tensor.data, count * size) != SV_OK) {
        throw std::runtime_error(sv_last_error());
    }
    return bytes;
}

std::vector<double> values_of(const std::vector<uint8_t>& bytes, sv_dtype dtype) {
    int64_t size = size_of(dtype);
    std::vector<double> values(bytes.size() / size);
    for (size_t i = 0; i < values.size(); ++i) {
        uint32_t bits = 0;
        std::memcpy(&bits, &bytes[i * size], size);
        if (dtype == SV_U8) {
            values[i] = bits;
            continue;
        }
        if (dtype == SV_BF16) bits <<= 16;
        float value;
        std::memcpy(&value, &bits, sizeof value);
        values[i] = value;
    }
    return values;
}

double distance(const std::vector<double>& out, const std::vector<double>& reference) {
    double difference = 0, size = 0;
    for (size_t i = 0; i < out.size(); ++i) {
        difference += (out[i] - reference[i]) * (out[i] - reference[i]);
        size += reference[i] * reference[i];
    }
    return size == 0 ? std::sqrt(difference) : std::sqrt(difference / size);
}

// An empty text when the case passes; the worst distance in *worst.
std::string failure(const Case& one, sv_context* cpu, sv_context* device, uint64_t seed,
                    double* worst, uint64_t* digest) {
    Run expected(cpu, seed), actual(device, seed);
    one.body(expected);
    one.body(actual);
    if (actual.outputs().empty()) return "the case compares nothing";
    for (size_t i = 0; i < actual.outputs().size(); ++i) {
        auto [tensor, bound] = actual.outputs()[i];
        std::vector<uint8_t> mine = bytes_of(device, tensor);
        std::vector<uint8_t> right = bytes_of(cpu, expected.outputs()[i].tensor);
        for (uint8_t byte : mine) *digest = (*digest ^ byte) * 0x100000001b3;  // FNV-1a
        std::string which = "output " + std::to_string(i) + " ";
        if (bound.relative == 0) {
            if (mine != right) return which + "differs from the CPU's bits";
            continue;
        }
        double off = distance(values_of(mine, tensor.dtype), values_of(right, tensor.dtype));
        *worst = std::max(*worst, off);
        if (!(off <= bound.relative)) {
            char text[96];
            std::snprintf(text, sizeof text, "is off by %.2e, allowed %.2e", off, bound.relative);
            return which + text;
        }
    }
    return "";
}

int test(const std::vector<Case>& cases, uint64_t seed) {
    std::printf("seed %lu\n", static_cast<unsigned long>(seed));
    Context cpu = context_of(false), device = context_of(true);
    int failed = 0;
    for (const Case& one : cases) {
        double worst = 0;
        uint64_t digest = 0xcbf29ce484222325;
        std::string wrong;
        try {
            wrong = failure(one, cpu.get(), device.get(), seed, &worst, &digest);
        } catch (const std::exception& error) {
            wrong = error.what();
        }
        failed += wrong.empty() ? 0 : 1;
        std::printf("%-6s %-70s %.1e %016lx %s\n", wrong.empty() ? "ok" : "FAILED",
                    one.name().c_str(), worst, static_cast<unsigned long>(digest), wrong.c_str());
        std::fflush(stdout);
    }
    std::printf("%zu cases, %d failed\n", cases.size(), failed);
    return failed == 0 && !cases.empty() ? 0 : 1;
}

std::vector<Case> chosen(std::initializer_list<std::vector<Case> (*)()> families,
                         const std::string& word) {
    std::vector<Case> all;
    for (auto* family : families) {
        for (Case& one : family()) {
            if (one.name().find(word) != std::string::npos) all.push_back(std::move(one));
        }
    }
    return all;
}

Options parse(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        std::string word = words[i];
        if (word == "--seed" && i + 1 < count) {
            options.seed = std::stoull(words[++i]);
        } else if (word == "--json" && i + 1 < count) {
            options.json = words[++i];
        } else if (word == "--cpu") {
            options.cpu = true;
        } else if (options.command.empty()) {
            options.command = word;
        } else {
            options.word = word;
        }
    }
    return options;
}

int run(const Options& options) {
    std::vector<Case> small =
        chosen({attention_cases, causal_convolution_cases, convolution_cases, depthwise_cases,
                elementwise_cases, layout_cases, linear_cases, linear_attention_cases, norm_cases,
                nvfp4_cases, nvfp4_expand_cases, nvfp4_gemm_cases, nvfp4_producer_cases,
                space_to_depth_cases},
               options.word);
    if (options.command == "test") return test(small, options.seed);
    if (options.command == "perf") {
        Context device = context_of(!options.cpu);
        return perf(
            chosen({attention_perf_cases, causal_convolution_perf_cases, convolution_perf_cases,
                    depthwise_perf_cases, elementwise_perf_cases, layout_perf_cases,
                    linear_perf_cases, linear_attention_perf_cases, norm_perf_cases,
                    nvfp4_perf_cases, nvfp4_expand_perf_cases, nvfp4_gemm_perf_cases,
                    nvfp4_producer_perf_cases, space_to_depth_perf_cases},
                   options.word),
            device.get(), options.json);
    }
    if (options.command == "list") {
        for (const Case& one : small) std::printf("%s\n", one.name().c_str());
        return 0;
    }
    std::fprintf(stderr, "usage: kernels list|test|perf [WORD] [--seed N] [--json FILE] [--cpu]\n");
    return 2;
}

}  // namespace
}  // namespace kernels

int main(int count, char** words) {
    try {
        return kernels::run(kernels::parse(count, words));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
