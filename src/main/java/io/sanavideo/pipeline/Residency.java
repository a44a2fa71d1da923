package io.sanavideo.pipeline;

import io.sanavideo.Plan;

/** Which components are in a device's memory at the same time. */
public enum Residency {
    /** All. */
    TOGETHER,
    /** One after the other, each loaded when its turn comes and freed after it. */
    IN_TURN,
    /**
     * As in turn; of the text encoder's layers and of the transformer's blocks only the one that
     * runs. They are read anew for each text and at each step.
     */
    STREAMED;

    static Residency of(Plan plan) {
        if (plan.streamed()) {
            return STREAMED;
        }
        return plan.inTurn() ? IN_TURN : TOGETHER;
    }
}
