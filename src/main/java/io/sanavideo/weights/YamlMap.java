package io.sanavideo.weights;

import io.sanavideo.ModelFormatException;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.LongConsumer;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * A mapping of a YAML 1.2 file. What is wrong with it is said with file, line and column: {@code
 * story.yaml:7:12: seconds is 'long', expected a number}.
 */
public final class YamlMap {
    private static final long MAX_BYTES = 10_000_000;

    private final Path file;
    private final Node node;
    private final Map<String, Node> values;

    private YamlMap(Path file, Node node) {
        this.file = file;
        this.node = node;
        values = new LinkedHashMap<>();
        if (!(node instanceof MappingNode mapping)) {
            throw failure(node, "expected keys with values", null);
        }
        for (NodeTuple entry : mapping.getValue()) {
            if (!(entry.getKeyNode() instanceof ScalarNode key)) {
                throw failure(entry.getKeyNode(), "a key is no text, expected text", null);
            }
            if (values.put(key.getValue(), entry.getValueNode()) != null) {
                throw failure(key, "'%s' is there twice".formatted(key.getValue()), null);
            }
        }
    }

    /**
     * Reads a file of at most 10,000,000 bytes.
     *
     * @throws ModelFormatException when it is missing, unreadable, or holds no mapping
     */
    public static YamlMap read(Path file) {
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > MAX_BYTES) {
                throw new ModelFormatException(
                        "%s: expected a YAML file of at most %d bytes".formatted(file, MAX_BYTES));
            }
            LoadSettings settings = LoadSettings.builder().setLabel(file.toString()).build();
            Optional<Node> root = new Compose(settings).composeString(Files.readString(file));
            return new YamlMap(
                    file,
                    root.orElseThrow(() -> new ModelFormatException(file + ": holds nothing")));
        } catch (CharacterCodingException e) {
            throw new ModelFormatException(file + ": is not valid UTF-8", e);
        } catch (IOException e) {
            throw new ModelFormatException(file + ": cannot be read: " + e, e);
        } catch (MarkedYamlEngineException e) {
            throw new ModelFormatException(at(file, e.getProblemMark()) + e.getProblem(), e);
        } catch (YamlEngineException e) {
            throw new ModelFormatException(file + ": " + e.getMessage(), e);
        }
    }

    private static String at(Path file, Optional<Mark> mark) {
        return mark.map(m -> "%s:%d:%d: ".formatted(file, m.getLine() + 1, m.getColumn() + 1))
                .orElse(file + ": ");
    }

    private ModelFormatException failure(Node where, String words, Throwable cause) {
        return new ModelFormatException(at(file, where.getStartMark()) + words, cause);
    }

    /**
     * @throws ModelFormatException naming the first key that is none of these
     */
    public void requireOnly(List<String> keys) {
        for (NodeTuple entry : ((MappingNode) node).getValue()) {
            String key = ((ScalarNode) entry.getKeyNode()).getValue();
            if (!keys.contains(key)) {
                throw failure(
                        entry.getKeyNode(),
                        "'%s' is not known, expected one of %s".formatted(key, keys),
                        null);
            }
        }
    }

    private Optional<String> find(String key) {
        Node value = values.get(key);
        if (value == null || value.getTag().equals(Tag.NULL)) {
            return Optional.empty();
        }
        if (!(value instanceof ScalarNode scalar)) {
            throw failure(value, "'%s' is no single value, expected one".formatted(key), null);
        }
        return Optional.of(scalar.getValue());
    }

    /** The text of a key, or {@code fallback} where it is not there. */
    public String text(String key, String fallback) {
        return find(key).orElse(fallback);
    }

    /**
     * @throws ModelFormatException when the key is not there
     */
    public String requiredText(String key) {
        return find(key).orElseThrow(() -> missing(key));
    }

    /**
     * @throws ModelFormatException when the key is not there or no number
     */
    public double requiredNumber(String key) {
        return number(key, requiredText(key));
    }

    private ModelFormatException missing(String key) {
        return failure(node, "'%s' is missing".formatted(key), null);
    }

    private double number(String key, String text) {
        try {
            return new BigDecimal(text).doubleValue();
        } catch (NumberFormatException e) {
            throw failure(values.get(key), "%s is '%s', expected a number".formatted(key, text), e);
        }
    }

    /**
     * Hands on the text of a key where it is there. What {@code taker} refuses with an {@link
     * IllegalArgumentException} or a {@link ModelFormatException} is refused with line and column.
     */
    public void ifText(String key, Consumer<String> taker) {
        find(key).ifPresent(text -> checked(key, () -> taker.accept(text)));
    }

    /** As {@link #ifText} for a number. */
    public void ifNumber(String key, DoubleConsumer taker) {
        Optional<Double> number = find(key).map(text -> number(key, text));
        number.ifPresent(value -> checked(key, () -> taker.accept(value)));
    }

    /** As {@link #ifText} for an integer. */
    public void ifWhole(String key, LongConsumer taker) {
        ifText(
                key,
                text -> {
                    long value;
                    try {
                        value = new BigDecimal(text).longValueExact();
                    } catch (ArithmeticException | NumberFormatException e) {
                        throw new IllegalArgumentException(
                                "%s is '%s', expected a whole number".formatted(key, text), e);
                    }
                    taker.accept(value);
                });
    }

    /**
     * The mappings of a list.
     *
     * @throws ModelFormatException when the key is not there, or no list of mappings
     */
    public List<YamlMap> maps(String key) {
        Node value = values.get(key);
        if (value == null) {
            throw missing(key);
        }
        if (!(value instanceof SequenceNode list)) {
            throw failure(value, "'%s' is no list, expected one".formatted(key), null);
        }
        List<YamlMap> maps = new ArrayList<>();
        list.getValue().forEach(item -> maps.add(new YamlMap(file, item)));
        return maps;
    }

    /** Runs what may refuse a key's value, and says where that is. */
    public void checked(String key, Runnable work) {
        try {
            work.run();
        } catch (IllegalArgumentException | ModelFormatException e) {
            throw failure(values.getOrDefault(key, node), e.getMessage(), e);
        }
    }
}
