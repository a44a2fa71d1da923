// Linear attention with a ReLU feature map; formula in sanavideo/attention.h, and the same in
// native/cpu/linear_attention.cpp.
//
//   A  sum_chunks  per chunk of tokens and heads: the chunk's part of S = sum_n v_n rope(k'_n)^T
//                  and of z = sum_n k'_n
//   B  sum_states  per element: the incoming state and the parts in the order of the chunks
//   C  read_state  per range of tokens and heads: (S rope(q'_n)) / (z . q'_n + epsilon)
//
// q, k and v are read once, as the projection leaves them; RMS norm, weight, ReLU and rotation
// happen on a tile in shared memory. The number of chunks is a constant of the shapes, and an
// output depends on its own token and the state alone: the same bits on every card. Sums, state
// and normaliser are fp32.
//
// bf16, heads of up to 256 channels (linear_attention_tiles.cuh, linear_attention_tensor.cuh)
//
// Operands of the tensor cores are bf16: v as it is; rope(k') and rope(q') rounded, as in the
// reference under autocast; S as the sum of two bf16, in two products, or its rounding would be
// one more error of the size of the output's own. bf16 has the exponents of fp32, so S needs no
// scale however long the clip. z and z . q' are made of k' and q' in fp32, before rotation and
// rounding.
//
// A block of 8 warps works on two heads, so that their angles are read once: 8 bytes a pair of
// channels, as many as k and v of one head together. It goes through its tokens 16 at a time.
// Between two barriers one tile is made into features in place (a lane owns 4 channels of both
// heads, their norm weights and their part of z in registers), the tile before it is multiplied,
// and four are on their way (cp.async); angles come two tiles early, in registers. Half of the
// warps multiply first: each scheduler has one warp for the tensor cores and one for the rest.
//   A: 4 warps a head, 2 bands of rows by 2 halves of columns of S: 64 or 48 x 56 sums, up to 112
//      registers. That is 3.75 loads from shared memory for 14 products, where 7 warps with 16
//      rows each would need 8.
//   C: 4 warps a head share out the value channels. Their part of S stays in up to 128 registers,
//      so that shared memory delivers q alone.
//
// Counted at 480p, 1 x 32760 tokens x 20 heads x 112:
//   q, k, v, out   587 MB, the floor: 0.175 ms on an H100 (3.35 TB/s), 0.328 ms on an RTX 5090
//   angles         14.7 MB a phase from memory, 147 MB to the multiprocessors through L2
//   parts          13 chunks x 1 MB, written by A, read by B, in L2 for the most part
//   products       A 16.6, C 33.2 GFLOP: 0.05 ms at 989 TFLOP/s, 0.24 ms at 209.5
// So memory bounds both phases, and what a scheduler does for a tile of its block must fit into
// the time that memory takes for the tile's 14.3 KB: 565 ns, 990 clocks of an H100, of whose 132
// multiprocessors 130 have a block. As compiled for sm_90a:
//   A: about 600 instructions, 49 products; shared memory is busy for 560 clocks
//   C: about 750 instructions, 98 products (some 640 clocks at the rate of mma.sync); 440 clocks
// On its way to a multiprocessor: 57 KB in A, 29 KB in C; 3.35 TB/s x 0.8 us / 132 is 20 KB.
// Shared memory: 94 KB in A, 44 KB in C, no bank conflicts; a multiprocessor has one block.
// Predicted, not measured: 0.21 ms on an H100 (A 0.100, B 0.004, C 0.100, starts 0.005), 83% of
// 3.35 TB/s and about 90% of a copy's speed; 0.40 ms on an RTX 5090, where C is bound by the tensor
// cores as much as by memory. Levers if it misses: angles of half the bytes (L2), S as one bf16
// (tensor cores), 14 warps a block (latency).
//
// Smaller heads are padded with zeros to the next of 32, 64, 112, 128 and 256 channels. A block
// for 256 has one head and 64 of its value channels.
//
// f32, and what does not fit above (linear_attention_plain.cuh)
//
// Plain multiply-adds: squares of 112 x 112 or 64 x 64 sums, 8 x 8 a thread, 16 terms in shared
// memory at a time. 33.2 GFLOP, 0.50 ms at 67 TFLOP/s and 0.32 ms at 105; 1.17 GB, 0.35 and 0.66
// ms. Predicted, not measured: 0.8 ms on both cards, as a block, alone on its multiprocessor,
// waits for its loads.
#include <algorithm>

#include "common/tensor.hpp"
#include "cuda/launch.cuh"
#include "cuda/linear_attention_plain.cuh"
#include "cuda/linear_attention_tensor.cuh"
#include "cuda/ops.hpp"

namespace sv::cuda {
namespace {

constexpr int kSumThreads = 256;
constexpr int64_t kChunkBlocks = 132;  // of phase A, as many as an H100 has multiprocessors
constexpr int64_t kLeastTokens = 128;  // of a chunk

// Phase B: element by element, the incoming state (null for none) and the chunks' parts in their
// order.
__global__ void __launch_bounds__(kSumThreads)
    sum_states(States parts, int chunks, States before, States sums, int64_t values, int64_t keys) {
    int64_t i = int64_t{blockIdx.x} * kSumThreads + threadIdx.x;
    if (i >= values + keys) return;
    bool key = i >= values;
    int64_t size = key ? keys : values;
    if (key) i -= values;
    const float* part = (key ? parts.keys : parts.values) + i;
    const float* from = key ? before.keys : before.values;
    float sum = from == nullptr ? 0.0f : from[i];
#pragma unroll 4
    for (int c = 0; c < chunks; ++c) sum += part[c * size];
    (key ? sums.keys : sums.values)[i] = sum;
}

// Chunks of tokens: as many as give each multiprocessor of one kind of card `blocks_each` blocks of
// phase A. A constant of the shapes, so that every card sums in one order.
int chunks_of(int64_t tokens, int64_t blocks_a_chunk, int64_t blocks_each) {
    int64_t chunks = std::min(kChunkBlocks * blocks_each / blocks_a_chunk, tokens / kLeastTokens);
    return static_cast<int>(std::max<int64_t>(chunks, 1));
}

States states_of(const sv_tensor* values, const sv_tensor* keys) {
    if (values == nullptr) return {nullptr, nullptr};
    return {static_cast<float*>(values->data), static_cast<float*>(keys->data)};
}

// Phase B between the others: sums the parts of `chunks` chunks that `sum` queues, and hands the
// state to `read`.
template <typename T, class Sum, class Read>
void sum_and_read(Context& context, const Tokens<T>& in, int chunks, States before, States after,
                  const Sum& sum, const Read& read) {
    int64_t keys = in.batch * in.heads * in.size;
    int64_t values = keys * in.size;
    Scratch<float> part_values(context.memory, chunks * values);
    Scratch<float> part_keys(context.memory, chunks * keys);
    Scratch<float> sum_values(context.memory, after.values == nullptr ? values : 1);
    Scratch<float> sum_keys(context.memory, after.values == nullptr ? keys : 1);
    States parts{part_values, part_keys};
    States sums = after.values == nullptr ? States{sum_values, sum_keys} : after;
    sum(parts);
    auto blocks = static_cast<unsigned>(divide_up(values + keys, kSumThreads));
    launch(context, sum_states, blocks, kSumThreads, 0, parts, chunks, before, sums, values, keys);
    read(sums);
}

template <typename T, int Side>
void attend_plain(Context& context, const Tokens<T>& in, States before, States after, float epsilon,
                  T* out) {
    using S = Square<Side>;
    int64_t squares = divide_up(in.size, Side);
    int64_t blocks = in.batch * in.heads * squares;
    int chunks = chunks_of(in.tokens, blocks * squares, 2);
    int64_t shared = 2 * shared_size<float>(kPlainDepth * S::kStride);
    sum_and_read(
        context, in, chunks, before, after,
        [&](States parts) {
            launch(context, sum_chunks_plain<T, Side>,
                   static_cast<unsigned>(blocks * squares * chunks), S::kThreads,
                   shared + shared_size<float>(S::kThreads * 2), in, chunks, parts);
        },
        [&](States state) {
            launch(context, read_state_plain<T, Side>,
                   static_cast<unsigned>(blocks * divide_up(in.tokens, Side)), S::kThreads,
                   shared + shared_size<float>(Side), in, state, epsilon, out);
        });
}

template <int Size>
void attend_tensor(Context& context, const Tokens<bf16>& in, States before, States after,
                   float epsilon, bf16* out) {
    using P = Plan<Size>;
    int64_t blocks = in.batch * divide_up(in.heads, P::kHeads) * P::kSlices;
    int chunks = chunks_of(in.tokens, blocks, 1);
    // The outputs do not depend on how tokens are shared out.
    int64_t tiles = divide_up(in.tokens, kTileTokens);
    int64_t fit = std::max<int64_t>(context.multiprocessors / blocks, 1);
    int ranges = static_cast<int>(std::min(fit, tiles));
    sum_and_read(
        context, in, chunks, before, after,
        [&](States parts) {
            int64_t shared = shared_size<bf16>(P::kSumStages * P::kKeyTile) +
                             shared_size<bf16>(P::kSumStages * P::kValueTile) +
                             shared_size<float>(kWarps * P::kHeads * Size);
            launch(context, sum_chunks<Size>, static_cast<unsigned>(blocks * chunks), kThreads,
                   shared, in, chunks, parts);
        },
        [&](States state) {
            int64_t shared = shared_size<bf16>(P::kReadStages * P::kKeyTile) +
                             shared_size<float>(kTurns * P::kHeads * kTileTokens);
            launch(context, read_state<Size>, static_cast<unsigned>(blocks * ranges), kThreads,
                   shared, in, ranges, state, epsilon, out);
        });
}

// The way for a head's size.
template <typename T>
void attend(Context& context, const Tokens<T>& in, States before, States after, float epsilon,
            T* out) {
    auto by = [&](auto* way) { way(context, in, before, after, epsilon, out); };
    if constexpr (std::is_same_v<T, bf16>) {
        if (in.aligned && in.size <= 32) return by(attend_tensor<32>);
        if (in.aligned && in.size <= 64) return by(attend_tensor<64>);
        if (in.aligned && in.size <= 112) return by(attend_tensor<112>);
        if (in.aligned && in.size <= 128) return by(attend_tensor<128>);
        if (in.aligned && in.size <= 256) return by(attend_tensor<256>);
    } else {
        if (in.size > 64 && in.size <= 112) return by(attend_plain<T, 112>);
    }
    by(attend_plain<T, 64>);
}

}  // namespace

void linear_attention(sv_context& context, const sv_tensor& qkv, const sv_tensor& square_sums,
                      const sv_tensor& q_weight, const sv_tensor& k_weight, float norm_epsilon,
                      const sv_tensor& angles, float epsilon, const sv_tensor* state_in_values,
                      const sv_tensor* state_in_keys, const sv_tensor* state_out_values,
                      const sv_tensor* state_out_keys, const sv_tensor& out) {
    Context& c = enter(context);
    with_float_type(qkv.dtype, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Tokens<T> in;
        in.qkv = static_cast<const T*>(qkv.data);
        in.square_sums = static_cast<const float*>(square_sums.data);
        in.weights[kQuery] = static_cast<const float*>(q_weight.data);
        in.weights[kKey] = static_cast<const float*>(k_weight.data);
        in.angles = static_cast<const float*>(angles.data);
        in.batch = qkv.shape[0];
        in.tokens = qkv.shape[1];
        // Kernels count the channels of a tile's tokens, and the tokens of a block, in an int.
        count_of(3 * kTileTokens * qkv.shape[3] * qkv.shape[4], "channels of 16 tokens");
        count_of(in.tokens, "tokens");
        in.heads = static_cast<int>(qkv.shape[3]);
        in.size = static_cast<int>(qkv.shape[4]);
        in.inverse_width = 1.0f / static_cast<float>(in.heads * in.size);
        in.norm_epsilon = norm_epsilon;
        in.aligned = in.size % 8 == 0 && aligned(qkv.data, 16) && aligned(angles.data, 16) &&
                     aligned(out.data, 16) &&
                     (state_out_values == nullptr || aligned(state_out_values->data, 8));
        attend(c, in, states_of(state_in_values, state_in_keys),
               states_of(state_out_values, state_out_keys), epsilon, static_cast<T*>(out.data));
    });
}

}  // namespace sv::cuda
