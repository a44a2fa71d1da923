// Normalisations over the last dimension; formulas in sanavideo/norm.h.
//
// A team of lanes holds its row in registers (row.cuh) while the passes go over it: a mean and the
// squares of the distances from it (layer norm), or a sum of squares, then the row scaled and
// written. Each input is read once and each output written once; there is no shared memory and no
// barrier, only shuffles inside a warp. The Wan VAE's norm, x / max(||x||, 1e-12) sqrt(channels) w,
// is an RMS norm without epsilon whose mean square is held above 1e-24 / channels; a pixel norm is
// one without weights. Rows of the modulation are found by the row's group; a group's two are read
// through the L1 cache by all rows of it that a multiprocessor has at hand.
//
// A layer norm quantised to NVFP4 is the same kernel with another place for its results
// (nvfp4_rows.cuh).
//
// Bound by memory. Predicted, not measured, of bf16 at 480p (32760 tokens):
//
//                                           bytes      H100      RTX 5090
//   layer norm, 2240 channels               294 MB     88 us      164 us
//   the same to NVFP4                       188 MB    160 us      105 us
//   RMS norm, 2240 channels                 294 MB     88 us      164 us
//   square sums of q and k                  294 MB     88 us      164 us
//   VAE norm, 4 x 480 x 832 x 96            613 MB    183 us      342 us
//
// What else a multiprocessor of an H100 (132 of them at 1.76 GHz: 14.4 bytes a clock each) does in
// the time of a row, counted in the machine code:
//
//   layer norm, 2240: 620 clocks; 800 instructions of one warp in four schedulers, 32%; through the
//     L1 cache 35 + 35 lines of the row and 140 of the modulation, 34%.
//   layer norm to NVFP4, 2240: some 65 instructions an element, half of them comparisons for the
//     codes and a quarter IEEE divisions, are 160 us: they bound it on an H100, which has no use
//     for NVFP4; the 90 us of an RTX 5090 are hidden.
//   VAE norm, 96 with SiLU: 27 clocks; 55 instructions, 52%; 96 exponentials and as many
//     reciprocals, 16 a clock: 45%.
//
// Loads of 16 rows of 4.4 KB are under way at once for a layer norm; 15 KB cover a latency of 1 us.
#include "common/tensor.hpp"
#include "cuda/activation.cuh"
#include "cuda/nvfp4_rows.cuh"
#include "cuda/ops.hpp"
#include "cuda/row.cuh"

namespace sv::cuda {
namespace {

// Elements of a word beside fp32 tables, which are read 16 bytes at a time.
constexpr int kTableWord = 4;

template <typename T, int Count, int Held>
__device__ __forceinline__ float square_sum(const Row<T, Count, Held>& row, const Team& team) {
    float sum = 0;
    row.each([&](Word at) {
        float x[Count];
        row.get(at, x);
        float part = 0;
        for (int i = 0; i < Count; ++i) part += x[i] * x[i];
        sum += part;
    });
    return team.sum(sum);
}

// Where a layer norm's rows go. take(row, team, channels, result) walks over the row, of which
// result(word, x) makes a word; an idle team calls it too.
template <typename T>
struct ElementRows {
    T* out;

    template <int Count, int Held, typename RowT, typename Result>
    __device__ __forceinline__ void take(const RowT& row, const Team& team, int channels,
                                         const Result& result) const {
        if (team.idle) return;
        T* to = out + int64_t{team.row} * channels + team.lane * Count;
        row.each([&](Word at) {
            float x[Count];
            result(at, x);
            store_word(to, at, x);
        });
    }
};

template <typename T, int Count, int Held, typename Out>
__global__ void __launch_bounds__(kRowThreads)
    layer_norm(RowLayout layout, const T* in, const float* __restrict__ shift,
               const float* __restrict__ scale, int rows_per_group, int64_t group_stride,
               float share, float epsilon, Out out) {
    int channels = layout.words * Count;
    each_row<Held>(layout, [&](const Team& team) {
        int first = team.lane * Count;
        Row<T, Count, Held> row(in + int64_t{team.row} * channels + first, team);
        float sum = 0;
        row.each([&](Word at) {
            float x[Count];
            row.get(at, x);
            float part = 0;
            for (int i = 0; i < Count; ++i) part += x[i];
            sum += part;
        });
        float mean = team.sum(sum) * share;
        float squares = 0;
        row.each([&](Word at) {
            float x[Count];
            row.get(at, x);
            float part = 0;
            for (int i = 0; i < Count; ++i) part += (x[i] - mean) * (x[i] - mean);
            squares += at.inside ? part : 0.0f;
        });
        float variance = team.sum(squares) * share;
        float inverse = rsqrtf(variance + epsilon);

        int64_t group = team.row / rows_per_group * group_stride + first;
        auto result = [&](Word at, float (&x)[Count]) {
            float added[Count], factor[Count];
            load_word(shift + group, at, added);
            load_word(scale + group, at, factor);
            row.get(at, x);
            for (int i = 0; i < Count; ++i) {
                x[i] = (x[i] - mean) * inverse * (1.0f + factor[i]) + added[i];
            }
        };
        out.template take<Count, Held>(row, team, channels, result);
    });
}

// What an RMS norm does to a row:
// y = x / sqrt(max(mean(x^2), floor) + epsilon) * (offset + weight), where weights are null 0.
struct RootMeanSquare {
    int64_t in_stride, out_stride;  // elements from row to row
    float share;                    // of a channel in the mean: 1 / channels
    float floor, epsilon, offset;
    bool silu;
};

template <typename T, int Count, int Held, bool WithResidual>
__global__ void __launch_bounds__(kRowThreads)
    rms(RowLayout layout, RootMeanSquare norm, const T* in, const float* __restrict__ weight,
        const T* residual, T* out) {
    int channels = layout.words * Count;
    each_row<Held>(layout, [&](const Team& team) {
        int64_t index = team.row;
        int first = team.lane * Count;
        Row<T, Count, Held> row(in + index * norm.in_stride + first, team);
        Row<T, Count, WithResidual ? Held : 0> left(residual + index * channels + first, team);
        float mean = square_sum(row, team) * norm.share;
        float inverse = rsqrtf(fmaxf(mean, norm.floor) + norm.epsilon);
        if (team.idle) return;
        T* to = out + index * norm.out_stride + first;
        row.each([&](Word at) {
            float factor[Count] = {}, x[Count];
            if (weight != nullptr) load_word(weight + first, at, factor);
            row.get(at, x);
            for (int i = 0; i < Count; ++i) x[i] *= inverse * (norm.offset + factor[i]);
            if (norm.silu) {
                for (int i = 0; i < Count; ++i) x[i] = silu(x[i]);
            }
            if constexpr (WithResidual) {
                float base[Count];
                left.get(at, base);
                for (int i = 0; i < Count; ++i) x[i] += base[i];
            }
            store_word(to, at, x);
        });
    });
}

template <typename T, int Count, int Held>
__global__ void __launch_bounds__(kRowThreads)
    square_sums(RowLayout layout, const T* in, int parts, int summed, float* out) {
    int channels = layout.words * Count;
    each_row<Held>(layout, [&](const Team& team) {
        int64_t index = int64_t{team.row / summed} * parts + team.row % summed;
        Row<T, Count, Held> row(in + index * channels + team.lane * Count, team);
        float sum = square_sum(row, team);
        if (team.lane == 0 && !team.idle) out[team.row] = sum;
    });
}

}  // namespace

// Out: what makes of an element type where rows of it go.
template <typename Out>
static void queue_layer_norm(Context& c, const sv_tensor& in, const sv_tensor& modulation,
                             int shift_row, int scale_row, float epsilon, const void* out_address,
                             const Out& out_of) {
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        int64_t count = channels(in);
        auto* table = static_cast<const float*>(modulation.data);
        auto out = out_of(type);
        with_row_shape<kTableWord>(
            rows(in), count, {in.data, table, out_address}, [&](auto shape, RowLayout layout) {
                launch(c, layer_norm<T, shape.count, shape.held, decltype(out)>,
                       row_blocks<shape.held>(c, layout), kRowThreads, 0, layout,
                       static_cast<const T*>(in.data), table + shift_row * count,
                       table + scale_row * count, static_cast<int>(rows(in) / modulation.shape[0]),
                       modulation.shape[1] * count, 1.0f / static_cast<float>(count), epsilon, out);
            });
    });
}

void layer_norm_modulated(sv_context& context, const sv_tensor& in, const sv_tensor& modulation,
                          int shift_row, int scale_row, float epsilon, const sv_tensor& out) {
    queue_layer_norm(enter(context), in, modulation, shift_row, scale_row, epsilon, out.data,
                     [&](auto* type) {
                         using T = std::remove_pointer_t<decltype(type)>;
                         return ElementRows<T>{static_cast<T*>(out.data)};
                     });
}

void nvfp4_layer_norm_modulated(sv_context& context, const sv_tensor& in,
                                const sv_tensor& modulation, int shift_row, int scale_row,
                                float epsilon, const sv_nvfp4_matrix& out) {
    queue_layer_norm(enter(context), in, modulation, shift_row, scale_row, epsilon, nullptr,
                     [&](auto*) { return SlabRows{Slabs(out)}; });
}

static void queue_rms(Context& c, sv_dtype dtype, int64_t rows, int64_t channels,
                      RootMeanSquare norm, const void* in, const void* weight, const void* residual,
                      void* out) {
    with_float_type(dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        with_row_shape<kTableWord>(
            rows, channels, {in, weight, residual, out}, [&](auto shape, RowLayout layout) {
                auto kernel = residual == nullptr ? rms<T, shape.count, shape.held, false>
                                                  : rms<T, shape.count, shape.held, true>;
                launch(c, kernel, row_blocks<shape.held>(c, layout), kRowThreads, 0, layout, norm,
                       static_cast<const T*>(in), static_cast<const float*>(weight),
                       static_cast<const T*>(residual), static_cast<T*>(out));
            });
    });
}

void rms_norm(sv_context& context, const sv_tensor& in, int part, const sv_tensor& weight,
              float weight_offset, float epsilon, const sv_tensor* residual, const sv_tensor& out) {
    int64_t count = channels(in);
    int64_t skipped = part * count * bytes_of(in.dtype);
    RootMeanSquare norm{};
    norm.in_stride = in.rank == 3 ? in.shape[1] * count : count;
    norm.out_stride = out.rank == 3 ? in.shape[1] * count : count;
    norm.share = 1.0f / static_cast<float>(count);
    norm.epsilon = epsilon;
    norm.offset = weight_offset;
    queue_rms(enter(context), in.dtype, in.shape[0], count, norm,
              static_cast<const char*>(in.data) + skipped, weight.data,
              residual == nullptr ? nullptr : residual->data,
              static_cast<char*>(out.data) + (out.rank == 3 ? skipped : 0));
}

void channel_norm(sv_context& context, const sv_tensor& in, const sv_tensor& gamma, bool with_silu,
                  const sv_tensor& out) {
    // x / max(||x||, 1e-12) * sqrt(channels), with the root taken out of the maximum.
    int64_t count = channels(in);
    RootMeanSquare norm{};
    norm.in_stride = norm.out_stride = count;
    norm.share = 1.0f / static_cast<float>(count);
    norm.floor = 1e-24f * norm.share;
    norm.silu = with_silu;
    queue_rms(enter(context), in.dtype, rows(in), count, norm, in.data, gamma.data, nullptr,
              out.data);
}

void pixel_norm(sv_context& context, const sv_tensor& in, float epsilon, bool with_silu,
                const sv_tensor& out) {
    int64_t count = channels(in);
    RootMeanSquare norm{};
    norm.in_stride = norm.out_stride = count;
    norm.share = 1.0f / static_cast<float>(count);
    norm.epsilon = epsilon;
    norm.offset = 1;
    norm.silu = with_silu;
    queue_rms(enter(context), in.dtype, rows(in), count, norm, in.data, nullptr, nullptr, out.data);
}

void row_square_sums(sv_context& context, const sv_tensor& in, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(in.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        with_row_shape<kWide<T>>(
            elements(out), channels(in), {in.data}, [&](auto shape, RowLayout layout) {
                launch(c, square_sums<T, shape.count, shape.held>,
                       row_blocks<shape.held>(c, layout), kRowThreads, 0, layout,
                       static_cast<const T*>(in.data), static_cast<int>(in.shape[1]),
                       static_cast<int>(out.shape[1]), static_cast<float*>(out.data));
            });
    });
}

}  // namespace sv::cuda
