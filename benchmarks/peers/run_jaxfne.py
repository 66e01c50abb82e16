"""jaxfne's own `suite2_net1`, compiled: every cell to every other, so synapses grow with the square
of cells.
"""

import importlib.metadata

import jax
import jaxfne
import numpy as np
from _protocol import answer, read, timed


def main() -> None:
    """Build, warm up, time the repeats; sources and fields are left out where only spikes are asked
    for.
    """
    job = read()
    n_cells, fields = job["circuit"]["n_cells"], job["record"] == "lfp"

    def run(duration_ms: float) -> jaxfne.Signals:
        simulation = jaxfne.Simulation(
            duration_ms=duration_ms,
            dt_ms=job["dt_ms"],
            seed=job["seed"],
            record_sources=fields,
            record_fields=fields,
            runtime=jaxfne.RuntimeConfig(jit=True, recompilation_guard="off"),
        )
        signals = model.simulate(simulation)
        jax.block_until_ready((signals.spikes, signals.V_m))
        return signals

    config = jaxfne.suite2_net1_config(n=n_cells, duration_ms=job["run_ms"], dt_ms=job["dt_ms"])
    build_s, model = timed(lambda: jaxfne.construct(config))
    first_s, _ = timed(lambda: run(job["warm_ms"]))
    run(job["run_ms"])  # compiled again for its length
    runs = []
    for _ in range(job["repeats"]):
        took_s, signals = timed(lambda: run(job["run_ms"]))
        runs.append(
            (took_s, float(np.asarray(signals.spikes).sum()) / n_cells / job["run_ms"] * 1e3)
        )
    answer(f"jaxfne {importlib.metadata.version('jaxfne')}", build_s, first_s, runs)


if __name__ == "__main__":
    main()
