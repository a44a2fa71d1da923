package io.sanavideo.pipeline;

import io.sanavideo.Plan;

/** Which components are in a device's memory at the same time. */
public enum Residency {
    /** All. */
    TOGETHER,
    /** One after the other, each loaded when its turn comes and freed after it. */
    IN_TURN;

    static Residency of(Plan plan) {
        return plan.inTurn() ? IN_TURN : TOGETHER;
    }
}
