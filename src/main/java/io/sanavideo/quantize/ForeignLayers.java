package io.sanavideo.quantize;

import io.sanavideo.ModelFormatException;
import io.sanavideo.model.Nvfp4Tensors;
import io.sanavideo.model.TransformerLayer;
import io.sanavideo.runtime.DType;
import io.sanavideo.weights.Checkpoint;
import io.sanavideo.weights.SafetensorsFile;
import io.sanavideo.weights.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Layers that others have quantised: as ModelOpt, compressed-tensors or ComfyUI name their tensors.
 * Files do not say in which order the codes of a byte are, how scales lie and in which direction
 * the global scale goes, so each way is tried and the one that is nearest to the dense weight is
 * taken: its error is about 0.1, that of codes read in a wrong way above 1. Scales of other blocks
 * may be less far off, but not as near as scales can be.
 */
final class ForeignLayers implements AutoCloseable {
    /** Four-bit weights are not this far off; what is read in a wrong way is farther. */
    private static final double MOST_ERROR = 0.3;

    /**
     * The square of a right layer's error by what it would be if each block had its best scale:
     * rounded scales add a tenth to it, those of other blocks make it many times as much.
     */
    private static final double MOST_OF_SCALES = 2;

    /** An error that needs no better scales, by the square of the weight. */
    private static final double SMALL_ERROR = 1e-3;

    private static final List<String> PREFIXES =
            List.of("", "transformer.", "diffusion_model.", "model.diffusion_model.", "model.");
    private static final int BLOCK = 16;

    private final Path file;
    private final AutoCloseable source;
    private final Map<String, StoredTensor> tensors;
    private final String prefix;
    private final TreeSet<String> forms = new TreeSet<>();

    private ForeignLayers(
            Path file, AutoCloseable source, Map<String, StoredTensor> tensors, String prefix) {
        this.file = file;
        this.source = source;
        this.tensors = tensors;
        this.prefix = prefix;
    }

    /**
     * @param path a safetensors file, or a folder with a checkpoint
     */
    static ForeignLayers open(Path path) {
        Map<String, StoredTensor> tensors = new HashMap<>();
        if (Files.isDirectory(path)) {
            Checkpoint checkpoint = Checkpoint.open(path);
            checkpoint.names().forEach(name -> tensors.put(name, checkpoint.require(name)));
            return of(path, checkpoint, tensors);
        }
        SafetensorsFile file = SafetensorsFile.open(path);
        return of(path, file, file.tensors());
    }

    private static ForeignLayers of(
            Path file, AutoCloseable source, Map<String, StoredTensor> tensors) {
        for (String prefix : PREFIXES) {
            String block = prefix + "transformer_blocks.";
            if (tensors.keySet().stream().anyMatch(name -> name.startsWith(block))) {
                return new ForeignLayers(file, source, tensors, prefix);
            }
        }
        close(file, source);
        throw new ModelFormatException(
                "%s: has no tensor of a transformer block, expected names such as transformer_blocks.0.attn1.to_q.weight"
                        .formatted(file));
    }

    /**
     * How a file holds its layers.
     *
     * @param codes name of the codes, after the layer's
     * @param globalScale name of the global scale
     * @param inputScale name of the inputs' global scale
     * @param divides whether global scales are divided by
     */
    private record Naming(String codes, String globalScale, String inputScale, boolean divides) {}

    private static final List<Naming> NAMINGS =
            List.of(
                    new Naming(
                            ".weight_packed", ".weight_global_scale", ".input_global_scale", true),
                    new Naming(".weight", ".weight_scale_2", ".input_scale", false));

    /** A way to read the same bytes. */
    private record Form(boolean highFirst, boolean tiled, boolean divides) {
        @Override
        public String toString() {
            return "%s nibble first, %s scales, global scale %s"
                    .formatted(
                            highFirst ? "high" : "low",
                            tiled ? "128x4" : "row-major",
                            divides ? "divides" : "multiplies");
        }
    }

    /** Whether all parts of a layer are NVFP4 in this file. */
    boolean has(TransformerLayer layer) {
        return layer.parts().stream().allMatch(part -> tensors.containsKey(scales(part)));
    }

    /** The names of parts that are NVFP4 while others of the same product are not. */
    private List<String> alone(TransformerLayer layer) {
        return has(layer)
                ? List.of()
                : layer.parts().stream().filter(part -> tensors.containsKey(scales(part))).toList();
    }

    private String scales(String part) {
        return prefix + Nvfp4Tensors.scales(part);
    }

    /** The global scale of a layer's inputs; 0 where the file has none. */
    float inputScale(TransformerLayer layer) {
        float largest = 0;
        for (String part : layer.parts()) {
            for (Naming naming : NAMINGS) {
                StoredTensor stored = tensors.get(prefix + part + naming.inputScale);
                if (stored != null) {
                    float value = stored.toFloats()[0];
                    // Parts share their input: the larger range holds all.
                    largest = Math.max(largest, naming.divides ? 1 / value : value);
                }
            }
        }
        return largest;
    }

    /**
     * The layer, in this project's form.
     *
     * @param dense its weight, [out, taps, in]
     * @throws ModelFormatException when no way to read it is near the dense weight
     */
    QuantizedLayer layer(TransformerLayer layer, float[] dense) {
        List<QuantizedLayer.Part> parts = new ArrayList<>();
        double noise = 0;
        double signal = 0;
        int partElements = dense.length / layer.parts().size();
        for (int i = 0; i < layer.parts().size(); i++) {
            Packed packed = packed(layer, layer.parts().get(i));
            int first = i * partElements;
            double all = 0;
            for (int at = first; at < first + partElements; at++) {
                all += (double) dense[at] * dense[at];
            }
            Form best = packed.forms().get(0);
            double least = Double.POSITIVE_INFINITY;
            for (Form form : packed.forms()) {
                double error = packed.squareError(form, dense, first);
                if (error < least) {
                    least = error;
                    best = form;
                }
            }
            if (!(least <= MOST_ERROR * MOST_ERROR * all)) {
                throw new ModelFormatException(
                        "%s: layer '%s' is %.2f from the dense weight in the nearest way to read it (%s), expected about 0.1: it is of another model, or packed in a way that is not known here"
                                .formatted(
                                        file, layer.parts().get(i), Math.sqrt(least / all), best));
            }
            if (least > SMALL_ERROR * all) {
                requireOwnScales(
                        layer.parts().get(i), least, packed.fittedError(best, dense, first));
            }
            forms.add(best.toString());
            parts.add(packed.part(best));
            noise += least;
            signal += all;
        }
        double ratio = QuantizedLayer.signalToNoise(signal, noise);
        return new QuantizedLayer(parts, null, ratio, Double.NaN);
    }

    private void requireOwnScales(String part, double error, double fitted) {
        if (error > MOST_OF_SCALES * fitted) {
            throw new ModelFormatException(
                    "%s: the scales of '%s' are not those of its codes: with others it would be %.1f times nearer to the dense weight; they lie in an order that is not known here"
                            .formatted(file, part, Math.sqrt(error / fitted)));
        }
    }

    private Packed packed(TransformerLayer layer, String part) {
        Naming naming =
                NAMINGS.stream()
                        .filter(known -> tensors.containsKey(prefix + part + known.codes))
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new ModelFormatException(
                                                "%s: '%s' is there, expected codes beside it in '%s.weight' or '%s.weight_packed'"
                                                        .formatted(
                                                                file, scales(part), part, part)));
        StoredTensor globalScale = tensors.get(prefix + part + naming.globalScale);
        if (globalScale == null) {
            throw new ModelFormatException(
                    "%s: missing tensor '%s%s%s'"
                            .formatted(file, prefix, part, naming.globalScale));
        }
        return new Packed(
                layer,
                part,
                bytes(tensors.get(prefix + part + naming.codes), layer),
                bytes(tensors.get(scales(part)), layer),
                globalScale.toFloats()[0]);
    }

    private byte[] bytes(StoredTensor stored, TransformerLayer layer) {
        // More than one tile of scales larger than its elements cannot be meant.
        if (stored.bytes() > layer.elements() + 512L * layer.in()) {
            throw new ModelFormatException(
                    "%s: tensor '%s' has %d bytes for %d elements"
                            .formatted(file, stored.name(), stored.bytes(), layer.elements()));
        }
        byte[] bytes = new byte[(int) stored.bytes()];
        stored.read(0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /** The ways in which the layers so far were read, and which of them were not. */
    String describe(List<TransformerLayer> layers) {
        List<String> left = layers.stream().flatMap(layer -> alone(layer).stream()).toList();
        String read = String.join("; ", forms);
        return left.isEmpty()
                ? read
                : "%s; dense, as other parts of their products are: %s"
                        .formatted(read, String.join(", ", left));
    }

    @Override
    public void close() {
        close(file, source);
    }

    private static void close(Path file, AutoCloseable source) {
        try {
            source.close();
        } catch (Exception e) {
            throw new ModelFormatException(file + ": cannot be closed: " + e, e);
        }
    }

    /** The bytes of a part. */
    private final class Packed {
        private static final float[] CODES = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

        private final byte[] codes;
        private final byte[] scales;
        private final float globalScale;
        private final int rows;
        private final int columns; // scales of a row
        private final List<Form> forms;

        Packed(
                TransformerLayer layer,
                String part,
                byte[] codes,
                byte[] scales,
                float globalScale) {
            this.codes = codes;
            this.scales = scales;
            this.globalScale = globalScale;
            rows = layer.partRows() * layer.taps();
            columns = layer.in() / BLOCK;
            if (codes.length != rows * columns * BLOCK / 2) {
                throw new ModelFormatException(
                        "%s: the codes of '%s' are %d bytes, expected %d"
                                .formatted(file, part, codes.length, rows * columns * BLOCK / 2));
            }
            forms = possible();
            if (forms.isEmpty()) {
                throw new ModelFormatException(
                        "%s: the scales of '%s' are %d bytes, expected %d, or %d in tiles of 128x4"
                                .formatted(
                                        file,
                                        part,
                                        scales.length,
                                        scaleBytes(false),
                                        scaleBytes(true)));
            }
        }

        private int scaleBytes(boolean tiled) {
            return tiled ? (rows + 127) / 128 * ((columns + 3) / 4) * 512 : rows * columns;
        }

        /** The ways that its sizes allow, one at least. */
        List<Form> forms() {
            return forms;
        }

        private List<Form> possible() {
            List<Form> possible = new ArrayList<>();
            for (boolean tiled : new boolean[] {false, true}) {
                if (scales.length != scaleBytes(tiled)) {
                    continue;
                }
                for (boolean highFirst : new boolean[] {false, true}) {
                    possible.add(new Form(highFirst, tiled, false));
                    possible.add(new Form(highFirst, tiled, true));
                }
            }
            possible.sort(Comparator.comparing(Form::toString));
            return possible;
        }

        private byte scale(Form form, int row, int column) {
            if (!form.tiled) {
                return scales[row * columns + column];
            }
            int tile = row / 128 * ((columns + 3) / 4) + column / 4;
            return scales[tile * 512 + row % 32 * 16 + row % 128 / 32 * 4 + column % 4];
        }

        private float multiplier(Form form) {
            return form.divides ? 1 / globalScale : globalScale;
        }

        double squareError(Form form, float[] dense, int first) {
            double sum = 0;
            float global = multiplier(form);
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    float step = scaleValue(scale(form, row, column)) * global;
                    int element = (row * columns + column) * BLOCK;
                    for (int i = element; i < element + BLOCK; i++) {
                        double error = dense[first + i] - code(form, i) * step;
                        sum += error * error;
                    }
                }
            }
            return sum;
        }

        /** What the square error would be if each block had the scale that suits its codes most. */
        double fittedError(Form form, float[] dense, int first) {
            double sum = 0;
            for (int block = 0; block < rows * columns; block++) {
                double all = 0;
                double along = 0;
                double squares = 0;
                for (int i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
                    double code = code(form, i);
                    all += (double) dense[first + i] * dense[first + i];
                    along += code * dense[first + i];
                    squares += code * code;
                }
                sum += all - (squares == 0 ? 0 : along * along / squares);
            }
            return sum;
        }

        private float code(Form form, int element) {
            boolean high = element % 2 == 0 ? form.highFirst : !form.highFirst;
            int code = codes[element / 2] >> (high ? 4 : 0) & 15;
            return code < 8 ? CODES[code] : -CODES[code & 7];
        }

        QuantizedLayer.Part part(Form form) {
            byte[] own = codes.clone();
            if (form.highFirst) {
                for (int i = 0; i < own.length; i++) {
                    own[i] = (byte) ((own[i] & 15) << 4 | own[i] >> 4 & 15);
                }
            }
            byte[] ownScales = new byte[rows * columns];
            for (int i = 0; i < ownScales.length; i++) {
                ownScales[i] = scale(form, i / columns, i % columns);
            }
            return new QuantizedLayer.Part(own, ownScales, multiplier(form));
        }

        /** A scale's value; one that is negative is none. */
        private static float scaleValue(byte bits) {
            return bits < 0 ? Float.NaN : DType.e4m3ToFloat(bits);
        }
    }
}
