"""A run that is being written to its folder, chunk by chunk, so that it can be resumed.

A folder that is being filled holds `partial/`: the files of chunks, the state after the last of
them, and an index that lists both with their hashes. Each file is written beside its place, synced
and renamed; the index comes last, so that a process killed at any moment loses the chunk in flight
at most. The finished run takes the place of `partial/`.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import _json
from jtfne._check import JtfneError, refuse
from jtfne._files import (
    LOCK,
    TEMPORARY,
    hold_folder,
    refuse_links,
    remove,
    resolve_path,
    sweep_temporary,
)
from jtfne._rows import Array
from jtfne._stored import read_npz
from jtfne._system import sync_path
from jtfne.chunk_files import Arrays, ChunkFiles, Write
from jtfne.folder_index import (
    Kinds,
    check_kinds,
    describe_differences,
    describe_file,
    find_file,
    write_index,
)
from jtfne.run_folder import MANIFEST, SIGNALS, SPIKES, write_run

if TYPE_CHECKING:
    import xarray as xr

PARTIAL, INDEX, VERSION = "partial", "index.json", "2"
WHERE = "simulate(out=)"
CARRY = re.compile(r"carry_\d{8}\.npz")
# What a run leaves in `partial/`; jtfne 0.1.0 named what is temporary after what it becomes.
OWN = re.compile(
    r"(index\.json|rows\.zarr|(spikes|carry)_\d{8}\.(parquet|npz))(\.tmp)?|\.?finished(\..*)?|"
    + TEMPORARY.pattern
)
KEYS: Kinds = {
    "version": str,
    "run": dict,
    "chunk_steps": int,
    "arrays": dict,
    "chunks": list,
    "carry": (dict, type(None)),
}


class PartialRun:
    """The part of a run that is on disk. Made by `open_partial_run`, which locks its folder.

    chunk_steps: the length of its chunks. n_chunks: how many of them are there.
    """

    def __init__(self, out: Path, run: dict[str, Any], chunk_steps: int) -> None:
        self._out, self._folder = out, out / PARTIAL
        self._folder.mkdir(exist_ok=True)
        refuse_links(self._folder, WHERE)
        sweep_temporary(self._folder)
        self._refuse_foreign()
        sync_path(out)
        sync_path(out.parent)
        self._index = self._read_index(run)
        if not self._index["chunks"]:
            header = {"version": VERSION, "run": run, "chunk_steps": chunk_steps}
            self._index = {**header, "arrays": {}, "chunks": [], "carry": None}
        self._files = ChunkFiles.of_json(self._folder, self._index["arrays"])
        for number, chunk_hash in enumerate(self._index["chunks"]):
            if self._files.hash(number) != chunk_hash:
                raise self._files.altered(self._folder, f"chunk {number} of ")
        state = {self._checked_carry()} if self._index["carry"] else set()
        # what a kill left unlisted
        self._files.clear(self.n_chunks, {self._folder / INDEX, *state})

    @property
    def chunk_steps(self) -> int:
        """Steps of a chunk, fixed when the run began."""
        return int(self._index["chunk_steps"])

    @property
    def n_chunks(self) -> int:
        """How many chunks are on disk."""
        return len(self._index["chunks"])

    @property
    def files(self) -> ChunkFiles:
        """The files of the chunks."""
        return self._files

    def carry(self) -> dict[str, Array]:
        """The state after the last chunk, empty if none was put.
        Raises: JtfneError if it is not what was written.
        """
        if not self._index["carry"]:
            return {}
        return read_npz(self._checked_carry())

    def write_chunk(self, rows: Arrays, spikes: Arrays, carry: Arrays | None, *, of: int) -> None:
        """Make the next chunk durable, and the state after it; then list them.

        rows: (n_rows, ...), of which no later chunk may have more than the first. spikes: columns
        (n_spikes,). of: chunks of the whole run.
        Raises: OSError that says what is kept, if the disk is full or fails.
        """
        number, old_index = self.n_chunks, self._index
        with self._explain_disk_errors():
            if number == 0:
                self._files = ChunkFiles.like(self._folder, rows)
                self._files.begin(of)
            path, carry_arrays = (
                self._folder / f"carry_{number:08d}.npz",
                dict[str, Any](carry or {}),
            )
            state: dict[Path, Write] = (
                {} if carry is None else {path: lambda stream: np.savez(stream, **carry_arrays)}
            )
            chunk = self._files.write(number, rows, spikes, state)
            entry = describe_file(path) if state else None
            index = {
                **old_index,
                "arrays": self._files.to_json(),
                "chunks": [*old_index["chunks"], chunk],
                "carry": entry,
            }
            write_index(self._folder / INDEX, index)
            self._index = index
            if old_index["carry"]:
                (self._folder / old_index["carry"]["path"]).unlink()

    def finish(self, tree: "xr.DataTree", manifest: dict[str, Any]) -> dict[str, Any]:
        """Put the run folder of `tree` in place of the chunks; the manifest as written.

        Raises: OSError as `write_chunk`.
        """
        finished_folder = self._folder / "finished"
        with self._explain_disk_errors():
            manifest = write_run(finished_folder, tree, manifest)
            for name in (SIGNALS, SPIKES, MANIFEST):  # the manifest last: with it the run is there
                remove(self._out / name)
                if (finished_folder / name).exists():
                    (finished_folder / name).rename(self._out / name)
                sync_path(self._out)
            shutil.rmtree(self._folder)
        return manifest

    def discard(self) -> None:
        """Remove all chunks."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _read_index(self, run: dict[str, Any]) -> dict[str, Any]:
        """The index, or an empty one. Raises: JtfneError if it is broken or of another run."""
        path = self._folder / INDEX
        if not path.exists():
            return {"chunks": []}
        index = _json.read_sealed(path, self._altered_error(path))
        if not isinstance(index.get("run"), dict):
            raise self._altered_error(path)
        stored_run = {**index["run"], "version of the folder": index.get("version")}
        this_run = {**run, "version of the folder": VERSION}
        differences = describe_differences(stored_run, this_run)
        if differences:
            description = f"{str(self._out)!r}, which holds a part of another run ({differences}),"
            raise refuse(description, "the same run, which goes on, or another folder", WHERE)
        check_kinds(index, KEYS, self._altered_error(path))
        return index

    def _refuse_foreign(self) -> None:
        """Raises: JtfneError for files that no run writes, and several chunks without index."""
        names = {path.name for path in self._folder.iterdir()}
        if not all(OWN.fullmatch(name) for name in names):
            description = f"{str(self._folder)!r}, which holds other files,"
            raise refuse(description, "a new or empty folder, or an unfinished run", WHERE)
        if INDEX not in names and any("_" in name and "_00000000." not in name for name in names):
            raise self._altered_error(self._folder / INDEX)

    def _checked_carry(self) -> Path:
        """The path of the state. Raises: JtfneError if it is not what was written."""
        return find_file(self._folder / INDEX, self._index["carry"], CARRY, self._altered_error)

    @contextlib.contextmanager
    def _explain_disk_errors(self) -> Iterator[None]:
        """Re-raise errors of the disk with what is still safe."""
        try:
            yield
        except OSError as error:
            reason = (
                f"{error.strerror or error}; the {self.n_chunks} chunks before are kept, and the "
                "same run, resumed"
            )
            raise OSError(
                error.errno, f"{reason} when this is mended, goes on from there", str(self._folder)
            ) from error

    def _altered_error(self, path: Path) -> JtfneError:
        """The error for a file that is not what was written."""
        return ChunkFiles(self._folder, {}).altered(path)


@contextlib.contextmanager
def open_partial_run(out: Path, run: dict[str, Any], chunk_steps: int) -> Iterator[PartialRun]:
    """The part of `run` that is in `out`, for this process alone; made if there is none.

    run: JSON that identifies the run. chunk_steps: of a new run; one that is resumed keeps its own.
    Raises: JtfneError if `out` holds anything else, another run, or altered files, or is in use.
    """
    out = resolve_path(out, WHERE)
    # killed when it was finished but for this
    if (out / MANIFEST).exists() and (out / PARTIAL).is_dir():
        with hold_folder(out, WHERE):
            if all(OWN.fullmatch(path.name) for path in (out / PARTIAL).iterdir()):
                shutil.rmtree(out / PARTIAL, ignore_errors=True)
    _refuse_other(out)
    with hold_folder(out, WHERE):
        _refuse_other(out)
        partial_run = PartialRun(out, run, chunk_steps)
        try:
            yield partial_run
        finally:
            if partial_run.n_chunks == 0:
                partial_run.discard()


def holds_run(out: Path) -> bool:
    """Whether `out` holds a finished run, or chunks of one. Locks nothing."""
    out = resolve_path(out, WHERE)
    return (out / MANIFEST).exists() or (out / PARTIAL / INDEX).exists()


def remove_derived(folder: Path) -> None:
    """Remove from a finished run's folder, while it is locked, what was made there from the run."""
    for path in folder.iterdir():
        if path.name not in (SIGNALS, SPIKES, MANIFEST, LOCK):
            remove(path)


def _refuse_other(out: Path) -> None:
    """Raises: JtfneError if `out` is there and is neither empty nor an unfinished run."""
    if out.exists() and not out.is_dir():
        raise refuse(f"{str(out)!r}, which is a file,", "a folder", WHERE)
    if not out.exists():
        if not next(parent for parent in out.parents if parent.exists()).is_dir():
            raise refuse(f"{str(out)!r}, which lies below a file,", "a path below folders", WHERE)
        return
    names = {path.name for path in out.iterdir() if not TEMPORARY.fullmatch(path.name)} - {
        "lost+found"
    }
    if MANIFEST in names:
        raise refuse(
            f"{str(out)!r}, which holds a finished run,",
            "a new folder; jtfne.load reads that one",
            WHERE,
        )
    if names - {LOCK} and PARTIAL not in names:
        raise refuse(
            f"{str(out)!r}, which holds other files,",
            "a new or empty folder, or an unfinished run",
            WHERE,
        )
