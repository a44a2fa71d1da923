package io.sanavideo.runtime.vendor;

import io.sanavideo.runtime.Alternative;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import java.util.Set;

/** Notes the problems that a run comes across, and hands them on. */
record SeenProblems(Alternative next, Set<Problem> seen) implements Alternative {
    @Override
    public boolean linear(Tensor in, Weight weight, Epilogue epilogue, Tensor out) {
        note(Problem.linear(in, weight, epilogue, out));
        return next.linear(in, weight, epilogue, out);
    }

    @Override
    public boolean convolution(Tensor in, Weight weight, Epilogue epilogue, Tensor out) {
        note(Problem.convolution(in, weight, epilogue, out));
        return next.convolution(in, weight, epilogue, out);
    }

    private void note(Problem problem) {
        if (problem != null) {
            seen.add(problem);
        }
    }
}
