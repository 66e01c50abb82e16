"""Pytrees of matrices that probes apply to the currents of a chunk, inside the loop."""

import dataclasses
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jtfne._tree import register
from jtfne.operators import Operator


class Part(Protocol):
    """A map from rows of source currents to the rows of a readout; a pytree.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.readouts import Keep
    >>> rows = jnp.ones((5, 1, 3))  # five samples, one part, three cells
    >>> Keep()(rows).shape
    (5, 1, 3)
    """

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Reduce (n_rows, n_parts, n_cells) pA to (n_rows, ...)."""
        ...


@register
@dataclasses.dataclass(frozen=True)
class Linear:
    """Operators, one after the other, applied to the sum of the source's parts.

    maps: their matrices, (n_in, n_out) each: a product of a few rows reads these at half the cost
    of (n_out, n_in).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.readouts import Linear
    >>> mean = Linear((jnp.full((3, 1), 1.0 / 3.0),))
    >>> mean(jnp.ones((5, 1, 3))).shape  # (rows, parts, cells) to (rows, channels)
    (5, 1)
    """

    maps: tuple[jax.Array, ...]

    @classmethod
    def from_operators(cls, operators: tuple[Operator, ...]) -> "Linear":
        """Build the part of `operators`, first to last."""
        return cls(
            tuple(
                jax.device_put(np.ascontiguousarray(np.asarray(operator.matrix).T))
                for operator in operators
            )
        )

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Reduce (n_rows, n_parts, n_cells) pA to (n_rows, n_channels)."""
        channels = rows.sum(1)
        for matrix in self.maps:
            channels = channels @ matrix
        return channels


@register
@dataclasses.dataclass(frozen=True)
class ByArea:
    """A matrix for the loop currents of each area, then further matrices for all areas.

    The areas are side by side. ranges: of each area, first and last + 1 of its cells. maps: of each
    area, (n_loops * n_cells, n_out). then: (n_in, n_out) each, the first of n_areas * n_out.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.readouts import ByArea
    >>> sums = ByArea(((0, 2), (2, 3)), (jnp.ones((2, 1)), jnp.ones((1, 1))))
    >>> sums(jnp.array([[[1.0, 2.0, 5.0]]])).tolist()
    [[3.0, 5.0]]
    """

    ranges: tuple[tuple[int, int], ...] = dataclasses.field(metadata={"static": True})
    maps: tuple[jax.Array, ...]
    then: tuple[jax.Array, ...] = ()

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Reduce (n_rows, n_loops, n_cells) pA to (n_rows, n_out)."""
        currents_by_area = (
            rows[:, :, first:last].reshape(rows.shape[0], -1) for first, last in self.ranges
        )
        channels = jnp.concatenate(
            [
                _multiply_exactly(currents, matrix)
                for currents, matrix in zip(currents_by_area, self.maps, strict=True)
            ],
            axis=1,
        )
        for matrix in self.then:
            channels = _multiply_exactly(channels, matrix)
        return channels


def _multiply_exactly(rows: jax.Array, matrix: jax.Array) -> jax.Array:
    """Multiply in full precision, on accelerators too.

    Sources and sinks all but cancel, so that rounding of the factors would show.
    """
    return jnp.matmul(rows, matrix, precision=jax.lax.Precision.HIGHEST)


@register
@dataclasses.dataclass(frozen=True)
class Sum:
    """The sum of several parts.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.readouts import ByArea, Sum
    >>> sums = ByArea(((0, 3),), (jnp.ones((3, 1)),))
    >>> Sum((sums, sums))(jnp.array([[[1.0, 2.0, 5.0]]])).tolist()
    [[16.0]]
    """

    parts: tuple[ByArea, ...]

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Reduce (n_rows, n_loops, n_cells) pA to (n_rows, n_out)."""
        total = self.parts[0](rows)
        for part in self.parts[1:]:
            total = total + part(rows)
        return total


@register
@dataclasses.dataclass(frozen=True)
class Keep:
    """Keeps the rows as they are.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.readouts import Keep
    >>> Keep()(jnp.array([[[1.0, 2.0]]])).tolist()
    [[[1.0, 2.0]]]
    """

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Return the rows unchanged, (n_rows, n_parts, n_cells) pA."""
        return rows
