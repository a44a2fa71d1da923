package io.sanavideo.inspect;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.ModelFormatException;
import io.sanavideo.weights.LoraFile;
import io.sanavideo.weights.SafetensorsFile;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Path;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * A LoRA: which layers it adapts, and how.
 *
 * @param layers empty where it is refused
 * @param refusal why it cannot be used; null where it can
 */
record LoraInspection(Path file, Weights weights, List<Layer> layers, String refusal)
        implements Inspection {
    private static final MathContext DIGITS = new MathContext(6);

    /**
     * A layer that it adapts.
     *
     * @param out rows of its weight
     * @param factor that its product of low rank is multiplied by at scale 1
     */
    record Layer(String name, long out, List<Long> in, int rank, double alpha, double factor) {}

    static LoraInspection of(SafetensorsFile open) {
        Path path = open.path();
        Weights weights = Weights.of(List.of(open));
        try (LoraFile lora = LoraFile.open(path)) {
            return new LoraInspection(
                    path,
                    weights,
                    lora.layers().values().stream().map(LoraInspection::layer).toList(),
                    null);
        } catch (ModelFormatException e) {
            return new LoraInspection(path, weights, List.of(), e.getMessage());
        }
    }

    private static Layer layer(LoraFile.Layer layer) {
        List<Long> down = layer.down().shape();
        return new Layer(
                layer.name(),
                layer.up().shape().get(0),
                down.subList(1, down.size()),
                layer.rank(),
                layer.alpha(),
                layer.factor());
    }

    /** How many layers of each kind, by their names within a block. */
    private Map<String, Long> targets() {
        return layers.stream()
                .collect(
                        Collectors.groupingBy(
                                layer ->
                                        layer.name()
                                                .replaceFirst("^transformer_blocks\\.\\d+\\.", ""),
                                TreeMap::new,
                                Collectors.counting()));
    }

    @Override
    public ObjectNode json() {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("kind", "lora").put("file", file.toString());
        weights.putTotals(object);
        object.put("refusal", refusal);
        ObjectNode counts = object.putObject("targets");
        targets().forEach(counts::put);
        ArrayNode array = object.putArray("layers");
        for (Layer layer : layers) {
            ObjectNode entry =
                    array.addObject()
                            .put("name", layer.name())
                            .put("rank", layer.rank())
                            .put("alpha", layer.alpha())
                            .put("factor", layer.factor())
                            .put("out", layer.out());
            ArrayNode in = entry.putArray("in");
            layer.in().forEach(in::add);
        }
        weights.putTensors(object);
        return object;
    }

    @Override
    public String text() {
        if (refusal != null) {
            return "%s: LoRA that cannot be used here, %s%n%s%n%s"
                    .formatted(file, weights.summary(), refusal, weights.table());
        }
        StringBuilder lines =
                new StringBuilder(
                        "%s: LoRA of %d layers, rank %s, alpha %s; %s%n"
                                .formatted(
                                        file,
                                        layers.size(),
                                        range(Layer::rank),
                                        range(Layer::alpha),
                                        weights.summary()));
        lines.append(
                "  adapts %s%n"
                        .formatted(
                                targets().entrySet().stream()
                                        .map(entry -> entry.getValue() + " " + entry.getKey())
                                        .collect(Collectors.joining(", "))));
        int width = layers.stream().mapToInt(layer -> layer.name().length()).max().orElse(0);
        for (Layer layer : layers) {
            lines.append(
                    String.format(
                            Locale.ROOT,
                            "  %-" + width + "s  rank %d, alpha %s, times %s%n",
                            layer.name(),
                            layer.rank(),
                            number(layer.alpha()),
                            number(layer.factor())));
        }
        weights.metadata()
                .forEach(
                        (key, value) ->
                                lines.append("  metadata: %s = %s%n".formatted(key, value)));
        return lines.toString();
    }

    /** The least and the greatest of all layers; one number where they are the same. */
    private String range(ToDoubleFunction<Layer> of) {
        DoubleSummaryStatistics values = layers.stream().mapToDouble(of).summaryStatistics();
        return values.getMin() == values.getMax()
                ? number(values.getMin())
                : number(values.getMin()) + " to " + number(values.getMax());
    }

    /** To six digits, without zeros at the end. */
    private static String number(double value) {
        return new BigDecimal(value, DIGITS).stripTrailingZeros().toPlainString();
    }
}
