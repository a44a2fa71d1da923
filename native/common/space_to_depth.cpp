// The ABI of sanavideo/space_to_depth.h: checks, then the backend.
#include "sanavideo/space_to_depth.h"

#include "common/context.hpp"
#include "common/tensor.hpp"

namespace sv {
namespace {

// Pixels of a block, whose order must be known too.
int64_t require_block(const int (&block)[3], sv_block_order order) {
    int64_t size = 1;
    for (int side : block) {
        if (side >= 1 && side <= SV_MAX_BLOCK) size *= side;
        if (side < 1 || side > SV_MAX_BLOCK || size > SV_MAX_BLOCK) {
            fail(SV_INVALID_ARGUMENT, "the block is %d x %d x %d, expected 1 to %d pixels",
                 block[0], block[1], block[2], SV_MAX_BLOCK);
        }
    }
    if (order != SV_FRAME_ROW_COLUMN && order != SV_FRAME_COLUMN_ROW) {
        fail(SV_INVALID_ARGUMENT, "order is %d, expected 0 (rows first) or 1 (columns first)",
             int(order));
    }
    return size;
}

void require_skip(const sv_tensor* skip, const sv_tensor& in, const sv_tensor& out) {
    if (skip == nullptr) return;
    require(skip, "skip", in.dtype, {in.shape[0], in.shape[1], in.shape[2], -1});
    require_apart(out, "out", *skip, "skip");
}

void check_space_to_depth(const sv_tensor* in, const sv_tensor* skip, const int (&block)[3],
                          sv_block_order order, const sv_tensor* out) {
    require(in, "in", require_float(in, "in").dtype, {-1, -1, -1, -1});
    int64_t size = require_block(block, order);
    for (int axis = 0; axis < 3; ++axis) {
        if (in->shape[axis] % block[axis] != 0) {
            fail(SV_INVALID_ARGUMENT,
                 "in has shape %s and the block is %d x %d x %d, expected whole blocks",
                 shape_text(*in).c_str(), block[0], block[1], block[2]);
        }
    }
    require(out, "out", in->dtype,
            {in->shape[0] / block[0], in->shape[1] / block[1], in->shape[2] / block[2],
             channels(*in) * size});
    require_apart(*out, "out", *in, "in");
    require_skip(skip, *in, *out);
    if (skip != nullptr && channels(*skip) % channels(*in) != 0) {
        fail(SV_INVALID_ARGUMENT, "skip has %ld channels, expected a multiple of in's %ld",
             long(channels(*skip)), long(channels(*in)));
    }
}

void check_depth_to_space(const sv_tensor* in, const sv_tensor* skip, const int (&block)[3],
                          sv_block_order order, const sv_tensor* out) {
    require(in, "in", require_float(in, "in").dtype, {-1, -1, -1, -1});
    int64_t size = require_block(block, order);
    if (channels(*in) % size != 0) {
        fail(SV_INVALID_ARGUMENT, "in has %ld channels, expected a multiple of the block's %ld",
             long(channels(*in)), long(size));
    }
    require(out, "out", in->dtype,
            {in->shape[0] * block[0], in->shape[1] * block[1], in->shape[2] * block[2],
             channels(*in) / size});
    require_apart(*out, "out", *in, "in");
    require_skip(skip, *in, *out);
    if (skip == nullptr) return;
    if (channels(*skip) % size != 0 || channels(*in) % channels(*skip) != 0) {
        fail(SV_INVALID_ARGUMENT,
             "skip has %ld channels, expected a multiple of the block's %ld that divides in's %ld",
             long(channels(*skip)), long(size), long(channels(*in)));
    }
}

}  // namespace
}  // namespace sv

extern "C" {

sv_status sv_space_to_depth(sv_context* context, const sv_tensor* in, const sv_tensor* skip,
                            int block_frames, int block_height, int block_width,
                            sv_block_order order, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_space_to_depth(in, skip, {block_frames, block_height, block_width}, order, out);
        c.backend.space_to_depth(c, *in, skip, block_frames, block_height, block_width, order,
                                 *out);
    });
}

sv_status sv_depth_to_space(sv_context* context, const sv_tensor* in, const sv_tensor* skip,
                            int block_frames, int block_height, int block_width,
                            sv_block_order order, const sv_tensor* out) {
    return sv::run_op(context, [&](sv_context& c) {
        sv::check_depth_to_space(in, skip, {block_frames, block_height, block_width}, order, out);
        c.backend.depth_to_space(c, *in, skip, block_frames, block_height, block_width, order,
                                 *out);
    });
}

}  // extern "C"
