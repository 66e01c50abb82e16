"""Current source density from potentials along depth; sinks are negative.

It is minus the second difference.

A method is an object that gives one matrix, from potentials at contacts to densities at places:
`SecondDifference` here, the inverse methods in `icsd`, the kernel method in `kcsd`; `Smoothed`
wraps any of them, `estimate` applies it.
"""

import dataclasses
from typing import Any, Protocol, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jtfne import _time
from jtfne._check import FINITE, POSITIVE, Limit, describe_value, in_range, names_fields, refuse
from jtfne._units import Floats, M_PER_mm

CORTEX_S_M = 0.3
FEWEST = 3
GAUSSIAN_3 = (np.exp(-0.5), 1.0, np.exp(-0.5))  # three points, sd of one contact: CSDplotter's


def csd(potential: ArrayLike, spacing_mm: float, sigma_S_m: float | None = None) -> jax.Array:
    """Standard CSD at the inner contacts: (..., n_channels) -> (..., n_channels - 2).

    With `sigma_S_m` the potential is in V and the density in A/m^3; without it, the unit of
    `potential` per spacing^2, so that the spacing does not scale a proxy. Assumes contacts
    `spacing_mm` apart and sources that do not vary across the cortical plane.
    Raises: ValueError for fewer than 3 channels, or a spacing that is not positive. Source:
    Nicholson & Freeman (1975), J. Neurophysiol. 38:356-368.
    >>> csd(1e-3 * jnp.array([0.0, 1.0, 0.0, -1.0, 0.0]), spacing_mm=0.1, sigma_S_m=0.3).round().tolist()
    [60000.0, 0.0, -60000.0]
    >>> csd(jnp.array([0.0, 1.0, 0.0]), spacing_mm=0.1).tolist()
    [2.0]
    """
    values = jnp.asarray(potential)
    if values.shape[-1] < FEWEST:
        raise ValueError(f"got {values.shape[-1]} channels; expected 3 or more (in csd)")
    if not spacing_mm > 0.0:
        raise ValueError(
            f"got spacing_mm={describe_value(spacing_mm)}; expected a number above 0 (in csd)"
        )
    difference = 2.0 * values[..., 1:-1] - values[..., 2:] - values[..., :-2]
    return (
        difference if sigma_S_m is None else difference * (sigma_S_m / (spacing_mm * M_PER_mm) ** 2)
    )


class Method(Protocol):
    """A linear method: potentials at the contacts of a probe -> densities along it."""

    def places_mm(self, z_mm: ArrayLike) -> Floats:
        """Depths (n_places,) of the estimates, for contacts at `z_mm` (n_channels,), downward."""

    def matrix(self, z_mm: ArrayLike, sigma_S_m: float) -> Floats:
        """(n_places, n_channels) (A/m^3)/V, for contacts at `z_mm` in tissue of `sigma_S_m`.
        Raises: JtfneError.
        """

    def fitted(self, potential_V: ArrayLike, z_mm: ArrayLike) -> Self:
        """The method with its free settings chosen by the data (..., n_channels), if it has any."""


def estimate(
    potential_V: ArrayLike, z_mm: ArrayLike, method: Method, sigma_S_m: float = CORTEX_S_M
) -> Any:
    """Density by `method`, fitted before: (..., n_channels) V at `z_mm` -> (..., n_places) A/m^3;
    differentiable.

    Raises: JtfneError for depths that the method refuses, ValueError for another number of
    channels.
    >>> estimate(1e-3 * jnp.array([0.0, 1.0, 0.0]), [0.1, 0.2, 0.3], SecondDifference()).round().tolist()
    [60000.0]
    """
    # numpy's arrays stay such: a program for a product takes longer than the product
    values = potential_V if isinstance(potential_V, np.ndarray) else jnp.asarray(potential_V)
    matrix = method.matrix(z_mm, sigma_S_m)
    if values.shape[-1] != matrix.shape[1]:
        problem = f"{values.shape[-1]} channels at {matrix.shape[1]} depths"
        raise ValueError(f"got {problem}; expected as many (in estimate)")
    return values @ (
        matrix.T.astype(values.dtype)
        if isinstance(values, np.ndarray)
        else jnp.asarray(matrix.T, values.dtype)
    )


def depths(z_mm: ArrayLike, *, even: bool, where: str) -> Floats:
    """`z_mm` in float64.

    Raises: JtfneError for fewer than 3, not finite, not downward or, if `even`, uneven ones.
    """
    z = np.asarray(z_mm, np.float64)
    if z.ndim != 1 or z.size < FEWEST:
        raise refuse(f"{z.size} channels", f"{FEWEST} or more", where)
    step = np.diff(z)
    if not np.isfinite(z).all() or not (step > 0.0).all():
        raise refuse(
            "depths that do not all grow", "finite depths, each contact below the one before", where
        )
    if even and not _time.is_even(z):
        raise refuse(
            "depths that are not evenly spaced", "one step throughout, or KernelCSD()", where
        )
    return z


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class SecondDifference:
    """Minus sigma times the second difference over depth; with `vaknin`, at the outer contacts too.

    Sources do not vary across the cortical plane. Vaknin's ends repeat the outer potentials beyond
    the probe. Source: Nicholson & Freeman (1975), J. Neurophysiol. 38:356-368; Vaknin et al.
    (1988), J. Neurosci. Methods 24:131.
    >>> SecondDifference(vaknin=True).matrix([0.1, 0.2, 0.3], sigma_S_m=0.3).round().tolist()[0]
    [30000000.0, -30000000.0, 0.0]
    """

    vaknin: bool = False

    def __post_init__(self) -> None:
        check_flag(self.vaknin, name="vaknin", where="SecondDifference")

    def places_mm(self, z_mm: ArrayLike) -> Floats:
        """Depths of the inner contacts; with `vaknin`, of all."""
        z = depths(z_mm, even=True, where="SecondDifference")
        return z if self.vaknin else z[1:-1]

    def matrix(self, z_mm: ArrayLike, sigma_S_m: float) -> Floats:
        """The method's matrix, (n_places, n_channels) (A/m^3)/V."""
        z = depths(z_mm, even=True, where="SecondDifference")
        n = z.size
        matrix: Floats = 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
        matrix[0, 0] = matrix[-1, -1] = 1.0
        step_m = (z[-1] - z[0]) / (n - 1) * M_PER_mm
        matrix *= sigma_S_m / step_m**2
        return matrix if self.vaknin else matrix[1:-1]

    def fitted(self, potential_V: ArrayLike, z_mm: ArrayLike) -> Self:
        """The method unchanged: it has nothing to choose."""
        return self


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class Smoothed:
    """Smooths another method's estimates over depth; beyond the outer ones there is no current.

    weights: odd in number, the middle one is the place's own; they are divided by their sum. The
    default is that of CSDplotter, a Gaussian of three points. Raises: JtfneError.
    Source: Pettersen et al. (2006), J. Neurosci. Methods 154:116-133.
    >>> Smoothed(method=SecondDifference(), weights=(1, 2, 1)).matrix([1, 2, 3], sigma_S_m=1e-6).tolist()
    [[-0.5, 1.0, -0.5]]
    """

    method: Method
    weights: tuple[float, ...] = GAUSSIAN_3

    def __post_init__(self) -> None:
        check_method(self.method, name="method", where="Smoothed")
        weights = check_numbers(self.weights, FINITE, name="weights", where="Smoothed")
        if len(weights) % 2 == 0 or not sum(weights) > 0.0:
            raise refuse(
                f"weights={describe_value(weights)}",
                "an odd number of weights, their sum above 0",
                "Smoothed",
            )

    def places_mm(self, z_mm: ArrayLike) -> Floats:
        """Depths of the estimates, those of the wrapped method."""
        return self.method.places_mm(z_mm)

    def matrix(self, z_mm: ArrayLike, sigma_S_m: float) -> Floats:
        """The wrapped method's matrix after smoothing, (n_places, n_channels) (A/m^3)/V."""
        unsmoothed_matrix = self.method.matrix(z_mm, sigma_S_m)
        weights = np.asarray(self.weights, np.float64) / sum(self.weights)
        half = weights.size // 2
        bands = (
            weights[half + k] * np.eye(len(unsmoothed_matrix), k=k) for k in range(-half, half + 1)
        )
        smoothed_matrix: Floats = np.sum(list(bands), axis=0) @ unsmoothed_matrix
        return smoothed_matrix

    def fitted(self, potential_V: ArrayLike, z_mm: ArrayLike) -> Self:
        """A copy whose wrapped method is fitted to the data."""
        return dataclasses.replace(self, method=self.method.fitted(potential_V, z_mm))


def positive(value: float, *, name: str, where: str) -> float:
    """`value`, if it is finite and above 0. Raises: JtfneError."""
    return in_range(value, POSITIVE, name=name, where=where)


def check_method(method: Any, *, name: str, where: str) -> None:
    """Raises: JtfneError unless `method` is an object with the methods of `Method`."""
    parts = ("places_mm", "matrix", "fitted")
    if isinstance(method, type) or not all(callable(getattr(method, part, None)) for part in parts):
        raise refuse(
            f"{name}={describe_value(method)}",
            "a method such as SecondDifference() or KernelCSD()",
            where,
        )


def check_flag(value: Any, *, name: str, where: str) -> None:
    """Raises: JtfneError unless `value` is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise refuse(f"{name}={describe_value(value)}", "True or False", where)


def check_numbers(values: Any, limit: Limit, *, name: str, where: str) -> tuple[float, ...]:
    """`values` as a tuple of at least one number, each within `limit`. Raises: JtfneError."""
    if not isinstance(values, tuple | list) or not values:
        raise refuse(f"{name}={describe_value(values)}", "a tuple of one number or more", where)
    return tuple(in_range(value, limit, name=name, where=where) for value in values)
