// Causal attention of a Gemma-2 layer: formula in sanavideo/attention.h, tiling in
// softmax_attention.cuh.
//
// A first kernel rotates queries and keys into scratch memory, in the dtype of qkv: in bf16 they
// are rounded once more than on the CPU, as a bf16 encoder of the references does. Then softmax
// attention with soft cap and mask; a block passes only the tiles of keys that its queries see.
//
// 300 tokens, 8 heads over 4 of 256 in bf16: 3.7 MB and 0.4 GFLOP, a microsecond of either. The
// time is latency: 64 blocks pass at most five tiles of keys in five steps each, about a
// microsecond a step. Predicted, not measured, with 4 us for the rotation: 30 us a layer, on an
// H100 and an RTX 5090 alike.
#include <cmath>

#include "cuda/ops.hpp"
#include "cuda/softmax_attention.cuh"

namespace sv::cuda {
namespace {

// A query sees itself and what came before, through a soft cap.
struct CausalKeys {
    static constexpr int kSmallHead = 0;
    int window;  // keys that a query sees at most
    float scale, cap, inverse_cap;

    __device__ int begin(int query) const { return max(query + 1 - window, 0); }
    __device__ int end(int query) const { return query + 1; }
    __device__ float logit(float product) const {
        float logit = scale * product;
        return cap == 0 ? logit : cap * tanhf(logit * inverse_cap);
    }
    __device__ float factor(int) const { return 1.0f; }
};

constexpr int kRotateThreads = 128;

// Rotates the queries and keys of one token and pair of channels, in all heads: channel i of the
// first half with i of the second.
template <typename T>
__global__ void rotate(const T* qkv, int64_t tokens, int heads, int64_t row, int half, double theta,
                       T* out) {
    int64_t index = int64_t{blockIdx.x} * kRotateThreads + threadIdx.x;
    if (index >= tokens * half) return;
    int64_t token = index / half;
    auto i = static_cast<int>(index % half);
    double exact = pow(theta, -static_cast<double>(i) / half);
    double frequency = widen(narrow<bf16>(static_cast<float>(exact)));
    double angle = static_cast<double>(token) * frequency;
    auto cosine = static_cast<float>(cos(angle)), sine = static_cast<float>(sin(angle));
    for (int head = 0; head < heads; ++head) {
        int first = head * 2 * half + i;
        const T* from = qkv + token * row + first;
        T* to = out + token * heads * 2 * half + first;
        float a = widen(from[0]), b = widen(from[half]);
        to[0] = narrow<T>(a * cosine - b * sine);
        to[half] = narrow<T>(b * cosine + a * sine);
    }
}

}  // namespace

void text_attention(sv_context& context, const sv_tensor& qkv, int heads, int key_heads,
                    double theta, float scale, float cap, int64_t window, const sv_tensor& out) {
    Context& c = enter(context);
    int64_t tokens = qkv.shape[0], row = qkv.shape[1], size = out.shape[1] / heads;
    int rotated_heads = heads + key_heads;
    int64_t width = rotated_heads * size;
    bool all = window == 0 || window > tokens;
    CausalKeys keys{count_of(all ? tokens : window, "tokens"), scale, cap, 1.0f / cap};
    with_float_type(qkv.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        auto* in = static_cast<const T*>(qkv.data);
        Scratch<T> rotated(c.memory, tokens * width);
        auto half = static_cast<int>(size / 2);
        launch(c, rotate<T>, static_cast<unsigned>(divide_up(tokens * half, kRotateThreads)),
               kRotateThreads, 0, in, tokens, rotated_heads, row, half, theta, rotated.get());
        Attention<T> a{
            .q = {rotated, 0, width, size},
            .k = {rotated + heads * size, 0, width, size},
            .v = {in + width, 0, row, size},
            .out = {static_cast<T*>(out.data), 0, heads * size, size},
            .batch = 1,
            .queries = count_of(tokens, "tokens"),
            .keys = count_of(tokens, "tokens"),
            .heads = heads,
            .group = heads / key_heads,
            .size = count_of(size, "channels"),
        };
        softmax_attention(c, a, keys);
    });
}

}  // namespace sv::cuda
