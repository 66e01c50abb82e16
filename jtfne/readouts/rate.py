"""`rate`: firing rate of each area."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import jax
import numpy as np

from jtfne._tree import register
from jtfne._units import MS_PER_s
from jtfne.pydantic_fields.field_types import Positive
from jtfne.pydantic_fields.selector_field import Selection, Selector
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._parts import ByArea
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import FigureSpec, Readout


class Rate(Readout):
    """`rate`: firing rate of each area, Hz, as means over `interval_ms` and its `cells`.

    Mean over trials it is the peri-stimulus time histogram, which an objective can hold against a
    recorded one, by gradients too. Areas without such cells are left out.

    Parameters
    ----------
    interval_ms : float
    cells : Selector or str
        Which cells are counted; all by default.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.readouts import Rate
    >>> jtfne.Config().probes([Rate(cells="E", interval_ms=10.0)]).readout_names(), Rate().units
    (('rate',), 'Hz')
    """

    kind: Literal["Rate"] = "Rate"
    interval_ms: Positive = 5.0
    cells: Selection = Selector()

    readout: ClassVar[str] = "rate"
    aliases: ClassVar[tuple[str, ...]] = ("firing_rate",)
    long_name: ClassVar[str] = "firing rate, mean over cells"
    short_name: ClassVar[str] = "firing rate"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "area")
    coords: ClassVar[tuple[str, ...]] = ("area",)
    units: ClassVar[str] = "Hz"
    proxy: ClassVar[bool] = False
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "14_rate": FigureSpec(
            "area traces", "Firing rate of each area, from its mean before the first stimulus."
        )
    }

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of the mean over the chosen cells of each area."""
        cells = context.cells
        rows = np.sort(context.choose_rows(self.cells, "Rate.cells"))
        names, ranges, weights, counts = [], [], [], []
        for k, name in enumerate(cells.areas):
            area_rows = rows[cells.area[rows] == k]
            if area_rows.size:
                first, last = int(area_rows[0]), int(area_rows[-1]) + 1
                is_chosen = np.isin(np.arange(first, last), area_rows)
                names.append(name)
                ranges.append((first, last))
                weights.append(jax.device_put(is_chosen[:, None] / area_rows.size))
                counts.append(int(area_rows.size))
        parameters = {"name": "mean over cells", "units": ["Hz", "Hz"], "n_cells": counts}
        coords = {"area": (("area",), np.array(names))}
        part = ByArea(tuple(ranges), tuple(weights))
        return FieldProbe.build(self, context, part, coords, parameters, source=SpikesPerSecond())


@register
@dataclasses.dataclass(frozen=True)
class SpikesPerSecond:
    """The rate of each cell in one step, Hz: the reciprocal of the step if it spikes, else 0."""

    kind: ClassVar[str] = "spikes per second"
    parts: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (("spikes", ("spikes",)),)

    def read(self, view: Any) -> jax.Array:
        """Return (1, n_cells) Hz."""
        rates_Hz: jax.Array = view.spikes * (MS_PER_s / view.dt_ms)
        return rates_Hz.astype(view.i_ext_pA.dtype)[None]

    def by_inputs(self, circuit: Any) -> bool:
        """False: it depends on spikes."""
        return False
