"""64 candidates of a 500-cell circuit: in turn, spread over cores, as one circuit, and as a batch
of matrices.

python benchmarks/batches.py [--candidates N] [--cells N] [--duration-ms T] [--repeats N]
[--matrix-steps N]

A step of matrices reads those of all candidates, one a delay, whether anybody spikes or not:
gigabytes. So they are timed for a few steps only, and their seconds are of as many steps as the
others have.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import jax
import numpy as np

import jtfne
from _record import record
from jtfne import _keys, delivery, engine
from jtfne._cores import n_cores
from jtfne.batch import run_batch
from jtfne.candidates import Candidate, CandidateRunner, ParameterMap
from jtfne.presets._motif import FRACTIONS, motif
from jtfne.signals import Signals

PATHS, TYPICAL = ("cells.E.drive", "gains.E->PV"), (3.3, 1.1)


def config(n_cells: int, duration_ms: float) -> jtfne.Config:
    """The circuit of each candidate."""
    return jtfne.suite2_net1_config(n_cells).runtime(duration_ms=duration_ms).probes(["spk"])


def jobs(n: int) -> list[Candidate]:
    """Candidates with different drives and gains, and one seed."""
    return [Candidate((3.0 + 0.01 * k, 1.0 + 0.005 * k), 0) for k in range(n)]


def n_spikes(signals: Signals) -> int:
    """How many there are."""
    return int(signals.get("spk").size)


def in_turn(runs: CandidateRunner, candidates: list[Candidate]) -> list[int]:
    """One after the other, on this thread."""
    return [runs.evaluate(each, n_spikes) for each in candidates]


def spread(runs: CandidateRunner, candidates: list[Candidate]) -> list[int]:
    """As `Trainer` runs a generation."""
    return runs.evaluate_all(candidates, n_spikes)


def matrices(net: jtfne.Net, candidates: list[Candidate], n_steps: int) -> Callable[[], list[int]]:
    """A batch of dense matrices, under vmap, for so many steps."""
    leaves = ParameterMap.build(net, PATHS, TYPICAL, delivery=delivery.Dense())
    each = [leaves(job.values) for job in candidates]
    values = {name: np.stack([one[name] for one in each]) for name in each[0]}
    key = _keys.fold_names(np.uint32(0), _keys.codes("trial", "0"))
    keys = jax.numpy.stack([key] * len(candidates))

    def run() -> list[int]:
        words = run_batch(leaves.flat, keys, n_steps=n_steps, values=values).words
        return [int(each) for each in jax.lax.population_count(words).sum((1, 2))]

    return run


def flattened(n_cells: int, duration_ms: float, n: int) -> Callable[[], list[int]]:
    """All of them as one circuit that falls into parts: an area each, at one drive and gain."""
    areas = [f"A{k}" for k in range(n)]
    edges = [edge for area in areas for edge in motif({"area": area})]
    whole = config(n_cells, duration_ms).areas(areas).cells(FRACTIONS, n=n_cells).connections(edges)
    net = jtfne.construct(whole)

    def run() -> list[int]:
        return [n_spikes(net.simulate(progress=False, delivery=delivery.Event()))]

    return run


def timed(run: Callable[[], list[int]], repeats: int) -> tuple[float, list[int]]:
    """Median seconds of a run when it is compiled, and its spikes."""
    found, took = run(), []
    for _ in range(repeats):
        began = time.perf_counter()
        found = run()
        took.append(time.perf_counter() - began)
    return statistics.median(took), found


def measured(
    n: int, n_cells: int, duration_ms: float, repeats: int, matrix_steps: int
) -> dict[str, float]:
    """Seconds of each way, spikes, and how many programs candidates took beyond the first."""
    net = jtfne.construct(config(n_cells, duration_ms))
    runs, candidates = CandidateRunner.prepare(net, PATHS, TYPICAL, where="benchmark"), jobs(n)
    runs.evaluate(candidates[0], n_spikes)
    programs = engine.advance_jit._cache_size()
    numbers: dict[str, float] = {}
    ways = {
        "in_turn": lambda: in_turn(runs, candidates),
        "spread": lambda: spread(runs, candidates),
    }
    for name, run in ways.items():
        numbers[f"{name}_s"], found = timed(run, repeats)
        numbers[f"{name}_spikes"] = sum(found)
    numbers["programs_beyond_the_first"] = engine.advance_jit._cache_size() - programs
    numbers["flattened_s"], found = timed(flattened(n_cells, duration_ms, n), repeats)
    numbers["flattened_spikes"] = sum(found)
    took_s, _ = timed(matrices(net, candidates, matrix_steps), 1)
    numbers["matrices_s"] = took_s / matrix_steps * net.config.run.n_steps
    return numbers


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=64)
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--duration-ms", type=float, default=1000.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--matrix-steps", type=int, default=5)
    given = parser.parse_args()
    numbers = measured(
        given.candidates, given.cells, given.duration_ms, given.repeats, given.matrix_steps
    )
    about = {
        "candidates": given.candidates,
        "cells": given.cells,
        "duration_ms": given.duration_ms,
        "cores": n_cores(),
    }
    record("batches", **about, **numbers, speedup=numbers["in_turn_s"] / numbers["spread_s"])


if __name__ == "__main__":
    main()
