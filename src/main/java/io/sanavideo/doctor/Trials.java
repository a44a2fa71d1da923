package io.sanavideo.doctor;

import io.sanavideo.runtime.DType;
import java.util.ArrayList;
import java.util.List;

/** Every trial there is: at least one an op, in each type that it computes with. */
final class Trials {
    static final List<DType> FLOATS = List.of(DType.F32, DType.BF16);

    private Trials() {}

    static List<Trial> all(Sizes sizes) {
        List<Trial> all = new ArrayList<>();
        for (DType dtype : FLOATS) {
            all.addAll(DenseTrials.of(sizes, dtype));
            all.addAll(NormTrials.of(sizes, dtype));
            all.addAll(AttentionTrials.of(sizes, dtype));
            all.addAll(ConvolutionTrials.of(sizes, dtype));
            all.addAll(ElementwiseTrials.of(sizes, dtype));
            all.addAll(LayoutTrials.of(sizes, dtype));
        }
        all.add(AttentionTrials.ropeAngles(sizes));
        all.add(ElementwiseTrials.combine(sizes));
        all.addAll(Nvfp4Trials.of(sizes));
        for (DType dtype : FLOATS) {
            all.addAll(Nvfp4ProductTrials.of(sizes, dtype));
        }
        return all;
    }
}
