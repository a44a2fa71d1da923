#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "case.hpp"

namespace kernels {
namespace {

uint64_t next(uint64_t& state) {  // splitmix64 (Steele, Lea and Flood, 2014)
    state += 0x9e3779b97f4a7c15;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void require(sv_status status) {
    if (status != SV_OK) throw std::runtime_error(sv_last_error());
}

int64_t elements(const sv_tensor& tensor) {
    int64_t count = 1;
    for (int i = 0; i < tensor.rank; ++i) count *= tensor.shape[i];
    return count;
}

uint16_t to_bf16(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace

int64_t size_of(sv_dtype dtype) {
    switch (dtype) {
        case SV_F32:
        case SV_I32:
            return 4;
        case SV_BF16:
        case SV_F16:
            return 2;
        case SV_U8:
            return 1;
        default:
            return 8;
    }
}

double bytes_of(sv_dtype dtype, const Shape& shape) {
    auto bytes = static_cast<double>(size_of(dtype));
    for (int64_t size : shape) bytes *= static_cast<double>(size);
    return bytes;
}

Bound sum_bound(sv_dtype dtype, int64_t terms) {
    if (dtype == SV_BF16) return {4e-3};
    return {1e-6 * std::max(1.0, std::sqrt(static_cast<double>(terms) / 512))};
}

std::string text_of(const Shape& shape) {
    std::string text;
    for (int64_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
    return text;
}

std::string Case::name() const {
    return op + " " + (dtype == SV_F32 ? "f32" : dtype == SV_BF16 ? "bf16" : "") + " " + shape;
}

Case unaligned(Case one, int tensor) {
    one.shape += ", tensor " + std::to_string(tensor) + " unaligned";
    one.body = [tensor, body = std::move(one.body)](Run& run) {
        run.unalign(tensor);
        body(run);
    };
    return one;
}

Run::Run(sv_context* context, uint64_t seed, Purpose purpose)
    : context_(context), state_(seed), purpose_(purpose) {}

Run::~Run() {
    for (sv_weight* weight : weights_) sv_weight_destroy(context_, weight);
    for (void* memory : memory_) sv_free(context_, memory);
}

sv_tensor* Run::allocate(sv_dtype dtype, const Shape& shape) {
    auto tensor = std::make_unique<sv_tensor>();
    tensor->dtype = dtype;
    tensor->rank = static_cast<int32_t>(shape.size());
    std::copy(shape.begin(), shape.end(), tensor->shape);
    int64_t skipped = static_cast<int>(tensors_.size()) == unaligned_ ? size_of(dtype) : 0;
    void* memory = nullptr;
    require(sv_allocate(context_, skipped + elements(*tensor) * size_of(dtype), &memory));
    memory_.push_back(memory);
    tensor->data = static_cast<char*>(memory) + skipped;
    tensors_.push_back(std::move(tensor));
    return tensors_.back().get();
}

void Run::fill(sv_tensor* tensor, const std::vector<float>& values) {
    int64_t count = elements(*tensor);
    if (static_cast<int64_t>(values.size()) != count) throw std::logic_error("wrong count");
    if (tensor->dtype == SV_F32) {
        require(sv_upload(context_, tensor->data, values.data(), count * 4));
    } else if (tensor->dtype == SV_BF16) {
        std::vector<uint16_t> rounded(count);
        std::transform(values.begin(), values.end(), rounded.begin(), to_bf16);
        require(sv_upload(context_, tensor->data, rounded.data(), count * 2));
    } else if (tensor->dtype == SV_U8) {
        std::vector<uint8_t> whole(values.begin(), values.end());
        require(sv_upload(context_, tensor->data, whole.data(), count));
    } else {
        throw std::logic_error("inputs are f32, bf16 or u8");
    }
}

std::vector<float> Run::numbers(int64_t count, Range range) {
    std::vector<float> values(count);
    for (float& value : values) {
        auto unit = static_cast<float>(next(state_) >> 40) / static_cast<float>(1 << 24);
        value = range.low + (range.high - range.low) * unit;
    }
    return values;
}

const sv_tensor* Run::input(sv_dtype dtype, const Shape& shape, Range range) {
    sv_tensor* tensor = allocate(dtype, shape);
    fill(tensor, numbers(elements(*tensor), range));
    return tensor;
}

const sv_tensor* Run::input(sv_dtype dtype, const Shape& shape, const std::vector<float>& values) {
    sv_tensor* tensor = allocate(dtype, shape);
    fill(tensor, values);
    return tensor;
}

const sv_tensor* Run::output(sv_dtype dtype, const Shape& shape, Bound bound) {
    sv_tensor* tensor = allocate(dtype, shape);
    std::vector<uint8_t> poison(elements(*tensor) * size_of(dtype), 0xff);
    require(sv_upload(context_, tensor->data, poison.data(), static_cast<int64_t>(poison.size())));
    outputs_.push_back({*tensor, bound});
    return tensor;
}

const sv_tensor* Run::in_place(sv_dtype dtype, const Shape& shape, Bound bound, Range range) {
    const sv_tensor* tensor = input(dtype, shape, range);
    compare(tensor, bound);
    return tensor;
}

void Run::compare(const sv_tensor* tensor, Bound bound) { outputs_.push_back({*tensor, bound}); }

void Run::require_same(const sv_tensor* a, const sv_tensor* b) const {
    std::vector<uint8_t> bytes[2];
    for (int i = 0; i < 2; ++i) {
        const sv_tensor* tensor = i == 0 ? a : b;
        auto count = elements(*tensor) * size_of(tensor->dtype);
        bytes[i].resize(count);
        require(sv_download(context_, bytes[i].data(), tensor->data, count));
    }
    auto differing =
        std::mismatch(bytes[0].begin(), bytes[0].end(), bytes[1].begin(), bytes[1].end());
    if (differing.first == bytes[0].end() && differing.second == bytes[1].end()) return;
    throw std::runtime_error("two tensors differ from byte " +
                             std::to_string(differing.first - bytes[0].begin()) + " on");
}

const sv_weight* Run::weight(sv_weight_kind kind, sv_dtype dtype, const Shape& shape, Range range) {
    int64_t count = 1;
    for (int64_t size : shape) count *= size;
    return weight(kind, dtype, shape, numbers(count, range));
}

const sv_weight* Run::weight(sv_weight_kind kind, sv_dtype dtype, const Shape& shape,
                             const std::vector<float>& values) {
    sv_weight* weight = nullptr;
    require(sv_weight_create(context_, kind, dtype, static_cast<int>(shape.size()), shape.data(),
                             &weight));
    weights_.push_back(weight);
    require(sv_weight_pack(context_, weight, 0, shape[0], values.data(), SV_F32));
    return weight;
}

const sv_weight* Run::nvfp4_weight(sv_weight_kind kind, const Shape& shape,
                                   const std::function<void(sv_weight*)>& pack) {
    sv_weight* weight = nullptr;
    require(sv_nvfp4_weight_create(context_, kind, static_cast<int>(shape.size()), shape.data(),
                                   &weight));
    weights_.push_back(weight);
    pack(weight);
    return weight;
}

void Run::op(const std::function<sv_status()>& call) {
    require(call());
    if (purpose_ == Purpose::kSpeed) measure(call);
}

// A card's last-level cache (50 MB on an H100, 126 MB on a B200) would keep the tensors of a small
// case from one call to the next, and the cache would be measured. So the calls go round several
// copies of the tensors, enough that a copy is cold again when its turn comes. Weights have one
// copy: a product that is long enough to be bound by anything reads them many times in one call.
void Run::measure(const std::function<sv_status()>& call) {
    constexpr double kColdBytes = 512e6;
    constexpr int kMostCopies = 64, kBatches = 9;
    constexpr double kBatchSeconds = 0.05;

    double bytes = 1;
    for (auto& tensor : tensors_) bytes += elements(*tensor) * size_of(tensor->dtype);
    int copies = 1 + static_cast<int>(std::min(kColdBytes / bytes + 1, kMostCopies - 1.0));
    std::vector<std::vector<void*>> addresses;  // of each tensor's copies
    for (auto& tensor : tensors_) {
        addresses.push_back({tensor->data});
        int64_t size = elements(*tensor) * size_of(tensor->dtype);
        while (static_cast<int>(addresses.back().size()) < copies) {
            void* copy = nullptr;
            require(sv_allocate(context_, size, &copy));
            addresses.back().push_back(copy);
            require(sv_copy(context_, copy, tensor->data, size));
        }
    }

    int turn = 0;
    auto seconds_of = [&](int calls) {
        require(sv_synchronize(context_));
        auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; ++i, turn = (turn + 1) % copies) {
            for (size_t t = 0; t < tensors_.size(); ++t) tensors_[t]->data = addresses[t][turn];
            require(call());
        }
        require(sv_synchronize(context_));
        std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
        return passed.count() / calls;
    };
    seconds_of(1);
    double estimate = seconds_of(2);
    int calls = 1 + static_cast<int>(std::min(kBatchSeconds / estimate, 1e5));
    std::vector<double> batches;
    for (int i = 0; i < kBatches; ++i) batches.push_back(seconds_of(calls));
    std::sort(batches.begin(), batches.end());
    seconds_.resize(kBatches);
    for (int i = 0; i < kBatches; ++i) seconds_[i] += batches[i];

    for (size_t t = 0; t < tensors_.size(); ++t) {
        tensors_[t]->data = addresses[t][0];
        for (int i = 1; i < copies; ++i) sv_free(context_, addresses[t][i]);
    }
}

}  // namespace kernels
