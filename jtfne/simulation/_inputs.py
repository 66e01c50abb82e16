"""Stimuli on named cells -> waveforms, patterns, Poisson inputs and spike trains on the engine's grid."""

import dataclasses
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from jtfne import _keys, engine, noise, stimuli
from jtfne import config as words
from jtfne._check import one_of
from jtfne.flatnet import row_of
from jtfne.net import Net, select_with

KEPT_TRIALS = 64  # whose drawn spikes are remembered at once: more than run side by side


@dataclasses.dataclass(frozen=True, eq=False)
class Course:
    """What one stimulus is in time. source: the name of the stream that its draws come from."""

    drive: Any
    at: words.Schedule | None
    source: str = ""
    n_trains: int = 1
    _drawn: dict[tuple[int, int], stimuli.Trains] = dataclasses.field(default_factory=dict)  # of the last trials

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

    def counts(self, first_step: int, n_steps: int, dt_ms: float, trial: int, seed: int) -> npt.NDArray[np.int16]:
        """(n_steps, n_trains): the spikes that act from each step on; those of a whole trial are drawn at its start."""
        drawn = self._drawn.get((trial, seed))
        if drawn is None:  # perhaps on several threads, a trial each
            drawn = self._spikes(trial, seed)
            if len(self._drawn) >= KEPT_TRIALS:
                self._drawn.clear()
            self._drawn[trial, seed] = drawn
        return stimuli.counts_of(drawn, first_step, n_steps, dt_ms, self.n_trains)

    def _spikes(self, trial: int, seed: int) -> stimuli.Trains:
        """All spikes of a trial. Each onset has a stream of its own, so that no other shifts it."""
        parts = [(np.zeros(0, np.int64), np.zeros(0))]
        for each in self.presented(trial):
            random = _keys.generator(seed, "stimulus", self.source, f"{each.start_ms:.9g}", "trial", str(trial))
            parts.append(each.trains(self.n_trains, random))
        train, t_ms = (np.concatenate(column) for column in zip(*parts, strict=True))
        return train, t_ms


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
    volleys: tuple[Course, ...]
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

    Raises: JtfneError for a target without cells or an unknown mechanism.
    """
    patterns = _Patterns(input_pA(net))
    rains: list[list[_Rain]] = []
    swells: list[tuple[Course, engine.Fluctuation]] = []
    volleys: list[tuple[Course, engine.SpikeTrains]] = []
    for each, source in zip(presented, sources_of(presented), strict=True):
        where = f"stimulus {each.label!r}"
        rows = select_with(net.identity, each.target, where=where)
        drive: Any = each.drive
        if isinstance(drive, stimuli.SYNAPTIC):
            known = [name for names in receptors for name in names]
            receptor = row_of(one_of(drive.mechanism, known, name="mechanism", where=where), receptors)
            if isinstance(drive, stimuli.Poisson):
                _gather(_Rain(rows, drive, receptor, each.at), rains)
            else:
                course = Course(drive, each.at, source, 1 if drive.shared else net.n_neurons)
                volleys.append((course, _trains(drive, rows, receptor, net.n_neurons, dtype)))
        elif isinstance(drive, stimuli.OrnsteinUhlenbeck):
            swells.append((Course(drive, each.at), _fluctuation(drive, rows, patterns.scale, source, dtype)))
            if drive.mean:
                patterns.add(dataclasses.replace(drive, sd=0.0, mean=1.0), each.at, rows, drive.mean)
        elif not isinstance(drive, stimuli.Marker):
            patterns.add(dataclasses.replace(drive, amplitude=1.0), each.at, rows, drive.amplitude)
    courses = [Course(drive, at) for drive, at in patterns.found]
    stacked = np.array(list(patterns.found.values()), dtype).reshape(len(courses), net.n_neurons)
    poisson = tuple(_poisson(group, net.n_neurons, dt_ms, dtype) for group in rains)
    return Drive(
        engine.Inputs(
            jax.device_put(stacked), poisson, tuple(each for _, each in swells), tuple(each for _, each in volleys)
        ),
        tuple(courses),
        tuple(Course(group[0].drive, group[0].at) for group in rains),
        tuple(course for course, _ in swells),
        tuple(course for course, _ in volleys),
        dt_ms,
        dtype,
        seed,
    )


def sources_of(presented: tuple[words.Stimulus, ...]) -> list[str]:
    """The name of the stream of each stimulus: what it names, or its label, its times, and how many before have both.

    So no stimulus that is added or removed moves the draws of one that is unlike it.
    """
    names: list[str] = []
    for each in presented:
        drive: Any = each.drive
        times = "" if each.at is None else each.at.model_dump_json()
        own = f"{type(drive).__name__} {each.label} {drive.start_ms:.9g} {times}"
        names.append(getattr(drive, "stream", None) or f"{own} {sum(name.startswith(own) for name in names)}")
    return names


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

    def joins(self, other: "_Rain") -> bool:
        """Whether both can be drawn at once: one receptor, one course in time, no cell in both."""
        times = [(each.drive.start_ms, each.drive.stop_ms, each.receptor, each.at) for each in (self, other)]
        apart = np.intersect1d(self.rows, other.rows).size == 0
        return times[0] == times[1] and apart and not (self.drive.shared or other.drive.shared)


def _gather(rain: _Rain, rains: list[list[_Rain]]) -> None:
    """Add `rain` to the first group that it joins, or as a group of its own."""
    joined = next((group for group in rains if all(rain.joins(other) for other in group)), None)
    rains.append([rain]) if joined is None else joined.append(rain)


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
        sd_pA=jax.device_put(sd_pA.astype(dtype)),
        tau_ms=jax.device_put(np.asarray(drive.tau_ms, dtype)),
        stream=jax.device_put(_keys.codes(source)[0]),
        shared=drive.shared,
    )


def _trains(
    drive: Any, rows: npt.NDArray[np.int32], receptor: int, n_cells: int, dtype: np.dtype[Any]
) -> engine.SpikeTrains:
    """The engine's form of spikes at given times: each cell has the train of its row, or all the first."""
    weight = np.zeros(n_cells)
    weight[rows] = drive.weight
    train = np.zeros(n_cells, np.int32) if drive.shared else np.arange(n_cells, dtype=np.int32)
    return engine.SpikeTrains(
        weight=jax.device_put(weight.astype(dtype)), train=jax.device_put(train), receptor=receptor
    )


def input_pA(net: Net) -> npt.NDArray[np.float64]:
    """What one input unit is to each cell, in pA: (n_cells,)."""
    return np.concatenate([each.spread(each.emitter.input_pA) for each in net.config.populations()])
