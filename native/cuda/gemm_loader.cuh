// Loaders of the GEMM skeleton (gemm.cuh): where the elements of an operand lie.
//
// An operand is a matrix whose rows are cut along K into chunks of 16 bytes. In each step the block
// copies a tile of it: some rows, and of each the next slice of kChunks chunks. Every thread copies
// the same chunk of all slices, of some rows. A loader is a struct of plain values (the kernel's
// argument) with these members:
//
// - `data`: an address that may be read. Copies of nothing need one.
// - `Row row(int r)`: what a thread keeps of row r, which may lie beyond the last one.
// - `Place place(int chunk)`: where chunk `chunk` of a slice stands in the first slice. Its member
//   `element` counts elements from what find returns.
// - `bool advance(Place&)`: to the same chunk of the next slice. Returns whether find must be asked
//   again: a window has come to its next tap.
// - `const T* find(Row, Place)`: where the row's elements lie, or null where all are zero: a row
//   beyond the last one, a tap outside.
// - `int valid(Place)`: elements of the chunk that exist, at most 0 beyond the end of K. What
//   follows them is zero.
// - `int slices()`: of the right operand alone: slices that cover K.
//
// NVFP4 operands are copied in other pieces (gemm_nvfp4.cuh, gemm_expand.cuh): a loader whose class
// TileCopy knows by a specialisation has what that asks for instead.
//
// Copies are asynchronous when every chunk is whole (or nothing) and begins at a multiple of 16
// bytes; else elements are loaded one by one (kWideLoads of the kernel says which).
#pragma once

#include "cuda/number.cuh"

namespace sv::cuda::gemm {

constexpr int kChunks = 4;                 // of 16 bytes: a slice
constexpr int kSliceBytes = kChunks * 16;  // of a row in one step

template <typename T>
constexpr int kSlice = kSliceBytes / static_cast<int>(sizeof(T));  // elements

// A matrix of rows: [rows, elements].
template <typename T>
struct Rows {
    const T* data;
    int rows, elements;

    struct Row {
        const T* data;
    };
    struct Place {
        int element;
    };

    __device__ Row row(int r) const { return {r < rows ? data + int64_t{r} * elements : nullptr}; }
    __device__ Place place(int chunk) const { return {chunk * kWide<T>}; }
    __device__ bool advance(Place& place) const {
        place.element += kSlice<T>;
        return false;
    }
    __device__ const T* find(const Row& row, const Place&) const { return row.data; }
    __device__ int valid(const Place& place) const {
        return min(kWide<T>, elements - place.element);
    }
    __device__ int slices() const { return (elements + kSlice<T> - 1) / kSlice<T>; }
};

// Windows of a clip: a convolution's input as the matrix that it multiplies. Row r is output
// position (frame, row, column); along K it holds, tap by tap (columns of the kernel fastest, then
// rows, then frames), the channels of the input position that the tap sees, padded with zeros to
// whole chunks as weights are. Positions outside the input read zeros, those in the frame before
// the first one `previous` where there is one, those outside a frame that reflects the pixel on the
// other side of its edge.
template <typename T>
struct Windows {
    const T* data;                // [in_frames, in_height, in_width, channels]
    const T* previous = nullptr;  // [in_height, in_width, channels]
    int channels = 0;
    int frames = 1, height = 1, width = 1;  // of the output
    int in_frames = 1, in_height = 1, in_width = 1;
    int stride = 1;  // of rows and columns: from what an output position sees to what the next does
    int frame_taps = 1, row_taps = 1, column_taps = 1;
    int first_frame = 0, first_row = 0, first_column = 0;  // where tap 0 reads
    bool reflects = false;                                 // rows and columns, by less than one

    struct Row {
        int pixel;  // of the input, at no offset
        int frame, row, column;
    };
    struct Place {
        int element;             // of the tap's channels
        int frame, row, column;  // offsets of the tap
    };

    __device__ Row row(int r) const {
        int frame = r / width / height;
        int row = r / width % height * stride, column = r % width * stride;
        int pixel = (frame * in_height + row) * in_width + column;
        // Beyond the last row: a frame that no tap brings back into the clip.
        if (frame >= frames) frame = 1 << 29;
        return {pixel, frame, row, column};
    }
    __device__ Place place(int chunk) const {
        Place place{chunk * kWide<T>, first_frame, first_row, first_column};
        skip_taps(place);
        return place;
    }
    __device__ bool advance(Place& place) const {
        place.element += kSlice<T>;
        return skip_taps(place);
    }
    __device__ const T* find(const Row& at, const Place& place) const {
        int frame = at.frame + place.frame;
        int row = at.row + place.row, column = at.column + place.column;
        if (reflects) {
            row = mirrored(row, in_height);
            column = mirrored(column, in_width);
        }
        // As unsigned numbers, negative ones are large.
        bool inside = static_cast<unsigned>(row) < static_cast<unsigned>(in_height) &&
                      static_cast<unsigned>(column) < static_cast<unsigned>(in_width) &&
                      frame < in_frames && place.frame < first_frame + frame_taps;
        if (!inside || (frame < 0 && previous == nullptr)) return nullptr;
        if (frame < 0) return previous + int64_t{row * in_width + column} * channels;
        int pixel =
            at.pixel + (place.frame * in_height + row - at.row) * in_width + column - at.column;
        return data + int64_t{pixel} * channels;
    }
    __device__ int valid(const Place& place) const {
        return min(kWide<T>, channels - place.element);
    }

private:
    // A position less than `size` outside of [0, size), mirrored about the outermost ones.
    __device__ static int mirrored(int position, int size) {
        int from_start = abs(position);
        return min(from_start, 2 * (size - 1) - from_start);
    }

    // From beyond the channels of a tap to those of the taps that follow; whether it was beyond.
    __device__ bool skip_taps(Place& place) const {
        int padded = (channels + kWide<T> - 1) / kWide<T> * kWide<T>;
        if (place.element < padded) return false;
        while (place.element >= padded) {
            place.element -= padded;
            if (++place.column < first_column + column_taps) continue;
            place.column = first_column;
            if (++place.row < first_row + row_taps) continue;
            place.row = first_row;
            ++place.frame;
        }
        return true;
    }
};

}  // namespace sv::cuda::gemm
