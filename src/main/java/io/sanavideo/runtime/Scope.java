package io.sanavideo.runtime;

import java.util.ArrayDeque;
import java.util.Deque;

/** Tensors, weights and other resources that are closed together, the last one first. */
public final class Scope implements AutoCloseable {
    private final Context context;
    private final Deque<AutoCloseable> resources = new ArrayDeque<>();

    public Scope(Context context) {
        this.context = context;
    }

    public Context context() {
        return context;
    }

    /** A new tensor that is closed with this scope, its content undefined. */
    public Tensor tensor(DType dtype, long... shape) {
        return own(context.tensor(dtype, shape));
    }

    /** A new weight that is closed with this scope; undefined until every row was packed. */
    public Weight weight(WeightKind kind, DType dtype, long... shape) {
        return own(context.weight(kind, dtype, shape));
    }

    /** Closes a resource with this scope. */
    public <T extends AutoCloseable> T own(T resource) {
        resources.push(resource);
        return resource;
    }

    @Override
    public void close() {
        while (!resources.isEmpty()) {
            try {
                resources.pop().close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException("a resource cannot be closed", e);
            }
        }
    }
}
