package io.sanavideo.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.Device;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every component against its PyTorch implementation. */
class ComponentCheckTest {
    private static final Path GOLDEN = Path.of("tests/golden");

    @ParameterizedTest
    @CsvSource({
        "transformer-head112, F32, 2e-5",
        "transformer-head112, BF16, 2e-2",
        "transformer-patch1, F32, 2e-5",
        "transformer-patch1, BF16, 2e-2",
        "transformer-head32-per-token-timestep, F32, 2e-5",
        "transformer-head32-per-token-timestep, BF16, 2e-2",
        "transformer-guidance, F32, 2e-5",
        "transformer-guidance, BF16, 2e-2",
        "causal-chunks, F32, 2e-5",
        "causal-chunks, BF16, 2e-2",
        "gemma2, F32, 2e-5",
        "gemma2, BF16, 2e-2",
        "wan-vae, F32, 2e-5",
        "wan-vae, BF16, 2e-2",
        "ltx2-vae, F32, 2e-5",
        "ltx2-vae, BF16, 3e-2",
        "ltx2-vae-noncausal-decoder, F32, 2e-5",
        "ltx2-vae-noncausal-decoder, BF16, 3e-2",
    })
    void equalsTheReference(String folder, DType compute, double bound) {
        assertEqualsTheReference(Device.cpu(), folder, compute, bound);
    }

    /** What is made of one chunk is read by the next: on a card as well. */
    @Tag("gpu")
    @ParameterizedTest
    @CsvSource({"F32, 1e-4", "BF16, 2e-2"})
    void chunksOnACardEqualTheReference(DType compute, double bound) {
        assertEqualsTheReference(Device.cuda(0), "causal-chunks", compute, bound);
    }

    private static void assertEqualsTheReference(
            Device device, String folder, DType compute, double bound) {
        try (Context context = Context.on(device)) {
            Path component = GOLDEN.resolve(folder);
            List<Comparison> comparisons =
                    ComponentCheck.of(component)
                            .run(context, component, compute, true, output -> true);
            assertThat(comparisons)
                    .isNotEmpty()
                    .allSatisfy(
                            comparison ->
                                    assertThat(comparison.relativeL2())
                                            .as(comparison.toString())
                                            .isLessThan(bound));
            assertThat(context.memoryInUse()).as("bytes after closing").isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "transformer-head112, 7, 1",
        "transformer-patch1, 7, 1",
        "causal-chunks, 7, 7",
        "gemma2, 1, 1",
        "wan-vae, 3, 3",
        "ltx2-vae, 2, 2",
        "ltx2-vae-noncausal-decoder, 2, 2",
    })
    void comparesEveryTensorOfTheFile(String folder, int count, int outputs) {
        try (Context context = Context.cpu(0)) {
            Path component = GOLDEN.resolve(folder);
            ComponentCheck check = ComponentCheck.of(component);
            assertThat(check.run(context, component, DType.F32, true, output -> true))
                    .hasSize(count);
            assertThat(check.run(context, component, DType.F32, false, output -> true))
                    .hasSize(outputs);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "wan-vae, decoded",
        "wan-vae, latent_mean",
        "wan-vae, latent_logvar",
        "ltx2-vae, decoded",
        "ltx2-vae, latent_mean",
    })
    void comparesWantedOutputsAlone(String folder, String wanted) {
        try (Context context = Context.cpu(0)) {
            Path component = GOLDEN.resolve(folder);
            assertThat(
                            ComponentCheck.of(component)
                                    .run(context, component, DType.F32, false, wanted::equals))
                    .extracting(Comparison::tensor)
                    .containsExactly(wanted);
        }
    }
}
