package io.sanavideo.weights;

import io.sanavideo.runtime.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** The rows of a stored tensor, and added to them what LoRAs add: in f32, in the order given. */
final class AdaptedRows implements Rows {
    private final StoredTensor stored;
    private final DType compute;
    private final List<LoraTerm> terms;
    private final List<LoraTerm.Values> values;
    private final int rowBytes;

    /**
     * Reads the terms.
     *
     * @param compute what the sums must fit into
     */
    AdaptedRows(StoredTensor stored, DType compute, List<LoraTerm> terms) {
        this.stored = stored;
        this.compute = compute;
        this.terms = terms;
        values = terms.stream().map(LoraTerm::read).toList();
        rowBytes = Math.toIntExact(stored.bytes() / stored.shape().get(0));
    }

    int columns() {
        return rowBytes / stored.dtype().bytes();
    }

    @Override
    public void fill(long row, float[] sums) {
        ByteBuffer raw = ByteBuffer.allocate(rowBytes).order(ByteOrder.LITTLE_ENDIAN);
        stored.read(row * rowBytes, raw);
        raw.flip();
        long first = row * sums.length;
        for (int i = 0; i < sums.length; i++) {
            sums[i] = StoredTensor.nextFloat(stored.dtype(), raw);
            WeightLoader.requireFinite(stored, first + i, sums[i], compute);
        }
        values.forEach(term -> term.addTo(row, sums));
        for (int i = 0; i < sums.length; i++) {
            float held = compute == DType.BF16 ? DType.roundToBf16(sums[i]) : sums[i];
            if (!Float.isFinite(held)) {
                throw SafetensorsHeader.fault(
                        stored.file().path(),
                        stored.name(),
                        stored.begin() + (first + i) * stored.dtype().bytes(),
                        "element %d becomes %s with what %s add, expected a number that %s can hold: give smaller scales"
                                .formatted(first + i, held, files(), compute));
            }
        }
    }

    private List<String> files() {
        return terms.stream()
                .map(term -> term.layer().down().file().path().getFileName().toString())
                .toList();
    }
}
