package io.sanavideo.runtime.vendor;

import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import io.sanavideo.runtime.Context;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.cudnn;
import org.bytedeco.javacpp.Loader;

/**
 * The vendor's libraries that this machine has, loaded once a process through the JavaCPP presets
 * for CUDA. One that is missing is not an error: {@link #status} says why.
 */
public final class Libraries implements AutoCloseable {
    /**
     * Whether a library can be used.
     *
     * @param version such as "13.3.0"; null when it cannot
     * @param reason why it cannot, in one sentence; null when it can
     */
    public record Status(String version, String reason) {
        public boolean usable() {
            return version != null;
        }
    }

    // Each is touched once, and only where there is a card: the glue needs its driver. The runtime
    // comes first, for it is what the others fail by, and only the first failure says why.
    private static final class RuntimeHolder {
        static final Status STATUS =
                probe(
                        () -> {
                            LibraryFiles.load(List.of("libcuda.so.1", "libcudart.so.13"));
                            Loader.load(cudart.class);
                            return "";
                        });
    }

    private static final class CublasLtHolder {
        static final Status STATUS =
                probe(
                        () -> {
                            LibraryFiles.load(CublasLt.FILES);
                            return version(cublas.cublasLtGetVersion());
                        });
    }

    private static final class CudnnHolder {
        static final Status STATUS =
                probe(
                        () -> {
                            LibraryFiles.load(Cudnn.FILES);
                            return version(cudnn.cudnnGetVersion());
                        });
    }

    private final Map<LibraryName, Library> opened = new EnumMap<>(LibraryName.class);

    private Libraries() {}

    /** Whether a library can be used here; looks for it the first time. */
    public static Status status(LibraryName name) {
        try {
            CudaDevice.all();
        } catch (DeviceException e) {
            return new Status(null, "not looked for without a CUDA device");
        }
        return loaded(name);
    }

    /** Whether a library can be used on a card; looks for it the first time. */
    static Status status(LibraryName name, Device device) {
        try {
            if (CudaDevice.all().stream().noneMatch(card -> card.index() == device.index())) {
                return new Status(null, "this machine has no " + device);
            }
        } catch (DeviceException e) {
            return new Status(null, e.getMessage());
        }
        return loaded(name);
    }

    private static Status loaded(LibraryName name) {
        if (!RuntimeHolder.STATUS.usable()) {
            return RuntimeHolder.STATUS;
        }
        return switch (name) {
            case CUBLASLT -> CublasLtHolder.STATUS;
            case CUDNN -> CudnnHolder.STATUS;
        };
    }

    /** Both libraries count a version like this. */
    private static String version(long number) {
        return "%d.%d.%d".formatted(number / 10000, number / 100 % 100, number % 100);
    }

    private static Status probe(Supplier<String> version) {
        try {
            return new Status(version.get(), null);
        } catch (LinkageError e) {
            // JavaCPP's own words are those of its last attempt; the first failure is below them.
            Throwable root = e;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            String message = String.valueOf(root.getMessage()).replaceAll("^/\\S*/", "");
            return new Status(null, "cannot be loaded: " + message);
        }
    }

    /** Those that can be used, on the stream of a context of a card. */
    static Libraries open(Context context) {
        Libraries libraries = new Libraries();
        try {
            libraries.add(LibraryName.CUBLASLT, context, CublasLt::new);
            libraries.add(LibraryName.CUDNN, context, Cudnn::new);
            return libraries;
        } catch (Throwable e) {
            libraries.close();
            throw e;
        }
    }

    private void add(LibraryName name, Context context, Function<Context, Library> open) {
        if (status(name).usable()) {
            opened.put(name, open.apply(context));
        }
    }

    /** A library, or null where it cannot be used. */
    Library get(LibraryName name) {
        return opened.get(name);
    }

    /** The library that does such problems, or null. */
    Library of(Problem problem) {
        return opened.entrySet().stream()
                .filter(entry -> entry.getKey().kind() == problem.kind())
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(null);
    }

    @Override
    public void close() {
        opened.values().forEach(Library::close);
        opened.clear();
    }
}
