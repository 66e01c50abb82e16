"""The folder in which a run grows, how it takes its place, and what is said if it is stopped."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import typer

INSIDE = ".partial"  # in a folder that cannot be replaced, such as a mount point


class Terminated(BaseException):
    """Raised when the process receives SIGTERM."""


def locate_room(out: Path) -> Path:
    """The folder that holds the run of `out` until it is finished.

    It lies beside `out`, or in it where `out` cannot be replaced (such as a mount point).
    """
    from jtfne.run_folder import is_irreplaceable

    if out.is_dir() and is_irreplaceable(out):
        return out / INSIDE
    return out.with_name(f".{out.name}.partial")


def open_room(out: Path, *, resume: bool, overwrite: bool = False) -> Path:
    """The folder to simulate into.

    overwrite: whether a finished run in `out` may be replaced, once the new one is finished.
    Raises: JtfneError if `out` holds anything else; and if a run is in the room already, unless it
    is to be resumed.
    """
    from jtfne._check import refuse
    from jtfne.partial_run import holds_run
    from jtfne.run_folder import is_empty

    room = locate_room(out)
    if room.parent == out and resume:
        _move_back(room, out)
    other_paths = [path for path in out.iterdir() if path != room] if out.is_dir() else []
    if (out.exists() and not out.is_dir()) or (other_paths and not is_empty(out, but=room.name)):
        if not (overwrite and out.is_dir() and room.parent != out):
            allowed = "a new or empty folder; --overwrite replaces a finished run"
            raise refuse(f"{str(out)!r}, which is not empty,", allowed, "jtfne run -o")
        _refuse_foreign(out)
    if holds_run(room) and not resume:
        description = f"{str(room)!r}, in which an earlier run to {str(out)!r} was stopped,"
        raise refuse(
            description, "--resume, which goes on with it; or remove it, to start anew", "jtfne run"
        )
    _refuse_closed(room, out)
    return room


def _refuse_foreign(out: Path) -> None:
    """Raises: JtfneError if a folder is no finished run, or holds what is not of this run."""
    from jtfne._check import refuse
    from jtfne._files import LOCK
    from jtfne.run_folder import MANIFEST, SIGNALS, SPIKES, find_altered, read_manifest

    manifest = read_manifest(out)
    own_names = {MANIFEST, SPIKES, LOCK, *(entry["path"] for entry in manifest.get("derived", ()))}
    altered_names = find_altered(out, manifest)
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out)
        is_own = name.parts[0] == SIGNALS or name.as_posix() in own_names
        if path.is_symlink() or (path.is_file() and not is_own):
            problem = f"{str(path)!r}, which the run did not make,"
            raise refuse(problem, "a folder of a run and nothing else", "jtfne run --overwrite")
        if name.as_posix() in altered_names:
            problem = f"{str(path)!r}, which was altered since the run,"
            raise refuse(problem, "a folder of a run as it was left", "jtfne run --overwrite")


def _refuse_closed(room: Path, out: Path) -> None:
    """Raises: JtfneError if the folder that is to hold `room` may not be written."""
    from jtfne._check import refuse

    parent = next(folder for folder in room.parents if folder.exists())
    if not os.access(parent, os.W_OK):
        description = f"{str(out)!r}, in {str(parent)!r}, which is closed for writing,"
        raise refuse(description, "a folder that may be written", "jtfne run -o")


def close_room(room: Path, out: Path) -> None:
    """Move the finished run of `room` to `out`; file by file where it must, the manifest last.

    A run in `out` is removed; `open_room` has seen to it that it may be.
    """
    from jtfne._files import move_into, remove
    from jtfne._system import sync_path
    from jtfne.run_folder import MANIFEST

    if room.parent == out:
        move_into(room, out, last=MANIFEST)
        room.rmdir()
        return
    replaced = None
    if (out / MANIFEST).exists():
        replaced = out.with_name(f".{out.name}.replaced")
        remove(replaced)  # left by a process that was killed
        out.rename(replaced)
    elif out.exists():
        out.rmdir()
    room.rename(out)
    sync_path(out.parent)
    if replaced is not None:
        remove(replaced)


@contextlib.contextmanager
def resumable(kept_in: Path, is_kept: Callable[[], bool]) -> Iterator[None]:
    """Context in which SIGINT and SIGTERM exit with 130 and 143 and say how to resume.

    kept_in: the folder that the message names. is_kept: whether anything can be resumed from it.
    """
    # the only one that may set handlers
    in_main = threading.current_thread() is threading.main_thread()
    previous_handler = signal.signal(signal.SIGTERM, _raise_terminated) if in_main else None
    try:
        yield
    except (KeyboardInterrupt, Terminated) as error:
        number = signal.SIGINT if isinstance(error, KeyboardInterrupt) else signal.SIGTERM
        message = f"stopped by {number.name}: nothing had been kept yet"
        if is_kept():
            message = f"stopped by {number.name}: what was done is kept in {str(kept_in)!r}"
            message += "; the same command with --resume goes on from there"
        typer.echo(message, err=True)
        raise typer.Exit(128 + number) from None
    finally:
        if in_main:
            signal.signal(signal.SIGTERM, previous_handler)


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    """Signal handler: raise Terminated, so that SIGTERM unwinds the program as SIGINT does."""
    raise Terminated


def _move_back(room: Path, out: Path) -> None:
    """Move files of a run back from `out` to `room`, after a process was killed in `close_room`."""
    from jtfne.run_folder import MANIFEST, SIGNALS, SPIKES

    if not (room / MANIFEST).exists():
        return
    names = {SIGNALS, SPIKES, "config.json", "figures", "report.html"}
    for path in out.iterdir():
        is_ours = path.name in names or path.name.endswith(("_raw.fif", "-epo.fif"))
        if is_ours and not path.is_symlink() and not os.path.lexists(room / path.name):
            path.rename(room / path.name)
