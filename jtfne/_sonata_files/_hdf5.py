"""Reads of HDF5 that nodes, edges and spikes share: ids, and attributes by group."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jtfne._check import UNREADABLE, JtfneError, one_of, refuse
from jtfne._stored import check_hdf5

if TYPE_CHECKING:
    import h5py

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
MOST_ID = 2**53  # ids beyond it are no ids: a table of them as float64 would change them


@contextlib.contextmanager
def open_hdf5(path: Path, kind: str) -> "Iterator[h5py.File]":
    """Context of an HDF5 file that has been checked, for reading.

    kind: what it should hold, for errors: "nodes". Raises: JtfneError for what is no file, is cut
    short, or holds anything but numbers and text of its own.
    """
    import h5py

    if not path.is_file():
        raise refuse(f"{str(path)!r}, which is no file,", f"a file of {kind}, .h5", "SONATA")
    try:
        check_hdf5(path)
        with h5py.File(path, "r") as file:
            yield file
    except JtfneError:
        raise
    except UNREADABLE as error:
        description = f"{str(path)!r}, which cannot be read ({error}),"
        raise refuse(description, f"a whole file of {kind}", "SONATA") from error


def find_group(parent: Mapping[str, Any], name: str, where: str) -> Any:
    """The HDF5 group `name` of a file or group. Raises: JtfneError if it has none."""
    one_of(name, list(parent), name="group", where=where)
    if not hasattr(parent[name], "keys"):
        raise refuse(f"{name!r}, which is a dataset,", "a group", where)
    return parent[name]


def read_integers(
    group: Mapping[str, Any], name: str, where: str, n: int | None = None
) -> Integers:
    """A dataset of whole numbers of at least 0, (n,).

    n: how many there have to be; any number if None. Raises: JtfneError for anything else.
    """
    one_of(name, list(group), name="dataset", where=where)
    dataset = group[name]
    kind = getattr(getattr(dataset, "dtype", None), "kind", "")
    shape: tuple[int, ...] = getattr(dataset, "shape", ())
    if kind not in "iu" or len(shape) != 1 or n not in (None, shape[0]):
        size = "one number each" if n is None else f"{n} of them"
        description = f"{name} of {getattr(dataset, 'dtype', 'a group')} and shape {shape}"
        raise refuse(description, f"whole numbers, {size}", where)
    values = dataset[:]
    if values.size and not 0 <= int(values.min()) <= int(values.max()) < MOST_ID:
        description = f"{name} from {values.min()} to {values.max()}"
        raise refuse(description, f"whole numbers from 0 to {MOST_ID}", where)
    integers: Integers = values.astype(np.int64)
    return integers


def read_text_attribute(item: Any, name: str) -> str:
    """The text of an attribute of a group or dataset; empty if it has none."""
    value = item.attrs.get(name, "")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class Grouped:
    """The attributes of a population's nodes or edges, which lie in groups by number.

    Element k has row `index[k]` of group `group_id[k]`; without these two, row k of group 0.
    """

    def __init__(self, population: Mapping[str, Any], kind: str, n: int, where: str) -> None:
        names = (f"{kind}_group_id", f"{kind}_group_index")
        self.where, self.n = where, n
        if all(name in population for name in names):
            self.group_id, self.index = (
                read_integers(population, name, where, n) for name in names
            )
        else:
            self.group_id, self.index = np.zeros(n, np.int64), np.arange(n, dtype=np.int64)
        self.groups: dict[int, Mapping[str, Any]] = {}
        for group_id in np.unique(self.group_id).tolist():
            self.groups[group_id] = population.get(str(group_id), {})

    def names(self) -> list[str]:
        """Names of all attributes that any group has."""
        return list(dict.fromkeys(name for group in self.groups.values() for name in group))

    def read(self, name: str) -> Numbers | None:
        """The numbers of an attribute, (n,); None if no group has it.

        Raises: JtfneError where some groups have it, or for what are no finite numbers.
        """
        group_ids = [group_id for group_id, group in self.groups.items() if name in group]
        if not group_ids:
            return None
        if len(group_ids) < len(self.groups):
            lacking_ids = sorted(set(self.groups) - set(group_ids))
            allowed = "it in every group, or in none"
            raise refuse(f"groups {lacking_ids} without {name!r}", allowed, self.where)
        values = np.empty(self.n)
        for group_id in group_ids:
            in_group = self.group_id == group_id
            values[in_group] = self._read_rows(group_id, name, self.index[in_group])
        if not np.isfinite(values).all():
            raise refuse(f"{name} that is NaN or infinite", "finite numbers", self.where)
        return values

    def _read_rows(self, group_id: int, name: str, rows: Integers) -> npt.NDArray[Any]:
        """The values of `rows` of a dataset of one group. Raises: JtfneError if they are none."""
        dataset = self.groups[group_id][name]
        kind = getattr(getattr(dataset, "dtype", None), "kind", "")
        shape: Sequence[int] = getattr(dataset, "shape", ())
        if kind not in "biuf" or len(shape) != 1:
            description = f"{name} of {getattr(dataset, 'dtype', 'a group')} and shape {shape}"
            raise refuse(description, "numbers, one for each row of the group", self.where)
        if rows.size and int(rows.max()) >= shape[0]:
            description = f"row {int(rows.max())} of {name} of group {group_id}"
            raise refuse(description, f"one of its {shape[0]} rows", self.where)
        selected: npt.NDArray[Any] = dataset[:][rows]
        return selected
