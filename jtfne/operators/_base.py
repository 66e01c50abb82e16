"""`Operator`: a linear map from sources to channels, built once from geometry."""

import dataclasses
import math
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._check import refuse
from jtfne._tree import register
from jtfne.operators._checks import Matrix as Matrix
from jtfne.operators._checks import check_directions
from jtfne.operators._checks import unit_rows as unit_rows


@register
@dataclasses.dataclass(frozen=True)
class Operator:
    """A linear map from sources to channels: ``channels = matrix @ sources``.

    Attributes
    ----------
    matrix : array of float, shape (n_channels, n_sources) or (n_channels, n_dipoles, 3)
        The last axis of a map from dipoles is x, y and z of their moments.
    units : (str, str)
        Unit of sources and unit of channels.
    name : str
        What the operator is, for the manifest.
    parameters : Parameters
        The geometry and conductivities that it was built from, JSON-ready, for the manifest.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.operators import operator
    >>> mean = operator(np.full((1, 4), 0.25), ("pA", "pA"), "mean over cells")
    >>> mean.apply(np.array([1.0, 2.0, 3.0, 6.0])).tolist(), mean.units
    ([3.0], ('pA', 'pA'))
    """

    matrix: jax.Array | Matrix
    units: tuple[str, str] = dataclasses.field(metadata={"static": True})
    name: str = dataclasses.field(metadata={"static": True})
    parameters: "Parameters" = dataclasses.field(metadata={"static": True})

    def apply(self, sources: jax.Array | Matrix) -> jax.Array:
        """Apply to sources: (..., n_sources) or (..., n_dipoles, 3) -> (..., n_channels).

        Raises: JtfneError for another shape.
        """
        source_array = jnp.asarray(sources)
        n_channels, *shape = self.matrix.shape
        n_dims = source_array.ndim - len(shape)
        if n_dims < 0 or list(source_array.shape[n_dims:]) != shape:
            raise refuse(
                f"an array {source_array.shape}",
                f"(..., {', '.join(map(str, shape))})",
                f"{self.name}, apply",
            )
        flat = source_array.reshape(*source_array.shape[:n_dims], math.prod(shape))
        return flat @ jnp.asarray(self.matrix).reshape(n_channels, -1).T

    def adjoint(self, channels: jax.Array | Matrix) -> jax.Array:
        """Apply the transpose: (..., n_channels) -> (..., n_sources) or (..., n_dipoles, 3).

        Raises: JtfneError for another shape.
        """
        channel_array = jnp.asarray(channels)
        n_channels, *shape = self.matrix.shape
        if channel_array.shape[-1:] != (n_channels,):
            raise refuse(
                f"an array {channel_array.shape}", f"(..., {n_channels})", f"{self.name}, adjoint"
            )
        return (channel_array @ jnp.asarray(self.matrix).reshape(n_channels, -1)).reshape(
            *channel_array.shape[:-1], *shape
        )

    def after(self, first: "Operator", **extra: Any) -> "Operator":
        """Return this operator applied to the channels of `first`, as one operator."""
        all_parameters = self.parameters.merge(first.parameters).merge(Parameters(extra))
        matrix = jnp.tensordot(self.matrix, first.matrix, self.matrix.ndim - 1)
        return Operator(matrix, (first.units[0], self.units[1]), self.name, all_parameters)

    def along(self, directions: npt.ArrayLike) -> "Operator":
        """Return the operator of dipoles that keep their direction: (n_channels, n_dipoles).

        directions: (n_dipoles, 3), along which the moments are; scaled to unit length.
        Raises: JtfneError unless there is one for each dipole.
        """
        where = f"{self.name}, along"
        if self.matrix.ndim != 3:
            raise refuse(
                f"an operator {self.matrix.shape}",
                "one of dipoles, (n_channels, n_dipoles, 3)",
                where,
            )
        unit_directions = check_directions(
            directions, self.matrix.shape[1:], name="directions", where=where
        )
        matrix: Matrix = np.einsum("cdk,dk->cd", np.asarray(self.matrix), unit_directions)
        return Operator(matrix, self.units, self.name, self.parameters)


class Parameters:
    """A dict that may be a static field: it is compared and hashed by content.

    Examples
    --------
    >>> from jtfne.operators import Parameters
    >>> Parameters({"sigma_S_m": 0.3}) == Parameters({"sigma_S_m": 0.3})
    True
    """

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self._text = repr(sorted(values.items()))

    def merge(self, other: Self) -> "Parameters":
        """Return both dicts as one; this one wins where a name is in both."""
        return Parameters({**other.values, **self.values})

    def __eq__(self, other: object) -> bool:
        """Whether the contents are equal."""
        return isinstance(other, Parameters) and self._text == other._text

    def __hash__(self) -> int:
        """Hash the content."""
        return hash(self._text)


def operator(matrix: Matrix, units: tuple[str, str], name: str, **parameters: Any) -> Operator:
    """Build an Operator from a host matrix and its parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.operators import operator
    >>> difference = operator(np.array([[1.0, -1.0]]), ("V", "V"), "bipolar", spacing_mm=0.1)
    >>> difference.name, difference.matrix.shape, difference.parameters.values
    ('bipolar', (1, 2), {'spacing_mm': 0.1})
    """
    return Operator(jax.device_put(matrix), units, name, Parameters(parameters))
