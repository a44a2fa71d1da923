// A stand-in for libcudnn_cnn.so.9: the calls that this project makes, for its forms of operands
// alone, on the emulated card. It knows two algorithms, 1 and 6, and says of the others that they
// do not suit.
#include "device.hpp"

namespace {

constexpr int kSuccess = 0, kBadParameter = 2000, kNotSupported = 3000;
constexpr int kBf16 = 9, kF32 = 0, kChannelsLast = 1, kCrossCorrelation = 1, kRank = 5;
constexpr size_t kWorkspace = 64;  // that algorithm 6 wants

struct Handle {
    void* stream = nullptr;
};
// Sizes and strides in the order batch (or out), channels, frames, rows, columns.
struct Numbers {
    int64_t size[kRank], stride[kRank];
};
struct Convolution {
    int padding[kRank - 2];
};

template <typename T>
int create(T** out) {
    *out = new T{};
    return kSuccess;
}

template <typename T>
int destroy(T* object) {
    delete object;
    return kSuccess;
}

// An algorithm's workspace in bytes, or -1.
int64_t workspace_of(int algorithm) {
    return algorithm == 1 ? 0 : algorithm == 6 ? static_cast<int64_t>(kWorkspace) : -1;
}

}  // namespace

extern "C" {

size_t cudnnGetVersion() { return 92500; }

int cudnnCreate(Handle** out) { return create(out); }
int cudnnDestroy(Handle* handle) { return destroy(handle); }
int cudnnSetStream(Handle* handle, void* stream) {
    handle->stream = stream;
    return kSuccess;
}

int cudnnCreateTensorDescriptor(Numbers** out) { return create(out); }
int cudnnDestroyTensorDescriptor(Numbers* tensor) { return destroy(tensor); }
int cudnnSetTensorNdDescriptor(Numbers* tensor, int type, int rank, const int* size,
                               const int* stride) {
    if (type != kBf16 || rank != kRank) return kBadParameter;
    for (int i = 0; i < kRank; ++i) {
        tensor->size[i] = size[i];
        tensor->stride[i] = stride[i];
    }
    return kSuccess;
}

int cudnnCreateFilterDescriptor(Numbers** out) { return create(out); }
int cudnnDestroyFilterDescriptor(Numbers* filter) { return destroy(filter); }
int cudnnSetFilterNdDescriptor(Numbers* filter, int type, int format, int rank, const int* size) {
    if (type != kBf16 || format != kChannelsLast || rank != kRank) return kBadParameter;
    int64_t step = 1;
    for (int i : {1, 4, 3, 2, 0}) {
        filter->size[i] = size[i];
        filter->stride[i] = step;
        step *= size[i];
    }
    return kSuccess;
}

int cudnnCreateConvolutionDescriptor(Convolution** out) { return create(out); }
int cudnnDestroyConvolutionDescriptor(Convolution* convolution) { return destroy(convolution); }
int cudnnSetConvolutionNdDescriptor(Convolution* convolution, int rank, const int* padding,
                                    const int* stride, const int* dilation, int mode, int type) {
    if (rank != kRank - 2 || mode != kCrossCorrelation || type != kF32) return kBadParameter;
    for (int i = 0; i < rank; ++i) {
        if (stride[i] != 1 || dilation[i] != 1) return kBadParameter;
        convolution->padding[i] = padding[i];
    }
    return kSuccess;
}
int cudnnSetConvolutionMathType(Convolution*, int) { return kSuccess; }

int cudnnGetConvolutionForwardWorkspaceSize(Handle*, Numbers*, Numbers*, Convolution*, Numbers*,
                                            int algorithm, size_t* bytes) {
    if (workspace_of(algorithm) < 0) return kNotSupported;
    *bytes = static_cast<size_t>(workspace_of(algorithm));
    return kSuccess;
}

int cudnnConvolutionForward(Handle* handle, const float* alpha, const Numbers* in_numbers,
                            const void* in, const Numbers* weight_numbers, const void* weight,
                            const Convolution* convolution, int algorithm, void* workspace,
                            size_t workspace_bytes, const float* beta, const Numbers* out_numbers,
                            void* out) {
    Numbers x = *in_numbers, w = *weight_numbers, y = *out_numbers;
    Convolution c = *convolution;
    int64_t wanted = workspace_of(algorithm);
    bool fits = x.size[1] == w.size[1] && y.size[1] == w.size[0];
    for (int i = 0; i < kRank - 2; ++i) {
        fits = fits && y.size[i + 2] == x.size[i + 2] + 2 * c.padding[i] - w.size[i + 2] + 1;
    }
    if (!fits || wanted < 0 || static_cast<int64_t>(workspace_bytes) < wanted ||
        (wanted > 0 && workspace == nullptr) || *alpha != 1 || *beta != 0) {
        return kBadParameter;
    }
    vendor::queue(handle->stream, [=] {
        std::vector<float> sums(y.stride[0]);
        for (int64_t frame = 0; frame < y.size[2]; ++frame)
            for (int64_t row = 0; row < y.size[3]; ++row)
                for (int64_t column = 0; column < y.size[4]; ++column)
                    for (int64_t channel = 0; channel < y.size[1]; ++channel) {
                        float sum = 0;
                        for (int64_t tap = 0; tap < w.size[2] * w.size[3] * w.size[4]; ++tap) {
                            int64_t f = tap / (w.size[3] * w.size[4]);
                            int64_t r = tap / w.size[4] % w.size[3], s = tap % w.size[4];
                            int64_t from[] = {frame + f - c.padding[0], row + r - c.padding[1],
                                              column + s - c.padding[2]};
                            bool inside = true;
                            int64_t at = 0;
                            for (int i = 0; i < 3; ++i) {
                                inside = inside && from[i] >= 0 && from[i] < x.size[i + 2];
                                at += from[i] * x.stride[i + 2];
                            }
                            if (!inside) continue;
                            int64_t weight_at = channel * w.stride[0] + f * w.stride[2] +
                                                r * w.stride[3] + s * w.stride[4];
                            for (int64_t k = 0; k < x.size[1]; ++k) {
                                sum += vendor::load_bf16(in, at + k * x.stride[1]) *
                                       vendor::load_bf16(weight, weight_at + k);
                            }
                        }
                        sums[frame * y.stride[2] + row * y.stride[3] + column * y.stride[4] +
                             channel] = sum;
                    }
        vendor::store_bf16(out, sums);
    });
    return kSuccess;
}

}  // extern "C"
