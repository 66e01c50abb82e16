"""Two devices for every test, so that what is dealt over devices is tested where there is one core as well."""

from collections.abc import Iterator

import jax
import pytest

jax.config.update("jax_num_cpu_devices", 2)


@pytest.fixture(autouse=True, scope="module")
def programs_of_one_file() -> Iterator[None]:
    """Compiled programs are dropped after each file: a process may map 65,530 pieces of memory, each takes some."""
    yield
    jax.clear_caches()
