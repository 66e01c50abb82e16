"""What the scripts of this folder share: how a table is printed, and where a figure goes."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IMAGES = Path(__file__).parent.parent / "images"


def print_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Columns as a simple reST table; floats to three digits after the point."""
    text = [[f"{each:.3f}" if isinstance(each, float) else str(each) for each in row] for row in (header, *rows)]
    widths = [max(len(row[k]) for row in text) for k in range(len(header))]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in text]
    print("\n".join([rule, lines[0], rule, *lines[1:], rule]))


def save(figure: "Figure", name: str) -> None:
    """As docs/images/NAME.png, small enough for a page."""
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / f"{name}.png", dpi=110)
