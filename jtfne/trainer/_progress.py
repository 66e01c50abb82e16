"""The progress bar of a training or a sweep: on a terminal and in a notebook, silent in a pipe."""

import contextlib
from collections.abc import Iterator
from typing import Any

from jtfne._terminal import draw_bar

FORMAT = (
    "{what} |{{bar}}| {{n_fmt}} of {{total_fmt}} runs{{postfix}}; {{elapsed}}, {{remaining}} to go"
)


class RunProgress:
    """Updates a progress bar, or does nothing without one."""

    def __init__(self, bar: Any = None) -> None:
        self._bar = bar

    def ran(self, n: int) -> None:
        """Advance by `n` runs."""
        if self._bar is not None:
            self._bar.update(n)

    def best(self, text: str) -> None:
        """Show `text`, the state of the search."""
        if self._bar is not None:
            self._bar.set_postfix_str(text)


@contextlib.contextmanager
def show_run_progress(what: str, n_runs: int, *, shown: bool | None) -> Iterator[RunProgress]:
    """Show progress over `n_runs`. shown: None for a bar that somebody sees."""
    with draw_bar(n_runs, FORMAT.format(what=what), shown=shown) as bar:
        yield RunProgress(bar)
