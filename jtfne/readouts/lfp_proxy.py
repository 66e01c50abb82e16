"""`lfp_proxy`: sources seen through a Gaussian kernel over depth."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from jtfne.readouts._context import ProbeContext
from jtfne.readouts._parts import Linear
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import FigureSpec
from jtfne.readouts._shank import ShankReadout, number_contacts


class LFPProxy(ShankReadout):
    """`lfp_proxy`: sources seen through a Gaussian kernel over depth, per area; a.u.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.config import LFPProxy
    >>> jtfne.Config().probes([LFPProxy(n_channels=24, kernel_mm=0.2)]).readout_names()
    ('lfp_proxy',)
    >>> LFPProxy(n_channels=3).list_channels(), LFPProxy().units
    (('ch00', 'ch01', 'ch02'), 'a.u.')
    """

    kind: Literal["LFPProxy"] = "LFPProxy"

    readout: ClassVar[str] = "lfp_proxy"
    aliases: ClassVar[tuple[str, ...]] = ("lfp_like",)
    long_name: ClassVar[str] = "laminar LFP proxy"
    short_name: ClassVar[str] = "LFP"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "area", "channel")
    coords: ClassVar[tuple[str, ...]] = ("area", "channel", "z_mm")
    units: ClassVar[str] = "a.u."
    proxy: ClassVar[bool] = True
    mne_type: ClassVar[str] = "seeg"
    fif: ClassVar[bool] = True
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "15_lfp_proxy": FigureSpec(
            "laminar",
            "LFP proxy over depth, from its mean before the first stimulus.",
        ),
        "21_lfp_proxy_psd": FigureSpec(
            "psd",
            "Power spectrum of the LFP proxy: mean and range over depth.",
        ),
    }

    def list_channels(self) -> tuple[str, ...]:
        """Return the names of all contacts."""
        return number_contacts(self.n_channels)

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of the kernel over the cells' sources."""
        shank = self.build_shank(context)
        part, parameters = Linear.from_operators((shank.kernel,)), shank.describe(shank.kernel)
        return FieldProbe.build(self, context, part, shank.label_contacts(), parameters)
