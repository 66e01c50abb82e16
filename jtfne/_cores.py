"""How many cores and how much memory this process may use, and how many devices jax makes of them."""

import os
from typing import Any

from jtfne._check import refuse
from jtfne._system import find_memory_limit


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
    """Bytes of memory that a new run could take without swapping, and that this process may."""
    import psutil  # 15 ms, which only a run needs

    free_bytes = int(psutil.virtual_memory().available)
    limit_bytes = find_memory_limit()
    if limit_bytes is not None:
        free_bytes = min(free_bytes, limit_bytes - int(psutil.Process().memory_info().vms))
    return max(free_bytes, 0)


def resident_bytes() -> int:
    """Bytes of memory that this process holds."""
    import psutil

    return int(psutil.Process().memory_info().rss)
