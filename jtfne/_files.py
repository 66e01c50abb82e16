"""Paths and files for every room: where a path leads, new files, removal, text.

One function resolves the paths that a caller gives (`resolve_path`), one keeps the names that a
folder lists inside that folder (`path_inside`), one makes new files (`create_file`) and one decodes
text (`decode_text`). Links that a caller names are followed; links that lie inside a folder are
not, neither to write nor to remove.
"""

import contextlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from jtfne._check import describe_value, refuse
from jtfne._system import IS_WINDOWS, NO_WAITING, is_still_at, open_file, sync_path, try_lock

# what a killed process may leave, of files and of folders
TEMPORARY = re.compile(r"\.jtfne-[0-9a-f]{16}\.tmp")
TEXT_BYTES = 2**30  # no text file that jtfne reads is larger
NAME_BYTES = 255  # of one part of a path, on every common file system
N_TRIES = 100  # for a random name of 64 bits that nothing has yet
LOCK = ".lock"  # the lock of a folder that a run, a training or a sweep is filling
TEMPORARY_LOCK = ".jtfne-lock"  # that of a temporary folder; no user calls a result so


def resolve_path(path: object, where: str) -> Path:
    """The absolute path that a caller means: `~` expanded, links followed. It need not exist.

    Raises: JtfneError for what is no path, a NUL, a name that no file system takes, and links in a
    circle.

    >>> resolve_path("/tmp/../a", "doctest").name
    'a'
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(text := os.fspath(path), str):
        raise refuse(
            f"{describe_value(path)} of {type(path).__name__}", "a path, str or Path", where
        )
    if not text or "\0" in text:
        raise refuse(
            f"the path {describe_value(text)}", "a path without NUL that is not empty", where
        )
    try:
        long_name = next(
            (part for part in Path(text).parts if len(os.fsencode(part)) > NAME_BYTES), None
        )
        if long_name is not None:
            raise refuse(
                f"a name of {len(os.fsencode(long_name))} bytes ({long_name[:20]!r}...)",
                f"{NAME_BYTES} or less",
                where,
            )
        return Path(text).expanduser().resolve()
    except UnicodeEncodeError as error:
        raise refuse(
            f"the path {describe_value(text)} ({error.reason})",
            "a path that the file system can encode",
            where,
        ) from None
    # RuntimeError: links in a circle, or a `~user` whom nobody knows
    except (OSError, RuntimeError) as error:
        raise refuse(
            f"the path {describe_value(text)} ({error})", "a path that leads somewhere", where
        ) from None


def path_inside(folder: Path, name: object, where: str) -> Path:
    """`folder / name`, if that lies in `folder` with all links followed.

    name: as a folder's index lists it.

    Raises: JtfneError for an absolute name, one with `..`, and one that leads out of the folder by
    a link.

    >>> path_inside(Path("/data/run"), "../../etc/passwd", "manifest.json")
    Traceback (most recent call last):
    jtfne._check.JtfneError: got the name '../../etc/passwd'; expected a name inside
    '/data/run' (in manifest.json)
    """
    parts = Path(name).parts if isinstance(name, str) and "\0" not in name else ()
    leads_out = not parts or Path(str(name)).is_absolute() or ".." in parts
    if leads_out or not (folder / str(name)).resolve().is_relative_to(folder.resolve()):
        raise refuse(f"the name {describe_value(name)}", f"a name inside {str(folder)!r}", where)
    refuse_special(folder / str(name), where)
    return folder / str(name)


def refuse_special(path: Path, where: str) -> None:
    """Raises: JtfneError for a pipe, a socket or a device, whose reading may never end.

    Nothing at `path` is no error.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise refuse(f"{str(path)!r}, a pipe, a socket or a device,", "a file", where)


def refuse_links(folder: Path, where: str) -> None:
    """Raises: JtfneError if `folder`, or anything below it, is a link.

    What is written there would land elsewhere.
    """
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink():
            raise refuse(
                f"{str(path)!r}, which is a link,", "files and folders of their own", where
            )


def create_file(path: Path) -> int:
    """A descriptor of a new file to write, mode by the umask; an existing file or link fails."""
    return open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)


def create_temporary(folder: Path) -> tuple[IO[bytes], Path]:
    """A new file in `folder` under a random name that matches TEMPORARY, open for writing and held;
    and its path.
    """
    path, handle = _hold_new(folder, create_file)
    return os.fdopen(handle, "wb"), path


def put_in_place(stream: IO[bytes], temporary_path: Path, path: Path) -> None:
    """Rename a temporary file to its place, whatever is there.

    stream: of the file, which holds its lock meanwhile, so that nobody sweeps it. Where a file that
    is open cannot be renamed, it is closed first.
    """
    if IS_WINDOWS:
        stream.close()
    temporary_path.replace(path)


def discard_temporary(stream: IO[bytes], temporary_path: Path) -> None:
    """Close a temporary file, and remove it unless it was put in its place."""
    try:
        if not IS_WINDOWS:  # before it is closed, since somebody else might sweep it then
            temporary_path.unlink(missing_ok=True)
    finally:
        # a full disk, of which the error on its way here tells
        with contextlib.suppress(OSError):
            stream.close()
    temporary_path.unlink(missing_ok=True)


def replace_file(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Write a file beside `path`, sync it and rename it to `path`.

    The file is whole or not there, and no link is followed.
    """
    sweep_temporary(path.parent)
    stream, temporary_path = create_temporary(path.parent)
    try:
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())
        put_in_place(stream, temporary_path, path)
        sync_path(path.parent)
    finally:
        discard_temporary(stream, temporary_path)


@contextlib.contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, locked while in use, then removed; those of killed runs are swept.

    The lock is a file in it, and the system drops it when the process ends, however it ends.
    """
    sweep_temporary(parent)
    folder, handle = _hold_new(parent, _create_folder)
    try:
        yield folder
    finally:
        _remove_held(folder, handle)


@contextlib.contextmanager
def hold_folder(folder: Path, where: str) -> Iterator[None]:
    """Lock `folder` for this process while the context is open.

    The folder is made if need be; it is then removed at the end if it is still empty.

    Raises: JtfneError if another process, or another thread, holds it.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    if path.is_symlink():
        raise refuse(f"{str(path)!r}, which is a link,", "a lock of its own", where)
    handle = open_file(path, os.O_RDWR | os.O_CREAT)
    try:
        is_held = try_lock(handle) and is_still_at(path, handle)
    except BaseException:
        os.close(handle)
        raise
    if not is_held:
        os.close(handle)
        description = f"{str(folder)!r}, which is in use by another run,"
        raise refuse(description, "a folder that one process at a time writes to", where)
    try:
        yield
    finally:
        _remove_held(path, handle)
        if is_new and folder.exists() and not any(folder.iterdir()):
            folder.rmdir()


def sweep_temporary(parent: Path) -> None:
    """Remove from `parent` the temporary folders and files that no process holds any more."""
    # a parent that cannot be listed, or what somebody else has just removed
    with contextlib.suppress(OSError):
        for path in [entry for entry in parent.iterdir() if TEMPORARY.fullmatch(entry.name)]:
            if not path.is_symlink():
                _remove_abandoned(path)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it is there; never what a link leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def is_mounted(path: Path) -> bool:
    """Whether something is mounted at the folder `path`: it can be neither renamed nor removed."""
    if os.path.ismount(path):
        return True
    try:  # a folder mounted on another of the same file system: `ismount` compares devices
        lines = (
            Path("/proc/self/mountinfo")
            .read_text(encoding="utf-8", errors="surrogateescape")
            .splitlines()
        )
    except OSError:
        return False
    escaped_path = (
        str(path)
        .replace("\\", "\\134")
        .replace(" ", "\\040")
        .replace("\t", "\\011")
        .replace("\n", "\\012")
    )
    return any(line.split(" ")[4] == escaped_path for line in lines)


def move_into(source: Path, folder: Path, last: str = "") -> None:
    """Move everything in `source` into `folder`, the file called `last` at the end.

    Raises: JtfneError if `folder` has anything of one of these names.
    """
    for path in sorted(source.iterdir(), key=lambda path: (path.name == last, path.name)):
        if os.path.lexists(folder / path.name):
            raise refuse(
                f"{str(folder / path.name)!r}, which exists,",
                "a path where nothing is lost",
                "writing",
            )
        path.rename(folder / path.name)
        sync_path(folder)


def read_text(path: Path, where: str = "") -> str:
    """The text of a file.

    Raises: JtfneError as `decode_text`, and for a file that is too large for a text.
    """
    where = where or str(path)
    size = path.stat().st_size
    if not stat.S_ISREG(path.stat().st_mode) or size > TEXT_BYTES:
        raise refuse(
            f"{str(path)!r} of {size} bytes", f"a text file of {TEXT_BYTES} bytes or less", where
        )
    return decode_text(path.read_bytes(), where)


def decode_text(data: bytes, where: str) -> str:
    r"""`data` as text: UTF-8, with or without a byte order mark; line ends of any kind become "\n".

    Raises: JtfneError that names the byte which is no UTF-8, or the encoding if a byte order mark
    tells it.

    >>> decode_text(b"\xef\xbb\xbfn = 1\r\n", "a.toml")
    'n = 1\n'
    >>> decode_text(b"caf\xe9", "a")
    Traceback (most recent call last):
    jtfne._check.JtfneError: got text that is not UTF-8 (byte 0xe9 at offset 3); expected UTF-8 text (in a)
    """
    for mark, name in ((b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"),
                       (b"\xfe\xff", "UTF-16")):  # fmt: skip
        if data.startswith(mark):
            raise refuse(
                f"text that is not UTF-8 but {name} (byte 0x{data[0]:02x} at offset 0)",
                "UTF-8 text",
                where,
            )
    if b"\0" in data:
        allowed = "UTF-8 text without NUL (UTF-16 without a byte order mark has such bytes)"
        raise refuse(f"text with byte 0x00 at offset {data.index(0)}", allowed, where)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A mark of three bytes is not in the bytes that the decoder counts.
        offset = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        description = f"text that is not UTF-8 (byte 0x{data[offset]:02x} at offset {offset})"
        raise refuse(description, "UTF-8 text", where) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _create_folder(path: Path) -> int:
    """A descriptor of the lock in a new folder of the mode that the umask leaves."""
    path.mkdir()
    return open_file(path / TEMPORARY_LOCK, os.O_RDWR | os.O_CREAT)


def _locate_lock(path: Path) -> Path:
    """The file that is locked while a temporary file or folder is in use."""
    return path / TEMPORARY_LOCK if path.is_dir() else path


def _hold_new(parent: Path, create: Callable[[Path], int]) -> tuple[Path, int]:
    """A new file or folder in `parent` under a random name, and the descriptor that locks it."""
    for _ in range(N_TRIES):
        path = parent / f".jtfne-{secrets.token_hex(8)}.tmp"
        try:
            handle = create(path)
        except FileNotFoundError:  # swept before it was opened, or there is no such parent
            if not parent.is_dir():
                raise
            continue
        if try_lock(handle) and is_still_at(_locate_lock(path), handle):
            return path, handle
        os.close(handle)  # another process sweeps it
    raise refuse(
        f"{str(parent)!r}, in which nothing new stays,", "a folder that one can write to", "writing"
    )


def _remove_abandoned(path: Path) -> None:
    """Remove what is temporary, unless a process holds its lock."""
    # A killed process may have left a folder without its lock, which is made here.
    flags = os.O_RDWR | os.O_CREAT if path.is_dir() else os.O_RDONLY | NO_WAITING
    handle = open_file(_locate_lock(path), flags)
    if try_lock(handle):
        _remove_held(path, handle)
    else:
        os.close(handle)  # in use


def _remove_held(path: Path, handle: int) -> None:
    """Remove a file or a folder while its lock is held, then close the lock.

    Whoever opened it meanwhile, and gets the lock next, sees that it is gone. Windows removes
    nothing that is open: there the lock is closed first, and what another process has opened since
    stays, for that process to remove.
    """
    try:
        if not IS_WINDOWS:
            remove(path)
    finally:
        os.close(handle)
    if IS_WINDOWS:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            remove(path)
