"""Whether what is written to stderr is seen by somebody."""

import sys


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


def shows_progress(progress: bool | None) -> bool:
    """Whether to draw a progress bar.

    progress: None for one on a terminal only, True for one wherever stderr can be written to.
    """
    if progress is None:
        return stderr_is_terminal()
    return progress and sys.stderr is not None and not getattr(sys.stderr, "closed", False)
