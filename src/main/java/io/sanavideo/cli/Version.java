package io.sanavideo.cli;

import io.sanavideo.media.FFmpeg;
import io.sanavideo.runtime.Native;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints: the version, the build, and what serves it on this machine. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {
            "sana-video " + Native.version(),
            "CPU variant %s, %s".formatted(Native.cpuVariant(), Native.build()),
            "FFmpeg " + FFmpeg.version(),
            "Java %s on %s %s"
                    .formatted(
                            Runtime.version(),
                            System.getProperty("os.name"),
                            System.getProperty("os.arch"))
        };
    }
}
