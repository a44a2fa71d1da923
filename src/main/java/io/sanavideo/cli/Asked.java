package io.sanavideo.cli;

import io.sanavideo.ClipFile;
import io.sanavideo.Generated;
import io.sanavideo.Model;
import io.sanavideo.Plan;
import io.sanavideo.ProgressListener;
import io.sanavideo.SanaVideo;
import io.sanavideo.Story;
import io.sanavideo.VideoRequest;

/**
 * What was asked for: a clip or a story.
 *
 * @param clip null where it is a story
 * @param story null where it is a clip
 */
record Asked(VideoRequest clip, Story story) {
    static Asked of(VideoRequest clip) {
        return new Asked(clip, null);
    }

    static Asked of(Story story) {
        return new Asked(null, story);
    }

    Plan plan(Model model) {
        return story == null ? SanaVideo.plan(model, clip) : SanaVideo.plan(model, story);
    }

    Plan plan(SanaVideo sana) {
        return story == null ? sana.plan(clip) : sana.plan(story);
    }

    /** Opens the model, unless this would not fit: nothing is loaded in vain. */
    SanaVideo open(Model model, ProgressListener listener) {
        return story == null
                ? SanaVideo.open(model, clip, listener)
                : SanaVideo.open(model, story, listener);
    }

    Generated make(SanaVideo sana, ClipFile file, ProgressListener listener) {
        return story == null
                ? sana.generateTo(clip, file, listener)
                : sana.generateTo(story, file, listener);
    }
}
