"""What a run keeps for its probes: rows of the loop, spikes, and nodes of the signals."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne._rows import MappedRows, Rows
from jtfne._tree import register
from jtfne.readouts._parts import Part

ROWS = 8
"""Rows that operators take at once.

Chunks are whole blocks, so a row has the same neighbours whatever the chunks.
"""

Array = npt.NDArray[Any]
Labelled = tuple[tuple[str, ...], Array]  # dims, values


@dataclasses.dataclass(frozen=True)
class ReadoutNode:
    """One node of the signals before it has labels: `values` by variable name, each with its dims.

    coords: name -> (dims, values). attrs: str, int and float only.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.readouts import ReadoutNode
    >>> values = {"level": (("trial", "time"), np.zeros((1, 3)))}
    >>> node = ReadoutNode("level", values, {"time": (("time",), np.arange(3.0))}, {"units": "1"})
    >>> node.values["level"][0]
    ('trial', 'time')
    """

    name: str
    values: Mapping[str, tuple[tuple[str, ...], Array | Rows]]
    coords: Mapping[str, Labelled]
    attrs: dict[str, str | int | float]


@dataclasses.dataclass(frozen=True)
class SpikeEvents:
    """All spikes of a run as columns, sorted by (trial, step, row of the cell).

    Each field is (n_spikes,).

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.readouts import SpikeEvents
    >>> spikes = SpikeEvents(np.array([0, 0]), np.array([12, 40]), np.array([3, 0]))
    >>> spikes.step.tolist(), spikes.row.tolist()
    ([12, 40], [3, 0])
    """

    trial: npt.NDArray[np.int32]
    step: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Recording:
    """The output of a run: kept rows and spikes.

    kept: by readout name, (n_trials, n_rows, ...). on_disk: the same rows, if they lie on disk;
    `kept` then reads them whole, which is only for what is small.

    Examples
    --------
    >>> import numpy as np
    >>> from jtfne.readouts import Recording, SpikeEvents
    >>> none = np.zeros(0, np.int64)
    >>> kept = {"level": np.zeros((1, 2, 4))}
    >>> recording = Recording(1, 20, 0.1, kept, SpikeEvents(none, none, none))
    >>> recording.rows("level").shape, recording.time_ms(every=10).tolist()
    ((1, 2, 4), [1.0, 2.0])
    """

    n_trials: int
    n_steps: int
    dt_ms: float
    kept: Mapping[str, Array]
    spikes: SpikeEvents
    on_disk: Mapping[str, Rows] | None = None

    def rows(
        self, name: str, change: Callable[[Array], Array] = lambda values: values
    ) -> Array | Rows:
        """Return what a readout kept, changed row by row by `change`.

        (n_trials, n_rows, ...) -> the same first two axes.
        """
        return (
            change(self.kept[name])
            if self.on_disk is None
            else MappedRows(self.on_disk[name], change)
        )

    def time_ms(self, every: int) -> Array:
        """Return the time at which each row ends: (n_rows,)."""
        return np.round(np.arange(1, self.n_steps // every + 1) * (every * self.dt_ms), 9)


class SourceCurrents(Protocol):
    """The currents that stand for each cell in a field: a source mode, loops, or sums by sign.

    `parts` names the arrays that `read` stacks, and the terms of each. The state of the engine is
    passed on as it is, since this room does not know the engine.

    Examples
    --------
    >>> from jtfne.readouts.rate import SpikesPerSecond
    >>> source = SpikesPerSecond()  # what `rate` is made of
    >>> source.kind, source.parts, source.by_inputs(None)
    ('spikes per second', (('spikes', ('spikes',)),), False)
    """

    @property
    def kind(self) -> str:
        """Return the name of the mode."""
        ...

    @property
    def parts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the name and the terms of each array."""
        ...

    def read(self, view: Any) -> jax.Array:
        """Return the mean over the step, (n_parts, n_cells) pA."""
        ...

    def by_inputs(self, circuit: Any) -> bool:
        """Whether it needs only the synaptic input and the external current, not the cells."""
        ...


@register
@dataclasses.dataclass(frozen=True)
class SourceRows:
    """Engine recorder: mean source currents of every `every` steps.

    They are reduced at the end of a chunk by each part.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jtfne.readouts import Keep, SourceRows
    >>> from jtfne.readouts.rate import SpikesPerSecond
    >>> rows = SourceRows(SpikesPerSecond(), {"rate": Keep()}, every=10)
    >>> rows.finish(jnp.ones((5, 1, 3)))["rate"].shape
    (5, 1, 3)
    """

    source: SourceCurrents
    parts: dict[str, Part]
    every: int = dataclasses.field(metadata={"static": True})

    @property
    def index(self) -> None:
        """None: all cells."""

    def read(self, view: Any) -> jax.Array:
        """Return the source, (n_parts, n_cells) pA."""
        return self.source.read(view)

    def by_inputs(self, circuit: Any) -> bool:
        """Whether the source depends on the inputs alone."""
        return self.source.by_inputs(circuit)

    def finish(self, rows: jax.Array) -> dict[str, jax.Array]:
        """Return what each probe keeps of the chunk.

        Rows are taken by blocks of `ROWS`: a product of more or fewer rows rounds differently.
        """
        n_blocks = -(-rows.shape[0] // ROWS)
        padded_rows = jnp.pad(rows, ((0, n_blocks * ROWS - rows.shape[0]), (0, 0), (0, 0)))
        blocks = padded_rows.reshape(n_blocks, ROWS, *rows.shape[1:])

        def finish_part(part: Part) -> jax.Array:
            results: jax.Array = jax.lax.map(part, blocks)
            return results.reshape(-1, *results.shape[2:])[: rows.shape[0]]

        return {name: finish_part(part) for name, part in self.parts.items()}


@register
@dataclasses.dataclass(frozen=True)
class VoltageRows:
    """Engine recorder: membrane potential of some cells, mean of every `every` steps.

    index: int32 (n,) or None.

    Examples
    --------
    >>> from jtfne.readouts import VoltageRows
    >>> rows = VoltageRows("vm", None, every=10)  # means over 10 steps, of all cells
    >>> rows.every, rows.by_inputs(None)
    (10, False)
    """

    name: str = dataclasses.field(metadata={"static": True})
    index: jax.Array | None
    every: int = dataclasses.field(metadata={"static": True})

    def read(self, view: Any) -> jax.Array:
        """Return the membrane potential, (n_cells,) mV."""
        v_m_mV: jax.Array = view.v_m_mV()
        return v_m_mV

    def by_inputs(self, circuit: Any) -> bool:
        """False: it depends on the cells."""
        return False

    def finish(self, rows: jax.Array) -> dict[str, jax.Array]:
        """Return the rows under the readout's name."""
        return {self.name: rows}
