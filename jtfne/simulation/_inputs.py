"""Stimuli on named cells -> waveforms, patterns, Poisson inputs and spike trains on the engine's grid."""

import collections
import dataclasses
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from jtfne import _keys, engine, noise, stimuli
from jtfne import config as words
from jtfne._check import narrowed, one_of, refuse
from jtfne.flatnet import row_of
from jtfne.net import Net, select_with
from jtfne.simulation._names import in_order, name_of, streams_of

KEPT_TRIALS = 64  # whose drawn spikes are remembered at once: more than run side by side
MOST_SPIKES = 10**8
"""Spikes of a trial, of all cells that one stimulus reaches: 1.6 GB."""
Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Drawers:
    """The cells of one population that each draw a train of their own.

    name: of the population, "" for one train that all targets share. index: (n,), places within the population.
    column: (n,), the columns of the counts that their trains make.
    """

    name: str
    index: Ints
    column: Ints

    def trains(self, drive: Any, random: np.random.Generator) -> stimuli.Trains:
        """The column and the time of each spike. What a cell draws hangs on its place, not on which others draw."""
        train, t_ms = drive.trains(int(self.index.max()) + 1, random)
        order = np.argsort(self.index, kind="stable")
        places = self.index[order]
        entry = np.minimum(np.searchsorted(places, train), places.size - 1)
        mine = places[entry] == train  # trains of other cells are drawn, and left out
        return self.column[order[entry[mine]]], t_ms[mine]


@dataclasses.dataclass(frozen=True, eq=False)
class Course:
    """What one stimulus is in time."""

    drive: Any
    at: words.Schedule | None

    def presented(self, trial: int) -> tuple[Any, ...]:
        """The drive on the clock of a trial, as often as it comes."""
        return (self.drive,) if self.at is None else tuple(map(self.drive.shifted, self.at.within(trial)))

    def waveform(self, first_step: int, n_steps: int, dt_ms: float, trial: int) -> npt.NDArray[np.float64]:
        """(n_steps,): the sum over what is presented."""
        total = np.zeros(n_steps)
        begin_ms, end_ms = (first_step - 1) * dt_ms, (first_step + n_steps + 1) * dt_ms
        for each in self.presented(trial):
            stop_ms = max(onset + length for onset, length in each.events_ms(np.inf))
            if each.start_ms < end_ms and stop_ms > begin_ms:
                total += each.waveform(first_step, n_steps, dt_ms)
        return total


@dataclasses.dataclass(frozen=True, eq=False)
class Volley:
    """The spikes of one stimulus, in time.

    name: of the stream that its draws come from, told apart by onset and trial. alike: stimuli of the same name that
    come before it in `in_order`; those that come at the same time have a stream each. columns: one a target, or one.
    """

    course: Course
    name: str
    drawers: tuple[Drawers, ...]
    n_columns: int
    alike: tuple[Course, ...] = ()
    _drawn: dict[tuple[int, int], stimuli.Trains] = dataclasses.field(default_factory=dict)  # of the last trials

    def counts(self, first_step: int, n_steps: int, dt_ms: float, trial: int, seed: int) -> npt.NDArray[np.int32]:
        """(n_steps, n_columns): the spikes that act from each step on; those of a trial are drawn at its start."""
        drawn = self._drawn.get((trial, seed))
        if drawn is None:  # perhaps on several threads, a trial each
            drawn = self._spikes(trial, seed)
            if len(self._drawn) >= KEPT_TRIALS:
                self._drawn.clear()
            self._drawn[trial, seed] = drawn
        return stimuli.counts_of(drawn, first_step, n_steps, dt_ms, self.n_columns)

    def _spikes(self, trial: int, seed: int) -> stimuli.Trains:
        """All spikes of a trial. Each onset and population has a stream of its own, so that no other shifts it."""
        parts = [(np.zeros(0, np.int64), np.zeros(0))]
        times = collections.Counter(_time(drive) for course in self.alike for drive in course.presented(trial))
        for drive in self.course.presented(trial):
            at_ms = _time(drive)
            times[at_ms] += 1
            number = [] if times[at_ms] == 1 else ["number", str(times[at_ms])]
            names = ["stimulus", self.name, at_ms, "trial", str(trial), *number]
            for each in self.drawers:
                own = [*names, "cells", each.name] if each.name else names
                parts.append(each.trains(drive, _keys.generator(seed, *own)))
        column, t_ms = (np.concatenate(entries) for entries in zip(*parts, strict=True))
        return column, t_ms


def _time(drive: Any) -> str:
    """When a drive comes, for the name of its stream."""
    return f"{drive.start_ms:.9g}"


@dataclasses.dataclass(frozen=True)
class Drive:
    """All stimuli of a run: `inputs` as arrays, and `clock` for any stretch of any trial.

    waves, rains, swells, volleys: what gives each row of `inputs.patterns_pA`, and each of `inputs.poisson`,
    `inputs.fluctuations` and `inputs.trains`, its course in time.
    """

    inputs: engine.Inputs
    waves: tuple[Course, ...]
    rains: tuple[Course, ...]
    swells: tuple[Course, ...]
    volleys: tuple[Volley, ...]
    dt_ms: float
    dtype: np.dtype[Any]
    seed: int

    def clock(self, first_step: int, n_steps: int, trial: int = 0) -> engine.Clock:
        """The waveforms, gates and spikes of `n_steps` from `first_step` on."""
        columns: list[Any] = []  # of numpy: put on the device as the loop is called, at a fraction of the cost
        # A gate is open, or not, or for a share of the step; it is not more open where presentations overlap.
        for each, most in ((self.waves, np.inf), ((*self.rains, *self.swells), 1.0)):
            rows = [one.waveform(first_step, n_steps, self.dt_ms, trial) for one in each]
            columns.append(np.minimum(np.array(rows, self.dtype), most).reshape(len(rows), n_steps).T)
        # A spike that acts from a step on arrives at the end of the step before; where there is none, at the start.
        counts = self._counts(first_step + 1, n_steps, trial)
        at_start = tuple(rows[0] * (first_step == 0) for rows in self._counts(first_step, 1, trial))
        waveforms, gates = columns
        return engine.Clock(waveforms, gates, counts, at_start)

    def _counts(self, first_step: int, n_steps: int, trial: int) -> tuple[Any, ...]:
        """The spikes that act from each of `n_steps` on, (n_steps, n_trains) for each of the volleys."""
        return tuple(course.counts(first_step, n_steps, self.dt_ms, trial, self.seed) for course in self.volleys)


def drive_of(
    presented: tuple[words.Stimulus, ...],
    net: Net,
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
    dtype: np.dtype[Any],
    seed: int = 0,
) -> Drive:
    """`presented` on the cells of `net`; stimuli that share their course in time become one.

    Raises: JtfneError for a target without cells, an unknown mechanism, and more spikes of a trial than can be drawn.
    """
    patterns = _Patterns(input_pA(net))
    rains: list[_PoissonGroup] = []
    swells: list[tuple[Course, engine.Fluctuation]] = []
    volleys: list[tuple[Volley, engine.SpikeTrains]] = []
    ordered = in_order(presented)
    for each, stream in zip(ordered, streams_of(ordered), strict=True):
        where = f"stimulus {each.label!r}"
        rows = select_with(net.identity, each.target, where=where)
        drive: Any = each.drive
        if isinstance(drive, stimuli.SYNAPTIC):
            known = [name for names in receptors for name in names]
            receptor = row_of(one_of(drive.mechanism, known, name="mechanism", where=where), receptors)
            if isinstance(drive, stimuli.Poisson):
                _gather(_Rain(rows, drive, receptor, each.at, stream), rains, net.n_neurons)
            else:
                volley = _volley(each, rows, net, [one for one, _ in volleys], where)
                volleys.append((volley, _trains(drive, rows, receptor, net.n_neurons, dtype)))
        elif isinstance(drive, stimuli.OrnsteinUhlenbeck):
            swells.append((Course(drive, each.at), _fluctuation(drive, rows, patterns.scale, stream, dtype)))
            if drive.mean:
                patterns.add(dataclasses.replace(drive, sd=0.0, mean=1.0), each.at, rows, drive.mean)
        elif not isinstance(drive, stimuli.Marker):
            patterns.add(dataclasses.replace(drive, amplitude=1.0), each.at, rows, drive.amplitude)
    courses = [Course(drive, at) for drive, at in patterns.found]
    rows_pA = np.array(list(patterns.found.values()), np.float64).reshape(len(courses), net.n_neurons)
    stacked = narrowed(rows_pA, dtype, name="an amplitude in pA", where="Paradigm")
    poisson = tuple(_poisson(group.stimuli, net.n_neurons, dt_ms, dtype) for group in rains)
    return Drive(
        engine.Inputs(
            jax.device_put(stacked), poisson, tuple(each for _, each in swells), tuple(each for _, each in volleys)
        ),
        tuple(courses),
        tuple(Course(group.stimuli[0].drive, group.stimuli[0].at) for group in rains),
        tuple(course for course, _ in swells),
        tuple(volley for volley, _ in volleys),
        dt_ms,
        dtype,
        seed,
    )


def _volley(
    stimulus: words.Stimulus, rows: npt.NDArray[np.int32], net: Net, before: list[Volley], where: str
) -> Volley:
    """The spikes of `stimulus` onto `rows`. before: those of the stimuli before it in `in_order`.

    Raises: JtfneError if they are too many.
    """
    drive: Any = stimulus.drive
    name, n_columns = name_of(stimulus), 1 if drive.shared else rows.size
    n_spikes = drive.n_of_train * n_columns
    if n_spikes > MOST_SPIKES:
        given = f"a {type(drive).__name__} of {drive.n_of_train} spikes onto each of {n_columns} cells"
        raise refuse(given, f"at most {MOST_SPIKES:,} spikes each time that it comes", where)
    alike = tuple(each.course for each in before if each.name == name) if drive.stream is None else ()
    return Volley(Course(drive, stimulus.at), name, _drawers(drive, rows, net, where), n_columns, alike)


def _drawers(drive: Any, rows: npt.NDArray[np.int32], net: Net, where: str) -> tuple[Drawers, ...]:
    """Who draws the trains of `rows`: each population by itself, or one for all; a table names the cells itself.

    Raises: JtfneError if it names others.
    """
    columns = np.arange(rows.size)
    if drive.shared:
        return (Drawers("", np.zeros(1, np.int64), np.zeros(1, np.int64)),)
    if isinstance(drive, stimuli.SpikeTimes):
        ids = rows if net.identity is None else net.identity.ids[rows]
        stray = np.setdiff1d(np.asarray(drive.cells, np.int64), ids)
        if stray.size:
            raise refuse(f"cells={stray[:5].tolist()}", f"ids of the {ids.size} cells of the target", where)
        return (Drawers("", ids.astype(np.int64), columns),)
    populations = net.config.populations()
    starts = np.cumsum([0, *(each.n_cells for each in populations)])
    which = np.searchsorted(starts, rows, side="right") - 1
    drawers = []
    for k in np.unique(which):
        here, each = which == k, populations[k]
        name = _keys.joined(each.area, each.layer, each.cell_type)
        drawers.append(Drawers(name, rows[here] - starts[k], columns[here]))
    return tuple(drawers)


class _Patterns:
    """What one unit of each course in time is to each cell, pA. scale: pA of one input unit (n_cells,)."""

    def __init__(self, scale: npt.NDArray[np.float64]) -> None:
        self.scale = scale
        self.found: dict[Any, npt.NDArray[np.float64]] = {}

    def add(self, drive: Any, at: words.Schedule | None, rows: npt.NDArray[np.int32], amplitude: float) -> None:
        """`amplitude` times the waveform of `drive` onto `rows`."""
        self.found.setdefault((drive, at), np.zeros(self.scale.size))[rows] += amplitude * self.scale[rows]


@dataclasses.dataclass(frozen=True)
class _Rain:
    """A Poisson stimulus on its rows."""

    rows: npt.NDArray[np.int32]
    drive: stimuli.Poisson
    receptor: int
    at: words.Schedule | None
    stream: str

    @property
    def course(self) -> tuple[Any, ...]:
        """What two stimuli must share to be drawn at once: receptor, times, and a train for each cell."""
        return (self.receptor, self.drive.start_ms, self.drive.stop_ms, self.at, self.drive.shared)


@dataclasses.dataclass(frozen=True)
class _PoissonGroup:
    """Poisson stimuli that are drawn at once, no cell in two of them. is_reached: of each cell, bool (n_cells,)."""

    stimuli: list[_Rain]
    is_reached: npt.NDArray[np.bool_]

    def add(self, stimulus: _Rain) -> None:
        """Add a stimulus onto cells that no other of the group reaches."""
        self.stimuli.append(stimulus)
        self.is_reached[stimulus.rows] = True

    def can_join(self, stimulus: _Rain) -> bool:
        """Whether a stimulus onto other cells can be drawn with those of the group."""
        return not stimulus.drive.shared and stimulus.course == self.stimuli[0].course


def _gather(stimulus: _Rain, groups: list[_PoissonGroup], n_cells: int) -> None:
    """Add a stimulus to the first group that it can join, or as a group of its own.

    It joins none that stands before a stimulus onto one of its cells: each cell adds up its stimuli in their order,
    whatever others there are, so that the sum is the same to the bit.
    """
    first_free = 0
    for k, group in enumerate(groups):
        if group.is_reached[stimulus.rows].any():
            first_free = k + 1
    for group in groups[first_free:]:
        if group.can_join(stimulus):
            group.add(stimulus)
            return
    groups.append(_PoissonGroup([], np.zeros(n_cells, bool)))
    groups[-1].add(stimulus)


def _poisson(group: list[_Rain], n_cells: int, dt_ms: float, dtype: np.dtype[Any]) -> engine.PoissonInput:
    """The engine's form of Poisson stimuli that join."""
    rows = np.concatenate([each.rows for each in group])
    sizes = [each.rows.size for each in group]
    means = np.array([each.drive.rate_Hz * dt_ms * 1e-3 for each in group])
    table = noise.table(means, noise.table_rows(float(means.max()))).T
    weights = np.array([each.drive.weight for each in group])
    order = np.argsort(rows, kind="stable")
    streams = np.concatenate([_keys.numbered_of(each.stream, n=1) for each in group], axis=1)
    several = len(group) > 1
    return engine.PoissonInput(
        targets=None if rows.size == n_cells else jax.device_put(rows[order].astype(np.int32)),
        thresholds=jax.device_put(np.repeat(table, sizes, axis=1)[:, order] if several else table),
        weight=jax.device_put(_weights(np.repeat(weights, sizes)[order] if several else weights, dtype)),
        receptor=group[0].receptor,
        shared=group[0].drive.shared,
        stream=jax.device_put(streams),
        stimulus=jax.device_put(np.repeat(np.arange(len(group), dtype=np.int32), sizes)[order]) if several else None,
    )


def _fluctuation(
    drive: stimuli.OrnsteinUhlenbeck,
    rows: npt.NDArray[np.int32],
    scale: npt.NDArray[np.float64],
    source: str,
    dtype: np.dtype[Any],
) -> engine.Fluctuation:
    """The engine's form of a fluctuating current."""
    sd_pA = np.zeros(scale.size)
    sd_pA[rows] = drive.sd * scale[rows]
    return engine.Fluctuation(
        sd_pA=jax.device_put(narrowed(sd_pA, dtype, name="sd in pA", where="Paradigm")),
        tau_ms=jax.device_put(np.asarray(drive.tau_ms, dtype)),
        stream=jax.device_put(_keys.numbered_of(source, n=1)[:, 0]),
        shared=drive.shared,
    )


def _trains(
    drive: Any, rows: npt.NDArray[np.int32], receptor: int, n_cells: int, dtype: np.dtype[Any]
) -> engine.SpikeTrains:
    """The engine's form of spikes at given times: each target has a train of its own, or all the first."""
    weight, train = np.zeros(n_cells), np.zeros(n_cells, np.int32)
    weight[rows] = drive.weight
    if not drive.shared:
        train[rows] = np.arange(rows.size, dtype=np.int32)
    return engine.SpikeTrains(
        weight=jax.device_put(_weights(weight, dtype)), train=jax.device_put(train), receptor=receptor
    )


def _weights(weights: npt.NDArray[np.float64], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Weights of spikes in the precision of the run."""
    return narrowed(weights, dtype, name="the weight of a spike", where="Paradigm")


def input_pA(net: Net) -> npt.NDArray[np.float64]:
    """What one input unit is to each cell, in pA: (n_cells,)."""
    return np.concatenate([each.spread(each.emitter.input_pA) for each in net.config.populations()])
