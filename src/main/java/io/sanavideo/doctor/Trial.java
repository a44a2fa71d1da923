package io.sanavideo.doctor;

import io.sanavideo.runtime.DType;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * An op with inputs of one shape, run on the CPU and on the card: the CPU says what is right.
 *
 * @param op its name in {@code include/sanavideo}, without the sv_
 * @param dtype what it computes with; null where that does not matter
 * @param shape in words
 * @param body draws inputs, calls the op, and says which outputs are compared
 */
record Trial(String op, DType dtype, String shape, Body body) {
    /** What is done on each device. */
    interface Body {
        void run(Pass on);
    }

    /** For a person: op, type and shape. */
    String name() {
        String type = dtype == null ? "" : " " + dtype.name().toLowerCase(Locale.ROOT);
        return op + type + " " + shape;
    }

    /** "3 x 4". */
    static String text(long... shape) {
        return Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(" x "));
    }
}
