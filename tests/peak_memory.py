"""The most memory that a process had itself: ``getrusage`` counts what the one that started it had, too.

Linux hands the peak of a large process on to the program that it starts, so that a check of it fails, or never can.
"""

from __future__ import annotations

import inspect


def peak_bytes() -> int:
    """Return the most resident memory of this process so far, or since :func:`forget_peak`."""
    import resource
    import sys

    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open("/proc/self/status") as lines:  # noqa: PTH123
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def forget_peak() -> None:
    """Begin anew with what there is now, where the system can."""
    import sys

    if sys.platform == "linux":
        with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
            file.write("5")


PEAK = inspect.getsource(peak_bytes)
"""The source of :func:`peak_bytes`, for a program that a test starts."""
