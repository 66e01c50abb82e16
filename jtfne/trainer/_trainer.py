"""The training loop: ask an optimizer, run its candidates, tell it their scores, store all."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jtfne import _keys
from jtfne._arguments import check_flag, check_instance, check_list, describe_argument
from jtfne._check import describe_value, names_fields, refuse, whole_number
from jtfne._precision import defined_jax_flags
from jtfne.candidates import (
    Candidate,
    CandidateRunner,
    Client,
    FailedRun,
    choose_probe_values,
    find_grid_steps,
    merge_paradigm,
    round_to,
)
from jtfne.config import Config, Trainable
from jtfne.config.parameters import Parameters
from jtfne.net import Net
from jtfne.objective import Objective
from jtfne.optimizers import AGSDR, Optimizer
from jtfne.paradigm import Paradigm
from jtfne.pydantic_fields.part_protocols import OPTIMIZER
from jtfne.surrogates import Surrogate
from jtfne.trainer._checks import check_execution, check_seeds
from jtfne.trainer._folder import Arrays, PartStore, open_parts
from jtfne.trainer._gradients import ScoreGradients, list_unmoved_paths
from jtfne.trainer._progress import RunProgress, show_run_progress
from jtfne.trainer._provenance import circuit_provenance, to_json_values
from jtfne.trainer._report import describe_best, find_paths_at_bounds, make_report
from jtfne.trainer._result import TrainingResult, make_history
from jtfne.trainer._scores import EvaluateObjective, Evaluator, Row, find_best_row, make_row

WHERE = "Trainer.fit"


@names_fields
@dataclasses.dataclass(frozen=True, eq=False)
class Trainer:
    """Tunes a circuit: an objective to reach, trainables to change, an optimizer to search with.

    Parameters
    ----------
    objective : Objective, optional
        What scores a run, lower is better, and its gates; the config's if left out.
    trainables : sequence of Trainable, optional
        What may be changed; the config's if left out. Tables of which they are made will do.
    optimizer : one of jtfne.optimizers
        It searches from what the config declares, in the scale of each trainable.
    paradigm : Paradigm, optional
        What is presented; the config's own stimuli if left out.
    seeds : sequence of int
        Of initial state, noise and stimuli: each candidate is run with all of them, and scored by
        the mean. The first is that of the search too.
    budget : int
        Candidates to run, each with all seeds; whole generations of them are.
    stop_when_passed : bool
        Whether to stop after the first generation in which a candidate passes all gates with all
        seeds.
    surrogate : one of jtfne.surrogates, optional
        The derivative of spikes, for an optimizer that needs gradients; SuperSpike() if left out.
        Each candidate is then run twice with each seed: as events, which score it, and with slopes.
        Gates may be of any measure.

    Examples
    --------
    >>> import jtfne
    >>> cfg = (
    ...     jtfne.suite2_net1_config(20).runtime(duration_ms=50.0)
    ...     .objective([{"measure": "MeanRate", "cells": "E", "target": 20.0, "scale": 10.0}])
    ...     .trainables([{"path": "cells.E.drive", "bounds": (0.0, 10.0)}]))
    >>> trainer = jtfne.Trainer(optimizer=jtfne.optimizers.RandomSearch(n=4), budget=8)
    >>> result = trainer.fit(jtfne.construct(cfg), progress=False)
    >>> len(result.history), result.history["generation"].tolist()[-1]
    (8, 1)
    """

    objective: Evaluator | None = None
    trainables: Sequence[Trainable | Mapping[str, Any]] | None = None
    optimizer: Optimizer = dataclasses.field(default_factory=AGSDR)
    paradigm: Paradigm | None = None
    seeds: Sequence[int] = (0,)
    budget: int = 360
    stop_when_passed: bool = False
    surrogate: Surrogate | None = None

    @defined_jax_flags()
    def fit(
        self,
        net: Net,
        out: str | Path | None = None,
        *,
        resume: bool = True,
        progress: bool | None = None,
        client: Client | None = None,
    ) -> TrainingResult:
        """Search for the circuit with the best score.

        Parameters
        ----------
        net : Net
            Where it starts; candidates have its edges, but for trainables from which edges are
            made.
        out : str or Path, optional
            A folder that keeps each generation as it is done: after a kill the same call goes on to
            the same bits, and with a larger budget further. It ends with report.json,
            best_config.json and history.csv.
        resume : bool
            Whether to go on with what is in `out`; if not, `out` must be new or empty.
        progress : bool, optional
            A bar on stderr; by default if that is a terminal.
        client : executor, optional
            What runs candidates elsewhere: a `concurrent.futures.Executor`, a
            `dask.distributed.Client`, or what has their `submit`. Workers are sent the config and
            construct the circuit themselves; the result is that of one process, in which slopes
            stay. A lost worker costs a retry, of which the log of "jtfne" tells.

        Returns
        -------
        TrainingResult

        Raises
        ------
        JtfneError
            Before any run, for paths, bounds, seeds and budgets that are not allowed, for an `out`
            with anything else, and with an optimizer that needs gradients for what has none; and
            for a generation in which no candidate has a finite score, or from which no finite slope
            leads.
        """
        _check_fit(self, net, resume=resume, progress=progress, client=client)
        fit = _Fit.prepare(self, net)
        total = max(self.budget // fit.n_candidates, 0)
        if total < 1:
            allowed = f"at least {fit.n_candidates}, the candidates of a generation"
            raise refuse(f"budget={describe_value(self.budget)}", allowed, WHERE)
        start_s = time.perf_counter()
        with open_parts(out, fit.provenance(), resume=resume, where=WHERE) as parts:
            n_runs = fit.count_runs(total - len(parts.rows))
            with show_run_progress("training", n_runs, shown=progress) as progress_bar:
                fit.search(parts, total, client, progress_bar)
            result = fit.result(parts, time.perf_counter() - start_s)
            parts.write(
                {
                    "report.json": result.to_json().encode(),
                    "best_config.json": result.best_config.to_json().encode(),
                    "history.csv": result.history.to_csv(index=False).encode(),
                }
            )
        return result


@dataclasses.dataclass(frozen=True, eq=False)
class _Fit:
    """A training that is checked and prepared, before its first generation."""

    trainer: Trainer
    net: Net
    trainables: tuple[Trainable, ...]
    start: tuple[float, ...]
    runs: CandidateRunner
    seeds: tuple[int, ...]
    gradients: ScoreGradients | None
    grid_steps: tuple[float | None, ...]  # of values that must be multiples of dt

    @classmethod
    def prepare(cls, trainer: Trainer, net: Net) -> "_Fit":
        """Check everything and prepare. Raises: JtfneError."""
        trainables = _list_trainables(trainer, net)
        config = merge_paradigm(net.config, trainer.paradigm)
        objective: Any = trainer.objective
        if objective is None:
            objective = Objective.of(net.config)
        if trainer.surrogate is not None and not trainer.optimizer.needs_gradients:
            problem = (
                f"surrogate={describe_value(trainer.surrogate)} with {type(trainer.optimizer).__name__}, which "
                "needs no slopes,"
            )
            raise refuse(problem, "optimizer=Gradient(), or no surrogate", "Trainer")
        seeds = check_seeds(trainer.seeds, "Trainer")
        runs = CandidateRunner.prepare(
            net,
            [trainable.path for trainable in trainables],
            choose_probe_values(config, trainables, "Trainer.trainables"),
            paradigm=trainer.paradigm,
            readouts=getattr(objective, "readouts", None),
            where="Trainer.trainables",
        )
        grid_steps = find_grid_steps(
            config, runs.places, runs.spec.probe_values, "Trainer.trainables"
        )
        gradients = None
        if trainer.optimizer.needs_gradients:
            gradients = ScoreGradients.prepare(
                runs, objective, trainables, trainer.surrogate, "Trainer"
            )
        return cls(
            dataclasses.replace(trainer, objective=objective),
            net,
            trainables,
            _declared_start(config, trainables),
            runs,
            seeds,
            gradients,
            tuple(grid_steps),
        )

    @property
    def n_candidates(self) -> int:
        """Candidates in a generation."""
        return self.trainer.optimizer.n_candidates(len(self.trainables))

    @property
    def paths(self) -> list[str]:
        """The paths of the trainables."""
        return [trainable.path for trainable in self.trainables]

    def count_runs(self, n_generations: int) -> int:
        """The runs of so many generations: events, and a second run each where gradients are."""
        runs_per_candidate = len(self.seeds) * (1 if self.gradients is None else 2)
        return max(n_generations, 0) * self.n_candidates * runs_per_candidate

    def provenance(self) -> dict[str, Any]:
        """What distinguishes this training from any other, by name; the budget is not in it."""
        provenance = {
            **circuit_provenance(self.runs),
            "objective": to_json_values(self.trainer.objective),
            "optimizer": to_json_values(self.trainer.optimizer),
            "trainables": [trainable.model_dump(mode="json") for trainable in self.trainables],
            "seeds": list(self.seeds),
        }
        if self.gradients is not None:
            provenance["surrogate"] = to_json_values(self.gradients.surrogate)
        return provenance

    def search(
        self, parts: PartStore, total: int, client: Client | None, progress_bar: RunProgress
    ) -> None:
        """Run generations into `parts` until there are `total`, or one has passed."""
        state = self._restore_state(parts.state)
        if "without_effect" not in parts.notes:
            parts.note(without_effect=self._find_paths_without_effect(client))
        progress_bar.best(describe_best(parts.list_rows(), len(parts.rows)))
        while len(parts.rows) < total and not self._may_stop(parts):
            candidates, state_to_tell = self.trainer.optimizer.ask(state)
            rows = self._evaluate_generation(
                len(parts.rows), np.asarray(candidates, np.float64), client, progress_bar
            )
            scores = np.array([np.nan if row["score"] is None else row["score"] for row in rows])
            if not np.isfinite(scores).any():
                problems = _list_problems(rows)
                reason = problems[0] if problems else "each is infinite"
                problem = (
                    f"generation {len(parts.rows)}, in which no candidate has a finite score "
                    f"({reason}),"
                )
                raise refuse(problem, "bounds within which some circuit can be scored", WHERE)
            state = self._tell_scores(state_to_tell, candidates, rows, scores, progress_bar)
            parts.append(rows, [_keys.to_stored(leaf) for leaf in jax.tree.leaves(state)])
            progress_bar.best(describe_best(parts.list_rows(), len(parts.rows)))

    def _may_stop(self, parts: PartStore) -> bool:
        """Whether a candidate passed all gates with all seeds, and that is enough."""
        if not self.trainer.stop_when_passed:
            return False
        return any(row["passed"] for row in parts.list_rows())

    def _tell_scores(
        self,
        state_to_tell: Any,
        candidates: Any,
        rows: list[Row],
        scores: Any,
        progress_bar: RunProgress,
    ) -> Any:
        """The optimizer's state after `scores`, and after gradients if it needs them.

        Gradients go into `rows` too.
        """
        optimizer = self.trainer.optimizer
        if self.gradients is None:
            return optimizer.tell(state_to_tell, candidates, scores)
        slopes = self.gradients.add_to_rows(rows, candidates, self.seeds, progress_bar.ran)
        state = optimizer.tell(state_to_tell, candidates, scores, slopes)
        no_finite_slope = not np.isfinite(slopes).all(axis=1).any()
        if no_finite_slope and np.array_equal(optimizer.ask(state)[0], candidates):
            last_problems = [row["problems"][-1] for row in rows if row["problems"]]
            reason = last_problems[0] if last_problems else "none is finite"
            problem = (
                f"generation {rows[0]['generation']}, from which no slope leads on ({reason}),"
            )
            raise refuse(problem, "another start, other bounds, or another surrogate", WHERE)
        return state

    def _restore_state(self, stored_leaves: Arrays | None) -> Any:
        """The optimizer's state: at the start, or with `stored_leaves`."""
        bounds = np.array([trainable.search_bounds for trainable in self.trainables])
        start_point = []
        for trainable, value in zip(self.trainables, self.start, strict=True):
            start_point.append(trainable.to_search_scale(value))
        key = _keys.key(self.seeds[0], "search")
        start_state = self.trainer.optimizer.init(key, bounds[:, 0], bounds[:, 1], start_point)
        if stored_leaves is None:
            return start_state
        start_leaves, structure = jax.tree.flatten(start_state)
        leaves = map(_keys.from_stored, stored_leaves, start_leaves)
        return jax.tree.unflatten(structure, leaves)

    def _evaluate_generation(
        self, generation: int, points: Any, client: Client | None, progress_bar: RunProgress
    ) -> list[Row]:
        """Run the candidates of a generation and return their rows. points: (n_candidates, d)."""
        values = [self._to_values(point) for point in points]
        jobs = []
        for candidate_values in values:
            jobs += [Candidate(candidate_values, seed) for seed in self.seeds]
        outcomes = self.runs.evaluate_all(
            jobs, EvaluateObjective(self.trainer.objective), client, progress_bar.ran
        )
        n_seeds = len(self.seeds)
        rows = []
        for k in range(len(values)):
            candidate_outcomes = outcomes[k * n_seeds : (k + 1) * n_seeds]
            rows.append(make_row(generation, k, points[k], values[k], candidate_outcomes))
        return rows

    def _to_values(self, point: Any) -> tuple[float, ...]:
        """The parameter values at a search point."""
        values = []
        for trainable, step, x in zip(self.trainables, self.grid_steps, point, strict=True):
            values.append(round_to(trainable.value(float(x)), step))
        return tuple(values)

    def _find_paths_without_effect(self, client: Client | None) -> list[str]:
        """Paths without effect: moving each to its farther bound changes no bit of any score."""
        variants = [self.start]
        for k, trainable in enumerate(self.trainables):
            low, high = trainable.bounds
            farther_bound = low if abs(low - self.start[k]) >= abs(high - self.start[k]) else high
            variants.append((*self.start[:k], farther_bound, *self.start[k + 1 :]))
        start_outcome, *variant_outcomes = self.runs.evaluate_all(
            [Candidate(variant, self.seeds[0]) for variant in variants],
            EvaluateObjective(self.trainer.objective),
            client,
        )
        paths = []
        for path, outcome in zip(self.paths, variant_outcomes, strict=True):
            if not isinstance(outcome, FailedRun) and outcome == start_outcome:
                paths.append(path)
        return paths

    def result(self, parts: PartStore, took_s: float) -> TrainingResult:
        """The result: the best candidate of all generations, and the report."""
        rows = parts.list_rows()
        best = find_best_row(rows)
        assert best is not None, "a generation without a finite score is refused"
        config = self.runs.config(best["values"]).trainables(self.trainables)
        circuit = self.runs.circuit(best["values"])
        net = Net(config, circuit.identity, circuit.projections, n_neurons=circuit.n_neurons)
        report = make_report(
            self.provenance(),
            rows,
            best,
            config,
            self.trainables,
            self.start,
            n_generations=len(parts.rows),
            wall_s=took_s,
        )
        report["without_effect"] = parts.notes["without_effect"]
        report["at_bounds"] = find_paths_at_bounds(self.trainables, best["values"])
        if self.gradients is not None:
            report["without_slope"] = list_unmoved_paths(rows, self.paths)
        history = make_history(rows, self.paths)
        return TrainingResult(config, net, float(best["score"]), history, report)


def _declared_start(config: Config, trainables: Sequence[Trainable]) -> tuple[float, ...]:
    """The declared values, clipped to the bounds: where the search starts."""
    parameters = Parameters.of(config)
    start = []
    for trainable in trainables:
        place = parameters.find(trainable.path, WHERE)
        low, high = trainable.bounds
        start.append(min(max(parameters.value(place) or 0.0, low), high))
    return tuple(start)


def _list_problems(rows: Sequence[Row]) -> list[str]:
    """The problems of all candidates, in order."""
    problems: list[str] = []
    for row in rows:
        problems += row["problems"]
    return problems


def _list_trainables(trainer: Trainer, net: Net) -> tuple[Trainable, ...]:
    """The trainables of a training, or of its net's config.
    Raises: JtfneError for anything else in the list.
    """
    if trainer.trainables is None:
        return net.config.training.trainables
    entries = check_list(
        trainer.trainables, allowed="a list of Trainable", name="trainables", where="Trainer"
    )
    return tuple(Trainable.model_validate(trainable) for trainable in entries)


def _check_fit(trainer: Trainer, net: Any, *, resume: Any, progress: Any, client: Any) -> None:
    """Raises: JtfneError if an argument of `Trainer` or `fit` is of another type."""
    check_instance(net, Net, allowed="a Net, from jtfne.construct(config)", name="net", where=WHERE)
    whole_number(trainer.budget, name="budget", where="Trainer")
    check_flag(trainer.stop_when_passed, name="stop_when_passed", where="Trainer")
    objective = trainer.objective
    if objective is not None and (
        isinstance(objective, type) or not callable(getattr(objective, "evaluate", None))
    ):
        raise refuse(
            f"objective={describe_argument(objective)}",
            "an Objective: what has evaluate(signals)",
            "Trainer",
        )
    optimizer = trainer.optimizer
    if isinstance(optimizer, type) or not all(
        hasattr(optimizer, name) for name in OPTIMIZER.needed
    ):
        raise refuse(
            f"optimizer={describe_argument(optimizer)}",
            "one of jtfne.optimizers, as AGSDR()",
            "Trainer",
        )
    optional = (
        ("paradigm", trainer.paradigm, Paradigm, "a jtfne.Paradigm, or None"),
        (
            "surrogate",
            trainer.surrogate,
            Surrogate,
            "one of jtfne.surrogates, as SuperSpike(), or None",
        ),
    )
    for name, value, kind, allowed in optional:
        if value is not None:
            check_instance(value, kind, allowed=allowed, name=name, where="Trainer")
    _list_trainables(trainer, net)
    check_seeds(trainer.seeds, "Trainer")
    check_execution(resume=resume, progress=progress, client=client, where=WHERE)
