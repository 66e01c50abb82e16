"""How jax computes, as a context: float width, and flags that change numbers or stop runs.

Nobody's global flags are touched; those of others do not reach in. What a user asks of jax to find
faults with (`jax_disable_jit`, `jax_debug_nans`) stays as it is, and is told in the manifest.
"""

import contextlib
import importlib
from collections.abc import Iterator

import jax


@contextlib.contextmanager
def defined_jax_flags() -> Iterator[None]:
    """A context in which jax's flags are as this package needs them.

    Ranks and types are promoted, arrays moved, matrices multiplied in full precision.

    Whatever the environment, the program or another library has set: shapes and types are the
    business of jtfne, which is tested with these; on a GPU a matrix product would else be rounded
    to 10 bits.
    """
    with (
        jax.numpy_rank_promotion("allow"),
        jax.numpy_dtype_promotion("standard"),
        jax.transfer_guard("allow"),
        jax.default_matmul_precision("highest"),
    ):
        yield


@contextlib.contextmanager
def precision(dtype: str) -> Iterator[None]:
    """A context in which jax computes in `dtype`, "float32" or "float64", and is `defined_jax_flags`.

    >>> import jax.numpy as jnp
    >>> with precision("float64"):
    ...     str(jnp.zeros(1).dtype)
    'float64'
    """
    # where jax < 0.8 has it
    home = jax if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental")
    with vars(home)["enable_x64"](dtype == "float64"), defined_jax_flags():
        yield
