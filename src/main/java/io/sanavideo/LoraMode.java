package io.sanavideo;

/** How LoRAs are applied. In f32 both ways give the same result but for rounding. */
public enum LoraMode {
    /**
     * Added to dense weights when they are loaded, which costs nothing afterwards. NVFP4 weights
     * stay as they are, and the LoRA is computed beside them.
     */
    MERGE,
    /**
     * Computed beside every product of a block, which takes a little time and memory at each step.
     * In bf16 no part of a small change is lost to the rounding of a larger weight. Layers outside
     * of the blocks, and dense temporal convolutions, have no such branch: into them LoRAs are
     * merged.
     */
    RUN;

    /** Reads {@code merge} or {@code run}. */
    public static LoraMode parse(String text) {
        return switch (text) {
            case "merge" -> MERGE;
            case "run" -> RUN;
            default ->
                    throw new IllegalArgumentException(
                            "the LoRA mode is '%s', expected merge or run".formatted(text));
        };
    }

    /** As {@link #parse} reads it. */
    public String label() {
        return this == MERGE ? "merge" : "run";
    }
}
