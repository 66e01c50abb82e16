"""Two devices for every test, so that what is dealt over devices is tested where there is one core
as well.
"""

import gc
import sys
from collections.abc import Iterator

import jax
import pytest
from hypothesis import settings

jax.config.update("jax_num_cpu_devices", 2)
# What tracing leaves behind is much, and seldom in circles: looking through a heap of gigabytes for
# them took a twelfth of the time.
gc.set_threshold(100_000, 50, 1000)
# No example may fail because the machine is busy; the rest is as it was, so as CI has it in CI.
settings.register_profile("without deadline", settings(), deadline=None)
settings.load_profile("without deadline")


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    """Figures that a test leaves open are closed: matplotlib warns of many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(autouse=True, scope="module")
def drop_programs() -> Iterator[None]:
    """Compiled programs are dropped after each file.

    A process may map 65,530 pieces of memory, of which each program takes some.
    """
    yield
    jax.clear_caches()
