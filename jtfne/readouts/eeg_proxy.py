"""`eeg_proxy`: area sources projected onto named sites."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from jtfne.operators import electric_projection
from jtfne.pydantic_fields.field_types import Positive
from jtfne.readouts import _sensors as tables
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._head_proxy import HeadProxy, build_head_proxy
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import CircuitLike, FigureSpec, check_sensors


class EEGProxy(HeadProxy):
    """`eeg_proxy`: area sources projected onto named sites; a.u.

    Examples
    --------
    >>> from jtfne.config import EEGProxy
    >>> EEGProxy(sites=["Cz", "Oz"]).list_channels(), len(EEGProxy().list_channels())
    (('Cz', 'Oz'), 21)
    """

    kind: Literal["EEGProxy"] = "EEGProxy"
    interval_ms: Positive = 1.0
    sites: tables.SensorNames = None

    readout: ClassVar[str] = "eeg_proxy"
    long_name: ClassVar[str] = "EEG proxy (no conductor)"
    short_name: ClassVar[str] = "EEG"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "channel")
    coords: ClassVar[tuple[str, ...]] = ("channel", "x_mm", "y_mm", "z_mm")
    units: ClassVar[str] = "a.u."
    proxy: ClassVar[bool] = True
    mne_type: ClassVar[str] = "eeg"
    fif: ClassVar[bool] = True
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "17_eeg_proxy": FigureSpec(
            "traces",
            "EEG proxy at up to 12 sites, from its mean before the first stimulus.",
        ),
        "18_eeg_proxy_map": FigureSpec(
            "map",
            "EEG proxy over the head, seen from above, where it differs most over sensors after the stimulus.",
        ),
    }

    def check(self, circuit: CircuitLike) -> Iterator[str]:
        """Yield an error for each site that the montage does not have."""
        allowed_names = tables.list_sites(tables.MONTAGE) if self.sites else ()
        yield from check_sensors(self.sites, allowed_names, "sensor", "EEGProxy.sites")

    def list_channels(self) -> tuple[str, ...]:
        """Return the names of the sites."""
        return tables.SITES_10_20 if self.sites is None else self.sites

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of area means projected onto the sites."""
        sensors, columns = tables.eeg_sites(self.sites), context.columns
        projection = electric_projection(
            sensors.positions_mm, columns.positions_mm, columns.normals
        )
        return build_head_proxy(self, context, sensors, projection)
