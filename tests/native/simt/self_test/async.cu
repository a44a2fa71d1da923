// Asynchronous copies and the barriers that count them.
#include "cuda/ptx.cuh"
#include "self_test/check.hpp"

namespace self_test {
namespace {

using namespace sv::cuda;
using sv::Scratch;

constexpr int kFloats = 128;  // of one stage: four a thread of one warp

// Copies one stage a step and reverses it; Waits and Barrier leave out what the pipeline needs.
template <bool Waits, bool Barrier>
__global__ void reverse(const float* in, float* out) {
    SharedMemory memory;
    float* stage = memory.shared<float>(kFloats);
    int me = static_cast<int>(threadIdx.x);
    for (int i = 0; i < 4; ++i) stage[4 * me + i] = 0;
    __syncthreads();
    copy_async_16(stage + 4 * me, in + 4 * me);
    copy_async_commit();
    if (Waits) copy_async_wait<0>();
    if (Barrier) __syncthreads();
    for (int i = 0; i < 4; ++i) out[4 * me + i] = stage[kFloats - 1 - (4 * me + i)];
}

__global__ void fill_partly(const float* in, float* out) {
    SharedMemory memory;
    float* stage = memory.shared<float>(kFloats);
    int me = static_cast<int>(threadIdx.x);
    copy_async_16(stage + 4 * me, in + 4 * me, me == 0 ? 8 : 0);
    copy_async_commit();
    copy_async_wait<0>();
    for (int i = 0; i < 4; ++i) out[4 * me + i] = stage[4 * me + i];
}

// Word by word; those of odd threads are zeros.
template <bool Waits>
__global__ void fill_words(const float* in, float* out) {
    SharedMemory memory;
    float* stage = memory.shared<float>(kFloats);
    int me = static_cast<int>(threadIdx.x);
    copy_async_4(stage + me, in + me, me % 2 == 0);
    copy_async_commit();
    if (Waits) copy_async_wait<0>();
    out[me] = stage[me];
}

// A ring of two stages: thread 0 copies, the second warp adds up. Empty says whether the ring waits
// until a stage was read before it fills it again; Full whether the reader waits for the data.
template <bool Full, bool Empty>
__global__ void ring(const float* in, int steps, float* out) {
    constexpr int kStages = 2;
    SharedMemory memory;
    float* stages = memory.shared<float>(kStages * kFloats);
    uint64_t* full = memory.shared<uint64_t>(kStages);
    uint64_t* empty = memory.shared<uint64_t>(kStages);
    if (threadIdx.x == 0) {
        for (int s = 0; s < kStages; ++s) {
            memory_barrier_init(full + s, 1);
            memory_barrier_init(empty + s, 32);
        }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int step = 0; step < steps; ++step) {
            int s = step % kStages;
            if (Empty && step >= kStages) memory_barrier_wait(empty + s, (step / kStages - 1) & 1);
            memory_barrier_arrive_expect(full + s, kFloats * 4);
            copy_bulk(stages + s * kFloats, in + step * kFloats, kFloats * 4, full + s);
        }
    } else if (threadIdx.x >= 32) {
        int lane = static_cast<int>(threadIdx.x) - 32;
        float sum = 0;
        for (int step = 0; step < steps; ++step) {
            int s = step % kStages;
            if (Full) memory_barrier_wait(full + s, (step / kStages) & 1);
            sum += stages[s * kFloats + lane];
            memory_barrier_arrive(empty + s);
        }
        out[lane] = sum;
    }
}

struct Data {
    static constexpr int kSteps = 5;
    Scratch<float> in, out;
    explicit Data(Context& c) : in(c.memory, kSteps * kFloats), out(c.memory, kFloats) {
        std::vector<float> values(kSteps * kFloats);
        for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
        c.upload(in, values.data(), static_cast<int64_t>(values.size() * sizeof(float)));
    }
    void require(Context& c, int index, float expected) const {
        float value;
        c.download(&value, out + index, sizeof value);
        if (value != expected) throw std::runtime_error("got " + std::to_string(value));
    }
};

}  // namespace

std::vector<Check> async_checks() {
    auto reversed = [](void (*kernel)(const float*, float*), int index, float expected) {
        return [=](Context& c) {
            Data data(c);
            launch(c, kernel, 1, 32, shared_size<float>(kFloats),
                   static_cast<const float*>(data.in.get()), data.out.get());
            data.require(c, index, expected);
        };
    };
    auto ringed = [](void (*kernel)(const float*, int, float*)) {
        return [=](Context& c) {
            Data data(c);
            launch(c, kernel, 1, 64, shared_size<float>(2 * kFloats) + 2 * shared_size<uint64_t>(2),
                   static_cast<const float*>(data.in.get()), Data::kSteps, data.out.get());
            data.require(c, 3, 5 * 3 + kFloats * (0 + 1 + 2 + 3 + 4));
        };
    };
    return {
        {"a copy that is waited for", "", reversed(reverse<true, true>, 0, kFloats - 1)},
        {"a copy that nobody waits for", "still filling", reversed(reverse<false, true>, 0, 0)},
        {"a copy that others read without a barrier", "races with",
         reversed(reverse<true, false>, 0, 0)},
        {"a copy filled up with zeros", "", reversed(fill_partly, 2, 0)},
        {"the bytes that a short copy read", "", reversed(fill_partly, 1, 1)},
        {"a word that is copied", "", reversed(fill_words<true>, 2, 2)},
        {"a word that is filled with zeros", "", reversed(fill_words<true>, 1, 0)},
        {"a word that nobody waits for", "still filling", reversed(fill_words<false>, 2, 0)},
        {"a ring of bulk copies", "", ringed(ring<true, true>)},
        {"a ring that reads before the data has landed", "of memory that",
         ringed(ring<false, true>)},
        {"a ring that fills a stage before it was read", "more arrivals",
         ringed(ring<true, false>)},
    };
}

}  // namespace self_test
