package io.sanavideo.pipeline;

import io.sanavideo.ProgressListener;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * A part of a model that is loaded when it is first needed and may be put away in between.
 *
 * @param <T> what runs it
 */
final class Component<T extends AutoCloseable> {
    /** Loads a component; the consumer is told the bytes of each part that was loaded. */
    @FunctionalInterface
    interface Loader<T> {
        T load(LongConsumer progress);
    }

    private final Path folder;
    private final Loader<T> loader;
    private T loaded;

    Component(Path folder, Loader<T> loader) {
        this.folder = folder;
        this.loader = loader;
    }

    Path folder() {
        return folder;
    }

    /** Loads it where it is not there. */
    T get(LongConsumer progress) {
        if (loaded == null) {
            loaded = loader.load(progress);
        }
        return loaded;
    }

    /** Loads it where it is not there; the listener hears of that. */
    T get(ProgressListener listener) {
        if (loaded == null) {
            LoadClock clock = new LoadClock(listener, List.of(folder));
            get(clock::loaded);
            clock.finish();
        }
        return loaded;
    }

    /** Frees its memory until it is needed again. */
    void putAway() {
        if (loaded != null) {
            try {
                loaded.close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(folder + " cannot be put away", e);
            } finally {
                loaded = null;
            }
        }
    }
}
