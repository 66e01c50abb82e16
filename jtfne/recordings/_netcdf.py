"""Recordings in netCDF-4: a DataArray, or a variable of a Dataset, at the root or in a group."""

from pathlib import Path
from typing import TYPE_CHECKING

from jtfne._check import refuse
from jtfne._stored import check_hdf5

if TYPE_CHECKING:
    import xarray as xr

WHERE = "analysis.load_recording"


def read_netcdf(path: Path, readout: str, label: object = None) -> "xr.DataArray":
    """The variable named as the readout, or the only one, at the root or in the group of that name.

    Raises: JtfneError.
    """
    import xarray as xr

    try:
        check_hdf5(path)
    except OSError as error:
        raise refuse(
            f"{path.name}, which cannot be read ({error}),", "a netCDF4 file", WHERE
        ) from None
    for group in (None, readout):
        try:
            with xr.open_dataset(
                path, group=group, engine="h5netcdf", decode_timedelta=False
            ) as table:
                name = readout if readout in table else next(iter(table.data_vars), None)
                if readout in table or len(table.data_vars) == 1:
                    array = table[name].load()
                    return array.assign_attrs(
                        {key: value for key, value in table.attrs.items() if key not in array.attrs}
                    )
        except OSError as error:
            if group is None:
                raise refuse(
                    f"{path.name}, which cannot be read ({error}),", "a netCDF4 file", WHERE
                ) from None
    raise refuse(
        f"{path.name} without a variable {readout!r}",
        "a variable or group of that name, or a single one",
        WHERE,
    )
