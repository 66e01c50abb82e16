"""Heads, and the lead field from the areas' dipoles to sensors on them, for EEG and MEG alike."""

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field, model_validator

from jtfne._check import UNREADABLE, JtfneError, describe_value, one_of, refuse
from jtfne._stored import check_fif
from jtfne.operators import FromForward, Operator, column_dipoles
from jtfne.pydantic_fields.errors import HERE
from jtfne.pydantic_fields.field_types import Name, Positive, Vector, numeric
from jtfne.pydantic_fields.frozen import Frozen
from jtfne.readouts._checks import as_kind_table, catch_error
from jtfne.readouts._context import Columns, Matrix, ProbeContext
from jtfne.readouts._probe import FieldProbe
from jtfne.readouts._readout import AreaLike, CircuitLike, PhysicalReadout
from jtfne.readouts._recording import Labelled

FRAME = "head (RAS), mm"
Four = Annotated[tuple[Positive, Positive, Positive, Positive], numeric]


class Spheres(Frozen):
    """A head of four spheres, brain, fluid, skull and scalp, in head coordinates.

    For MEG only the centre and the brain matter.

    Radii and conductivities: Naess et al. (2017), Front. Hum. Neurosci. 11:490.

    Examples
    --------
    >>> from jtfne.config import EEG, Spheres
    >>> EEG(head=Spheres(radii_mm=(79.0, 80.0, 86.0, 92.0))).head.radii_mm[-1]
    92.0
    """

    kind: Literal["Spheres"] = "Spheres"
    centre_mm: Vector = (0.0, 0.0, 40.0)
    radii_mm: Four = (79.0, 80.0, 85.0, 90.0)
    sigmas_S_m: Four = (0.3, 1.5, 0.015, 0.3)

    @model_validator(mode="after")
    def _check_radii(self) -> "Spheres":
        """Refuse radii that do not increase from the brain outwards."""
        if not (np.diff(self.radii_mm) > 0.0).all():
            raise refuse(
                f"radii_mm={self.radii_mm}", "radii that increase from the brain outwards", HERE
            )
        return self


class Forward(Frozen):
    """A head and its sensors by the file of an MNE forward solution.

    In head coordinates, and of free orientation.

    Each area's moment, along its normal, is put onto the nearest source, which must lie `within_mm`
    of its own place.

    Examples
    --------
    >>> from jtfne.config import EEG, Forward
    >>> EEG(head=Forward(path="sample-fwd.fif", within_mm=5.0)).head.within_mm
    5.0
    """

    kind: Literal["Forward"] = "Forward"
    path: Name
    within_mm: Positive = 10.0


def _as_head(value: Any) -> Any:
    """Convert a head without `kind` to the table of Spheres."""
    return (
        {"kind": "Spheres", **value}
        if isinstance(value, Mapping) and "kind" not in value
        else as_kind_table(value)
    )


Head = Annotated[
    Annotated[Spheres | Forward, Field(discriminator="kind")],
    BeforeValidator(_as_head, Spheres | Forward | str),
]


class HeadReadout(PhysicalReadout):
    """A physical readout by sensors on a head, from one dipole an area.

    Each dipole is half a cortex below the pia.
    """

    @property
    def needs_places(self) -> bool:
        """True: the dipoles stand in the head."""
        return True


def refuse_table_with_forward(
    head: Spheres | Forward, sensor_table: str, default: str, name: str
) -> None:
    """Check that a Forward, which has its own sensors, comes without a table of sensors.

    Raises: JtfneError.
    """
    if isinstance(head, Forward) and sensor_table != default:
        description = f"{name}={describe_value(sensor_table)} with a Forward"
        raise refuse(description, "the sensors that it has", HERE)


def check_head(head: Spheres | Forward, circuit: CircuitLike, kind: str) -> Iterator[str]:
    """Yield an error for a forward solution that is no file, and areas outside the brain."""
    if isinstance(head, Forward):
        if not Path(head.path).expanduser().is_file():
            description = f"{head.path!r}, which is no file,"
            allowed = "a forward solution, as MNE writes it"
            yield str(refuse(description, allowed, f"{kind}.head"))
        return
    for area in circuit.areas:
        if area.placed:
            place = functools.partial(_place_dipole, area, head, circuit.geometry.thickness_mm)
            yield from catch_error(place, f"{kind}.head")


def _place_dipole(area: AreaLike, head: Spheres, thickness_mm: float) -> None:
    """Build the dipole of an area. Raises: JtfneError, which names the area, outside the brain."""
    try:
        column_dipoles(
            [area.position_mm],
            [area.normal],
            depth_mm=0.5 * thickness_mm,
            centre_mm=head.centre_mm,
            brain_mm=head.radii_mm[0],
        )
    except JtfneError as error:
        raise JtfneError(str(error).replace("column 0 at", f"area {area.name!r} at")) from None


@dataclasses.dataclass(frozen=True)
class LeadField:
    """The lead field from dipoles along the areas' normals to sensors.

    names, positions_mm (n_channels, 3), and the unit of each channel. metadata: for the manifest.
    """

    operator: Operator
    names: tuple[str, ...]
    positions_mm: Matrix
    units: tuple[str, ...]
    metadata: dict[str, Any]

    def label_channels(self) -> dict[str, Labelled]:
        """Return the coordinates of the channels: names, and places in the head."""
        dims = ("channel",)
        places = {f"{axis}_mm": (dims, self.positions_mm[:, k]) for k, axis in enumerate("xyz")}
        return {"channel": (dims, np.array(self.names)), **places}


def build_head_probe(
    readout: PhysicalReadout,
    context: ProbeContext,
    leadfield: LeadField,
    coords: Mapping[str, Labelled],
) -> FieldProbe:
    """Return the probe of dipole moments with a lead field after them."""
    maps = context.maps
    parameters = {
        "name": leadfield.operator.name,
        **leadfield.operator.parameters.values,
        **leadfield.metadata,
        "source_units": "A m",
        "areas": list(maps.areas),
        **maps.metadata,
    }
    part = maps.dipole_part(np.asarray(leadfield.operator.matrix))
    return FieldProbe.build(
        readout,
        context,
        part,
        coords,
        parameters,
        source=maps.source,
        channel_units=leadfield.operator.units[1],
    )


def forward_leadfield(
    head: Forward, columns: Columns, kinds: set[str], channels: Sequence[str] | None, name: str
) -> LeadField:
    """Build the lead field of a forward solution in a file.

    It has the forward's channels of these kinds, all or those named, and its sources nearest to the
    areas' dipoles.
    Raises: JtfneError for no such file, a channel that it does not have, an area without a source
    nearby.
    """
    import mne

    where = f"{name}.head"
    path = Path(head.path)
    if not path.is_file():
        raise refuse(
            f"{head.path!r}, which is no file,", "a forward solution, as MNE writes it", where
        )
    if path.name.lower().endswith((".fif", ".fif.gz")):
        check_fif(path, where)
    try:
        forward = mne.read_forward_solution(path, verbose="error")
    except UNREADABLE as error:
        raise refuse(
            f"{head.path!r}, which MNE cannot read ({error}),", "a forward solution", where
        ) from None
    info = forward["info"]
    channel_names = [
        channel
        for channel, kind in zip(info["ch_names"], info.get_channel_types(), strict=True)
        if kind in kinds
    ]
    if not channel_names:
        raise refuse(
            f"a forward without {name} channels", f"one that has some of {sorted(kinds)}", where
        )
    names = (
        channel_names
        if channels is None
        else [one_of(channel, channel_names, name="channel", where=where) for channel in channels]
    )
    all_sources = FromForward(forward, names)
    source_indices = _find_nearest_sources(
        1e3 * np.asarray(forward["source_rr"]), columns, head.within_mm, where
    )
    matrix = np.asarray(all_sources.matrix)
    if matrix.ndim == 2:
        raise refuse(
            "a forward of fixed orientation", "one of free orientation, as MNE writes them", where
        )
    leadfield = np.einsum("cak,ak->ca", matrix[:, source_indices], columns.normals)
    dipoles_mm = 1e3 * np.asarray(forward["source_rr"])[source_indices]
    metadata = {
        "forward": head.path,
        "forward_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "forward_sources": [int(index) for index in source_indices],
        **describe_dipoles(dipoles_mm, columns.normals),
    }
    operator = Operator(leadfield, all_sources.units, all_sources.name, all_sources.parameters)
    return LeadField(
        operator,
        tuple(names),
        _channel_positions_mm(info, names),
        tuple(all_sources.parameters.values["units"]),
        metadata,
    )


def _find_nearest_sources(
    sources_mm: Matrix, columns: Columns, within_mm: float, where: str
) -> npt.NDArray[np.int64]:
    """The source next to each area's dipole: (n_areas,).

    Raises: JtfneError for one that is too far away.
    """
    distances_mm = np.linalg.norm(columns.dipoles_mm[:, None] - sources_mm, axis=2)
    nearest: npt.NDArray[np.int64] = distances_mm.argmin(1)
    nearest_mm = distances_mm.min(1)
    if nearest_mm.max() > within_mm:
        k = int(nearest_mm.argmax())
        problem = (
            f"area {k} at {columns.dipoles_mm[k].round(1).tolist()} mm, {nearest_mm[k]:.3g} mm "
            "from the nearest source,"
        )
        raise refuse(problem, f"a source within {within_mm:g} mm", where)
    return nearest


def _channel_positions_mm(info: Any, names: Sequence[str]) -> Matrix:
    """Where channels stand in the head: (n, 3). Coils are told in the device."""
    from mne.io.constants import FIFF

    places = np.array([info["chs"][info["ch_names"].index(name)]["loc"][:3] for name in names])
    frames = [info["chs"][info["ch_names"].index(name)]["coord_frame"] for name in names]
    onto_head = np.eye(4) if info["dev_head_t"] is None else info["dev_head_t"]["trans"]
    in_head = places @ onto_head[:3, :3].T + onto_head[:3, 3]
    in_device = np.array(frames) == FIFF.FIFFV_COORD_DEVICE
    positions_mm: Matrix = 1e3 * np.where(in_device[:, None], in_head, places)
    return positions_mm


def place_dipoles(head: Spheres, columns: Columns) -> tuple[Matrix, Matrix]:
    """Return places and directions of the areas' dipoles.

    Raises: JtfneError for one outside the brain.
    """
    return column_dipoles(
        columns.positions_mm,
        columns.normals,
        depth_mm=0.5 * columns.thickness_mm,
        centre_mm=head.centre_mm,
        brain_mm=head.radii_mm[0],
    )


def describe_dipoles(dipoles_mm: Matrix, normals: Matrix) -> dict[str, Any]:
    """Return where the dipoles are, JSON-ready."""
    return {"frame": FRAME, "dipoles_mm": dipoles_mm.tolist(), "normals": normals.tolist()}
