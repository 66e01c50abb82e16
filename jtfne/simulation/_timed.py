"""Stimuli in time: the waveform of each, and the spikes that it sends in each trial."""

import collections
import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne import _keys, stimuli
from jtfne import config as declared
from jtfne._check import refuse
from jtfne.simulation._names import name_stimulus
from jtfne.wiring import NetData

KEPT_TRIALS = 64  # whose drawn spikes are remembered at once: more than run side by side
MOST_SPIKES = 10**8
"""Spikes of a trial, of all cells that one stimulus reaches: 1.6 GB."""
Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]


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
class TimedStimulus:
    """A stimulus with the times at which it comes: its own, or the onsets of a schedule."""

    drive: Any
    schedule: declared.Schedule | None

    def list_presentations(self, trial: int) -> tuple[Any, ...]:
        """Return the drive on the clock of a trial, as often as it comes."""
        if self.schedule is None:
            return (self.drive,)
        return tuple(map(self.drive.shifted, self.schedule.within(trial)))

    def waveform(
        self, first_step: int, n_steps: int, dt_ms: float, trial: int
    ) -> npt.NDArray[np.float64]:
        """Return the sum over all presentations, (n_steps,)."""
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

    name: of the stream that its draws come from; onset and trial are added to it. namesakes: the
    stimuli of the same name that come before it in `sort_stimuli`; those that come at the same time
    have a stream each. n_columns: one a target, or one.
    """

    stimulus: TimedStimulus
    name: str
    sources: tuple[TrainSources, ...]
    n_columns: int
    namesakes: tuple[TimedStimulus, ...] = ()
    # of the last trials
    _trains_by_trial: dict[tuple[int, int], stimuli.Trains] = dataclasses.field(
        default_factory=dict
    )

    def counts(
        self, first_step: int, n_steps: int, dt_ms: float, trial: int, seed: int
    ) -> npt.NDArray[np.int32]:
        """Return the spikes that act from each step on, (n_steps, n_columns).

        The spikes of a trial are drawn once, at its start.
        """
        trains = self._trains_by_trial.get((trial, seed))
        if trains is None:  # perhaps on several threads, a trial each
            trains = self._draw_trains(trial, seed)
            if len(self._trains_by_trial) >= KEPT_TRIALS:
                self._trains_by_trial.clear()
            self._trains_by_trial[trial, seed] = trains
        return stimuli.count_spikes(trains, first_step, n_steps, dt_ms, self.n_columns)

    def _draw_trains(self, trial: int, seed: int) -> stimuli.Trains:
        """Return all spikes of a trial.

        Each onset and population has a stream of its own, so that no other shifts it.
        """
        columns, times_ms = [np.zeros(0, np.int64)], [np.zeros(0)]
        n_by_onset: collections.Counter[str] = collections.Counter()
        for namesake in self.namesakes:
            n_by_onset.update(map(_format_start, namesake.list_presentations(trial)))
        for drive in self.stimulus.list_presentations(trial):
            onset_ms = _format_start(drive)
            n_by_onset[onset_ms] += 1
            number = [] if n_by_onset[onset_ms] == 1 else ["number", str(n_by_onset[onset_ms])]
            names = ["stimulus", self.name, onset_ms, "trial", str(trial), *number]
            for source in self.sources:
                stream_names = [*names, "cells", source.name] if source.name else names
                column, t_ms = source.trains(drive, _keys.generator(seed, *stream_names))
                columns.append(column)
                times_ms.append(t_ms)
        return np.concatenate(columns), np.concatenate(times_ms)


def _format_start(drive: Any) -> str:
    """Return when a drive comes, for the name of its stream."""
    return f"{drive.start_ms:.9g}"


def build_timed_spikes(
    stimulus: declared.Stimulus,
    rows: Rows,
    net: NetData,
    earlier: list[TimedSpikes],
    where: str,
) -> TimedSpikes:
    """Return the spikes of `stimulus` onto `rows`, in time.

    earlier: those of the stimuli before it in `sort_stimuli`.
    Raises: JtfneError if they are too many.
    """
    drive: Any = stimulus.drive
    name, n_columns = name_stimulus(stimulus), 1 if drive.shared else rows.size
    n_spikes = drive.n_of_train * n_columns
    if n_spikes > MOST_SPIKES:
        problem = (
            f"a {type(drive).__name__} of {drive.n_of_train} spikes onto each of {n_columns} cells"
        )
        raise refuse(problem, f"at most {MOST_SPIKES:,} spikes each time that it comes", where)
    namesakes: list[TimedStimulus] = []
    if drive.stream is None:  # stimuli that name one stream share it
        namesakes = [spikes.stimulus for spikes in earlier if spikes.name == name]
    return TimedSpikes(
        TimedStimulus(drive, stimulus.at),
        name,
        _build_sources(drive, rows, net, where),
        n_columns,
        tuple(namesakes),
    )


def _build_sources(drive: Any, rows: Rows, net: NetData, where: str) -> tuple[TrainSources, ...]:
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
    populations = net.populations
    starts = np.cumsum([0, *(population.n_cells for population in populations)])
    population_index = np.searchsorted(starts, rows, side="right") - 1
    sources = []
    for k in np.unique(population_index):
        in_population, population = population_index == k, populations[k]
        name = _keys.join_names(population.area, population.layer, population.cell_type)
        sources.append(TrainSources(name, rows[in_population] - starts[k], columns[in_population]))
    return tuple(sources)
