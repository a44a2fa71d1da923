package io.sanavideo.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sanavideo.Clip;
import io.sanavideo.ClipFormat;
import io.sanavideo.Device;
import io.sanavideo.Frame;
import io.sanavideo.FrameSink;
import io.sanavideo.Generated;
import io.sanavideo.Kernels;
import io.sanavideo.Latents;
import io.sanavideo.Plan;
import io.sanavideo.Plan.PhaseMemory;
import io.sanavideo.Precision;
import io.sanavideo.Progress.Phase;
import io.sanavideo.ProgressListener;
import io.sanavideo.RelativeError;
import io.sanavideo.SanaVideo;
import io.sanavideo.TextToVideo;
import io.sanavideo.model.LtxVaeDecoder;
import io.sanavideo.model.LtxVaeStream;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model whose VAE is an LTX-2 one, as the 720p model's is, from a request to frames. */
class LtxVaeGenerationTest {
    private static ModelFolder model;

    @BeforeAll
    static void writeModel(@TempDir Path folder) throws IOException {
        model = TinyModel.writeWithLtxVae(folder);
    }

    private static TextToVideo request(int width, int height, int frames) {
        return TinyModel.requestOfLtxVae().size(width, height).frames(frames).steps(2).build();
    }

    /** The frames of the clip are those of its latents, decoded on their own. */
    @ParameterizedTest
    @CsvSource({"64, 64, 1", "96, 64, 17", "64, 128, 41"})
    void generatesClips(int width, int height, int frames) {
        try (SanaVideo sana = SanaVideo.open(model.root(), Device.cpu())) {
            Clip clip = sana.generate(request(width, height, frames));
            assertThat(clip.format().width()).isEqualTo(width);
            assertThat(clip.format().height()).isEqualTo(height);
            List<byte[]> frameBytes = new ArrayList<>();
            clip.decode(
                    new FrameSink() {
                        @Override
                        public void begin(ClipFormat format) {}

                        @Override
                        public void accept(Frame frame) {
                            frameBytes.add(frame.toBytes());
                        }
                    },
                    ProgressListener.NONE);
            List<byte[]> pictures = decoded(clip.latents());
            assertThat(frameBytes).hasSize(frames).hasSameSizeAs(pictures);
            for (int i = 0; i < frames; i++) {
                boolean same = Arrays.equals(frameBytes.get(i), pictures.get(i));
                assertThat(same).as("frame %d is that of the latents", i).isTrue();
            }
        }
    }

    private static List<byte[]> decoded(Latents latents) {
        List<byte[]> pictures = new ArrayList<>();
        int height = latents.height();
        int width = latents.width();
        try (Context context = Context.cpu(0);
                LtxVaeDecoder decoder = LtxVaeDecoder.load(context, model.vae(), DType.F32);
                Tensor all =
                        context.tensor(
                                DType.F32, latents.frames(), height, width, latents.channels());
                LtxVaeStream stream = decoder.stream(height, width);
                Tensor rgb = context.tensor(DType.U8, 32L * height, 32L * width, 3)) {
            all.upload(latents.values());
            for (int i = 0; i < latents.frames(); i++) {
                stream.decode(all.slice(i, 1), picture -> pictures.add(bytes(picture, rgb)));
            }
            stream.finish(picture -> pictures.add(bytes(picture, rgb)));
        }
        return pictures;
    }

    private static byte[] bytes(Tensor picture, Tensor rgb) {
        rgb.context().ops().toRgb8(picture, rgb);
        ByteBuffer host = ByteBuffer.allocateDirect((int) rgb.bytes());
        rgb.download(host);
        byte[] bytes = new byte[host.remaining()];
        host.get(bytes);
        return bytes;
    }

    @ParameterizedTest
    @CsvSource({
        "96, 80, 'multiples of 32 from 64 to 32768; the nearest is 96x96'",
        "32, 64, 'the nearest is 64x64'",
    })
    void refusesSizesThatItCannotMake(int width, int height, String words) {
        try (SanaVideo sana = SanaVideo.open(model.root(), Device.cpu())) {
            assertThatThrownBy(() -> sana.generate(request(width, height, 1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(words);
            assertThatThrownBy(() -> sana.generate(request(64, 64, 5)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("a multiple of 8, plus 1")
                    .hasMessageContaining("the nearest is 9");
        }
    }

    @Test
    void plansTheMemoryOfDecoding() {
        TextToVideo request = request(96, 64, 17);
        Plan plan = Planner.plan(model, Device.cpu(), Precision.F32, Kernels.AUTO, request);
        PhaseMemory decoding = plan.phases().get(plan.phases().size() - 1);
        assertThat(decoding.phase()).isEqualTo(Phase.DECODE);
        try (TestRun run = TestRun.of(open(Device.cpu(), Precision.F32))) {
            Engine engine = run.engine();
            run.calls()
                    .run(
                            () -> {
                                Denoised denoised =
                                        engine.denoise(
                                                engine.settings(request),
                                                run.calls(),
                                                ProgressListener.NONE);
                                engine.context().resetPeak();
                                return engine.decode(
                                        denoised,
                                        FrameSink.NONE,
                                        run.calls(),
                                        ProgressListener.NONE);
                            });
            assertThat((double) engine.context().memoryPeak())
                    .isCloseTo(decoding.peak(), within(0.1 * decoding.peak()));
        }
    }

    private static Engine open(Device device, Precision precision) {
        return Engine.open(model, device, precision, Kernels.AUTO, null, ProgressListener.NONE);
    }

    /** What a card decodes, in f32, is what the CPU does. */
    @Tag("gpu")
    @Test
    void onACard() {
        float[] latents = new float[2 * 2 * 2 * 16];
        for (int i = 0; i < latents.length; i++) {
            latents[i] = (float) Math.sin(i);
        }
        try (Context cpu = Context.cpu(0);
                Context card = Context.cuda(0)) {
            assertThat(RelativeError.of(pictures(card, latents), pictures(cpu, latents)))
                    .isPositive()
                    .isLessThan(1e-5);
        }
        try (TestRun run = TestRun.of(open(Device.cuda(0), Precision.AUTO))) {
            Generated generated = run.generate(request(64, 64, 9));
            assertThat(generated.format().frames()).isEqualTo(9);
        }
    }

    private static float[] pictures(Context context, float[] latents) {
        List<float[]> pictures = new ArrayList<>();
        try (LtxVaeDecoder decoder = LtxVaeDecoder.load(context, model.vae(), DType.F32);
                LtxVaeStream stream = decoder.stream(2, 2);
                Tensor all = context.tensor(DType.F32, 2, 2, 2, 16)) {
            all.upload(latents);
            stream.decode(all.slice(0, 1), picture -> pictures.add(picture.toFloats()));
            stream.decode(all.slice(1, 1), picture -> pictures.add(picture.toFloats()));
            stream.finish(picture -> pictures.add(picture.toFloats()));
        }
        float[] joined = new float[9 * 64 * 64 * 3];
        for (int i = 0; i < pictures.size(); i++) {
            System.arraycopy(pictures.get(i), 0, joined, i * 64 * 64 * 3, 64 * 64 * 3);
        }
        return joined;
    }
}
