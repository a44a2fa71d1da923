package io.sanavideo.runtime;

import io.sanavideo.CancelledException;
import io.sanavideo.DeviceException;
import io.sanavideo.DoesNotFitException;
import io.sanavideo.NumericsException;
import io.sanavideo.binding.SanaVideoAbi;
import java.io.IOException;
import java.io.OutputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;

/** The native library as a whole: loading it, its version, and its errors as exceptions. */
public final class Native {
    private static final String CPU_LIBRARY = "linux-x86_64/libsanavideo.so";
    private static final String CUDA_LIBRARY = "linux-x86_64/libsanavideo_cuda.so";
    private static final String MAX_PHYSICAL_BYTES = "org.bytedeco.javacpp.maxPhysicalBytes";

    static {
        // JavaCPP would count a model's weights against the Java heap and refuse new pointers.
        if (System.getProperty(MAX_PHYSICAL_BYTES) == null) {
            System.setProperty(MAX_PHYSICAL_BYTES, "0");
        }
    }

    /** The CPU variants; a processor that has one has those before it. */
    private static final List<String> CPU_VARIANTS = List.of("v2", "v3", "v4", "v4-bf16");

    private Native() {}

    /**
     * Loads the native library once; later calls return at once.
     *
     * @throws DeviceException when there is none for this platform or it cannot be loaded
     */
    public static void load() {
        try {
            SanaVideoAbi.sv_cpu_has_bf16();
        } catch (LinkageError e) {
            throw new DeviceException(
                    "the native library cannot be loaded on %s %s (%s); it is built for linux-x86_64 with glibc 2.34 or newer"
                            .formatted(
                                    System.getProperty("os.name"),
                                    System.getProperty("os.arch"),
                                    e.getMessage()),
                    e);
        }
    }

    /**
     * Puts the library of CUDA kernels where the native library looks for it: beside itself.
     * JavaCPP unpacks only what it loads, and this one is loaded by the native library, when a card
     * is asked for.
     */
    static void unpackCudaKernels() {
        URL library = SanaVideoAbi.class.getResource(CUDA_LIBRARY);
        // A build without nvcc has none; in a folder of classes it lies in its place.
        if (library == null || library.getProtocol().equals("file")) {
            return;
        }
        try {
            Loader.cacheResource(library);
        } catch (IOException e) {
            throw new DeviceException("the CUDA kernels cannot be unpacked from " + library, e);
        }
    }

    /** Version of the native library, for example "0.1.0". */
    public static String version() {
        load();
        return text(SanaVideoAbi.sv_version());
    }

    /** The compiler and OpenMP version of the native build, "GCC 12.2.0, OpenMP 201511". */
    public static String build() {
        load();
        return text(SanaVideoAbi.sv_build());
    }

    /** The CPU variant in use: "v2", "v3", "v4" or "v4-bf16". */
    public static String cpuVariant() {
        load();
        return text(SanaVideoAbi.sv_cpu_variant());
    }

    /**
     * Whether this process would run on another CPU variant, if the environment variable {@code
     * SANA_ISA} had named it at its start. False where it names one already: that is in use because
     * it was asked for.
     */
    public static boolean couldBe(String variant) {
        String asked = System.getenv("SANA_ISA");
        int best = CPU_VARIANTS.indexOf(cpuVariant());
        int other = CPU_VARIANTS.indexOf(variant);
        return (asked == null || asked.isEmpty()) && other >= 0 && other < best;
    }

    /** Whether this CPU multiplies bf16 numbers by instructions of its own. */
    public static boolean cpuHasBf16() {
        load();
        return SanaVideoAbi.sv_cpu_has_bf16() != 0;
    }

    /** What tells one build of the CPU kernels from another: the checksum of their library. */
    public static String cpuKernels() {
        return checksum(SanaVideoAbi.class.getResource(CPU_LIBRARY));
    }

    /** What tells one build of the CUDA kernels from another: the checksum of their library. */
    public static String cudaKernels() {
        String named = System.getenv("SANA_CUDA_LIBRARY");
        try {
            return checksum(
                    named != null
                            ? Path.of(named).toUri().toURL()
                            : SanaVideoAbi.class.getResource(CUDA_LIBRARY));
        } catch (MalformedURLException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * What tells one version of the system's mathematics from another: the checksum of the libm
     * that this process has loaded.
     */
    public static String mathLibrary() {
        load();
        try (Stream<String> mapped = Files.lines(Path.of("/proc/self/maps"))) {
            Optional<Path> library =
                    mapped.map(line -> line.substring(Math.max(0, line.indexOf('/'))))
                            .filter(file -> file.matches(".*/libm[-.][^/]*so[^/]*"))
                            .map(Path::of)
                            .findFirst();
            return library.isPresent() ? checksum(library.get().toUri().toURL()) : "none";
        } catch (IOException e) {
            throw new DeviceException("the libraries of this process cannot be listed", e);
        }
    }

    private static String checksum(URL library) {
        if (library == null) {
            return "none";
        }
        try (CheckedInputStream in = new CheckedInputStream(library.openStream(), new CRC32())) {
            in.transferTo(OutputStream.nullOutputStream());
            return "%08x".formatted(in.getChecksum().getValue());
        } catch (IOException e) {
            throw new DeviceException("the library " + library + " cannot be read", e);
        }
    }

    private static String text(BytePointer pointer) {
        return pointer.getString();
    }

    /** Turns a status other than SV_OK into its exception. */
    static void check(int status) {
        if (status != SanaVideoAbi.SV_OK) {
            throw failure(status, text(SanaVideoAbi.sv_last_error()));
        }
    }

    /** Turns a status other than SV_OK into its exception; {@code op} goes in front of the text. */
    static void check(int status, String op) {
        if (status != SanaVideoAbi.SV_OK) {
            throw failure(status, op + ": " + text(SanaVideoAbi.sv_last_error()));
        }
    }

    private static RuntimeException failure(int status, String message) {
        return switch (status) {
            case SanaVideoAbi.SV_INVALID_ARGUMENT -> new IllegalArgumentException(message);
            case SanaVideoAbi.SV_OUT_OF_MEMORY -> new DoesNotFitException(message);
            case SanaVideoAbi.SV_CANCELLED -> new CancelledException(message);
            case SanaVideoAbi.SV_NOT_FINITE -> new NumericsException(message);
            default -> new DeviceException(message);
        };
    }
}
