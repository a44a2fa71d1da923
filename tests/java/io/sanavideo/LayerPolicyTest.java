package io.sanavideo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.LayerPolicy.Rule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which layers run in what: rules, files of them, and the policy of a model beneath one. */
class LayerPolicyTest {
    private static final String QUERY = "transformer_blocks.0.attn1.to_q";

    @TempDir private Path folder;

    private static LayerPolicy policy(Rule... rules) {
        return new LayerPolicy(List.of(rules), null, 0, 0);
    }

    private static LayerPolicy steps(int first, int last) {
        return new LayerPolicy(List.of(), null, first, last);
    }

    @Test
    void theFirstRuleThatMatchesDecides() {
        LayerPolicy policy =
                policy(
                        new Rule("transformer_blocks.1.*", LayerPrecision.NVFP4_WEIGHTS),
                        new Rule("*.to_q", LayerPrecision.BF16),
                        new Rule("*", LayerPrecision.NVFP4));

        assertThat(policy.of("transformer_blocks.1.attn1.to_q"))
                .isEqualTo(LayerPrecision.NVFP4_WEIGHTS);
        assertThat(policy.of(QUERY)).isEqualTo(LayerPrecision.BF16);
        assertThat(policy.of("transformer_blocks.0.attn1.to_k")).isEqualTo(LayerPrecision.NVFP4);
    }

    @Test
    void aLayerThatNoRuleMatchesIsDense() {
        assertThat(policy(new Rule("transformer_blocks.1.*", LayerPrecision.NVFP4)).of(QUERY))
                .isEqualTo(LayerPrecision.BF16);
    }

    /** A star is any text, also none; every other character is itself. */
    @ParameterizedTest
    @CsvSource({
        "a.b, a.b, true",
        "a.b, axb, false",
        "a.b, a.bc, false",
        "a.b, xa.b, false",
        "a.*, a., true",
        "a.*, a.b.c, true",
        "a.*, ab, false",
        "*.c, a.b.c, true",
        "a.*.c, a.c, false",
        "a.*.c, a..c, true",
        "a.*.*.d, a.b.c.d, true",
        "*, anything, true",
        "a[0-9], a1, false",
        "a[0-9], a[0-9], true",
        "a?, a, false",
        "a+(b|c)$, a+(b|c)$, true",
        "a\\Eb*, a\\Ebc, true"
    })
    void onlyStarsAreSpecial(String match, String layer, boolean matches) {
        assertThat(policy(new Rule(match, LayerPrecision.NVFP4)).of(layer))
                .isEqualTo(matches ? LayerPrecision.NVFP4 : LayerPrecision.BF16);
    }

    @Test
    void theStandardLeavesKeysAndValuesOfTheTextDense() {
        assertThat(LayerPolicy.STANDARD.of("transformer_blocks.11.attn2.to_k"))
                .isEqualTo(LayerPrecision.BF16);
        assertThat(LayerPolicy.STANDARD.of("transformer_blocks.11.attn2.to_v"))
                .isEqualTo(LayerPrecision.BF16);
        assertThat(LayerPolicy.STANDARD.of("transformer_blocks.11.attn1.to_k"))
                .isEqualTo(LayerPrecision.NVFP4);
        assertThat(LayerPolicy.STANDARD.of("transformer_blocks.11.ff.conv_temp"))
                .isEqualTo(LayerPrecision.NVFP4);
        assertThat(LayerPolicy.STANDARD.of("proj_out")).isEqualTo(LayerPrecision.BF16);
    }

    @Test
    void readsWhatItWrites() throws IOException {
        LayerPolicy policy =
                new LayerPolicy(
                        List.of(
                                new Rule("*.\"to_q\"\\*", LayerPrecision.BF16),
                                new Rule("b.*", LayerPrecision.NVFP4_WEIGHTS),
                                new Rule("*", LayerPrecision.NVFP4)),
                        null,
                        2,
                        3);

        assertThat(read(policy.json().toString())).isEqualTo(policy);
        assertThat(read(LayerPolicy.STANDARD.json().toString())).isEqualTo(LayerPolicy.STANDARD);
    }

    @Test
    void stepsMayBeLeftOut() throws IOException {
        assertThat(read("{\"layers\": []}")).isEqualTo(policy());
        assertThat(read("{\"layers\": [], \"dense_steps\": {\"first\": 4}}"))
                .isEqualTo(steps(4, 0));
        assertThat(read("{\"layers\": [], \"dense_steps\": {\"last\": 5}}")).isEqualTo(steps(0, 5));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{ | is not valid JSON",
                "{} | key 'layers' is missing, expected an array of objects",
                "{\"layers\": {}} | key 'layers' is an object",
                "{\"layers\": [7]} | key 'layers[0]' is 7, expected an object",
                "{\"layers\": [{\"precision\": \"bf16\"}]} | key 'layers[0].match' is missing",
                "{\"layers\": [{\"match\": \"*\"}]} | key 'layers[0].precision' is missing",
                "{\"layers\": [{\"match\": 1, \"precision\": \"bf16\"}]} | key 'layers[0].match' is 1",
                "{\"layers\": [{\"match\": \"a\", \"precision\": \"bf16\"}, {\"match\": \"*\", \"precision\": \"fp8\"}]} | key 'layers[1].precision' is \"fp8\", expected one of [bf16, nvfp4-weights, nvfp4]",
                "{\"layers\": [], \"dense_steps\": 1} | key 'dense_steps' is 1, expected an object",
                "{\"layers\": [], \"dense_steps\": {\"first\": -1}} | key 'dense_steps.first' is -1, expected an integer from 0",
                "{\"layers\": [], \"dense_steps\": {\"last\": 0.5}} | key 'dense_steps.last' is 0.5"
            })
    void brokenFilesAreNamedWithTheirKeys(String json, String words) {
        assertThatThrownBy(() -> read(json))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(folder.resolve("policy.json").toString(), words);
    }

    @Test
    void aMissingFileIsNamed() {
        Path nowhere = folder.resolve("nowhere.json");

        assertThatThrownBy(() -> LayerPolicy.read(nowhere))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(nowhere + ": does not exist");
    }

    private LayerPolicy read(String json) throws IOException {
        return LayerPolicy.read(Files.writeString(folder.resolve("policy.json"), json));
    }

    @Test
    void stepsAreNotNegative() {
        assertThatThrownBy(() -> steps(-1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1 first and 0 last steps are dense");
        assertThatThrownBy(() -> steps(0, -2)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aPolicyOfRulesIsTakenAsItIs() {
        LayerPolicy stored = policy(new Rule("*", LayerPrecision.NVFP4));

        assertThat(LayerPolicy.STANDARD.over(stored)).isSameAs(LayerPolicy.STANDARD);
        assertThat(LayerPolicy.STANDARD.over(null)).isSameAs(LayerPolicy.STANDARD);
    }

    @Test
    void theModelsOwnIsTheStoredOne() {
        LayerPolicy stored =
                new LayerPolicy(List.of(new Rule("*", LayerPrecision.NVFP4)), null, 1, 2);

        assertThat(LayerPolicy.OF_MODEL.over(stored)).isEqualTo(stored);
        assertThat(LayerPolicy.OF_MODEL.over(null)).isEqualTo(policy());
    }

    @Test
    void aDenseModelHasNothingToLowerButIsDense() {
        assertThat(LayerPolicy.atMost(LayerPrecision.BF16).over(null)).isEqualTo(policy());
        for (LayerPrecision packed : List.of(LayerPrecision.NVFP4, LayerPrecision.NVFP4_WEIGHTS)) {
            assertThatThrownBy(() -> LayerPolicy.atMost(packed).over(null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll(
                            "the precision is " + packed.label(),
                            "the model is not quantised",
                            "sana-video quantize");
        }
    }

    @ParameterizedTest
    @CsvSource({"BF16, BF16, BF16, BF16", "NVFP4_WEIGHTS, BF16, NVFP4_WEIGHTS, NVFP4_WEIGHTS"})
    void lowersEveryRuleAndKeepsSteps(
            LayerPrecision most, LayerPrecision a, LayerPrecision b, LayerPrecision c) {
        assertThat(LayerPolicy.atMost(most).over(abc())).isEqualTo(abc(a, b, c));
    }

    @Test
    void loweringToTheHighestChangesNothing() {
        assertThat(LayerPolicy.atMost(LayerPrecision.NVFP4).over(abc())).isEqualTo(abc());
    }

    private static LayerPolicy abc() {
        return abc(LayerPrecision.BF16, LayerPrecision.NVFP4_WEIGHTS, LayerPrecision.NVFP4);
    }

    private static LayerPolicy abc(LayerPrecision a, LayerPrecision b, LayerPrecision c) {
        return new LayerPolicy(
                List.of(new Rule("a", a), new Rule("b", b), new Rule("c", c)), null, 4, 5);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, ....................",
        "1, 0, D...................",
        "0, 1, ...................D",
        "2, 3, DD...............DDD",
        "20, 0, DDDDDDDDDDDDDDDDDDDD",
        "0, 20, DDDDDDDDDDDDDDDDDDDD",
        "0, 21, DDDDDDDDDDDDDDDDDDDD",
        "30, 30, DDDDDDDDDDDDDDDDDDDD"
    })
    void denseStepsAreAtBothEnds(int first, int last, String expected) {
        LayerPolicy policy = steps(first, last);
        StringBuilder dense = new StringBuilder();
        for (int step = 0; step < expected.length(); step++) {
            dense.append(policy.isDense(step, expected.length()) ? 'D' : '.');
        }
        assertThat(dense).hasToString(expected);
    }

    @Test
    void precisionsAreReadByTheirLabels() {
        for (LayerPrecision precision : LayerPrecision.values()) {
            assertThat(LayerPrecision.parse(precision.label())).isEqualTo(precision);
        }
        assertThat(LayerPrecision.labels()).containsExactly("bf16", "nvfp4-weights", "nvfp4");
        assertThatThrownBy(() -> LayerPrecision.parse("NVFP4"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(
                        "precision is 'NVFP4', expected one of [bf16, nvfp4-weights, nvfp4]");
    }
}
