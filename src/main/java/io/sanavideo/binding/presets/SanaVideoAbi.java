package io.sanavideo.binding.presets;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/** How JavaCPP turns the C ABI of {@code include/sanavideo} into {@code io.sanavideo.binding}. */
@Properties(
        value =
                @Platform(
                        value = "linux-x86_64",
                        compiler = "cpp17",
                        include = {
                            "sanavideo/core.h",
                            "sanavideo/device.h",
                            "sanavideo/weight.h",
                            "sanavideo/linear.h",
                            "sanavideo/norm.h",
                            "sanavideo/attention.h",
                            "sanavideo/convolution.h",
                            "sanavideo/elementwise.h",
                            "sanavideo/nvfp4.h",
                            "sanavideo/range.h",
                            "sanavideo/recording.h",
                            "sanavideo/space_to_depth.h",
                            "sanavideo/testing.h"
                        },
                        preload = "gomp@.1",
                        link = "sanavideo",
                        library = "jnisanavideo"),
        target = "io.sanavideo.binding",
        global = "io.sanavideo.binding.SanaVideoAbi")
public class SanaVideoAbi implements InfoMapper {
    @Override
    public void map(InfoMap map) {
        map.put(new Info("SV_API").cppTypes().annotations())
                .put(
                        new Info(
                                        "sv_status",
                                        "sv_dtype",
                                        "sv_weight_kind",
                                        "sv_activation",
                                        "sv_nvfp4_scaling",
                                        "sv_padding",
                                        "sv_block_order",
                                        "sv_fault")
                                .cast()
                                .valueTypes("int"))
                .put(new Info("sv_context").pointerTypes("ContextHandle"))
                .put(new Info("sv_weight").pointerTypes("WeightHandle"))
                .put(new Info("sv_recording").pointerTypes("RecordingHandle"))
                .put(new Info("sv_tensor").pointerTypes("TensorStruct"))
                .put(new Info("sv_nvfp4_matrix").pointerTypes("Nvfp4MatrixStruct"))
                .put(new Info("sv_cuda_device").pointerTypes("CudaDeviceStruct"))
                .put(new Info("sv_epilogue").pointerTypes("EpilogueStruct"));
    }
}
