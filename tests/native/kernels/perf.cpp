// The ceilings that a case is held to are measured in the same run, through the same ABI: what a
// card reaches depends on its clocks of the day. Bandwidth is that of a large copy; the rate of
// products is that of our own largest linear layer in the case's dtype, so a share of it compares
// our kernels with each other and says nothing about what the card could do.
#include "perf.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>

namespace kernels {
namespace {

struct Speed {
    std::vector<double> batches;  // seconds of a call, sorted
    double bytes, flops;

    double seconds() const { return batches[batches.size() / 2]; }
    double gigabytes() const { return bytes / seconds() * 1e-9; }
    double teraflops() const { return flops / seconds() * 1e-12; }
    double spread() const { return (batches.back() - batches.front()) / seconds(); }
};

Speed speed_of(const Case& one, sv_context* device) {
    Run run(device, 1, Run::Purpose::kSpeed);
    one.body(run);
    return {run.seconds(), one.bytes, one.flops};
}

// 1 GiB read and written.
Case copy_case() {
    constexpr int64_t kFloats = 1 << 27;
    Case one{"copy", text_of({kFloats}), SV_F32, {}};
    one.body = [](Run& run) {
        auto* in = run.input(SV_F32, {kFloats});
        auto* out = run.output(SV_F32, {kFloats}, kSameBits);
        run.op([&] { return sv_copy(run.context(), out->data, in->data, kFloats * 4); });
    };
    one.bytes = 2.0 * kFloats * 4;
    return one;
}

// Whether products can be what bounds a case: no card has less than 10 operations for a byte.
bool is_dense(const Case& one) { return one.flops > 10 * one.bytes; }

// The linear layer with the most operations, if there is one of that dtype.
std::unique_ptr<Case> largest_linear(sv_dtype dtype) {
    std::unique_ptr<Case> largest;
    for (Case& one : linear_perf_cases()) {
        if (one.op != "linear" || one.dtype != dtype) continue;
        if (largest == nullptr || one.flops > largest->flops) {
            largest = std::make_unique<Case>(std::move(one));
        }
    }
    return largest;
}

struct Ceiling {
    std::string name;
    Speed speed;
};

struct Ceilings {
    Ceiling copy;
    std::map<sv_dtype, Ceiling> products;
};

Ceilings measure_ceilings(const std::vector<Case>& cases, sv_context* device) {
    Ceilings ceilings;
    Case copy = copy_case();
    ceilings.copy = {copy.name(), speed_of(copy, device)};
    std::printf("%-70s %9.1f GB/s\n", copy.name().c_str(), ceilings.copy.speed.gigabytes());
    for (const Case& one : cases) {
        if (!is_dense(one) || ceilings.products.count(one.dtype) != 0) continue;
        std::unique_ptr<Case> linear = largest_linear(one.dtype);
        if (linear == nullptr) continue;
        Ceiling ceiling{linear->name(), speed_of(*linear, device)};
        std::printf("%-70s %9.1f TFLOP/s\n", ceiling.name.c_str(), ceiling.speed.teraflops());
        ceilings.products[one.dtype] = ceiling;
    }
    return ceilings;
}

// The larger of a case's two shares, and the ceiling that it is one of.
struct Share {
    double share;
    const char* of;
};

Share share_of(const Case& one, const Speed& speed, const Ceilings& ceilings) {
    Share copy{speed.gigabytes() / ceilings.copy.speed.gigabytes(), "copy"};
    auto product = ceilings.products.find(one.dtype);
    if (!is_dense(one) || product == ceilings.products.end()) return copy;
    Share linear{speed.teraflops() / product->second.speed.teraflops(), "linear"};
    return linear.share > copy.share ? linear : copy;
}

// One line of JSON. Names hold no character that JSON would want escaped.
std::string json_of(const std::string& name, const Speed& speed) {
    char text[512];
    std::snprintf(text, sizeof text,
                  "{\"name\": \"%s\", \"seconds\": %.4e, \"gigabytes_per_second\": %.2f, "
                  "\"teraflops\": %.4f, \"batches\": [",
                  name.c_str(), speed.seconds(), speed.gigabytes(), speed.teraflops());
    std::string json = text;
    for (size_t i = 0; i < speed.batches.size(); ++i) {
        std::snprintf(text, sizeof text, "%s%.4e", i == 0 ? "" : ", ", speed.batches[i]);
        json += text;
    }
    return json + "]}";
}

std::string device_text(sv_context* device) {
    int threads = 0;
    if (sv_context_threads(device, &threads) != SV_OK) throw std::runtime_error(sv_last_error());
    return threads == 0 ? "cuda:0" : "cpu, " + std::to_string(threads) + " threads";
}

}  // namespace

int perf(const std::vector<Case>& cases, sv_context* device, const std::string& json) {
    if (cases.empty()) return 1;
    Ceilings ceilings = measure_ceilings(cases, device);
    std::string lines;
    for (const Case& one : cases) {
        Speed speed = speed_of(one, device);
        Share share = share_of(one, speed, ceilings);
        std::printf("%-70s %9.3f ms +-%2.0f%% %8.1f GB/s %8.1f TFLOP/s %4.0f%% of %s\n",
                    one.name().c_str(), speed.seconds() * 1e3, speed.spread() * 50,
                    speed.gigabytes(), speed.teraflops(), share.share * 100, share.of);
        std::fflush(stdout);
        std::string line = json_of(one.name(), speed);
        line.pop_back();
        char text[64];
        std::snprintf(text, sizeof text, ", \"share\": %.4f, \"of\": \"%s\"}", share.share,
                      share.of);
        lines += (lines.empty() ? "" : ",\n    ") + line + text;
    }
    if (json.empty()) return 0;
    std::string text = "{\n  \"version\": \"" + std::string(sv_version()) +
                       "\",\n  \"device\": \"" + device_text(device) +
                       "\",\n  \"ceilings\": [\n    " +
                       json_of(ceilings.copy.name, ceilings.copy.speed);
    for (auto& [dtype, ceiling] : ceilings.products) {
        text += ",\n    " + json_of(ceiling.name, ceiling.speed);
    }
    text += "\n  ],\n  \"cases\": [\n    " + lines + "\n  ]\n}\n";
    FILE* file = std::fopen(json.c_str(), "w");
    bool written = file != nullptr && std::fputs(text.c_str(), file) >= 0;
    if (file != nullptr) written = std::fclose(file) == 0 && written;
    if (!written) throw std::runtime_error("cannot write " + json);
    return 0;
}

}  // namespace kernels
