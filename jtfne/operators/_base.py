"""What every operator is: a linear map from sources to channels, built once from geometry."""

import dataclasses
from typing import Any, Self

import jax
import numpy as np
import numpy.typing as npt

from jtfne._tree import register

Matrix = npt.NDArray[np.float64]


@register
@dataclasses.dataclass(frozen=True)
class Operator:
    """channels = matrix @ sources. matrix: (n_channels, n_sources).

    units: of sources and of channels. parameters: what it was built from, JSON-ready, for the manifest.
    """

    matrix: jax.Array
    units: tuple[str, str] = dataclasses.field(metadata={"static": True})
    name: str = dataclasses.field(metadata={"static": True})
    parameters: "Parameters" = dataclasses.field(metadata={"static": True})

    def apply(self, sources: jax.Array) -> jax.Array:
        """(..., n_sources) -> (..., n_channels)."""
        return sources @ self.matrix.T

    def adjoint(self, channels: jax.Array) -> jax.Array:
        """(..., n_channels) -> (..., n_sources)."""
        return channels @ self.matrix

    def after(self, first: "Operator", **extra: Any) -> "Operator":
        """This operator applied to the channels of `first`, as one operator."""
        merged = self.parameters.merged(first.parameters).merged(Parameters(extra))
        return Operator(self.matrix @ first.matrix, (first.units[0], self.units[1]), self.name, merged)


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


def unit_rows(matrix: Matrix) -> Matrix:
    """`matrix` with each row scaled to Euclidean norm 1; a row of zeros stays so."""
    norm = np.linalg.norm(matrix, axis=1, keepdims=True)
    rows: Matrix = np.divide(matrix, norm, out=np.zeros_like(matrix), where=norm > 0)
    return rows
