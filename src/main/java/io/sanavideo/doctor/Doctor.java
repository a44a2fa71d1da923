package io.sanavideo.doctor;

import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.runtime.Context;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs every op on a card beside the CPU, which says what is right, and measures the card's memory
 * and products. Takes less than a minute, on what is much slower than a card by smaller sizes.
 */
public final class Doctor implements AutoCloseable {
    private final Device device;
    private final Context reference;
    private final Context examined;

    /** Hears of progress. */
    public interface Listener {
        /** A part begins. */
        void onPart(String name, int number, int parts);
    }

    Doctor(Device device, Context reference, Context examined) {
        this.device = device;
        this.reference = reference;
        this.examined = examined;
    }

    /**
     * For a device; of the CPU only the speed can be examined.
     *
     * @throws io.sanavideo.DeviceException when it cannot be used
     */
    public static Doctor of(Device device) {
        Context examined = Context.on(device);
        return new Doctor(
                device, device.kind() == Device.Kind.CPU ? null : Context.cpu(0), examined);
    }

    /**
     * Runs all trials and measurements.
     *
     * @param seed of the inputs
     * @throws io.sanavideo.DeviceException when the device does not answer any more
     * @throws io.sanavideo.CancelledException after {@link #cancel()}
     */
    public Diagnosis examine(long seed, Listener listener) {
        long start = System.nanoTime();
        Speed speed = new Speed(examined);
        Sizes sizes = speed.sizes();
        List<Trial> trials = reference == null ? List.of() : Trials.all(sizes);
        int parts = trials.size() + Speed.NAMES.size();
        int part = 0;
        List<Finding> findings = new ArrayList<>();
        for (Trial trial : trials) {
            listener.onPart(trial.name(), part++, parts);
            findings.add(new Judge(reference, examined, seed).judge(trial));
        }
        List<Measurement> measurements = new ArrayList<>();
        for (String name : Speed.NAMES) {
            listener.onPart(name, part++, parts);
            measurements.add(speed.measure(name, sizes));
        }
        return new Diagnosis(
                device,
                card(),
                seed,
                findings,
                measurements,
                Duration.ofNanos(System.nanoTime() - start));
    }

    private CudaDevice card() {
        return device.kind() == Device.Kind.CPU
                ? null
                : CudaDevice.all().stream()
                        .filter(card -> card.index() == device.index())
                        .findFirst()
                        .orElseThrow();
    }

    /** Ends an examination from another thread. */
    public void cancel() {
        examined.cancel();
        if (reference != null) {
            reference.cancel();
        }
    }

    @Override
    public void close() {
        examined.close();
        if (reference != null) {
            reference.close();
        }
    }
}
