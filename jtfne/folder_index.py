"""The index of a folder of parts: its files with their hashes, and a hash of the index itself.

Runs that are being written, trainings and sweeps, and nets keep one. Each says what else is in its
index; how it is read, compared and checked is said here.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jtfne import _json
from jtfne._check import JtfneError
from jtfne.chunk_files import write_durably
from jtfne.run_folder import file_hash

# The types of an index's entries, by name.
Kinds = Mapping[str, type | tuple[type, ...]]
MakeError = Callable[[Path], JtfneError]  # the error for a file that is not what was written


def write_index(path: Path, index: Mapping[str, Any]) -> None:
    """Write an index durably, with its own hash: to be called when all that it lists is durable."""
    text = _json.dumps(_json.seal(index)).encode()
    write_durably({path: lambda stream: stream.write(text)})


def check_kinds(index: Mapping[str, Any], kinds: Kinds, error: JtfneError) -> None:
    """Raises: `error` unless every entry that `kinds` names is there and of its type."""
    for name, kind in kinds.items():
        if not isinstance(index.get(name), kind):
            raise error


def describe_differences(
    stored: Mapping[str, Any], expected: Mapping[str, Any], show: Callable[[Any], str] = repr
) -> str:
    """Describe the entries in which two tables differ; an empty text if there is none.

    show: what makes a text of a value.

    >>> describe_differences({"seed": 1, "dt_ms": 0.1}, {"seed": 2, "dt_ms": 0.1})
    'seed: 1 there, 2 here'
    """
    differences = []
    for name in sorted({*stored, *expected}):
        old, new = stored.get(name), expected.get(name)
        if old != new:
            differences.append(f"{name}: {show(old)} there, {show(new)} here")
    return "; ".join(differences)


def describe_file(path: Path) -> dict[str, str]:
    """The entry of a file: its name and hash."""
    return {"path": path.name, "sha256": file_hash(path)}


def check_hash(path: Path, digest: Any, make_error: MakeError) -> None:
    """Raises: the error for `path` unless it is a file with the SHA-256 `digest`."""
    if not path.is_file() or file_hash(path) != digest:
        raise make_error(path)


def find_file(
    index_path: Path, entry: Mapping[str, Any], pattern: re.Pattern[str], make_error: MakeError
) -> Path:
    """The file of an entry that `describe_file` made, beside its index.

    pattern: that its name must fit, so that an index leads nowhere else.
    Raises: the error for the index or for the file, if it is not what was written.
    """
    name = str(entry.get("path"))
    if not pattern.fullmatch(name):
        raise make_error(index_path)
    path = index_path.with_name(name)
    check_hash(path, entry.get("sha256"), make_error)
    return path
