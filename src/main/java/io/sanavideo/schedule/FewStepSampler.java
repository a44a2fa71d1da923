package io.sanavideo.schedule;

import io.sanavideo.runtime.Tensor;

/**
 * Stochastic sampling in few steps: each ends at the clean sample x0 = x - s v, and the next begins
 * at (1 - s') x0 + s' noise, with noise that was not there before. Source: LongSANA (SANA-Video),
 * inference; Luo et al., "Latent Consistency Models", arXiv:2310.04378, multistep sampling.
 */
final class FewStepSampler extends ScheduledSampler {
    private final FlowSchedule listed;
    private final StepNoise noise;

    FewStepSampler(FewSteps steps, StepNoise noise) {
        super(steps.fed(), 1);
        this.listed = steps.listed();
        this.noise = noise;
    }

    @Override
    void advance(int i, Tensor velocity, Tensor latents) {
        double sigma = schedule.sigma(i);
        if (i == steps() - 1) {
            combine(latents, term(1, latents), term(-sigma, velocity));
            return;
        }
        Tensor fresh = kept[0];
        fresh.upload(noise.after(i + 1));
        double next = listed.sigma(i + 1);
        combine(
                latents,
                term(1 - next, latents),
                term(-(1 - next) * sigma, velocity),
                term(next, fresh));
    }
}
