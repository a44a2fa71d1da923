package io.sanavideo.runtime.vendor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Device;
import io.sanavideo.DeviceException;
import io.sanavideo.Kernels;
import io.sanavideo.Kernels.Use;
import io.sanavideo.RelativeError;
import io.sanavideo.runtime.Activation;
import io.sanavideo.runtime.Alternative;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Epilogue;
import io.sanavideo.runtime.Recording;
import io.sanavideo.runtime.Scope;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Which kernels are chosen, with stand-ins for cuBLASLt and cuDNN on the emulated card. By the
 * number of its columns a product says how the stand-in behaves: tests/native/vendor/cublaslt.cpp.
 */
@Tag("libraries")
class KernelChoicesTest {
    private static final Device CARD = Device.cuda(0);
    private static final int ROWS = 24;
    private static final int DEPTH = 32;
    private static final double TWO_ROUNDINGS = 6e-3;
    private static final Kernels LIBRARIES = new Kernels(Use.LIBRARY, Use.LIBRARY, null);

    private final Random random = new Random(7);
    private Context context;
    private Scope scope;

    /** What earlier runs of the tests have measured. */
    @BeforeAll
    static void forget() throws IOException {
        Files.deleteIfExists(Path.of(System.getenv("SANA_CACHE"), "kernels.json"));
    }

    @BeforeEach
    void open() {
        context = Context.on(CARD);
        scope = new Scope(context);
    }

    @AfterEach
    void close() {
        scope.close();
        context.close();
    }

    private float[] numbers(long count) {
        float[] numbers = new float[Math.toIntExact(count)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }

    private Tensor tensor(DType dtype, long... shape) {
        Tensor tensor = scope.tensor(dtype, shape);
        tensor.upload(numbers(tensor.elements()));
        return tensor;
    }

    private Weight weight(WeightKind kind, long... shape) {
        Weight weight = scope.weight(kind, DType.BF16, shape);
        long elements = 1;
        for (long size : shape) {
            elements *= size;
        }
        ByteBuffer data =
                ByteBuffer.allocateDirect(Math.toIntExact(4 * elements))
                        .order(ByteOrder.nativeOrder());
        data.asFloatBuffer().put(numbers(elements));
        weight.pack(0, shape[0], data, DType.F32);
        return weight;
    }

    private KernelChoices choices(Kernels kernels) {
        return KernelChoices.of(CARD, kernels);
    }

    private static ObjectNode recipe(KernelChoices choices, Problem... problems) {
        ObjectNode recipe = new ObjectMapper().createObjectNode();
        choices.describe(recipe, List.of(problems));
        return recipe;
    }

    private static String choice(KernelChoices choices, Problem problem) {
        return recipe(choices, problem).at("/kernels/choices").path(problem.toString()).asText();
    }

    /** What the own kernels make, and what the chosen ones make of the same. */
    private double error(KernelChoices choices, Runnable op, Tensor out) {
        context.offerTo(Alternative.NONE);
        op.run();
        float[] own = out.toFloats();
        choices.chooseFor(context, op);
        out.clear();
        op.run();
        return RelativeError.of(out.toFloats(), own);
    }

    /** The emulator is so slow that the library is always the faster, unless it waits. */
    @ParameterizedTest
    @CsvSource({
        "32, cublaslt",
        "40, own",
        "48, own",
        "56, own",
        "64, own",
    })
    void theFasterOneThatAgreesIsChosen(int columns, String chosen) {
        Tensor in = tensor(DType.BF16, ROWS, DEPTH);
        Weight weight = weight(WeightKind.LINEAR, columns, DEPTH);
        Tensor out = scope.tensor(DType.BF16, ROWS, columns);
        Problem problem = Problem.linear(in, weight, Epilogue.NONE, out);
        try (KernelChoices choices = choices(Kernels.AUTO)) {
            double error =
                    error(choices, () -> context.ops().linear(in, weight, Epilogue.NONE, out), out);

            assertThat(choice(choices, problem)).startsWith(chosen);
            assertThat(error).isLessThan(TWO_ROUNDINGS);
            assertThat(choices.unknown(List.of(problem))).isEmpty();
        }
        try (KernelChoices again = choices(Kernels.AUTO)) {
            assertThat(again.unknown(List.of(problem))).as("kept in a file").isEmpty();
            assertThat(choice(again, problem)).startsWith(chosen);
        }
        try (KernelChoices others = choices(LIBRARIES)) {
            assertThat(others.unknown(List.of(problem))).hasSize(1);
        }
    }

    /** Even where the library is slower; not where it is wrong or cannot. */
    @ParameterizedTest
    @CsvSource({"64, cublaslt", "40, own", "48, own"})
    void aLibraryThatIsAskedForIsTaken(int columns, String chosen) {
        Tensor in = tensor(DType.BF16, 1, DEPTH);
        Weight weight = weight(WeightKind.LINEAR, columns, DEPTH);
        Tensor out = scope.tensor(DType.BF16, 1, columns);
        try (KernelChoices choices = choices(LIBRARIES)) {
            double error =
                    error(choices, () -> context.ops().linear(in, weight, Epilogue.NONE, out), out);

            assertThat(choice(choices, Problem.linear(in, weight, Epilogue.NONE, out)))
                    .startsWith(chosen);
            assertThat(error).isLessThan(TWO_ROUNDINGS);
        }
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void epiloguesFollowALibrarysProduct(Activation activation) {
        int columns = 72;
        Tensor in = tensor(DType.BF16, ROWS, DEPTH);
        Weight weight = weight(WeightKind.LINEAR, columns, DEPTH);
        Tensor out = scope.tensor(DType.BF16, ROWS, columns);
        Tensor sums = scope.tensor(DType.F32, ROWS, 2);
        Epilogue epilogue =
                Epilogue.bias(tensor(DType.F32, columns))
                        .activation(activation)
                        .gate(tensor(DType.F32, 2, 3, columns), 1)
                        .residual(tensor(DType.BF16, ROWS, columns))
                        .squareSums(sums, 3);
        try (KernelChoices choices = choices(LIBRARIES)) {
            Runnable op = () -> context.ops().linear(in, weight, epilogue, out);
            op.run();
            float[] ownSums = sums.toFloats();
            double error = error(choices, op, out);

            assertThat(choice(choices, Problem.linear(in, weight, epilogue, out)))
                    .startsWith("cublaslt");
            assertThat(error).isPositive().isLessThan(TWO_ROUNDINGS);
            assertThat(RelativeError.of(sums.toFloats(), ownSums)).isLessThan(TWO_ROUNDINGS);
        }
    }

    /** Kernels of one and of three frames, with a residual that is the output itself. */
    @ParameterizedTest
    @CsvSource({"1, 3", "3, 3", "3, 1"})
    void convolutionsToo(int kernelFrames, int kernelSize) {
        int columns = 16;
        Tensor in = tensor(DType.BF16, 1 + kernelFrames, 5, 4, 8);
        Weight weight =
                weight(WeightKind.CONVOLUTION, columns, 8, kernelFrames, kernelSize, kernelSize);
        Tensor residual = tensor(DType.BF16, 2, 5, 4, columns);
        Tensor out = scope.tensor(DType.BF16, 2, 5, 4, columns);
        Epilogue epilogue = Epilogue.bias(tensor(DType.F32, columns)).residual(out);
        try (KernelChoices choices = choices(LIBRARIES)) {
            double error =
                    error(
                            choices,
                            () -> {
                                out.copyFrom(residual);
                                context.ops().convolution(in, weight, epilogue, out);
                            },
                            out);

            assertThat(choice(choices, Problem.convolution(in, weight, epilogue, out)))
                    .startsWith("cudnn");
            assertThat(error).isPositive().isLessThan(TWO_ROUNDINGS);
        }
    }

    @Test
    void aRecordingPlaysTheLibrarysWork() {
        Tensor in = tensor(DType.BF16, ROWS, DEPTH);
        Weight weight = weight(WeightKind.LINEAR, 32, DEPTH);
        Tensor out = scope.tensor(DType.BF16, ROWS, 32);
        Runnable op = () -> context.ops().linear(in, weight, Epilogue.NONE, out);
        try (KernelChoices choices = choices(LIBRARIES)) {
            choices.chooseFor(context, op);
            op.run();
            float[] first = out.toFloats();
            try (Recording recording = context.record(op)) {
                in.upload(numbers(in.elements()));
                recording.play();
                float[] played = out.toFloats();
                op.run();

                assertThat(played).isNotEqualTo(first).isEqualTo(out.toFloats());
            }
        }
    }

    @Test
    void wrongArgumentsAreTheOwnKernelsToRefuse() {
        Tensor in = tensor(DType.BF16, ROWS, DEPTH);
        Weight weight = weight(WeightKind.LINEAR, 32, DEPTH + 8);
        Tensor out = scope.tensor(DType.BF16, ROWS, 32);
        try (KernelChoices choices = choices(LIBRARIES)) {
            choices.applyTo(context);

            assertThatThrownBy(() -> context.ops().linear(in, weight, Epilogue.NONE, out))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("linear: in has 32 features, expected the weight's 40");
        }
    }

    /** f32 is plain fp32 in every op, which a library's need not be. */
    @Test
    void f32IsNeverALibrarys() {
        Tensor in = tensor(DType.F32, ROWS, DEPTH);
        Weight weight = scope.weight(WeightKind.LINEAR, DType.F32, 32, DEPTH);
        Tensor out = scope.tensor(DType.F32, ROWS, 32);

        assertThat(Problem.linear(in, weight, Epilogue.NONE, out)).isNull();
    }

    @Test
    void viewsThatBeginAnywhereAreTheOwnKernels() {
        Tensor numbers = tensor(DType.BF16, ROWS * DEPTH + 8);
        Weight weight = weight(WeightKind.LINEAR, 32, DEPTH);
        Tensor out = scope.tensor(DType.BF16, ROWS, 32);
        Tensor odd = numbers.slice(1, ROWS * DEPTH).reshape(ROWS, DEPTH);
        Tensor aligned = numbers.slice(8, ROWS * DEPTH).reshape(ROWS, DEPTH);

        assertThat(Problem.linear(odd, weight, Epilogue.NONE, out)).isNull();
        assertThat(Problem.linear(aligned, weight, Epilogue.NONE, out)).isNotNull();
    }

    @Test
    void aRecipeIsRepeated() {
        Tensor in = tensor(DType.BF16, ROWS, DEPTH);
        Weight weight = weight(WeightKind.LINEAR, 80, DEPTH);
        Tensor out = scope.tensor(DType.BF16, ROWS, 80);
        Problem problem = Problem.linear(in, weight, Epilogue.NONE, out);
        String recipe;
        try (KernelChoices choices = choices(LIBRARIES)) {
            choices.chooseFor(context, () -> context.ops().linear(in, weight, Epilogue.NONE, out));
            recipe = recipe(choices, problem).toString();
            assertThat(choice(choices, problem)).startsWith("cublaslt");
        }

        try (KernelChoices again = choices(Kernels.ofRecipe(recipe))) {
            assertThat(recipe(again, problem)).hasToString(recipe);
            assertThat(again.unknown(List.of(problem))).isEmpty();
        }
        try (KernelChoices own =
                choices(Kernels.ofRecipe(recipe.replaceFirst("cublaslt 0+5a17\\w* \\d+", "own")))) {
            assertThat(choice(own, problem)).isEqualTo("own");
        }
        Kernels older = Kernels.ofRecipe(recipe.replace("13.3.0", "13.1.0"));
        assertThatThrownBy(() -> choices(older))
                .isInstanceOf(DeviceException.class)
                .hasMessage("the recipe's cublaslt is 13.1.0, that of this machine is 13.3.0");
    }

    /** The stand-in's second algorithm, which may not be the faster, refuses to work without. */
    @Test
    void anAlgorithmHasItsWorkspace() {
        Tensor in = tensor(DType.BF16, ROWS, DEPTH);
        Weight weight = weight(WeightKind.LINEAR, 88, DEPTH);
        Tensor out = scope.tensor(DType.BF16, ROWS, 88);
        Runnable op = () -> context.ops().linear(in, weight, Epilogue.NONE, out);
        op.run();
        float[] own = out.toFloats();
        String choice = "cublaslt %016x%016x%096d 256".formatted(0x5a17, 2, 0);
        String recipe =
                "{\"kernels\":{\"choices\":{\"%s\":\"%s\"}}}"
                        .formatted(Problem.linear(in, weight, Epilogue.NONE, out), choice);
        try (KernelChoices choices = choices(Kernels.ofRecipe(recipe))) {
            choices.applyTo(context);
            out.clear();
            op.run();

            assertThat(RelativeError.of(out.toFloats(), own)).isLessThan(TWO_ROUNDINGS);
        }
    }

    @Test
    void aDryContextCountsALibrarysMemoryAndCallsNothing() {
        Tensor in = tensor(DType.BF16, ROWS, DEPTH);
        Weight weight = weight(WeightKind.LINEAR, 32, DEPTH);
        Tensor out = tensor(DType.BF16, ROWS, 32);
        Epilogue residual = Epilogue.NONE.residual(out);
        try (KernelChoices choices = choices(LIBRARIES);
                Context dry = Context.dry(CARD);
                Scope counted = new Scope(dry)) {
            choices.chooseFor(context, () -> context.ops().linear(in, weight, residual, out));
            assertThat(choice(choices, Problem.linear(in, weight, residual, out)))
                    .startsWith("cublaslt");
            Tensor dryIn = counted.tensor(DType.BF16, ROWS, DEPTH);
            Weight dryWeight = counted.weight(WeightKind.LINEAR, DType.BF16, 32, DEPTH);
            Tensor dryOut = counted.tensor(DType.BF16, ROWS, 32);
            long before = dry.memoryInUse();
            choices.applyTo(dry);
            dry.ops().linear(dryIn, dryWeight, Epilogue.NONE.residual(dryOut), dryOut);

            assertThat(dry.memoryPeak() - before).isGreaterThanOrEqualTo(ROWS * 32 * 2);
        }
    }

    @Test
    void theCpuHasNoLibraries() {
        assertThatThrownBy(() -> KernelChoices.of(Device.cpu(), LIBRARIES))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("cublaslt was asked for: the device is cpu");
        assertThat(KernelChoices.of(Device.cpu(), Kernels.AUTO)).isNotNull();
    }
}
