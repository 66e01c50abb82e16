"""Stimuli on named cells -> waveforms, patterns, Poisson inputs and trains of the engine."""

import collections
import dataclasses
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from jtfne import _keys, engine, noise, stimuli
from jtfne import config as declared
from jtfne._check import narrow_dtype, one_of, refuse
from jtfne.flatnet import row_of
from jtfne.net import Net, select_with
from jtfne.simulation._names import list_stream_names, sort_stimuli, stream_base_name

KEPT_TRIALS = 64  # whose drawn spikes are remembered at once: more than run side by side
MOST_SPIKES = 10**8
"""Spikes of a trial, of all cells that one stimulus reaches: 1.6 GB."""
Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class TrainSources:
    """The cells of one population that each draw a train of their own.

    name: of the population, "" for one train that all targets share. index: (n,), places within the
    population. column: (n,), the columns of the counts that their trains make.
    """

    name: str
    index: Ints
    column: Ints

    def trains(self, drive: Any, random: np.random.Generator) -> stimuli.Trains:
        """Return the column and the time of each spike.

        What a cell draws depends on its place, not on which others draw.
        """
        train, t_ms = drive.trains(int(self.index.max()) + 1, random)
        order = np.argsort(self.index, kind="stable")
        sorted_places = self.index[order]
        entry = np.minimum(np.searchsorted(sorted_places, train), sorted_places.size - 1)
        is_drawn = sorted_places[entry] == train  # trains of other cells are drawn, and left out
        return self.column[order[entry[is_drawn]]], t_ms[is_drawn]


@dataclasses.dataclass(frozen=True, eq=False)
class Course:
    """One stimulus in time."""

    drive: Any
    at: declared.Schedule | None

    def list_presentations(self, trial: int) -> tuple[Any, ...]:
        """Return the drive on the clock of a trial, as often as it comes."""
        return (
            (self.drive,)
            if self.at is None
            else tuple(map(self.drive.shifted, self.at.within(trial)))
        )

    def waveform(
        self, first_step: int, n_steps: int, dt_ms: float, trial: int
    ) -> npt.NDArray[np.float64]:
        """Return the sum over what is presented, (n_steps,)."""
        total = np.zeros(n_steps)
        begin_ms, end_ms = (first_step - 1) * dt_ms, (first_step + n_steps + 1) * dt_ms
        for drive in self.list_presentations(trial):
            stop_ms = max(onset + length for onset, length in drive.events_ms(np.inf))
            if drive.start_ms < end_ms and stop_ms > begin_ms:
                total += drive.waveform(first_step, n_steps, dt_ms)
        return total


@dataclasses.dataclass(frozen=True, eq=False)
class TimedSpikes:
    """The spikes of one stimulus, in time.

    name: of the stream that its draws come from; onset and trial are added to it. alike: stimuli of
    the same name that come before it in `sort_stimuli`; those that come at the same time have a
    stream each. columns: one a target, or one.
    """

    course: Course
    name: str
    drawers: tuple[TrainSources, ...]
    n_columns: int
    alike: tuple[Course, ...] = ()
    # of the last trials
    _drawn: dict[tuple[int, int], stimuli.Trains] = dataclasses.field(default_factory=dict)

    def counts(
        self, first_step: int, n_steps: int, dt_ms: float, trial: int, seed: int
    ) -> npt.NDArray[np.int32]:
        """Return the spikes that act from each step on, (n_steps, n_columns).

        The spikes of a trial are drawn once, at its start.
        """
        trains = self._drawn.get((trial, seed))
        if trains is None:  # perhaps on several threads, a trial each
            trains = self._spikes(trial, seed)
            if len(self._drawn) >= KEPT_TRIALS:
                self._drawn.clear()
            self._drawn[trial, seed] = trains
        return stimuli.count_spikes(trains, first_step, n_steps, dt_ms, self.n_columns)

    def _spikes(self, trial: int, seed: int) -> stimuli.Trains:
        """Return all spikes of a trial.

        Each onset and population has a stream of its own, so that no other shifts it.
        """
        parts = [(np.zeros(0, np.int64), np.zeros(0))]
        times = collections.Counter(
            _format_start(drive)
            for course in self.alike
            for drive in course.list_presentations(trial)
        )
        for drive in self.course.list_presentations(trial):
            at_ms = _format_start(drive)
            times[at_ms] += 1
            number = [] if times[at_ms] == 1 else ["number", str(times[at_ms])]
            names = ["stimulus", self.name, at_ms, "trial", str(trial), *number]
            for drawer in self.drawers:
                stream_names = [*names, "cells", drawer.name] if drawer.name else names
                parts.append(drawer.trains(drive, _keys.generator(seed, *stream_names)))
        column, t_ms = (np.concatenate(entries) for entries in zip(*parts, strict=True))
        return column, t_ms


def _format_start(drive: Any) -> str:
    """Return when a drive comes, for the name of its stream."""
    return f"{drive.start_ms:.9g}"


@dataclasses.dataclass(frozen=True)
class Drive:
    """All stimuli of a run: `inputs` as arrays, and `clock` for any stretch of any trial.

    waves, rains, swells, volleys: the course in time of each row of `inputs.patterns_pA`, and of
    each of `inputs.poisson`, `inputs.fluctuations` and `inputs.trains`.
    """

    inputs: engine.Inputs
    waves: tuple[Course, ...]
    rains: tuple[Course, ...]
    swells: tuple[Course, ...]
    volleys: tuple[TimedSpikes, ...]
    dt_ms: float
    dtype: np.dtype[Any]
    seed: int

    def clock(self, first_step: int, n_steps: int, trial: int = 0) -> engine.InputChunk:
        """Return the waveforms, gates and spikes of `n_steps` from `first_step` on."""
        # of numpy: put on the device as the loop is called, at a fraction of the cost
        columns: list[Any] = []
        # A gate is open, or not, or for a share of the step; it is not more open where
        # presentations overlap.
        for courses, upper_limit in ((self.waves, np.inf), ((*self.rains, *self.swells), 1.0)):
            rows = [course.waveform(first_step, n_steps, self.dt_ms, trial) for course in courses]
            columns.append(
                np.minimum(np.array(rows, self.dtype), upper_limit).reshape(len(rows), n_steps).T
            )
        # A spike that acts from a step on arrives at the end of the step before; where there is
        # none, at the start.
        counts = self._counts(first_step + 1, n_steps, trial)
        at_start = tuple(rows[0] * (first_step == 0) for rows in self._counts(first_step, 1, trial))
        waveforms, gates = columns
        return engine.InputChunk(waveforms, gates, counts, at_start)

    def _counts(self, first_step: int, n_steps: int, trial: int) -> tuple[Any, ...]:
        """Return the spikes that act from each step on, (n_steps, n_trains) for each volley."""
        return tuple(
            course.counts(first_step, n_steps, self.dt_ms, trial, self.seed)
            for course in self.volleys
        )


def build_drive(
    presented: tuple[declared.Stimulus, ...],
    net: Net,
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
    dtype: np.dtype[Any],
    seed: int = 0,
) -> Drive:
    """Build the inputs of a run from `list_presentations` on the cells of `net`.

    Stimuli that share their course in time become one.
    Raises: JtfneError for a target without cells, an unknown mechanism, and more spikes of a trial
    than can be drawn.
    """
    patterns = _Patterns(input_pA(net))
    poisson_groups: list[_PoissonGroup] = []
    ou_currents: list[tuple[Course, engine.Fluctuation]] = []
    spike_trains: list[tuple[TimedSpikes, engine.SpikeTrains]] = []
    sorted_stimuli = sort_stimuli(presented)
    for stimulus, stream in zip(sorted_stimuli, list_stream_names(sorted_stimuli), strict=True):
        where = f"stimulus {stimulus.label!r}"
        rows = select_with(net.identity, stimulus.target, where=where)
        drive: Any = stimulus.drive
        if isinstance(drive, stimuli.SYNAPTIC):
            mechanism_names = [name for names in receptors for name in names]
            receptor = row_of(
                one_of(drive.mechanism, mechanism_names, name="mechanism", where=where), receptors
            )
            if isinstance(drive, stimuli.Poisson):
                poisson_stimulus = _PoissonStimulus(rows, drive, receptor, stimulus.at, stream)
                _add_to_group(poisson_stimulus, poisson_groups, net.n_neurons)
            else:
                volley = _build_volley(
                    stimulus,
                    rows,
                    net,
                    [earlier_volley for earlier_volley, _ in spike_trains],
                    where,
                )
                spike_trains.append(
                    (volley, _build_spike_trains(drive, rows, receptor, net.n_neurons, dtype))
                )
        elif isinstance(drive, stimuli.OrnsteinUhlenbeck):
            ou_currents.append(
                (
                    Course(drive, stimulus.at),
                    _build_fluctuation(drive, rows, patterns.scale, stream, dtype),
                )
            )
            if drive.mean:
                patterns.add(
                    dataclasses.replace(drive, sd=0.0, mean=1.0), stimulus.at, rows, drive.mean
                )
        elif not isinstance(drive, stimuli.Marker):
            patterns.add(
                dataclasses.replace(drive, amplitude=1.0), stimulus.at, rows, drive.amplitude
            )
    courses = [Course(drive, schedule) for drive, schedule in patterns.by_course]
    rows_pA = np.array(list(patterns.by_course.values()), np.float64).reshape(
        len(courses), net.n_neurons
    )
    patterns_pA = narrow_dtype(rows_pA, dtype, name="an amplitude in pA", where="Paradigm")
    poisson = tuple(
        _build_poisson_input(group.stimuli, net.n_neurons, dt_ms, dtype) for group in poisson_groups
    )
    return Drive(
        engine.Inputs(
            jax.device_put(patterns_pA),
            poisson,
            tuple(fluctuation for _, fluctuation in ou_currents),
            tuple(trains for _, trains in spike_trains),
        ),
        tuple(courses),
        tuple(
            Course(group.stimuli[0].drive, group.stimuli[0].schedule) for group in poisson_groups
        ),
        tuple(course for course, _ in ou_currents),
        tuple(volley for volley, _ in spike_trains),
        dt_ms,
        dtype,
        seed,
    )


def _build_volley(
    stimulus: declared.Stimulus,
    rows: npt.NDArray[np.int32],
    net: Net,
    earlier_volleys: list[TimedSpikes],
    where: str,
) -> TimedSpikes:
    """Return the spikes of `stimulus` onto `rows`, in time.

    earlier_volleys: those of the stimuli before it in `sort_stimuli`.
    Raises: JtfneError if they are too many.
    """
    drive: Any = stimulus.drive
    name, n_columns = stream_base_name(stimulus), 1 if drive.shared else rows.size
    n_spikes = drive.n_of_train * n_columns
    if n_spikes > MOST_SPIKES:
        problem = (
            f"a {type(drive).__name__} of {drive.n_of_train} spikes onto each of {n_columns} cells"
        )
        raise refuse(problem, f"at most {MOST_SPIKES:,} spikes each time that it comes", where)
    same_name = (
        tuple(
            earlier_volley.course
            for earlier_volley in earlier_volleys
            if earlier_volley.name == name
        )
        if drive.stream is None
        else ()
    )
    return TimedSpikes(
        Course(drive, stimulus.at),
        name,
        _build_drawers(drive, rows, net, where),
        n_columns,
        same_name,
    )


def _build_drawers(
    drive: Any, rows: npt.NDArray[np.int32], net: Net, where: str
) -> tuple[TrainSources, ...]:
    """Return who draws the trains of `rows`.

    Each population draws by itself, or one train is drawn for all; a table names the cells itself.
    Raises: JtfneError if it names others.
    """
    columns = np.arange(rows.size)
    if drive.shared:
        return (TrainSources("", np.zeros(1, np.int64), np.zeros(1, np.int64)),)
    if isinstance(drive, stimuli.SpikeTimes):
        ids = rows if net.identity is None else net.identity.ids[rows]
        unknown_ids = np.setdiff1d(np.asarray(drive.cells, np.int64), ids)
        if unknown_ids.size:
            raise refuse(
                f"cells={unknown_ids[:5].tolist()}",
                f"ids of the {ids.size} cells of the target",
                where,
            )
        return (TrainSources("", ids.astype(np.int64), columns),)
    populations = net.config.populations()
    starts = np.cumsum([0, *(population.n_cells for population in populations)])
    population_index = np.searchsorted(starts, rows, side="right") - 1
    drawers = []
    for k in np.unique(population_index):
        in_population, population = population_index == k, populations[k]
        name = _keys.join_names(population.area, population.layer, population.cell_type)
        drawers.append(TrainSources(name, rows[in_population] - starts[k], columns[in_population]))
    return tuple(drawers)


class _Patterns:
    """The current into each cell for one unit of each course in time, pA.

    scale: pA of one input unit (n_cells,).
    """

    def __init__(self, scale: npt.NDArray[np.float64]) -> None:
        self.scale = scale
        self.by_course: dict[Any, npt.NDArray[np.float64]] = {}

    def add(
        self,
        drive: Any,
        schedule: declared.Schedule | None,
        rows: npt.NDArray[np.int32],
        amplitude: float,
    ) -> None:
        """Add `amplitude` times the waveform of `drive` onto `rows`."""
        self.by_course.setdefault((drive, schedule), np.zeros(self.scale.size))[rows] += (
            amplitude * self.scale[rows]
        )


@dataclasses.dataclass(frozen=True)
class _PoissonStimulus:
    """A Poisson stimulus on its rows."""

    rows: npt.NDArray[np.int32]
    drive: stimuli.Poisson
    receptor: int
    schedule: declared.Schedule | None
    stream: str

    @property
    def course(self) -> tuple[Any, ...]:
        """What two stimuli must share to be drawn at once: receptor, times, and a train for each
        cell.
        """
        return (
            self.receptor,
            self.drive.start_ms,
            self.drive.stop_ms,
            self.schedule,
            self.drive.shared,
        )


@dataclasses.dataclass(frozen=True)
class _PoissonGroup:
    """Poisson stimuli that are drawn at once, no cell in two of them. is_reached: of each cell,
    bool (n_cells,).
    """

    stimuli: list[_PoissonStimulus]
    is_reached: npt.NDArray[np.bool_]

    def add(self, stimulus: _PoissonStimulus) -> None:
        """Add a stimulus onto cells that no other of the group reaches."""
        self.stimuli.append(stimulus)
        self.is_reached[stimulus.rows] = True

    def can_join(self, stimulus: _PoissonStimulus) -> bool:
        """Whether a stimulus onto other cells can be drawn with those of the group."""
        return not stimulus.drive.shared and stimulus.course == self.stimuli[0].course


def _add_to_group(stimulus: _PoissonStimulus, groups: list[_PoissonGroup], n_cells: int) -> None:
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
    groups.append(_PoissonGroup([], np.zeros(n_cells, bool)))
    groups[-1].add(stimulus)


def _build_poisson_input(
    group: list[_PoissonStimulus], n_cells: int, dt_ms: float, dtype: np.dtype[Any]
) -> engine.PoissonInput:
    """Return the engine's form of Poisson stimuli that are drawn together."""
    rows = np.concatenate([stimulus.rows for stimulus in group])
    sizes = [stimulus.rows.size for stimulus in group]
    means = np.array([stimulus.drive.rate_Hz * dt_ms * 1e-3 for stimulus in group])
    table = noise.table(means, noise.table_rows(float(means.max()))).T
    weights = np.array([stimulus.drive.weight for stimulus in group])
    order = np.argsort(rows, kind="stable")
    streams = np.concatenate(
        [_keys.number_named_streams(stimulus.stream, n=1) for stimulus in group], axis=1
    )
    is_group = len(group) > 1
    return engine.PoissonInput(
        targets=None if rows.size == n_cells else jax.device_put(rows[order].astype(np.int32)),
        thresholds=jax.device_put(np.repeat(table, sizes, axis=1)[:, order] if is_group else table),
        weight=jax.device_put(
            _convert_weights(np.repeat(weights, sizes)[order] if is_group else weights, dtype)
        ),
        receptor=group[0].receptor,
        shared=group[0].drive.shared,
        stream=jax.device_put(streams),
        stimulus=jax.device_put(np.repeat(np.arange(len(group), dtype=np.int32), sizes)[order])
        if is_group
        else None,
    )


def _build_fluctuation(
    drive: stimuli.OrnsteinUhlenbeck,
    rows: npt.NDArray[np.int32],
    scale: npt.NDArray[np.float64],
    source: str,
    dtype: np.dtype[Any],
) -> engine.Fluctuation:
    """Return the engine's form of a fluctuating current."""
    sd_pA = np.zeros(scale.size)
    sd_pA[rows] = drive.sd * scale[rows]
    return engine.Fluctuation(
        sd_pA=jax.device_put(narrow_dtype(sd_pA, dtype, name="sd in pA", where="Paradigm")),
        tau_ms=jax.device_put(np.asarray(drive.tau_ms, dtype)),
        stream=jax.device_put(_keys.number_named_streams(source, n=1)[:, 0]),
        shared=drive.shared,
    )


def _build_spike_trains(
    drive: Any, rows: npt.NDArray[np.int32], receptor: int, n_cells: int, dtype: np.dtype[Any]
) -> engine.SpikeTrains:
    """Return the engine's form of spikes at given times.

    Each target has a train of its own, or all have the first.
    """
    weight, train = np.zeros(n_cells), np.zeros(n_cells, np.int32)
    weight[rows] = drive.weight
    if not drive.shared:
        train[rows] = np.arange(rows.size, dtype=np.int32)
    return engine.SpikeTrains(
        weight=jax.device_put(_convert_weights(weight, dtype)),
        train=jax.device_put(train),
        receptor=receptor,
    )


def _convert_weights(weights: npt.NDArray[np.float64], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return weights of spikes in the precision of the run."""
    return narrow_dtype(weights, dtype, name="the weight of a spike", where="Paradigm")


def input_pA(net: Net) -> npt.NDArray[np.float64]:
    """Return the current of one input unit into each cell, in pA: (n_cells,)."""
    return np.concatenate(
        [population.spread(population.emitter.input_pA) for population in net.config.populations()]
    )
