"""A wall clock that jumps, for programs that are started with `environment`."""

import mmap
import os
import pathlib
import struct


class WallClock:
    """Monotonic clocks stay what they are (tests/scenario/wall_clock.c)."""

    def __init__(self, build, folder):
        file = pathlib.Path(folder) / "wall-clock"
        file.write_bytes(bytes(8))
        with open(file, "r+b") as opened:
            self._offset = mmap.mmap(opened.fileno(), 8)
        self.ahead = 0.0  # seconds
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(pathlib.Path(build) / "tests" / "libwall_clock.so"),
            "SLUICE_TEST_WALL_CLOCK": str(file),
            # It has nothing of the library's that AddressSanitizer would have to replace first.
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
        }

    def jump(self, seconds):
        self.ahead += seconds
        self._offset[:] = struct.pack("=q", int(self.ahead * 1e9))
