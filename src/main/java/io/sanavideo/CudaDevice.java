package io.sanavideo;

import io.sanavideo.runtime.CudaDevices;
import java.util.List;

/**
 * A CUDA card of this machine.
 *
 * @param index which card, from 0
 * @param name as the driver calls it
 * @param capability compute capability, such as "9.0"
 * @param multiprocessors number of them
 * @param driver the newest CUDA that the driver knows, such as "13.0"
 * @param supported whether this build has code for the card
 * @param memory bytes
 * @param freeMemory bytes that nobody uses now
 */
public record CudaDevice(
        int index,
        String name,
        String capability,
        int multiprocessors,
        String driver,
        boolean supported,
        long memory,
        long freeMemory) {

    /**
     * The cards of this machine, at least one.
     *
     * @throws DeviceException when there is none that could be used, with the reason in one
     *     sentence: a build without CUDA kernels, no driver, one that is too old, no card
     */
    public static List<CudaDevice> all() {
        return CudaDevices.all();
    }

    /** The device that a model is opened on. */
    public Device device() {
        return Device.cuda(index);
    }
}
