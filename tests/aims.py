"""Objectives for tests: what a Trainer needs of one, and no more."""

import dataclasses
import math
import os
import pathlib
import signal


@dataclasses.dataclass(frozen=True)
class Found:
    score: float
    passed: bool
    rates: dict

    def to_dict(self):
        score = self.score if math.isfinite(self.score) else None
        metrics = [{"name": name, "value": each, "term": each} for name, each in self.rates.items()]
        gates = [{"name": "near", "value": self.score, "passed": self.passed}]
        problems = [] if score is not None else ["metric 'rate' is nan"]
        return {
            "score": score,
            "passed": self.passed,
            "problems": problems,
            "metrics": metrics,
            "gates": gates,
        }


@dataclasses.dataclass(frozen=True)
class Rates:
    """The squared relative distance of mean rates from `wanted`, by cell type; NaN where
    `nan_above` is exceeded.
    """

    wanted: tuple = (("E", 8.0), ("PV", 15.0))
    near: float = 0.01
    nan_above: float = math.inf

    def evaluate(self, signals):
        found = signals.rates().set_index("cell_type")["rate_Hz"]
        rates = {name: float(found[name]) for name, _ in self.wanted}
        score = sum((rates[name] / want - 1.0) ** 2 for name, want in self.wanted)
        score = math.nan if max(rates.values()) > self.nan_above else score
        return Found(score, score < self.near, rates)


@dataclasses.dataclass(frozen=True)
class Deadly(Rates):
    """The same; the process that evaluates it first is killed."""

    flag: str = ""

    def evaluate(self, signals):
        path = pathlib.Path(self.flag)
        if not path.exists():
            path.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().evaluate(signals)
