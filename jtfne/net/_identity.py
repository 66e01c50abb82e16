"""Which row is which cell, and how cells are chosen by name."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jtfne._arguments import check_list, describe_argument
from jtfne._check import narrowed, one_of, refuse
from jtfne._keys import generator, joined
from jtfne.config import Config, Selector
from jtfne.geometry import column_positions_mm

Rows = NDArray[np.int32]
Codes = NDArray[np.int16]
Names = str | Iterable[str] | None
Ids = int | Sequence[int] | NDArray[np.integer[Any]] | None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Identity:
    """Names and places of n cells, one a row; labels are codes into their vocabularies."""

    area: Codes  # (n,)
    layer: Codes  # (n,)
    cell_type: Codes  # (n,)
    areas: tuple[str, ...]
    layers: tuple[str, ...]
    cell_types: tuple[str, ...]
    position_mm: NDArray[np.float64]  # (n, 3) x, y in the column's plane, z depth below pia
    ids: Rows  # (n,)

    def __len__(self) -> int:
        """The number of cells."""
        return int(self.ids.size)

    def labels(self, name: str) -> NDArray[np.object_]:
        """The names of one kind (`area`, `layer` or `cell_type`), a str for each row, (n,)."""
        codes, known = self.column(name)
        return np.array(known, dtype=object)[codes]

    def texts(self, name: str) -> NDArray[np.str_]:
        """As `labels`, but as numpy's own text."""
        codes, known = self.column(name)
        return np.array(known, dtype=np.str_)[codes]

    def column(self, name: str) -> tuple[Codes, tuple[str, ...]]:
        """Codes and vocabulary of `name`."""
        return {
            "area": (self.area, self.areas),
            "layer": (self.layer, self.layers),
            "cell_type": (self.cell_type, self.cell_types),
        }[name]


def identity_from_labels(
    *,
    area: Sequence[str],
    layer: Sequence[str],
    cell_type: Sequence[str],
    position_mm: NDArray[np.float64],
    ids: NDArray[np.integer[Any]] | None = None,
) -> Identity:
    """An Identity from one name a row, (n,) each, vocabularies in order of first appearance; ids are 0 .. n - 1."""
    area_code, areas = _encode(area)
    layer_code, layers = _encode(layer)
    type_code, cell_types = _encode(cell_type)
    return Identity(
        area=area_code,
        layer=layer_code,
        cell_type=type_code,
        areas=areas,
        layers=layers,
        cell_types=cell_types,
        position_mm=position_mm,
        ids=narrowed(np.arange(len(area)) if ids is None else ids, np.int32, name="ids", where="Identity"),
    )


def _encode(names: Sequence[str]) -> tuple[Codes, tuple[str, ...]]:
    """Codes (n,) and vocabulary of `names`."""
    known = {name: code for code, name in enumerate(dict.fromkeys(names))}
    return _codes([known[name] for name in names]), tuple(known)


def _codes(places: Sequence[int]) -> Codes:
    """Places in a vocabulary as codes. Raises: JtfneError if there are more names than codes."""
    return narrowed(places, np.int16, name="the number of a name", where="Identity")


def identity_of(config: Config) -> Identity:
    """The cells of `config`: rows in the order of its populations, each population placed by its own stream."""
    populations = config.populations()
    areas = tuple(area.name for area in config.circuit.areas)
    layers = {layer.name: layer for layer in config.circuit.layers}
    cell_types = tuple(dict.fromkeys(each.cell_type for each in populations))
    n_cells = np.array([each.n_cells for each in populations], dtype=np.int64)
    n_all = int(narrowed(n_cells.sum(), np.int32, name="cells in all", where="Config.circuit"))
    geometry = config.circuit.geometry
    placed = [
        column_positions_mm(
            each.n_cells,
            top=layers[each.layer].top,
            bottom=layers[each.layer].bottom,
            thickness_mm=geometry.thickness_mm,
            radius_mm=geometry.radius_mm,
            rng=generator(config.run.seed, f"positions/{joined(each.area, each.layer, each.cell_type)}"),
        )
        for each in populations
    ]

    def codes(names: Iterable[str], known: Sequence[str]) -> Codes:
        return np.repeat(_codes([known.index(name) for name in names]), n_cells)

    return Identity(
        area=codes((each.area for each in populations), areas),
        layer=codes((each.layer for each in populations), tuple(layers)),
        cell_type=codes((each.cell_type for each in populations), cell_types),
        areas=areas,
        layers=tuple(layers),
        cell_types=cell_types,
        position_mm=np.concatenate([np.empty((0, 3)), *placed]),
        ids=np.arange(n_all, dtype=np.int32),
    )


def select_rows(
    identity: Identity | None,
    *,
    area: Names = None,
    layer: Names = None,
    cell_type: Names = None,
    ids: Ids = None,
    where: str = "select",
) -> Rows:
    """Rows (m,) int32 of the cells that hold all that is asked; each key a scalar or several.

    Rows keep their order, but `ids` come back in the order asked.
    Raises: JtfneError for an unknown name (with the known ones), a missing id, no match, or no identity.
    """
    if identity is None:
        raise refuse("choosing cells of a net without identity", "a net built from a Config", where)
    asked = (("area", area), ("layer", layer), ("cell_type", cell_type))
    given = {name: _several(names, name, where) for name, names in asked if names is not None}
    keep = np.ones(len(identity), dtype=np.bool_)
    for name, names in given.items():
        codes, known = identity.column(name)
        wanted = [known.index(one_of(each, known, name=name, where=where)) for each in names]
        keep &= np.isin(codes, wanted)
    if ids is None:
        rows = np.flatnonzero(keep)
    else:
        rows = rows_of_ids(identity, ids, where=where)
        rows = rows[keep[rows]]
    if rows.size == 0:
        keys: dict[str, Any] = given if ids is None else {**given, "ids": tuple(np.ravel(ids).tolist()[:5])}
        asked_for = ", ".join(f"{name}={value!r}" for name, value in keys.items()) or "all cells"
        raise refuse(f"{asked_for}, which matches no cell,", f"what one of the {len(identity)} cells has", where)
    return rows.astype(np.int32)


def select_with(identity: Identity | None, selector: Selector, *, where: str = "select") -> Rows:
    """Rows (m,) int32 that a `Selector` chooses; as `select_rows`."""
    return select_rows(
        identity,
        area=selector.area,
        layer=selector.layer,
        cell_type=selector.cell_type,
        ids=selector.ids,
        where=where,
    )


def rows_of_ids(identity: Identity, ids: Ids, *, where: str) -> NDArray[np.int64]:
    """The row of each of `ids`, in their order. Raises: JtfneError for one that is missing or no integer."""
    try:
        wanted = np.ravel(np.asarray(ids))
    except (TypeError, ValueError):  # rows of several lengths, or an object that refuses to be an array
        raise refuse(f"ids={describe_argument(ids)}", "integers", where) from None
    if wanted.size and wanted.dtype.kind not in "iu":
        raise refuse(f"ids={describe_argument(ids)}", "integers", where)
    order = np.argsort(identity.ids, kind="stable")
    known = identity.ids[order]
    if known.size and int(known[-1]) - int(known[0]) == known.size - 1:  # each id after the other: nothing to look up
        at = wanted.astype(np.int64) - int(known[0])
        there = (at >= 0) & (at < known.size)
    else:
        at = np.searchsorted(known, wanted)
        there = known[np.minimum(at, known.size - 1)] == wanted if known.size else np.zeros(wanted.size, np.bool_)
    missing = wanted[~there]
    if missing.size:
        span = f", {identity.ids.min()} .. {identity.ids.max()}" if len(identity) else ""
        raise refuse(f"ids={missing.tolist()[:5]!r}", f"the ids of the {len(identity)} cells{span}", where)
    return order[at].astype(np.int64)


def _several(names: str | Iterable[str], name: str, where: str) -> tuple[str, ...]:
    """`names` as a tuple, whether one or several."""
    if isinstance(names, str):
        return (names,)
    if isinstance(names, set | frozenset):  # asked for as a whole: their order does not matter
        names = sorted(names, key=str)
    return check_list(names, allowed="a name or several names", name=name, where=where)
