package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.CancelledException;
import io.sanavideo.ClipFormat;
import io.sanavideo.Device;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.LatentCodec;
import io.sanavideo.Latents;
import io.sanavideo.Model;
import io.sanavideo.Plan;
import io.sanavideo.Progress;
import io.sanavideo.ProgressListener;
import io.sanavideo.SanaVideo;
import io.sanavideo.TextToVideo;
import io.sanavideo.media.Psnr;
import io.sanavideo.model.VaeConfig;
import io.sanavideo.model.VaeDecoder;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.weights.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Frames decoded tile by tile: how they are cut, what differs, and what it takes. */
class TilingTest {
    private static final Runnable NEVER_CANCELLED = () -> {};

    @TempDir private static Path shared;
    private static ModelFolder ltx;

    /** At each place of a side tiles cover it and their weights add up to 1. */
    @Test
    void weightsAddUpToOne() {
        int pixels = 3;
        for (int size = 1; size <= 40; size++) {
            for (int tile = 4; tile <= 41; tile++) {
                TileAxis axis = TileAxis.of(size, tile);
                float[] sums = new float[size * pixels];
                float[][] weights = axis.weights(pixels);
                for (int i = 0; i < weights.length; i++) {
                    for (int j = 0; j < weights[i].length; j++) {
                        assertThat(weights[i][j]).isBetween(0f, 1f);
                        sums[axis.starts()[i] * pixels + j] += weights[i][j];
                    }
                }
                for (float sum : sums) {
                    assertThat(sum).as("%d in tiles of %d", size, tile).isCloseTo(1, within(1e-5f));
                }
                int[] starts = axis.starts();
                assertThat(starts[starts.length - 1]).isEqualTo(size - axis.tile());
                for (int i = 1; i < starts.length; i++) {
                    int overlap = starts[i - 1] + axis.tile() - starts[i];
                    assertThat(overlap)
                            .as("%d in tiles of %d", size, tile)
                            .isGreaterThanOrEqualTo(Math.max(1, tile / TileAxis.OVERLAP_PART));
                }
            }
        }
    }

    private static Latents random(int frames, int height, int width, int channels) {
        float[] values = new float[frames * height * width * channels];
        Random random = new Random(3);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return new Latents(frames, height, width, channels, values);
    }

    @Test
    void aTileHoldsItsPartOfEachFrame() {
        Latents latents = random(2, 9, 7, 3);
        Tiling tiling = Tiling.of(9, 7, 4);
        assertThat(tiling.tiles()).hasSize(6);
        for (Tiling.Tile tile : tiling.tiles()) {
            Latents cut = tiling.cut(latents, tile);
            int top = tiling.rows().starts()[tile.rowIndex()];
            int left = tiling.columns().starts()[tile.columnIndex()];
            for (int i = 0; i < cut.values().length; i++) {
                int channel = i % 3;
                int column = i / 3 % 4 + left;
                int row = i / 12 % 4 + top;
                int frame = i / 48;
                assertThat(cut.values()[i])
                        .isEqualTo(
                                latents.values()[((frame * 9 + row) * 7 + column) * 3 + channel]);
            }
        }
    }

    /** A VAE's decoder on the CPU. */
    private record Vae(Context context, FrameDecoder frames, VaeDecoder decoder)
            implements AutoCloseable {
        static Vae open(Path folder) {
            VaeConfig config = VaeConfig.of(Json.read(folder.resolve("config.json")));
            Context context = Context.on(Device.cpu());
            return new Vae(
                    context,
                    new FrameDecoder(config),
                    config.loadDecoder(context, folder, DType.F32, bytes -> {}));
        }

        static Vae wan() {
            return open(ModelFolder.demo().resolve("vae"));
        }

        static Vae ltx() throws IOException {
            if (ltx == null) {
                ltx = TinyModel.writeWithLtxVae(shared);
            }
            return open(ltx.vae());
        }

        List<ByteBuffer> decode(Latents latents, int tile) {
            return decode(latents, tile, NEVER_CANCELLED, ProgressListener.NONE);
        }

        List<ByteBuffer> decode(
                Latents latents, int tile, Runnable stopIfCancelled, ProgressListener listener) {
            List<ByteBuffer> rgb = new ArrayList<>();
            FrameSink sink =
                    new FrameSink() {
                        @Override
                        public void begin(ClipFormat format) {}

                        @Override
                        public void accept(Frame frame) {
                            rgb.add(ByteBuffer.wrap(frame.toBytes()));
                        }
                    };
            ClipFormat format = frames.format(latents, 8);
            frames.decode(decoder, latents, format, tile, sink, stopIfCancelled, listener);
            assertThat(rgb).hasSize(format.frames());
            return rgb;
        }

        /** Mean over the frames, against those decoded whole. */
        double psnr(Latents latents, int tile) {
            List<ByteBuffer> whole = decode(latents, 0);
            List<ByteBuffer> tiled = decode(latents, tile);
            double sum = 0;
            for (int i = 0; i < whole.size(); i++) {
                sum += Psnr.of(whole.get(i), tiled.get(i));
            }
            return sum / whole.size();
        }

        long peak(Latents latents, int tile) {
            context.trim();
            context.resetPeak();
            decode(latents, tile);
            return context.memoryPeak();
        }

        @Override
        public void close() {
            decoder.close();
            context.close();
        }
    }

    private static Latents demoClip() {
        try (SanaVideo sana = SanaVideo.open(SanaVideo.demoModel(), Device.cpu())) {
            return sana.generate(
                            TextToVideo.prompt("a red circle moving left on a black background")
                                    .seed(7)
                                    .build())
                    .latents();
        }
    }

    /**
     * What tiles cost, in dB against whole frames; measured 32.5 and 44.4, and 26.3 and 33.4 with
     * hard edges in place of the cross-fade.
     */
    @ParameterizedTest
    @CsvSource({"4, 31.5", "6, 43"})
    void theDemosFramesChangeLittle(int tile, double least) {
        try (Vae vae = Vae.wan()) {
            assertThat(vae.psnr(demoClip(), tile)).isBetween(least, 60.0);
        }
    }

    /** Random weights and latents, whose pixels have nothing in common; measured 24.6 and 36.1. */
    @ParameterizedTest
    @CsvSource({"8, 24", "12, 35"})
    void framesOfAnLtxVaeAreTheMoreAlikeTheLargerTilesAre(int tile, double least)
            throws IOException {
        try (Vae vae = Vae.ltx()) {
            assertThat(vae.psnr(random(2, 12, 16, 16), tile)).isBetween(least, 60.0);
        }
    }

    @Test
    void aTileAsLargeAsTheFrameChangesNothing() {
        Latents latents = random(2, 5, 7, 16);
        try (Vae vae = Vae.wan()) {
            List<ByteBuffer> whole = vae.decode(latents, 0);
            assertThat(vae.decode(latents, 7)).isEqualTo(whole);
            assertThat(vae.decode(latents, 50)).isEqualTo(whole);
            assertThat(vae.decode(latents, 6)).isNotEqualTo(whole);
        }
    }

    @Test
    void memoryIsThatOfATileHoweverLongTheClip() {
        try (Vae vae = Vae.wan()) {
            long tile = vae.peak(random(3, 8, 8, 16), 0);
            assertThat(vae.peak(random(5, 8, 24, 16), 8)).isEqualTo(tile);
            assertThat(vae.peak(random(21, 8, 12, 16), 8)).isEqualTo(tile);
            assertThat(vae.peak(random(5, 8, 48, 16), 0)).isGreaterThan(2 * tile);
        }
    }

    private static List<Path> temporaryFiles() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> file.toString().endsWith(".tiles")).toList();
        }
    }

    /** The listener sees the steps of all tiles; a cancelled clip leaves no file behind. */
    @Test
    void progressCountsTilesAndCancelsBetweenThem() throws IOException {
        List<Path> before = temporaryFiles();
        Latents latents = random(2, 8, 12, 16);
        try (Vae vae = Vae.wan()) {
            List<Progress> seen = new ArrayList<>();
            vae.decode(latents, 8, NEVER_CANCELLED, seen::add);
            assertThat(seen).extracting(Progress::step).containsExactly(0L, 1L, 2L, 3L, 4L);
            assertThat(seen).extracting(Progress::total).containsOnly(4L);
            Runnable atTheThirdStep =
                    new Runnable() {
                        private int calls;

                        @Override
                        public void run() {
                            if (++calls == 3) {
                                throw new CancelledException("enough");
                            }
                        }
                    };
            assertThatThrownBy(() -> vae.decode(latents, 8, atTheThirdStep, ProgressListener.NONE))
                    .isInstanceOf(CancelledException.class);
        }
        assertThat(temporaryFiles()).containsExactlyInAnyOrderElementsOf(before);
    }

    /** Tiles are the last resort of a plan; what it says is what a generation then takes. */
    @Test
    void aPlanTakesTheLargestTilesThatFit() {
        TextToVideo request =
                TextToVideo.prompt("a red circle")
                        .size(192, 128)
                        .frames(5)
                        .steps(1)
                        .seed(1)
                        .build();
        Model model = Model.at(SanaVideo.demoModel(), Device.cpu());
        Plan whole = SanaVideo.plan(model, request);
        assertThat(whole.tile()).isEqualTo(Model.WHOLE_FRAMES);
        long decoding = whole.phases().get(2).peak() - whole.phases().get(2).weights();
        Model less = model.withMemory(decoding);
        Plan tiled = SanaVideo.plan(less, request);
        assertThat(tiled.fits()).isTrue();
        assertThat(tiled.inTurn()).isTrue();
        assertThat(tiled.tile()).isBetween(32, 184).isEqualTo(tiled.tile() / 8 * 8);
        Plan asked = SanaVideo.plan(model.withTile(64), request);
        assertThat(asked.tile()).isEqualTo(64);
        assertThat(asked.inTurn()).isFalse();
        assertThat(asked.phases().get(2).peak()).isLessThan(whole.phases().get(2).peak());
        try (SanaVideo byMemory = SanaVideo.open(less, ProgressListener.NONE);
                SanaVideo byWish =
                        SanaVideo.open(model.withTile(tiled.tile()), ProgressListener.NONE)) {
            String hash = byMemory.generate(request, FrameSink.NONE).frameHash();
            assertThat(byWish.generate(request, FrameSink.NONE).frameHash()).isEqualTo(hash);
        }
    }

    @ParameterizedTest
    @CsvSource({"60, 64", "16, 32", "36, 40"})
    void tilesThatCannotBeAreRefused(int pixels, int nearest) {
        Model model = Model.at(SanaVideo.demoModel(), Device.cpu()).withTile(pixels);
        assertThatThrownBy(() -> LatentCodec.open(model))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "a tile is %d pixels, expected a multiple of 8 from 32 on: the nearest is %d"
                                .formatted(pixels, nearest));
    }
}
