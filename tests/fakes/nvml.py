"""NVIDIA's management library as `pynvml` shows it, for GPUs that are not there."""

from __future__ import annotations


class FakeNvml:
    """Holds the clock of each GPU in MHz, None for one that chooses by itself; counts who has the library open.

    `refused` has errors by GPU: what setting its clock ends in. `starts` is false where there is no driver.
    """

    NVML_CLOCK_GRAPHICS = 0
    NVML_ERROR_NO_PERMISSION = 4

    class NVMLError(Exception):
        def __init__(self, value, words):
            super().__init__(words)
            self.value = value

    def __init__(self, gpus=2, starts=True, refused=()):
        self.clocks = [None] * gpus
        self.open = 0
        self._starts, self._refused = starts, dict(refused)

    def nvmlInit(self):  # noqa: N802 (the library's names, here and below)
        if not self._starts:
            raise self.NVMLError(9, "Driver Not Loaded")
        self.open += 1

    def nvmlShutdown(self):  # noqa: N802
        self.open -= 1

    def nvmlDeviceGetCount(self):  # noqa: N802
        return len(self.clocks)

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return index

    def nvmlDeviceSetGpuLockedClocks(self, gpu, low, high):  # noqa: N802
        if gpu in self._refused:
            raise self.NVMLError(*self._refused[gpu])
        assert type(low) is int
        assert low == high
        self.clocks[gpu] = low

    def nvmlDeviceResetGpuLockedClocks(self, gpu):  # noqa: N802
        if gpu in self._refused:
            raise self.NVMLError(*self._refused[gpu])
        self.clocks[gpu] = None

    def nvmlDeviceGetClockInfo(self, gpu, kind):  # noqa: N802
        assert kind == self.NVML_CLOCK_GRAPHICS
        return self.clocks[gpu] or 1500


class WrittenNvml(FakeNvml):
    """One GPU, whose clocks one after the other become lines of a file: for processes that a test cannot look into."""

    def __init__(self, file):
        super().__init__(gpus=1)
        self._file = file

    def nvmlDeviceSetGpuLockedClocks(self, gpu, low, high):  # noqa: N802
        super().nvmlDeviceSetGpuLockedClocks(gpu, low, high)
        self._write(f"{low}\n")

    def nvmlDeviceResetGpuLockedClocks(self, gpu):  # noqa: N802
        super().nvmlDeviceResetGpuLockedClocks(gpu)
        self._write("its own\n")

    def _write(self, line):
        with self._file.open("a") as written:
            written.write(line)


NO_PERMISSION = (FakeNvml.NVML_ERROR_NO_PERMISSION, "Insufficient Permissions")
