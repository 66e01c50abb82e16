"""The base class of every readout: what it is, its settings, its check and its probe."""

import abc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from jtfne.pydantic_fields.errors import describe_unknown
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.readouts._context import ProbeContext
from jtfne.readouts._probe import Probe

ROW_DIMS: dict[tuple[str, ...], str] = {
    ("event",): "spikes",
    ("trial", "time", "neuron"): "cells",
    ("trial", "time", "area", "channel"): "laminar",
    ("trial", "time", "area"): "areal",
    ("trial", "time", "channel"): "head",
}
"""Dims of a readout -> what its rows are, by which measures, figures and comparisons choose."""


class FigureSpec(NamedTuple):
    """A figure of a run: how a readout is drawn, and the caption in the report.

    kind: "raster", "rates", "potentials", "laminar", "psd", "spectrolaminar", "area traces",
    "traces", "map", "moments", "head", "magnetometers" or "gradiometers".

    Examples
    --------
    >>> from jtfne.config import LFP
    >>> LFP.figures["05_lfp"].kind
    'laminar'
    """

    kind: str
    caption: str


class AreaLike(Protocol):
    """An area of a circuit: its name, and where its column stands in the head."""

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    @property
    def position_mm(self) -> Any:
        """Return the place of its column in the head."""
        ...

    @property
    def normal(self) -> Any:
        """Return the outward normal of its column, in the head."""
        ...

    @property
    def placed(self) -> bool:
        """Whether it has a place in the head."""
        ...


class GeometryLike(Protocol):
    """The size of a circuit's columns."""

    @property
    def thickness_mm(self) -> float:
        """Return the thickness of the cortex."""
        ...

    @property
    def radius_mm(self) -> float:
        """Return the radius of a column."""
        ...


class CircuitLike(Protocol):
    """What a check may look at of a circuit: its areas, and the size of their columns."""

    @property
    def areas(self) -> Sequence[AreaLike]:
        """Return the areas."""
        ...

    @property
    def geometry(self) -> GeometryLike:
        """Return the size of the columns."""
        ...


class Readout(Frozen, abc.ABC):
    """A readout of a run: what it is, as class attributes; its settings, as fields; its probe.

    A class from outside jtfne is taken where those of the catalogue are: an object of it in
    `Config.probes`, and `module:Class` in files.

    Attributes
    ----------
    readout, aliases : str, tuple of str
        Its name, and other names that `Config.probes` and `Signals.get` take for it.
    long_name, units : str
        What the values are, and their unit.
    short_name : str, optional
        What figures call it; by default its name.
    dims : tuple of str
        Of its values. By them measures, figures and comparisons know what its rows are (`row_kind`).
    coords : tuple of str
        Names of the coordinates; those in brackets only of nets with identity.
    proxy : bool
        Whether its unit is arbitrary or relative; otherwise it is the quantity named.
    mne_type : str, optional
        Type of its channels in MNE: of a proxy once the user has given a scale; "meg" where the
        coordinate `unit` tells magnetometers from gradiometers. None: `misc`.
    density : bool
        Whether it is a current source density already.
    needs_identity, needs_maps, needs_signs, needs_places, needs_whole_run : bool
        Whether its probe needs names and places of cells, the source maps, the sign of each
        mechanism, the areas' places in the head, all rows at once.
    fif : bool
        Whether `jtfne run` writes it as FIF: `<readout>_raw.fif`, and of what is no proxy
        `<readout>-epo.fif` where there are events.
    figures : dict
        File name -> FigureSpec, of the figures of it that a run draws.

    Examples
    --------
    >>> from jtfne import config, readouts
    >>> issubclass(config.LFP, config.Probe), config.LFP.row_kind(), config.Spikes.row_kind()
    (True, 'laminar', 'spikes')
    >>> config.LFP.is_si_field(), config.LFPProxy.is_si_field()
    (True, False)
    """

    readout: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    long_name: ClassVar[str]
    short_name: ClassVar[str | None] = None
    dims: ClassVar[tuple[str, ...]]
    coords: ClassVar[tuple[str, ...]]
    units: ClassVar[str]
    proxy: ClassVar[bool]
    mne_type: ClassVar[str | None] = None
    density: ClassVar[bool] = False
    needs_identity: ClassVar[bool] = True
    needs_maps: ClassVar[bool] = False
    needs_signs: ClassVar[bool] = False
    needs_whole_run: ClassVar[bool] = False
    fif: ClassVar[bool] = False
    figures: ClassVar[Mapping[str, FigureSpec]] = {}

    @property
    def needs_places(self) -> bool:
        """Whether its probe needs the areas' places in the head."""
        return False

    @classmethod
    def is_si_field(cls) -> bool:
        """Whether it is a field or moment in SI units, as a recording of MNE's types is."""
        return cls.mne_type is not None and not cls.proxy

    @classmethod
    def row_kind(cls) -> str:
        """What its rows are: "spikes", "cells", "laminar", "areal", "head" or "other"."""
        return ROW_DIMS.get(cls.dims, "other")

    def check(self, circuit: CircuitLike) -> Iterator[str]:
        """Yield each reason why a run of `circuit` could not record it, one line each."""
        yield from ()

    def list_channels(self) -> tuple[str, ...] | None:
        """Return the names of its channels; None where only the probe knows them."""
        return None

    @abc.abstractmethod
    def build(self, context: ProbeContext) -> Probe:
        """Return the probe that records it. Raises: JtfneError for what `check` cannot know."""


class PhysicalReadout(Readout):
    """A readout in SI units, by the currents that the source maps spread over depth.

    Examples
    --------
    >>> from jtfne.config import PROBES, Physical
    >>> [name for name, probe in PROBES.items() if issubclass(probe, Physical)]
    ['lfp', 'csd', 'dipole', 'eeg', 'meg']
    """

    proxy: ClassVar[bool] = False
    fif: ClassVar[bool] = True
    needs_maps: ClassVar[bool] = True
    needs_signs: ClassVar[bool] = True


def check_sensors(
    chosen_names: Sequence[str] | None, allowed_names: Sequence[str], name: str, where: str
) -> Iterator[str]:
    """Yield an error for each sensor that is not in a table."""
    for sensor in chosen_names or ():
        line = describe_unknown(sensor, allowed_names, name=name, where=where)
        if line:
            yield line
