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
    /** bf16 elements: 256 bytes, as the card's own allocations begin. */
    private static final long ALIGNMENT = 128;

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
        // One block for both: the smaller of two would sit in what the larger left, and have that
        // made twice.
        long product = epilogue.residual() == null ? 0 : roundedUp(out.elements());
        long workspace = roundedUp((choice.workspace() + 1) / DType.BF16.bytes());
        try (Range range = context.range(choice.library().label());
                Tensor scratch =
                        product + workspace == 0
                                ? null
                                : context.scratch(DType.BF16, product + workspace)) {
            Tensor stored =
                    product == 0 ? out : scratch.slice(0, out.elements()).reshape(out.shape());
            if (libraries != null) {
                libraries
                        .get(choice.library())
                        .multiply(
                                problem,
                                choice,
                                in,
                                weight,
                                workspace == 0 ? null : scratch.slice(product, workspace),
                                stored);
            }
            if (!problem.finish().isNothing()) {
                context.ops().finishProduct(stored, epilogue, out);
            }
        }
        return true;
    }

    /** bf16 elements to a whole number of {@link #ALIGNMENT}. */
    private static long roundedUp(long elements) {
        return (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
