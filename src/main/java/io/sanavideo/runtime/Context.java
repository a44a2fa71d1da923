package io.sanavideo.runtime;

import io.sanavideo.CudaDevice;
import io.sanavideo.Device;
import io.sanavideo.binding.ContextHandle;
import io.sanavideo.binding.SanaVideoAbi;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.bytedeco.javacpp.Pointer;

/**
 * One device with its stream and memory pool. Ops on it run in the order they are called, by one
 * thread at a time; only {@link #cancel()} may come from another. Closing it frees every tensor and
 * weight made on it.
 */
public final class Context implements AutoCloseable {
    /** What lives in native memory of a context and goes with it. */
    sealed interface Resource extends AutoCloseable permits Tensor, Weight, Recording {
        @Override
        void close();
    }

    /** Multiprocessors of an H100. */
    private static final int USUAL_MULTIPROCESSORS = 132;

    private final Set<Resource> owned = Collections.newSetFromMap(new IdentityHashMap<>());
    private final AtomicReference<ByteBuffer> idleBuffer = new AtomicReference<>();
    private final Ops ops;
    private final boolean records;
    private final boolean dry;
    private ContextHandle handle;

    private Context(ContextHandle handle, boolean records, boolean dry) {
        this.handle = handle;
        this.records = records;
        this.dry = dry;
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
        return new Context(handle, false, false);
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
        Native.check(SanaVideoAbi.sv_context_create_cuda(device, handle));
        return new Context(handle, true, false);
    }

    /** A context on a device. */
    public static Context on(Device device) {
        return device.kind() == Device.Kind.CPU ? cpu(device.threads()) : cuda(device.index());
    }

    /**
     * A context that computes nothing and counts what memory the same work would take on a device:
     * any size fits, and outputs are undefined. Where a device is a card that this machine lacks,
     * it is as on one of {@link #USUAL_MULTIPROCESSORS}.
     *
     * @throws io.sanavideo.DeviceException when the device is a card and this build has no CUDA
     *     kernels
     */
    public static Context dry(Device device) {
        Native.load();
        ContextHandle handle = new ContextHandle();
        if (device.kind() == Device.Kind.CPU) {
            Native.check(SanaVideoAbi.sv_context_create_dry(device.threads(), handle), "context");
            return new Context(handle, false, true);
        }
        Native.unpackCudaKernels();
        int multiprocessors =
                CudaDevices.find(device.index())
                        .map(CudaDevice::multiprocessors)
                        .orElse(USUAL_MULTIPROCESSORS);
        Native.check(SanaVideoAbi.sv_context_create_cuda_dry(multiprocessors, handle));
        return new Context(handle, true, true);
    }

    /** Whether this context only counts memory. */
    public boolean isDry() {
        return dry;
    }

    /**
     * Keeps ops to be repeated. On a card they are recorded now, without running, and each
     * repetition costs a single launch; on the CPU they are called anew. The ops must have run once
     * before, so that their scratch memory is there; they may not upload, download or take arrays
     * of the host, and their tensors must outlive what is returned. With {@code SANA_NVTX=1} they
     * are called anew on a card too: what is recorded has no ranges when it is played.
     */
    public Recording record(Runnable body) {
        boolean recorded = records && !Range.ASKED_FOR;
        return recorded ? Recording.of(this, body) : new Recording(this, body);
    }

    /** Begins a range in a profiler's timeline, inside those that this thread has not closed. */
    public Range range(String name) {
        return Range.begin(this, name);
    }

    /**
     * The CUDA stream that ops are queued on, for libraries that work between them.
     *
     * @throws io.sanavideo.DeviceException on the CPU
     */
    public Pointer stream() {
        Pointer stream = new Pointer();
        Native.check(SanaVideoAbi.sv_cuda_stream(handle(), stream), "context");
        return stream;
    }

    /** Offers ops to another that may do them; {@link Alternative#NONE} ends that. */
    public void offerTo(Alternative alternative) {
        ops.offerTo(alternative);
    }

    /** The ops that run on this context. */
    public Ops ops() {
        return ops;
    }

    /** A new tensor, its content undefined. */
    public Tensor tensor(DType dtype, long... shape) {
        return new Tensor(this, false, dtype, shape);
    }

    /**
     * A tensor for the length of one op, in memory that ops keep for each other: closed, it is
     * there for the next, and it may be part of what is recorded. Its content is undefined.
     */
    public Tensor scratch(DType dtype, long... shape) {
        return new Tensor(this, true, dtype, shape);
    }

    /** A direct buffer of the host's for what a program is handed, its content undefined. */
    public LentBuffer lend(int bytes) {
        return new LentBuffer(idleBuffer, bytes);
    }

    /** A new weight; its content is undefined until every row was packed. */
    public Weight weight(WeightKind kind, DType dtype, long... shape) {
        return new Weight(this, kind, dtype, shape);
    }

    /**
     * A new weight that stays NVFP4: LINEAR [out, in] or TEMPORAL [out, in, 3], in a multiple of
     * 16. Its content is undefined until every row was packed.
     */
    public Weight nvfp4Weight(WeightKind kind, long... shape) {
        return new Weight(this, kind, shape);
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

    /** Makes {@link #memoryPeak} what is in use now. */
    public void resetPeak() {
        Native.check(SanaVideoAbi.sv_reset_peak(handle()), "context");
    }

    /** Frees what ops keep for each other: scratch memory, and what uploads go through. */
    public void trim() {
        Native.check(SanaVideoAbi.sv_trim(handle()), "context");
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
