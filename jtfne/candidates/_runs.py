"""Runs candidates on the cores of this process or on a client's workers, with equal results."""

import dataclasses
import functools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol, Self

import jax

from jtfne._check import JtfneError, refuse
from jtfne._cores import n_cores
from jtfne.candidates._leaves import ParameterMap
from jtfne.config import Config
from jtfne.config.parameter_paths import Place
from jtfne.config.parameter_values import replace_values
from jtfne.config.parameters import CONFIG, Parameters
from jtfne.delivery import Event
from jtfne.net import Net, construct
from jtfne.paradigm import Paradigm
from jtfne.reports import NotFiniteError
from jtfne.signals import Signals
from jtfne.simulation import (
    PreparedRun,
    RunawayError,
    mechanisms_of,
    net_hash,
    prepare_variants,
    run_variant,
)

ATTEMPTS = 3  # tries of a job whose worker is lost
# Threads per core: labelling and scoring hold the GIL; a second thread keeps the core simulating.
THREADS = 2
VARIANTS_KEPT = 16  # runners with values of their own that are kept
LOG = logging.getLogger("jtfne")
Summarize = Callable[[Signals], Any]
OnProgress = Callable[[int], None]


class Candidate(NamedTuple):
    """One run: a candidate's values, and the seed of initial state, noise and stimuli."""

    values: tuple[float, ...]
    seed: int


class FailedRun(NamedTuple):
    """The reason why a run failed; it would fail again."""

    reason: str


class Client(Protocol):
    """Executes work elsewhere: a `concurrent.futures.Executor`, a `dask.distributed.Client`, ..."""

    def submit(self, fn: Any, /, *args: Any) -> Any:
        """Start `fn(*args)` and return a future with `exception()` and `result()`."""
        ...


@dataclasses.dataclass(frozen=True)
class RunSpec:
    """What a worker needs to rebuild the circuit: text and numbers only, hashable.

    config: JSON of a Config with its stimuli. paths, probe_values: arguments of `ParameterMap.build`. readouts:
    those to record, None for all. net_sha256: hash of the circuit that the config must give.
    """

    config: str
    paths: tuple[str, ...]
    probe_values: tuple[float, ...]
    readouts: tuple[str, ...] | None
    net_sha256: str


@dataclasses.dataclass(frozen=True, eq=False)
class CandidateRunner:
    """A circuit that is ready to run with other values at some paths.

    Values of paths that are arrays of the circuit go into `leaves`, and nothing is prepared or
    compiled anew. Each set of other values, such as those of stimuli and delays, has a runner of
    its own, prepared when it is first asked for.
    """

    spec: RunSpec
    leaves: ParameterMap
    prepared: PreparedRun
    places: tuple[Place, ...]
    compiled: threading.Event = dataclasses.field(default_factory=threading.Event)
    variants: dict[tuple[float, ...], "CandidateRunner"] = dataclasses.field(default_factory=dict)
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    @classmethod
    def prepare(
        cls,
        net: Net,
        paths: Sequence[str],
        probe_values: Sequence[float],
        *,
        paradigm: Paradigm | None = None,
        readouts: Sequence[str] | None = None,
        where: str,
    ) -> Self:
        """Prepare `net` under `paradigm`.

        Raises: JtfneError like `ParameterMap.build`, and like `simulate` for its arguments.
        """
        # the bounds of trainables are for the declared values only
        net = _replace_config(net, net.config.trainables([]))
        config = merge_paradigm(net.config, paradigm)
        config.check()
        places = Parameters.of(config).find_all(paths, where)
        if any(_moves_edges(place) for place in places):
            _check_edges(net, where)
        if any(place.family == CONFIG for place in places):
            net, paradigm = _replace_config(net, config), None
        recorded_readouts = None if readouts is None else tuple(readouts)
        delivery = Event() if jax.default_backend() == "cpu" else None
        leaves = ParameterMap.build(
            net,
            [place.path for place in places if place.family != CONFIG],
            [
                value
                for place, value in zip(places, probe_values, strict=True)
                if place.family != CONFIG
            ],
            mechanisms=mechanisms_of(config),
            delivery=delivery,
            where=where,
        )
        prepared = prepare_variants(net, paradigm, leaves.flat, recorded_readouts)
        spec = RunSpec(
            config.to_json(),
            tuple(paths),
            tuple(map(float, probe_values)),
            recorded_readouts,
            net_hash(net),
        )
        return cls(spec, leaves, prepared, places)

    def config(self, values: Sequence[float]) -> Config:
        """The config that declares these values. Raises: JtfneError if it is refused."""
        return replace_values(self.leaves.net.config, self._by_place(values))

    def circuit(self, values: Sequence[float]) -> Net:
        """The circuit with these values."""
        variant, array_values = self._find_variant(tuple(values))
        return variant.leaves.circuit(array_values)

    def run(self, job: Candidate) -> Signals:
        """The signals of one run. Raises: JtfneError if a cell runs away."""
        variant, array_values = self._find_variant(job.values)
        return run_variant(variant.prepared, variant.leaves.with_values(array_values), job.seed)

    def _by_place(self, values: Sequence[float]) -> dict[Place, float]:
        """The values by their places."""
        return dict(zip(self.places, map(float, values), strict=True))

    def _find_variant(
        self, values: tuple[float, ...]
    ) -> tuple["CandidateRunner", tuple[float, ...]]:
        """The runner of the config with these values, and those that go into its arrays."""
        values_by_place = self._by_place(values)
        config_values, array_values, array_probe_values = {}, [], []
        for (place, value), probe_value in zip(
            values_by_place.items(), self.spec.probe_values, strict=True
        ):
            if place.family == CONFIG:
                config_values[place] = value
            else:
                array_values.append(value)
                array_probe_values.append(probe_value)
        if not config_values:
            return self, values
        key = tuple(config_values.values())
        with self.lock:  # else each thread would build it
            if key not in self.variants:
                while len(self.variants) >= VARIANTS_KEPT:
                    self.variants.pop(next(iter(self.variants)))
                self.variants[key] = CandidateRunner.prepare(
                    vary_net(self.leaves.net, config_values),
                    [place.path for place in self.places if place.family != CONFIG],
                    array_probe_values,
                    readouts=self.spec.readouts,
                    where="a value by its path",
                )
            return self.variants[key], tuple(array_values)

    def evaluate(self, job: Candidate, summarize: Summarize) -> Any:
        """`summarize(signals)` of one run, or a `FailedRun` if it ran away or is not finite."""
        try:
            return summarize(self.run(job))
        except (RunawayError, NotFiniteError) as error:
            return FailedRun(str(error))

    def evaluate_all(
        self,
        jobs: Sequence[Candidate],
        summarize: Summarize,
        client: Client | None = None,
        on_progress: OnProgress = lambda n: None,
    ) -> list[Any]:
        """`summarize(signals)` of each job, in order. on_progress: called with the number of jobs just done.

        Runs share one program and are spread over the cores. With a client they are spread over its
        workers, each of which constructs the circuit from its config once.
        Raises: JtfneError if a worker constructs another circuit, or the client takes no more work;
        and what `summarize` raises.
        """
        if client is not None:
            return self._run_by_client(client, jobs, summarize, on_progress)
        return run_on_threads(
            lambda job: self.evaluate(job, summarize),
            jobs,
            THREADS * n_cores(),
            self.compiled,
            on_progress,
        )

    def _run_by_client(
        self,
        client: Client,
        jobs: Sequence[Candidate],
        summarize: Summarize,
        on_progress: OnProgress,
    ) -> list[Any]:
        """`evaluate_all` on a client's workers. A job whose worker is lost is submitted again and logged."""
        submit = functools.partial(_submit_job, _make_submitter(client))
        futures, results = [submit(self.spec, job, summarize, 0) for job in jobs], []
        first_futures = list(futures)
        for job, future in zip(jobs, futures, strict=True):
            for attempt in range(1, ATTEMPTS + 1):
                error = future.exception()
                if error is None or isinstance(error, JtfneError) or attempt == ATTEMPTS:
                    break
                LOG.warning("a job failed on its worker (%r) and is given away again", error)
                future = submit(self.spec, job, summarize, attempt)
            results.append(future.result())
            on_progress(1)
        _log_rescheduled(client, first_futures)
        return results


def merge_paradigm(config: Config, paradigm: Paradigm | None) -> Config:
    """`config` with the stimuli of `paradigm`, if there is one."""
    if paradigm is None:
        return config
    return config.stimuli(paradigm.stimuli, paradigm.n_trials, paradigm.conditions)


def vary_net(net: Net, values: Mapping[Place, float]) -> Net:
    """The net of `net.config` with other values: its edges, or new ones where the circuit differs."""
    config = replace_values(net.config, values)
    if any(_moves_edges(place) for place in values):
        return construct(config)
    return _replace_config(net, config)


def _replace_config(net: Net, config: Config) -> Net:
    """The same circuit, of another config."""
    return Net(config, net.identity, net.projections, n_neurons=net.n_neurons)


def _moves_edges(place: Place) -> bool:
    """Whether a net must be constructed anew for another value at this place."""
    return place.family == CONFIG and place.name.startswith(("circuit.", "run.seed"))


def _check_edges(net: Net, where: str) -> None:
    """Raises: JtfneError for a net that its config would not give again."""
    if net_hash(construct(net.config)) != net_hash(net):
        problem = "a path that needs new edges, of a net that is not what its config gives,"
        raise refuse(problem, "jtfne.construct(config)", where)


def run_on_threads(
    run: Callable[[Any], Any],
    jobs: Sequence[Any],
    n_threads: int,
    compiled: threading.Event,
    on_progress: OnProgress,
) -> list[Any]:
    """`run(job)` of each job, in order, on `n_threads` threads; the first job runs alone.

    The first compiles the program, unless `compiled` is set: else each thread would compile it.
    on_progress: called with the number of jobs just done.
    """
    results: list[Any] = []
    if not compiled.is_set():
        for job in jobs[:1]:
            results.append(run(job))
            compiled.set()
            on_progress(1)
    with ThreadPoolExecutor(n_threads) as pool:
        for result in pool.map(run, jobs[len(results) :]):
            results.append(result)
            on_progress(1)
    return results


def _make_submitter(client: Any) -> Callable[..., Any]:
    """The function that submits a job to `client`. Raises: JtfneError if it is asynchronous."""
    if not hasattr(client, "get_executor"):  # only Dask's client has it
        submit: Callable[..., Any] = client.submit
        return submit
    if client.asynchronous:
        raise refuse("an asynchronous client", "Client(..., asynchronous=False)", "fit(client=)")
    return functools.partial(client.submit, pure=False)  # else Dask runs two equal jobs once


def _log_rescheduled(client: Any, futures: Sequence[Any]) -> None:
    """Log how many of these jobs a Dask scheduler restarted by itself after losing a worker."""
    if not hasattr(client, "get_events"):
        return
    job_keys = {future.key for future in futures}
    for _, event in client.get_events("all"):
        if event.get("action") != "remove-worker":
            continue
        lost_keys = {*event.get("processing-tasks", ()), *event.get("lost-computed-tasks", ())}
        n_restarted = len(job_keys & lost_keys)
        if n_restarted:
            message = "worker %s is lost: %d of its jobs ran again elsewhere"
            LOG.warning(message, event.get("worker"), n_restarted)


def _submit_job(submit: Callable[..., Any], *arguments: Any) -> Any:
    """The future of one job. Raises: JtfneError if the client takes no more jobs."""
    try:
        return submit(work, *arguments)
    except BrokenExecutor as error:
        problem = f"a client whose workers are lost ({error})"
        raise refuse(
            problem, "one that takes work; what is in out= goes on from there", "fit(client=)"
        ) from error


def work(spec: RunSpec, job: Candidate, summarize: Summarize, attempt: int) -> Any:
    """Run one job on a worker. attempt: unique per try, so that no client reuses a result."""
    return _get_runner(spec).evaluate(job, summarize)


_LOCK = threading.Lock()
_RUNNERS: dict[RunSpec, CandidateRunner] = {}  # holds the last circuit of this process only


def _get_runner(spec: RunSpec) -> CandidateRunner:
    """The runner of `spec`, built once in a process.

    Raises: JtfneError if its config builds another net here.
    """
    with _LOCK:
        if spec not in _RUNNERS:
            net = construct(Config.from_json(spec.config))
            if net_hash(net) != spec.net_sha256:
                problem = "a net that is not what its config gives on the worker,"
                raise refuse(
                    problem, "jtfne.construct(config) on machines of one kind", "fit(client=)"
                )
            _RUNNERS.clear()
            runner = CandidateRunner.prepare(
                net, spec.paths, spec.probe_values, readouts=spec.readouts, where="worker"
            )
            _RUNNERS[spec] = runner
        return _RUNNERS[spec]
