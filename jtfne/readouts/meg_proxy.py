"""`meg_proxy`: area currents projected onto named magnetometers."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from jtfne.operators import magnetic_projection
from jtfne.pydantic_fields.field_types import Positive
from jtfne.readouts import _sensors as tables
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._head_proxy import HeadProxy, build_head_proxy
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import CircuitLike, FigureSpec, check_sensors


class MEGProxy(HeadProxy):
    """`meg_proxy`: area currents projected onto named magnetometers; a.u.

    Examples
    --------
    >>> from jtfne.config import MEGProxy
    >>> MEGProxy(sensors=["MEG 0111"]).list_channels(), MEGProxy().units
    (('MEG 0111',), 'a.u.')
    """

    kind: Literal["MEGProxy"] = "MEGProxy"
    interval_ms: Positive = 1.0
    sensors: tables.SensorNames = None

    readout: ClassVar[str] = "meg_proxy"
    long_name: ClassVar[str] = "MEG proxy (no conductor)"
    short_name: ClassVar[str] = "MEG"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "channel")
    coords: ClassVar[tuple[str, ...]] = ("channel", "x_mm", "y_mm", "z_mm")
    units: ClassVar[str] = "a.u."
    proxy: ClassVar[bool] = True
    mne_type: ClassVar[str] = "mag"
    fif: ClassVar[bool] = True
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "19_meg_proxy": FigureSpec(
            "traces",
            "MEG proxy at up to 12 magnetometers, from its mean before the first stimulus.",
        ),
        "20_meg_proxy_map": FigureSpec(
            "map",
            "MEG proxy over the head, seen from above, where it differs most over sensors after the stimulus.",
        ),
    }

    def check(self, circuit: CircuitLike) -> Iterator[str]:
        """Yield an error for each magnetometer that the helmet does not have."""
        allowed_names = tables.list_coils(tables.HELMET, "mag") if self.sensors else ()
        yield from check_sensors(self.sensors, allowed_names, "sensor", "MEGProxy.sensors")

    def list_channels(self) -> tuple[str, ...]:
        """Return the names of the magnetometers."""
        return tables.list_coils(tables.HELMET, "mag") if self.sensors is None else self.sensors

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of area means projected onto the magnetometers."""
        sensors, columns = tables.meg_magnetometers(self.sensors), context.columns
        projection = magnetic_projection(
            sensors.positions_mm, sensors.directions, columns.positions_mm, columns.normals
        )
        return build_head_proxy(self, context, sensors, projection)
