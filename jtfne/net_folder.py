"""A built net on disk: arrays as .npy files that are opened memory-mapped, and an index of them.

Written beside its place and renamed into it, so that a folder is either whole or not there. What a
folder says is checked on opening, every array against the others: the engine reads and writes where
their numbers point.
"""

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from jtfne import __version__, _json
from jtfne._check import JtfneError, altered, refuse
from jtfne._files import path_inside, read_text, resolve_path
from jtfne._stored import map_npy
from jtfne.config import Config
from jtfne.folder_index import Kinds, check_hash, check_kinds
from jtfne.run_folder import file_hash, refuse_links_out, write_beside
from jtfne.wiring import Identity, NetData, Projection, check_identity, check_projection

INDEX, SCHEMA = "net.json", "jtfne.net/1"
WHERE = "Net.open"
# The keys of an index and their types; `names` is None for a net without identity.
KEYS: Kinds = {
    "schema": str,
    "jtfne": str,
    "config": dict,
    "config_sha256": str,
    "n_neurons": int,
    "names": (dict, type(None)),
    "projections": list,
    "files": dict,
}
AnyNet = TypeVar("AnyNet", bound=NetData)
_EDGES = ("indptr", "target", "weight", "delay_ms")


def save_net(net: NetData, path: str | Path) -> None:
    """Write `net` to a new folder: 12 bytes an edge, and its cells.

    Raises: JtfneError if `path` is there and not an empty folder.
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    entries: list[dict[str, Any]] = []
    for k, projection in enumerate(net.projections):
        entries.append({"connection": projection.connection, "mechanism": projection.mechanism})
        for name in _EDGES:
            arrays[_name_edge_file(k, name)] = getattr(projection, name)
    names: dict[str, Any] | None = None
    if net.identity is not None:
        names = {}
        for field in dataclasses.fields(Identity):
            value = getattr(net.identity, field.name)
            if isinstance(value, np.ndarray):
                arrays[f"cells_{field.name}.npy"] = value
            else:
                names[field.name] = list(value)
    with write_beside(path) as new_folder:
        new_folder.mkdir()
        for name, array in arrays.items():
            np.save(new_folder / name, array, allow_pickle=False)
        index = {
            "schema": SCHEMA,
            "jtfne": __version__,
            "config": net.config.to_dict(),
            "config_sha256": net.config.hash,
            "n_neurons": net.n_neurons,
            "names": names,
            "projections": entries,
            "files": {name: file_hash(new_folder / name) for name in sorted(arrays)},
        }
        text = _json.dumps(_json.seal(index), indent=2) + "\n"
        (new_folder / INDEX).write_bytes(text.encode())


def open_net(path: str | Path, net_type: type[AnyNet], *, allow_code: bool = False) -> AnyNet:
    """The net of a folder that `save_net` wrote, of class `net_type`.

    Its arrays stay on disk and are read where they are used.

    allow_code: import the modules of cell models from outside that the config names.
    Raises: JtfneError if there is none, it is of another version, a file is not what was written,
    or arrays do not fit each other or the config.
    """
    folder = resolve_path(path, WHERE)
    index = _read_index(folder)
    for name, digest in index["files"].items():
        file = path_inside(folder, name, str(folder / INDEX))
        refuse_links_out(file, folder)
        check_hash(file, digest, _altered_error)
    arrays = {name: map_npy(folder / name) for name in index["files"]}
    config = Config.from_json(_json.dumps(index["config"]), allow_code=allow_code)
    if config.hash != index["config_sha256"]:
        raise _altered_error(folder / INDEX)
    n_neurons = index["n_neurons"]
    if n_neurons != sum(population.n_cells for population in config.populations()):
        raise refuse(f"{n_neurons} neurons", "as many as the config declares", str(folder / INDEX))
    identity = None if index["names"] is None else _read_identity(index["names"], arrays, folder)
    if identity is not None:
        check_identity(identity, n_neurons, str(folder))
    projections = []
    for k, entry in enumerate(index["projections"]):
        projections.append(_read_projection(k, entry, arrays, folder))
    for projection in projections:
        check_projection(projection, config, identity, n_neurons, str(folder))
    if len({projection.connection for projection in projections}) < len(projections):
        raise refuse("the edges of a connection, given twice,", "each connection once", str(folder))
    return net_type(config, identity, projections, n_neurons=n_neurons)


def _read_identity(names: dict[str, Any], arrays: dict[str, Any], folder: Path) -> Identity:
    """The cells of an index. Raises: JtfneError if a field is not there, or of another kind."""
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(Identity):
        value = arrays.get(f"cells_{field.name}.npy", names.get(field.name))
        if not isinstance(value, list | np.ndarray):
            raise _altered_error(folder / INDEX)
        fields[field.name] = tuple(value) if isinstance(value, list) else value
    return Identity(**fields)


def _read_projection(number: int, entry: Any, arrays: dict[str, Any], folder: Path) -> Projection:
    """The edges of an entry of an index. Raises: JtfneError if an array is not there."""
    files = {name: _name_edge_file(number, name) for name in _EDGES}
    is_whole = isinstance(entry, dict) and set(entry) == {"connection", "mechanism"}
    if not is_whole or not set(files.values()) <= set(arrays):
        raise _altered_error(folder / INDEX)
    return Projection(**entry, **{name: arrays[file] for name, file in files.items()})


def _name_edge_file(number: int, name: str) -> str:
    """The name of the file that holds one array of a projection."""
    return f"projection_{number:04d}_{name}.npy"


def _read_index(folder: Path) -> dict[str, Any]:
    """The index of a net folder. Raises: JtfneError if there is none, or of another version."""
    path = folder / INDEX
    if not path.is_file():
        raise refuse(
            f"{str(folder)!r}, which has no {INDEX},", "a folder that `Net.save` made", WHERE
        )
    try:
        index = _json.loads(read_text(path), where=str(path))
    except ValueError as error:
        raise _altered_error(path) from error
    if isinstance(index, dict) and index.get("schema") != SCHEMA:
        raise refuse(
            f"{str(folder)!r}, whose schema is {index.get('schema')!r},", f"{SCHEMA!r}", WHERE
        )
    if isinstance(index, dict) and _json.SEAL in index:  # an index that jtfne 0.1.0 wrote has none
        index = _json.unseal(index)
    if not isinstance(index, dict):
        raise _altered_error(path)
    if set(index) != set(KEYS):
        raise _altered_error(path)
    check_kinds(index, KEYS, _altered_error(path))
    return index


def _altered_error(path: Path) -> JtfneError:
    """The error for a file that is not what was written."""
    return altered(path, allowed="what `Net.save` wrote there", where=WHERE)
