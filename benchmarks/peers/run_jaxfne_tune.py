"""jaxfne's own `tune` with its AGSDR: two drives, two gains, so that each cell type fires at its
mean rate.

It has no parameter for the drive of a cell type. A candidate is a model of its own, run after the
one before, and its program is traced and compiled anew. No sources, no fields; `RuntimeConfig`
stays at its default, dense and without `jit`, which was the fastest.
"""

import importlib.metadata
from typing import Any

import jaxfne
import numpy as np
from _protocol import answer, read, timed

BOUNDS = {
    "drive_scale_a": (0.5, 2.0),
    "drive_scale_b": (0.5, 2.0),
    "gAMPA": (0.25, 4.0),
    "synaptic_gain": (0.25, 4.0),
}


def tuned(model: jaxfne.Model, job: dict[str, Any], seed: int) -> jaxfne.TuneResult:
    """A tuning of all generations. Raises: RuntimeError if it stopped before, which `tune` tells in
    its summary.
    """
    labels = np.asarray(model.params["emitter"].labels)
    groups = {name: np.flatnonzero(labels == name) for name in job["wanted_Hz"]}
    result = model.tune(
        objectives=jaxfne.rate_targets(groups, job["wanted_Hz"]),
        optimizer=jaxfne.agsdr(
            parameters=BOUNDS,
            generations=job["generations"],
            population_size=job["population"],
            seed=seed,
        ),
        simulation=simulation(job, seed),
    )
    if result.summary.get("n_candidates_evaluated") != job["generations"] * job["population"]:
        raise RuntimeError(f"tune stopped: {result.summary.get('error')}")
    return result


def simulation(job: dict[str, Any], seed: int) -> jaxfne.Simulation:
    """What each candidate is run for."""
    return jaxfne.Simulation(
        duration_ms=job["run_ms"],
        dt_ms=job["dt_ms"],
        seed=seed,
        record_sources=False,
        record_fields=False,
    )


def main() -> None:
    """Construct, tune for a generation, time the repeats; the rate is that of the best circuit."""
    job = read()
    config = jaxfne.suite2_net1_config(
        n=job["n_cells"], duration_ms=job["run_ms"], dt_ms=job["dt_ms"]
    )
    build_s, model = timed(lambda: jaxfne.construct(config))
    first_s, _ = timed(lambda: tuned(model, job | {"generations": 1}, job["seed"]))
    runs = []
    for seed in range(job["seed"] + 1, job["seed"] + 1 + job["repeats"]):
        took_s, result = timed(lambda seed=seed: tuned(model, job, seed))
        spikes = np.asarray(result.model.simulate(simulation(job, seed)).spikes)
        runs.append((took_s, float(spikes.sum()) / job["n_cells"] / job["run_ms"] * 1e3))
    answer(f"jaxfne {importlib.metadata.version('jaxfne')}", build_s, first_s, runs)


if __name__ == "__main__":
    main()
