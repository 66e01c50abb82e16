"""jtfne's `Trainer` with AGSDR at its defaults: the drive of each cell type, so that each fires at
its mean rate.
"""

from typing import Any

from _protocol import answer, read, timed

import jtfne
from jtfne.config import Trainable
from jtfne.measures import MeanRate
from jtfne.objective import Metric, Objective
from jtfne.optimizers import AGSDR
from jtfne.trainer import TrainingResult

BOUNDS = (-4.0, 6.0)  # of each drive, as in docs/validation/_training.py


def trained(net: jtfne.Net, job: dict[str, Any], seed: int) -> TrainingResult:
    """A training of all generations; an odd population, since AGSDR's is the centre and pairs
    around it.
    """
    wanted_Hz = job["wanted_Hz"]
    metrics = [
        Metric(measure=MeanRate(), cells=name, target=rate, scale=rate, name=name)
        for name, rate in wanted_Hz.items()
    ]
    trainer = jtfne.Trainer(
        Objective(metrics),
        [Trainable(path=f"cells.{name}.drive", bounds=BOUNDS) for name in wanted_Hz],
        AGSDR(n_pairs=(job["population"] - 1) // 2),
        seeds=(seed,),
        budget=job["generations"] * job["population"],
    )
    return trainer.fit(net, progress=False)


def main() -> None:
    """Construct, train for a generation, time the repeats; the rate is that of the best circuit."""
    job = read()
    config = jtfne.suite2_net1_config(job["n_cells"]).runtime(
        duration_ms=job["run_ms"], dt_ms=job["dt_ms"]
    )
    build_s, net = timed(lambda: jtfne.construct(config.probes(["spk"])))
    first_s, _ = timed(lambda: trained(net, job | {"generations": 1}, job["seed"]))
    runs = []
    for seed in range(job["seed"] + 1, job["seed"] + 1 + job["repeats"]):
        took_s, result = timed(lambda seed=seed: trained(net, job, seed))
        spikes = result.best_net.simulate(seed=seed, progress=False).get("spikes")
        runs.append((took_s, spikes.size / net.n_neurons / job["run_ms"] * 1e3))
    answer(f"jtfne {jtfne.__version__}", build_s, first_s, runs)


if __name__ == "__main__":
    main()
