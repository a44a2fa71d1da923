package io.sanavideo.pipeline;

import io.sanavideo.Beat;
import io.sanavideo.Transition;
import java.util.ArrayList;
import java.util.List;

/**
 * How a film is laid out in time: shots one after the other, each made chunk by chunk. A shot is
 * what runs on without a cut: its chunks share the transformer's state and the VAE's. Its latent
 * frames make one picture for the first and {@code factor} for each other, so that a shot ends up
 * to half a latent frame sooner or later than was asked for; ends are counted from the film's
 * beginning, so that this does not add up.
 *
 * @param shots in their order
 * @param frames of the whole
 */
record Film(List<Shot> shots, int frames) {
    /**
     * @param firstFrame where in the film it begins, its dissolve included
     * @param frames that it makes, those under the next shot's dissolve included
     * @param dissolve of these the first that fade in over the shot before
     * @param chunks in their order
     */
    record Shot(int firstFrame, int frames, int dissolve, List<Span> chunks) {
        /** The first of its pictures that a span makes. */
        int picture(Span span) {
            int last = latentFrames() - 1;
            return span.first == 0 ? 0 : 1 + (frames - 1) / last * (span.first - 1);
        }

        int latentFrames() {
            return chunks.get(chunks.size() - 1).end();
        }

        /** Where in the film it ends. */
        int end() {
            return firstFrame + frames;
        }
    }

    /**
     * @param beat that it shows, from 0
     * @param number of the chunk in its beat, from 0
     * @param first its first latent frame in its shot
     * @param frames latent frames
     */
    record Span(int beat, int number, int first, int frames) {
        /** The shot's latent frame behind it. */
        int end() {
            return first + frames;
        }
    }

    Film {
        shots = List.copyOf(shots);
    }

    /** Latent frames of all shots. */
    int latentFrames() {
        return shots.stream().mapToInt(Shot::latentFrames).sum();
    }

    /**
     * Where each beat begins: with the first of the film's pictures that show it, its dissolve
     * included. A beat that is seen under dissolves alone still has one picture of its own.
     */
    List<Integer> beginnings() {
        List<Integer> beginnings = new ArrayList<>();
        for (Shot shot : shots) {
            for (Span span : shot.chunks()) {
                if (span.number() == 0) {
                    beginnings.add(shot.firstFrame() + shot.picture(span));
                }
            }
        }
        int count = beginnings.size();
        for (int i = 1; i < count; i++) {
            int soonest = beginnings.get(i - 1) + 1;
            int latest = frames - (count - i);
            beginnings.set(i, Math.min(latest, Math.max(soonest, beginnings.get(i))));
        }
        return beginnings;
    }

    /** How many chunks there are. */
    int chunks() {
        return shots.stream().mapToInt(shot -> shot.chunks().size()).sum();
    }

    /** A clip of one prompt: the first chunk takes what is left over. */
    static Film of(int latentFrames, int factor, int chunk) {
        List<Span> chunks = new ArrayList<>();
        int first = Math.min(latentFrames, chunk + latentFrames % chunk);
        int at = 0;
        for (int size = first; at < latentFrames; size = chunk) {
            chunks.add(new Span(0, chunks.size(), at, size));
            at += size;
        }
        int frames = pictures(latentFrames, factor);
        return new Film(List.of(new Shot(0, frames, 0, chunks)), frames);
    }

    /**
     * A story.
     *
     * @param fps frames a second
     * @param factor pictures for each latent frame after a shot's first
     * @param chunk latent frames of a chunk; the last of a shot may have fewer
     * @throws IllegalArgumentException when a beat has no room, naming it and what it would need
     */
    static Film of(List<Beat> beats, double fps, int factor, int chunk) {
        List<Shot> shots = new ArrayList<>();
        double seconds = 0;
        int start = 0;
        for (int first = 0; first < beats.size(); ) {
            int last = first + 1;
            while (last < beats.size() && beats.get(last).transition() == Transition.CARRY) {
                last++;
            }
            int dissolve = first == 0 ? 0 : dissolve(beats, first, fps);
            int after = last == beats.size() ? 0 : dissolve(beats, last, fps);
            double begin = seconds;
            for (int i = first; i < last; i++) {
                seconds += beats.get(i).seconds();
            }
            int latent = latentFrames(seconds * fps - start + after, factor);
            int frames = pictures(latent, factor);
            if (frames - after - dissolve < 1) {
                throw new IllegalArgumentException(
                        "beat %d is %s s, expected more: %d of its %d frames are under dissolves"
                                .formatted(first + 1, seconds - begin, dissolve + after, frames));
            }
            List<Span> chunks =
                    chunks(
                            beats.subList(first, last),
                            first,
                            begin * fps - start,
                            fps,
                            factor,
                            latent,
                            chunk);
            shots.add(new Shot(start, frames, dissolve, chunks));
            start += frames - after;
            first = last;
        }
        return new Film(shots, shots.get(shots.size() - 1).end());
    }

    private static int dissolve(List<Beat> beats, int beat, double fps) {
        return beats.get(beat).transition() == Transition.DISSOLVE
                ? (int) Math.max(1, Math.round(beats.get(beat).dissolve() * fps))
                : 0;
    }

    /** Those of nearly so many pictures, one at least. */
    private static int latentFrames(double pictures, int factor) {
        return Math.toIntExact(Math.max(0, Math.round((pictures - 1) / factor))) + 1;
    }

    private static int pictures(int latentFrames, int factor) {
        return Math.addExact(Math.multiplyExact(latentFrames - 1, factor), 1);
    }

    /**
     * The chunks of a shot.
     *
     * @param beats of the shot, the first of which is number {@code firstBeat} of the story
     * @param begin where the first beat was to begin, in frames of the shot
     * @param latent latent frames of the shot
     */
    private static List<Span> chunks(
            List<Beat> beats,
            int firstBeat,
            double begin,
            double fps,
            int factor,
            int latent,
            int chunk) {
        int count = (latent + chunk - 1) / chunk;
        if (count < beats.size()) {
            throw new IllegalArgumentException(
                    "beats %d to %d are %s s together, %d chunks of %s s, expected a chunk a beat at least: make them longer, or cut"
                            .formatted(
                                    firstBeat + 1,
                                    firstBeat + beats.size(),
                                    beats.stream().mapToDouble(Beat::seconds).sum(),
                                    count,
                                    chunk * factor / fps));
        }
        List<Span> chunks = new ArrayList<>();
        double end = begin;
        int from = 0;
        for (int i = 0; i < beats.size(); i++) {
            end += beats.get(i).seconds() * fps;
            boolean isLast = i == beats.size() - 1;
            long nearest = Math.round((end - 1 + factor) / (factor * (double) chunk));
            int most = count - (beats.size() - 1 - i);
            int to = isLast ? count : (int) Math.max(from + 1, Math.min(most, nearest));
            for (int j = from; j < to; j++) {
                int first = j * chunk;
                int size = Math.min(chunk, latent - first);
                chunks.add(new Span(firstBeat + i, j - from, first, size));
            }
            from = to;
        }
        return chunks;
    }
}
