"""The progress bar of a run: on a terminal and in a notebook, silent in a pipe."""

import contextlib
from collections.abc import Callable, Iterator

from jtfne._terminal import draw_bar

FORMAT = "simulating {percentage:3.0f} % |{bar}| {elapsed}, {remaining} to go"


@contextlib.contextmanager
def show_progress(n_steps: int, *, shown: bool | None) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the steps of each chunk; it advances a bar on stderr."""
    with draw_bar(n_steps, FORMAT, shown=shown) as bar:
        yield (lambda n: None) if bar is None else bar.update
