"""Draws docs/images/house.png, the rooms of jtfne and who may import whom:
`python docs/images/house.py`.

Floors, wings and the rooms that know xarray are read from tests/test_layers.py, which the
suite enforces; only the words beside the floors stand here. The facts that a picture was drawn from
are kept in the PNG, so that tests/test_docs.py can tell an old picture from a new one.
"""

import io
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from PIL import Image
from PIL.PngImagePlugin import PngInfo

ROOT = Path(__file__).resolve().parents[2]
PICTURE = Path(__file__).with_suffix(".png")
PER_ROW = 5  # boxes beside each other, at most
STEP, HEIGHT, WIDTH, GAP = 1.0, 0.76, 2.0, 0.12  # between rows; of a box; between boxes
COLOURS = {
    "ground": "#e8e8e8",
    "no labels": "#d6e6f5",
    "knows xarray": "#fbe3c5",
    "wing": "#dcefd9",
}
# First and last room of the floors that belong together, and what they are.
STORIES = (
    ("_check", "_sonata_files", "ground: errors, paths, JSON, random keys, the time grid"),
    ("emitters", "emitters", "parts: pure maps on arrays; no circuit, no sibling"),
    (
        "pydantic_fields",
        "wiring",
        "the circuit and its inputs: what is declared, what is to be recorded, cells and edges",
    ),
    ("plastic", "differentiable", "motion: arrays in time; names end at flatnet"),
    ("sources", "probes", "recording: from the engine's state to channels with a unit"),
    ("row_arrays", "signals", "results: rows, folders with hashes, manifests, labels"),
    ("simulation", "analysis", "one run: a net and its verbs; score it, analyse and export it"),
    ("candidates", "__main__", "many runs, and the command line"),
)


def read_house() -> dict[str, Any]:
    """The facts of tests/test_layers.py that are drawn."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        import test_layers as layers
    finally:
        sys.path.pop(0)
    return {
        "floors": [floor.split() for floor in layers.FLOORS],
        "ground": sorted(room for floor in layers.ROOMS[:5] for room in floor),
        "wings": {
            room: sorted(layers.may_enter(room) - layers.GROUND - {room})
            for room in sorted(layers.ONLY)
        },
        "knows xarray": sorted(layers.LABEL_ROOMS),
    }


def describe(house: dict[str, Any]) -> str:
    """The facts as one text, kept in the picture."""
    return json.dumps(house, sort_keys=True)


def colour_of(room: str, house: dict[str, Any]) -> str:
    """The colour of a room's box."""
    if room in house["wings"]:
        return COLOURS["wing"]
    if room in house["ground"]:
        return COLOURS["ground"]
    return COLOURS["knows xarray" if room in house["knows xarray"] else "no labels"]


def draw_box(ax: Axes, x: float, y: float, text: str, colour: str) -> None:
    """One room."""
    box = FancyBboxPatch(
        (x, y),
        WIDTH,
        HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.12",
        facecolor=colour,
        edgecolor="0.35",
        lw=0.8,
    )
    ax.add_patch(box)
    ax.text(x + WIDTH / 2, y + HEIGHT / 2, text, ha="center", va="center", fontsize=8.5)


def draw_floors(ax: Axes, house: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """All floors from the lowest up; the bottom and the top of each room's floor."""
    spans: dict[str, tuple[float, float]] = {}
    y = 0.0
    for number, rooms in enumerate(house["floors"], 1):
        bottom = y
        for first in range(0, len(rooms), PER_ROW):
            for column, room in enumerate(rooms[first : first + PER_ROW]):
                draw_box(ax, column * (WIDTH + GAP), y, room, colour_of(room, house))
            y += STEP
        top = y - STEP + HEIGHT
        ax.text(
            -0.2, (bottom + top) / 2, str(number), ha="right", va="center", color="0.45", fontsize=8
        )
        spans |= dict.fromkeys(rooms, (bottom, top))
    return spans


def draw_stories(ax: Axes, spans: dict[str, tuple[float, float]]) -> None:
    """A bar beside the floors that belong together, and what they are."""
    x = PER_ROW * (WIDTH + GAP) + 0.1
    for first, last, text in STORIES:
        bottom, top = spans[first][0], spans[last][1]
        ax.plot([x, x], [bottom, top], color="0.35", lw=1.5, solid_capstyle="butt")
        ax.text(
            x + 0.2,
            (bottom + top) / 2,
            textwrap.fill(text, 32),
            ha="left",
            va="center",
            fontsize=8.5,
        )


def draw_key(ax: Axes, house: dict[str, Any], top: float) -> None:
    """The rules in words, where the upper floors leave room."""
    shared = sorted(set.intersection(*map(set, house["wings"].values())))
    own = {room: sorted(set(rooms) - set(shared)) for room, rooms in house["wings"].items()}
    extra = "".join(f"; {room} also {', '.join(rooms)}" for room, rooms in own.items() if rooms)
    rules = [
        ("A room imports from lower floors only, never from its own.", None),
        ("ground: knows no circuit", COLOURS["ground"]),
        ("no labels: neither xarray nor pandas at import", COLOURS["no labels"]),
        ("labels: may import xarray and pandas", COLOURS["knows xarray"]),
        (f"wings: besides ground only {', '.join(shared)}{extra}", COLOURS["wing"]),
    ]
    x, y = 2.0 * (WIDTH + GAP) + 0.2, top
    for rule, colour in rules:
        text = textwrap.fill(rule, 52)
        if colour is not None:
            ax.add_patch(
                Rectangle((x, y - 0.5), 0.45, 0.45, facecolor=colour, edgecolor="0.35", lw=0.8)
            )
        ax.text(
            x + (0.0 if colour is None else 0.65),
            y,
            text,
            ha="left",
            va="top",
            fontsize=8.5,
            linespacing=1.3,
        )
        y -= 1.0 + 0.75 * text.count("\n")


def draw(house: dict[str, Any]) -> Figure:
    """The picture."""
    figure = Figure(figsize=(9.6, 8.4), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    spans = draw_floors(ax, house)
    top = max(highest for _, highest in spans.values())
    draw_stories(ax, spans)
    draw_key(ax, house, top)
    ax.set(xlim=(-0.7, PER_ROW * (WIDTH + GAP) + 4.2), ylim=(-0.2, top + 0.1))
    ax.set_axis_off()
    return figure


def save(figure: Figure, house: dict[str, Any], path: Path) -> None:
    """Write the picture in few colours, which halves the file, with the facts that it was drawn
    from.
    """
    stream = io.BytesIO()
    figure.savefig(stream, dpi=100)
    info = PngInfo()
    info.add_text("Description", describe(house))
    Image.open(stream).convert("RGB").quantize(32).save(path, pnginfo=info, optimize=True)


if __name__ == "__main__":
    HOUSE = read_house()
    save(draw(HOUSE), HOUSE, PICTURE)
