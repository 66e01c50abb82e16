"""Physical EEG and MEG: the areas' dipole moments through the lead field of a head."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import UNREADABLE, one_of, refuse
from jtfne.config import EEG, MEG, Forward, Spheres
from jtfne.operators import (
    FourSphere,
    FromForward,
    Operator,
    SarvasSphere,
    column_dipoles,
    onto_sphere,
)
from jtfne.probes._base import Readout, Recording, SourceRows
from jtfne.probes._cell_loops import Matrix, SourceMapMatrices
from jtfne.probes._sensors import helmet_coils, montage_sites
from jtfne.probes.fields import Columns, dipole_part, physical_attrs
from jtfne.sources import Source

FRAME = "head (RAS), mm"


@dataclasses.dataclass(frozen=True)
class LeadField:
    """The lead field from dipoles along the areas' normals to sensors.

    names, positions_mm (n_channels, 3), and the unit of each channel. about: for the manifest.
    """

    operator: Operator
    names: tuple[str, ...]
    positions_mm: Matrix
    units: tuple[str, ...]
    about: dict[str, Any]


def eeg_leadfield(declared: EEG, columns: Columns) -> LeadField:
    """Build the lead field of the sites of a montage, put onto the scalp, or of a forward's EEG.

    Raises: JtfneError for an area outside the brain, unknown sites, a forward that does not fit.
    """
    head = declared.head
    if isinstance(head, Forward):
        return forward_leadfield(head, columns, {"eeg"}, declared.sites, "EEG")
    dipoles_mm, outward = _place_dipoles(head, columns)
    sites = montage_sites(declared.montage, declared.sites)
    scalp_mm = onto_sphere(
        sites.positions_mm, centre_mm=head.centre_mm, radius_mm=head.radii_mm[-1]
    )
    operator = FourSphere(
        scalp_mm, dipoles_mm, head.centre_mm, head.radii_mm, head.sigmas_S_m
    ).along(outward)
    metadata: dict[str, Any] = {
        "montage": declared.montage,
        "reference": "none: the mean over the scalp is zero",
    }
    return LeadField(
        operator,
        sites.names,
        scalp_mm,
        ("V",) * len(sites.names),
        {**metadata, **_describe_dipoles(dipoles_mm, outward)},
    )


def meg_leadfield(declared: MEG, columns: Columns) -> LeadField:
    """Build the lead field of the coils of a helmet, or of a forward's MEG channels.

    Raises: JtfneError for an area outside the brain, an unknown helmet or channel, a forward that
    does not fit.
    """
    head = declared.head
    if isinstance(head, Forward):
        return forward_leadfield(head, columns, {"mag", "grad"}, declared.sensors, "MEG")
    dipoles_mm, outward = _place_dipoles(head, columns)
    coils, places_mm, lift_mm = helmet_coils(declared.helmet, declared.sensors)
    operator = SarvasSphere.of_coils(coils, dipoles_mm, head.centre_mm).along(outward)
    metadata = {
        "helmet": declared.helmet,
        "helmet_lift_mm": lift_mm,
        **_describe_dipoles(dipoles_mm, outward),
    }
    return LeadField(operator, coils.names, places_mm, coils.units, metadata)


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
        **_describe_dipoles(dipoles_mm, columns.normals),
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


def _place_dipoles(head: Spheres, columns: Columns) -> tuple[Matrix, Matrix]:
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


def _describe_dipoles(dipoles_mm: Matrix, normals: Matrix) -> dict[str, Any]:
    """Return where the dipoles are, JSON-ready."""
    return {"frame": FRAME, "dipoles_mm": dipoles_mm.tolist(), "normals": normals.tolist()}


@dataclasses.dataclass(frozen=True)
class LeadFieldProbe:
    """The probe of `eeg` or `meg`."""

    name: str
    lead: LeadField
    loops: SourceMapMatrices
    every: int

    def recorder(self, source: Source) -> SourceRows:
        """Return a recorder of dipole moments with the lead field after them."""
        part = dipole_part(self.loops, np.asarray(self.lead.operator.matrix))
        return SourceRows(self.loops.source, {self.name: part}, self.every)

    def readout(self, recording: Recording) -> Readout:
        """Return (trial, time, channel) in V, or in T and T/m.

        For MEG the coordinate `unit` has the unit of each channel.
        """
        dims = ("channel",)
        coords = {
            "time": (("time",), recording.time_ms(self.every)),
            "channel": (dims, np.array(self.lead.names)),
            **{f"{axis}_mm": (dims, self.lead.positions_mm[:, k]) for k, axis in enumerate("xyz")},
        }
        if self.name == "meg":
            coords["unit"] = (dims, np.array(self.lead.units))
        long_name = {"eeg": "EEG", "meg": "MEG"}[self.name]
        units = self.lead.operator.units[1]
        attributes = physical_attrs(
            self.name, long_name, units, self.operator(), self.every * recording.dt_ms
        )
        return Readout(
            self.name,
            {self.name: (("trial", "time", "channel"), recording.rows(self.name))},
            coords,
            attributes,
        )

    def operator(self) -> dict[str, Any]:
        """Return conductor, sensors, frame and dipoles, and the source map."""
        lead_metadata = {
            "name": self.lead.operator.name,
            **self.lead.operator.parameters.values,
            **self.lead.about,
        }
        return {
            **lead_metadata,
            "source_units": "A m",
            "areas": list(self.loops.areas),
            **self.loops.about,
        }
