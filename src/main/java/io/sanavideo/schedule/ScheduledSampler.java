package io.sanavideo.schedule;

import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;

/**
 * What every sampler does besides its formula: the order of steps, and tensors kept between them.
 */
abstract class ScheduledSampler implements FlowSampler {
    final FlowSchedule schedule;

    /** Tensors of the latents' shape that live from the first step until the sampler is closed. */
    final Tensor[] kept;

    private int next;
    private boolean closed;

    ScheduledSampler(FlowSchedule schedule, int keptTensors) {
        this.schedule = schedule;
        this.kept = new Tensor[keptTensors];
    }

    @Override
    public final int steps() {
        return schedule.steps();
    }

    @Override
    public final double[] timesteps() {
        return schedule.timesteps();
    }

    @Override
    public final double[] sigmas() {
        return schedule.sigmas();
    }

    @Override
    public final void step(int i, Tensor velocity, Tensor latents) {
        if (closed) {
            throw new IllegalStateException("this sampler is closed");
        }
        if (i != next || next == steps()) {
            String turn =
                    next == steps()
                            ? "but all %d steps are taken; make a new sampler for another run"
                                    .formatted(next)
                            : "but the next is step %d: steps are taken once, in order"
                                    .formatted(next);
            throw new IllegalStateException("step %d was asked for, %s".formatted(i, turn));
        }
        if (i == 0) {
            for (int k = 0; k < kept.length; k++) {
                kept[k] = latents.context().tensor(DType.F32, latents.shape());
            }
        }
        advance(i, velocity, latents);
        next++;
    }

    abstract void advance(int i, Tensor velocity, Tensor latents);

    /** out = the sum of coefficient times input, in one pass; out may be an input. */
    static void combine(Tensor out, Term... terms) {
        float[] coefficients = new float[terms.length];
        Tensor[] inputs = new Tensor[terms.length];
        for (int i = 0; i < terms.length; i++) {
            coefficients[i] = (float) terms[i].coefficient();
            inputs[i] = terms[i].input();
        }
        out.context().ops().combine(coefficients, inputs, out);
    }

    /** One term of {@link #combine}. */
    record Term(double coefficient, Tensor input) {}

    static Term term(double coefficient, Tensor input) {
        return new Term(coefficient, input);
    }

    @Override
    public final void close() {
        closed = true;
        for (Tensor tensor : kept) {
            if (tensor != null) {
                tensor.close();
            }
        }
    }
}
