// Softmax attention of video tokens over a few hundred text tokens: formula in
// sanavideo/attention.h, tiling in softmax_attention.cuh.
//
// Queries stay as they are: (rms(q) * weight) . k = (q . (weight * k)) / rms. A first kernel
// multiplies the keys with the weight, once for all queries, and 1 / rms joins the scale of a
// query's logits. In bf16 these keys are rounded where the CPU rounds the normalised queries.
//
// At 480p, 32,760 tokens, 20 heads of 112, 300 keys, in bf16:
// - Memory: q is read and out written once, 147 MB each; keys and values (2.7 MB) stay in the
//   second-level cache. 0.09 ms at 3.35 TB/s (H100), 0.16 ms at 1.79 TB/s (RTX 5090).
// - Products: 4 * tokens * keys * width = 88 GFLOP, 94 with the empty places of the last tile of
//   keys: 0.10 ms at 989 TFLOP/s, 0.45 ms at 209.5. This instruction reaches about 60% of the
//   H100's rate: 0.16 ms.
// - Shared memory: a warp reads each tile of keys and of values for its own 16 queries, 28 KiB for
//   112 products; 5.9 GB at 128 bytes a cycle and multiprocessor are 0.20 ms and 0.11 ms.
// - From the second-level cache come 134 KB a block, 0.92 GB in all.
// So the H100 is bound by shared memory, the RTX 5090 by products. Predicted, not measured, with
// 3 us for the keys: 0.28 ms and 0.52 ms. What would help the H100 is wgmma, which reads a tile
// once for 64 queries.
//
// In f32, 107 GFLOP with the empty places at 66.9 and 104.8 TFLOP/s are 1.6 and 1.0 ms; at 60% of
// that rate, predicted and not measured: 2.7 ms and 1.7 ms.
#include "cuda/ops.hpp"
#include "cuda/softmax_attention.cuh"

namespace sv::cuda {
namespace {

constexpr int kWeighThreads = 256;

// All keys of the text, each query's logits divided by its rms.
struct TextKeys : AllKeys {
    static constexpr int kSmallHead = 112;
    const float* square_sums;  // of the queries
    float inverse_width, epsilon;

    __device__ float factor(int query) const {
        return scale * rsqrtf(square_sums[query] * inverse_width + epsilon);
    }
};

// out[l, i] = weight[i] * keys[l, i]; rows of keys are `stride` apart, those of out `width`
template <typename T>
__global__ void weigh_keys(const T* keys, int64_t stride, const float* weight, int64_t width,
                           int64_t count, T* out) {
    int64_t i = int64_t{blockIdx.x} * kWeighThreads + threadIdx.x;
    if (i >= count) return;
    int64_t row = i / width, channel = i % width;
    out[i] = narrow<T>(weight[channel] * widen(keys[row * stride + channel]));
}

}  // namespace

void cross_attention(sv_context& context, const sv_tensor& q, const sv_tensor& square_sums,
                     const sv_tensor& q_weight, float norm_epsilon, const sv_tensor& kv,
                     const sv_tensor& out) {
    Context& c = enter(context);
    int64_t heads = q.shape[1], size = q.shape[2], width = heads * size;
    int64_t count = kv.shape[0] * width;
    TextKeys keys{
        {count_of(kv.shape[0], "keys"), 1.0f / std::sqrt(static_cast<float>(size))},
        static_cast<const float*>(square_sums.data),
        1.0f / static_cast<float>(width),
        norm_epsilon,
    };
    with_float_type(q.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* text = static_cast<const T*>(kv.data);
        Scratch<T> weighed(c.memory, count);
        launch(c, weigh_keys<T>, static_cast<unsigned>(divide_up(count, kWeighThreads)),
               kWeighThreads, 0, text, 2 * width, static_cast<const float*>(q_weight.data), width,
               count, weighed.get());
        Attention<T> a{
            .q = {static_cast<const T*>(q.data), 0, width, size},
            .k = {weighed, 0, width, size},
            .v = {text + width, 0, 2 * width, size},
            .out = {static_cast<T*>(out.data), 0, width, size},
            .batch = 1,
            .queries = count_of(q.shape[0], "tokens"),
            .keys = keys.keys,
            .heads = count_of(heads, "heads"),
            .group = 1,
            .size = count_of(size, "channels"),
        };
        softmax_attention(c, a, keys);
    });
}

}  // namespace sv::cuda
