package io.sanavideo.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Device;
import io.sanavideo.Generated;
import io.sanavideo.Progress;
import io.sanavideo.Reproduction;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/**
 * One JSON object a line: {@code device}, {@code begin}, {@code progress} and {@code done} events.
 */
final class JsonDisplay implements Display {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final PrintStream out;

    JsonDisplay(PrintStream out) {
        this.out = out;
    }

    @Override
    public void device(Device device, String whyNotCuda) {
        ObjectNode event = event("device").put("device", device.toString());
        if (whyNotCuda != null) {
            event.put("cuda_unavailable", whyNotCuda);
        }
        print(event);
    }

    @Override
    public void begin(Path output, int number, int clips) {
        print(
                event("begin")
                        .put("file", output.toString())
                        .put("clip", number)
                        .put("clips", clips));
    }

    @Override
    public void note(String note) {
        print(event("note").put("text", note));
    }

    @Override
    public void onProgress(Progress progress) {
        print(
                event("progress")
                        .put("phase", progress.phase().name().toLowerCase(Locale.ROOT))
                        .put("step", progress.step())
                        .put("total", progress.total())
                        .put("elapsed_s", seconds(progress.elapsed()))
                        .put("remaining_s", seconds(progress.remaining())));
    }

    @Override
    public void done(Path output, Generated generated) {
        ObjectNode event =
                event("done")
                        .put("file", output.toString())
                        .put("bytes", TextDisplay.bytes(output))
                        .put("width", generated.format().width())
                        .put("height", generated.format().height())
                        .put("frames", generated.format().frames())
                        .put("fps", generated.format().fps())
                        .put("seed", generated.seed())
                        .put("elapsed_s", seconds(generated.elapsed()))
                        .put("frames_sha256", generated.frameHash());
        print(event);
    }

    @Override
    public void reproduced(Reproduction again) {
        ObjectNode event =
                event("reproduced")
                        .put("file", again.clip().file().toString())
                        .put("identical", again.isIdentical())
                        .put("recorded_sha256", again.clip().frameHash())
                        .put("frames_sha256", again.made().frameHash())
                        .put("elapsed_s", seconds(again.made().elapsed()));
        ArrayNode differences = event.putArray("differences");
        again.differences().forEach(differences::add);
        print(event);
    }

    private static ObjectNode event(String name) {
        return MAPPER.createObjectNode().put("event", name);
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }

    private void print(ObjectNode event) {
        try {
            out.println(MAPPER.writeValueAsString(event));
            out.flush();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {}
}
