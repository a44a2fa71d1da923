// One op with one set of shapes, run on the CPU and on the device under test: the CPU says what is
// right.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "sanavideo/sanavideo.h"

namespace kernels {

// How far an output may be from the CPU's, as ||out - ref|| / ||ref||. 0 means the same bits.
struct Bound {
    double relative;
};

// Of sums of `terms` terms in a dtype: f32 1e-6 * max(1, sqrt(terms / 512)); bf16 inputs, fp32 sums
// 4e-3.
Bound sum_bound(sv_dtype dtype, int64_t terms);
constexpr Bound kSameBits{0};

using Shape = std::vector<int64_t>;

struct Range {
    float low = -1, high = 1;
};

// One pass of a case over one device. Inputs are drawn from the case's seed in the order they are
// asked for, so that every device gets the same.
class Run {
public:
    enum class Purpose { kResult, kSpeed };

    Run(sv_context* context, uint64_t seed, Purpose purpose = Purpose::kResult);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    sv_context* context() const { return context_; }
    bool measures() const { return purpose_ == Purpose::kSpeed; }

    // The tensor that is made as the n-th, counted from 0, begins one element into its memory.
    void unalign(int tensor) { unaligned_ = tensor; }

    // Random values. The address stays good until the run ends.
    const sv_tensor* input(sv_dtype dtype, const Shape& shape, Range range = {});
    // The dtype's content as given (bf16 rounded from the floats, u8 without fractions).
    const sv_tensor* input(sv_dtype dtype, const Shape& shape, const std::vector<float>& values);
    // Poisoned with NaN before the op, compared after it.
    const sv_tensor* output(sv_dtype dtype, const Shape& shape, Bound bound);
    // Random values that the op writes over.
    const sv_tensor* in_place(sv_dtype dtype, const Shape& shape, Bound bound, Range range = {});
    // Compares an input that the op has written.
    void compare(const sv_tensor* tensor, Bound bound);
    // Requires the same bytes in two tensors of this device.
    void require_same(const sv_tensor* a, const sv_tensor* b) const;
    const sv_weight* weight(sv_weight_kind kind, sv_dtype dtype, const Shape& shape,
                            Range range = {});
    const sv_weight* weight(sv_weight_kind kind, sv_dtype dtype, const Shape& shape,
                            const std::vector<float>& values);
    // One that stays NVFP4 in memory, which `pack` packs.
    const sv_weight* nvfp4_weight(sv_weight_kind kind, const Shape& shape,
                                  const std::function<void(sv_weight*)>& pack);
    // The same numbers on every device, for arguments that stay on the host.
    std::vector<float> numbers(int64_t count, Range range = {});

    // Calls the op and requires SV_OK. When speed is measured the call is made again and again; the
    // tensors above then point to other memory each time, so the op must get them by address.
    void op(const std::function<sv_status()>& call);

    struct Output {
        sv_tensor tensor;
        Bound bound;
    };
    const std::vector<Output>& outputs() const { return outputs_; }
    // Of one call (of each op together): the mean of every batch of calls, from the fastest batch
    // to the slowest.
    const std::vector<double>& seconds() const { return seconds_; }

private:
    sv_tensor* allocate(sv_dtype dtype, const Shape& shape);
    void fill(sv_tensor* tensor, const std::vector<float>& values);
    void measure(const std::function<sv_status()>& call);

    sv_context* context_;
    uint64_t state_;
    Purpose purpose_;
    int unaligned_ = -1;
    std::vector<double> seconds_;
    std::vector<std::unique_ptr<sv_tensor>> tensors_;
    std::vector<void*> memory_;
    std::vector<sv_weight*> weights_;
    std::vector<Output> outputs_;
};

struct Case {
    std::string op;     // as in the ABI, without sv_
    std::string shape;  // "3 x 7 x 112"
    sv_dtype dtype;
    std::function<void(Run&)> body;
    double bytes = 0;  // of device memory that the op must at least move, for `perf`
    double flops = 0;  // that it must do

    std::string name() const;
};

// The same case with its n-th tensor at an address where no vector is aligned.
Case unaligned(Case one, int tensor);

// The cases of each family: small ragged shapes for `test`, those of a 480p clip for `perf`.
std::vector<Case> attention_cases();
std::vector<Case> attention_perf_cases();
std::vector<Case> causal_convolution_cases();
std::vector<Case> causal_convolution_perf_cases();
std::vector<Case> convolution_cases();
std::vector<Case> convolution_perf_cases();
std::vector<Case> depthwise_cases();
std::vector<Case> depthwise_perf_cases();
std::vector<Case> elementwise_cases();
std::vector<Case> elementwise_perf_cases();
std::vector<Case> layout_cases();
std::vector<Case> layout_perf_cases();
std::vector<Case> linear_cases();
std::vector<Case> linear_perf_cases();
std::vector<Case> linear_attention_cases();
std::vector<Case> linear_attention_perf_cases();
std::vector<Case> norm_cases();
std::vector<Case> norm_perf_cases();
std::vector<Case> space_to_depth_cases();
std::vector<Case> space_to_depth_perf_cases();
std::vector<Case> nvfp4_cases();
std::vector<Case> nvfp4_perf_cases();
std::vector<Case> nvfp4_expand_cases();
std::vector<Case> nvfp4_expand_perf_cases();
std::vector<Case> nvfp4_gemm_cases();
std::vector<Case> nvfp4_gemm_perf_cases();
std::vector<Case> nvfp4_producer_cases();
std::vector<Case> nvfp4_producer_perf_cases();

// Bytes of an element, and of a tensor.
int64_t size_of(sv_dtype dtype);

double bytes_of(sv_dtype dtype, const Shape& shape);

// "2 x 3 x 4"
std::string text_of(const Shape& shape);

// Both dtypes of an op.
constexpr sv_dtype kFloats[] = {SV_F32, SV_BF16};

}  // namespace kernels
