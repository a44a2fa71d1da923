package io.sanavideo;

import io.sanavideo.Progress.Phase;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a generation will take, known before any weight is loaded: all its work is gone through with
 * an allocator that only counts.
 *
 * @param device where it would run
 * @param format of the clip
 * @param steps denoising steps
 * @param guided whether a second branch runs at each step
 * @param dtypes what each component computes in, by its name
 * @param inTurn whether components are loaded one after the other and freed in between, because
 *     memory does not hold all of them
 * @param streamed whether of the text encoder and the transformer only the layer that runs is in
 *     memory, because it does not even hold one of them
 * @param tile pixels of a side of the tiles that frames are decoded in, because that was asked for
 *     or memory does not hold whole frames; {@link Model#WHOLE_FRAMES} where they are not cut
 * @param phases what each phase takes of the device's memory
 * @param disk bytes of weights to be read
 * @param available bytes of the device's memory that can be had now, or {@link #UNKNOWN}
 * @param time from text to frames, loading left out, as clips of this model on this device took;
 *     null where none of about this size was made yet
 * @param notes what else is to be known before it is made, each a sentence: how a film is laid out,
 *     that memory asks for tiles
 * @param warnings what goes beyond what the model was made for, each a sentence
 * @param alternatives where it does not fit, what would: each a few words, the largest first
 */
public record Plan(
        Device device,
        ClipFormat format,
        int steps,
        boolean guided,
        Map<String, String> dtypes,
        boolean inTurn,
        boolean streamed,
        int tile,
        List<PhaseMemory> phases,
        long disk,
        long available,
        Duration time,
        List<String> notes,
        List<String> warnings,
        List<String> alternatives) {
    /** Of {@link #available()}: the device is not in this machine. */
    public static final long UNKNOWN = -1;

    private static final double GB = 1e9;

    /**
     * A phase's use of the device's memory.
     *
     * @param phase ENCODE, DENOISE or DECODE; of what is made chunk by chunk ENCODE or CHUNKS
     * @param weights bytes of the components that are there
     * @param peak most bytes, weights included
     */
    public record PhaseMemory(Phase phase, long weights, long peak) {}

    /** Whether it is made chunk by chunk, in memory that does not grow with its length. */
    public boolean inChunks() {
        return phases.stream().anyMatch(phase -> phase.phase() == Phase.CHUNKS);
    }

    /** The phase that takes the most memory. */
    public PhaseMemory largest() {
        return phases.stream().max(Comparator.comparingLong(PhaseMemory::peak)).orElseThrow();
    }

    /** Most bytes of the device's memory in any phase. */
    public long peak() {
        return largest().peak();
    }

    /** Whether memory holds it; true where the memory is not known. */
    public boolean fits() {
        return available == UNKNOWN || peak() <= available;
    }

    /**
     * @throws DoesNotFitException with these numbers and what would fit, when it does not
     */
    public void requireFits() {
        if (!fits()) {
            throw new DoesNotFitException(
                    "%d frames of %dx%d in %s take %.2f GB of memory in the %s phase, and %s has %.2f GB to give; %s"
                            .formatted(
                                    format.frames(),
                                    format.width(),
                                    format.height(),
                                    dtypes.get("transformer").toLowerCase(Locale.ROOT),
                                    peak() / GB,
                                    largest().phase().name().toLowerCase(Locale.ROOT),
                                    device,
                                    available / GB,
                                    alternatives.isEmpty()
                                            ? "not even the model's shortest clip would fit"
                                            : "what would fit: "
                                                    + String.join("; ", alternatives)));
        }
    }
}
