/** Says what is in a file or folder, without loading weights or decoding frames. */
package io.sanavideo.inspect;
