"""The whole tree as a Zarr store."""

from pathlib import Path
from typing import TYPE_CHECKING, overload

from jtfne import recordings, reports, run_folder
from jtfne._check import altered, check_name, names_arguments, refuse
from jtfne._files import resolve_path
from jtfne._names import refuse_unwritable
from jtfne.interop._inputs import check_path, check_signals, open_beside
from jtfne.interop.json_text import from_json
from jtfne.signals import Signals

if TYPE_CHECKING:
    import xarray as xr


@names_arguments
def to_zarr(signals: Signals, path: str | Path) -> Path:
    """Write all readouts, events and identities to a Zarr store, the manifest among its attributes.

    Parameters
    ----------
    signals : Signals
    path : str or Path
        A folder that is new or empty.

    Returns
    -------
    Path

    Raises
    ------
    JtfneError
        If the folder holds anything, and for names and texts that no file can hold.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.interop import to_zarr
    >>> signals = jtfne.construct(jtfne.suite2_single_neuron_config()).simulate(duration_ms=20.0)
    >>> to_zarr(signals, "run.zarr").name
    'run.zarr'
    """
    refuse_unwritable(check_signals(signals, "to_zarr").tree, "to_zarr")
    with open_beside(path, "to_zarr") as beside:
        run_folder.write_tree(run_folder.with_manifest(signals.tree, signals.manifest), beside)
    return Path(path)


@overload
def from_zarr(path: str | Path) -> Signals:
    """The signals in a store that `to_zarr` wrote."""


@overload
def from_zarr(path: str | Path, readout: str) -> "xr.DataArray":
    """One array of any store of xarray."""


@names_arguments
def from_zarr(path: str | Path, readout: str | None = None) -> "Signals | xr.DataArray":
    """The signals in a store that `to_zarr` wrote, or one array of any store of xarray.

    Parameters
    ----------
    path : str or Path
        A store of Zarr format 2 or 3.
    readout : str, optional
        Takes the variable of this name, or the only one, at the root or in the group of this name.

    Returns
    -------
    Signals or, with `readout`, xarray.DataArray
        The array as `analysis.load_recording` gives it: time in ms, with units.

    Raises
    ------
    JtfneError
        If there is no whole store, or an array was altered; with `readout`, for a store without
        such a variable, without a time axis or without units, and one that holds more than
        numbers and text.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.interop import from_zarr, to_zarr
    >>> signals = jtfne.construct(jtfne.suite2_net1_config(20)).simulate(duration_ms=50.0)
    >>> path = to_zarr(signals, "other_run.zarr")
    >>> from_zarr(path).recorded()[:2], from_zarr(path, "lfp_proxy").attrs["units"]
    (('spk', 'lfp_proxy'), 'a.u.')
    """
    store = resolve_path(check_path(path, "from_zarr"), "from_zarr")
    if readout is not None:
        check_name(readout, "readout", "from_zarr")
        return recordings.describe_recording(recordings.read_zarr(store, readout), readout)
    if (store / "zarr.json").is_file():
        raise refuse(
            f"{str(store)!r}, of Zarr format 3,",
            "a store that to_zarr wrote, or from_zarr(path, readout) for an array of others",
            "from_zarr",
        )
    return check_stored_signals(run_folder.read_tree(store), store)


def check_stored_signals(stored_tree: "xr.DataTree", path: Path) -> Signals:
    """The signals of a tree that carries its manifest.

    Raises: JtfneError if a node differs from it.
    """
    tree, text = run_folder.without_manifest(stored_tree)
    manifest = from_json(text)
    for name in reports.altered_nodes(tree, reports.check_manifest(manifest)) if manifest else ():
        raise altered(path / name)
    reports.check_tree(tree)
    return Signals(tree, manifest)
