package io.sanavideo.check;

import io.sanavideo.ModelFormatException;
import io.sanavideo.model.Comparison;
import io.sanavideo.model.GoldenTensors;
import io.sanavideo.schedule.TorchRandom;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** PyTorch's normal numbers: tensors {@code seedS.nN} hold the first N of seed S. */
final class NoiseCheck implements GoldenCheck {
    static final double BOUND = 1e-6;

    private static final Pattern NAME = Pattern.compile("seed(-?\\d{1,20})\\.n(\\d{1,10})");

    @Override
    public CheckReport run(Path folder, GoldenTensors golden, CheckOptions options) {
        List<Finding> findings = new ArrayList<>();
        for (String name : golden.names()) {
            Matcher parts = NAME.matcher(name);
            if (!parts.matches()) {
                throw new ModelFormatException(
                        "%s: cannot tell what tensor '%s' is, expected seedS.nN, or a config.json beside the file"
                                .formatted(folder.resolve(GoldenTensors.FILE), name));
            }
            int count = golden.shape(name, 1)[0];
            if (!parts.group(2).equals(Integer.toString(count))) {
                throw new ModelFormatException(
                        "%s: tensor '%s' has %d numbers, expected as many as its name says"
                                .formatted(folder.resolve(GoldenTensors.FILE), name, count));
            }
            // PyTorch takes seeds up to 2^64 and keeps their bits.
            long seed = new BigInteger(parts.group(1)).longValue();
            float[] drawn = TorchRandom.randn(seed, count);
            findings.add(Finding.below(BOUND, Comparison.of(name, drawn, golden.values(name))));
        }
        return new CheckReport("noise", findings);
    }
}
