"""`emm_proxy`: the energy-like proxy, from activity, source and field of each moment."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import model_validator

from jtfne._check import refuse
from jtfne._tree import register
from jtfne.operators import Operator
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import NotNegative
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import FigureSpec
from jtfne.readouts._recording import Array, ReadoutNode, Recording
from jtfne.readouts._shank import ShankReadout


class EMMProxy(ShankReadout):
    """`emm_proxy`: activity, source and field, each by its maximum, averaged with `weights`.

    Examples
    --------
    >>> from jtfne.config import EMMProxy
    >>> EMMProxy(weights=(1.0, 2.0, 1.0)).dims
    ('trial', 'time')
    """

    kind: Literal["EMMProxy"] = "EMMProxy"
    weights: tuple[NotNegative, NotNegative, NotNegative] = (1.0, 1.0, 1.0)

    readout: ClassVar[str] = "emm_proxy"
    long_name: ClassVar[str] = "activity, source and field cost"
    short_name: ClassVar[str] = "EMM"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time")
    coords: ClassVar[tuple[str, ...]] = ()
    units: ClassVar[str] = "1"
    proxy: ClassVar[bool] = True
    needs_whole_run: ClassVar[bool] = True
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "24_emm_proxy": FigureSpec(
            "moments",
            "Activity, source and field cost, from its mean before the first stimulus, and its "
            "power spectrum.",
        )
    }

    @model_validator(mode="after")
    def _check_weights(self) -> "EMMProxy":
        """Refuse weights that are all 0."""
        if not any(self.weights):
            raise refuse(f"weights={self.weights}", "at least one above 0", HERE)
        return self

    def build(self, context: ProbeContext) -> "EMMProbe":
        """Return the probe of source and field costs; activity comes from the spikes."""
        kernel = self.build_shank(context).kernel
        parameters = {
            "name": "activity / source / field cost",
            "weights": list(self.weights),
            **kernel.parameters.values,
        }
        return EMMProbe.build(self, context, SourceAndField(kernel), {}, parameters)


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
class EMMProbe(FieldProbe):
    """The probe of a weighted mean of three costs, each divided by its own maximum: 0 to 1.

    They are activity (spikes), source (mean absolute source current) and field (RMS of the LFP
    proxy); the maximum is that within the run.
    """

    declaration: EMMProxy

    def readout(self, recording: Recording) -> ReadoutNode:
        """Return (trial, time), 0 to 1."""
        source_and_field = recording.kept[self.name]
        activity = np.zeros(source_and_field.shape[:2])
        row = recording.spikes.step // self.every
        is_whole = row < len(activity[0])  # the last interval may be cut short by the end
        np.add.at(activity, (recording.spikes.trial[is_whole], row[is_whole]), 1.0)
        costs = [
            _scale_to_maximum(activity),
            _scale_to_maximum(source_and_field[:, :, 0]),
            _scale_to_maximum(source_and_field[:, :, 1]),
        ]
        mean_cost = np.average(costs, axis=0, weights=self.declaration.weights)
        return self.label(recording, mean_cost.astype(source_and_field.dtype), self.coords)


def _scale_to_maximum(cost: Array) -> Array:
    """Divide `cost` by its maximum; a cost that is zero throughout stays so."""
    top = cost.max(initial=0.0)
    return cost / top if top > 0 else cost
