package io.sanavideo.runtime;

import io.sanavideo.binding.ContextHandle;
import io.sanavideo.binding.SanaVideoAbi;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/**
 * One device with its stream and memory pool. Ops on it run in the order they are called, by one
 * thread at a time; only {@link #cancel()} may come from another. Closing it frees every tensor and
 * weight made on it.
 */
public final class Context implements AutoCloseable {
    /** What lives in native memory of a context and goes with it. */
    sealed interface Resource extends AutoCloseable permits Tensor, Weight {
        @Override
        void close();
    }

    private final Set<Resource> owned = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Ops ops;
    private ContextHandle handle;

    private Context(ContextHandle handle) {
        this.handle = handle;
        this.ops = new Ops(this);
    }

    /**
     * A context on the CPU.
     *
     * @param threads 1 to 1024, or 0 for one a core this process may use
     * @throws io.sanavideo.DeviceException when the native library cannot be loaded or {@code
     *     SANA_ISA} names an instruction set that this CPU lacks
     */
    public static Context cpu(int threads) {
        Native.load();
        ContextHandle handle = new ContextHandle();
        Native.check(SanaVideoAbi.sv_context_create(threads, handle), "context");
        return new Context(handle);
    }

    /**
     * A context on a CUDA card.
     *
     * @param device which card, from 0
     * @throws io.sanavideo.DeviceException when this build has no CUDA kernels, or the machine no
     *     driver or card for them; it says which
     * @throws IllegalArgumentException when the machine has cards, but not this one
     */
    public static Context cuda(int device) {
        Native.load();
        Native.unpackCudaKernels();
        ContextHandle handle = new ContextHandle();
        Native.check(SanaVideoAbi.sv_context_create_cuda(device, handle), "context");
        return new Context(handle);
    }

    /** The ops that run on this context. */
    public Ops ops() {
        return ops;
    }

    /** A new tensor, its content undefined. */
    public Tensor tensor(DType dtype, long... shape) {
        return new Tensor(this, dtype, shape);
    }

    /** A new weight; its content is undefined until every row was packed. */
    public Weight weight(WeightKind kind, DType dtype, long... shape) {
        return new Weight(this, kind, dtype, shape);
    }

    public int threads() {
        int[] threads = new int[1];
        Native.check(SanaVideoAbi.sv_context_threads(handle(), threads), "context");
        return threads[0];
    }

    /** Bytes in use now. */
    public long memoryInUse() {
        return memory(0);
    }

    /** Most bytes in use so far. */
    public long memoryPeak() {
        return memory(1);
    }

    private long memory(int which) {
        long[] current = new long[1];
        long[] peak = new long[1];
        Native.check(SanaVideoAbi.sv_memory(handle(), current, peak), "context");
        return which == 0 ? current[0] : peak[0];
    }

    /**
     * Makes the op that runs now, and every later one until {@link #resume()}, end with a {@link
     * io.sanavideo.CancelledException}. May be called from any thread.
     */
    public void cancel() {
        setCancelled(1);
    }

    /** Lets ops run again after {@link #cancel()}. */
    public void resume() {
        setCancelled(0);
    }

    private synchronized void setCancelled(int cancelled) {
        Native.check(SanaVideoAbi.sv_cancel(handle(), cancelled), "context");
    }

    /** Waits until all queued work is done. */
    public void synchronize() {
        Native.check(SanaVideoAbi.sv_synchronize(handle()), "context");
    }

    synchronized ContextHandle handle() {
        if (handle == null) {
            throw new IllegalStateException("this context is closed");
        }
        return handle;
    }

    synchronized void own(Resource resource) {
        owned.add(resource);
    }

    synchronized void disown(Resource resource) {
        owned.remove(resource);
    }

    @Override
    public synchronized void close() {
        if (handle == null) {
            return;
        }
        for (Resource resource : new ArrayList<>(owned)) {
            resource.close();
        }
        ops.release();
        SanaVideoAbi.sv_context_destroy(handle);
        handle = null;
    }
}
