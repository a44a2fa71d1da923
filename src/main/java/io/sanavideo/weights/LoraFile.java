package io.sanavideo.weights;

import io.sanavideo.ModelFormatException;
import io.sanavideo.runtime.DType;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A LoRA of a transformer: a safetensors file that holds, for each layer that it adapts, two
 * matrices of low rank. Opening reads and checks the header alone. The layers are those of no
 * particular model yet.
 *
 * <p>Keys are PEFT's, {@code LAYER.lora_A.weight} and {@code LAYER.lora_B.weight}, or those of
 * older versions of diffusers: {@code LAYER.lora.down.weight}, {@code
 * LAYER.lora_linear_layer.down.weight}, {@code ATTENTION.processor.to_q_lora.down.weight}, and the
 * same with {@code up}. {@code transformer.} may stand before them. Any other key is refused by
 * name.
 */
public final class LoraFile implements AutoCloseable {
    private static final String PREFIX = "transformer.";
    private static final String TEXT_ENCODER = "text_encoder";

    /** In keys of any kind of LoRA, also one that is not supported. */
    private static final Pattern LORA = Pattern.compile("(^|[._])lora[._]");

    private static final Pattern PEFT = Pattern.compile("(.+)\\.lora_([AB])\\.weight");
    private static final Pattern OF_LAYER =
            Pattern.compile("(.+)\\.lora(?:_linear_layer)?\\.(down|up)\\.weight");
    private static final Pattern OF_PROCESSOR =
            Pattern.compile("(.+\\.to_(?:q|k|v|out))_lora\\.(down|up)\\.weight");
    private static final Set<DType> DTYPES = EnumSet.of(DType.F32, DType.F16, DType.BF16);
    private static final String EXPECTED =
            "expected LAYER.lora_A.weight and LAYER.lora_B.weight, as PEFT writes them,"
                    + " or LAYER.lora.down.weight and LAYER.lora.up.weight, as diffusers did";

    /**
     * What it adds to a layer: factor * up down.
     *
     * @param name of the layer, in diffusers' naming, without {@code transformer.}
     * @param down [rank, in, ...], A
     * @param up [out, rank, ...], B
     * @param alpha as the header says, or else the rank
     * @param factor alpha / rank
     */
    public record Layer(
            String name, StoredTensor down, StoredTensor up, double alpha, double factor) {
        public int rank() {
            return Math.toIntExact(down.shape().get(0));
        }
    }

    private final SafetensorsFile file;
    private final Map<String, Layer> layers;

    private LoraFile(SafetensorsFile file) {
        this.file = file;
        Map<String, StoredTensor> downs = new LinkedHashMap<>();
        Map<String, StoredTensor> ups = new TreeMap<>();
        for (StoredTensor tensor : file.tensors().values()) {
            place(tensor, downs, ups);
        }
        if (downs.isEmpty() && ups.isEmpty()) {
            throw new ModelFormatException(
                    "%s: holds no LoRA: it has no tensors, %s".formatted(file.path(), EXPECTED));
        }
        for (StoredTensor up : ups.values()) {
            if (!downs.containsKey(layerOf(up.name()))) {
                throw fault(up, "has no matrix A (down) beside it");
            }
        }
        LoraScales scales = LoraScales.of(file);
        Map<String, Layer> found = new LinkedHashMap<>();
        downs.forEach((name, down) -> found.put(name, layer(name, down, ups.get(name), scales)));
        layers = Collections.unmodifiableMap(found);
    }

    /**
     * Opens a file.
     *
     * @throws ModelFormatException when it is no safetensors file, or holds a key, a dtype, a shape
     *     or a setting that is not supported, naming it
     */
    public static LoraFile open(Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        try {
            return new LoraFile(file);
        } catch (Throwable e) {
            file.close();
            throw e;
        }
    }

    /** Whether a file looks like a LoRA; it may be one that is not supported. */
    public static boolean isLora(SafetensorsFile file) {
        return file.metadata().containsKey(LoraScales.METADATA)
                || file.tensors().keySet().stream().anyMatch(LORA.asPredicate());
    }

    private static void place(
            StoredTensor tensor, Map<String, StoredTensor> downs, Map<String, StoredTensor> ups) {
        Matcher key = key(tensor.name());
        if (key == null) {
            throw fault(tensor, why(tensor.name()) + "; " + EXPECTED);
        }
        boolean isDown = key.group(2).equals("A") || key.group(2).equals("down");
        StoredTensor other = (isDown ? downs : ups).put(layerOf(tensor.name()), tensor);
        if (other != null) {
            throw fault(tensor, "says anew what '%s' says".formatted(other.name()));
        }
        if (!DTYPES.contains(tensor.dtype())) {
            throw fault(
                    tensor, "dtype is %s, expected one of %s".formatted(tensor.dtype(), DTYPES));
        }
        if (tensor.shape().size() < 2 || tensor.elements() == 0) {
            throw fault(
                    tensor,
                    "has shape %s, expected [rank, in] of A (down) and [out, rank] of B (up), each at least 1"
                            .formatted(tensor.shape()));
        }
    }

    /** Its layer and side; null when it is no key of a LoRA. */
    private static Matcher key(String name) {
        if (name.startsWith(TEXT_ENCODER)) {
            return null;
        }
        String plain = plain(name);
        for (Pattern pattern : List.of(PEFT, OF_LAYER, OF_PROCESSOR)) {
            Matcher matcher = pattern.matcher(plain);
            if (matcher.matches()) {
                return matcher;
            }
        }
        return null;
    }

    private static String plain(String name) {
        String plain = name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
        return plain.replace(".processor.", ".");
    }

    /** The layer of a key. */
    private static String layerOf(String name) {
        Matcher key = key(name);
        // The processor's name for what the model keeps as the first of a list.
        return key.pattern() == OF_PROCESSOR && key.group(1).endsWith(".to_out")
                ? key.group(1) + ".0"
                : key.group(1);
    }

    private static String why(String name) {
        if (name.startsWith(TEXT_ENCODER)) {
            return "adapts a text encoder, and only the transformer can be adapted";
        }
        if (name.endsWith(".alpha")) {
            return "is an alpha as kohya's scripts keep it, and alphas are read from the header's '%s' alone"
                    .formatted(LoraScales.METADATA);
        }
        if (name.startsWith("lora_unet_") || name.startsWith("lora_te")) {
            return "is a key of kohya's scripts, which name no layers of this transformer";
        }
        if (name.contains("dora_scale") || name.contains("lora_magnitude_vector")) {
            return "is a scale of DoRA, which is not supported";
        }
        return "is no key that is known";
    }

    private static Layer layer(String name, StoredTensor down, StoredTensor up, LoraScales scales) {
        if (up == null) {
            throw fault(down, "has no matrix B (up) beside it");
        }
        long rank = down.shape().get(0);
        if (up.shape().get(1) != rank) {
            throw fault(
                    up,
                    "has shape %s, expected [out, %d]: '%s' has shape %s"
                            .formatted(up.shape(), rank, down.name(), down.shape()));
        }
        if (scales.rank(name).orElse((int) rank) != rank) {
            throw fault(
                    down,
                    "is of rank %d, and the header's '%s' says %d"
                            .formatted(rank, LoraScales.METADATA, scales.rank(name).getAsInt()));
        }
        return new Layer(
                name, down, up, scales.alpha(name, (int) rank), scales.factor(name, (int) rank));
    }

    private static ModelFormatException fault(StoredTensor tensor, String what) {
        return SafetensorsHeader.fault(tensor.file().path(), tensor.name(), tensor.begin(), what);
    }

    public Path path() {
        return file.path();
    }

    /** What it adapts, by the layers' names, in the order of the file. */
    public Map<String, Layer> layers() {
        return layers;
    }

    /** Closes the file; its layers can no longer be read. */
    @Override
    public void close() {
        file.close();
    }
}
