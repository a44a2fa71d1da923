package io.sanavideo.schedule;

import io.sanavideo.runtime.Tensor;

/**
 * DPM-Solver++ for flow matching, multistep of order 1 or 2 with the midpoint rule (Lu et al.,
 * "DPM-Solver++", arXiv:2211.01095, algorithm 2), in the form of diffusers' {@code
 * DPMSolverMultistepScheduler}.
 *
 * <p>With {@code x0[i] = x - s[i] v}, {@code h = lambda[i+1] - lambda[i]} and {@code phi =
 * alpha[i+1] (exp(-h) - 1)}, the next x of order 1 is {@code s[i+1]/s[i] x - phi x0[i]}; order 2
 * subtracts {@code phi/2 (x0[i] - x0[i-1]) / r} more, {@code r = (lambda[i] - lambda[i-1]) / h}.
 * The first and the last step are of order 1; the last, to level 0, ends at x0.
 */
public final class FlowDpmSolver extends ScheduledSampler {
    private final int order;

    /**
     * @param steps 1 to {@code trainTimesteps}
     * @param shift the flow shift, above 0
     * @param trainTimesteps what the model calls noise level 1, usually 1000
     * @param order 1 or 2
     */
    public FlowDpmSolver(int steps, double shift, int trainTimesteps, int order) {
        super(FlowSchedule.dpmSolver(steps, shift, trainTimesteps), order == 2 ? 2 : 0);
        this.order = order;
    }

    @Override
    void advance(int i, Tensor velocity, Tensor latents) {
        double sigma = schedule.sigma(i);
        if (i == steps() - 1) {
            combine(latents, term(1, latents), term(-sigma, velocity));
            return;
        }
        double h = schedule.lambda(i + 1) - schedule.lambda(i);
        double phi = schedule.alpha(i + 1) * Math.expm1(-h);
        double scale = schedule.sigma(i + 1) / sigma;
        if (order == 1) {
            combine(latents, term(scale - phi, latents), term(phi * sigma, velocity));
            return;
        }
        Tensor clean = kept[i % 2];
        combine(clean, term(1, latents), term(-sigma, velocity));
        if (i == 0) {
            combine(latents, term(scale, latents), term(-phi, clean));
            return;
        }
        double r = (schedule.lambda(i) - schedule.lambda(i - 1)) / h;
        double slope = phi / (2 * r);
        combine(
                latents,
                term(scale, latents),
                term(-phi - slope, clean),
                term(slope, kept[(i - 1) % 2]));
    }
}
