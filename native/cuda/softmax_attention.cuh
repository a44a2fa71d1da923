// Softmax attention, out_n = sum_l softmax_l(logit(q_n . k_l)) v_l per head, as three ops share it:
// the head comments of cross_attention.cu, frame_attention.cu and text_attention.cu say what it
// costs them.
//
// The softmax runs over tiles of 64 keys with a running maximum and sum, by which older sums fade
// (online softmax: Milakov and Gimelshein, 2018), so that no logit reaches memory. A block computes
// one slab of the output's columns for a tile of queries of one head; dot products add up over
// slabs of channels. A head of n slabs of columns therefore does its dot products n times, which is
// (n + 1) / 2 times the operations, but any size of head fits in a few registers and little shared
// memory. Tiles of keys that no query of the block sees are passed over.
//
// In bf16 the products run on tensor cores (softmax_attention_tensor.cuh), in f32 as plain
// multiply-adds (softmax_attention_plain.cuh); logits, weights and all sums are fp32 in both.
//
// Kernels take rows that begin at multiples of 16 bytes; others are copied to such first.
#pragma once

#include "cuda/softmax_attention_plain.cuh"
#include "cuda/softmax_attention_tensor.cuh"

namespace sv::cuda {
namespace {

constexpr int kCopyThreads = 256;

// Copies heads of rows, in `to` of to_size channels; zeros where `from` has fewer.
template <typename T>
__global__ void copy_heads(Rows<const T> from, int size, Rows<T> to, int64_t to_size, int64_t heads,
                           int64_t rows, int64_t count) {
    int64_t i = int64_t{blockIdx.x} * kCopyThreads + threadIdx.x;
    if (i >= count) return;
    int64_t channel = i % to_size, head = i / to_size % heads;
    int64_t row = i / to_size / heads % rows, batch = i / to_size / heads / rows;
    to.of(batch, head)[row * to.row + channel] =
        channel < size ? from.of(batch, head)[row * from.row + channel] : T{};
}

template <typename T>
Rows<const T> read_only(const Rows<T>& rows) {
    return {rows.data, rows.batch, rows.row, rows.head};
}

// Attention on copies of the operands, whose heads take whole words of 16 bytes.
template <typename T, typename Keys>
void attend_copies(Context& context, const Attention<T>& a, Keys keys) {
    int64_t batch = a.batch, queries = a.queries, key_heads = a.heads / a.group;
    int64_t size = round_up(a.size, kWide<T>);
    Scratch<T> q(context.memory, batch * queries * a.heads * size);
    Scratch<T> k(context.memory, batch * a.keys * key_heads * size);
    Scratch<T> v(context.memory, batch * a.keys * key_heads * size);
    Scratch<T> out(context.memory, batch * queries * a.heads * size);
    auto whole = [&](T* data, int64_t rows, int64_t heads) {
        return Rows<T>{data, rows * heads * size, heads * size, size};
    };
    Rows<T> whole_q = whole(q, queries, a.heads), whole_out = whole(out, queries, a.heads);
    Rows<T> whole_k = whole(k, a.keys, key_heads), whole_v = whole(v, a.keys, key_heads);

    auto copy = [&](const Rows<const T>& from, const Rows<T>& to, int64_t to_size, int64_t heads,
                    int64_t rows) {
        int64_t count = batch * rows * heads * to_size;
        launch(context, copy_heads<T>, static_cast<unsigned>(divide_up(count, kCopyThreads)),
               kCopyThreads, 0, from, a.size, to, to_size, heads, rows, count);
    };
    copy(a.q, whole_q, size, a.heads, queries);
    copy(a.k, whole_k, size, key_heads, a.keys);
    copy(a.v, whole_v, size, key_heads, a.keys);
    Attention<T> whole_a = a;
    whole_a.q = read_only(whole_q);
    whole_a.k = read_only(whole_k);
    whole_a.v = read_only(whole_v);
    whole_a.out = whole_out;
    attend(context, whole_a, keys);
    copy(read_only(whole_out), a.out, a.size, a.heads, queries);
}

template <typename T>
bool in_whole_words(const Rows<T>& rows) {
    int64_t strides = (rows.batch | rows.row | rows.head) * int64_t{sizeof(T)};
    return aligned(rows.data, 16) && strides % 16 == 0;
}

// out = softmax attention of q, k and v
template <typename T, typename Keys>
void softmax_attention(Context& context, const Attention<T>& a, Keys keys) {
    bool whole = a.size % kWide<T> == 0 && in_whole_words(a.q) && in_whole_words(a.k) &&
                 in_whole_words(a.v) && in_whole_words(a.out);
    if (whole) {
        attend(context, a, keys);
    } else {
        attend_copies(context, a, keys);
    }
}

}  // namespace
}  // namespace sv::cuda
