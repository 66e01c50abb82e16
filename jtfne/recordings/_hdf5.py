"""HDF5 files of others: every object is checked when it is opened, every dataset before it is read.

Nothing outside the file is opened: a link to another file is refused where the way leads over it,
and left alone elsewhere.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne._check import refuse
from jtfne._stored import HDF5_DEPTH, check_dataset, refuse_large

if TYPE_CHECKING:
    import h5py


def open_member(group: "h5py.Group", path: str, where: str, depth: int = 0) -> Any:
    """The group or dataset at `path` below `group`; None where there is nothing.

    Raises: JtfneError where the way leads into another file, or round in a circle.
    """
    import h5py

    if depth > HDF5_DEPTH:
        raise refuse(f"{path!r}, a link that leads round in a circle,", "data", where)
    member: Any = group.file if path.startswith("/") else group
    for name in path.split("/"):
        if name in ("", "."):
            continue
        link = member.get(name, getlink=True) if isinstance(member, h5py.Group) else None
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink):
            raise refuse(f"{path!r}, which lies in another file,", "data in the file itself", where)
        if isinstance(link, h5py.SoftLink):
            member = open_member(member, link.path, where, depth + 1)
        else:
            member = member[name]
    return member


def iterate_groups(group: "h5py.Group", where: str) -> Iterator[tuple[str, "h5py.Group"]]:
    """Yield the path and the group of every group below `group`, each once, in order of names.

    Links, to other files or within this one, are not followed.
    Raises: JtfneError for groups too deep.
    """
    yield from _iterate_below(group, "", where, 0, set())


def _iterate_below(
    group: "h5py.Group", path: str, where: str, depth: int, visited_addresses: set[Any]
) -> Iterator[tuple[str, "h5py.Group"]]:
    """As `iterate_groups`, for the groups below `path`."""
    import h5py

    if depth > HDF5_DEPTH:
        raise refuse(f"groups more than {HDF5_DEPTH} deep", "fewer", where)
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        if group.get(name, getclass=True) is not h5py.Group:
            continue
        member = group[name]
        address = h5py.h5o.get_info(member.id).addr
        if address not in visited_addresses:
            visited_addresses.add(address)
            member_path = f"{path}/{name}" if path else name
            yield member_path, member
            yield from _iterate_below(member, member_path, where, depth + 1, visited_addresses)


def refuse_outside(path: Path, where: str) -> None:
    """Raises: JtfneError if an HDF5 file links to another, or keeps values in one."""
    import h5py

    with h5py.File(path, "r") as file:
        groups: list[Any] = [file, *(group for _, group in iterate_groups(file, where))]
        for group in groups:
            for name in group:
                link = group.get(name, getlink=True)
                if isinstance(link, h5py.ExternalLink):
                    raise refuse(f"{name!r}, which lies in another file,", "data of its own", where)
                if not isinstance(link, h5py.HardLink):
                    continue
                member = group[name]
                if isinstance(member, h5py.Dataset) and (member.is_virtual or member.external):
                    raise refuse(
                        f"{name!r}, whose values lie in another file,", "data of its own", where
                    )


def read_values(dataset: Any, where: str) -> NDArray[Any]:
    """The values of a dataset of numbers or texts, texts as str.

    Raises: JtfneError unless it is one, in the file itself, and fits in memory.
    """
    import h5py

    if not isinstance(dataset, h5py.Dataset):
        raise refuse("a group where a dataset is expected", "a dataset", where)
    n_bytes = check_dataset(dataset, Path(where))
    refuse_large(2 * n_bytes, f"{dataset.name} of {where}", where)  # and once more in float64
    if h5py.check_string_dtype(dataset.dtype) is not None:
        return np.asarray(dataset.asstr()[()], dtype=str)
    return np.asarray(dataset[()])


def read_numbers(dataset: Any, where: str) -> NDArray[np.float64]:
    """The values of a dataset as float64. Raises: JtfneError as `read_values`, and for texts."""
    values = read_values(dataset, where)
    if values.dtype.kind not in "biuf":
        raise refuse(f"{dataset.name} of type {values.dtype}", "numbers", where)
    return values.astype(np.float64)


def read_text(item: Any, name: str) -> str:
    """The attribute `name` of a group or dataset as text; empty where it has none."""
    value = item.attrs.get(name, "")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_number(item: Any, name: str, default: float, where: str) -> float:
    """The attribute `name` of a group or dataset as a number; `default` where it has none.

    Raises: JtfneError unless it is one finite number.
    """
    value = np.asarray(item.attrs.get(name, default))
    if value.size != 1 or value.dtype.kind not in "iuf" or not np.isfinite(value).all():
        raise refuse(f"{item.name} whose {name!r} is no number", "one finite number", where)
    return float(value.ravel()[0])
