"""How many cores this process may use."""

import os


def n_cores() -> int:
    """Cores by this process's affinity, where the system tells it, else all of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
