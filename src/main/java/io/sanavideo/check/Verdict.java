package io.sanavideo.check;

/** What is said of one output tensor. */
public enum Verdict {
    /** Inside the bound. */
    PASS("pass"),
    /** Outside the bound, or not a number. */
    FAIL("FAIL"),
    /** Shown to find where an error begins, not judged. */
    NOT_JUDGED("not judged"),
    /** No part of this version computes it. */
    NOT_BUILT("comes with a later step");

    private final String words;

    Verdict(String words) {
        this.words = words;
    }

    /** For a person. */
    public String words() {
        return words;
    }
}
