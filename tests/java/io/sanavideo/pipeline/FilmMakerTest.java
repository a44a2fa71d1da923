package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.sanavideo.Beat;
import io.sanavideo.Latents;
import io.sanavideo.ProgressListener;
import io.sanavideo.Story;
import io.sanavideo.TextToVideo;
import io.sanavideo.Transition;
import io.sanavideo.model.SanaTransformer;
import io.sanavideo.pipeline.Chunk.Start;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which chunks a story's film is made of: the demo's transformer, on made-up texts. */
class FilmMakerTest {
    private static final int SIDE = 8;
    private static final ModelParts PARTS = ModelParts.read(ModelFolder.open(ModelFolder.demo()));

    private final Context context = Context.cpu(1);
    private final SanaTransformer transformer =
            SanaTransformer.load(context, PARTS.folder().transformer(), DType.F32);

    @AfterEach
    void close() {
        context.close();
    }

    private Tensor words(String text) {
        int channels = PARTS.transformer().captionChannels();
        Random random = new Random(text.hashCode());
        float[] values = new float[7 * channels];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Tensor tensor = context.tensor(DType.F32, 7, channels);
        tensor.upload(values);
        return tensor;
    }

    /** A beat that carries on has the chunk before it remembered anew, once, where it begins. */
    @Test
    void carriedPromptsAreFollowedAtOnceAndCutsForget() {
        Story story =
                Story.of(
                        TextToVideo.prompt("").size(64, 64).seed(3).steps(2).chunk(1).build(),
                        Beat.of(1, "a circle"),
                        Beat.of(1, "a square"),
                        Beat.of(0.5, "a square"),
                        Beat.of(0.5, "a triangle").with(Transition.CUT));
        FilmSettings film = PARTS.job(story);
        try (FilmTexts texts =
                new FilmTexts(context, film.prompts(), this::words, words("negative"))) {
            List<Latents> none = new ArrayList<>();
            film.scenes().forEach(scene -> none.add(null));
            List<float[]> made = new ArrayList<>();
            new FilmMaker(PARTS.vae(), film, texts, none)
                    .denoise(
                            transformer,
                            latents -> made.add(latents.values()),
                            () -> {},
                            ProgressListener.NONE);
            List<float[]> expected = new ArrayList<>();
            try (ChunkDenoiser denoiser =
                    new ChunkDenoiser(transformer, SIDE, SIDE, film.window(), film.sampling())) {
                for (Film.Shot shot : film.film().shots()) {
                    for (Film.Span span : shot.chunks()) {
                        Start start = Start.CONTINUE;
                        if (span.first() == 0) {
                            start = Start.CUT;
                        } else if (span.beat() == 1 && span.number() == 0) {
                            start = Start.CARRY;
                        }
                        denoiser.denoise(
                                new Chunk(
                                        3,
                                        span.beat(),
                                        span.number(),
                                        1,
                                        texts.of(span.beat()),
                                        start,
                                        null,
                                        null),
                                latents -> expected.add(latents.values()),
                                () -> {},
                                ProgressListener.NONE);
                    }
                }
            }
            assertThat(made).hasSizeGreaterThan(6).hasSameSizeAs(expected);
            for (int i = 0; i < made.size(); i++) {
                assertThat(made.get(i)).as("chunk %d", i).isEqualTo(expected.get(i));
            }
        }
    }
}
