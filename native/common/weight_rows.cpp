#include "common/weight_rows.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <vector>

#include "common/context.hpp"
#include "common/tensor.hpp"

namespace sv {
namespace {

struct bf16 {
    uint16_t bits;
};

struct f16 {
    uint16_t bits;
};

float widen(float value) { return value; }

float widen(bf16 value) {
    uint32_t bits = uint32_t{value.bits} << 16;
    float wide;
    std::memcpy(&wide, &bits, sizeof wide);
    return wide;
}

// Moves exponent and fraction to their places in a float; the scaling by 2^112 mends the exponent's
// bias and makes subnormals normal.
float widen(f16 value) {
    uint32_t magnitude = uint32_t{value.bits & 0x7fffu} << 13;
    if (magnitude >= 0x0f800000) magnitude |= 0x7f800000;  // an infinity or a NaN stays one
    float wide;
    std::memcpy(&wide, &magnitude, sizeof wide);
    wide = magnitude >= 0x7f800000 ? wide : wide * 0x1p112f;
    return value.bits & 0x8000 ? -wide : wide;
}

// To the nearest bf16, ties to even. A NaN stays one.
float round_to_bf16(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
    bits = (bits & 0x7fffffff) > 0x7f800000 ? bits : rounded & 0xffff0000;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

// Reads `count` elements of T from bytes of any alignment, rounded to the weight's dtype. Returns
// the index of the first one that is not finite then, or count.
template <typename T>
int64_t read_row(const char* bytes, int64_t count, sv_dtype dtype, float* row) {
    bool finite = true;
    for (int64_t i = 0; i < count; ++i) {
        T element;
        std::memcpy(&element, bytes + i * sizeof(T), sizeof element);
        float value = widen(element);
        row[i] = dtype == SV_BF16 ? round_to_bf16(value) : value;
        finite &= std::fabs(row[i]) <= __FLT_MAX__;
    }
    int64_t first = 0;
    while (!finite && std::fabs(row[first]) <= __FLT_MAX__) ++first;
    return finite ? count : first;
}

}  // namespace

void read_rows(const sv_context& context, const sv_weight& weight, int64_t first_row, int64_t rows,
               const void* data, sv_dtype data_dtype, PlaceRow call, const void* place) {
    // Rows whose columns share cache lines go to the same thread.
    constexpr int64_t kRowsPerTask = 64;
    int64_t count = weight.row_elements();
    int64_t row_bytes = count * bytes_of(data_dtype);
    int64_t last_row = first_row + rows;
    int64_t first_task = first_row / kRowsPerTask;
    int64_t tasks = (last_row + kRowsPerTask - 1) / kRowsPerTask - first_task;
    int64_t cores = context.threads > 0 ? context.threads : omp_get_num_procs();
    int threads = static_cast<int>(std::min(cores, tasks));
    std::vector<float> buffers(threads * count);
    std::atomic<int64_t> bad{INT64_MAX};
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int64_t task = 0; task < tasks; ++task) {
        if (context.cancelled.load(std::memory_order_relaxed)) continue;
        float* elements = buffers.data() + omp_get_thread_num() * count;
        int64_t begin = std::max(first_row, (first_task + task) * kRowsPerTask);
        int64_t end = std::min(last_row, (first_task + task + 1) * kRowsPerTask);
        for (int64_t row = begin; row < end; ++row) {
            const char* bytes = static_cast<const char*>(data) + (row - first_row) * row_bytes;
            int64_t finite =
                data_dtype == SV_F32   ? read_row<float>(bytes, count, weight.dtype, elements)
                : data_dtype == SV_F16 ? read_row<f16>(bytes, count, weight.dtype, elements)
                                       : read_row<bf16>(bytes, count, weight.dtype, elements);
            if (finite < count) {
                int64_t index = row * count + finite;
                for (int64_t seen = bad; index < seen && !bad.compare_exchange_weak(seen, index);) {
                }
                break;
            }
            call(place, row, elements);
        }
    }
    context.stop_if_cancelled();
    if (bad != INT64_MAX) {
        fail(SV_NOT_FINITE, "element %ld of the weight (row %ld, %ld in it) is not a finite %s",
             long(bad), long(bad / count), long(bad % count), name_of(weight.dtype));
    }
}

float upsample_tap(const float* kernel, int64_t quarter, int64_t tap) {
    auto begin = [](int64_t odd, int64_t i) { return i == 0 ? 0 : odd + 1; };
    auto end = [](int64_t odd, int64_t i) { return i == 0 ? odd + 1 : 3; };
    float sum = 0;
    for (int64_t y = begin(quarter / 2, tap / 2); y < end(quarter / 2, tap / 2); ++y) {
        for (int64_t x = begin(quarter % 2, tap % 2); x < end(quarter % 2, tap % 2); ++x) {
            sum += kernel[y * 3 + x];
        }
    }
    return sum;
}

}  // namespace sv
