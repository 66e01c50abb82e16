"""Source maps as matrices: from the currents of cells to currents of compartments along depth."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from jtfne._check import JtfneError, refuse
from jtfne.config import SOURCE_MAPS, Config, Selector, SourceMap
from jtfne.config.source_maps import OTHERS, find_sign, list_current_tags
from jtfne.emitters import can_receive, has_method
from jtfne.flatnet import lay_out_rows, mechanisms_of
from jtfne.operators.depths import compartments_mm, depth_weights
from jtfne.readouts import SourceMapMatrices
from jtfne.sources import AXIAL, EXTERNAL, SourceSinkCurrents, Terms
from jtfne.wiring import Identity, NetData, select_with

STEP_mm = 0.05
"""Height of the compartments.

A fifth of the default column's radius, below which an LFP does not show detail.
"""

WHERE = "Config.source(maps=...)"
Matrix = npt.NDArray[np.float64]
# which one, and by which words it goes; several that share a row
Current = tuple[int, tuple[tuple[str, ...], ...]]
Signs = tuple[tuple[str, int], ...]


def build_source_maps(net: NetData, config: Config, signs: Signs) -> SourceMapMatrices:
    """Build the source map of a run. signs: from `mechanism_signs`.

    Raises: JtfneError for cells without a map, and mechanisms that share a row but have different
    maps.
    """
    identity = net.identity
    assert identity is not None
    circuit, readouts = config.circuit, config.readouts
    thickness_mm = circuit.geometry.thickness_mm
    depths_mm = compartments_mm(thickness_mm, STEP_mm)
    table = _MapTable.build(identity, readouts.maps, thickness_mm)
    shares_by_kind, terms_by_group = [], []
    for kind_populations, rows in lay_out_rows(net, mechanisms_of(config)).models:
        cell_rows = np.arange(len(identity)) if rows is None else rows
        currents = list(_iterate_currents(kind_populations[0].emitter, net, config, dict(signs)))
        terms, loop_shares = _merge_currents(currents, table, cell_rows, depths_mm)
        terms_by_group.append(terms)
        shares_by_kind.append((cell_rows, loop_shares))
    n_loops = max(1, *(len(terms) for terms in terms_by_group))
    all_shares = np.zeros((depths_mm.size, n_loops, len(identity)))
    for cell_rows, loop_shares in shares_by_kind:
        for k, shares in enumerate(loop_shares):
            all_shares[:, k, cell_rows] = readouts.scale * shares
    has_current = np.abs(all_shares).max((0, 1)) > 0.0
    rows_by_area = [
        np.flatnonzero(has_current & (identity.area == k)) for k in range(len(identity.areas))
    ]
    ranges = tuple(
        (int(area_rows[0]), int(area_rows[-1]) + 1) if area_rows.size else (0, 0)
        for area_rows in rows_by_area
    )
    metadata = {
        "scale": readouts.scale,
        "depth_step_mm": float(depths_mm[1]),
        "maps": [source_map.model_dump(mode="json") for source_map in table.list_used_maps()],
    }
    source = SourceSinkCurrents(
        tuple((*terms, *((),) * (n_loops - len(terms))) for terms in terms_by_group)
    )
    maps = tuple(
        np.ascontiguousarray(all_shares[:, :, first:last] * (identity.area[first:last] == k))
        for k, (first, last) in enumerate(ranges)
    )
    return SourceMapMatrices(source, identity.areas, depths_mm, ranges, maps, metadata)


def mechanism_signs(net: NetData, config: Config) -> Signs:
    """Return whether each mechanism of a run excites (1), inhibits (-1) or does both (0).

    Empty if no probe needs it.
    """
    if not any(readout.needs_signs for readout in config.readouts.probes):
        return ()
    names = [name for row in lay_out_rows(net, mechanisms_of(config)).receptors for name in row]
    return tuple((name, _infer_sign(name, net, config)) for name in names)


def _infer_sign(name: str, net: NetData, config: Config) -> int:
    """Return the sign of one mechanism.

    By the weights of its synapses and stimuli, where the mechanism itself has no sign.
    """
    declared_sign = find_sign(config.circuit.mechanisms[name])
    if declared_sign:
        return declared_sign
    weights: list[Any] = [
        projection.weight
        for projection in net.projections
        if projection.mechanism == name and projection.n_edges
    ]
    drives: list[Any] = [stimulus.drive for stimulus in config.task.stimuli]
    weights += [drive.weight for drive in drives if getattr(drive, "mechanism", None) == name]
    lowest = min((float(np.min(values)) for values in weights), default=0.0)
    highest = max((float(np.max(values)) for values in weights), default=0.0)
    if lowest >= 0.0:
        return 1
    return 0 if highest > 0.0 else -1


def _iterate_currents(
    emitter: Any, net: NetData, config: Config, signs: dict[str, int]
) -> Iterator[Current]:
    """Yield the currents of cells of one model that the source mode counts."""
    if not can_receive(emitter):
        return
    if has_method(emitter, "axial_pA"):
        yield AXIAL, (("axial",),)
        return
    terms = config.readouts.source.terms
    for k, names in enumerate(
        lay_out_rows(net, mechanisms_of(config)).receptors if "synaptic" in terms else ()
    ):
        yield k, tuple(list_current_tags(name, signs[name]) for name in names)
    if "external" in terms:
        yield EXTERNAL, (("external",),)


def _merge_currents(
    currents: list[Current], table: "_MapTable", cell_rows: npt.NDArray[np.int64], depths_mm: Matrix
) -> tuple[tuple[Terms, ...], list[Matrix]]:
    """Merge currents of the cells `cell_rows` that spread alike.

    Returns the terms of each sum, with a minus sign where one current enters where the other
    returns, and what each compartment gives of each sum: (n_depths, n_cells). Currents that return
    where they enter are left out.
    """
    terms_by_loop: list[list[tuple[int, int]]] = []
    distinct_shares: list[Matrix] = []
    for current, tags in currents:
        shares = table.spread_current(tags, cell_rows, depths_mm)
        matches = [
            (k, sign)
            for k, earlier_shares in enumerate(distinct_shares)
            for sign in (1, -1)
            if np.array_equal(earlier_shares, sign * shares)
        ]
        if not shares.any():
            continue
        if matches:
            terms_by_loop[matches[0][0]].append((current, matches[0][1]))
        else:
            terms_by_loop.append([(current, 1)])
            distinct_shares.append(shares)
    return tuple(map(tuple, terms_by_loop)), distinct_shares


@dataclasses.dataclass(frozen=True)
class _MapTable:
    """The source maps of a circuit, and which cells each is for.

    holds: for each map bool (n_cells,).
    """

    maps: tuple[SourceMap, ...]
    holds: tuple[npt.NDArray[np.bool_], ...]
    identity: Identity
    thickness_mm: float
    _used: set[int]

    @classmethod
    def build(
        cls, identity: Identity, declared: tuple[SourceMap, ...], thickness_mm: float
    ) -> "_MapTable":
        """Build the table: the defaults, as far as there are such cells, then those declared."""
        all_maps = (*SOURCE_MAPS, *declared)
        holds = [_match_cell_types(identity, source_map.cells) for source_map in SOURCE_MAPS]
        for k, source_map in enumerate(declared):
            is_selected = np.zeros(len(identity), np.bool_)
            is_selected[
                select_with(identity, source_map.cells, where=f"Config.readouts.maps[{k}].cells")
            ] = True
            holds.append(is_selected)
        return cls(all_maps, tuple(holds), identity, thickness_mm, set())

    def spread_current(
        self, tags: tuple[tuple[str, ...], ...], cell_rows: npt.NDArray[np.int64], depths_mm: Matrix
    ) -> Matrix:
        """Return the share of a unit current that leaves through each compartment.

        (n_depths, n_cells).
        Raises: JtfneError for a cell without a map, and for currents of one row that have different
        ones.
        """
        map_indices = [self._choose_maps(mechanism_tags, cell_rows) for mechanism_tags in tags]
        differing = [
            k
            for k, indices in enumerate(map_indices)
            if not np.array_equal(indices, map_indices[0])
        ]
        if differing:
            first_name, other_name = tags[0][0], tags[differing[0]][0]
            problem = (
                f"mechanisms {first_name!r} and {other_name!r}, which decay alike and so are one "
                "current,"
            )
            raise refuse(
                problem,
                "declared source maps, which keep them apart, such as maps=open_field('E')",
                WHERE,
            )
        shares = np.zeros((depths_mm.size, cell_rows.size))
        for k in np.unique(map_indices[0]):
            goes_by_map = map_indices[0] == k
            soma_mm = self.identity.position_mm[cell_rows[goes_by_map], 2]
            for sign, profile in ((1.0, self.maps[k].returns), (-1.0, self.maps[k].enters)):
                first_mm, last_mm = profile.ends_mm(soma_mm, self.thickness_mm)
                shares[:, goes_by_map] += sign * depth_weights(first_mm, last_mm, depths_mm)
            self._used.add(int(k))
        return shares

    def list_used_maps(self) -> list[SourceMap]:
        """Return the maps that some current went by."""
        return [self.maps[k] for k in sorted(self._used)]

    def _choose_maps(
        self, tags: tuple[str, ...], cell_rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return, for each of the cells, the last map that holds for a current with these tags."""
        map_indices = np.full(cell_rows.size, -1)
        for k, (source_map, holds) in enumerate(zip(self.maps, self.holds, strict=True)):
            if source_map.holds(*tags):
                map_indices[holds[cell_rows]] = k
        if (map_indices < 0).any():
            raise _missing_map_error(
                str(self.identity.texts("cell_type")[cell_rows[map_indices < 0][0]]), tags
            )
        return map_indices


def _missing_map_error(cell_type: str, tags: tuple[str, ...]) -> JtfneError:
    """Return the error for cells whose currents with `tags` have no map."""
    name = tags[0]
    if len(tags) == 1 and name not in OTHERS:
        problem = f"mechanism {name!r} with weights of both signs onto {cell_type!r}"
        return refuse(
            problem, f"a mechanism for each sign, or SourceMap(mechanism={name!r}, ...)", WHERE
        )
    example = f"SourceMap(cells={cell_type!r}, enters=..., returns=...)"
    allowed = f"{example}, or a type that has one: E, I, PV, SST, VIP"
    return refuse(f"cell type {cell_type!r} without a source map for {name!r}", allowed, WHERE)


def _match_cell_types(identity: Identity, cells: Selector) -> npt.NDArray[np.bool_]:
    """Return which cells are of the types that a default names: (n_cells,)."""
    if cells.cell_type is None:
        return np.ones(len(identity), np.bool_)
    is_of_type: npt.NDArray[np.bool_] = np.isin(identity.texts("cell_type"), cells.cell_type)
    return is_of_type
