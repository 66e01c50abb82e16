"""How many cores this process may use, and how many devices jax makes of them."""

import os
from typing import Any

from jtfne._check import refuse


def n_cores() -> int:
    """Cores by this process's affinity, where the system tells it, else all of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def have_devices(n_devices: int, *, where: str) -> None:
    """Make jax split the CPU into `n_devices` devices; to be called before jax is first used.

    Raises: JtfneError unless there are as many cores.
    """
    if not 1 <= n_devices <= n_cores():
        raise refuse(f"{n_devices} devices", f"1 to {n_cores()}, the cores of this process", where)
    if n_devices > 1:
        import jax

        update: Any = jax.config.update  # untyped
        update("jax_num_cpu_devices", n_devices)


def available_bytes() -> int:
    """Bytes of memory that the machine reports as available."""
    try:
        with open("/proc/meminfo") as lines:
            kibibytes_by_name = {line.split(":")[0]: line.split()[1] for line in lines}
        return int(kibibytes_by_name["MemAvailable"]) * 1024
    except (FileNotFoundError, KeyError):  # not Linux: all pages that the system has
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
