// What happens to a sum of the GEMM skeleton (gemm.cuh) before it is stored, in fp32:
// out = residual + gate * (activation(sum + bias) + identity), rounded once.
//
// A thread finishes groups of four columns, always the same ones, of several rows, downwards. An
// epilogue is a struct of plain values (the kernel's argument) with these members, in the order of
// their calls:
//
// - `bool wide`: whether kWide may be true in what follows.
// - `Columns columns_at<kWide>(int column)`: what a thread keeps for its columns.
// - `Fetched fetch<kWide>(int row, int column)`: what it reads of a row's group; of several rows
//   first, so that these reads are under way together.
// - `bool transforms()`, `void transform(const Columns&, float (&sums)[4])`: what takes much code,
//   in a loop of its own.
// - `float finish<kWide>(int row, int column, Columns&, const Fetched&, float (&sums)[4])`: the
//   rest, and the store. Leaves in `sums` what was stored, not rounded, and returns the sum of the
//   squares of what was stored.
// - `bool sums_squares(int column)`, `void store_squares(int row, int slice, float sum)`: whether
//   these are wanted for the columns from `column` on, and where those of a row go: a slice is the
//   columns of one warp.
// - `bool kCorrects`: whether it has correct(product, first_row, first_column, lane), which comes
//   before all others and changes the sums where the product left them.
// - `bool kQuantizes`: whether it has bool quantizes() and
//   quantize<Staging>(sums, first_row, first_column, lane), which comes last, with what finish has
//   left of some rows in shared memory.
//
// row and column may lie beyond the output. A residual that is the output itself is safe: each
// element is read and written by one thread, in this order.
#pragma once

#include "common/tensor.hpp"
#include "cuda/activation.cuh"
#include "cuda/layout.hpp"
#include "cuda/number.cuh"

namespace sv::cuda::gemm {

constexpr int kGroup = 4;  // columns that a thread finishes together

// kIdentity: whether the epilogue has that member.
template <typename T, bool kIdentity>
struct Epilogue {
    static constexpr bool kCorrects = false, kQuantizes = false;

    T* out;  // [rows, columns]
    const T* identity = nullptr;
    const T* residual = nullptr;
    const float* bias = nullptr;
    const float* gate = nullptr;
    int64_t gate_stride = 0;  // from one group's row of gates to the next
    int rows_per_group = 1;
    int first_group_row = 0;  // added to a row when its group is looked up
    int rows = 0, columns = 0;
    float* squares = nullptr;  // [slices, rows] of the first summed_columns
    int summed_columns = 0;    // whole slices
    sv_activation activation = SV_NO_ACTIVATION;
    bool wide = false;  // columns come in whole groups, and all of these addresses are aligned

    struct Columns {
        Vector<float, kGroup> bias, gate;
        int gate_end;  // the first row that needs another gate
    };
    struct Nothing {};
    struct Fetched {
        Vector<T, kGroup> residual;
        std::conditional_t<kIdentity, Vector<T, kGroup>, Nothing> identity;
    };

    template <bool kWide>
    __device__ __forceinline__ Columns columns_at(int column) const {
        Columns kept{};
        if (bias != nullptr && column < columns) kept.bias = read<kWide>(bias + column, column);
        return kept;
    }

    template <bool kWide>
    __device__ __forceinline__ Fetched fetch(int row, int column) const {
        Fetched fetched{};
        if (row >= rows || column >= columns) return fetched;
        int64_t at = int64_t{row} * columns + column;
        if (residual != nullptr) fetched.residual = read<kWide>(residual + at, column);
        if constexpr (kIdentity) fetched.identity = read<kWide>(identity + at, column);
        return fetched;
    }

    __device__ bool transforms() const { return bias != nullptr || activation != SV_NO_ACTIVATION; }

    __device__ __forceinline__ void transform(const Columns& kept, float (&sums)[kGroup]) const {
        for (int i = 0; i < kGroup; ++i) sums[i] += kept.bias.at[i];
        if (activation == SV_SILU) {
            for (int i = 0; i < kGroup; ++i) sums[i] = silu(sums[i]);
        } else if (activation == SV_GELU_TANH) {
            for (int i = 0; i < kGroup; ++i) sums[i] = gelu_tanh(sums[i]);
        }
    }

    template <bool kWide>
    __device__ __forceinline__ float finish(int row, int column, Columns& kept,
                                            const Fetched& fetched, float (&sums)[kGroup]) const {
        if (row >= rows || column >= columns) return 0;
        if constexpr (kIdentity) add(fetched.identity, sums);
        if (gate != nullptr) {
            if (row >= kept.gate_end) {
                int group = (first_group_row + row) / rows_per_group;
                kept.gate = read<kWide>(gate + group * gate_stride + column, column);
                kept.gate_end = (group + 1) * rows_per_group - first_group_row;
            }
            for (int i = 0; i < kGroup; ++i) sums[i] *= kept.gate.at[i];
        }
        if (residual != nullptr) add(fetched.residual, sums);
        Vector<T, kGroup> rounded = narrow<T>(sums);
        T* to = out + int64_t{row} * columns + column;
        if constexpr (kWide) {
            store(to, rounded);
        } else {
            for (int i = 0; i < kGroup; ++i) {
                if (column + i < columns) to[i] = rounded.at[i];
            }
        }
        float stored[kGroup];
        widen(rounded, stored);
        float square_sum = 0;
        for (int i = 0; i < kGroup; ++i) square_sum += stored[i] * stored[i];
        return square_sum;
    }

    __device__ bool sums_squares(int column) const { return column < summed_columns; }

    __device__ void store_squares(int row, int slice, float sum) const {
        if (row < rows) squares[int64_t{slice} * rows + row] = sum;
    }

private:
    __device__ __forceinline__ static void add(const Vector<T, kGroup>& values,
                                               float (&sums)[kGroup]) {
        float wide_values[kGroup];
        widen(values, wide_values);
        for (int i = 0; i < kGroup; ++i) sums[i] += wide_values[i];
    }

    // A group from `column` on; zeros beyond the last column.
    template <bool kWide, typename Element>
    __device__ __forceinline__ Vector<Element, kGroup> read(const Element* from, int column) const {
        if constexpr (kWide) return load<Element, kGroup>(from);
        Vector<Element, kGroup> group{};
        for (int i = 0; i < kGroup; ++i) {
            if (column + i < columns) group.at[i] = from[i];
        }
        return group;
    }
};

// The ABI's epilogue of a product that is stored to out. A caller that changes an address or adds
// the identity keeps their alignment.
template <typename T, bool kIdentity>
Epilogue<T, kIdentity> epilogue_of(const sv_epilogue& from, const sv_tensor& out) {
    Epilogue<T, kIdentity> to{static_cast<T*>(out.data)};
    to.rows = static_cast<int>(rows(out));
    to.columns = static_cast<int>(channels(out));
    to.activation = from.activation;
    if (from.bias != nullptr) to.bias = static_cast<const float*>(from.bias->data);
    if (from.gate != nullptr) {
        const sv_tensor& gate = *from.gate;
        to.gate = static_cast<const float*>(gate.data) + from.gate_row * gate.shape[2];
        to.gate_stride = gate.shape[1] * gate.shape[2];
        to.rows_per_group = static_cast<int>(rows(out) / gate.shape[0]);
    }
    if (from.residual != nullptr) to.residual = static_cast<const T*>(from.residual->data);
    constexpr int64_t kGroupBytes = kGroup * sizeof(T);
    to.wide = to.columns % kGroup == 0 && aligned(to.out, kGroupBytes) &&
              aligned(to.residual, kGroupBytes) && aligned(to.bias, 16) && aligned(to.gate, 16);
    return to;
}

}  // namespace sv::cuda::gemm
