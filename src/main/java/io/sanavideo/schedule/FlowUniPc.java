package io.sanavideo.schedule;

import io.sanavideo.runtime.Tensor;

/**
 * UniPC for flow matching, order 1 or 2, B(h) = exp(-h) - 1 (Zhao et al., "UniPC",
 * arXiv:2302.04867, variant B2), in the form of diffusers' {@code UniPCMultistepScheduler} with
 * {@code predict_x0}.
 *
 * <p>Each velocity serves twice: from the second step on it first corrects the sample it was
 * computed at (UniC), then predicts the next one (UniP). With m[i] = x - s[i] v from the
 * uncorrected x, h = lambda[to] - lambda[from], phi = exp(-h) - 1 and r = (lambda[from-1] -
 * lambda[from]) / h, a step from the corrected sample y at level {@code from} is
 *
 * <pre>
 * s[to]/s[from] y - alpha[to] phi (m[from] + a (m[from-1] - m[from]) / r + b (m[to] - m[from]))
 * </pre>
 *
 * where the predictor has b = 0 and, in order 2, a = 1/2; the corrector has a = 0, b = 1/2 in order
 * 1 and in order 2 the a, b that are exact for polynomials: a + b = g1, a r + b = g2. The first and
 * the last prediction are of order 1; the last, to level 0, is m.
 */
public final class FlowUniPc extends ScheduledSampler {
    private static final int CORRECTED = 2;

    private final int order;

    /**
     * @param steps 1 to {@code trainTimesteps}
     * @param shift the flow shift, above 0
     * @param trainTimesteps what the model calls noise level 1, usually 1000
     * @param order 1 or 2
     */
    public FlowUniPc(int steps, double shift, int trainTimesteps, int order) {
        super(FlowSchedule.uniPc(steps, shift, trainTimesteps), CORRECTED + 1);
        this.order = order;
    }

    @Override
    void advance(int i, Tensor velocity, Tensor latents) {
        Tensor corrected = kept[CORRECTED];
        if (i == steps() - 1) {
            combine(latents, term(1, latents), term(-schedule.sigma(i), velocity));
            return;
        }
        if (i == 0) {
            combine(corrected, term(1, latents));
        } else {
            correct(i, velocity, latents);
        }
        Tensor clean = kept[i % 2];
        combine(clean, term(1, latents), term(-schedule.sigma(i), velocity));
        predict(i, latents);
    }

    /** The order of the prediction from level {@code i}, and of its correction. */
    private int orderAt(int i) {
        return Math.min(order, i + 1);
    }

    private void predict(int i, Tensor latents) {
        Rule rule = new Rule(i);
        Tensor clean = kept[i % 2];
        if (orderAt(i) == 1) {
            combine(latents, term(rule.sample(), kept[CORRECTED]), term(rule.gain(), clean));
            return;
        }
        double slope = rule.gain() / (2 * rule.ratio());
        combine(
                latents,
                term(rule.sample(), kept[CORRECTED]),
                term(rule.gain() - slope, clean),
                term(slope, kept[(i - 1) % 2]));
    }

    /** The corrected sample of level {@code i - 1} becomes that of level {@code i}. */
    private void correct(int i, Tensor velocity, Tensor latents) {
        Rule rule = new Rule(i - 1);
        Tensor corrected = kept[CORRECTED];
        Tensor clean = kept[(i - 1) % 2];
        double sigma = schedule.sigma(i);
        if (orderAt(i - 1) == 1) {
            double half = rule.gain() / 2;
            combine(
                    corrected,
                    term(rule.sample(), corrected),
                    term(half, clean),
                    term(half, latents),
                    term(-half * sigma, velocity));
            return;
        }
        double r = rule.ratio();
        double a = (rule.g1() - rule.g2()) / (1 - r);
        double b = rule.g1() - a;
        double slope = rule.gain() * a / r;
        double weight = rule.gain() * b;
        combine(
                corrected,
                term(rule.sample(), corrected),
                term(rule.gain() - slope - weight, clean),
                term(slope, kept[i % 2]),
                term(weight, latents),
                term(-weight * sigma, velocity));
    }

    /** The numbers of a step from level {@code from} to the next. */
    private final class Rule {
        private final int from;
        private final double h;

        Rule(int from) {
            this.from = from;
            this.h = schedule.lambda(from + 1) - schedule.lambda(from);
        }

        double sample() {
            return schedule.sigma(from + 1) / schedule.sigma(from);
        }

        /** -alpha[to] phi. */
        double gain() {
            return -schedule.alpha(from + 1) * Math.expm1(-h);
        }

        double ratio() {
            return (schedule.lambda(from - 1) - schedule.lambda(from)) / h;
        }

        /** (B(h)/(-h) - 1) / B(h). */
        double g1() {
            return -1 / h - 1 / Math.expm1(-h);
        }

        /** 2 ((B(h)/(-h) - 1)/(-h) - 1/2) / B(h). */
        double g2() {
            return -2 / h * g1() - 1 / Math.expm1(-h);
        }
    }
}
