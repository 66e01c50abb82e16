"""What is tuned on the page of training, to what, and how it is checked."""

from typing import Any

import jtfne
from jtfne.config import Config, Trainable
from jtfne.measures import MeanRate
from jtfne.objective import Gate, InRange, Metric, Objective
from jtfne.optimizers import AGSDR
from jtfne.trainer import Trainer, TrainingResult

WANTED_Hz = {"E": 8.0, "PV": 15.0, "SST": 4.0, "VIP": 2.0}
WITHIN, LATER_WITHIN = 0.10, 0.15  # of the rate wanted: in training, and with a seed that it never saw
N_GENERATIONS = 40
LATER = 1000  # added to the seed of a training
TRAINABLES = [
    *(Trainable(path=f"cells.{name}.drive", bounds=(-10.0, 10.0)) for name in WANTED_Hz),
    *(Trainable(path=f"gains.{pair}", bounds=(0.25, 4.0), transform="Log") for pair in ("E->E", "E->PV", "PV->E")),
]


def objective(within: float = WITHIN) -> Objective:
    """Mean rates, whose distance counts in shares of `within`, and gates that each lies within it."""
    metrics = [
        Metric(measure=MeanRate(), cells=name, target=rate, scale=within * rate, name=name)
        for name, rate in WANTED_Hz.items()
    ]
    gates = [
        Gate(measure=MeanRate(), cells=name, condition=InRange((1 - within) * rate, (1 + within) * rate), name=name)
        for name, rate in WANTED_Hz.items()
    ]
    return Objective(metrics, gates)


def circuit(n_cells: int = 1000, duration_ms: float = 1000.0) -> Config:
    """`suite2_net1` at its defaults."""
    return jtfne.suite2_net1_config(n_cells).runtime(duration_ms=duration_ms).probes(["spk"])


def trained(config: Config, seed: int, n_generations: int = N_GENERATIONS, **given: Any) -> TrainingResult:
    """From the defaults, until all gates hold."""
    optimizer = AGSDR()
    budget = n_generations * optimizer.n_candidates(len(TRAINABLES))
    trainer = Trainer(objective(), TRAINABLES, optimizer, seeds=(seed,), budget=budget, stop_when_passed=True)
    return trainer.fit(jtfne.construct(config), **given)


def rates(net: jtfne.Net, seed: int) -> dict[str, float]:
    """Mean rates of each type in a run of its own, Hz."""
    table = net.simulate(seed=seed, progress=False).rates().set_index("cell_type")["rate_Hz"]
    return {name: float(table[name]) for name in WANTED_Hz}
