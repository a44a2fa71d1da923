package io.sanavideo.cli;

import io.sanavideo.Device;
import io.sanavideo.Generated;
import io.sanavideo.Progress;
import io.sanavideo.Reproduction;
import java.nio.file.Path;

/** Shows nothing. */
final class QuietDisplay implements Display {
    @Override
    public void device(Device device, String whyNotCuda) {}

    @Override
    public void begin(Path output, int number, int clips) {}

    @Override
    public void note(String note) {}

    @Override
    public void onProgress(Progress progress) {}

    @Override
    public void done(Path output, Generated generated) {}

    @Override
    public void reproduced(Reproduction again) {}

    @Override
    public void close() {}
}
