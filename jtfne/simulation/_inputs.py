"""Stimuli on named cells -> waveforms, patterns, Poisson inputs and trains of the engine."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from jtfne import _keys, engine, stimuli
from jtfne import config as declared
from jtfne._check import narrow_dtype, one_of
from jtfne.flatnet import find_receptor_row, spread_input_pA
from jtfne.simulation._names import list_stream_names, sort_stimuli
from jtfne.simulation._poisson import (
    PoissonGroup,
    PoissonStimulus,
    add_to_group,
    build_poisson_input,
)
from jtfne.simulation._timed import Rows, TimedSpikes, TimedStimulus, build_timed_spikes
from jtfne.wiring import NetData, select_with


@dataclasses.dataclass(frozen=True)
class RunInputs:
    """All stimuli of a run: `inputs` as arrays, and `chunk` for any stretch of any trial.

    waveforms, poisson, ou_currents, spike_trains: the stimuli in time of each row of
    `inputs.patterns_pA`, and of each of `inputs.poisson`, `inputs.fluctuations`, `inputs.trains`.
    """

    inputs: engine.Inputs
    waveforms: tuple[TimedStimulus, ...]
    poisson: tuple[TimedStimulus, ...]
    ou_currents: tuple[TimedStimulus, ...]
    spike_trains: tuple[TimedSpikes, ...]
    dt_ms: float
    dtype: np.dtype[Any]
    seed: int

    def chunk(self, first_step: int, n_steps: int, trial: int = 0) -> engine.InputChunk:
        """Return the waveforms, gates and spikes of `n_steps` from `first_step` on."""
        waveforms = self._sample(self.waveforms, first_step, n_steps, trial)
        # A gate is open, or not, or for a share of the step; it is not more open where
        # presentations overlap.
        gated = (*self.poisson, *self.ou_currents)
        gates = np.minimum(self._sample(gated, first_step, n_steps, trial), 1.0)
        # A spike that acts from a step on arrives at the end of the step before; where there is
        # none, at the start.
        counts = self._count_spikes(first_step + 1, n_steps, trial)
        first_counts = self._count_spikes(first_step, 1, trial)
        at_start = tuple(rows[0] * (first_step == 0) for rows in first_counts)
        # of numpy: put on the device as the loop is called, at a fraction of the cost
        untyped: Any = (waveforms, gates, counts, at_start)
        return engine.InputChunk(*untyped)

    def _sample(
        self, timed: Sequence[TimedStimulus], first_step: int, n_steps: int, trial: int
    ) -> npt.NDArray[Any]:
        """Return the waveform of each stimulus, (n_steps, n_stimuli)."""
        columns = np.empty((len(timed), n_steps), self.dtype)
        for row, stimulus in zip(columns, timed, strict=True):
            row[:] = stimulus.waveform(first_step, n_steps, self.dt_ms, trial)
        return columns.T

    def _count_spikes(self, first_step: int, n_steps: int, trial: int) -> tuple[Any, ...]:
        """Return the spikes that act from each step on, (n_steps, n_trains) for each stimulus."""
        return tuple(
            spikes.counts(first_step, n_steps, self.dt_ms, trial, self.seed)
            for spikes in self.spike_trains
        )


def build_run_inputs(
    presented: tuple[declared.Stimulus, ...],
    net: NetData,
    receptors: tuple[tuple[str, ...], ...],
    dt_ms: float,
    dtype: np.dtype[Any],
    seed: int = 0,
) -> RunInputs:
    """Build the inputs of a run from `presented` on the cells of `net`.

    Stimuli that share their course in time become one.
    Raises: JtfneError for a target without cells, an unknown mechanism, and more spikes of a trial
    than can be drawn.
    """
    builder = _InputBuilder(net, receptors, dt_ms, dtype)
    sorted_stimuli = sort_stimuli(presented)
    for stimulus, stream in zip(sorted_stimuli, list_stream_names(sorted_stimuli), strict=True):
        builder.add(stimulus, stream)
    return builder.build(seed)


class _InputBuilder:
    """Collects the inputs of a run, one stimulus after another."""

    def __init__(
        self,
        net: NetData,
        receptors: tuple[tuple[str, ...], ...],
        dt_ms: float,
        dtype: np.dtype[Any],
    ) -> None:
        self._net, self._receptors = net, receptors
        self._dt_ms, self._dtype = dt_ms, dtype
        self._input_pA = spread_input_pA(net.populations)
        # (drive of unit amplitude, schedule) -> current into each cell, pA
        self._patterns_pA: dict[Any, npt.NDArray[np.float64]] = {}
        self._poisson_groups: list[PoissonGroup] = []
        self._timed_currents: list[TimedStimulus] = []
        self._fluctuations: list[engine.Fluctuation] = []
        self._timed_spikes: list[TimedSpikes] = []
        self._trains: list[engine.SpikeTrains] = []

    def add(self, stimulus: declared.Stimulus, stream: str) -> None:
        """Add a stimulus. stream: the name of its random stream in a trial."""
        where = f"stimulus {stimulus.label!r}"
        rows = select_with(self._net.identity, stimulus.target, where=where)
        drive: Any = stimulus.drive
        if isinstance(drive, stimuli.SYNAPTIC):
            self._add_spikes(stimulus, rows, stream, where)
        elif isinstance(drive, stimuli.OrnsteinUhlenbeck):
            self._timed_currents.append(TimedStimulus(drive, stimulus.at))
            self._fluctuations.append(self._build_fluctuation(drive, rows, stream))
            if drive.mean:
                self._add_waveform(
                    dataclasses.replace(drive, sd=0.0, mean=1.0), stimulus.at, rows, drive.mean
                )
        elif not isinstance(drive, stimuli.Marker):
            self._add_waveform(
                dataclasses.replace(drive, amplitude=1.0), stimulus.at, rows, drive.amplitude
            )

    def build(self, seed: int) -> RunInputs:
        """Return the inputs of all stimuli added."""
        n_cells = self._net.n_neurons
        patterns_pA = np.zeros((len(self._patterns_pA), n_cells))
        waveforms = []
        for row_pA, (key, pattern_pA) in zip(patterns_pA, self._patterns_pA.items(), strict=True):
            row_pA[:] = pattern_pA
            waveforms.append(TimedStimulus(*key))
        timed_poisson, poisson = [], []
        for group in self._poisson_groups:
            first = group.stimuli[0]
            timed_poisson.append(TimedStimulus(first.drive, first.schedule))
            poisson.append(build_poisson_input(group.stimuli, n_cells, self._dt_ms, self._dtype))
        return RunInputs(
            engine.Inputs(
                jax.device_put(
                    narrow_dtype(
                        patterns_pA, self._dtype, name="an amplitude in pA", where="Paradigm"
                    )
                ),
                tuple(poisson),
                tuple(self._fluctuations),
                tuple(self._trains),
            ),
            tuple(waveforms),
            tuple(timed_poisson),
            tuple(self._timed_currents),
            tuple(self._timed_spikes),
            self._dt_ms,
            self._dtype,
            seed,
        )

    def _add_spikes(self, stimulus: declared.Stimulus, rows: Rows, stream: str, where: str) -> None:
        """Add a stimulus that sends spikes. Raises: JtfneError for an unknown mechanism."""
        drive: Any = stimulus.drive
        mechanisms = [name for names in self._receptors for name in names]
        mechanism = one_of(drive.mechanism, mechanisms, name="mechanism", where=where)
        receptor = find_receptor_row(mechanism, self._receptors)
        if isinstance(drive, stimuli.Poisson):
            poisson_stimulus = PoissonStimulus(rows, drive, receptor, stimulus.at, stream)
            add_to_group(poisson_stimulus, self._poisson_groups, self._net.n_neurons)
            return
        self._timed_spikes.append(
            build_timed_spikes(stimulus, rows, self._net, self._timed_spikes, where)
        )
        self._trains.append(self._build_spike_trains(drive, rows, receptor))

    def _add_waveform(
        self, drive: Any, schedule: declared.Schedule | None, rows: Rows, amplitude: float
    ) -> None:
        """Add `amplitude` times the waveform of `drive` onto `rows`."""
        no_current_pA = np.zeros(self._input_pA.size)
        pattern_pA = self._patterns_pA.setdefault((drive, schedule), no_current_pA)
        pattern_pA[rows] += amplitude * self._input_pA[rows]

    def _build_fluctuation(
        self, drive: stimuli.OrnsteinUhlenbeck, rows: Rows, stream: str
    ) -> engine.Fluctuation:
        """Return the engine's form of a fluctuating current."""
        sd_pA = np.zeros(self._input_pA.size)
        sd_pA[rows] = drive.sd * self._input_pA[rows]
        return engine.Fluctuation(
            sd_pA=jax.device_put(
                narrow_dtype(sd_pA, self._dtype, name="sd in pA", where="Paradigm")
            ),
            tau_ms=jax.device_put(np.asarray(drive.tau_ms, self._dtype)),
            stream=jax.device_put(_keys.number_named_streams(stream, n=1)[:, 0]),
            shared=drive.shared,
        )

    def _build_spike_trains(self, drive: Any, rows: Rows, receptor: int) -> engine.SpikeTrains:
        """Return the engine's form of spikes at given times.

        Each target has a train of its own, or all have the first.
        """
        n_cells = self._net.n_neurons
        weight, train = np.zeros(n_cells), np.zeros(n_cells, np.int32)
        weight[rows] = drive.weight
        if not drive.shared:
            train[rows] = np.arange(rows.size, dtype=np.int32)
        return engine.SpikeTrains(
            weight=jax.device_put(
                narrow_dtype(weight, self._dtype, name="the weight of a spike", where="Paradigm")
            ),
            train=jax.device_put(train),
            receptor=receptor,
        )
