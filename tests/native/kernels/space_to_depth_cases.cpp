// Cases of sanavideo/space_to_depth.h.
#include "case.hpp"

namespace kernels {
namespace {

struct Block {
    int frames, height, width;
    sv_block_order order = SV_FRAME_ROW_COLUMN;

    int64_t size() const { return int64_t{frames} * height * width; }
    std::string text() const {
        return " in " + text_of({frames, height, width}) +
               (order == SV_FRAME_COLUMN_ROW ? ", columns first" : "");
    }
};

// blocks: [frames, height, width] of them, of `channels` a pixel; skipped: channels of a pixel of
// the residual, 0 for none.
Case rearranged(bool to_depth, sv_dtype dtype, const Shape& blocks, Block block, int64_t channels,
                int64_t skipped) {
    Shape deep{blocks[0], blocks[1], blocks[2], channels * block.size()};
    Shape wide{blocks[0] * block.frames, blocks[1] * block.height, blocks[2] * block.width,
               channels};
    const Shape& from = to_depth ? wide : deep;
    const Shape& to = to_depth ? deep : wide;
    Shape skip_shape = from;
    skip_shape[3] = to_depth ? skipped : skipped * block.size();
    std::string text = text_of(from) + block.text();
    if (skipped > 0) text += ", residual of " + std::to_string(skip_shape[3]);
    Case one{to_depth ? "space_to_depth" : "depth_to_space", text, dtype, {}};
    one.body = [=](Run& run) {
        auto* in = run.input(dtype, from);
        auto* skip = skipped > 0 ? run.input(dtype, skip_shape) : nullptr;
        int64_t terms = to_depth ? 1 + skipped / channels : 2;
        auto* out = run.output(dtype, to, skipped > 0 ? sum_bound(dtype, terms) : kSameBits);
        auto* op = to_depth ? sv_space_to_depth : sv_depth_to_space;
        run.op([&] {
            return op(run.context(), in, skip, block.frames, block.height, block.width, block.order,
                      out);
        });
    };
    one.bytes = bytes_of(dtype, from) + bytes_of(dtype, to) +
                (skipped > 0 ? bytes_of(dtype, skip_shape) : 0);
    return one;
}

}  // namespace

std::vector<Case> space_to_depth_cases() {
    std::vector<Case> cases;
    for (sv_dtype dtype : kFloats) {
        for (Block block : {Block{1, 1, 1}, Block{2, 2, 2}, Block{1, 2, 2}, Block{2, 1, 1},
                            Block{2, 3, 1}, Block{1, 4, 4, SV_FRAME_COLUMN_ROW},
                            Block{2, 3, 5, SV_FRAME_COLUMN_ROW}, Block{1, 1, 64}}) {
            for (int64_t channels : {1, 3, 8, 24}) {
                cases.push_back(rearranged(true, dtype, {2, 3, 5}, block, channels, 0));
                cases.push_back(rearranged(false, dtype, {2, 3, 5}, block, channels, 0));
                // Groups of 1 and 3 terms; a residual that repeats and one that does not.
                cases.push_back(rearranged(true, dtype, {1, 2, 3}, block, channels, channels));
                cases.push_back(rearranged(true, dtype, {1, 2, 3}, block, channels, 3 * channels));
                cases.push_back(rearranged(false, dtype, {1, 2, 3}, block, channels, channels));
            }
            cases.push_back(rearranged(false, dtype, {2, 1, 3}, block, 24, 8));
            cases.push_back(rearranged(false, dtype, {2, 1, 3}, block, 9, 3));
            cases.push_back(rearranged(false, dtype, {1, 3, 2}, block, 16, 1));
        }
        for (int tensor : {0, 1, 2}) {
            cases.push_back(
                unaligned(rearranged(true, dtype, {1, 2, 3}, {2, 2, 2}, 8, 16), tensor));
            cases.push_back(
                unaligned(rearranged(false, dtype, {1, 2, 3}, {2, 2, 2}, 16, 8), tensor));
        }
    }
    return cases;
}

// Of the LTX-2 VAE at 720p: the largest of the decoder and the encoder, and pixels.
std::vector<Case> space_to_depth_perf_cases() {
    return {rearranged(false, SV_BF16, {1, 88, 160}, {2, 2, 2}, 128, 32),
            rearranged(true, SV_BF16, {1, 88, 160}, {1, 2, 2}, 64, 128),
            rearranged(true, SV_BF16, {1, 176, 320}, {1, 4, 4, SV_FRAME_COLUMN_ROW}, 3, 0),
            rearranged(false, SV_BF16, {1, 176, 320}, {1, 4, 4, SV_FRAME_COLUMN_ROW}, 3, 0)};
}

}  // namespace kernels
