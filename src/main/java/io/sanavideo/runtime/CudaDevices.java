package io.sanavideo.runtime;

import io.sanavideo.CudaDevice;
import io.sanavideo.DeviceException;
import io.sanavideo.binding.CudaDeviceStruct;
import io.sanavideo.binding.SanaVideoAbi;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** The CUDA cards of this machine, as the native library sees them. */
public final class CudaDevices {
    private CudaDevices() {}

    /** See {@link CudaDevice#all()}. */
    public static List<CudaDevice> all() {
        Native.load();
        Native.unpackCudaKernels();
        int[] count = new int[1];
        Native.check(SanaVideoAbi.sv_cuda_device_count(count));
        return IntStream.range(0, count[0]).mapToObj(CudaDevices::describe).toList();
    }

    /** The card of this index, or nothing where there is none. */
    static Optional<CudaDevice> find(int index) {
        try {
            return all().stream().filter(card -> card.index() == index).findFirst();
        } catch (DeviceException e) {
            return Optional.empty();
        }
    }

    private static CudaDevice describe(int index) {
        try (CudaDeviceStruct device = new CudaDeviceStruct()) {
            Native.check(SanaVideoAbi.sv_cuda_device_describe(index, device));
            return new CudaDevice(
                    index,
                    device.name().getString(),
                    device.capability() / 10 + "." + device.capability() % 10,
                    device.multiprocessors(),
                    device.driver() / 1000 + "." + device.driver() % 1000 / 10,
                    device.supported() != 0,
                    device.memory(),
                    device.free_memory());
        }
    }
}
