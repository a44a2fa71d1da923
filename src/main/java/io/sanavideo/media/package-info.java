/**
 * Clips as files: what comes out of the decoder is written as mp4, gif or a folder of PNG, and read
 * back. Frames are packed RGB24 bytes in sRGB, row-major {@code [height, width, 3]}.
 */
package io.sanavideo.media;
