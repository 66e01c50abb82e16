"""`csd_proxy`: minus the second depth difference of the LFP proxy."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from jtfne.operators import second_difference
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._parts import Linear
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import FigureSpec
from jtfne.readouts._shank import ShankReadout, number_contacts

INNER = slice(1, -1)  # the outer two contacts have no neighbour on one side


class CSDProxy(ShankReadout):
    """`csd_proxy`: minus the second depth difference of `lfp_proxy`; a.u.

    Examples
    --------
    >>> from jtfne.config import CSDProxy
    >>> probe = CSDProxy(n_channels=8)
    >>> probe.units, probe.list_channels()
    ('a.u.', ('ch01', 'ch02', 'ch03', 'ch04', 'ch05', 'ch06'))
    """

    kind: Literal["CSDProxy"] = "CSDProxy"

    readout: ClassVar[str] = "csd_proxy"
    aliases: ClassVar[tuple[str, ...]] = ("csd_like",)
    long_name: ClassVar[str] = "laminar CSD proxy, sinks negative"
    short_name: ClassVar[str] = "CSD"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "area", "channel")
    coords: ClassVar[tuple[str, ...]] = ("area", "channel", "z_mm")
    units: ClassVar[str] = "a.u."
    proxy: ClassVar[bool] = True
    mne_type: ClassVar[str] = "csd"
    density: ClassVar[bool] = True
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "16_csd_proxy": FigureSpec(
            "laminar",
            "CSD proxy over depth, from its mean before the first stimulus; blue is a sink, red a source.",
        ),
    }

    def list_channels(self) -> tuple[str, ...]:
        """Return the names of the inner contacts."""
        return number_contacts(self.n_channels)[INNER]

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of the kernel with the second difference after it, at inner contacts."""
        shank = self.build_shank(context)
        difference = second_difference(len(shank.areas), shank.depths_mm)
        part, parameters = (
            Linear.from_operators((shank.kernel, difference)),
            shank.describe(difference),
        )
        return FieldProbe.build(self, context, part, shank.label_contacts(INNER), parameters)
