package io.sanavideo.kernels;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sanavideo.CancelledException;
import io.sanavideo.runtime.Context;
import io.sanavideo.runtime.DType;
import io.sanavideo.runtime.Ops;
import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/**
 * The table of wrong inputs of one op. It starts from arguments that are right (which is tested,
 * too) and replaces one at a time: a row names what stands there instead and the words that the
 * message of the {@link IllegalArgumentException} must hold. Null, closed and integer tensors, a
 * closed context and a cancelled one are rows of every table.
 */
final class WrongInputs {
    /** A call of the op. */
    interface Call {
        void on(Ops ops, Given given);
    }

    /** Makes an argument on a context. */
    record Maker(boolean isTensor, Function<Context, AutoCloseable> make) {
        AutoCloseable on(Context context) {
            return make.apply(context);
        }
    }

    /** The arguments of one call, by their names in the header. */
    static final class Given {
        private final Map<String, AutoCloseable> arguments = new LinkedHashMap<>();

        Tensor tensor(String name) {
            return (Tensor) arguments.get(name);
        }

        Weight weight(String name) {
            return (Weight) arguments.get(name);
        }
    }

    private final Call call;
    private final Map<String, Maker> makers = new LinkedHashMap<>();
    private final List<DynamicTest> rows = new ArrayList<>();

    WrongInputs(Call call) {
        this.call = call;
    }

    static Maker tensor(DType dtype, long... shape) {
        return new Maker(true, context -> zeros(context, dtype, shape));
    }

    static Maker weight(WeightKind kind, DType dtype, long... shape) {
        return new Maker(
                false,
                context -> {
                    Weight weight = context.weight(kind, dtype, shape);
                    int bytes = Values.length(shape) * DType.F32.bytes();
                    weight.pack(0, shape[0], ByteBuffer.allocateDirect(bytes), DType.F32);
                    return weight;
                });
    }

    private static Tensor zeros(Context context, DType dtype, long... shape) {
        Tensor tensor = context.tensor(dtype, shape);
        tensor.upload(ByteBuffer.allocateDirect((int) tensor.bytes()));
        return tensor;
    }

    /** An argument that the op needs, as it should be. */
    WrongInputs needs(String name, Maker maker) {
        makers.put(name, maker);
        return row(
                "null " + name,
                (context, given) -> {
                    given.arguments.put(name, null);
                    refuses(() -> call.on(context.ops(), given), name + " is null");
                });
    }

    /** An argument as it should be; whether it may be null is tested elsewhere. */
    WrongInputs given(String name, Maker maker) {
        makers.put(name, maker);
        return this;
    }

    /** An argument that may be null, as it should be. */
    WrongInputs allows(String name, Maker maker) {
        makers.put(name, maker);
        return row(
                "without " + name,
                (context, given) -> {
                    given.arguments.put(name, null);
                    assertThatCode(() -> call.on(context.ops(), given)).doesNotThrowAnyException();
                });
    }

    /** A row: this argument is wrong. */
    WrongInputs wrong(String name, Maker maker, String... words) {
        return row(
                "%s: %s".formatted(name, String.join(", ", words)),
                (context, given) -> {
                    given.arguments.put(name, maker.on(context));
                    refuses(() -> call.on(context.ops(), given), words);
                });
    }

    /** A row: these two, of one dtype, share an element of memory. */
    WrongInputs overlap(String name, String other) {
        return row(
                "%s overlaps %s".formatted(name, other),
                (context, given) -> {
                    Tensor left = given.tensor(name);
                    Tensor right = given.tensor(other);
                    Tensor memory =
                            zeros(context, left.dtype(), left.elements() + right.elements() - 1);
                    given.arguments.put(
                            name, memory.slice(0, left.elements()).reshape(left.shape()));
                    given.arguments.put(
                            other,
                            memory.slice(left.elements() - 1, right.elements())
                                    .reshape(right.shape()));
                    refuses(() -> call.on(context.ops(), given), name, other, "overlap");
                });
    }

    /** A row: the same arguments in another call. */
    WrongInputs wrongCall(String title, Call wrongCall, String... words) {
        return row(
                title,
                (context, given) -> refuses(() -> wrongCall.on(context.ops(), given), words));
    }

    private interface Check {
        void of(Context context, Given given) throws Exception;
    }

    private WrongInputs row(String title, Check check) {
        rows.add(
                DynamicTest.dynamicTest(
                        title,
                        () -> {
                            try (Context context = Context.cpu(2)) {
                                Given given = new Given();
                                makers.forEach((n, m) -> given.arguments.put(n, m.on(context)));
                                check.of(context, given);
                            }
                        }));
        return this;
    }

    private static void refuses(Runnable wrong, String... words) {
        assertThatThrownBy(wrong::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(words);
    }

    /** The whole table. */
    Stream<DynamicTest> tests() {
        for (String name : List.copyOf(makers.keySet())) {
            row(
                    "closed " + name,
                    (context, given) -> {
                        given.arguments.get(name).close();
                        assertThatThrownBy(() -> call.on(context.ops(), given))
                                .isInstanceOf(IllegalStateException.class)
                                .hasMessageContaining("closed");
                    });
            if (makers.get(name).isTensor()) {
                row(
                        "integers as " + name,
                        (context, given) -> {
                            long[] shape = given.tensor(name).shape();
                            given.arguments.put(name, context.tensor(DType.I32, shape));
                            refuses(() -> call.on(context.ops(), given), name, "i32", "expected");
                        });
            }
        }
        row("closed context", this::closedContext);
        row("cancelled context", this::cancelledContext);
        return rows.stream();
    }

    private void closedContext(Context context, Given given) {
        Ops ops = context.ops();
        context.close();
        assertThatThrownBy(() -> call.on(ops, given))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    private void cancelledContext(Context context, Given given) {
        call.on(context.ops(), given);
        context.cancel();
        assertThatThrownBy(() -> call.on(context.ops(), given))
                .isInstanceOf(CancelledException.class)
                .hasMessageContaining("cancelled");
        context.resume();
        assertThatCode(() -> call.on(context.ops(), given)).doesNotThrowAnyException();
    }
}
