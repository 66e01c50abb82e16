"""The progress bar of a run: on a terminal, silent in a pipe."""

import contextlib
from collections.abc import Callable, Iterator

from jtfne._terminal import shows_progress


@contextlib.contextmanager
def show_progress(n_steps: int, *, shown: bool | None) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the steps of each chunk; it advances a bar on stderr."""
    if not shows_progress(shown):
        yield lambda n: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("simulating"), BarColumn(), TextColumn("{task.percentage:3.0f} %"))
    with Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task("simulating", total=n_steps)
        yield lambda n: bar.advance(task, n)
