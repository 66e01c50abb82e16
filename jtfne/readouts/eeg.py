"""`eeg`: potential at sites on the scalp."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from jtfne.operators import FourSphere, onto_sphere
from jtfne.pydantic_fields.errors import describe_unknown
from jtfne.pydantic_fields.field_types import Name, Positive
from jtfne.readouts import _sensors as tables
from jtfne.readouts._context import Columns, ProbeContext
from jtfne.readouts._head import (
    Forward,
    Head,
    HeadReadout,
    LeadField,
    Spheres,
    build_head_probe,
    check_head,
    describe_dipoles,
    forward_leadfield,
    place_dipoles,
    refuse_table_with_forward,
)
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import CircuitLike, FigureSpec, check_sensors


class EEG(HeadReadout):
    """`eeg`: potential at sites on the scalp, V, from one dipole an area.

    Each dipole is half a cortex below the pia.

    Parameters
    ----------
    interval_ms : float
    montage : str
        Any of MNE's standard montages, put onto the scalp along the lines from the centre of the
        head; not with a `Forward`, which has its own.
    sites : list of str, optional
        Which of its sites, and in which order; all by default.
    head : Spheres or Forward

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.config import EEG
    >>> probe = EEG(sites=["Cz", "Pz", "Oz"])
    >>> jtfne.Config().probes([probe]).readout_names(), probe.units, probe.head.radii_mm
    (('eeg',), 'V', (79.0, 80.0, 85.0, 90.0))
    """

    kind: Literal["EEG"] = "EEG"
    interval_ms: Positive = 1.0
    montage: Name = tables.MONTAGE
    sites: tables.SensorNames = None
    head: Head = Spheres()

    readout: ClassVar[str] = "eeg"
    long_name: ClassVar[str] = "EEG"
    short_name: ClassVar[str] = "EEG"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "channel")
    coords: ClassVar[tuple[str, ...]] = ("channel", "x_mm", "y_mm", "z_mm")
    units: ClassVar[str] = "V"
    mne_type: ClassVar[str] = "eeg"
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "09_eeg": FigureSpec(
            "head",
            "EEG against a point at infinity, from its mean before the first stimulus: up to 12 sites "
            "over time, the mean power spectrum of all sites, and the head from above where sites "
            "differ most after the stimulus.",
        ),
    }

    @model_validator(mode="after")
    def _check_sensors(self) -> "EEG":
        """Refuse a montage beside that of a forward."""
        default = EEG.model_fields["montage"].default
        refuse_table_with_forward(self.head, self.montage, default, "montage")
        return self

    def check(self, circuit: CircuitLike) -> Iterator[str]:
        """Yield each error of the head and of the montage and its sites."""
        yield from check_head(self.head, circuit, self.kind)
        # MNE takes a moment to load: only where something else than the default is named
        is_named = self.montage != tables.MONTAGE or self.sites is not None
        if isinstance(self.head, Forward) or not is_named:
            return
        line = describe_unknown(
            self.montage, tables.list_montages(), name="montage", where="EEG.montage"
        )
        if line:
            yield line
        elif self.sites is not None:
            allowed_names = tables.list_sites(self.montage)
            yield from check_sensors(self.sites, allowed_names, "sensor", "EEG.sites")

    def list_channels(self) -> tuple[str, ...] | None:
        """Return the names of the sites; None for all of a forward."""
        if self.sites is not None or isinstance(self.head, Forward):
            return self.sites
        is_known = self.montage in tables.list_montages()
        return tables.list_sites(self.montage) if is_known else None

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of the areas' dipoles through the lead field of the sites."""
        leadfield = eeg_leadfield(self, context.columns)
        return build_head_probe(self, context, leadfield, leadfield.label_channels())


def eeg_leadfield(declared: EEG, columns: Columns) -> LeadField:
    """Build the lead field of the sites of a montage, put onto the scalp, or of a forward's EEG.

    Raises: JtfneError for an area outside the brain, unknown sites, a forward that does not fit.
    """
    head = declared.head
    if isinstance(head, Forward):
        return forward_leadfield(head, columns, {"eeg"}, declared.sites, "EEG")
    dipoles_mm, outward = place_dipoles(head, columns)
    sites = tables.montage_sites(declared.montage, declared.sites)
    scalp_mm = onto_sphere(
        sites.positions_mm, centre_mm=head.centre_mm, radius_mm=head.radii_mm[-1]
    )
    operator = FourSphere(
        scalp_mm, dipoles_mm, head.centre_mm, head.radii_mm, head.sigmas_S_m
    ).along(outward)
    metadata: dict[str, Any] = {
        "montage": declared.montage,
        "reference": "none: the mean over the scalp is zero",
        **describe_dipoles(dipoles_mm, outward),
    }
    return LeadField(operator, sites.names, scalp_mm, ("V",) * len(sites.names), metadata)
