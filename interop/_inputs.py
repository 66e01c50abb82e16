"""Checks of arguments that all exports share."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jtfne import run_folder
from jtfne._check import POSITIVE, describe_value, number, refuse
from jtfne._files import resolve_path
from jtfne.signals import Signals

Window = tuple[float, float]


def check_signals(signals: Any, where: str) -> Signals:
    """`signals` itself. Raises: JtfneError if it is no Signals."""
    if not isinstance(signals, Signals):
        allowed = "Signals, as `simulate` and `jtfne.load` give them"
        raise refuse(f"data of type {type(signals).__name__}", allowed, where)
    return signals


def check_path(path: Any, where: str) -> Path:
    """`path` as a Path, `~` expanded. Raises: JtfneError for what names no file."""
    if not isinstance(path, str | os.PathLike) or not isinstance(text := os.fspath(path), str):
        raise refuse(f"a path of type {type(path).__name__}", "a str or a Path", where)
    if not text or "\x00" in text:
        raise refuse(f"the path {text!r}", "the name of a file or folder", where)
    resolve_path(text, where)
    return Path(text).expanduser()


def check_trial(signals: Signals, trial: Any, where: str) -> int:
    """`trial` as an int. Raises: JtfneError unless it is the number of a trial of the run."""
    n_trials = int(signals.tree.attrs["n_trials"])
    is_whole = isinstance(trial, int | np.integer) and not isinstance(trial, bool)
    if not is_whole or not 0 <= trial < n_trials:
        raise refuse(
            f"trial={describe_value(trial)}", f"a whole number, 0 to {n_trials - 1}", where
        )
    return int(trial)


def check_scale(scale: Any, where: str) -> float | None:
    """`scale` as a float, None as it is. Raises: JtfneError unless it is one positive number."""
    if scale is None:
        return None
    return number(scale, POSITIVE, name="scale", where=where)


def check_window(window_ms: Any, name: str, where: str) -> Window:
    """The two ends of a window as floats. Raises: JtfneError unless it is two finite numbers."""
    try:
        start_ms, stop_ms = (float(edge) for edge in window_ms)
    except (TypeError, ValueError):
        raise refuse(
            f"{name}={describe_value(window_ms)}", "(start, end), two numbers in ms", where
        ) from None
    if isinstance(window_ms, str) or not np.isfinite([start_ms, stop_ms]).all():
        raise refuse(
            f"{name}={describe_value(window_ms)}", "(start, end), two finite numbers in ms", where
        )
    return start_ms, stop_ms


@contextlib.contextmanager
def open_beside(path: Any, where: str) -> Iterator[Path]:
    """A context with a temporary path to write to, which is renamed to `path` at the end.

    Raises
    ------
    JtfneError
        For what is no path, one where something is, and a folder that is closed for writing.
    """
    target = check_path(path, where)
    try:
        with run_folder.write_beside(target) as beside:
            yield beside
    except PermissionError as error:
        description = f"{str(target)!r}, which cannot be written ({error.strerror}),"
        raise refuse(description, "a path in a folder that is open for writing", where) from error
