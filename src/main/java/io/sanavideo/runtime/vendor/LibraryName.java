package io.sanavideo.runtime.vendor;

import java.util.Arrays;

/** A library of the card's vendor. */
public enum LibraryName {
    /** Dense products. */
    CUBLASLT("cublaslt", Problem.Kind.LINEAR),
    /** Convolutions. */
    CUDNN("cudnn", Problem.Kind.CONVOLUTION);

    private final String label;
    private final Problem.Kind kind;

    LibraryName(String label, Problem.Kind kind) {
        this.label = label;
        this.kind = kind;
    }

    /** Its name on the command line and in files. */
    public String label() {
        return label;
    }

    /** What it does. */
    public Problem.Kind kind() {
        return kind;
    }

    static LibraryName parse(String label) {
        return Arrays.stream(values())
                .filter(name -> name.label.equals(label))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "'%s' is no library that is known".formatted(label)));
    }
}
