"""Checks of readouts against the circuit and MNE's tables: sensors, heads, contacts, source maps.

What a run would refuse when it builds its probes is refused here, before any circuit is wired.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jtfne._check import JtfneError, refuse
from jtfne.config import _sensor_names as sensors
from jtfne.config.circuit import Area, Circuit
from jtfne.config.fields import CSD, EEG, LFP, MEG, Discs, Forward, Physical, SIGMA_S_m, Spheres
from jtfne.config.populations import base_emitter
from jtfne.config.readouts import EEGProxy, MEGProxy, Readouts
from jtfne.config.source_maps import OTHERS, RECEPTIVE, SOURCE_MAPS, sign_of, words_of
from jtfne.emitters import can_receive, has_method
from jtfne.operators import DiscSource, PointSource, column_dipoles
from jtfne.pydantic_fields.errors import describe_unknown
from jtfne.pydantic_fields.selector_field import Selector

Key = tuple[str, str, str]  # area, layer, cell type
MAPS = "Config.source(maps=...)"


def check_readouts(
    readouts: Readouts,
    circuit: Circuit,
    mechanisms: Iterable[str],
    populations: Iterable[Key],
    find_cells: Callable[[Selector], Sequence[Key]],
) -> Iterator[str]:
    """Yield each error of the probes of a complete config.

    mechanisms: those in use, by connections or stimuli. find_cells: the populations in which a
    selector finds cells.
    """
    for probe in readouts.probes:
        if isinstance(probe, EEGProxy):
            allowed_names = sensors.list_sites(sensors.MONTAGE) if probe.sites else ()
            yield from _check_names(probe.sites, allowed_names, "sensor", "EEGProxy.sites")
        elif isinstance(probe, MEGProxy):
            allowed_names = sensors.list_coils(sensors.HELMET, "mag") if probe.sensors else ()
            yield from _check_names(probe.sensors, allowed_names, "sensor", "MEGProxy.sensors")
        elif isinstance(probe, EEG | MEG):
            yield from _check_head(probe, circuit)
        elif isinstance(probe, LFP | CSD):
            yield from _check_contacts(probe, circuit)
    if any(isinstance(probe, Physical) for probe in readouts.probes):
        maps = [(source_map, set(find_cells(source_map.cells))) for source_map in readouts.maps]
        yield from _check_maps(
            readouts, circuit, tuple(dict.fromkeys(mechanisms)), tuple(populations), maps
        )


def _check_names(
    names: Sequence[str] | None, allowed_names: Sequence[str], name: str, where: str
) -> Iterator[str]:
    """Yield an error for each sensor that is not in a table."""
    for sensor in names or ():
        line = describe_unknown(sensor, allowed_names, name=name, where=where)
        if line:
            yield line


def _check_head(probe: EEG | MEG, circuit: Circuit) -> Iterator[str]:
    """Yield each error of a head: unknown tables or sensors, no file, areas outside the brain."""
    if isinstance(probe.head, Forward):
        if not Path(probe.head.path).expanduser().is_file():
            description = f"{probe.head.path!r}, which is no file,"
            yield str(
                refuse(description, "a forward solution, as MNE writes it", f"{probe.kind}.head")
            )
        return
    yield from _check_places(probe.head, circuit, probe.kind)
    if isinstance(probe, EEG):
        table, where, chosen = probe.montage, "EEG.montage", probe.sites
        # MNE takes a moment to load: only where something else than the default is named
        is_named = table != sensors.MONTAGE or chosen is not None
        line = (
            describe_unknown(table, sensors.list_montages(), name="montage", where=where)
            if is_named
            else None
        )
    else:
        table, where, chosen = probe.helmet, "MEG.helmet", probe.sensors
        line = describe_unknown(table, sensors.LIFTS_mm, name="helmet", where=where)
    if line:
        yield line
    elif chosen is not None:
        if isinstance(probe, EEG):
            yield from _check_names(chosen, sensors.list_sites(table), "sensor", "EEG.sites")
        else:
            yield from _check_names(chosen, sensors.list_coils(table), "channel", "MEG.sensors")


def _check_places(head: Spheres, circuit: Circuit, kind: str) -> Iterator[str]:
    """Yield an error for each area whose dipole lies outside the brain."""
    for area in circuit.areas:
        if area.placed:
            place = functools.partial(_place_dipole, area, head, circuit.geometry.thickness_mm)
            yield from _catch(place, f"{kind}.head")


def _place_dipole(area: Area, head: Spheres, thickness_mm: float) -> None:
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


def _check_contacts(probe: LFP | CSD, circuit: Circuit) -> Iterator[str]:
    """Yield an error for contacts outside the tissue, or from which the method cannot estimate."""
    geometry = circuit.geometry
    potential = probe.potential() if isinstance(probe, CSD) else probe
    contacts_mm = potential.places_mm(geometry.thickness_mm)
    source_mm = np.array([[0.0, 0.0, 0.5 * geometry.thickness_mm]])
    sigma: Any = potential.sigma_S_m
    surface = potential.surface
    if isinstance(potential.sources, Discs):
        yield from _catch(
            lambda: DiscSource(
                contacts_mm[:, 2], source_mm[:, 2], geometry.radius_mm, sigma, surface=surface
            ),
            f"{probe.kind}",
        )
    else:
        # this source stands for all: no contact lies at it
        radius_mm = max(potential.sources.radius_mm, 1e-6)
        yield from _catch(
            lambda: PointSource(contacts_mm, source_mm, sigma, radius_mm, surface=surface),
            f"{probe.kind}",
        )
    if isinstance(probe, CSD):
        method = probe.estimator(2.0 * geometry.radius_mm)
        yield from _catch(lambda: method.matrix(contacts_mm[:, 2], SIGMA_S_m), "CSD.method")


def _catch(build: Callable[[], Any], where: str) -> Iterator[str]:
    """Yield the error that `build` raises, if any, with the place in the config."""
    try:
        build()
    except JtfneError as error:
        yield f"{error} (for {where})"


def _check_maps(
    readouts: Readouts,
    circuit: Circuit,
    mechanisms: Sequence[str],
    populations: Sequence[Key],
    maps: Sequence[tuple[Any, set[Key]]],
) -> Iterator[str]:
    """Yield an error for each current of a cell type that has no source map.

    maps: the declared ones, each with the populations that it applies to.
    """
    refused: set[tuple[str, str]] = set()
    for key in populations:
        cell_type = key[2]
        emitter = base_emitter(circuit, cell_type)
        if emitter is None or not can_receive(emitter):
            continue
        for words in _name_currents(emitter, readouts, circuit.mechanisms, mechanisms):
            types = [default.cells.cell_type for default in SOURCE_MAPS]
            is_mapped = any(
                (names is None or cell_type in names) and default.holds(*words)
                for names, default in zip(types, SOURCE_MAPS, strict=True)
            )
            is_mapped |= any(key in cells and declared.holds(*words) for declared, cells in maps)
            if not is_mapped and (cell_type, words[0]) not in refused:
                refused.add((cell_type, words[0]))
                description = f"cell type {cell_type!r} without a source map for {words[0]!r}"
                remedy = f"SourceMap(cells={cell_type!r}, enters=..., returns=...)"
                yield str(
                    refuse(
                        description, f"{remedy}, or a type that has one: E, I, PV, SST, VIP", MAPS
                    )
                )


def _name_currents(
    emitter: Any,
    readouts: Readouts,
    mechanism_by_name: Mapping[str, Any],
    mechanisms: Sequence[str],
) -> Iterator[tuple[str, ...]]:
    """Yield the tags of each current of a cell, its name first (see `SourceMap.mechanism`).

    A mechanism whose sign only its weights tell goes by both signs: only a run knows which.
    """
    if has_method(emitter, "axial_pA"):
        yield ("axial",)
        return
    for name in mechanisms if "synaptic" in readouts.source.terms else ():
        sign = sign_of(mechanism_by_name[name])
        yield words_of(name, sign) if sign else (name, *RECEPTIVE)
    if "external" in readouts.source.terms:
        yield (OTHERS[0],)
