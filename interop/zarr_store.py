"""The whole tree as a Zarr store."""

from pathlib import Path

from jtfne import _json, run_folder
from jtfne.signals import Signals


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
        If there is no whole store.
    """
    tree, manifest = run_folder.without_manifest(run_folder.read_tree(Path(path)))
    return Signals(tree, _json.loads(manifest, where=str(path)))
