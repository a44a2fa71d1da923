package io.sanavideo.check;

import io.sanavideo.ModelFormatException;
import io.sanavideo.model.Comparison;
import io.sanavideo.model.GoldenTensors;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.schedule.FlowSampler;
import io.sanavideo.schedule.SchedulerConfig;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Schedulers, each in the subfolder of its name: {@code NAME.timesteps}, {@code NAME.sigmas}, and
 * {@code NAME.x}, the sample after each step from {@code x0} on under the made-up velocity sin(3x)
 * + t / 1000. They compute in f32 whatever models do.
 */
final class SchedulerCheck implements GoldenCheck {
    static final double BOUND = 1e-6;

    private static final String CONFIG = "scheduler_config.json";
    private static final String START = "x0";

    private final List<Path> schedulers;

    SchedulerCheck(List<Path> schedulers) {
        this.schedulers = schedulers;
    }

    /** The subfolders that hold a scheduler, by name. */
    static List<Path> folders(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> Files.exists(entry.resolve(CONFIG))).sorted().toList();
        } catch (IOException e) {
            throw new ModelFormatException(folder + ": cannot be listed: " + e, e);
        }
    }

    @Override
    public CheckReport run(Path folder, GoldenTensors golden, CheckOptions options) {
        List<Finding> findings = new ArrayList<>();
        try (Context context = options.context()) {
            for (Path scheduler : schedulers) {
                for (Comparison error : compare(context, scheduler, golden)) {
                    findings.add(Finding.below(BOUND, error));
                }
            }
        } catch (IllegalArgumentException e) {
            // All requests come from the file.
            throw new ModelFormatException(
                    "%s: does not fit the schedulers: %s"
                            .formatted(folder.resolve(GoldenTensors.FILE), e.getMessage()),
                    e);
        }
        return new CheckReport("schedulers", findings);
    }

    private static List<Comparison> compare(Context context, Path folder, GoldenTensors golden) {
        String name = folder.getFileName().toString();
        float[] timesteps = golden.values(name + ".timesteps");
        float[] start = golden.values(START);
        SchedulerConfig config = SchedulerConfig.of(Json.read(folder.resolve(CONFIG)));
        try (FlowSampler sampler = config.sampler(timesteps.length);
                Tensor latents = context.tensor(DType.F32, start.length);
                Tensor velocity = context.tensor(DType.F32, start.length)) {
            float[] samples = new float[timesteps.length * start.length];
            latents.upload(start);
            for (int i = 0; i < sampler.steps(); i++) {
                velocity.upload(madeUpVelocity(latents.toFloats(), sampler.timesteps()[i]));
                sampler.step(i, velocity, latents);
                System.arraycopy(latents.toFloats(), 0, samples, i * start.length, start.length);
            }
            return List.of(
                    compare(golden, name + ".timesteps", toFloats(sampler.timesteps())),
                    compare(golden, name + ".sigmas", toFloats(sampler.sigmas())),
                    compare(golden, name + ".x", samples));
        }
    }

    private static Comparison compare(GoldenTensors golden, String name, float[] output) {
        return Comparison.of(name, output, golden.values(name));
    }

    private static float[] madeUpVelocity(float[] x, double timestep) {
        float[] velocity = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            velocity[i] = (float) Math.sin(3f * x[i]) + (float) timestep / 1000;
        }
        return velocity;
    }

    /** The reference's numbers are f32. */
    static float[] toFloats(double[] values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            narrow[i] = (float) values[i];
        }
        return narrow;
    }
}
