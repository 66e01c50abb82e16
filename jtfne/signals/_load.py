"""The signals of a run folder."""

from pathlib import Path

from jtfne import _json, reports, run_folder
from jtfne._arguments import check_flag
from jtfne._check import altered, names_arguments
from jtfne._files import resolve_path
from jtfne.config import Config
from jtfne.signals._signals import Signals


@names_arguments
def load(path: str | Path, *, allow_code: bool = False) -> Signals:
    """Read a run folder and check every hash.

    Parameters
    ----------
    path : str or Path
        A folder that `Signals.save` or `jtfne run` made.
    allow_code : bool
        Import the modules of the cell models from outside jtfne ("module:Class") that its config
        names, so that `Config.from_json` reads it. Without, nothing that the folder names is
        imported. Importing a module runs it: allow it for folders from people whom you trust.

    Returns
    -------
    Signals

    Raises
    ------
    JtfneError
        If it is not a run folder, a file was cut short or altered, or spikes are of cells, trials
        or times that the run does not have.

    Examples
    --------
    >>> import jtfne
    >>> signals = jtfne.construct(jtfne.suite2_single_neuron_config()).simulate(duration_ms=20)
    >>> jtfne.load(signals.save("other_run"))["vm"].equals(signals["vm"])
    True
    """
    allow_code = check_flag(allow_code, name="allow_code", where="load")
    folder = resolve_path(path, "load")
    sealed_manifest = run_folder.read_manifest(folder)
    manifest = reports.check_manifest(sealed_manifest)
    tree = run_folder.read_run(folder, manifest)
    for name in reports.altered_nodes(tree, manifest):
        raise altered(folder / name)
    run_folder.check_seal(sealed_manifest, folder / run_folder.MANIFEST)
    reports.check_tree(tree)
    if allow_code:
        Config.from_json(_json.dumps(manifest["config"]), allow_code=True)
    return Signals(tree, manifest)
