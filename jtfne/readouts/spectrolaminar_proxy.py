"""`spectrolaminar_proxy`: relative power over depth and frequency."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import model_validator

from jtfne import measures
from jtfne._check import refuse
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import Positive
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._parts import Linear
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import FigureSpec
from jtfne.readouts._recording import ReadoutNode, Recording
from jtfne.readouts._shank import ShankReadout


class SpectrolaminarProxy(ShankReadout):
    """`spectrolaminar_proxy`: relative power over depth and frequency, up to `max_frequency_Hz`.

    Examples
    --------
    >>> from jtfne.config import SpectrolaminarProxy
    >>> SpectrolaminarProxy(max_frequency_Hz=100.0).dims
    ('trial', 'area', 'channel', 'frequency')
    """

    kind: Literal["SpectrolaminarProxy"] = "SpectrolaminarProxy"
    max_frequency_Hz: Positive = 150.0

    readout: ClassVar[str] = "spectrolaminar_proxy"
    long_name: ClassVar[str] = "relative power of the LFP proxy"
    short_name: ClassVar[str] = "spectrolaminar"
    dims: ClassVar[tuple[str, ...]] = ("trial", "area", "channel", "frequency")
    coords: ClassVar[tuple[str, ...]] = ("area", "channel", "frequency", "z_mm")
    units: ClassVar[str] = "1"
    proxy: ClassVar[bool] = True
    needs_whole_run: ClassVar[bool] = True
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "12_spectrolaminar": FigureSpec(
            "spectrolaminar",
            "Power relative to its maximum over depth, for each frequency.",
        ),
    }

    @model_validator(mode="after")
    def _check_frequency(self) -> "SpectrolaminarProxy":
        """Refuse frequencies that the interval cannot show."""
        if self.max_frequency_Hz > 500.0 / self.interval_ms:
            allowed = (
                f"at most {500.0 / self.interval_ms:g}, half the rate of samples every "
                f"{self.interval_ms:g} ms"
            )
            raise refuse(f"max_frequency_Hz={self.max_frequency_Hz:g}", allowed, HERE)
        return self

    def build(self, context: ProbeContext) -> "SpectrolaminarProbe":
        """Return the probe of the LFP proxy, from which the power is taken at the end."""
        shank = self.build_shank(context)
        parameters = {
            "name": "relative power over depth",
            "max_frequency_Hz": self.max_frequency_Hz,
            **shank.kernel.parameters.values,
        }
        return SpectrolaminarProbe.build(
            self,
            context,
            Linear.from_operators((shank.kernel,)),
            shank.label_contacts(),
            parameters,
        )


@dataclasses.dataclass(frozen=True)
class SpectrolaminarProbe(FieldProbe):
    """The probe of relative power of the LFP proxy over depth and frequency.

    Each frequency is scaled by its maximum over depth.
    """

    declaration: SpectrolaminarProxy

    def readout(self, recording: Recording) -> ReadoutNode:
        """Return (trial, area, channel, frequency), 0 to 1."""
        rows = recording.kept[self.name]
        n_areas = len(self.coords["area"][1])
        lfp = np.moveaxis(rows.reshape(*rows.shape[:2], n_areas, -1), 1, -1)
        f_Hz, power = measures.spectrum.psd(lfp, self.every * recording.dt_ms)
        band = (np.asarray(f_Hz) > 0.0) & (np.asarray(f_Hz) <= self.declaration.max_frequency_Hz)
        relative = np.array(measures.spectrolaminar.relative_power(np.asarray(power)[..., band]))
        frequency_Hz = (("frequency",), np.asarray(f_Hz, np.float64)[band])
        return self.label(recording, relative, {**self.coords, "frequency": frequency_Hz})
