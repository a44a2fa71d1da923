package io.sanavideo.check;

import io.sanavideo.model.GoldenTensors;
import java.nio.file.Path;

/** The check of one kind of folder. */
interface GoldenCheck {
    /** Runs on the golden inputs and compares with the golden outputs. */
    CheckReport run(Path folder, GoldenTensors golden, CheckOptions options);
}
