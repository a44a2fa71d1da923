package io.sanavideo.model;

import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import io.sanavideo.weights.LoraTerm;
import java.util.ArrayList;
import java.util.List;

/**
 * A product of low rank beside a layer's own: up (down x). It is the sum of the correction that an
 * NVFP4 weight was stored with and of the layer's LoRAs; their ranks stand side by side.
 *
 * @param down [rank, in]
 * @param up [out, rank]
 */
record LowRankBranch(Weight down, Weight up) {
    /**
     * A summand.
     *
     * @param down [rank, in]
     * @param up [rows, rank]
     * @param firstRow the first row of the layer that it adds to
     */
    private record Summand(int rank, float[] down, float[] up, int firstRow) {
        /** Copies what a row of the layer takes from it: zeros where it adds nothing to it. */
        void copyUp(int row, float[] to, int at) {
            int first = (row - firstRow) * rank;
            if (first >= 0 && first < up.length) {
                System.arraycopy(up, first, to, at, rank);
            }
        }
    }

    /** The branch of a layer; null where it has none. */
    static LowRankBranch load(NamedWeights weights, TransformerLayer layer) {
        String down = Nvfp4Tensors.lowRankDown(layer.name());
        boolean corrected = weights.has(down);
        if (weights.loras().adapts(layer)) {
            return summed(weights, layer, corrected);
        }
        return corrected
                ? new LowRankBranch(
                        weights.weight(WeightKind.LINEAR, down),
                        weights.weight(WeightKind.LINEAR, correctionUp(layer)))
                : null;
    }

    private static String[] correctionUp(TransformerLayer layer) {
        return layer.parts().stream().map(Nvfp4Tensors::lowRankUp).toArray(String[]::new);
    }

    private static LowRankBranch summed(
            NamedWeights weights, TransformerLayer layer, boolean corrected) {
        boolean dry = weights.context().isDry();
        List<Summand> summands = new ArrayList<>();
        int rank = 0;
        if (corrected) {
            String down = Nvfp4Tensors.lowRankDown(layer.name());
            int own = (int) weights.shape(down)[0];
            rank += own;
            if (!dry) {
                float[] up = weights.values(correctionUp(layer));
                summands.add(new Summand(own, weights.values(down), up, 0));
            }
        }
        for (int i = 0; i < layer.parts().size(); i++) {
            for (LoraTerm term : weights.loras().terms(layer.parts().get(i) + ".weight")) {
                rank += term.rank();
                if (!dry) {
                    LoraTerm.Values values = term.read();
                    summands.add(
                            new Summand(
                                    values.rank(),
                                    values.down(),
                                    values.up(),
                                    i * layer.partRows()));
                }
            }
        }
        return new LowRankBranch(
                weights.computed(rank, layer.in(), (row, out) -> copyDown(summands, row, out)),
                weights.computed(
                        layer.out(), rank, (row, out) -> copyUp(summands, (int) row, out)));
    }

    private static void copyDown(List<Summand> summands, long row, float[] to) {
        long rest = row;
        for (Summand summand : summands) {
            if (rest < summand.rank()) {
                System.arraycopy(summand.down(), (int) rest * to.length, to, 0, to.length);
                return;
            }
            rest -= summand.rank();
        }
    }

    private static void copyUp(List<Summand> summands, int row, float[] to) {
        int at = 0;
        for (Summand summand : summands) {
            summand.copyUp(row, to, at);
            at += summand.rank();
        }
    }

    int rank() {
        return (int) down.shape()[0];
    }
}
