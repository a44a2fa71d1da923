/** Whether a card computes what the CPU computes, and how fast. */
package io.sanavideo.doctor;
