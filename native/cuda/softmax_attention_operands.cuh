// What the kernels of softmax attention (softmax_attention.cuh) know of their operands, and which
// part of them a block reads.
#pragma once

#include <cmath>

#include "cuda/launch.cuh"
#include "cuda/number.cuh"
#include "cuda/warp.cuh"

namespace sv::cuda {
namespace {

constexpr int kKeyTile = 64;  // keys

// Where element (batch, row, head, channel) of an operand lies; the channels of a head are
// neighbours. Kernels read and write words of 16 bytes: each head of each row begins at a multiple
// of that and has its last word for itself, filled up with zeros.
template <typename T>
struct Rows {
    T* data;
    int64_t batch, row, head;  // strides, in elements

    __device__ T* of(int64_t of_batch, int64_t of_head) const {
        return data + of_batch * batch + of_head * head;
    }
};

template <typename T>
struct Attention {
    Rows<const T> q, k, v;
    Rows<T> out;
    int batch, queries, keys;
    int heads, group;  // heads of queries, and how many of them share a head of keys
    int size;          // channels of a head
};

// Which keys a query sees and how their dot products become weights. Each op has such a type with
// these members: query n sees keys [begin(n), end(n)), both growing with n, and weighs them with
// exp(factor(n) * logit(q_n . k_l)), no factor being negative. Heads of up to kSmallHead channels
// have a kernel of their own (softmax_attention_tensor.cuh); 0 is none.
struct AllKeys {
    static constexpr int kSmallHead = 0;
    int keys;
    float scale;

    __device__ int begin(int) const { return 0; }
    __device__ int end(int) const { return keys; }
    __device__ float logit(float product) const { return product; }
    __device__ float factor(int) const { return scale; }
};

// What a block computes: `query` is its first query, `column` its first column.
struct Part {
    int batch, head, query, column;
};

// Blocks that read the same rows of queries follow each other: the columns of a head, then the
// heads.
template <typename T>
__device__ Part part_of_block(const Attention<T>& a, int query_tile, int width) {
    int columns = (a.size + width - 1) / width, tiles = (a.queries + query_tile - 1) / query_tile;
    auto block = static_cast<int>(blockIdx.x);
    int column = block % columns;
    block /= columns;
    int head = block % a.heads;
    block /= a.heads;
    return {block / tiles, head, block % tiles * query_tile, column * width};
}

// The keys that a block passes, in tiles from begin on.
struct KeyTiles {
    int begin, end;          // keys that some of its queries see
    int all_begin, all_end;  // keys that all of them see

    template <typename Keys>
    __device__ KeyTiles(const Keys& keys, int first_query, int last_query)
        : begin(keys.begin(first_query) / kKeyTile * kKeyTile),
          end(keys.end(last_query)),
          all_begin(keys.begin(last_query)),
          all_end(keys.end(first_query)) {}
    // Whether all queries see all keys of a tile.
    __device__ bool whole(int tile) const {
        return tile >= all_begin && tile + kKeyTile <= all_end;
    }
};

// Starts to copy a tile of Rows x Columns elements to shared memory, its rows `pitch` apart. `from`
// is the tile's first element; rows and columns are how many there are from there on. Zeros take
// the place of the others: what lies there may be a NaN, which a weight of 0 would not remove.
template <int Rows, int Columns, int Threads, typename T>
__device__ void copy_tile(const T* from, int64_t stride, int rows, int columns, T* to, int pitch) {
    constexpr int kWords = Columns / kWide<T>, kRowsAtOnce = Threads / kWords;
    auto thread = static_cast<int>(threadIdx.x), step = static_cast<int>(stride);
    int column = thread % kWords * kWide<T>;
    int first = thread < kRowsAtOnce * kWords ? thread / kWords : Rows;  // none for the last few
#pragma unroll 1
    for (int row = first; row < Rows; row += kRowsAtOnce) {
        bool there = row < rows && column < columns;
        copy_async_16(to + row * pitch + column, there ? from + row * step + column : from,
                      there ? 16 : 0);
    }
    copy_async_commit();
}

}  // namespace
}  // namespace sv::cuda
