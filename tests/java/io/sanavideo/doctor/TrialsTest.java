package io.sanavideo.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.doctor.Finding.Verdict;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Ops;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TrialsTest {
    private static final Path BACKEND = Path.of("native/common/backend.hpp");

    /** Weights are made by the trials of the ops that take them. */
    private static final Set<String> OF_WEIGHTS = Set.of("weight_create", "nvfp4_weight_create");

    private static Set<String> tried() {
        return Trials.all(Sizes.REAL).stream().map(Trial::op).collect(Collectors.toSet());
    }

    @Test
    void everyOpOfTheBackendsIsTried() throws IOException {
        List<String> ops =
                Pattern.compile("X\\(([a-z0-9_]+)\\)")
                        .matcher(Files.readString(BACKEND))
                        .results()
                        .map(entry -> entry.group(1))
                        .filter(op -> !op.equals("name") && !OF_WEIGHTS.contains(op))
                        .map(op -> op.equals("all_finite") ? "require_finite" : op)
                        .toList();

        assertThat(ops).hasSizeGreaterThan(35);
        assertThat(tried()).containsAll(ops);
    }

    @Test
    void everyOpOfJavaIsTried() {
        List<String> ops =
                Arrays.stream(Ops.class.getDeclaredMethods())
                        .filter(method -> Modifier.isPublic(method.getModifiers()))
                        .map(Method::getName)
                        .map(name -> name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT))
                        .distinct()
                        .toList();

        assertThat(ops).hasSizeGreaterThan(35);
        assertThat(tried()).containsExactlyInAnyOrderElementsOf(ops);
    }

    @Test
    void namesTellTrialsApart() {
        for (Sizes sizes : new Sizes[] {Sizes.REAL, Sizes.SMALL}) {
            assertThat(Trials.all(sizes)).extracting(Trial::name).doesNotHaveDuplicates();
        }
    }

    static Stream<Trial> trials() {
        return Trials.all(Sizes.SMALL).stream();
    }

    /** The same inputs and the same sums, whatever the number of threads. */
    @ParameterizedTest
    @MethodSource("trials")
    void theCpuAgreesWithItself(Trial trial) {
        try (Context one = Context.cpu(1);
                Context two = Context.cpu(2)) {
            Finding finding = new Judge(one, two, 7).judge(trial);

            assertThat(finding.verdict()).as(finding.toString()).isEqualTo(Verdict.PASS);
        }
    }
}
