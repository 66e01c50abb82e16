"""What the scripts of this folder share: how a table is printed, and where a figure goes."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jtfne.signals import Signals

IMAGES = Path(__file__).parent.parent / "images"


def print_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Columns as a simple reST table; floats to three digits after the point."""
    text = [
        [f"{each:.3f}" if isinstance(each, float) else str(each) for each in row]
        for row in (header, *rows)
    ]
    widths = [max(len(row[k]) for row in text) for k in range(len(header))]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in text
    ]
    print("\n".join([rule, lines[0], rule, *lines[1:], rule]))


def rates_table(signals: "Signals") -> tuple[list[str], list[tuple[str, ...]]]:
    """Header and rows of mean rates, Hz: a row a layer, a column a type; for `print_table`."""
    rates = signals.rates().pivot_table(
        index=["area", "layer"], columns="cell_type", values="rate_Hz", observed=True, sort=False
    )
    rows = [
        (*name, *(f"{rate:.1f}" for rate in row))
        for name, row in zip(rates.index, rates.to_numpy(), strict=True)
    ]
    return ["area", "layer", *(f"{name} (Hz)" for name in rates.columns)], rows


def save(figure: "Figure", name: str) -> None:
    """As docs/images/NAME.png, small enough for a page."""
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / f"{name}.png", dpi=110)
