package io.sanavideo.runtime.vendor;

import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_TRANSA;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_T;
import static org.bytedeco.cuda.global.cublas.CUBLAS_STATUS_SUCCESS;
import static org.bytedeco.cuda.global.cublas.cublasLtCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtDestroy;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmul;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulAlgoGetHeuristic;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescDestroy;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescSetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceDestroy;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceSetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatrixLayoutCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtMatrixLayoutDestroy;
import static org.bytedeco.cuda.global.cudart.CUDA_R_16BF;
import static org.bytedeco.cuda.global.cudart.CUDA_R_32F;

import io.sanavideo.DeviceException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.bytedeco.cuda.cublas.cublasLtContext;
import org.bytedeco.cuda.cublas.cublasLtMatmulAlgo_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulDescOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulHeuristicResult_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulPreferenceOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatrixLayoutOpaque_t;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * cuBLASLt: out[rows, columns] = in[rows, depth] weight[columns, depth]^T, bf16 in and out, fp32
 * sums. The library counts matrices by columns, so that it is told out^T = (weight^T)^T in^T: a
 * transposed first operand and no transposed second one, the form its kernels like best.
 *
 * <p>An algorithm is the library's own 64 bytes, which its documentation allows to be stored and
 * used again with the same version, in hexadecimal.
 */
final class CublasLt implements Library {
    /** In the order they need each other. */
    static final List<String> FILES = List.of("libcublasLt.so.13", "libcublas.so.13");

    private static final int ALGORITHMS = 4;
    private static final long MAX_WORKSPACE = 32 << 20;
    private static final int ALGORITHM_WORDS = 8;

    /** The library counts on more than this by itself. */
    private static final int[] ALIGNMENTS = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES
    };

    /** What the library wants to know of a problem. */
    private record Described(
            cublasLtMatmulDescOpaque_t product,
            cublasLtMatrixLayoutOpaque_t weight,
            cublasLtMatrixLayoutOpaque_t in,
            cublasLtMatrixLayoutOpaque_t out)
            implements AutoCloseable {
        static Described of(Problem problem) {
            // A linear weight's rows are padded to 8 bf16 numbers, and only whole ones come here.
            long depth = problem.depth();
            try (IntPointer transposed = new IntPointer(1L).put(CUBLAS_OP_T)) {
                cublasLtMatmulDescOpaque_t product =
                        created(
                                cublasLtMatmulDescOpaque_t.class,
                                place ->
                                        cublasLtMatmulDescCreate(
                                                place, CUBLAS_COMPUTE_32F, CUDA_R_32F));
                check(
                        cublasLtMatmulDescSetAttribute(
                                product, CUBLASLT_MATMUL_DESC_TRANSA, transposed, Integer.BYTES),
                        "cublasLtMatmulDescSetAttribute");
                return new Described(
                        product,
                        layout(depth, problem.columns()),
                        layout(depth, problem.rows()),
                        layout(problem.columns(), problem.rows()));
            }
        }

        private static cublasLtMatrixLayoutOpaque_t layout(long rows, long columns) {
            return created(
                    cublasLtMatrixLayoutOpaque_t.class,
                    place -> cublasLtMatrixLayoutCreate(place, CUDA_R_16BF, rows, columns, rows));
        }

        @Override
        public void close() {
            cublasLtMatrixLayoutDestroy(out);
            cublasLtMatrixLayoutDestroy(in);
            cublasLtMatrixLayoutDestroy(weight);
            cublasLtMatmulDescDestroy(product);
        }
    }

    private final cublasLtContext handle = new cublasLtContext();
    private final CUstream_st stream;
    private final FloatPointer one = new FloatPointer(1f);
    private final FloatPointer zero = new FloatPointer(0f);
    private final Map<Problem, Described> described = new HashMap<>();
    private final Map<String, cublasLtMatmulAlgo_t> algorithms = new HashMap<>();

    CublasLt(Context context) {
        stream = new CUstream_st(context.stream());
        check(cublasLtCreate(handle), "cublasLtCreate");
    }

    @Override
    public List<Choice> candidates(Problem problem) {
        Described about = described.computeIfAbsent(problem, Described::of);
        cublasLtMatmulPreferenceOpaque_t preference =
                created(
                        cublasLtMatmulPreferenceOpaque_t.class,
                        place -> cublasLtMatmulPreferenceCreate(place));
        try (IntPointer count = new IntPointer(1L);
                cublasLtMatmulHeuristicResult_t found =
                        new cublasLtMatmulHeuristicResult_t(ALGORITHMS)) {
            try (LongPointer limit = new LongPointer(1L).put(MAX_WORKSPACE)) {
                prefer(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, limit, Long.BYTES);
            }
            try (IntPointer alignment = new IntPointer(1L).put(Problem.ALIGNMENT)) {
                for (int operand : ALIGNMENTS) {
                    prefer(preference, operand, alignment, Integer.BYTES);
                }
            }
            int status =
                    cublasLtMatmulAlgoGetHeuristic(
                            handle,
                            about.product,
                            about.weight,
                            about.in,
                            about.out,
                            about.out,
                            preference,
                            ALGORITHMS,
                            found,
                            count);
            List<Choice> choices = new ArrayList<>();
            // No algorithm for a shape is an answer, not a failure.
            for (int i = 0; status == CUBLAS_STATUS_SUCCESS && i < count.get(); i++) {
                cublasLtMatmulHeuristicResult_t result = found.getPointer(i);
                if (result.state() == CUBLAS_STATUS_SUCCESS) {
                    choices.add(
                            new Choice(
                                    LibraryName.CUBLASLT,
                                    text(result.algo()),
                                    result.workspaceSize()));
                }
            }
            return choices;
        } finally {
            cublasLtMatmulPreferenceDestroy(preference);
        }
    }

    @Override
    public void multiply(
            Problem problem,
            Choice choice,
            Tensor in,
            Weight weight,
            Tensor workspace,
            Tensor out) {
        Described about = described.computeIfAbsent(problem, Described::of);
        check(
                cublasLtMatmul(
                        handle,
                        about.product,
                        one,
                        weight.matrix(),
                        about.weight,
                        in.data(),
                        about.in,
                        zero,
                        out.data(),
                        about.out,
                        out.data(),
                        about.out,
                        algorithms.computeIfAbsent(choice.algorithm(), CublasLt::algorithm),
                        workspace == null ? new Pointer() : workspace.data(),
                        choice.workspace(),
                        stream),
                "cublasLtMatmul");
    }

    private static void prefer(
            cublasLtMatmulPreferenceOpaque_t preference, int what, Pointer value, long bytes) {
        check(
                cublasLtMatmulPreferenceSetAttribute(preference, what, value, bytes),
                "cublasLtMatmulPreferenceSetAttribute");
    }

    private static String text(cublasLtMatmulAlgo_t algorithm) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < ALGORITHM_WORDS; i++) {
            text.append(HexFormat.of().toHexDigits(algorithm.data(i)));
        }
        return text.toString();
    }

    private static cublasLtMatmulAlgo_t algorithm(String text) {
        int digits = 2 * Long.BYTES;
        if (text.length() != ALGORITHM_WORDS * digits) {
            throw new IllegalArgumentException(
                    "'%s' is no algorithm of cuBLASLt, expected %d hexadecimal digits"
                            .formatted(text, ALGORITHM_WORDS * digits));
        }
        cublasLtMatmulAlgo_t algorithm = new cublasLtMatmulAlgo_t();
        for (int i = 0; i < ALGORITHM_WORDS; i++) {
            algorithm.data(i, HexFormat.fromHexDigitsToLong(text, i * digits, (i + 1) * digits));
        }
        return algorithm;
    }

    /** Has the library create something opaque. */
    private static <T extends Pointer> T created(
            Class<T> opaque, ToIntFunction<PointerPointer<T>> create) {
        try (PointerPointer<T> place = new PointerPointer<>(1)) {
            check(create.applyAsInt(place), "the creation of " + opaque.getSimpleName());
            return place.get(opaque, 0);
        }
    }

    private static void check(int status, String call) {
        if (status != CUBLAS_STATUS_SUCCESS) {
            throw new DeviceException(
                    "%s ended with status %d; --gemm own does without the library"
                            .formatted(call, status));
        }
    }

    @Override
    public void close() {
        described.values().forEach(Described::close);
        algorithms.values().forEach(Pointer::deallocate);
        one.deallocate();
        zero.deallocate();
        cublasLtDestroy(handle);
    }
}
