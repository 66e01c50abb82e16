"""`meg`: what MEG coils pick up."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from jtfne.operators import SarvasSphere
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


class MEG(HeadReadout):
    """`meg`: what MEG coils pick up, T or T/m, of the areas' dipoles, half a cortex below the pia.

    Parameters
    ----------
    interval_ms : float
    helmet : str
        One of MNE's canonical helmets, "neuromag", "ctf151" or "ctf275", placed round the head; not
        with a `Forward`, which has its own.
    sensors : list of str, optional
        Which of its channels, and in which order; all by default.
    head : Spheres or Forward

    Examples
    --------
    >>> from jtfne.config import MEG
    >>> probe = MEG(helmet="ctf275", interval_ms=2.0)
    >>> probe.units, probe.dims
    ('T and T/m', ('trial', 'time', 'channel'))
    """

    kind: Literal["MEG"] = "MEG"
    interval_ms: Positive = 1.0
    helmet: Name = tables.HELMET
    sensors: tables.SensorNames = None
    head: Head = Spheres()

    readout: ClassVar[str] = "meg"
    long_name: ClassVar[str] = "MEG"
    short_name: ClassVar[str] = "MEG"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "channel")
    coords: ClassVar[tuple[str, ...]] = ("channel", "unit", "x_mm", "y_mm", "z_mm")
    units: ClassVar[str] = "T and T/m"
    mne_type: ClassVar[str] = "meg"
    figures: ClassVar[Mapping[str, FigureSpec]] = {
        "10_meg_mag": FigureSpec(
            "magnetometers",
            "MEG in T (magnetometers, or axial gradiometers), from its mean before the first "
            "stimulus: up to 12 channels over time, the mean power spectrum of all, and the head "
            "from above where they differ most after the stimulus.",
        ),
        "11_meg_grad": FigureSpec(
            "gradiometers",
            "MEG in T/m (planar gradiometers), likewise; on the head, the root mean square of the "
            "two at each place.",
        ),
    }

    @model_validator(mode="after")
    def _check_sensors(self) -> "MEG":
        """Refuse a helmet beside that of a forward."""
        default = MEG.model_fields["helmet"].default
        refuse_table_with_forward(self.head, self.helmet, default, "helmet")
        return self

    def check(self, circuit: CircuitLike) -> Iterator[str]:
        """Yield each error of the head and of the helmet and its channels."""
        yield from check_head(self.head, circuit, self.kind)
        if isinstance(self.head, Forward):
            return
        line = describe_unknown(self.helmet, tables.LIFTS_mm, name="helmet", where="MEG.helmet")
        if line:
            yield line
        elif self.sensors is not None:
            allowed_names = tables.list_coils(self.helmet)
            yield from check_sensors(self.sensors, allowed_names, "channel", "MEG.sensors")

    def list_channels(self) -> tuple[str, ...] | None:
        """Return the names of the coils; None for all of a forward."""
        if self.sensors is not None or isinstance(self.head, Forward):
            return self.sensors
        return tables.list_coils(self.helmet) if self.helmet in tables.LIFTS_mm else None

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of the areas' dipoles through the lead field of the coils.

        The coordinate `unit` has the unit of each channel.
        """
        leadfield = meg_leadfield(self, context.columns)
        units = (("channel",), np.array(leadfield.units))
        coords = {**leadfield.label_channels(), "unit": units}
        return build_head_probe(self, context, leadfield, coords)


def meg_leadfield(declared: MEG, columns: Columns) -> LeadField:
    """Build the lead field of the coils of a helmet, or of a forward's MEG channels.

    Raises: JtfneError for an area outside the brain, an unknown helmet or channel, a forward that
    does not fit.
    """
    head = declared.head
    if isinstance(head, Forward):
        return forward_leadfield(head, columns, {"mag", "grad"}, declared.sensors, "MEG")
    dipoles_mm, outward = place_dipoles(head, columns)
    coils, places_mm, lift_mm = tables.helmet_coils(declared.helmet, declared.sensors)
    operator = SarvasSphere.of_coils(coils, dipoles_mm, head.centre_mm).along(outward)
    metadata: dict[str, Any] = {
        "helmet": declared.helmet,
        "helmet_lift_mm": lift_mm,
        **describe_dipoles(dipoles_mm, outward),
    }
    return LeadField(operator, coils.names, places_mm, coils.units, metadata)
