package io.sanavideo;

import static io.sanavideo.DemoCopy.TEXT_ENCODER;
import static io.sanavideo.DemoCopy.TRANSFORMER;
import static io.sanavideo.DemoCopy.VAE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.File;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Model folders whose weights are broken files, or are not those of the configuration. */
class BrokenWeightsTest extends BrokenModel {
    private static final int NAN = 0x7fc0;
    private static final int INFINITY = 0x7f80;

    static Stream<Row> weights() {
        String table = "scale_shift_table";
        String gate = "layers.1.mlp.gate_proj.weight";
        return Stream.of(
                row("no weights", copy -> copy.delete(VAE), "vae", "has no weights"),
                row("empty file", copy -> copy.truncate(VAE, 0), VAE),
                row("7 bytes", copy -> copy.truncate(VAE, 7), VAE),
                row("header cut off", copy -> copy.truncate(VAE, 1000), VAE),
                row("last byte cut off", copy -> copy.truncate(VAE, -1), VAE, "truncated"),
                row(
                        "a byte too many",
                        copy -> copy.truncate(VAE, (int) Files.size(copy.root().resolve(VAE)) + 1),
                        VAE,
                        "1 bytes follow the last tensor"),
                row("huge header", copy -> copy.headerLength(VAE, 1L << 40), VAE, "1099511627776"),
                row("negative header", copy -> copy.headerLength(VAE, -1), VAE),
                row(
                        "header is no JSON",
                        copy -> copy.header(VAE, header -> header.replace(":[", ":(")),
                        VAE,
                        "not valid JSON"),
                row(
                        "overlapping tensors",
                        copy -> copy.header(TRANSFORMER, h -> h.replace("[256,512]", "[0,256]")),
                        "overlaps"),
                row(
                        "a hole between tensors",
                        copy -> copy.header(TRANSFORMER, h -> h.replace("[256,512]", "[512,768]")),
                        TRANSFORMER,
                        "at byte"),
                row(
                        "tensor twice",
                        copy ->
                                copy.header(
                                        TRANSFORMER,
                                        h -> h.replace("\"proj_out.weight\"", "\"proj_out.bias\"")),
                        "proj_out.bias",
                        "stands twice"),
                row(
                        "uncountable shape",
                        copy ->
                                copy.header(
                                        TEXT_ENCODER,
                                        h -> h.replace("[515,96]", "[4294967296,4294967296]")),
                        "embed_tokens.weight",
                        "more bytes than 64 bits"),
                row(
                        "unknown dtype",
                        copy -> copy.dtype(TRANSFORMER, table, "F8_E4M3"),
                        table,
                        "F8_E4M3"),
                row(
                        "dtype of another size",
                        copy -> copy.dtype(TRANSFORMER, table, "F32"),
                        table,
                        "expected 1024 for F32"),
                row(
                        "integer weights",
                        copy -> copy.reshape(TRANSFORMER, table, "I32", 2, 128),
                        table,
                        "dtype is I32"),
                row(
                        "missing tensor",
                        copy -> copy.drop(TRANSFORMER, table),
                        "missing tensor 'scale_shift_table'",
                        "[2, 128]"),
                row(
                        "tensor of another name",
                        copy ->
                                copy.header(
                                        TEXT_ENCODER,
                                        h -> h.replace("layers.1.mlp.gate", "layers.1.mlp.gait")),
                        "missing tensor '" + gate + "'"),
                row(
                        "transposed tensor",
                        copy -> copy.reshape(TEXT_ENCODER, gate, "BF16", 96, 256),
                        gate,
                        "[96, 256]",
                        "[256, 96]"),
                row(
                        "NaN in a product's weight",
                        copy -> copy.element(TEXT_ENCODER, gate, 300, NAN),
                        gate,
                        "element 300 is NaN"),
                row(
                        "NaN in a table",
                        copy -> copy.element(TRANSFORMER, table, 5, NAN),
                        table,
                        "element 5 is NaN"),
                row(
                        "NaN in the token embeddings",
                        copy -> copy.element(TEXT_ENCODER, "embed_tokens.weight", 97, NAN),
                        "embed_tokens.weight",
                        "element 97 is NaN"),
                row(
                        "infinity in a convolution",
                        copy -> copy.element(VAE, "decoder.conv_out.weight", 0, INFINITY),
                        "decoder.conv_out.weight",
                        "element 0 is Infinity"),
                row(
                        "two checkpoints",
                        copy -> copy.write("vae/model.safetensors", ""),
                        "more than one checkpoint"),
                row(
                        "missing shard",
                        copy -> sharded(copy, "model-2.safetensors"),
                        "model-2.safetensors",
                        "missing shard"),
                row("shard elsewhere", copy -> sharded(copy, "../a.safetensors"), "same folder"),
                row(
                        "index of shards is no JSON",
                        copy ->
                                sharded(copy, "model-1.safetensors")
                                        .truncate(TEXT_ENCODER + ".index.json", 9),
                        "index.json",
                        "not valid JSON"),
                row(
                        "shard holds what the index lacks",
                        copy -> sharded(copy, "model-1.safetensors"),
                        "does not say so"));
    }

    /** An index of one tensor, beside the text encoder's weights as shard 1. */
    private static DemoCopy sharded(DemoCopy copy, String shard) throws IOException {
        String index = "{\"weight_map\": {\"embed_tokens.weight\": \"%s\"}}".formatted(shard);
        return copy.rename(TEXT_ENCODER, "text_encoder/model-1.safetensors")
                .write(TEXT_ENCODER + ".index.json", index);
    }

    @ParameterizedTest
    @MethodSource("weights")
    void saysWhatIsWrong(Row row) throws IOException {
        assertRefused(row);
    }

    @Test
    void nanIsFoundInBf16Too() throws IOException {
        copy.element(VAE, "decoder.conv_in.weight", 3, NAN);

        assertThatThrownBy(() -> open(Precision.BF16))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("decoder.conv_in.weight");
    }

    @Test
    void refusedModelsLeaveNoMemoryAndNoFilesBehind() throws IOException {
        copy.element(VAE, "decoder.conv_out.weight", 0, NAN);
        failToOpen(5);
        long before = residentBytes();
        long bufferedBefore = bufferedBytes();

        failToOpen(30);

        // Looked at before the garbage collector runs, which would close and free what is left.
        assertThat(openWeights()).isEmpty();
        assertThat(bufferedBytes() - bufferedBefore).isLessThan(1_000_000);
        // The weights are 18 MB in f32.
        assertThat(residentBytes() - before).isLessThan(100_000_000);
    }

    private void failToOpen(int times) {
        for (int i = 0; i < times; i++) {
            assertThat(catchThrowable(() -> open(Precision.F32)))
                    .isInstanceOf(ModelFormatException.class);
        }
    }

    /** The copy's weight files that this process holds open. */
    private List<String> openWeights() throws IOException {
        List<String> open = new ArrayList<>();
        for (File link : new File("/proc/self/fd").listFiles()) {
            String file = link.getCanonicalPath();
            if (file.startsWith(folder.toRealPath().toString()) && file.endsWith(".safetensors")) {
                open.add(file);
            }
        }
        return open;
    }

    /** Of buffers outside of the heap, with those that await the garbage collector. */
    private static long bufferedBytes() {
        return Pointer.totalBytes()
                + ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                        .filter(pool -> pool.getName().equals("direct"))
                        .mapToLong(BufferPoolMXBean::getMemoryUsed)
                        .sum();
    }

    /** Without the buffers that await the garbage collector. */
    private static long residentBytes() throws IOException {
        System.gc();
        String line =
                Files.readAllLines(Path.of("/proc/self/status")).stream()
                        .filter(entry -> entry.startsWith("VmRSS"))
                        .findFirst()
                        .orElseThrow();
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
    }
}
