"""Stimuli on named cells -> waveforms, patterns and Poisson inputs on the engine's grid."""

import dataclasses
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from jtfne import config as words
from jtfne import engine, noise, stimuli
from jtfne._check import one_of
from jtfne.flatnet import row_of
from jtfne.net import Net, select_with


@dataclasses.dataclass(frozen=True)
class Drive:
    """All stimuli of a trial: `inputs` as arrays, and `clock` for any stretch of it.

    waves and rains: what gives each row of `inputs.patterns_pA` and each of `inputs.poisson` its course in time.
    """

    inputs: engine.Inputs
    waves: tuple[stimuli.Stimulus, ...]
    rains: tuple[stimuli.Poisson, ...]
    dt_ms: float
    dtype: np.dtype[Any]

    def clock(self, first_step: int, n_steps: int) -> engine.Clock:
        """The waveforms and Poisson gates of `n_steps` from `first_step` on."""
        columns: list[Any] = []  # of numpy: put on the device as the loop is called, at a fraction of the cost
        for each in (self.waves, self.rains):
            rows = [one.waveform(first_step, n_steps, self.dt_ms) for one in each]
            columns.append(np.array(rows, self.dtype).reshape(len(rows), n_steps).T)
        return engine.Clock(*columns)


def drive_of(
    presented: tuple[words.Stimulus, ...],
    net: Net,
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
    dtype: np.dtype[Any],
) -> Drive:
    """`presented` on the cells of `net`; stimuli that share their course in time become one.

    Raises: JtfneError for a target without cells or an unknown mechanism.
    """
    scale = input_pA(net)
    patterns: dict[Any, npt.NDArray[np.float64]] = {}
    rains: list[list[_Rain]] = []
    for each in presented:
        where = f"stimulus {each.label!r}"
        rows = select_with(net.identity, each.target, where=where)
        drive: Any = each.drive
        if isinstance(drive, stimuli.Poisson):
            known = [name for names in receptors for name in names]
            receptor = row_of(one_of(drive.mechanism, known, name="mechanism", where=where), receptors)
            rain = _Rain(rows, drive, receptor)
            joined = next((group for group in rains if all(rain.joins(other) for other in group)), None)
            rains.append([rain]) if joined is None else joined.append(rain)
            continue
        course = dataclasses.replace(drive, amplitude=1.0)
        pattern = patterns.setdefault(course, np.zeros(net.n_neurons))
        pattern[rows] += drive.amplitude * scale[rows]
    stacked = np.array(list(patterns.values()), dtype).reshape(len(patterns), net.n_neurons)
    poisson = tuple(_poisson(group, net.n_neurons, dt_ms, dtype) for group in rains)
    return Drive(
        engine.Inputs(jax.device_put(stacked), poisson),
        tuple(patterns),
        tuple(group[0].drive for group in rains),
        dt_ms,
        dtype,
    )


@dataclasses.dataclass(frozen=True)
class _Rain:
    """A Poisson stimulus on its rows."""

    rows: npt.NDArray[np.int32]
    drive: stimuli.Poisson
    receptor: int

    def joins(self, other: "_Rain") -> bool:
        """Whether both can be drawn at once: one receptor, one course in time, no cell in both."""
        times = [(each.drive.start_ms, each.drive.stop_ms, each.receptor) for each in (self, other)]
        apart = np.intersect1d(self.rows, other.rows).size == 0
        return times[0] == times[1] and apart and not (self.drive.shared or other.drive.shared)


def _poisson(group: list[_Rain], n_cells: int, dt_ms: float, dtype: np.dtype[Any]) -> engine.PoissonInput:
    """The engine's form of Poisson stimuli that join."""
    rows = np.concatenate([each.rows for each in group])
    sizes = [each.rows.size for each in group]
    means = np.array([each.drive.rate_Hz * dt_ms * 1e-3 for each in group])
    table = noise.table(means, noise.table_rows(float(means.max()))).T
    weights = np.array([each.drive.weight for each in group])
    order = np.argsort(rows, kind="stable")
    several = len(group) > 1
    return engine.PoissonInput(
        targets=None if rows.size == n_cells else jax.device_put(rows[order].astype(np.int32)),
        thresholds=jax.device_put(np.repeat(table, sizes, axis=1)[:, order] if several else table),
        weight=jax.device_put((np.repeat(weights, sizes)[order] if several else weights).astype(dtype)),
        receptor=group[0].receptor,
        shared=group[0].drive.shared,
    )


def input_pA(net: Net) -> npt.NDArray[np.float64]:
    """What one input unit is to each cell, in pA: (n_cells,)."""
    return np.concatenate([each.spread(each.emitter.input_pA) for each in net.config.populations()])
