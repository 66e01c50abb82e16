"""A readout of your own: a class that says what it is, and builds the probe that records it.

The mean source current of each area. A drive of 1 is 100 pA for this cell, and a current injected
has the opposite sign as a source: -100 pA.
"""

# expect: -100

import dataclasses
from typing import ClassVar

import jax
import numpy as np

import jtfne
from jtfne.readouts import FieldProbe, Readout


@jtfne.emitters.register
@dataclasses.dataclass(frozen=True)
class AreaMean:
    weights: jax.Array  # (n_cells, n_areas)

    def __call__(self, rows):  # (n_rows, n_parts, n_cells) pA, inside the loop
        return rows.sum(1) @ self.weights


class AreaCurrent(Readout):
    interval_ms: float = 1.0  # a setting, as in {"kind": ..., "interval_ms": 0.5}

    readout: ClassVar[str] = "area_current"
    long_name: ClassVar[str] = "mean source current, outward positive"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "area")
    coords: ClassVar[tuple[str, ...]] = ("area",)
    units: ClassVar[str] = "pA"
    proxy: ClassVar[bool] = False

    def build(self, context):
        cells = context.cells
        in_area = cells.area[:, None] == np.arange(len(cells.areas))
        part = AreaMean(jax.device_put(in_area / in_area.sum(0)))
        coords = {"area": (("area",), np.array(cells.areas))}
        return FieldProbe.of(self, context, part, coords, {"name": "mean over the cells"})


config = jtfne.suite2_single_neuron_config("E").runtime(duration_ms=20.0)
config = config.cell_params({"E": {"drive": 1.0, "noise": 0.0}}).probes(["spk", AreaCurrent()])
assert jtfne.Config.from_json(config.to_json()) == config  # as "__main__:AreaCurrent"
signals = jtfne.construct(config).simulate()
print(f"mean: {float(signals.get('area_current', area='V1').mean()):.0f} pA")
