"""Head proxies: each area's mean source along its normal, projected onto sensors."""

from typing import Any

import numpy as np

from jtfne.operators import Operator, area_mean
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._parts import Linear
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import Readout
from jtfne.readouts._sensors import Sensors


class HeadProxy(Readout):
    """What EEG and MEG proxies share: areas with places in the head."""

    @property
    def needs_places(self) -> bool:
        """True: the areas stand in the head."""
        return True


def build_head_proxy(
    readout: HeadProxy, context: ProbeContext, sensors: Sensors, projection: Operator
) -> FieldProbe:
    """Return the probe of the areas' mean sources with a projection onto sensors after them."""
    columns = context.columns
    mean = area_mean(np.asarray(context.cells.area), len(columns.positions_mm))
    parameters: dict[str, Any] = {
        "name": projection.name,
        "units": list(projection.units),
        "sensors": sensors.system,
        "areas_mm": columns.positions_mm.tolist(),
        "normals": columns.normals.tolist(),
    }
    dims = ("channel",)
    places = {f"{axis}_mm": (dims, sensors.positions_mm[:, k]) for k, axis in enumerate("xyz")}
    coords = {"channel": (dims, np.array(sensors.names)), **places}
    return FieldProbe.of(
        readout, context, Linear.from_operators((mean, projection)), coords, parameters
    )
