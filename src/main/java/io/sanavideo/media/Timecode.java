package io.sanavideo.media;

/**
 * Time codes HH:MM:SS:FF, none of which is dropped. Frames are counted at the rounded frame rate,
 * as editors do: at 23.976 frames a second every code has 24 frames to its second. Above a hundred
 * frames a second FF has three digits.
 *
 * @param rate frames that are counted to a second
 */
public record Timecode(int rate) {
    private static final int HOURS = 24;

    /** That of so many frames a second. */
    public static Timecode of(double fps) {
        return new Timecode((int) Math.max(1, Math.round(fps)));
    }

    /** The code of a frame, counted from 0; after a day it begins anew. */
    public String at(long frame) {
        long seconds = frame / rate;
        String form = rate > 100 ? "%02d:%02d:%02d:%03d" : "%02d:%02d:%02d:%02d";
        return form.formatted(
                seconds / 3600 % HOURS, seconds / 60 % 60, seconds % 60, frame % rate);
    }
}
