package io.sanavideo.pipeline;

import io.sanavideo.Latents;
import io.sanavideo.ModelFormatException;
import io.sanavideo.model.ChannelsLast;
import io.sanavideo.runtime.DType;
import io.sanavideo.weights.SafetensorsFile;
import io.sanavideo.weights.SafetensorsWriter;
import io.sanavideo.weights.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Latents in a safetensors file: {@code latents} f32 [1, channels, frames, height, width]. */
public final class LatentsFile {
    private static final String NAME = "latents";
    private static final int RANK = 5;

    private LatentsFile() {}

    /**
     * @throws ModelFormatException when the file is broken or holds no such tensor
     */
    public static Latents read(Path path) {
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            StoredTensor tensor = file.tensors().get(NAME);
            if (tensor == null) {
                throw new ModelFormatException(
                        "%s: has no tensor '%s', but %s"
                                .formatted(path, NAME, file.tensors().keySet()));
            }
            List<Long> shape = tensor.shape();
            if (shape.size() != RANK || shape.get(0) != 1 || tensor.elements() == 0) {
                throw new ModelFormatException(
                        "%s: tensor '%s' has shape %s, expected [1, channels, frames, height, width]"
                                .formatted(path, NAME, shape));
            }
            int channels = Math.toIntExact(shape.get(1));
            return new Latents(
                    Math.toIntExact(shape.get(2)),
                    Math.toIntExact(shape.get(3)),
                    Math.toIntExact(shape.get(4)),
                    channels,
                    ChannelsLast.of(tensor.toFloats(), channels));
        }
    }

    /** Writes a file, which appears under its name when it is complete. */
    public static void write(Path path, Latents latents) {
        float[] values = ChannelsLast.toChannelsFirst(latents.values(), latents.channels());
        ByteBuffer bytes =
                ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        List<Long> shape =
                List.of(
                        1L,
                        (long) latents.channels(),
                        (long) latents.frames(),
                        (long) latents.height(),
                        (long) latents.width());
        try (SafetensorsWriter writer =
                new SafetensorsWriter(
                        path,
                        Map.of(),
                        List.of(new SafetensorsWriter.Entry(NAME, DType.F32, shape)))) {
            writer.write(bytes);
        }
    }
}
