"""Head probes: EEG and MEG proxies of each area's mean source along its normal."""

import dataclasses
from typing import Any

import numpy as np

from jtfne import _json
from jtfne.operators import Operator, area_mean, electric_projection, magnetic_projection
from jtfne.probes._base import Array, Linear, Readout, Recording, SourceRows, attrs
from jtfne.probes._sensors import Sensors
from jtfne.sources import Source

LONG_NAMES = {"eeg_proxy": "EEG proxy (no conductor)", "meg_proxy": "MEG proxy (no conductor)"}


@dataclasses.dataclass(frozen=True)
class HeadProbe:
    """The probe of `eeg_proxy` or `meg_proxy`.

    cell_areas (n_cells,); areas_mm and normals (n_areas, 3), head coordinates.
    """

    name: str
    sensors: Sensors
    cell_areas: Array
    areas_mm: Array
    normals: Array
    every: int

    def recorder(self, source: Source) -> SourceRows:
        """Return a recorder of area means with their projection after them."""
        return SourceRows(source, {self.name: Linear.from_operators(self._operators())}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, time, channel) a.u."""
        places = {
            f"{axis}_mm": (("channel",), self.sensors.positions_mm[:, k])
            for k, axis in enumerate("xyz")
        }
        names = (("channel",), np.array(self.sensors.names))
        coords = {"time": (("time",), recording.time_ms(self.every)), "channel": names, **places}
        interval_ms = self.every * recording.dt_ms
        attributes = attrs(
            self.name, LONG_NAMES[self.name], "a.u.", proxy=True, interval_ms=interval_ms
        )
        attributes["operator"] = _json.dumps(self.operator())
        values = {self.name: (("trial", "time", "channel"), recording.rows(self.name))}
        return Readout(self.name, values, coords, attributes)

    def operator(self) -> dict[str, Any]:
        """Return the sensor system, and where the areas are."""
        last = self._operators()[-1]
        return {
            "name": last.name,
            "units": list(last.units),
            "sensors": self.sensors.system,
            "areas_mm": self.areas_mm.tolist(),
            "normals": self.normals.tolist(),
        }

    def _operators(self) -> tuple[Operator, ...]:
        """Return the operators, first to last."""
        mean = area_mean(self.cell_areas, len(self.areas_mm))
        places, looks = self.sensors.positions_mm, self.sensors.directions
        if self.name == "eeg_proxy":
            return mean, electric_projection(places, self.areas_mm, self.normals)
        return mean, magnetic_projection(places, looks, self.areas_mm, self.normals)
