"""Poisson stimuli, grouped so that those onto different cells are drawn at once."""

import dataclasses
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from jtfne import _keys, engine, noise, stimuli
from jtfne import config as declared
from jtfne._check import narrow_dtype
from jtfne._units import S_PER_ms


@dataclasses.dataclass(frozen=True)
class PoissonStimulus:
    """A Poisson stimulus on its rows."""

    rows: npt.NDArray[np.int32]
    drive: stimuli.Poisson
    receptor: int
    schedule: declared.Schedule | None
    stream: str

    @property
    def timing(self) -> tuple[Any, ...]:
        """What two stimuli must share to be drawn at once: receptor, times, one train or many."""
        return (
            self.receptor,
            self.drive.start_ms,
            self.drive.stop_ms,
            self.schedule,
            self.drive.shared,
        )


@dataclasses.dataclass(frozen=True)
class PoissonGroup:
    """Poisson stimuli that are drawn at once; no cell is the target of two of them.

    is_reached: which cells are a target of each, bool (n_cells,).
    """

    stimuli: list[PoissonStimulus]
    is_reached: npt.NDArray[np.bool_]

    def add(self, stimulus: PoissonStimulus) -> None:
        """Add a stimulus onto cells that no other of the group reaches."""
        self.stimuli.append(stimulus)
        self.is_reached[stimulus.rows] = True

    def can_join(self, stimulus: PoissonStimulus) -> bool:
        """Whether a stimulus onto other cells can be drawn with those of the group."""
        return not stimulus.drive.shared and stimulus.timing == self.stimuli[0].timing


def add_to_group(stimulus: PoissonStimulus, groups: list[PoissonGroup], n_cells: int) -> None:
    """Add `stimulus` to the first group that it can join, or as a group of its own.

    It joins none that stands before a stimulus onto one of its cells: each cell adds up its stimuli
    in their order, whatever others there are, so that the sum is the same to the bit.
    """
    first_free = 0
    for k, group in enumerate(groups):
        if group.is_reached[stimulus.rows].any():
            first_free = k + 1
    for group in groups[first_free:]:
        if group.can_join(stimulus):
            group.add(stimulus)
            return
    groups.append(PoissonGroup([], np.zeros(n_cells, bool)))
    groups[-1].add(stimulus)


def build_poisson_input(
    group: list[PoissonStimulus], n_cells: int, dt_ms: float, dtype: np.dtype[Any]
) -> engine.PoissonInput:
    """Return the engine's form of Poisson stimuli that are drawn together."""
    rows = np.concatenate([stimulus.rows for stimulus in group])
    sizes, means, weights, streams = [], [], [], []
    for stimulus in group:
        sizes.append(stimulus.rows.size)
        means.append(stimulus.drive.rate_Hz * dt_ms * S_PER_ms)
        weights.append(stimulus.drive.weight)
        streams.append(_keys.number_named_streams(stimulus.stream, n=1))
    table = noise.table(np.array(means), noise.table_rows(float(max(means)))).T
    weight = np.array(weights)
    stimulus_of_cell = None
    if len(group) > 1:  # a column, a weight and a number for each cell, in the order of cells
        order = np.argsort(rows, kind="stable")
        rows = rows[order]
        table = np.repeat(table, sizes, axis=1)[:, order]
        weight = np.repeat(weight, sizes)[order]
        stimulus_of_cell = np.repeat(np.arange(len(group), dtype=np.int32), sizes)[order]
    else:
        rows = np.sort(rows, kind="stable")
    return engine.PoissonInput(
        targets=None if rows.size == n_cells else jax.device_put(rows.astype(np.int32)),
        thresholds=jax.device_put(table),
        weight=jax.device_put(
            narrow_dtype(weight, dtype, name="the weight of a spike", where="Paradigm")
        ),
        receptor=group[0].receptor,
        shared=group[0].drive.shared,
        stream=jax.device_put(np.concatenate(streams, axis=1)),
        stimulus=None if stimulus_of_cell is None else jax.device_put(stimulus_of_cell),
    )
