package io.sanavideo.runtime.vendor;

import io.sanavideo.runtime.Alternative;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Range;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import java.util.function.Function;

/**
 * Runs ops as it was chosen. What a library cannot fuse follows its product as one op of our own;
 * where the residual may be the output, the product goes to scratch memory between them. On a dry
 * context the same memory is counted, and no library is called.
 */
final class ChosenKernels implements Alternative {
    private final Context context;
    private final Libraries libraries;
    private final Function<Problem, Choice> choices;

    /**
     * @param libraries null on a dry context
     */
    ChosenKernels(Context context, Libraries libraries, Function<Problem, Choice> choices) {
        this.context = context;
        this.libraries = libraries;
        this.choices = choices;
    }

    @Override
    public boolean linear(Tensor in, Weight weight, Epilogue epilogue, Tensor out) {
        return run(Problem.linear(in, weight, epilogue, out), in, weight, epilogue, out);
    }

    @Override
    public boolean convolution(Tensor in, Weight weight, Epilogue epilogue, Tensor out) {
        return run(Problem.convolution(in, weight, epilogue, out), in, weight, epilogue, out);
    }

    /** Problem is null where only the own kernel can tell what is wrong. */
    private boolean run(Problem problem, Tensor in, Weight weight, Epilogue epilogue, Tensor out) {
        Choice choice = problem == null ? Choice.OWN : choices.apply(problem);
        if (choice.isOwn()) {
            return false;
        }
        boolean apart = epilogue.residual() != null;
        try (Range range = context.range(choice.library().label());
                Tensor scratch = apart ? context.scratch(DType.BF16, out.shape()) : null;
                Tensor workspace =
                        choice.workspace() == 0
                                ? null
                                : context.scratch(DType.U8, choice.workspace())) {
            Tensor product = apart ? scratch : out;
            if (libraries != null) {
                libraries
                        .get(choice.library())
                        .multiply(problem, choice, in, weight, workspace, product);
            }
            if (!problem.finish().isNothing()) {
                context.ops().finishProduct(product, epilogue, out);
            }
        }
        return true;
    }
}
