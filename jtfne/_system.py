"""What operating systems differ in: links and locks of open files, and what may be done to them.

Every other module works through these functions, so that one place knows about Windows.
"""

import os
import sys
from pathlib import Path

# Windows neither renames nor removes a file that is open, nor makes the entries of a folder durable
# on request.
IS_WINDOWS = sys.platform == "win32"
# Not every system has these flags: without O_BINARY Windows would translate line ends.
_OPEN_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
NO_WAITING = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for who reads it


def open_file(path: Path, flags: int) -> int:
    """Open a file and return its descriptor; a link is refused where the system can tell.

    flags: of `os.open`. A new file gets the mode that the umask leaves.
    """
    return os.open(path, flags | _OPEN_FLAGS, 0o666)


def try_lock(handle: int) -> bool:
    """Lock an open file, without waiting; False if another descriptor, here or elsewhere, holds it.

    The system drops the lock when the descriptor is closed, and so when the process ends, however
    it ends.
    """
    import filelock  # 20 ms, of which `import jtfne` has no need

    return filelock.lock_descriptor(handle, blocking=False)


def is_still_at(path: Path, handle: int) -> bool:
    """Whether the open file is the one at `path`: another process may have removed it since."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


def find_memory_limit() -> int | None:
    """The address space in bytes that this process may have (``ulimit -v``); None for no limit."""
    if sys.platform == "win32":
        return None
    import resource

    limit_bytes, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit_bytes == resource.RLIM_INFINITY else limit_bytes


def sync_path(path: Path) -> None:
    """Make a file, or the entries of a folder, durable: on the disk, not in a cache of the system.

    A folder is passed over on Windows, whose file systems keep a journal of their entries.
    """
    if IS_WINDOWS and path.is_dir():
        return
    # Windows flushes only what may be written
    handle = os.open(path, os.O_RDWR if IS_WINDOWS else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
