"""Keeps a training or a sweep in a folder, part by part; each is durable before it is listed.

The folder holds a file of rows for each part, the state after the last of them, and an index that
lists both with their hashes. Each file is written under a temporary name, synced and renamed, the
index last: a process that is killed loses only the part that it was writing.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jtfne import _json
from jtfne._check import JtfneError, altered, refuse
from jtfne._files import (
    LOCK,
    TEMPORARY,
    hold_folder,
    read_text,
    refuse_links,
    resolve_path,
    sweep_temporary,
)
from jtfne._stored import read_npz
from jtfne.chunk_files import Write, write_durably
from jtfne.folder_index import (
    Kinds,
    check_hash,
    check_kinds,
    describe_differences,
    describe_file,
    find_file,
    write_index,
)
from jtfne.run_folder import file_hash

INDEX, VERSION = "index.json", "1"
STATE = re.compile(r"state_\d{8}\.npz")
# types of an index file's entries
KINDS: Kinds = {
    "version": str,
    "about": dict,
    "notes": dict,
    "parts": list,
    "state": (dict, type(None)),
}
Arrays = list[np.ndarray[Any, Any]]


class PartStore:
    """The parts of a training or a sweep, in order; in memory, or in a folder as well.

    rows: of each part, JSON values. state: the arrays after the last part. notes: what else was
    found at the start.
    """

    def __init__(self, folder: Path | None, provenance: Mapping[str, Any], where: str) -> None:
        self.rows: list[Any] = []
        self.state: Arrays | None = None
        self.notes: dict[str, Any] = {}
        self._folder, self._provenance, self._where = folder, dict(provenance), where
        self._part_hashes: list[str] = []
        self._state_file = ""
        if folder is not None and (folder / INDEX).exists():
            self._read(folder)

    def list_rows(self) -> list[Any]:
        """The rows of all parts, in order."""
        all_rows: list[Any] = []
        for rows in self.rows:
            all_rows += rows
        return all_rows

    def append(self, rows: Any, state: Arrays | None = None) -> None:
        """Store the next part, and the state after it. Raises: OSError if the disk fails."""
        number, previous_file = len(self.rows), self._state_file
        self.rows.append(rows)
        self.state = state
        if self._folder is None:
            return
        path = self._folder / f"part_{number:08d}.json"
        text = _json.dumps(rows).encode()
        writes: dict[Path, Write] = {path: lambda stream: stream.write(text)}
        if state is not None:
            self._state_file = f"state_{number:08d}.npz"
            writes[self._folder / self._state_file] = _make_npz_writer(state)
        write_durably(writes)
        self._part_hashes.append(file_hash(path))
        self.note()
        if previous_file and previous_file != self._state_file:
            (self._folder / previous_file).unlink(missing_ok=True)

    def note(self, **notes: Any) -> None:
        """Add `notes` and write the index of all parts."""
        self.notes |= notes
        if self._folder is None:
            return
        state = self._folder / self._state_file if self._state_file else None
        index = {
            "version": VERSION,
            "about": self._provenance,
            "notes": self.notes,
            "parts": self._part_hashes,
            "state": None if state is None else describe_file(state),
        }
        write_index(self._folder / INDEX, index)

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files of the result, each complete or not at all."""
        if self._folder is not None:
            write_durably({self._folder / name: _make_writer(text) for name, text in files.items()})

    def _read(self, folder: Path) -> None:
        """Read the parts in `folder`.

        Raises: JtfneError if they are another training's, or altered.
        """
        path = folder / INDEX
        index = _json.read_sealed(path, self._make_altered_error(path))
        check_kinds(index, KINDS, self._make_altered_error(path))
        stored_entries = {**index["about"], "version of the folder": index["version"]}
        expected_entries = {**self._provenance, "version of the folder": VERSION}
        differences = describe_differences(stored_entries, expected_entries, _shorten)
        if differences:
            problem = f"{str(folder)!r}, which holds something else ({differences}),"
            raise refuse(problem, "the same, which goes on, or another folder", self._where)
        for number, stored_hash in enumerate(index["parts"]):
            part = folder / f"part_{number:08d}.json"
            check_hash(part, stored_hash, self._make_altered_error)
            self.rows.append(_json.loads(read_text(part), where=str(part)))
        self._part_hashes, self.notes = list(index["parts"]), dict(index["notes"])
        if index["state"]:
            state_path = find_file(path, index["state"], STATE, self._make_altered_error)
            self._state_file = state_path.name
            self.state = list(read_npz(state_path).values())

    def _make_altered_error(self, path: Path) -> JtfneError:
        """The error for a file that is not what was written."""
        return altered(
            path, allowed="what was written there; a new folder starts anew", where=self._where
        )


@contextlib.contextmanager
def open_parts(
    out: str | Path | None, provenance: Mapping[str, Any], *, resume: bool, where: str
) -> Iterator[PartStore]:
    """Open the parts in `out` for this process alone; keep them in memory if it is None.

    provenance: what distinguishes this training or sweep from any other, by name.
    Raises: JtfneError if `out` holds anything else, or parts although `resume` is False.
    """
    if out is None:
        yield PartStore(None, provenance, where)
        return
    folder = resolve_path(out, where)
    if folder.exists() and not folder.is_dir():
        raise refuse(f"{str(out)!r}, which is a file,", "a folder", where)
    with hold_folder(folder, where):
        sweep_temporary(folder)
        refuse_links(folder, where)
        names = _list_names(folder)
        # without an index: a process was killed before it wrote the first one
        only_parts = all(name.startswith(("part_", "state_", INDEX)) for name in names)
        if names and INDEX not in names and not only_parts:
            raise refuse(f"{str(out)!r}, which holds other files,", "a new or empty folder", where)
        if names and not resume:
            problem = f"{str(out)!r}, in which something was begun,"
            raise refuse(problem, "resume=True, which goes on with it, or a new folder", where)
        yield PartStore(folder, provenance, where)


def _list_names(folder: Path) -> list[str]:
    """The names in a folder, but for the lock, temporary files, and what a file system puts there."""
    names = []
    for path in folder.iterdir():
        if path.name not in (LOCK, "lost+found") and not TEMPORARY.fullmatch(path.name):
            names.append(path.name)
    return names


def _make_npz_writer(arrays: Arrays) -> Write:
    """A function that writes `arrays` to a stream, in order."""
    arrays_by_name: dict[str, Any] = {}
    for k, array in enumerate(arrays):
        arrays_by_name[f"leaf_{k:04d}"] = array
    return lambda stream: np.savez(stream, **arrays_by_name)


def _make_writer(text: bytes) -> Write:
    """A function that writes `text` to a stream."""
    return lambda stream: stream.write(text)


def _shorten(value: Any) -> str:
    """`repr(value)`, cut to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
