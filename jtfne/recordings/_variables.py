"""The variable of a Dataset, at the root or in a group, that holds a readout."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jtfne._check import refuse

if TYPE_CHECKING:
    import xarray as xr


def read_variable(
    open_group: "Callable[[str | None], xr.Dataset]", path: Path, readout: str, where: str
) -> "xr.DataArray":
    """The variable named as the readout, or the only one, at the root or in the group of that name.

    open_group: opens the root, by None, or a group. Attributes of the Dataset come along.
    Raises: JtfneError where there is no such variable, and what `open_group` raises of the root.
    """
    for group in (None, readout):
        try:
            table = open_group(group)
        except (OSError, KeyError):  # no such group
            if group is None:
                raise
            continue
        with table:
            name = readout if readout in table else next(iter(table.data_vars), None)
            if name is None or (name != readout and len(table.data_vars) != 1):
                continue
            array: xr.DataArray = table[name].load()
            return array.assign_attrs(
                {key: value for key, value in table.attrs.items() if key not in array.attrs}
            )
    raise refuse(
        f"{path.name} without a variable {readout!r}",
        "a variable or group of that name, or a single one",
        where,
    )
