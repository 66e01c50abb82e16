"""Which row is which cell, and how cells are chosen by name."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jtfne._arguments import describe_argument, list_names, match_labels
from jtfne._check import describe_value, narrow_dtype, refuse
from jtfne._keys import generator, join_names
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
        codes, vocabulary = self.column(name)
        return np.array(vocabulary, dtype=object)[codes]

    def texts(self, name: str) -> NDArray[np.str_]:
        """The names of one kind as numpy text, a str for each row, (n,)."""
        codes, vocabulary = self.column(name)
        return np.array(vocabulary, dtype=np.str_)[codes]

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
    """An Identity from the names of each row, (n,) each.

    Vocabularies are in order of first appearance; ids are 0 .. n - 1.
    """
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
        ids=narrow_dtype(
            np.arange(len(area)) if ids is None else ids, np.int32, name="ids", where="Identity"
        ),
    )


def _encode(names: Sequence[str]) -> tuple[Codes, tuple[str, ...]]:
    """Codes (n,) and vocabulary of `names`."""
    code_by_name = {name: code for code, name in enumerate(dict.fromkeys(names))}
    return _narrow_codes([code_by_name[name] for name in names]), tuple(code_by_name)


def _narrow_codes(places: Sequence[int]) -> Codes:
    """Places in a vocabulary as codes. Raises: JtfneError if there are more names than codes."""
    return narrow_dtype(places, np.int16, name="the number of a name", where="Identity")


def place_cells(config: Config) -> Identity:
    """The cells of `config` with names and places, in the order of its populations.

    Each population is placed by a random stream of its own.
    """
    populations = config.populations()
    areas = tuple(area.name for area in config.circuit.areas)
    layers = {layer.name: layer for layer in config.circuit.layers}
    cell_types = tuple(dict.fromkeys(population.cell_type for population in populations))
    n_cells = np.array([population.n_cells for population in populations], dtype=np.int64)
    n_all = int(narrow_dtype(n_cells.sum(), np.int32, name="cells in all", where="Config.circuit"))
    geometry = config.circuit.geometry
    positions_mm = [np.empty((0, 3))]
    area_places, layer_places, type_places = [], [], []  # of each population, in the vocabularies
    for population in populations:
        layer = layers[population.layer]
        name = join_names(population.area, population.layer, population.cell_type)
        positions_mm.append(
            column_positions_mm(
                population.n_cells,
                top=layer.top,
                bottom=layer.bottom,
                thickness_mm=geometry.thickness_mm,
                radius_mm=geometry.radius_mm,
                rng=generator(config.run.seed, f"positions/{name}"),
            )
        )
        area_places.append(areas.index(population.area))
        layer_places.append(list(layers).index(population.layer))
        type_places.append(cell_types.index(population.cell_type))
    return Identity(
        area=np.repeat(_narrow_codes(area_places), n_cells),
        layer=np.repeat(_narrow_codes(layer_places), n_cells),
        cell_type=np.repeat(_narrow_codes(type_places), n_cells),
        areas=areas,
        layers=tuple(layers),
        cell_types=cell_types,
        position_mm=np.concatenate(positions_mm),
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
    """Rows (m,) int32 of the cells that match every key; a key is one value or several.

    Rows keep their order, but `ids` come back in the order asked.
    Raises: JtfneError for an unknown name (with the known ones), a missing id, no match, or no
    identity.
    """
    if identity is None:
        raise refuse("choosing cells of a net without identity", "a net built from a Config", where)
    names_by_key: dict[str, tuple[str, ...]] = {}
    for key, names in (("area", area), ("layer", layer), ("cell_type", cell_type)):
        if names is not None:
            names_by_key[key] = list_names(names, name=key, where=where)
    is_chosen = np.ones(len(identity), dtype=np.bool_)
    for key, names_of_key in names_by_key.items():
        codes, vocabulary = identity.column(key)
        is_chosen &= match_labels(vocabulary, names_of_key, name=key, where=where)[codes]
    if ids is None:
        rows = np.flatnonzero(is_chosen)
    else:
        rows = find_rows(identity, ids, where=where)
        sorted_rows = np.sort(rows)
        repeats = sorted_rows[1:][sorted_rows[1:] == sorted_rows[:-1]]
        if repeats.size:
            raise refuse(f"ids={identity.ids[repeats[0]]}, given twice,", "each once", where)
        rows = rows[is_chosen[rows]]
    if rows.size == 0:
        request: dict[str, Any] = dict(names_by_key)
        if ids is not None:
            request["ids"] = tuple(np.ravel(ids).tolist()[:5])
        request_text = ", ".join(f"{key}={describe_value(value)}" for key, value in request.items())
        raise refuse(
            f"{request_text or 'all cells'}, which matches no cell,",
            f"what one of the {len(identity)} cells has",
            where,
        )
    return rows.astype(np.int32)


def select_with(identity: Identity | None, selector: Selector, *, where: str = "select") -> Rows:
    """Rows (m,) int32 of the cells that `selector` chooses. Raises: JtfneError as `select_rows`."""
    return select_rows(
        identity,
        area=selector.area,
        layer=selector.layer,
        cell_type=selector.cell_type,
        ids=selector.ids,
        where=where,
    )


def find_rows(identity: Identity, ids: Ids, *, where: str) -> NDArray[np.int64]:
    """The row of each of `ids`, in their order.
    Raises: JtfneError for one that is missing or no integer.
    """
    try:
        requested_ids = np.ravel(np.asarray(ids))
    # rows of several lengths, or an object that refuses to be an array
    except (TypeError, ValueError):
        raise refuse(f"ids={describe_argument(ids)}", "integers", where) from None
    if requested_ids.size and requested_ids.dtype.kind not in "iu":
        raise refuse(f"ids={describe_argument(ids)}", "integers", where)
    order = np.argsort(identity.ids, kind="stable")
    sorted_ids = identity.ids[order]
    is_consecutive = (
        sorted_ids.size > 0 and int(sorted_ids[-1]) - int(sorted_ids[0]) == sorted_ids.size - 1
    )
    if is_consecutive:  # no search needed
        index = requested_ids.astype(np.int64) - int(sorted_ids[0])
        is_present = (index >= 0) & (index < sorted_ids.size)
    else:
        index = np.searchsorted(sorted_ids, requested_ids)
        is_present = (
            sorted_ids[np.minimum(index, sorted_ids.size - 1)] == requested_ids
            if sorted_ids.size
            else np.zeros(requested_ids.size, np.bool_)
        )
    missing_ids = requested_ids[~is_present]
    if missing_ids.size:
        span = f", {identity.ids.min()} .. {identity.ids.max()}" if len(identity) else ""
        raise refuse(
            f"ids={describe_value(missing_ids.tolist()[:5])}",
            f"the ids of the {len(identity)} cells{span}",
            where,
        )
    return order[index].astype(np.int64)
