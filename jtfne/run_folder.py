"""A run on disk: labelled arrays as Zarr, spikes as Parquet, a manifest with their hashes.

Everything is written beside its place and renamed into it, so that a folder is either whole or not
there.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import _json
from jtfne._check import UNREADABLE, altered, narrow_dtype, refuse
from jtfne._files import (
    TEMPORARY,
    is_mounted,
    move_into,
    path_inside,
    read_text,
    refuse_special,
    replace_file,
    resolve_path,
    temporary_folder,
)
from jtfne._rows import Array
from jtfne._stored import check_zarr, read_parquet
from jtfne._system import sync_path
from jtfne.recordings import describe_neurons

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

MANIFEST, SIGNALS, SPIKES = "manifest.json", "signals.zarr", "spikes.parquet"
INDICES = (MANIFEST, "net.json", "circuit_config.json")  # what makes a folder of files a result
LABELS = ("area", "layer", "cell_type")
SPIKE_SCHEMA = "jtfne.spikes/1"


def array_hash(values: Any) -> str:
    """SHA-256 of an array's dtype, shape and little-endian C-order bytes; text as UTF-8 JSON.

    >>> array_hash(np.arange(3)) == array_hash(np.arange(3).astype(">i8"))
    True
    """
    array = np.asarray(values)
    if array.dtype.kind in "UOT":
        texts = [str(value) for value in array.ravel().tolist()]
        return hashlib.sha256(
            json.dumps(["str", list(array.shape), texts], ensure_ascii=False).encode()
        ).hexdigest()
    return _hash_parts(array.dtype, array.shape, [array])


def dataset_hash(dataset: "xr.Dataset", look: Callable[[str, Array], None] | None = None) -> str:
    """SHA-256 over the names, dimensions and hashes of all variables and coordinates of a node.

    look: called with the name and values of every array on the way; one with rows comes in blocks.
    """
    from jtfne.row_arrays import blocks, has_rows

    entries = {}
    for name, variable in dataset.variables.items():
        parts = blocks(variable) if look is None else _show_parts(str(name), blocks(variable), look)
        rows = has_rows(variable)
        digest = (
            _hash_parts(variable.dtype, variable.shape, parts) if rows else array_hash(next(parts))
        )
        entries[str(name)] = [[str(dim) for dim in variable.dims], digest]
    return _json.sha256(entries)


def mean(variable: "xr.Variable") -> float:
    """The mean of all values, in double precision; NaN if there is none."""
    from jtfne.row_arrays import blocks

    if variable.size == 0:
        return float("nan")
    return sum(float(block.sum(dtype=np.float64)) for block in blocks(variable)) / variable.size


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes; of a folder, that of the names and hashes of all its files."""
    if path.is_dir():
        return _json.sha256(
            {file.relative_to(path).as_posix(): file_hash(file) for file in _files(path)}
        )
    refuse_special(path, MANIFEST)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def locate_ids(ids: Any, wanted_ids: Any) -> np.ndarray[Any, Any]:
    """Position of each of `wanted_ids` in `ids`: distinct, in any order, and holding them all."""
    order = np.argsort(ids, kind="stable")
    return np.asarray(order[np.searchsorted(ids, wanted_ids, sorter=order)])


@contextlib.contextmanager
def write_beside(path: str | Path) -> Iterator[Path]:
    """A path beside `path` to write to; it is synced and renamed to `path` at the end.

    It is removed if anything fails.

    An empty folder that cannot be replaced, since it is a mount point or its parent cannot be
    written to, is filled instead: a manifest or index last, so that what is not whole is not taken
    for a result. Raises: JtfneError if `path` exists and is not an empty folder, or no folder can
    be made for it.
    """
    path = resolve_path(path, "writing")
    _refuse_used(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise refuse(
            f"{str(path)!r}, which lies below a file,", "a path below folders", "writing"
        ) from error
    fills_folder = path.is_dir() and is_irreplaceable(path)
    with temporary_folder(path if fills_folder else path.parent) as workspace:
        new_path = workspace / path.name
        yield new_path
        _sync(new_path)
        _refuse_used(path)
        if fills_folder:
            if not new_path.is_dir():
                raise refuse(
                    f"{str(path)!r}, a folder that cannot be replaced,",
                    "a path for a file",
                    "writing",
                )
            move_into(
                new_path, path, next((name for name in INDICES if (new_path / name).exists()), "")
            )
            return
        if path.is_dir():
            path.rmdir()
        new_path.rename(path)
        sync_path(path.parent)


def is_irreplaceable(folder: Path) -> bool:
    """Whether no rename can replace a folder: a mount point, or its parent is not writable."""
    effective = os.access in os.supports_effective_ids
    return is_mounted(folder) or not os.access(
        folder.parent, os.W_OK | os.X_OK, effective_ids=effective
    )


def write_run(folder: str | Path, tree: "xr.DataTree", manifest: dict[str, Any]) -> dict[str, Any]:
    """Write a whole run to `folder`, which must be new or empty.

    Returns the manifest as written, with its files listed. Spikes go to Parquet; their node in the
    Zarr store has its attributes only.
    Raises: JtfneError if the folder holds anything, or the manifest something that JSON cannot
    hold.
    """
    import xarray as xr

    with write_beside(folder) as new_folder:
        new_folder.mkdir()
        zarr_tree = tree.copy()
        if "spk" in tree.children:
            write_spikes(spike_table(tree), new_folder / SPIKES)
            zarr_tree["spk"] = xr.DataTree(xr.Dataset(attrs=tree["spk"].attrs))
        write_tree(zarr_tree, new_folder / SIGNALS)
        paths = [path for path in (new_folder / SIGNALS, new_folder / SPIKES) if path.exists()]
        manifest = {name: value for name, value in manifest.items() if name != "derived"}
        manifest["files"] = [_describe_file(path) for path in paths]
        (new_folder / MANIFEST).write_bytes(manifest_text(manifest))
    return manifest


def manifest_text(manifest: dict[str, Any]) -> bytes:
    """The text of a manifest.json, with the hash of all of it."""
    return (_json.dumps(_json.seal(manifest), indent=2) + "\n").encode()


def read_manifest(folder: Path) -> Any:
    """The manifest.json of a run folder, with its own hash (see `check_seal`).

    Raises: JtfneError if there is none, or it is not JSON.
    """
    path = folder / MANIFEST
    if not path.is_file():
        allowed = "a folder that `jtfne run` or `Signals.save` made"
        raise refuse(f"{str(folder)!r}, which has no {MANIFEST},", allowed, "load")
    return _json.loads(read_text(path), where=str(path))


def check_seal(manifest: dict[str, Any], path: Path) -> None:
    """Raises: JtfneError if a manifest has a hash of its own, and is not what that says.

    Checked last, since other errors say more. Manifests of jtfne 0.1.0 have no hash and pass.
    """
    if _json.SEAL in manifest and _json.unseal(manifest) is None:
        allowed = f"what its own {_json.SEAL!r} says; without that entry it is taken as it is"
        raise altered(path, allowed=allowed)


def read_run(folder: Path, manifest: dict[str, Any]) -> "xr.DataTree":
    """The tree of a run folder. Raises: JtfneError if a file is not what `manifest` says."""
    hash_by_name = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    for name in (SIGNALS, *hash_by_name):
        stored_path = path_inside(folder, name, MANIFEST)
        refuse_links_out(stored_path, folder)
        if not stored_path.exists() or file_hash(stored_path) != hash_by_name.get(name):
            raise altered(stored_path)
    tree = read_tree(folder / SIGNALS)
    if "spk" in tree.children:
        tree["spk"] = _spike_node(folder / SPIKES, tree["spk"].attrs)
    return tree


def write_tree(tree: "xr.DataTree", path: Path) -> None:
    """Write a tree as Zarr, text as variable-length strings of format 2, which every reader knows.

    What has rows is written in blocks, one a file, so that it need not be in memory.
    """
    import xarray as xr
    import zarr

    from jtfne.row_arrays import has_rows, write_rows

    rows: dict[str, xr.Variable] = {}
    datasets: dict[str, xr.Dataset] = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        row_names = [name for name in dataset.data_vars if has_rows(dataset.variables[name])]
        for name in row_names:
            rows[f"{node.path.strip('/')}/{name}"] = dataset.variables[name]
        datasets[node.path] = _with_text(dataset.drop_vars(row_names), object)
    xr.DataTree.from_dict(datasets).to_zarr(path, mode="w-", consolidated=not rows, zarr_format=2)
    for name, variable in rows.items():
        write_rows(path, name, variable)
    if rows:
        zarr.consolidate_metadata(path, zarr_format=2)


def on_disk(tree: "xr.DataTree", folder: Path) -> "xr.DataTree":
    """`tree`, which was written to `folder`, with arrays that have rows read from there."""
    from jtfne.row_arrays import link_rows

    return link_rows(tree, folder.absolute() / SIGNALS)


def read_tree(path: Path) -> "xr.DataTree":
    """The tree of a Zarr store, in memory, arrays writable.

    Raises: JtfneError if the store is not there or broken.
    """
    import xarray as xr

    check_zarr(path)
    try:
        with xr.open_datatree(
            path, engine="zarr", zarr_format=2, decode_timedelta=False
        ) as stored_tree:
            return in_memory(stored_tree)
    except UNREADABLE as error:
        raise refuse(
            f"{str(path)!r}, which cannot be read ({error}),", "a whole Zarr store", "reading"
        ) from error


def in_memory(stored_tree: "xr.DataTree") -> "xr.DataTree":
    """A copy of `stored_tree` with its arrays in memory: writable, text as numpy's own."""
    import xarray as xr

    nodes = {
        node.path: _with_text(node.to_dataset(inherit=False).load(), str)
        for node in stored_tree.subtree
    }
    return xr.DataTree.from_dict({path: dataset.drop_encoding() for path, dataset in nodes.items()})


def with_manifest(tree: "xr.DataTree", manifest: dict[str, Any]) -> "xr.DataTree":
    """A copy of `tree` whose root carries the manifest as an attribute, for formats of one file."""
    new_tree = tree.copy()
    text = _json.dumps(manifest)
    new_tree.attrs = {
        **tree.attrs,
        "jtfne_manifest": text,
        "jtfne_manifest_sha256": _text_hash(text),
    }
    return new_tree


def without_manifest(tree: "xr.DataTree") -> tuple["xr.DataTree", str]:
    """`tree` without its manifest attribute, and the text of the manifest.

    Raises: JtfneError if there is none, or it was altered. Files of jtfne 0.1.0 have no hash of it.
    """
    if "jtfne_manifest" not in tree.attrs:
        raise refuse("a tree without jtfne_manifest", "what jtfne.interop wrote", "reading")
    attrs = dict(tree.attrs)
    manifest = str(attrs.pop("jtfne_manifest"))
    stored_hash = attrs.pop("jtfne_manifest_sha256", None)
    if stored_hash is not None and stored_hash != _text_hash(manifest):
        raise refuse(
            "a jtfne_manifest that is not what its hash says", "what jtfne.interop wrote", "reading"
        )
    tree.attrs = attrs
    return tree, manifest


def _text_hash(text: str) -> str:
    """SHA-256 of a text."""
    # a flipped bit of a file may leave half of a character, which strict UTF-8 does not write
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def spike_table(tree: "xr.DataTree") -> "pa.Table":
    """All spikes as an Arrow table: trial, time_ms, neuron.

    Where the net has names, also area, layer and cell_type.

    Silent neurons and trials leave no rows, so the schema's metadata says how many there were.
    """
    import pyarrow as pa

    spikes = tree["spk"].to_dataset()
    columns = {
        "trial": pa.array(
            narrow_dtype(spikes["trial"].values, np.int32, name="trial", where="spike table")
        ),
        "time_ms": pa.array(spikes["time"].values.astype(np.float64)),
        "neuron": pa.array(
            narrow_dtype(spikes["neuron"].values, np.int32, name="neuron", where="spike table")
        ),
    }
    shape = {
        name: str(spikes.attrs[name]) for name in ("n_neurons", "n_trials", "dt_ms", "duration_ms")
    }
    if "neurons" in tree.children:
        neurons = tree["neurons"].to_dataset()
        shape["neuron_labels"] = describe_neurons(neurons)
        row = locate_ids(neurons["neuron"].values, spikes["neuron"].values)
        for name in LABELS:
            vocabulary, codes = np.unique(neurons[name].values.astype(str), return_inverse=True)
            event_codes = pa.array(
                narrow_dtype(codes, np.int16, name=f"the number of a {name}", where="spike table")[
                    row
                ]
            )
            columns[name] = pa.DictionaryArray.from_arrays(
                event_codes, pa.array(vocabulary.tolist(), pa.string())
            )
    fields = [
        pa.field(
            name,
            column.type,
            nullable=False,
            metadata={"units": "ms"} if name == "time_ms" else None,
        )
        for name, column in columns.items()
    ]
    return pa.table(
        list(columns.values()),
        schema=pa.schema(fields, metadata={"jtfne_schema": SPIKE_SCHEMA, **shape}),
    )


def write_spikes(table: "pa.Table", path: Path) -> None:
    """Write a spike table as Parquet."""
    import pyarrow as pa
    from pyarrow import parquet

    texts = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    encoding = {
        "time_ms": "BYTE_STREAM_SPLIT",
        "neuron": "DELTA_BINARY_PACKED",
        "trial": "DELTA_BINARY_PACKED",
    }
    parquet.write_table(
        table, path, compression="zstd", use_dictionary=texts, column_encoding=encoding
    )


def _with_text(dataset: "xr.Dataset", kind: type) -> "xr.Dataset":
    """`dataset` with its text as `kind`: objects, or numpy's own str.

    Zarr writes objects at variable length.
    """
    text_variables = {
        name: dataset[name] for name in dataset.variables if dataset[name].dtype.kind in "UOT"
    }
    texts: dict[Any, Any] = {  # xarray would write empty objects as numbers
        name: (text.dims, np.array(text.values.tolist(), kind if text.size else str), text.attrs)
        for name, text in text_variables.items()
    }
    coords = {name: text for name, text in texts.items() if name in dataset.coords}
    return dataset.assign_coords(coords).assign(
        {name: text for name, text in texts.items() if name not in coords}
    )


def _spike_node(path: Path, attrs: dict[Any, Any]) -> "xr.DataTree":
    """Read the `spk` node from its Parquet file."""
    import xarray as xr

    table = read_parquet(path)
    columns = {"time": "time_ms", "neuron": "neuron", "trial": "trial"}
    values = {
        name: (
            "event",
            np.array(table[column].to_numpy()),
            attrs if name == "time" else {"units": "1"},
        )
        for name, column in columns.items()
    }
    return xr.DataTree(xr.Dataset(values, attrs=attrs))


def _hash_parts(dtype: np.dtype[Any], shape: tuple[int, ...], parts: Iterable[Array]) -> str:
    """SHA-256 of an array of numbers that comes in parts, in C order."""
    dtype = dtype.newbyteorder("<")
    digest = hashlib.sha256(json.dumps([dtype.str, list(shape)]).encode())
    for part in parts:
        array = np.asarray(part, dtype, order="C")
        digest.update(array.tobytes() if array.ndim == 0 else array.data)
    return digest.hexdigest()


def _show_parts(
    name: str, parts: Iterator[Array], look: Callable[[str, Array], None]
) -> Iterator[Array]:
    """Yield `parts`, after passing each to `look`."""
    for part in parts:
        look(name, part)
        yield part


def _describe_file(path: Path) -> dict[str, Any]:
    """The manifest's entry of a file or folder: path, bytes and hash."""
    n_bytes = sum(file.stat().st_size for file in (_files(path) if path.is_dir() else [path]))
    return {"path": path.name, "bytes": n_bytes, "sha256": file_hash(path)}


def _files(folder: Path) -> list[Path]:
    """All files in a folder and below it, but for the .DS_Store that macOS adds."""
    return sorted(
        entry for entry in folder.rglob("*") if entry.is_file() and entry.name != ".DS_Store"
    )


def _refuse_used(path: Path) -> None:
    """Raises: JtfneError if `path` holds more than what a killed jtfne leaves in a folder."""
    if path.exists() and not (path.is_dir() and is_empty(path)):
        raise refuse(f"{str(path)!r}, which exists,", "a path where nothing is lost", "writing")


def _sync(path: Path) -> None:
    """Make a file, or a folder with all it holds, durable."""
    with ThreadPoolExecutor() as threads:
        list(threads.map(sync_path, [*path.rglob("*"), path] if path.is_dir() else [path]))


def is_empty(folder: Path, but: str = "lost+found") -> bool:
    """Whether a folder is empty, but for what a killed jtfne and file systems leave, and `but`."""
    names = [path.name for path in folder.iterdir()]
    return all(TEMPORARY.fullmatch(name) or name in (but, "lost+found") for name in names)


def list_derived(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Add all other files of a run folder to its manifest, with hashes; the new manifest."""
    own_names = (MANIFEST, SIGNALS, SPIKES)
    files = [path for path in _files(folder) if path.relative_to(folder).parts[0] not in own_names]
    files = [path for path in files if not path.name.startswith(".")]
    derived_files = [
        {**_describe_file(path), "path": path.relative_to(folder).as_posix()} for path in files
    ]
    manifest = {**manifest, "derived": derived_files}
    replace_file(folder / MANIFEST, lambda stream: stream.write(manifest_text(manifest)))
    return manifest


def find_altered(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Files made from a run that differ from its manifest; those that are gone are left out."""
    hash_by_name = {entry["path"]: entry["sha256"] for entry in manifest.get("derived", [])}
    paths = {name: path_inside(folder, name, MANIFEST) for name in hash_by_name}
    return [
        name
        for name, path in paths.items()
        if path.is_file() and file_hash(path) != hash_by_name[name]
    ]


def refuse_links_out(path: Path, folder: Path) -> None:
    """Raises: JtfneError if `path`, or anything below it, is a link that leads out of `folder`."""
    root = folder.resolve()
    for entry in (path, *path.rglob("*")):
        if entry.is_symlink() and not entry.resolve().is_relative_to(root):
            description = f"{str(entry)!r}, a link that leads out of its folder,"
            raise refuse(description, f"files inside {str(folder)!r}", "reading")
