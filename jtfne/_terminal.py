"""Whether what is written to stderr is seen by somebody, and the progress bar that they see."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

DELAY_s = 1.0  # work that takes less shows no bar, unless one is asked for


def stderr_is_terminal() -> bool:
    """Whether stderr is a terminal.

    It is None under pythonw and in some services, closed in daemons, and any object at all in
    notebooks.
    """
    isatty = getattr(sys.stderr, "isatty", None)
    try:
        return isatty is not None and bool(isatty())
    except ValueError:  # closed
        return False


def stderr_is_notebook() -> bool:
    """Whether stderr goes to the output of a cell of a notebook."""
    return type(sys.stderr).__module__.startswith("ipykernel.")


def shows_progress(progress: bool | None) -> bool:
    """Whether to draw a progress bar.

    progress: None for one on a terminal or in a notebook, True for one wherever stderr can be
    written to.
    """
    if progress is None:
        return stderr_is_terminal() or stderr_is_notebook()
    return progress and sys.stderr is not None and not getattr(sys.stderr, "closed", False)


@contextlib.contextmanager
def draw_bar(total: int, bar_format: str, *, shown: bool | None) -> Iterator[Any]:
    """Yield a bar of tqdm on stderr, or None; it goes when the work is done.

    A line of text, which needs no widget in a notebook. bar_format: as tqdm's. shown: None for a
    bar on a terminal and in a notebook, if the work takes longer than a second.
    """
    if not shows_progress(shown):
        yield None
        return
    from tqdm import tqdm

    with tqdm(
        total=total,
        bar_format=bar_format,
        delay=0.0 if shown else DELAY_s,
        file=sys.stderr,
        leave=bool(shown),
        dynamic_ncols=True,
    ) as bar:
        yield bar
