"""The whole tree as one netCDF-4 file."""

from pathlib import Path

from jtfne import run_folder
from jtfne._check import UNREADABLE, JtfneError, names_arguments, refuse
from jtfne._files import resolve_path
from jtfne._names import refuse_unwritable
from jtfne._stored import check_hdf5
from jtfne.interop._inputs import check_path, check_signals, open_beside
from jtfne.interop.zarr_store import check_stored_signals
from jtfne.signals import Signals


@names_arguments
def to_netcdf(signals: Signals, path: str | Path) -> Path:
    """Write all readouts, events and identities as groups of a netCDF file, with the manifest.

    Parameters
    ----------
    signals : Signals
    path : str or Path
        A file that does not exist yet.

    Returns
    -------
    Path

    Raises
    ------
    JtfneError
        If the file exists, and for names and texts that no file can hold.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.interop import to_netcdf
    >>> signals = jtfne.construct(jtfne.suite2_single_neuron_config()).simulate(duration_ms=20.0)
    >>> to_netcdf(signals, "run.nc").name
    'run.nc'
    """
    refuse_unwritable(check_signals(signals, "to_netcdf").tree, "to_netcdf")
    with open_beside(path, "to_netcdf") as beside:
        run_folder.with_manifest(signals.tree, signals.manifest).to_netcdf(
            beside, engine="h5netcdf"
        )
    return Path(path)


@names_arguments
def from_netcdf(path: str | Path) -> Signals:
    """The signals in a file that `to_netcdf` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Signals

    Raises
    ------
    JtfneError
        If the file is not there, broken, or altered.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.interop import from_netcdf, to_netcdf
    >>> signals = jtfne.construct(jtfne.suite2_single_neuron_config()).simulate(duration_ms=20.0)
    >>> from_netcdf(to_netcdf(signals, "other_run.nc")).recorded()
    ('spk', 'vm', 'source')
    """
    import xarray as xr

    path = resolve_path(check_path(path, "from_netcdf"), "from_netcdf")
    try:
        check_hdf5(path)
        with xr.open_datatree(path, engine="h5netcdf", decode_timedelta=False) as open_tree:
            stored_tree = run_folder.in_memory(open_tree)
    except JtfneError:
        raise
    except UNREADABLE as error:
        raise refuse(
            f"{str(path)!r}, which cannot be read ({error}),", "a whole netCDF file", "reading"
        ) from error
    return check_stored_signals(stored_tree, path)
