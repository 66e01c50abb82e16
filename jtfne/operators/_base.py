"""What every operator is: a linear map from sources to channels, built once from geometry."""

import dataclasses
import math
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._check import refuse
from jtfne._tree import register
from jtfne.operators._given import Matrix as Matrix
from jtfne.operators._given import directions as given_directions
from jtfne.operators._given import unit_rows as unit_rows


@register
@dataclasses.dataclass(frozen=True)
class Operator:
    """channels = matrix @ sources. matrix: (n_channels, n_sources), or (n_channels, n_dipoles, 3) of dipole moments.

    units: of sources and of channels. parameters: what it was built from, JSON-ready, for the manifest.
    """

    matrix: jax.Array | Matrix
    units: tuple[str, str] = dataclasses.field(metadata={"static": True})
    name: str = dataclasses.field(metadata={"static": True})
    parameters: "Parameters" = dataclasses.field(metadata={"static": True})

    def apply(self, sources: jax.Array | Matrix) -> jax.Array:
        """(..., n_sources) or (..., n_dipoles, 3) -> (..., n_channels). Raises: JtfneError for another shape."""
        given = jnp.asarray(sources)
        n_channels, *shape = self.matrix.shape
        n_dims = given.ndim - len(shape)
        if n_dims < 0 or list(given.shape[n_dims:]) != shape:
            raise refuse(f"an array {given.shape}", f"(..., {', '.join(map(str, shape))})", f"{self.name}, apply")
        flat = given.reshape(*given.shape[:n_dims], math.prod(shape))
        return flat @ jnp.asarray(self.matrix).reshape(n_channels, -1).T

    def adjoint(self, channels: jax.Array | Matrix) -> jax.Array:
        """(..., n_channels) -> (..., n_sources) or (..., n_dipoles, 3). Raises: JtfneError for another shape."""
        given = jnp.asarray(channels)
        n_channels, *shape = self.matrix.shape
        if given.shape[-1:] != (n_channels,):
            raise refuse(f"an array {given.shape}", f"(..., {n_channels})", f"{self.name}, adjoint")
        return (given @ jnp.asarray(self.matrix).reshape(n_channels, -1)).reshape(*given.shape[:-1], *shape)

    def after(self, first: "Operator", **extra: Any) -> "Operator":
        """This operator applied to the channels of `first`, as one operator."""
        merged = self.parameters.merged(first.parameters).merged(Parameters(extra))
        matrix = jnp.tensordot(self.matrix, first.matrix, self.matrix.ndim - 1)
        return Operator(matrix, (first.units[0], self.units[1]), self.name, merged)

    def along(self, directions: npt.ArrayLike) -> "Operator":
        """For dipoles that keep their direction: (n_channels, n_dipoles), of moments along `directions` (n_dipoles, 3).

        Directions are scaled to unit length. Raises: JtfneError unless there is one for each dipole.
        """
        where = f"{self.name}, along"
        if self.matrix.ndim != 3:
            raise refuse(f"an operator {self.matrix.shape}", "one of dipoles, (n_channels, n_dipoles, 3)", where)
        along = given_directions(directions, self.matrix.shape[1:], name="directions", where=where)
        matrix: Matrix = np.einsum("cdk,dk->cd", np.asarray(self.matrix), along)
        return Operator(matrix, self.units, self.name, self.parameters)


class Parameters:
    """A dict that may be a static field: compared and hashed by content."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self._text = repr(sorted(values.items()))

    def merged(self, other: Self) -> "Parameters":
        """Both; this one wins where a name is in both."""
        return Parameters({**other.values, **self.values})

    def __eq__(self, other: object) -> bool:
        """Equal where the contents are."""
        return isinstance(other, Parameters) and self._text == other._text

    def __hash__(self) -> int:
        """By content."""
        return hash(self._text)


def operator(matrix: Matrix, units: tuple[str, str], name: str, **parameters: Any) -> Operator:
    """An Operator from a host matrix and its parameters."""
    return Operator(jax.device_put(matrix), units, name, Parameters(parameters))
