// What the machine can do at most, to read the benchmarks against: the f32 fused multiply-add and
// the bf16 dot product from registers alone, on one core and on all threads, and copying arrays far
// larger than the caches (bytes read + bytes written). Build and run:
//   g++ -O3 -std=c++17 -march=native -fopenmp bench/ceilings.cpp -o ceilings && ./ceilings 2
// -march=native is right here: this program is made for the machine it measures and never shipped.
#include <immintrin.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#if !defined(__AVX512F__)
#error "ceilings.cpp measures AVX-512 machines; this one lacks it"
#endif

namespace {

// Independent sums: more than latency times issue width, fewer than the 32 registers.
constexpr int kChains = 16;
constexpr long kRounds = 10'000'000;
constexpr int kRepeats = 5;

double now() {
    auto time = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(time).count();
}

// Keeps the value, in a register: the compiler may neither drop nor shorten the sum.
inline void keep(__m512& sum) { asm volatile("" : "+v"(sum)); }

template <size_t>
using Chain = __m512;

template <typename Step, size_t... I>
void run_chains(Step step, std::index_sequence<I...>) {
    auto rounds = [&](Chain<I>... sum) {
        for (long i = 0; i < kRounds; ++i) {
            ((sum = step(sum)), ...);
            (keep(sum), ...);
        }
    };
    rounds(((void)I, _mm512_setzero_ps())...);
}

// GFLOP/s of `threads` threads that each run `step` on kChains accumulators; the best of kRepeats.
template <typename Step>
double rate(int threads, double flop_per_step, Step step) {
    double best = 0;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
        double start = now();
#pragma omp parallel num_threads(threads)
        {
            run_chains(step, std::make_index_sequence<kChains>());
        }
        best = std::max(best, threads * kRounds * kChains * flop_per_step / (now() - start));
    }
    return best * 1e-9;
}

double fma_rate(int threads) {
    __m512 a = _mm512_set1_ps(1e-6f), b = _mm512_set1_ps(1.0f);
    return rate(threads, 2 * 16, [=](__m512 sum) { return _mm512_fmadd_ps(a, b, sum); });
}

#ifdef __AVX512BF16__
double dot_rate(int threads) {
    __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-6f), _mm512_set1_ps(1e-6f));
    return rate(threads, 2 * 32, [=](__m512 sum) { return _mm512_dpbf16_ps(sum, a, a); });
}
#endif

// GB/s, read plus written, of a copy of 256 MiB by `threads` threads; the best of kRepeats.
double copy_rate(int threads, bool streaming) {
    constexpr size_t kBytes = size_t{256} << 20;
    auto* from = static_cast<char*>(std::aligned_alloc(64, kBytes));
    auto* to = static_cast<char*>(std::aligned_alloc(64, kBytes));
    double best = 0;
    for (int repeat = 0; repeat <= kRepeats; ++repeat) {
        double start = now();
#pragma omp parallel num_threads(threads)
        {
            size_t part = kBytes / threads, begin = part * omp_get_thread_num();
            if (repeat == 0) {
                std::memset(from + begin, 1, part);
                std::memset(to + begin, 2, part);
            } else if (streaming) {
                for (size_t i = begin; i < begin + part; i += 64)
                    _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i),
                                        _mm512_load_si512(from + i));
            } else {
                for (size_t i = begin; i < begin + part; i += 64)
                    _mm512_store_si512(to + i, _mm512_load_si512(from + i));
            }
        }
        if (repeat > 0) best = std::max(best, 2 * kBytes / (now() - start));
    }
    std::free(from);
    std::free(to);
    return best * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
    int threads = argc > 1 ? std::atoi(argv[1]) : omp_get_num_procs();
    std::printf("{\"what\": \"ceilings\", \"threads\": %d", threads);
    std::printf(", \"fma_f32_gflops\": [%.1f, %.1f]", fma_rate(1), fma_rate(threads));
#ifdef __AVX512BF16__
    std::printf(", \"dot_bf16_gflops\": [%.1f, %.1f]", dot_rate(1), dot_rate(threads));
#endif
    std::printf(", \"copy_gb_s\": %.1f", copy_rate(threads, false));
    std::printf(", \"copy_streaming_gb_s\": %.1f}\n", copy_rate(threads, true));
}
