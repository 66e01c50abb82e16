"""Gradient of a score by trainables: forward run with surrogate spikes, score, backward pass."""

import dataclasses
import functools
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np

from jtfne import _keys, engine
from jtfne._check import describe_value, refuse
from jtfne._cores import n_cores
from jtfne._precision import precision
from jtfne._units import Floats
from jtfne.candidates import CandidateRunner, ParameterMap, run_on_threads
from jtfne.config import Metric, Trainable
from jtfne.config.parameter_paths import Place
from jtfne.config.parameters import CONFIG
from jtfne.delivery import Sparse
from jtfne.differentiable import SpikeRows, arrays_of, with_surrogate
from jtfne.emitters import can_receive
from jtfne.flatnet import FlatNet
from jtfne.objective import Axes, Objective
from jtfne.objective._axes import select_part
from jtfne.probes import Probe, SourceRows
from jtfne.simulation import empty_signals, mechanisms_of
from jtfne.surrogates import SuperSpike, Surrogate
from jtfne.trainer._scores import Row

# Drop the name tables: they are static, and would force a new compilation for each net.
UNTRACKED: Any = None
COUNTED = ("t_ref_ms",)  # parameters that the engine rounds to whole steps: no gradient
Arrays = dict[str, jax.Array]


class ScoreGradient(NamedTuple):
    """The score of one run, its terms, and the gradient of the score by the search point, (d,)."""

    score: float
    terms: dict[str, float]
    by_place: Floats

    def problems(self, paths: Sequence[str], seed: int) -> list[str]:
        """One line for each term and each derivative that is not finite."""
        problems = []
        for name, term in self.terms.items():
            if not np.isfinite(term):
                problems.append(f"term {name!r} of the run with slopes is {term:g} (seed {seed})")
        for path, derivative in zip(paths, self.by_place, strict=True):
            if not np.isfinite(derivative):
                problems.append(f"the slope by {path!r} is {derivative:g} (seed {seed})")
        return problems


@dataclasses.dataclass(frozen=True, eq=False)
class ScoreGradients:
    """The gradient of an objective's score by the search point, through surrogate spikes.

    Attributes
    ----------
    runs : CandidateRunner
        The event-based runs of the same candidates; stimuli and seeds are theirs.
    objective : Objective
        What scores the arrays.
    surrogate : Surrogate
        The derivative of a spike.
    trainables : tuple of Trainable
        What the search moves, each on its own scale.
    leaves : Leaves
        From values to arrays of the circuit.
    flat : FlatNet
        The circuit, with a surrogate.
    recorders, probes : tuple
        What records the readouts that the metrics need.
    n_steps : int
        Steps of a trial, rounded up to whole rows of every recorder.
    axes : dict
        By readout, the axes of its array.
    compiled : threading.Event
        Set once the programs are compiled.
    """

    runs: CandidateRunner
    objective: Objective
    surrogate: Surrogate
    trainables: tuple[Trainable, ...]
    leaves: ParameterMap
    flat: FlatNet
    recorders: tuple[engine.Recorder, ...]
    probes: tuple[Probe, ...]
    n_steps: int
    axes: Mapping[str, Axes]
    compiled: threading.Event = dataclasses.field(default_factory=threading.Event)

    @classmethod
    def prepare(
        cls,
        runs: CandidateRunner,
        objective: Any,
        trainables: tuple[Trainable, ...],
        surrogate: Surrogate | None,
        where: str,
    ) -> Self:
        """Check everything and prepare, without running. surrogate: None for SuperSpike().

        Raises: JtfneError that names an objective, a metric, a trainable or a part of the circuit
        without a derivative, and for arrays that a metric cannot take.
        """
        metrics = _check_metrics(objective, where)
        _refuse_configs(runs.places, where)
        if surrogate is None:
            surrogate = SuperSpike()
        if not isinstance(surrogate, Surrogate):
            raise refuse(
                f"surrogate={describe_value(surrogate)}",
                "one of jtfne.surrogates, as SuperSpike()",
                where,
            )
        prepared = runs.prepared
        leaves = ParameterMap.build(
            runs.leaves.net,
            tuple(trainable.path for trainable in trainables),
            runs.spec.probe_values,
            mechanisms=mechanisms_of(prepared.config),
            delivery=Sparse(),
            where=where,
        )
        _refuse_without_gradient(leaves, where)
        names = {metric.of for metric in metrics}
        with precision(prepared.config.run.dtype):
            flat = with_surrogate(dataclasses.replace(leaves.flat, tracking=UNTRACKED), surrogate)
        signals = empty_signals(prepared)
        axes = {name: Axes.of(signals, name) for name in names}
        fields = _select_recorders(prepared.probe_plan.recorders, names)
        if "spk" in names:
            n_steps_per_row, axes["spk"] = _choose_spike_bins(
                metrics, axes["spk"], [recorder.every for recorder in fields]
            )
            fields = (SpikeRows(n_steps_per_row), *fields)
        probes = tuple(probe for probe in prepared.probe_plan.probes if probe.name in names)
        block = math.lcm(*(recorder.every for recorder in fields))
        n_steps = -(-prepared.n_steps // block) * block
        gradients = cls(
            runs, objective, surrogate, trainables, leaves, flat, fields, probes, n_steps, axes
        )
        with precision("float64"):  # let metrics refuse shapes now, not in the first generation
            zeros_by_readout = {}
            for name, readout_axes in axes.items():
                zeros_by_readout[name] = np.zeros(_shape(readout_axes))
            jax.eval_shape(functools.partial(objective.score_arrays, axes=axes), zeros_by_readout)
        return gradients

    def add_to_rows(
        self, rows: list[Row], points: Any, seeds: Sequence[int], on_progress: Callable[[int], None]
    ) -> Floats:
        """Gradients of candidates at `points` (k, d), means over seeds; also put into `rows`.

        A candidate without a score has none. A derivative that is not finite is named in the
        problems of its row.
        """
        paths, n_seeds = [trainable.path for trainable in self.trainables], len(seeds)
        scored_indices = [k for k, row in enumerate(rows) if row["score"] is not None]
        jobs: list[tuple[Any, int]] = []
        for k in scored_indices:
            point = np.asarray(points[k], np.float64)
            jobs += [(point, seed) for seed in seeds]
        run_gradients = self.compute_all(jobs, on_progress)
        means = np.full((len(rows), len(paths)), np.nan)
        for position, k in enumerate(scored_indices):
            candidate_gradients = run_gradients[position * n_seeds : (position + 1) * n_seeds]
            means[k] = np.mean([gradient.by_place for gradient in candidate_gradients], axis=0)
            for gradient, seed in zip(candidate_gradients, seeds, strict=True):
                rows[k]["problems"] += gradient.problems(paths, seed)
        for row, by_place in zip(rows, means, strict=True):
            row["slopes"] = [float(x) if np.isfinite(x) else None for x in by_place]
        return means

    def compute_all(
        self, jobs: Sequence[tuple[Any, int]], on_progress: Callable[[int], None] = lambda n: None
    ) -> list[ScoreGradient]:
        """The gradient of each (point, seed), in order, spread over the cores.

        The first job compiles the programs for all. on_progress: called with the number of jobs just done.
        """
        return run_on_threads(
            lambda job: self.compute(*job), jobs, n_cores(), self.compiled, on_progress
        )

    def compute(self, point: Any, seed: int) -> ScoreGradient:
        """The gradient of one run. point: (d,), on the scale of the search."""
        prepared = self.runs.prepared
        run_inputs = dataclasses.replace(prepared.inputs, seed=seed)
        with precision(prepared.config.run.dtype):
            x = jnp.asarray(point, self.flat.circuit.drive_pA.dtype)
            values = self._values(x)
            recordings, pulls = [], []
            for trial in range(prepared.n_trials):
                arrays, pull = _forward(
                    self.flat,
                    values,
                    _keys.key(seed, "trial", str(trial)),
                    run_inputs.inputs,
                    run_inputs.chunk(0, self.n_steps, trial),
                    self.recorders,
                    n_steps=self.n_steps,
                )
                recordings.append(arrays)
                pulls.append(pull)
        with precision("float64"):
            (score, terms), by_recordings = self._score_and_gradients(recordings)
        with precision(prepared.config.run.dtype):
            by_leaves = []
            for pull, by_recording in zip(pulls, by_recordings, strict=True):
                by_leaves.append(_backward(pull, by_recording))
            by_place = self._pull_back(
                x, jax.tree.map(lambda *trial_leaves: sum(trial_leaves), *by_leaves)
            )
        return ScoreGradient(
            float(score),
            {name: float(term) for name, term in terms.items()},
            np.asarray(by_place, float),
        )

    def _leaves_at(self, x: jax.Array) -> Arrays:
        """The circuit's arrays at a search point, by name."""
        values = [_value_at(trainable, x[k]) for k, trainable in enumerate(self.trainables)]
        leaves: Arrays = self.leaves(values, jnp)
        return leaves

    @functools.cached_property
    def _values(self) -> Callable[[jax.Array], Arrays]:
        """`_leaves_at`, compiled."""
        return jax.jit(self._leaves_at)

    @functools.cached_property
    def _pull_back(self) -> Callable[[jax.Array, Arrays], jax.Array]:
        """Compiled: gradient by the circuit's arrays -> gradient by the search point, (d,)."""
        return jax.jit(lambda x, slopes: jax.vjp(self._leaves_at, x)[1](slopes)[0])

    @functools.cached_property
    def _score_and_gradients(self) -> Callable[[list[Arrays]], Any]:
        """Compiled: arrays of all trials -> ((score, terms), gradient by the arrays).

        In double precision, like `Objective.evaluate`: squares of fields in SI would underflow.
        """

        def score(trials: list[Arrays]) -> tuple[jax.Array, Arrays]:
            trials_x64 = jax.tree.map(lambda array: array.astype(jnp.float64), trials)
            arrays = {}
            for name in trials_x64[0]:
                rows = jnp.stack([trial_arrays[name] for trial_arrays in trials_x64])
                arrays[name] = self._label_rows(name, rows)
            score_and_terms: tuple[jax.Array, Arrays] = self.objective.score_arrays(
                arrays, self.axes
            )
            return score_and_terms

        return jax.jit(jax.value_and_grad(score, has_aux=True))

    def _label_rows(self, name: str, rows: jax.Array) -> jax.Array:
        """Rows (n_trials, n_rows, ...) in the shape that a metric takes."""
        axes = self.axes[name]
        probe = next(probe for probe in self.probes if probe.name == name)
        rows = probe.combine(rows, axes.step_ms)[:, : axes.n_samples]
        return rows.reshape(rows.shape[0], *_shape(axes))


def list_unmoved_paths(rows: Sequence[Row], paths: Sequence[str]) -> list[str]:
    """Paths whose derivative was 0 for every candidate: the search could not move them."""
    unmoved_paths = []
    for k, path in enumerate(paths):
        if all(row["slopes"][k] == 0.0 for row in rows):
            unmoved_paths.append(path)
    return unmoved_paths


@functools.partial(jax.jit, static_argnames=("n_steps",))
def _forward(
    flat: FlatNet,
    values: Arrays,
    key: jax.Array,
    inputs: engine.Inputs,
    clock: engine.InputChunk,
    recorders: tuple[engine.Recorder, ...],
    n_steps: int,
) -> Any:
    """The recordings of a trial, and the function from their gradient to that by `values`."""

    def run(values: Arrays) -> Arrays:
        return arrays_of(
            flat,
            key,
            n_steps=n_steps,
            values=values,
            inputs=inputs,
            clock=clock,
            recorders=recorders,
        )

    return jax.vjp(run, values)


@jax.jit
def _backward(pull: Any, slopes: Arrays) -> Any:
    """The gradient by `values`, from that by the recordings."""
    return pull(slopes)[0]


def _value_at(trainable: Trainable, x: jax.Array) -> Any:
    """The value at a search point, unclipped in the backward pass.

    Clipping would halve the derivative at a bound, or remove it.
    """
    unclipped = trainable.free(x, jnp)
    return unclipped + jax.lax.stop_gradient(trainable.value(x, jnp) - unclipped)


def _check_metrics(objective: Any, where: str) -> Sequence[Metric]:
    """The metrics of an objective. Raises: JtfneError that names one without a derivative."""
    if not isinstance(objective, Objective):
        problem = f"objective={describe_value(objective)} with an optimizer that needs gradients"
        raise refuse(
            problem,
            "a jtfne.Objective, or an optimizer that searches by scores, as AGSDR()",
            where,
        )
    for metric in objective.metrics:
        if not metric.measure.differentiable:
            problem = (
                f"metric {metric.label!r}, a {type(metric.measure).__name__}, which has no "
                "gradient,"
            )
            raise refuse(
                problem,
                "it among the gates, or an optimizer that searches by scores, as AGSDR()",
                where,
            )
    return objective.metrics


def _refuse_configs(places: Sequence[Place], where: str) -> None:
    """Raises: JtfneError for a path whose values are no arrays of the circuit."""
    for place in places:
        if place.family == CONFIG:
            problem = f"path={place.path!r}, which is no array of the circuit and has no gradient,"
            allowed = "another path, or an optimizer that searches by scores, as AGSDR()"
            raise refuse(problem, allowed, where)


def _refuse_without_gradient(leaves: ParameterMap, where: str) -> None:
    """Raises: JtfneError for a path through which no surrogate gives a gradient."""
    senders = set()
    for population in leaves.net.populations:
        if not can_receive(population.emitter):
            senders.add(population.cell_type)
    for place in leaves.places:
        if place.family == "cells" and (place.field in COUNTED or place.name in senders):
            reason = (
                "which is counted in steps" if place.field in COUNTED else "of cells that only send"
            )
            problem = f"path={place.path!r}, {reason} and has no gradient,"
            raise refuse(
                problem,
                "another path, or an optimizer that searches by scores, as AGSDR()",
                where,
            )


def _select_recorders(recorders: Sequence[engine.Recorder], names: set[str]) -> tuple[Any, ...]:
    """The recorders, reduced to the readouts in `names`."""
    reduced_recorders: list[Any] = []
    for recorder in recorders:
        if isinstance(recorder, SourceRows):
            parts = {name: part for name, part in recorder.parts.items() if name in names}
            if parts:
                reduced_recorders.append(dataclasses.replace(recorder, parts=parts))
    return tuple(reduced_recorders)


def _choose_spike_bins(
    metrics: Sequence[Metric], axes: Axes, other_intervals: Sequence[int]
) -> tuple[int, Axes]:
    """How many steps of spikes to sum in one row so that all metrics still fit; the new axes.

    other_intervals: row lengths of other recorders, steps. A row is no longer than a chunk of the
    backward pass.
    """
    common_steps = axes.n_samples
    for index, metric in enumerate(metrics):
        if metric.of == "spk":
            part = select_part(metric, axes, f"Objective.metrics[{index}]")
            n_steps = metric.measure.bin_of(part.frame.n_samples, axes.step_ms)
            common_steps = math.gcd(common_steps, part.start, part.stop, n_steps)
    max_steps = max(math.isqrt(axes.n_samples), math.lcm(*other_intervals))
    n_steps = min(common_steps, max_steps)
    while common_steps % n_steps or math.lcm(n_steps, *other_intervals) > max_steps:
        n_steps -= 1  # ends at 1 at the latest
    binned_axes = dataclasses.replace(
        axes, step_ms=axes.step_ms * n_steps, n_samples=axes.n_samples // n_steps
    )
    return n_steps, binned_axes


def _shape(axes: Axes) -> tuple[int, ...]:
    """Shape of one trial's array on `axes`: (time, ...)."""
    dims = [name for name in ("neuron", "area", "channel") if name in axes.labels]
    dims = ["neuron"] if "neuron" in dims else dims
    return (axes.n_samples, *(int(np.size(axes.labels[name])) for name in dims))
