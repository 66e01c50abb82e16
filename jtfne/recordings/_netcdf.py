"""Recordings in netCDF-4: a DataArray, or a variable of a Dataset, at the root or in a group."""

from pathlib import Path
from typing import TYPE_CHECKING

from jtfne._check import refuse
from jtfne._stored import check_hdf5
from jtfne.recordings._variables import read_variable

if TYPE_CHECKING:
    import xarray as xr

WHERE = "analysis.load_recording"


def read_netcdf(path: Path, readout: str, label: object = None) -> "xr.DataArray":
    """The variable named as the readout, or the only one, at the root or in the group of that name.

    Raises: JtfneError.
    """
    import xarray as xr

    def open_group(group: str | None) -> xr.Dataset:
        return xr.open_dataset(path, group=group, engine="h5netcdf", decode_timedelta=False)

    try:
        check_hdf5(path)
        return read_variable(open_group, path, readout, WHERE)
    except OSError as error:
        raise refuse(
            f"{path.name}, which cannot be read ({error}),", "a netCDF4 file", WHERE
        ) from None
