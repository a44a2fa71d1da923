package io.sanavideo.media;

import io.sanavideo.DoesNotFitException;
import io.sanavideo.Frame;
import io.sanavideo.ModelFormatException;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.Image;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A film at a glance: a PNG with a picture from the middle of each beat and, under it, the beat's
 * number, the time code of its first frame, and its prompt.
 */
public final class ContactSheet {
    private static final String EXTENSION = ".png";
    private static final int CELL = 320;
    private static final int GAP = 16;
    private static final int MOST_COLUMNS = 6;

    private final ClipInfo info;
    private final List<FilmBeat> beats;
    private final List<Caption> captions = new ArrayList<>();
    private final int columns;

    private ContactSheet(ClipInfo info, List<FilmBeat> beats) {
        this.info = info;
        this.beats = beats;
        columns = (int) Math.min(MOST_COLUMNS, Math.ceil(Math.sqrt(beats.size())));
        Timecode timecode = Timecode.of(info.fps());
        for (FilmBeat beat : beats) {
            String heading = "%d   %s".formatted(beat.number(), timecode.at(beat.firstFrame()));
            captions.add(Caption.of(heading, beat.prompt(), CELL));
        }
    }

    /**
     * Makes sure that a sheet can be written there, as far as can be known before the film is.
     *
     * @throws IllegalArgumentException if the name does not end in .png, the place cannot be
     *     written to, or this Java has no fonts
     */
    public static void requirePossible(Path target) {
        PartialOutput.file(target, EXTENSION).close();
        Caption.requireFonts();
    }

    /**
     * Writes the sheet of a film.
     *
     * @param film an mp4 that was made from a story
     * @param target its name ends in .png; it appears when it is whole, in place of a file that has
     *     the name
     * @throws ModelFormatException if the film cannot be read or has no beats
     * @throws IllegalArgumentException if the target cannot be made, or this Java has no fonts
     * @throws DoesNotFitException if the disk is full
     * @throws UncheckedIOException if writing fails otherwise
     */
    public static void write(Path film, Path target) {
        Caption.requireFonts();
        ClipInfo info = ClipInfo.read(film);
        ContactSheet sheet = new ContactSheet(info, FilmBeat.of(film, info));
        try (PartialOutput output = PartialOutput.file(target, EXTENSION)) {
            BufferedImage image = sheet.draw(film);
            try {
                Files.write(
                        output.path(),
                        PngImage.encode(rgb(image), image.getWidth(), image.getHeight()));
            } catch (IOException e) {
                throw output.failure(e);
            }
            output.commit();
        }
    }

    /** Small pictures are enlarged by a whole factor, so that their pixels stay pixels. */
    private int pictureWidth() {
        return info.width() > CELL ? CELL : CELL / info.width() * info.width();
    }

    private int pictureHeight() {
        return Math.max(1, Math.round((float) info.height() * pictureWidth() / info.width()));
    }

    /** The tallest cell of a row. */
    private int rowHeight(int first) {
        int end = Math.min(beats.size(), first + columns);
        int text = captions.subList(first, end).stream().mapToInt(Caption::height).max().orElse(0);
        return pictureHeight() + text + GAP;
    }

    private BufferedImage draw(Path film) {
        int height = GAP;
        for (int i = 0; i < beats.size(); i += columns) {
            height = Math.addExact(height, rowHeight(i));
        }
        int width = GAP + columns * (CELL + GAP);
        BufferedImage sheet = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, width, height);
        try (ClipReader reader = ClipReader.open(film)) {
            long frame = 0;
            int y = GAP;
            for (int i = 0; i < beats.size(); i++) {
                FilmBeat beat = beats.get(i);
                int x = GAP + i % columns * (CELL + GAP);
                long middle = beat.firstFrame() + beat.frames() / 2;
                graphics.drawImage(picture(reader, middle - frame), x, y, null);
                captions.get(i).draw(graphics, x, y + pictureHeight());
                frame = middle + 1;
                if ((i + 1) % columns == 0) {
                    y += rowHeight(i + 1 - columns);
                }
            }
        } finally {
            graphics.dispose();
        }
        return sheet;
    }

    /** The picture behind so many that are left out, in the sheet's size. */
    private Image picture(ClipReader reader, long skipped) {
        ByteBuffer rgb = ByteBuffer.allocate(info.width() * info.height() * 3);
        boolean isThere = true;
        for (long i = 0; i < skipped && isThere; i++) {
            isThere = reader.skip();
        }
        if (!isThere || !reader.read(rgb)) {
            throw new ModelFormatException(
                    "the video file %s is damaged: it ends before its %d frames"
                            .formatted(reader.path(), info.frames()));
        }
        BufferedImage image = new Frame(0, info.width(), info.height(), rgb).toImage();
        int how = info.width() > CELL ? Image.SCALE_AREA_AVERAGING : Image.SCALE_REPLICATE;
        return image.getScaledInstance(pictureWidth(), pictureHeight(), how);
    }

    private static ByteBuffer rgb(BufferedImage image) {
        ByteBuffer rgb =
                ByteBuffer.allocate(Math.multiplyExact(3, image.getWidth() * image.getHeight()));
        int[] row = new int[image.getWidth()];
        for (int y = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, row.length, 1, row, 0, row.length);
            for (int pixel : row) {
                rgb.put((byte) (pixel >> 16)).put((byte) (pixel >> 8)).put((byte) pixel);
            }
        }
        return rgb.flip();
    }
}
