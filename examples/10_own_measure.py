"""A measure of your own, for objectives: a number of the samples of a readout.

The highest rate of the cells in any bin. A regular train of 40 ms has one spike in four bins of
10 ms: 100 Hz in the fullest.
"""

# expect: 100

import dataclasses
from typing import ClassVar

import jax.numpy as jnp

import jtfne
from jtfne.objective import Above, Gate, Metric


@dataclasses.dataclass(frozen=True, kw_only=True)
class PeakRate(jtfne.measures.Measure):
    bin_ms: float = 10.0

    readouts: ClassVar[tuple[str, ...]] = ("spk",)
    differentiable: ClassVar[bool] = False
    undefined: ClassVar[str] = "a count is not finite"

    def __call__(self, counts, frame):  # (n_trials, n_bins, n_cells)
        return jnp.max(counts.mean(axis=(0, 2))) / (frame.step_ms * 1e-3)

    def unit(self, of):
        return "Hz"

    def bin_of(self, n_samples, step_ms):  # steps in one bin
        return max(1, round(self.bin_ms / step_ms))


clock = jtfne.emitters.SpikeSource(times_ms=[[5.0 + 40.0 * k for k in range(10)]])
config = (
    jtfne.Config()
    .runtime(duration_ms=400.0)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 1})
    .emitters({"E": clock})
    .probes(["spk"])
    .objective([Metric(measure=PeakRate(), target=80.0)])
)
assert jtfne.Config.from_json(config.to_json()) == config  # as "__main__:PeakRate"
objective = jtfne.Objective(
    config.training.objective.metrics,
    gates=[Gate(measure=PeakRate(bin_ms=50.0), condition=Above(10.0))],
)
result = objective.evaluate(jtfne.construct(config).simulate())
print(f"{result.metrics['value'][0]:.0f} Hz")
