"""jtfne under the same protocol: `construct`, then the whole of `simulate`, labels, hashes and
manifest included.
"""

from _protocol import answer, read, timed


def main() -> None:
    """Build, warm up, time the repeats, each from its own seed."""
    job = read()
    import jax

    jax.config.update("jax_num_cpu_devices", job["threads"])  # before its first use

    import jtfne

    config = jtfne.Config.from_json(job["config"]).runtime(
        duration_ms=job["run_ms"], dt_ms=job["dt_ms"]
    )
    build_s, net = timed(lambda: jtfne.construct(config))
    options = job["simulate"] | {"progress": False}
    first_s, _ = timed(lambda: net.simulate(duration_ms=job["warm_ms"], **options))
    runs = []
    for k in range(job["repeats"]):
        took_s, signals = timed(lambda k=k: net.simulate(seed=job["seed"] + k, **options))
        runs.append((took_s, signals.get("spikes").size / net.n_neurons / job["run_ms"] * 1e3))
    answer(f"jtfne {jtfne.__version__}", build_s, first_s, runs)


if __name__ == "__main__":
    main()
