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
from jtfne.delivery import Sparse
from jtfne.differentiable import SpikeRows, arrays_of, with_surrogate
from jtfne.emitters import can_receive
from jtfne.flatnet import FlatNet
from jtfne.measures import weighted_sum
from jtfne.objective import Axes, Objective
from jtfne.objective._axes import select_part
from jtfne.probes import Probe, SourceRows
from jtfne.probes.weighted_sums import WeightedSumProbe
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
        problems = [
            f"term {name!r} of the run with slopes is {x:g}"
            for name, x in self.terms.items()
            if not _is_finite(x)
        ]
        slopes = zip(paths, self.by_place, strict=True)
        problems += [f"the slope by {path!r} is {x:g}" for path, x in slopes if not _is_finite(x)]
        return [f"{problem} (seed {seed})" for problem in problems]


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
    def of(
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
        metrics, surrogate = (
            _check_metrics(objective, where),
            SuperSpike() if surrogate is None else surrogate,
        )
        if not isinstance(surrogate, Surrogate):
            raise refuse(
                f"surrogate={describe_value(surrogate)}",
                "one of jtfne.surrogates, as SuperSpike()",
                where,
            )
        typical, prepared = runs.spec.typical, runs.prepared
        paths = tuple(trainable.path for trainable in trainables)
        mechanisms = mechanisms_of(prepared.config)
        leaves = ParameterMap.build(
            runs.leaves.net, paths, typical, mechanisms=mechanisms, delivery=Sparse(), where=where
        )
        _refuse_without_gradient(leaves, where)
        names = {metric.of for metric in metrics}
        with precision(prepared.config.run.dtype):
            flat = with_surrogate(dataclasses.replace(leaves.flat, tracking=UNTRACKED), surrogate)
        signals = empty_signals(prepared)
        axes = {name: Axes.of(signals, name) for name in names}
        fields = _select_recorders(prepared.probe_plan.recorders, names)
        if "spk" in names:
            n_steps_per_row, axes["spk"] = _binned(
                metrics, axes["spk"], [recorder.every for recorder in fields]
            )
            fields = (SpikeRows(n_steps_per_row), *fields)
        probes = tuple(probe for probe in prepared.probe_plan.probes if probe.name in names)
        block = math.lcm(*(recorder.every for recorder in fields))
        n_steps = -(-prepared.n_steps // block) * block
        slopes = cls(
            runs, objective, surrogate, trainables, leaves, flat, fields, probes, n_steps, axes
        )
        with precision("float64"):  # let metrics refuse shapes now, not in the first generation
            zero_arrays = {
                name: np.zeros(_shape(readout_axes)) for name, readout_axes in axes.items()
            }
            jax.eval_shape(functools.partial(objective.score_arrays, axes=axes), zero_arrays)
        return slopes

    def of_rows(
        self, rows: list[Row], places: Any, seeds: Sequence[int], tick: Callable[[int], None]
    ) -> Floats:
        """Gradients of candidates at `places` (k, d), means over seeds; also put into `rows`.

        A candidate without a score has none. A derivative that is not finite is named in the
        problems of its row.
        """
        paths = [trainable.path for trainable in self.trainables]
        scored_indices = [k for k, row in enumerate(rows) if row["score"] is not None]
        jobs = [(np.asarray(places[k], np.float64), seed) for k in scored_indices for seed in seeds]
        run_slopes, n_seeds = self.all(jobs, tick), len(seeds)
        slopes = np.full((len(rows), len(paths)), np.nan)
        for position, k in enumerate(scored_indices):
            candidate_slopes = run_slopes[position * n_seeds : (position + 1) * n_seeds]
            slopes[k] = np.mean([slope.by_place for slope in candidate_slopes], axis=0)
            slopes_and_seeds = zip(candidate_slopes, seeds, strict=True)
            rows[k]["problems"] += [
                problem
                for slope, seed in slopes_and_seeds
                for problem in slope.problems(paths, seed)
            ]
        for row, by_place in zip(rows, slopes, strict=True):
            row["slopes"] = [float(x) if _is_finite(x) else None for x in by_place]
        return slopes

    def all(
        self, jobs: Sequence[tuple[Any, int]], tick: Callable[[int], None] = lambda n: None
    ) -> list[ScoreGradient]:
        """The gradient of each (place, seed), in order, spread over the cores.

        The first job compiles the programs for all. tick: called with the number of jobs just done.
        """
        return run_on_threads(lambda job: self.at(*job), jobs, n_cores(), self.compiled, tick)

    def at(self, place: Any, seed: int) -> ScoreGradient:
        """The gradient of one run. place: (d,), on the scale of the search."""
        prepared = self.runs.prepared
        run_inputs = dataclasses.replace(prepared.inputs, seed=seed)
        with precision(prepared.config.run.dtype):
            x = jnp.asarray(place, self.flat.circuit.drive_pA.dtype)
            values = self._values(x)
            runs = []
            for trial in range(prepared.n_trials):
                key = _keys.key(seed, "trial", str(trial))
                clock = run_inputs.chunk(0, self.n_steps, trial)
                runs.append(
                    _forward(
                        self.flat,
                        values,
                        key,
                        run_inputs.inputs,
                        clock,
                        self.recorders,
                        n_steps=self.n_steps,
                    )
                )
        with precision("float64"):
            (score, terms), slopes = self._score_and_gradients([arrays for arrays, _ in runs])
        with precision(prepared.config.run.dtype):
            leaf_slopes = [
                _backward(pull, slope) for (_, pull), slope in zip(runs, slopes, strict=True)
            ]
            by_place = self._pull_back(
                x, jax.tree.map(lambda *trial_leaves: sum(trial_leaves), *leaf_slopes)
            )
        return ScoreGradient(
            float(score),
            {name: float(term) for name, term in terms.items()},
            np.asarray(by_place, float),
        )

    def _leaves_at(self, x: jax.Array) -> Arrays:
        """The circuit's arrays at a search point, by name."""
        leaves: Arrays = self.leaves(
            [_value_at(trainable, x[k]) for k, trainable in enumerate(self.trainables)], jnp
        )
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
            trials_x64 = [
                {name: array.astype(jnp.float64) for name, array in arrays.items()}
                for arrays in trials
            ]
            arrays = {
                name: self._label_rows(
                    name, jnp.stack([trial_arrays[name] for trial_arrays in trials_x64])
                )
                for name in trials_x64[0]
            }
            score_and_terms: tuple[jax.Array, Arrays] = self.objective.score_arrays(
                arrays, self.axes
            )
            return score_and_terms

        return jax.jit(jax.value_and_grad(score, has_aux=True))

    def _label_rows(self, name: str, rows: jax.Array) -> jax.Array:
        """Rows (n_trials, n_rows, ...) in the shape that a metric takes."""
        axes = self.axes[name]
        probe = next((probe for probe in self.probes if probe.name == name), None)
        if isinstance(probe, WeightedSumProbe):
            sums = jnp.moveaxis(rows.reshape(*rows.shape[:2], -1, 2), 1, -1)
            weighted_sums = weighted_sum.weighted_sum(
                sums[:, :, 0], sums[:, :, 1], axes.step_ms, probe.weights
            )
            rows = jnp.moveaxis(weighted_sums, -1, 1)
        rows = rows[:, : axes.n_samples]
        return rows.reshape(rows.shape[0], *_shape(axes))


def without_slope(rows: Sequence[Row], paths: Sequence[str]) -> list[str]:
    """Paths whose derivative was 0 for every candidate: the search could not move them."""
    slopes = [row["slopes"] for row in rows]
    return [
        path
        for k, path in enumerate(paths)
        if all(candidate_slopes[k] == 0.0 for candidate_slopes in slopes)
    ]


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


def _is_finite(x: Any) -> bool:
    """Whether `x` is a finite number."""
    return bool(np.isfinite(x))


def _check_metrics(objective: Any, where: str) -> Sequence[Metric]:
    """The metrics of an objective. Raises: JtfneError that names one without a derivative."""
    if not isinstance(objective, Objective):
        message_given = (
            f"objective={describe_value(objective)} with an optimizer that needs gradients"
        )
        raise refuse(
            message_given,
            "a jtfne.Objective, or an optimizer that searches by scores, as AGSDR()",
            where,
        )
    for metric in objective.metrics:
        if not metric.measure.differentiable:
            message_given = (
                f"metric {metric.label!r}, a {type(metric.measure).__name__}, which has no "
                "gradient,"
            )
            raise refuse(
                message_given,
                "it among the gates, or an optimizer that searches by scores, as AGSDR()",
                where,
            )
    return objective.metrics


def _refuse_without_gradient(leaves: ParameterMap, where: str) -> None:
    """Raises: JtfneError for a path through which no surrogate gives a gradient."""
    populations = leaves.net.populations
    senders = {
        population.cell_type for population in populations if not can_receive(population.emitter)
    }
    for place in leaves.places:
        if place.family == "cells" and (place.field in COUNTED or place.name in senders):
            reason = (
                "which is counted in steps" if place.field in COUNTED else "of cells that only send"
            )
            message_given = f"path={place.path!r}, {reason} and has no gradient,"
            raise refuse(
                message_given,
                "another path, or an optimizer that searches by scores, as AGSDR()",
                where,
            )


def _select_recorders(recorders: Sequence[engine.Recorder], names: set[str]) -> tuple[Any, ...]:
    """The recorders, reduced to the readouts in `names`."""
    reduced_recorders: list[Any] = []
    for recorder in recorders:
        if isinstance(recorder, SourceRows):
            parts = {name: part for name, part in recorder.parts.items() if name in names}
            reduced_recorders += [dataclasses.replace(recorder, parts=parts)] if parts else []
    return tuple(reduced_recorders)


def _binned(
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
    n_steps = next(
        n
        for n in range(min(common_steps, max_steps), 0, -1)
        if common_steps % n == 0 and math.lcm(n, *other_intervals) <= max_steps
    )
    return n_steps, dataclasses.replace(
        axes, step_ms=axes.step_ms * n_steps, n_samples=axes.n_samples // n_steps
    )


def _shape(axes: Axes) -> tuple[int, ...]:
    """Shape of one trial's array on `axes`: (time, ...)."""
    dims = [name for name in ("neuron", "area", "channel") if name in axes.labels]
    dims = ["neuron"] if "neuron" in dims else dims
    return (axes.n_samples, *(int(np.size(axes.labels[name])) for name in dims))
