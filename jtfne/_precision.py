"""Float width as a context: nobody's global jax flags are touched."""

import contextlib
import importlib
from typing import Any

import jax


def precision(dtype: str) -> contextlib.AbstractContextManager[Any]:
    """A context in which jax computes in `dtype`, "float32" or "float64".

    >>> import jax.numpy as jnp
    >>> with precision("float64"):
    ...     str(jnp.zeros(1).dtype)
    'float64'
    """
    home = jax if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental")  # where jax < 0.8 has it
    context: contextlib.AbstractContextManager[Any] = vars(home)["enable_x64"](dtype == "float64")
    return context
