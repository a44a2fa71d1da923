package io.sanavideo;

/** How the denoising steps are taken. */
public enum Sampler {
    /** DPM-Solver++ of second order, multistep. */
    DPM("dpm++", "DPMSolverMultistepScheduler"),
    /** UniPC of second order. */
    UNIPC("unipc", "UniPCMultistepScheduler"),
    /** Euler steps along the flow. */
    EULER("euler", "FlowMatchEulerDiscreteScheduler"),
    /**
     * The few stochastic steps that a model for long video was distilled to; for chunks alone. No
     * scheduler configuration names it.
     */
    FEW_STEP("few-step", null);

    private final String label;
    private final String className;

    Sampler(String label, String className) {
        this.label = label;
        this.className = className;
    }

    /** The name on the command line and in {@code generation_defaults.json}. */
    public String label() {
        return label;
    }

    /** The class name in a diffusers {@code scheduler_config.json}; null where there is none. */
    public String className() {
        return className;
    }

    /**
     * Reads {@code dpm++}, {@code unipc}, {@code euler} or {@code few-step}.
     *
     * @throws IllegalArgumentException for any other name
     */
    public static Sampler parse(String text) {
        for (Sampler sampler : values()) {
            if (sampler.label.equals(text)) {
                return sampler;
            }
        }
        throw new IllegalArgumentException(
                "sampler is '%s', expected dpm++, unipc, euler or few-step".formatted(text));
    }
}
