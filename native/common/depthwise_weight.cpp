#include <vector>

#include "common/context.hpp"
#include "common/weight.hpp"
#include "common/weight_rows.hpp"

namespace sv {

DepthwiseWeight::DepthwiseWeight(Memory& memory, sv_dtype dtype, int rank, const int64_t* shape)
    : sv_weight(SV_WEIGHT_DEPTHWISE, dtype, rank, shape), memory(memory) {
    taps = static_cast<float*>(memory.allocate(bytes()));
}

DepthwiseWeight::~DepthwiseWeight() { memory.release(taps); }

int64_t DepthwiseWeight::bytes() const {
    return shape[0] * row_elements() * static_cast<int64_t>(sizeof(float));
}

void DepthwiseWeight::pack(sv_context& context, int64_t first_row, int64_t rows, const void* data,
                           sv_dtype data_dtype) {
    std::vector<float> packed(row_elements() * rows);
    read_rows(context, *this, first_row, rows, data, data_dtype,
              [&](int64_t row, const float* elements) {
                  for (int64_t tap = 0; tap < row_elements(); ++tap) {
                      packed[tap * rows + row - first_row] = elements[tap];
                  }
              });
    for (int64_t tap = 0; tap < row_elements(); ++tap) {
        context.upload(taps + tap * shape[0] + first_row, packed.data() + tap * rows,
                       rows * static_cast<int64_t>(sizeof(float)));
    }
}

}  // namespace sv
