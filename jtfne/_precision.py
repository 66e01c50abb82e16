"""Float width as a context: nobody's global jax flags are touched."""

import contextlib

import jax


def precision(dtype: str) -> contextlib.AbstractContextManager[object]:
    """A context in which jax computes in `dtype`, "float32" or "float64".

    >>> import jax.numpy as jnp
    >>> with precision("float64"):
    ...     str(jnp.zeros(1).dtype)
    'float64'
    """
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(dtype == "float64")
    from jax.experimental import enable_x64  # where jax < 0.8 keeps it

    return enable_x64(dtype == "float64")
