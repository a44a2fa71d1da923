package io.sanavideo.media;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.ModelFormatException;
import io.sanavideo.StartImage;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageReaderTest {
    private static final int WIDTH = 48;
    private static final int HEIGHT = 32;

    @TempDir Path folder;

    /** Red left above, green right above, blue left below, white right below. */
    private static BufferedImage quarters(int type) {
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, type);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                boolean left = x < WIDTH / 2;
                Color above = left ? Color.RED : Color.GREEN;
                Color below = left ? Color.BLUE : Color.WHITE;
                image.setRGB(x, y, (y < HEIGHT / 2 ? above : below).getRGB());
            }
        }
        return image;
    }

    private Path written(BufferedImage image, String format) throws IOException {
        Path path = folder.resolve("picture." + format);
        assertThat(ImageIO.write(image, format, path.toFile())).isTrue();
        return path;
    }

    /** The letter of the quarter's colour: r, g, b or w. */
    private static String quarter(StartImage image, int column, int row) {
        int x = image.width() * (1 + 2 * column) / 4;
        int y = image.height() * (1 + 2 * row) / 4;
        int at = (y * image.width() + x) * 3;
        boolean red = (image.rgb()[at] & 0xFFFF) > 0x8000;
        boolean green = (image.rgb()[at + 1] & 0xFFFF) > 0x8000;
        boolean blue = (image.rgb()[at + 2] & 0xFFFF) > 0x8000;
        return red && green && blue ? "w" : red ? "r" : green ? "g" : blue ? "b" : "none";
    }

    private static String quarters(StartImage image) {
        return quarter(image, 0, 0)
                + quarter(image, 1, 0)
                + quarter(image, 0, 1)
                + quarter(image, 1, 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "bmp", "gif", "tiff", "jpeg"})
    void readsWhatJavaWrites(String format) throws IOException {
        StartImage image = StartImage.read(written(quarters(BufferedImage.TYPE_INT_RGB), format));
        assertThat(image.width()).isEqualTo(WIDTH);
        assertThat(image.height()).isEqualTo(HEIGHT);
        assertThat(quarters(image)).isEqualTo("rgbw");
    }

    @Test
    void sixteenBitsStay() throws IOException {
        ByteBuffer pixels = ByteBuffer.allocate(4 * 2);
        short[] values = {0x0001, 0x1234, (short) 0x8001, (short) 0xFFFE};
        pixels.asShortBuffer().put(values);
        Path path = folder.resolve("deep.pgm");
        Files.write(path, concatenated("P5 4 1 65535\n".getBytes(), pixels.array()));
        short[] rgb = StartImage.read(path).rgb();
        for (int i = 0; i < values.length; i++) {
            for (int colour = 0; colour < 3; colour++) {
                // The converter's sums for grey have 15 bits.
                assertThat((rgb[3 * i + colour] & 0xFFFF) - (values[i] & 0xFFFF)).isBetween(-2, 2);
            }
        }
    }

    @Test
    void greyIsGrey() throws IOException {
        BufferedImage grey = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_GRAY);
        grey.getRaster().setSample(0, 0, 0, 77);
        grey.getRaster().setSample(1, 0, 0, 255);
        short[] rgb = StartImage.read(written(grey, "png")).rgb();
        for (int i = 0; i < 6; i++) {
            assertThat(Math.round((rgb[i] & 0xFFFF) / 257.0)).isEqualTo(i < 3 ? 77 : 255);
        }
    }

    @Test
    void whatIsTransparentIsLaidOverWhite() throws IOException {
        BufferedImage image = new BufferedImage(3, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x00FF0000);
        image.setRGB(1, 0, 0x80000000);
        image.setRGB(2, 0, 0xFF0000FF);
        short[] rgb = StartImage.read(written(image, "png")).rgb();
        int[] eight = new int[rgb.length];
        for (int i = 0; i < eight.length; i++) {
            eight[i] = (int) Math.round((rgb[i] & 0xFFFF) / 257.0);
        }
        assertThat(eight).containsExactly(255, 255, 255, 127, 127, 127, 0, 0, 255);
    }

    /** What stands upright for each Exif orientation of the stored quarters (Exif 2.32, 4.6.4). */
    @ParameterizedTest
    @CsvSource({
        "1, rgbw", "2, grwb", "3, wbgr", "4, bwrg", "5, rbgw", "6, brwg", "7, wgbr", "8, gwrb"
    })
    void turnsAsExifSays(int orientation, String expected) throws IOException {
        Path path = written(quarters(BufferedImage.TYPE_INT_RGB), "jpeg");
        byte[] jpeg = Files.readAllBytes(path);
        ByteBuffer exif = ByteBuffer.allocate(36);
        exif.put(new byte[] {(byte) 0xFF, (byte) 0xE1, 0, 34}).put("Exif\0\0MM\0*".getBytes());
        exif.putInt(8).putShort((short) 1).putShort((short) 0x0112).putShort((short) 3);
        exif.putInt(1).putShort((short) orientation).putShort((short) 0).putInt(0);
        // Behind the mark of the file's start.
        byte[] start = {jpeg[0], jpeg[1]};
        byte[] rest = Arrays.copyOfRange(jpeg, 2, jpeg.length);
        Files.write(path, concatenated(start, concatenated(exif.array(), rest)));
        StartImage image = StartImage.read(path);
        assertThat(quarters(image)).isEqualTo(expected);
        assertThat(image.width()).isEqualTo(orientation < 5 ? WIDTH : HEIGHT);
        assertThat(image.height()).isEqualTo(orientation < 5 ? HEIGHT : WIDTH);
    }

    private static byte[] concatenated(byte[] first, byte[] second) {
        return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
    }

    @Test
    void refusesWhatIsNotAnImage() throws IOException {
        refuses(folder.resolve("missing.png"), "missing.png", "no such file");
        refuses(folder, "not a readable ordinary file");
        Path path = folder.resolve("x.jpg");
        Files.write(path, new byte[0]);
        refuses(path, "x.jpg", "empty", "JPEG, PNG, WEBP");
        Files.writeString(path, "just words, and enough of them to be looked at");
        refuses(path, "of no kind that can be read", "JPEG, PNG, WEBP");
        Path png = written(quarters(BufferedImage.TYPE_INT_RGB), "png");
        byte[] bytes = Files.readAllBytes(png);
        Files.write(path, Arrays.copyOf(bytes, 40));
        refuses(path, "cannot be read");
        bytes[bytes.length / 2] ^= 0x55;
        Files.write(path, Arrays.copyOf(bytes, 16));
        refuses(path, "cannot be read");
    }

    @Test
    void refusesAnimations() throws IOException {
        Path gif = folder.resolve("moving.gif");
        ByteArrayOutputStream two = new ByteArrayOutputStream();
        Path one = written(quarters(BufferedImage.TYPE_INT_RGB), "gif");
        byte[] bytes = Files.readAllBytes(one);
        two.write(bytes, 0, bytes.length - 1);
        // The picture once more, from its descriptor to the file's last byte.
        int descriptor = 13 + 3 * (2 << (bytes[10] & 7));
        while (bytes[descriptor] == 0x21) {
            descriptor += 2;
            while (bytes[descriptor] != 0) {
                descriptor += 1 + (bytes[descriptor] & 0xFF);
            }
            descriptor++;
        }
        two.write(bytes, descriptor, bytes.length - descriptor);
        Files.write(gif, two.toByteArray());
        refuses(gif, "more than one picture");

        byte[] png = Files.readAllBytes(written(quarters(BufferedImage.TYPE_INT_RGB), "png"));
        byte[] control = ByteBuffer.allocate(12).put("acTL".getBytes()).putInt(2).array();
        CRC32 sum = new CRC32();
        sum.update(control);
        byte[] chunk =
                ByteBuffer.allocate(20).putInt(8).put(control).putInt((int) sum.getValue()).array();
        byte[] header = Arrays.copyOf(png, 33);
        byte[] rest = Arrays.copyOfRange(png, 33, png.length);
        Path apng = folder.resolve("moving.png");
        Files.write(apng, concatenated(header, concatenated(chunk, rest)));
        refuses(apng, "animated");
    }

    /** A file of a few bytes that promises four billion pixels. */
    @Test
    void refusesMorePixelsThanItCanHold() throws IOException {
        byte[] png = Files.readAllBytes(written(quarters(BufferedImage.TYPE_INT_RGB), "png"));
        ByteBuffer bytes = ByteBuffer.wrap(png);
        bytes.putInt(16, 65535).putInt(20, 65535);
        CRC32 sum = new CRC32();
        sum.update(png, 12, 17);
        bytes.putInt(29, (int) sum.getValue());
        Path path = folder.resolve("bomb.png");
        Files.write(path, png);
        refuses(path, "bomb.png", "cannot be read");
    }

    private static void refuses(Path path, String... words) {
        assertThatThrownBy(() -> StartImage.read(path))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContainingAll(words);
    }

    @Test
    void theMiddleIsCutOutAndScaled() throws IOException {
        StartImage image = StartImage.of(quarters(BufferedImage.TYPE_INT_RGB));
        // Of the same shape, the same quarters.
        float[] half = PictureColours.covering(image, WIDTH / 2, HEIGHT / 2);
        assertThat(colour(half, WIDTH / 2, 4, 4)).isEqualTo("1 -1 -1");
        assertThat(colour(half, WIDTH / 2, 20, 12)).isEqualTo("1 1 1");
        // Of an upright shape, columns 16 to 31 of 48: the border of the quarters is in the middle.
        float[] upright = PictureColours.covering(image, 16, 32);
        assertThat(colour(upright, 16, 7, 15)).isEqualTo("1 -1 -1");
        assertThat(colour(upright, 16, 8, 15)).isEqualTo("-1 1 -1");
        assertThat(colour(upright, 16, 7, 16)).isEqualTo("-1 -1 1");
        assertThat(PictureColours.covering(image, 1, 1)).hasSize(3);
        assertThat(PictureColours.covering(image, 1, 640)).hasSize(3 * 640);
    }

    /** A colour's three values, rounded. */
    private static String colour(float[] colours, int width, int x, int y) {
        int at = (y * width + x) * 3;
        return "%d %d %d"
                .formatted(
                        Math.round(colours[at]),
                        Math.round(colours[at + 1]),
                        Math.round(colours[at + 2]));
    }

    @Test
    void scalingKeepsPlainColours() {
        short[] rgb = new short[100 * 70 * 3];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (short) new int[] {0x3210, 0xABCD, 0xFF00}[i % 3];
        }
        float[] scaled = PictureColours.covering(new StartImage(100, 70, rgb), 64, 64);
        for (int i = 0; i < scaled.length; i++) {
            float expected = 2f * new int[] {0x3210, 0xABCD, 0xFF00}[i % 3] / 0xFFFF - 1;
            assertThat(Math.abs(scaled[i] - expected)).isLessThan(2f / 255 / 2);
        }
    }
}
