package io.sanavideo.runtime.vendor;

import static org.bytedeco.cuda.global.cudnn.CUDNN_CONVOLUTION_FWD_ALGO_COUNT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_CROSS_CORRELATION;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_BFLOAT16;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_STATUS_SUCCESS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TENSOR_NHWC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TENSOR_OP_MATH;
import static org.bytedeco.cuda.global.cudnn.cudnnConvolutionForward;
import static org.bytedeco.cuda.global.cudnn.cudnnCreate;
import static org.bytedeco.cuda.global.cudnn.cudnnCreateConvolutionDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnCreateFilterDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnCreateTensorDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnDestroy;
import static org.bytedeco.cuda.global.cudnn.cudnnDestroyConvolutionDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnDestroyFilterDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnDestroyTensorDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnGetConvolutionForwardWorkspaceSize;
import static org.bytedeco.cuda.global.cudnn.cudnnSetConvolutionMathType;
import static org.bytedeco.cuda.global.cudnn.cudnnSetConvolutionNdDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnSetFilterNdDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnSetStream;
import static org.bytedeco.cuda.global.cudnn.cudnnSetTensorNdDescriptor;

import io.sanavideo.DeviceException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.cuda.cudnn.cudnnConvolutionStruct;
import org.bytedeco.cuda.cudnn.cudnnFilterStruct;
import org.bytedeco.cuda.cudnn.cudnnTensorStruct;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * cuDNN: a convolution with stride 1 over frames, rows and columns, channels last, bf16 in and out,
 * fp32 sums; no padding in time, half of the kernel in space. An algorithm is the number of one of
 * its forward algorithms.
 */
final class Cudnn implements Library {
    /** In the order they need each other. */
    static final List<String> FILES =
            List.of(
                    "libcudnn_graph.so.9",
                    "libcudnn_ops.so.9",
                    "libcudnn_cnn.so.9",
                    "libcudnn_adv.so.9");

    /** As much as a clip of 480p has to spare beside its activations. */
    private static final long MAX_WORKSPACE = 256 << 20;

    private static final int RANK = 5;

    private record Described(
            cudnnTensorStruct in,
            cudnnFilterStruct weight,
            cudnnConvolutionStruct convolution,
            cudnnTensorStruct out)
            implements AutoCloseable {
        static Described of(Problem problem) {
            int frames = (int) problem.size(0);
            int height = (int) problem.size(1);
            int width = (int) problem.size(2);
            int inChannels = (int) problem.size(3);
            int outChannels = (int) problem.size(4);
            int[] kernel = {(int) problem.size(5), (int) problem.size(6), (int) problem.size(7)};
            cudnnFilterStruct weight = new cudnnFilterStruct();
            check(cudnnCreateFilterDescriptor(weight), "cudnnCreateFilterDescriptor");
            int[] weightShape = {outChannels, inChannels, kernel[0], kernel[1], kernel[2]};
            check(
                    cudnnSetFilterNdDescriptor(
                            weight, CUDNN_DATA_BFLOAT16, CUDNN_TENSOR_NHWC, RANK, weightShape),
                    "cudnnSetFilterNdDescriptor");
            cudnnConvolutionStruct convolution = new cudnnConvolutionStruct();
            check(
                    cudnnCreateConvolutionDescriptor(convolution),
                    "cudnnCreateConvolutionDescriptor");
            int[] padding = {0, kernel[1] / 2, kernel[2] / 2};
            int[] ones = {1, 1, 1};
            check(
                    cudnnSetConvolutionNdDescriptor(
                            convolution,
                            RANK - 2,
                            padding,
                            ones,
                            ones,
                            CUDNN_CROSS_CORRELATION,
                            CUDNN_DATA_FLOAT),
                    "cudnnSetConvolutionNdDescriptor");
            check(
                    cudnnSetConvolutionMathType(convolution, CUDNN_TENSOR_OP_MATH),
                    "cudnnSetConvolutionMathType");
            return new Described(
                    activations(frames + kernel[0] - 1, height, width, inChannels),
                    weight,
                    convolution,
                    activations(frames, height, width, outChannels));
        }

        /** [frames, height, width, channels] in memory, which the library names the other way. */
        private static cudnnTensorStruct activations(
                int frames, int height, int width, int channels) {
            cudnnTensorStruct tensor = new cudnnTensorStruct();
            check(cudnnCreateTensorDescriptor(tensor), "cudnnCreateTensorDescriptor");
            int row = width * channels;
            int frame = Math.multiplyExact(height, row);
            int[] shape = {1, channels, frames, height, width};
            int[] strides = {Math.multiplyExact(frames, frame), 1, frame, row, channels};
            check(
                    cudnnSetTensorNdDescriptor(tensor, CUDNN_DATA_BFLOAT16, RANK, shape, strides),
                    "cudnnSetTensorNdDescriptor");
            return tensor;
        }

        @Override
        public void close() {
            cudnnDestroyTensorDescriptor(out);
            cudnnDestroyConvolutionDescriptor(convolution);
            cudnnDestroyFilterDescriptor(weight);
            cudnnDestroyTensorDescriptor(in);
        }
    }

    private final cudnnContext handle = new cudnnContext();
    private final FloatPointer one = new FloatPointer(1f);
    private final FloatPointer zero = new FloatPointer(0f);
    private final Map<Problem, Described> described = new HashMap<>();

    Cudnn(Context context) {
        check(cudnnCreate(handle), "cudnnCreate");
        check(cudnnSetStream(handle, new CUstream_st(context.stream())), "cudnnSetStream");
    }

    @Override
    public List<Choice> candidates(Problem problem) {
        Described about = described.computeIfAbsent(problem, Described::of);
        List<Choice> choices = new ArrayList<>();
        try (SizeTPointer bytes = new SizeTPointer(1L)) {
            for (int algorithm = 0; algorithm < CUDNN_CONVOLUTION_FWD_ALGO_COUNT; algorithm++) {
                int status =
                        cudnnGetConvolutionForwardWorkspaceSize(
                                handle,
                                about.in,
                                about.weight,
                                about.convolution,
                                about.out,
                                algorithm,
                                bytes);
                if (status == CUDNN_STATUS_SUCCESS && bytes.get() <= MAX_WORKSPACE) {
                    choices.add(
                            new Choice(LibraryName.CUDNN, String.valueOf(algorithm), bytes.get()));
                }
            }
        }
        return choices;
    }

    @Override
    public void multiply(
            Problem problem,
            Choice choice,
            Tensor in,
            Weight weight,
            Tensor workspace,
            Tensor out) {
        Described about = described.computeIfAbsent(problem, Described::of);
        check(
                cudnnConvolutionForward(
                        handle,
                        one,
                        about.in,
                        in.data(),
                        about.weight,
                        weight.matrix(),
                        about.convolution,
                        Integer.parseInt(choice.algorithm()),
                        workspace == null ? new Pointer() : workspace.data(),
                        choice.workspace(),
                        zero,
                        about.out,
                        out.data()),
                "cudnnConvolutionForward");
    }

    private static void check(int status, String call) {
        if (status != CUDNN_STATUS_SUCCESS) {
            throw new DeviceException(
                    "%s ended with status %d; --conv own does without the library"
                            .formatted(call, status));
        }
    }

    @Override
    public void close() {
        described.values().forEach(Described::close);
        one.deallocate();
        zero.deallocate();
        cudnnDestroy(handle);
    }
}
