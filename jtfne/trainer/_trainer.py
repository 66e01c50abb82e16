"""The training loop: ask an optimizer, run its candidates, tell it their scores, store all."""

import dataclasses
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jtfne import _json, _keys
from jtfne._arguments import check_flag, check_instance, check_list, describe_argument
from jtfne._check import Limit, describe_value, refuse, whole_number
from jtfne._precision import settled
from jtfne.candidates import Candidate, CandidateRunner, Client, FailedRun, choose_probe_values
from jtfne.config import Trainable
from jtfne.config.parameter_paths import find_place, get_value, list_places
from jtfne.net import Net
from jtfne.objective import Objective
from jtfne.optimizers import AGSDR, Optimizer
from jtfne.paradigm import Paradigm
from jtfne.pydantic_fields.custom_parts import name_kind
from jtfne.reports import bit_conditions, machine, software
from jtfne.surrogates import Surrogate
from jtfne.trainer._folder import Arrays, PartStore, open_parts
from jtfne.trainer._gradients import ScoreGradients, without_slope
from jtfne.trainer._progress import Told, progress_of
from jtfne.trainer._result import TrainingResult, describe_verdict, make_history
from jtfne.trainer._scores import Aim, EvaluateObjective, Row, find_best_row, row_of

WHERE = "Trainer.fit"
REPORT_VERSION = "1"


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
    """

    objective: Aim | None = None
    trainables: Sequence[Trainable | Mapping[str, Any]] | None = None
    optimizer: Optimizer = dataclasses.field(default_factory=AGSDR)
    paradigm: Paradigm | None = None
    seeds: Sequence[int] = (0,)
    budget: int = 360
    stop_when_passed: bool = False
    surrogate: Surrogate | None = None

    @settled()
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
            Where it starts; candidates have its edges.
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
        fit = _Fit.of(self, net)
        total = max(self.budget // fit.n_candidates, 0)
        if total < 1:
            allowed = f"at least {fit.n_candidates}, the candidates of a generation"
            raise refuse(f"budget={describe_value(self.budget)}", allowed, WHERE)
        start_s = time.perf_counter()
        with open_parts(out, fit.about(), resume=resume, where=WHERE) as parts:
            n_runs = (
                fit.n_candidates
                * len(fit.seeds)
                * (total - len(parts.rows))
                * (1 if fit.slopes is None else 2)
            )
            with progress_of("training", max(n_runs, 0), shown=progress) as progress_bar:
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
    slopes: ScoreGradients | None

    @classmethod
    def of(cls, trainer: Trainer, net: Net) -> "_Fit":
        """Check everything and prepare. Raises: JtfneError."""
        trainables = _list_trainables(trainer, net)
        objective: Any = (
            Objective.of(net.config) if trainer.objective is None else trainer.objective
        )
        if trainer.surrogate is not None and not trainer.optimizer.needs_gradients:
            message_given = (
                f"surrogate={describe_value(trainer.surrogate)} with {type(trainer.optimizer).__name__}, which "
                "needs no slopes,"
            )
            raise refuse(message_given, "optimizer=Gradient(), or no surrogate", "Trainer")
        seeds = check_seeds(trainer.seeds, "Trainer")
        typical = choose_probe_values(net, trainables, "Trainer.trainables")
        readouts = getattr(objective, "readouts", None)
        paths = [trainable.path for trainable in trainables]
        runs = CandidateRunner.prepare(
            net,
            paths,
            typical,
            paradigm=trainer.paradigm,
            readouts=readouts,
            where="Trainer.trainables",
        )
        parameters = list_places(net.config.circuit)
        declared_values = [
            get_value(net.config.circuit, find_place(path, parameters, WHERE)) for path in paths
        ]
        values_and_bounds = zip(
            declared_values, (trainable.bounds for trainable in trainables), strict=True
        )
        start = tuple(min(max(value or 0.0, low), high) for value, (low, high) in values_and_bounds)
        slopes = None
        if trainer.optimizer.needs_gradients:
            slopes = ScoreGradients.of(runs, objective, trainables, trainer.surrogate, "Trainer")
        return cls(
            dataclasses.replace(trainer, objective=objective),
            net,
            trainables,
            start,
            runs,
            seeds,
            slopes,
        )

    @property
    def n_candidates(self) -> int:
        """Candidates in a generation."""
        return self.trainer.optimizer.n_candidates(len(self.trainables))

    def about(self) -> dict[str, Any]:
        """What distinguishes this training from any other, by name; the budget is not in it."""
        return {
            **circuit_provenance(self.runs),
            "objective": to_json_values(self.trainer.objective),
            "optimizer": to_json_values(self.trainer.optimizer),
            "trainables": [trainable.model_dump(mode="json") for trainable in self.trainables],
            "seeds": list(self.seeds),
            **({} if self.slopes is None else {"surrogate": to_json_values(self.slopes.surrogate)}),
        }

    def search(
        self, parts: PartStore, total: int, client: Client | None, progress_bar: Told
    ) -> None:
        """Run generations into `parts` until there are `total`, or one has passed."""
        state = self._restore_state(parts.state)
        if "without_effect" not in parts.notes:
            parts.note(without_effect=self._find_paths_without_effect(client))
        progress_bar.best(_describe_best(parts))
        while len(parts.rows) < total and not (
            self.trainer.stop_when_passed and _has_passed(parts)
        ):
            optimizer = self.trainer.optimizer
            candidates, state_to_tell = optimizer.ask(state)
            rows = self._evaluate_generation(
                len(parts.rows), np.asarray(candidates, np.float64), client, progress_bar
            )
            scores = np.array([np.nan if row["score"] is None else row["score"] for row in rows])
            if not np.isfinite(scores).any():
                reason = next(
                    (problem for row in rows for problem in row["problems"]), "each is infinite"
                )
                message_given = (
                    f"generation {len(parts.rows)}, in which no candidate has a finite score "
                    f"({reason}),"
                )
                raise refuse(message_given, "bounds within which some circuit can be scored", WHERE)
            state = self._tell_scores(state_to_tell, candidates, rows, scores, progress_bar)
            parts.put(rows, [np.asarray(leaf) for leaf in jax.tree.leaves(state)])
            progress_bar.best(_describe_best(parts))

    def _tell_scores(
        self, state_to_tell: Any, candidates: Any, rows: list[Row], scores: Any, progress_bar: Told
    ) -> Any:
        """The optimizer's state after `scores`, and after gradients if it needs them.

        Gradients go into `rows` too.
        """
        if self.slopes is None:
            return self.trainer.optimizer.tell(state_to_tell, candidates, scores)
        slopes = self.slopes.of_rows(rows, candidates, self.seeds, progress_bar.ran)
        state = self.trainer.optimizer.tell(state_to_tell, candidates, scores, slopes)
        no_finite_slope = not np.isfinite(slopes).all(axis=1).any()
        if no_finite_slope and np.array_equal(self.trainer.optimizer.ask(state)[0], candidates):
            reason = next(
                (row["problems"][-1] for row in rows if row["problems"]), "none is finite"
            )
            message_given = (
                f"generation {rows[0]['generation']}, from which no slope leads on ({reason}),"
            )
            raise refuse(message_given, "another start, other bounds, or another surrogate", WHERE)
        return state

    def _restore_state(self, stored_leaves: Arrays | None) -> Any:
        """The optimizer's state: at the start, or with `stored_leaves`."""
        bounds = np.array([trainable.search_bounds for trainable in self.trainables])
        start = [
            trainable.searched(value)
            for trainable, value in zip(self.trainables, self.start, strict=True)
        ]
        key = _keys.key(self.seeds[0], "search")
        start_state = self.trainer.optimizer.init(key, bounds[:, 0], bounds[:, 1], start)
        return (
            start_state
            if stored_leaves is None
            else jax.tree.unflatten(jax.tree.structure(start_state), stored_leaves)
        )

    def _evaluate_generation(
        self, generation: int, places: Any, client: Client | None, progress_bar: Told
    ) -> list[Row]:
        """Run the candidates of a generation and return their rows."""
        values = [self._to_values(place) for place in places]
        jobs = [
            Candidate(candidate_values, seed) for candidate_values in values for seed in self.seeds
        ]
        outcomes = self.runs.evaluate_all(
            jobs, EvaluateObjective(self.trainer.objective), client, progress_bar.ran
        )
        n_seeds = len(self.seeds)
        return [
            row_of(generation, k, places[k], values[k], outcomes[k * n_seeds : (k + 1) * n_seeds])
            for k in range(len(values))
        ]

    def _to_values(self, place: Any) -> tuple[float, ...]:
        """The parameter values at a search point."""
        return tuple(
            trainable.value(float(x)) for trainable, x in zip(self.trainables, place, strict=True)
        )

    def _find_paths_without_effect(self, client: Client | None) -> list[str]:
        """Paths without effect: moving each to its farther bound changes no bit of any score."""
        variants = [self.start]
        for k, trainable in enumerate(self.trainables):
            farther_bound = max(trainable.bounds, key=lambda bound: abs(bound - self.start[k]))
            variants.append((*self.start[:k], farther_bound, *self.start[k + 1 :]))
        outcomes = self.runs.evaluate_all(
            [Candidate(variant, self.seeds[0]) for variant in variants],
            EvaluateObjective(self.trainer.objective),
            client,
        )
        is_unchanged = [
            not isinstance(outcome, FailedRun) and outcome == outcomes[0]
            for outcome in outcomes[1:]
        ]
        return [
            trainable.path
            for trainable, unchanged in zip(self.trainables, is_unchanged, strict=True)
            if unchanged
        ]

    def result(self, parts: PartStore, took_s: float) -> TrainingResult:
        """The result: the best candidate of all generations, and the report."""
        rows = [row for part in parts.rows for row in part]
        best = find_best_row(rows)
        assert best is not None, "a generation without a finite score is refused"
        paths = [trainable.path for trainable in self.trainables]
        config = self.runs.leaves.config(best["values"]).trainables(self.trainables)
        circuit = self.runs.leaves.circuit(best["values"])
        net = Net(config, circuit.identity, circuit.projections, n_neurons=circuit.n_neurons)
        report = {
            "report_version": REPORT_VERSION,
            "software": software(),
            "platform": machine(),
            **{name: value for name, value in self.about().items() if name not in software()},
            "n_generations": len(parts.rows),
            "n_candidates": len(rows),
            "n_runs": len(rows) * len(self.seeds),
            "wall_s": round(took_s, 3),
            "passed": best["passed"],
            "verdict": describe_verdict(best, rows, len(parts.rows)),
            "best": {
                **best,
                "values": dict(zip(paths, best["values"], strict=True)),
                "config_sha256": config.hash,
            },
            "start": dict(zip(paths, self.start, strict=True)),
            "gates": _summarize_gates(rows),
            "failures": [
                {
                    "generation": row["generation"],
                    "candidate": row["candidate"],
                    "problems": row["problems"],
                }
                for row in rows
                if row["problems"]
            ],
            "without_effect": parts.notes["without_effect"],
            "at_bounds": _find_paths_at_bounds(self.trainables, best["values"]),
            **({} if self.slopes is None else {"without_slope": without_slope(rows, paths)}),
        }
        history = make_history(rows, paths)
        return TrainingResult(config, net, float(best["score"]), history, report)


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
    """Raises: JtfneError for arguments of `Trainer` and its `fit` of another type, before any
    work.
    """
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
        callable(getattr(optimizer, name, None)) for name in _OPTIMIZER_METHODS
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


def check_execution(*, resume: Any, progress: Any, client: Any, where: str) -> None:
    """Raises: JtfneError if `resume`, `progress` or `client` is of another type."""
    check_flag(resume, name="resume", where=where)
    if progress is not None:
        check_flag(progress, name="progress", where=where)
    if client is not None and (
        isinstance(client, type) or not callable(getattr(client, "submit", None))
    ):
        allowed = "an executor, such as a dask.distributed.Client, or None"
        raise refuse(f"client={describe_argument(client)}", allowed, where)


# the methods that a search needs
_OPTIMIZER_METHODS = ("n_candidates", "init", "ask", "tell", "best")


def circuit_provenance(runs: CandidateRunner) -> dict[str, Any]:
    """What the bits of runs depend on besides values and seeds: software, machine, circuit."""
    return {
        **bit_conditions(),
        "config_sha256": _json.sha256(runs.spec.config),
        "net_sha256": runs.spec.net_sha256,
    }


def check_seeds(argument: Sequence[int], where: str) -> tuple[int, ...]:
    """The seeds as a tuple. Raises: JtfneError for none, a repeated one, or one out of range."""
    entries = check_list(
        argument, allowed="a list of whole numbers in 0 .. 2**32 - 1", name="seeds", where=where
    )
    limit = Limit(low=0, high=2**32 - 1)
    seeds = tuple(
        whole_number(seed, limit, name="an entry of seeds", where=where) for seed in entries
    )
    if not seeds or len(set(seeds)) < len(seeds):
        raise refuse(f"seeds={describe_argument(argument)}", "at least one, each once", where)
    return seeds


def to_json_values(value: Any) -> Any:
    """An object's settings as JSON values that are equal in every process.

    Without addresses; closures by the content of their cells.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value if not isinstance(value, float) or np.isfinite(value) else repr(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: to_json_values(getattr(value, field.name))
            for field in dataclasses.fields(value)
        }
        return {"kind": name_kind(type(value)), **fields}
    if isinstance(value, Mapping):
        return {str(key): to_json_values(entry) for key, entry in value.items()}
    if isinstance(value, Sequence):
        return [to_json_values(entry) for entry in value]
    if hasattr(value, "__array__"):
        return np.asarray(value).tolist()
    if callable(value) and hasattr(value, "__qualname__"):
        cells = [
            to_json_values(cell.cell_contents) for cell in getattr(value, "__closure__", None) or ()
        ]
        return [value.__qualname__, *cells] if cells else value.__qualname__
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _has_passed(parts: PartStore) -> bool:
    """Whether any candidate so far passed all gates with all seeds."""
    return any(row["passed"] for part in parts.rows for row in part)


def _describe_best(parts: PartStore) -> str:
    """The best candidate so far, in a few words; empty before there is one."""
    best = find_best_row([row for part in parts.rows for row in part])
    if best is None:
        return ""
    n_gates_held = sum(1 for share in best["gates"].values() if share == 1.0)
    gates = f", {n_gates_held} of {len(best['gates'])} gates" if best["gates"] else ""
    return f"generation {len(parts.rows)}, best score {best['score']:.4g}{gates}"


def _summarize_gates(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """By gate: with how many candidates all seeds passed, and the largest share of seeds."""
    names = dict.fromkeys(name for row in rows for name in row["gates"])
    summary = {}
    for name in names:
        shares = [row["gates"].get(name) or 0.0 for row in rows]
        summary[name] = {
            "candidates_with_all_seeds": sum(share == 1.0 for share in shares),
            "largest_share": max(shares),
        }
    return summary


def _find_paths_at_bounds(trainables: Sequence[Trainable], values: Sequence[float]) -> list[str]:
    """Paths whose best value is at a bound: a better one may lie beyond it."""
    return [
        trainable.path
        for trainable, value in zip(trainables, values, strict=True)
        if value in trainable.bounds
    ]
