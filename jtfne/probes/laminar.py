"""Laminar probes: LFP and CSD proxies along each area's depth, and the spectrolaminar map."""

import dataclasses
from typing import Any

import numpy as np

from jtfne import _json, measures
from jtfne.operators import Operator, laminar_kernel, second_difference
from jtfne.probes._base import Array, Linear, Readout, Recording, SourceRows, attrs
from jtfne.sources import Source
from jtfne.wiring import Identity


@dataclasses.dataclass(frozen=True)
class Shank:
    """Evenly spaced contacts from pia to white matter, one shank an area, and their kernel."""

    areas: tuple[str, ...]
    depths_mm: Array
    kernel: Operator

    @classmethod
    def through_cells(
        cls, identity: Identity, *, thickness_mm: float, n_channels: int, kernel_mm: float
    ) -> "Shank":
        """Build the shanks through the cells of `identity`."""
        depths_mm = np.round(np.linspace(0.0, thickness_mm, n_channels), 9)
        areas = np.asarray(identity.area)
        kernel = laminar_kernel(
            depths_mm, identity.position_mm[:, 2], areas, len(identity.areas), kernel_mm
        )
        return cls(identity.areas, depths_mm, kernel)

    def coords(self, inner: slice) -> dict[str, tuple[tuple[str, ...], Array]]:
        """Return the coordinates of areas and of the channels `inner`."""
        names = np.array([f"ch{k:02d}" for k in range(self.depths_mm.size)])
        return {
            "area": (("area",), np.array(self.areas)),
            "channel": (("channel",), names[inner]),
            "z_mm": (("channel",), self.depths_mm[inner]),
        }


@dataclasses.dataclass(frozen=True)
class LaminarProbe:
    """The probe of `lfp_proxy` or, with the second difference, of `csd_proxy`."""

    name: str
    shank: Shank
    every: int

    def recorder(self, source: Source) -> SourceRows:
        """Return a recorder of the kernel, with the second difference after it for a CSD."""
        return SourceRows(source, {self.name: Linear.from_operators(self._operators())}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, time, area, channel) a.u."""
        inner = slice(1, -1) if self.name == "csd_proxy" else slice(None)
        coords = {"time": (("time",), recording.time_ms(self.every)), **self.shank.coords(inner)}
        values = recording.rows(
            self.name, lambda rows: rows.reshape(*rows.shape[:2], len(self.shank.areas), -1)
        )
        long_name = {
            "lfp_proxy": "laminar LFP proxy",
            "csd_proxy": "laminar CSD proxy, sinks negative",
        }[self.name]
        attributes = attrs(
            self.name, long_name, "a.u.", proxy=True, interval_ms=self.every * recording.dt_ms
        )
        attributes["operator"] = _json.dumps(self.operator())
        return Readout(
            self.name,
            {self.name: (("trial", "time", "area", "channel"), values)},
            coords,
            attributes,
        )

    def operator(self) -> dict[str, Any]:
        """Return the kernel width and the contacts."""
        last = self._operators()[-1]
        return {"name": last.name, "units": list(last.units), **self.shank.kernel.parameters.values}

    def _operators(self) -> tuple[Operator, ...]:
        """Return the operators, first to last."""
        if self.name == "lfp_proxy":
            return (self.shank.kernel,)
        return (self.shank.kernel, second_difference(len(self.shank.areas), self.shank.depths_mm))


@dataclasses.dataclass(frozen=True)
class SpectrolaminarProbe:
    """The probe of relative power of the LFP proxy over depth and frequency.

    Each frequency is scaled by its maximum over depth.
    """

    shank: Shank
    every: int
    max_frequency_Hz: float
    name: str = "spectrolaminar_proxy"

    def recorder(self, source: Source) -> SourceRows:
        """Return a recorder of the LFP proxy, from which the power is taken at the end."""
        return SourceRows(
            source, {self.name: Linear.from_operators((self.shank.kernel,))}, self.every
        )

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, area, channel, frequency), 0 to 1."""
        interval_ms = self.every * recording.dt_ms
        rows = recording.kept[self.name]
        lfp = np.moveaxis(rows.reshape(*rows.shape[:2], len(self.shank.areas), -1), 1, -1)
        f_Hz, power = measures.spectrum.psd(lfp, interval_ms)
        band = (np.asarray(f_Hz) > 0.0) & (np.asarray(f_Hz) <= self.max_frequency_Hz)
        relative = np.array(measures.spectrolaminar.relative_power(np.asarray(power)[..., band]))
        coords = {
            **self.shank.coords(slice(None)),
            "frequency": (("frequency",), np.asarray(f_Hz, np.float64)[band]),
        }
        attributes = attrs(
            self.name, "relative power of the LFP proxy", "1", proxy=True, interval_ms=interval_ms
        )
        attributes["operator"] = _json.dumps(self.operator())
        return Readout(
            self.name,
            {self.name: (("trial", "area", "channel", "frequency"), relative)},
            coords,
            attributes,
        )

    def operator(self) -> dict[str, Any]:
        """Return the parameters of the LFP proxy, and the highest frequency."""
        kernel = self.shank.kernel.parameters.values
        return {
            "name": "relative power over depth",
            "max_frequency_Hz": self.max_frequency_Hz,
            **kernel,
        }
