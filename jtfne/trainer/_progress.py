"""A progress bar on a terminal; nothing in a pipe."""

import contextlib
from collections.abc import Iterator
from typing import Any

from jtfne._terminal import shows_progress


class RunProgress:
    """Updates a progress bar, or does nothing without one."""

    def __init__(self, bar: Any = None, task: Any = None) -> None:
        self._bar, self._task = bar, task

    def ran(self, n: int) -> None:
        """Advance by `n` runs."""
        if self._bar is not None:
            self._bar.advance(self._task, n)

    def best(self, text: str) -> None:
        """Show `text`, the state of the search."""
        if self._bar is not None:
            self._bar.update(self._task, best=text)


@contextlib.contextmanager
def show_run_progress(what: str, n_runs: int, *, shown: bool | None) -> Iterator[RunProgress]:
    """Show progress over `n_runs`. shown: None for a bar on stderr if that is a terminal."""
    if not shows_progress(shown):
        yield RunProgress()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs {task.fields[best]}"),
    )
    with Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    ) as bar:
        yield RunProgress(bar, bar.add_task(what, total=n_runs, best=""))
