package io.sanavideo.weights;

import static io.sanavideo.weights.SafetensorsBytes.entry;
import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.ModelFormatException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Mutates a small valid file: whatever its bytes, it opens or is refused with a {@link
 * ModelFormatException}. {@code -Dfuzz.seed=N} repeats a run, {@code -Dfuzz.cases=N} lengthens it.
 */
class SafetensorsFuzzTest {
    private static final String HEADER =
            "{\"__metadata__\":{\"format\":\"pt\",\"\u00e9\":\"\u20ac\"},%s,%s,%s,%s}  "
                    .formatted(
                            entry("a.weight", "F32", "[2,3]", "[0,24]"),
                            entry("a.bias", "BF16", "[3]", "[24,30]"),
                            entry("none", "I64", "[0,7]", "[30,30]"),
                            entry("scalar", "F64", "[]", "[30,38]"));
    private static final byte[] VALID = SafetensorsBytes.of(HEADER, 38);

    /** Pieces that a blind change of bytes would not find. */
    private static final List<String> PIECES =
            List.of(
                    "{",
                    "}",
                    "[",
                    "]",
                    ",",
                    ":",
                    "\"",
                    "\\",
                    "\\u0000",
                    "\\ud800",
                    "-",
                    "0",
                    "1e9",
                    ".5",
                    "null",
                    "true",
                    "NaN",
                    "9223372036854775807",
                    "18446744073709551615",
                    "\"a.bias\"",
                    "\"__metadata__\"",
                    "\"dtype\"",
                    "\"shape\"",
                    "\"data_offsets\"",
                    "\"F16\"",
                    "[[[[[[[[",
                    "{\"k\":",
                    "\u20ac",
                    " ",
                    "\n",
                    "\u0000");

    @TempDir Path folder;

    @Test
    void anyBytesOpenOrAreRefused() {
        long seed = Long.getLong("fuzz.seed", System.nanoTime());
        int cases = Integer.getInteger("fuzz.cases", 10_000);
        System.out.printf("SafetensorsFuzzTest: -Dfuzz.seed=%d -Dfuzz.cases=%d%n", seed, cases);
        Random random = new Random(seed);
        Path path = folder.resolve("fuzz.safetensors");
        int opened = 0;
        for (int i = 0; i < cases; i++) {
            byte[] bytes = mutated(random);
            SafetensorsBytes.write(path, bytes);
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                file.tensors().values().forEach(StoredTensor::toFloats);
                opened++;
            } catch (ModelFormatException e) {
                assertThat(e).hasMessageContaining(path.toString());
            } catch (Throwable e) {
                throw new AssertionError(
                        "seed %d, case %d, bytes %s"
                                .formatted(seed, i, HexFormat.of().formatHex(bytes)),
                        e);
            }
        }
        // Both ways out are taken: changed data bytes are fine, most changes of the header are not.
        assertThat(opened).isBetween(cases / 100, cases / 2);
    }

    private static byte[] mutated(Random random) {
        byte[] bytes = VALID;
        for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
            bytes = changed(bytes, random);
        }
        if (random.nextInt(4) > 0 && bytes.length >= 8) {
            fitLength(bytes);
        }
        return bytes;
    }

    /**
     * Lets the header's length follow the change, so that the parser and not the length check meets
     * it.
     */
    private static void fitLength(byte[] bytes) {
        long length = Math.max(0, bytes.length - 8 - 38);
        for (int i = 0; i < 8; i++) {
            bytes[i] = (byte) (length >> 8 * i);
        }
    }

    private static byte[] changed(byte[] bytes, Random random) {
        if (bytes.length == 0) {
            return bytes;
        }
        int at = random.nextInt(bytes.length);
        int to = at + random.nextInt(Math.min(32, bytes.length - at) + 1);
        byte[] span = Arrays.copyOfRange(bytes, at, to);
        return switch (random.nextInt(8)) {
            case 0 -> flipped(bytes, at, random.nextInt(8));
            case 1 -> spliced(bytes, at, at + 1, new byte[] {(byte) random.nextInt(256)});
            case 2 -> Arrays.copyOf(bytes, at);
            case 3 -> Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(16));
            case 4 -> spliced(bytes, at, to, new byte[0]);
            case 5 -> spliced(bytes, at, at, span);
            case 6 -> spliced(bytes, at, at, piece(random));
            default -> spliced(bytes, at, to, piece(random));
        };
    }

    private static byte[] piece(Random random) {
        return PIECES.get(random.nextInt(PIECES.size())).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] flipped(byte[] bytes, int at, int bit) {
        byte[] result = bytes.clone();
        result[at] ^= (byte) (1 << bit);
        return result;
    }

    private static byte[] spliced(byte[] bytes, int begin, int end, byte[] middle) {
        byte[] result = Arrays.copyOf(bytes, begin + middle.length + bytes.length - end);
        System.arraycopy(middle, 0, result, begin, middle.length);
        System.arraycopy(bytes, end, result, begin + middle.length, bytes.length - end);
        return result;
    }
}
