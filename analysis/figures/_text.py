"""Texts on a figure as they were written: no mathtext, no command, no glyph that the font has not.

Names come from users, and from files of strangers. matplotlib reads "$...$" as mathematics, leaves
names that begin with "_" out of legends, and warns of every glyph that is missing. All figures
write their texts through this file.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

LONGEST_TEXT, LONGEST_NAME = 120, 46  # letters: more would leave no room for the figure
Point = tuple[float, float]


def drawable(text: str, longest: int = LONGEST_TEXT) -> str:
    """`text` with characters that the font lacks as codes, such as `\\u65e5`; cut if very long."""
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    if text.isascii() and text.isprintable():
        return text
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties, findfont, get_font

    fonts = [
        get_font(findfont(FontProperties(family=[family]))) for family in rcParams["font.family"]
    ]
    letters = []
    for letter in text:
        has_glyph = letter.isprintable() and any(font.get_char_index(ord(letter)) for font in fonts)
        letters.append(letter if has_glyph else f"\\u{ord(letter):04x}")
    return "".join(letters)


def put_text(ax: "Axes", x: float, y: float, text: str, **look: Any) -> None:
    """Write `text` at (x, y) in data coordinates, or in those of `transform` in `look`."""
    ax.text(x, y, drawable(text), parse_math=False, **look)


def put_note(ax: "Axes", text: str, place: Point, offset_pt: Point, **look: Any) -> None:
    """Write `text` at an offset in points from `place`."""
    ax.annotate(
        drawable(text), place, offset_pt, textcoords="offset points", parse_math=False, **look
    )


def put_title(
    ax: "Axes", text: str, *, loc: Literal["left", "center", "right"] = "center", **look: Any
) -> None:
    """Write `text` above the axes."""
    ax.set_title(drawable(text), loc=loc, parse_math=False, **look)


def name_axis(ax: "Axes", axis: Literal["x", "y"], text: str) -> None:
    """Write `text` along an axis."""
    if axis == "x":
        ax.set_xlabel(drawable(text), parse_math=False)
    else:
        ax.set_ylabel(drawable(text), parse_math=False)


def name_ticks(
    ax: "Axes", axis: Literal["x", "y"], places: Any, names: Sequence[str], **look: Any
) -> None:
    """Put ticks at places of an axis, each with its name."""
    ticks = {"x": ax.set_xticks, "y": ax.set_yticks}[axis]
    ticks(places, [drawable(name, LONGEST_NAME) for name in names], parse_math=False, **look)


def put_legend(ax: "Axes", entries: "Mapping[str, Artist]", **look: Any) -> "Legend | None":
    """Draw a legend of the artists in `entries` under their names; None without any."""
    if not entries:
        return None
    # Numbers first: matplotlib leaves names that begin with "_" out.
    legend = ax.legend(
        list(entries.values()), [str(number) for number in range(len(entries))], **look
    )
    for artist, name in zip(legend.get_texts(), entries, strict=True):
        artist.set_parse_math(False)
        artist.set_text(drawable(name, LONGEST_NAME))
    return legend
