"""Spikes: SONATA's HDF5, and the CSV that bmtk writes."""

import csv
import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jtfne._check import one_of, refuse
from jtfne._files import read_text
from jtfne._sonata_files._hdf5 import (
    MOST_ID,
    Integers,
    Numbers,
    find_group,
    open_hdf5,
    read_integers,
    read_text_attribute,
)

TIMES = "timestamps"
IDS = ("node_ids", "gids")  # the second: of files from before populations
COLUMNS = (TIMES, "population", IDS[0])
UNITS_ms = {"": 1.0, "ms": 1.0, "milliseconds": 1.0, "s": 1e3, "seconds": 1e3}
SUFFIXES = (".h5", ".csv")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Spikes:
    """The spikes of one population, in the order of the file; times in ms.

    population : "" in a file from before populations.
    """

    population: str
    node_id: Integers  # (n,)
    t_ms: Numbers  # (n,)


def read_spikes(path: Path, population: str | None = None) -> Spikes:
    """The spikes of one population of a file, .h5 or .csv.

    population: needed where the file has several. Raises: JtfneError for a file that is none or cut
    short, an unknown population, ids that are no ids, or times that are no numbers or of a unit
    other than ms or s.
    """
    suffix = one_of(path.suffix.lower(), SUFFIXES, name="suffix", where=str(path))
    return (_read_csv if suffix == ".csv" else _read_hdf5)(path, population)


def read_all_spikes(path: Path) -> list[Spikes]:
    """The spikes of each population of a file, in its order. Raises: JtfneError as `read_spikes`."""
    if path.suffix.lower() == ".csv":
        names = list(dict.fromkeys(_read_table(path)["population"]))
    else:
        with open_hdf5(path, "spikes") as file:
            group = find_group(file, "spikes", str(path))
            names = [] if TIMES in group else list(group)
    if not names:
        return [read_spikes(path)]
    return [read_spikes(path, name) for name in names]


def is_spike_table(path: Path) -> bool:
    """Whether a .csv file is a table of spikes as bmtk writes it."""
    header = read_text(path).partition("\n")[0]
    return sorted(header.split()) == sorted(COLUMNS)


def _choose_population(names: list[str], population: str | None, where: str) -> str:
    """The one population that is asked for. Raises: JtfneError for several without a name."""
    if population is None and len(names) != 1:
        listing = ", ".join(map(repr, names[:10])) or "none"
        raise refuse(f"spikes of {len(names)} populations", f"population= one of {listing}", where)
    return one_of(
        names[0] if population is None else population, names, name="population", where=where
    )


def _read_hdf5(path: Path, population: str | None) -> Spikes:
    """The spikes of an HDF5 file."""
    with open_hdf5(path, "spikes") as file:
        group: Any = find_group(file, "spikes", str(path))
        name = ""
        if TIMES not in group:
            name = _choose_population(list(group), population, str(path))
            group = find_group(group, name, str(path))
        where = f"{path}, population {name!r}"
        ids_name = IDS[1] if IDS[1] in group and IDS[0] not in group else IDS[0]
        node_id = read_integers(group, ids_name, where)
        return Spikes(
            population=name, node_id=node_id, t_ms=_read_times(group, node_id.size, where)
        )


def _read_times(group: Mapping[str, Any], n_spikes: int, where: str) -> Numbers:
    """The times of a group, ms, (n_spikes,). Raises: JtfneError for what are no times."""
    one_of(TIMES, list(group), name="dataset", where=where)
    dataset = group[TIMES]
    if getattr(dataset.dtype, "kind", "") not in "iuf" or dataset.shape != (n_spikes,):
        description = f"{TIMES} of {dataset.dtype} and shape {dataset.shape}"
        raise refuse(description, f"numbers, {n_spikes} as there are ids", where)
    units = read_text_attribute(dataset, "units")
    factor = UNITS_ms[one_of(units, UNITS_ms, name="units of timestamps", where=where)]
    times_ms: Numbers = dataset[:].astype(np.float64) * factor
    return _check_times(times_ms, where)


def _check_times(t_ms: Numbers, where: str) -> Numbers:
    """`t_ms`. Raises: JtfneError for NaN and infinity."""
    if not np.isfinite(t_ms).all():
        raise refuse(f"{TIMES} that is NaN or infinite", "finite numbers, ms", where)
    return t_ms


def _read_table(path: Path) -> dict[str, list[str]]:
    """The columns timestamps (ms), population and node_ids of a table.

    Raises: JtfneError for a file that is none, other columns, or a row that is not whole.
    """
    where = str(path)
    if not path.is_file():
        raise refuse(f"{str(path)!r}, which is no file,", "a table of spikes, .csv", "SONATA")
    try:
        rows = list(csv.reader(io.StringIO(read_text(path)), delimiter=" ", strict=True))
    except csv.Error as error:
        raise refuse(f"a table that cannot be read ({error})", "a whole table", where) from None
    names = rows[0] if rows else []
    if sorted(names) != sorted(COLUMNS):
        description = f"columns {', '.join(map(repr, names[:10])) or 'of no name'}"
        raise refuse(description, f"{', '.join(COLUMNS)}, with one blank between them", where)
    table = [row for row in rows[1:] if row]
    for number, row in enumerate(table, start=2):
        if len(row) != len(names):
            raise refuse(f"row {number} of {len(row)} values", f"{len(names)}", where)
    return {name: [row[k] for row in table] for k, name in enumerate(names)}


def _read_csv(path: Path, population: str | None) -> Spikes:
    """The spikes of one population of a table."""
    columns, where = _read_table(path), str(path)
    populations = list(dict.fromkeys(columns["population"]))
    if not populations:  # no spike at all
        return Spikes(population=population or "", node_id=np.zeros(0, np.int64), t_ms=np.zeros(0))
    name = _choose_population(populations, population, where)
    is_chosen = np.array([text == name for text in columns["population"]], dtype=np.bool_)
    try:
        t_ms = np.array(columns[TIMES], np.float64)
        ids = np.array(columns[IDS[0]], np.float64)
    except ValueError as error:
        raise refuse(
            f"spikes that are no numbers ({error})", "times in ms, and ids", where
        ) from None
    if not np.all((ids >= 0) & (ids == np.floor(ids)) & (ids < MOST_ID)):
        raise refuse("a node id that is none", "whole numbers of at least 0", where)
    return Spikes(
        population=name,
        node_id=ids[is_chosen].astype(np.int64),
        t_ms=_check_times(t_ms, where)[is_chosen],
    )
