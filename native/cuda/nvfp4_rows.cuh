// Rows that teams of lanes hold (row.cuh), quantised into slabs.
#pragma once

#include "cuda/nvfp4_slabs.cuh"
#include "cuda/row.cuh"

namespace sv::cuda {

// Takes a row's results (norm.cu). Where lanes hold words of a row, those of the 4 words of a block
// agree on its scale, and each writes the 2 bytes of its codes: neighbours write neighbours, 64
// bytes a warp. Where the row stays in memory, a lane makes whole blocks.
struct SlabRows {
    Slabs slabs;

    template <int Count, int Held, typename RowT, typename Result>
    __device__ __forceinline__ void take(const RowT& row, const Team& team, int channels,
                                         const Result& result) const {
        if constexpr (Held > 0) {
            take_words<Count>(row, team, channels, result);
        } else if (!team.idle) {
            take_blocks<Count>(team, channels, result);
        }
    }

private:
    template <int Count, typename RowT, typename Result>
    __device__ __forceinline__ void take_words(const RowT& row, const Team& team, int channels,
                                               const Result& result) const {
        static_assert(Count == 4, "the codes of a word are 16 bits");
        int lanes = min(team.lanes, nvfp4::kBlock / Count);  // of a block
        row.each([&](Word at) {
            float x[Count];
            result(at, x);
            for (int i = 0; i < Count; ++i) x[i] = at.inside ? x[i] : 0.0f;
            BlockPart part = quantize_part(x, lanes, slabs.global_scale);
            if (at.inside && !team.idle) put(team.row, team.lane * Count + at.channel, part);
        });
        if (team.idle) return;
        int padded = static_cast<int>(round_up(channels, nvfp4::kSlab));
        for (int column = channels + team.lane * Count; column < padded;
             column += team.lanes * Count) {
            put(team.row, column, BlockPart{});
        }
    }

    __device__ __forceinline__ void put(int64_t row, int column, const BlockPart& part) const {
        *reinterpret_cast<uint16_t*>(slabs.code_at(row, column)) =
            static_cast<uint16_t>(part.codes);
        if (column % nvfp4::kBlock == 0) *slabs.scale_at(row, column) = part.scale;
    }

    template <int Count, typename Result>
    __device__ __forceinline__ void take_blocks(const Team& team, int channels,
                                                const Result& result) const {
        int first = team.lane * Count;
        int padded = static_cast<int>(round_up(channels, nvfp4::kSlab));
        for (int column = team.lane * nvfp4::kBlock; column < padded;
             column += team.lanes * nvfp4::kBlock) {
            float x[nvfp4::kBlock];
#pragma unroll
            for (int at = 0; at < nvfp4::kBlock; at += Count) {
                bool inside = column + at < channels;
                float some[Count];
                result(Word{0, column + at - first, inside}, some);
#pragma unroll
                for (int i = 0; i < Count; ++i) x[at + i] = inside ? some[i] : 0.0f;
            }
            slabs.put(team.row, column, nvfp4::quantize(x, slabs.global_scale, SV_NVFP4_SIX));
        }
    }
};

}  // namespace sv::cuda
