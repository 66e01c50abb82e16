"""As many points as there are pixels: long runs are drawn in seconds, and look the same.

A figure that is zoomed into afterwards shows what was drawn, not every sample.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._units import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY_DOTS = 50_000  # up to which every dot is drawn


def n_columns(ax: "Axes") -> int:
    """Pixels across the whole figure of `ax`: an upper bound for those across `ax` itself."""
    figure = ax.get_figure(root=True)
    return max(int(figure.get_figwidth() * figure.dpi), 100) if figure is not None else 1000


def n_rows(ax: "Axes") -> int:
    """Pixels from top to bottom of the whole figure of `ax`."""
    figure = ax.get_figure(root=True)
    return max(int(figure.get_figheight() * figure.dpi), 100) if figure is not None else 1000


def thin_trace(x: Floats, y: Floats, columns: int) -> tuple[Floats, Floats]:
    """A trace reduced to the smallest and largest sample of each pixel column, if it is long.

    Parameters
    ----------
    x, y : array, (n,)
        Evenly spaced x, finite y.
    columns : int
        Pixels across.

    Returns
    -------
    tuple of array, (m,)
        m is at most 2 x columns + 2, with both ends; or n where that is less than 4 a column.

    Examples
    --------
    >>> y = np.zeros(10_000)
    >>> y[4321], y[8765] = 5.0, -3.0
    >>> x, y = thin_trace(np.arange(10_000.0), y, 100)
    >>> len(x) <= 202, x[y > 0], x[y < 0]
    (True, array([4321.]), array([8765.]))
    """
    n_samples = len(y)
    if n_samples <= 4 * columns:
        return x, y
    width = -(-n_samples // columns)  # samples of a column, rounded up
    n_blocks = n_samples // width
    blocks = y[: n_blocks * width].reshape(n_blocks, width)
    starts = width * np.arange(n_blocks)
    index_parts = [
        starts + blocks.argmin(axis=1),
        starts + blocks.argmax(axis=1),
        [0, n_samples - 1],
    ]
    tail = y[n_blocks * width :]
    if tail.size:
        index_parts.append(
            [n_blocks * width + int(tail.argmin()), n_blocks * width + int(tail.argmax())]
        )
    index = np.unique(np.concatenate(index_parts))
    return x[index], y[index]


def mean_columns(x: Floats, values: Floats, columns: int) -> tuple[Floats, Floats]:
    """An image reduced to its mean over each pixel column; a narrow one is left as it is.

    Parameters
    ----------
    x : array, (n,)
    values : array, (n_rows, n)
    columns : int
        Pixels across.

    Returns
    -------
    tuple of array, (m,) and (n_rows, m)
        Mean x and mean values of blocks of equal width, m at most `columns`.

    Examples
    --------
    >>> x, values = mean_columns(np.arange(6.0), np.array([[0.0, 2.0, 4.0, 6.0, 8.0, 9.0]]), 3)
    >>> x.tolist(), values.tolist()
    ([0.5, 2.5, 4.5], [[1.0, 5.0, 8.5]])
    """
    n_samples = len(x)
    width = -(-n_samples // columns)
    if width <= 1:
        return x, values
    starts = np.arange(0, n_samples, width)
    sizes = np.diff(np.append(starts, n_samples))
    return np.add.reduceat(x, starts) / sizes, np.add.reduceat(values, starts, axis=1) / sizes


def thin_dots(x: Floats, y: Floats, ax: "Axes") -> np.ndarray[Any, np.dtype[np.int64]]:
    """Indices (m,) of the dots to draw: of many, one for each pixel within the limits of `ax`."""
    if len(x) <= MANY_DOTS:
        return np.arange(len(x))
    pixels = []
    for values, limits, n_pixels in (
        (x, ax.get_xlim(), n_columns(ax)),
        (y, ax.get_ylim(), n_rows(ax)),
    ):
        low, high = min(limits), max(limits)
        pixels.append(np.floor((values - low) / (high - low) * n_pixels).astype(np.int64))
    columns, rows = pixels
    return np.sort(np.unique(columns * (rows.max() + 1) + rows, return_index=True)[1])
