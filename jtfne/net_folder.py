"""A built net on disk: arrays as .npy files that are opened memory-mapped, and what they are. Knows no time.

Written beside its place and renamed into it, so that a folder is either whole or not there.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from jtfne import __version__, _json
from jtfne._check import JtfneError, altered, refuse
from jtfne.config import Config
from jtfne.net import Identity, Net, Projection
from jtfne.run_folder import file_hash, written_beside

INDEX, SCHEMA = "net.json", "jtfne.net/1"
_EDGES = ("indptr", "target", "weight", "delay_ms")


def save_net(net: Net, path: str | Path) -> None:
    """Write `net` to a new folder: 12 bytes an edge, and its cells.

    Raises: JtfneError if `path` is there and not an empty folder.
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for k, each in enumerate(net.projections):
        arrays |= {f"projection_{k:04d}_{name}.npy": getattr(each, name) for name in _EDGES}
    names: dict[str, Any] | None = None
    if net.identity is not None:
        fields = {field.name: getattr(net.identity, field.name) for field in dataclasses.fields(Identity)}
        arrays |= {f"cells_{name}.npy": value for name, value in fields.items() if isinstance(value, np.ndarray)}
        names = {name: list(value) for name, value in fields.items() if isinstance(value, tuple)}
    with written_beside(Path(path)) as beside:
        beside.mkdir()
        for name, array in arrays.items():
            np.save(beside / name, array, allow_pickle=False)
        index = {
            "schema": SCHEMA,
            "jtfne": __version__,
            "config": net.config.to_dict(),
            "config_sha256": net.config.hash,
            "n_neurons": net.n_neurons,
            "names": names,
            "projections": [{"connection": each.connection, "mechanism": each.mechanism} for each in net.projections],
            "files": {name: file_hash(beside / name) for name in sorted(arrays)},
        }
        (beside / INDEX).write_text(_json.dumps(index, indent=2) + "\n", encoding="utf-8")


def open_net(path: str | Path) -> Net:
    """The net of a folder that `save_net` wrote; its arrays stay on disk and are read where they are used.

    Raises: JtfneError if there is none, it is of another version, or a file is not what was written.
    """
    folder = Path(path)
    index = _index(folder)
    for name, digest in index["files"].items():
        found = folder / name
        if not found.is_file() or file_hash(found) != digest:
            raise _altered(found)
    mapped = {name: np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in index["files"]}
    identity = None
    if index["names"] is not None:
        cells = {name.removeprefix("cells_").removesuffix(".npy"): a for name, a in mapped.items() if "cells_" in name}
        names: dict[str, Any] = {name: tuple(each) for name, each in index["names"].items()}
        identity = Identity(**cells, **names)
    projections = [
        Projection(**about, **{name: mapped[f"projection_{k:04d}_{name}.npy"] for name in _EDGES})
        for k, about in enumerate(index["projections"])
    ]
    config = Config.from_json(_json.dumps(index["config"]))
    if config.hash != index["config_sha256"]:
        raise _altered(folder / INDEX)
    return Net(config, identity, projections, n_neurons=index["n_neurons"])


def _index(folder: Path) -> Any:
    """What the folder says of itself. Raises: JtfneError if that is nothing, or not for this version."""
    path = folder / INDEX
    if not path.is_file():
        raise refuse(f"{str(folder)!r}, which has no {INDEX},", "a folder that `Net.save` made", "Net.open")
    try:
        index = _json.loads(path.read_text(encoding="utf-8"), where=str(path))
    except ValueError as error:
        raise _altered(path) from error
    keys = {"schema", "jtfne", "config", "config_sha256", "n_neurons", "names", "projections", "files"}
    if not isinstance(index, dict) or set(index) != keys:
        raise _altered(path)
    if index["schema"] != SCHEMA:
        raise refuse(f"{str(folder)!r}, whose schema is {index['schema']!r},", f"{SCHEMA!r}", "Net.open")
    return index


def _altered(path: Path) -> JtfneError:
    """The error for a file that is not what was written."""
    return altered(path, allowed="what `Net.save` wrote there", where="Net.open")
