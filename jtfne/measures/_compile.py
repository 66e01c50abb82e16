"""Kernels as one compiled program each, for callers outside of any program."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compile_kernel(*static: str) -> Callable[[Kernel], Kernel]:
    """A decorator: the kernel is one program for each shape of its arrays.

    Operation by operation, JAX compiles each by itself: Welch's method is 55 programs, which takes a
    second. Within another program the kernel is part of that one, as if it were not decorated.

    static: the arguments that are no arrays; a program is of one value of each.
    >>> twice = compile_kernel("n")(lambda x, n: n * x)
    >>> twice([1.0, 2.0], 2).tolist()
    [2.0, 4.0]
    """

    def decorate(function: Kernel) -> Kernel:
        signature = inspect.signature(function)
        program = jax.jit(function, static_argnames=static, inline=True)

        @functools.wraps(function)
        def call(*positional: Any, **keywords: Any) -> Any:
            bound = signature.bind(*positional, **keywords)
            bound.apply_defaults()
            arguments = {}
            for name, value in bound.arguments.items():
                if name in static:
                    arguments[name] = tuple(value) if isinstance(value, list) else value
                else:  # a program takes numpy's arrays as they are, without one that moves them
                    is_array = isinstance(value, np.ndarray | jax.Array)
                    arguments[name] = value if is_array else jnp.asarray(value)
            return program(**arguments)

        return cast(Kernel, call)

    return decorate
