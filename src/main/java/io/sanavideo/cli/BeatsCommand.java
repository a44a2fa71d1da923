package io.sanavideo.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.media.ClipInfo;
import io.sanavideo.media.FilmBeat;
import io.sanavideo.media.Timecode;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sana-video beats}: where a story's beats lie in its film. */
@Command(
        name = "beats",
        description = "Lists the beats of a film that was made from a story, by its .mp4 alone.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BeatsCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The film, a .mp4.")
    private Path film;

    @Mixin private BeatFiles files;

    @Option(names = "--json", description = "Prints one JSON object on standard output.")
    private boolean json;

    @Override
    public Integer call() {
        files.requirePossible();
        List<FilmBeat> beats = FilmBeat.read(film);
        double fps = ClipInfo.read(film).fps();
        if (json) {
            System.out.println(json(beats, fps).toPrettyString());
        } else {
            System.out.print(text(beats, Timecode.of(fps)));
        }
        files.write(film, System.err::println);
        return ExitCode.DONE;
    }

    private static String text(List<FilmBeat> beats, Timecode timecode) {
        StringBuilder text =
                new StringBuilder("beat  from         to           prompt%n".formatted());
        for (FilmBeat beat : beats) {
            text.append(
                    "%4d  %s  %s  %s%n"
                            .formatted(
                                    beat.number(),
                                    timecode.at(beat.firstFrame()),
                                    timecode.at(beat.endFrame()),
                                    beat.prompt()));
        }
        return text.toString();
    }

    private ObjectNode json(List<FilmBeat> beats, double fps) {
        Timecode timecode = Timecode.of(fps);
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("file", film.toString()).put("fps", fps);
        ArrayNode list = object.putArray("beats");
        for (FilmBeat beat : beats) {
            list.addObject()
                    .put("number", beat.number())
                    .put("prompt", beat.prompt())
                    .put("seed", beat.seed())
                    .put("first_frame", beat.firstFrame())
                    .put("end_frame", beat.endFrame())
                    .put("from", timecode.at(beat.firstFrame()))
                    .put("to", timecode.at(beat.endFrame()));
        }
        return object;
    }
}
