package io.sanavideo.quantize;

import io.sanavideo.model.Observer;
import io.sanavideo.model.TransformerLayer;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.WeightKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What the inputs of a dense transformer's layers were in a few runs: their largest magnitude, and
 * a sample of their rows, by which the errors of quantised layers are measured.
 */
final class Calibration implements Observer {
    /** Rows kept of a layer, about. */
    private static final int SAMPLE_ROWS = 128;

    /** Pieces offered to the sample at each call; each is as likely to stay. */
    private static final int OFFERED = 4;

    /** A run that was not seen may have inputs this much larger. */
    private static final float HEADROOM = 2;

    private static final int BLOCK_ELEMENTS = 1 << 22;

    /** The inputs of a layer. */
    private static final class Inputs {
        private final List<float[]> sample = new ArrayList<>();
        private final SplittableRandom random;
        private float largest;
        private long offered;

        Inputs(String layer) {
            random = new SplittableRandom(layer.hashCode());
        }
    }

    private final Map<String, Inputs> layers = new HashMap<>();
    private int frames;

    /** The runs that follow have so many latent frames. */
    void begin(int latentFrames) {
        frames = latentFrames;
    }

    @Override
    public void see(String name, Tensor tensor) {}

    @Override
    public void seeInput(TransformerLayer layer, Tensor input) {
        Inputs inputs = layers.computeIfAbsent(layer.name(), Inputs::new);
        int rows = (int) input.size(0);
        int blockRows = Math.max(1, BLOCK_ELEMENTS / layer.in());
        for (int row = 0; row < rows; row += blockRows) {
            try (Tensor block = input.slice(row, Math.min(blockRows, rows - row))) {
                for (float value : block.toFloats()) {
                    inputs.largest = Math.max(inputs.largest, Math.abs(value));
                }
            }
        }
        // A temporal convolution needs all frames of a place.
        int pieceRows = layer.kind() == WeightKind.TEMPORAL ? frames : 1;
        int places = rows / pieceRows;
        for (int i = 0; i < OFFERED; i++) {
            int most = Math.max(1, SAMPLE_ROWS / pieceRows);
            long at =
                    inputs.sample.size() < most
                            ? inputs.sample.size()
                            : inputs.random.nextLong(inputs.offered + 1);
            inputs.offered++;
            int place = inputs.random.nextInt(places);
            if (at < most) {
                float[] piece = piece(input, place, pieceRows, places);
                if (at < inputs.sample.size()) {
                    inputs.sample.set((int) at, piece);
                } else {
                    inputs.sample.add(piece);
                }
            }
        }
    }

    private static float[] piece(Tensor input, int place, int pieceRows, int places) {
        int channels = (int) input.size(1);
        float[] piece = new float[pieceRows * channels];
        for (int i = 0; i < pieceRows; i++) {
            try (Tensor row = input.slice((long) i * places + place, 1)) {
                System.arraycopy(row.toFloats(), 0, piece, i * channels, channels);
            }
        }
        return piece;
    }

    /** Whether a layer was seen at work. */
    boolean has(TransformerLayer layer) {
        return layers.containsKey(layer.name());
    }

    /**
     * The global scale that a layer's inputs get: their largest magnitude and as much again fit.
     */
    float inputScale(TransformerLayer layer) {
        float largest = layers.get(layer.name()).largest;
        return largest == 0 ? 1 : HEADROOM * largest / LayerQuantizer.SIX_RANGE;
    }

    /**
     * Inputs that the layer had: of a linear layer rows of channels, of a temporal convolution
     * clips of one place, [frames, channels].
     */
    List<float[]> sample(TransformerLayer layer) {
        return layers.get(layer.name()).sample;
    }
}
