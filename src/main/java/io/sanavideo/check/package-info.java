/** Judges components and whole models by the reference vectors that lie beside them. */
package io.sanavideo.check;
