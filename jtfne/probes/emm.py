"""The energy-like proxy: activity, source and field cost of each moment, within the run."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jtfne import _json
from jtfne._tree import register
from jtfne.operators import Operator
from jtfne.probes._base import Array, Readout, Recording, SourceRows, attrs
from jtfne.sources import Source


@register
@dataclasses.dataclass(frozen=True)
class SourceAndField:
    """Mean absolute source, and root mean square over the channels of `kernel`."""

    kernel: Operator

    def __call__(self, rows: jax.Array) -> jax.Array:
        """Reduce (n_rows, n_parts, n_cells) pA to (n_rows, 2)."""
        total = rows.sum(1)
        field = jnp.sqrt((self.kernel.apply(total) ** 2).mean(1))
        return jnp.stack([jnp.abs(total).mean(1), field], axis=1)


@dataclasses.dataclass(frozen=True)
class EMMProbe:
    """Weighted mean of three costs, each divided by its own maximum within the run: 0 to 1.

    weights: of activity (spikes), source (mean absolute source current) and field (RMS of the LFP
    proxy).
    """

    kernel: Operator
    weights: tuple[float, float, float]
    every: int
    name: str = "emm_proxy"

    def recorder(self, source: Source) -> SourceRows:
        """Return a recorder of source and field costs; activity comes from the spikes."""
        return SourceRows(source, {self.name: SourceAndField(self.kernel)}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, time), 0 to 1."""
        source_and_field = recording.kept[self.name]
        activity = np.zeros(source_and_field.shape[:2])
        np.add.at(activity, (recording.spikes.trial, recording.spikes.step // self.every), 1.0)
        costs = [
            _scale_to_maximum(activity),
            _scale_to_maximum(source_and_field[:, :, 0]),
            _scale_to_maximum(source_and_field[:, :, 1]),
        ]
        values = np.average(costs, axis=0, weights=self.weights).astype(source_and_field.dtype)
        interval_ms = self.every * recording.dt_ms
        attributes = attrs(
            self.name, "activity, source and field cost", "1", proxy=True, interval_ms=interval_ms
        )
        attributes["operator"] = _json.dumps(self.operator())
        coords = {"time": (("time",), recording.time_ms(self.every))}
        return Readout(self.name, {self.name: (("trial", "time"), values)}, coords, attributes)

    def operator(self) -> dict[str, Any]:
        """Return the weights, and the kernel of the field."""
        return {
            "name": "activity / source / field cost",
            "weights": list(self.weights),
            **self.kernel.parameters.values,
        }


def _scale_to_maximum(cost: Array) -> Array:
    """Divide `cost` by its maximum; a cost that is zero throughout stays so."""
    top = cost.max(initial=0.0)
    return cost / top if top > 0 else cost
