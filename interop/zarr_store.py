"""The whole tree as a Zarr store."""

from pathlib import Path
from typing import TYPE_CHECKING

from jtfne import reports, run_folder
from jtfne._check import altered
from jtfne.interop.json_text import from_json
from jtfne.signals import Signals

if TYPE_CHECKING:
    import xarray as xr


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
        If the folder holds anything.
    """
    with run_folder.written_beside(Path(path)) as beside:
        run_folder.write_tree(run_folder.with_manifest(signals.tree, signals.manifest), beside)
    return Path(path)


def from_zarr(path: str | Path) -> Signals:
    """Read what `to_zarr` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Signals

    Raises
    ------
    JtfneError
        If there is no whole store, or an array was altered.
    """
    return checked(run_folder.read_tree(Path(path)), Path(path))


def checked(whole: "xr.DataTree", path: Path) -> Signals:
    """The signals of a tree that carries its manifest. Raises: JtfneError if a node is not what it says."""
    tree, text = run_folder.without_manifest(whole)
    manifest = from_json(text)
    for name in reports.altered_nodes(tree, reports.check_manifest(manifest)) if manifest else ():
        raise altered(path / name)
    return Signals(tree, manifest)
