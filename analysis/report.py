"""The report of a run: one page that needs nothing but itself."""

import base64
import html
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jtfne import _json
from jtfne._check import names_arguments, refuse
from jtfne._files import replace_file
from jtfne.readouts import find_readout, list_readouts
from jtfne.run_folder import write_beside
from jtfne.signals import Signals

if TYPE_CHECKING:
    import pandas as pd

PNG = b"\x89PNG\r\n\x1a\n"
CAPTIONS = {
    "01_layout": "Positions of the cells: x and depth below the pia; lines divide the layers.",
    "13_timeline": "The stimulus over the run.",
    "comparison": "Simulated and recorded CSD around the onset, each divided by its own peak.",
}
MOST_AREAS = 4  # that the title names
PROXY_NOTE = (
    "Readouts marked as proxies are in normalised, arbitrary units (a.u.). They show shape, "
    "timing and relative size; "
    "they are never volts or tesla, and their numbers must not be read as such or compared across "
    "models by size."
)
STYLE = """\
:root { color-scheme: light dark; --ink: #1c1c1c; --faint: #666; --paper: #fff; --line: #ddd; --note: #fff6e0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --faint: #a0a0a0; --paper: #161616; --line: #383838; --note: #332a14; }
}
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.6rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 0.6rem 1.5rem; margin: 0; }
dl div:last-child { grid-column: 1 / -1; }
dt { color: var(--faint); font-size: 0.8rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.note { background: var(--note); padding: 0.7rem 1rem; border-left: 4px solid #e69f00; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 1.2rem; }
figure { margin: 0; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
figure { display: flex; flex-direction: column; }
figure a { flex: 1; display: flex; background: #fff; cursor: zoom-in; }
figure img { width: 100%; max-height: 360px; object-fit: contain; padding: 0.5rem; }
figure:target { grid-column: 1 / -1; }
figure:target img { max-height: none; }
@media (prefers-color-scheme: dark) { figure a { filter: brightness(0.88); } }
figcaption { padding: 0.5rem 0.8rem; font-size: 0.9rem; border-top: 1px solid var(--line); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.9rem 0.25rem 0; text-align: left; border-bottom: 1px solid var(--line); }
th, td { white-space: nowrap; }
th { color: var(--faint); font-weight: 500; }
summary { cursor: pointer; }
pre { overflow-x: auto; font-size: 0.8rem; max-height: 40rem; }
"""


@names_arguments
def write_report(
    signals: Signals,
    path: str | Path,
    figures: Sequence[Path],
    comparison: "pd.DataFrame | None" = None,
) -> Path:
    """Write one self-contained HTML page: facts, figures, tables and the manifest of a run.

    Parameters
    ----------
    signals : Signals
        A run.
    path : str or Path
        Where to; nothing may be there yet.
    figures : sequence of Path
        PNG files. Those with names that `figures.save_all` gives have captions, and stand with the
        circuit, with fields in SI units, or with proxies; in the order given.
    comparison : pandas.DataFrame, optional
        A table from `compare_laminar` or `compare`.

    Returns
    -------
    Path

    Raises
    ------
    JtfneError
        If something is at `path`, a figure is not a PNG file, and for other things than these.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures, write_report
    >>> cfg = jtfne.suite2_net1_config(20).probes(["spk"])
    >>> signals = jtfne.construct(cfg).simulate(duration_ms=50.0)
    >>> paths = figures.save_all(signals, "report_figures")
    >>> write_report(signals, "report.html", paths).name
    'report.html'
    """
    _refuse_misuse(signals, path, figures, comparison)
    facts = _facts(signals)
    sections = [_section("Run", _definitions(facts))]
    sections += _list_sections(signals, [Path(figure) for figure in figures])
    if comparison is not None:
        sections.append(_section("Simulated and recorded", _table(comparison)))
    sections.append(_section("Readouts", _table(signals.summary().reset_index())))
    if _has_rates(signals):
        sections.append(_section("Mean rates", _table(signals.rates())))
    if len(signals.events):
        sections.append(_section("Stimulus events", _table(signals.events)))
    sections.append(_section("Manifest", _manifest(signals.manifest)))
    page = _page(_title(signals), "\n".join(sections))
    target = Path(path)
    with write_beside(target) as beside:
        beside.write_bytes(page.encode())
    return target


def write_comparison(
    signals: Signals,
    path: Path,
    figure: Path,
    table: "pd.DataFrame",
    *,
    caption: str,
    facts: Mapping[str, str],
) -> Path:
    """Write a page of a run beside a recording: facts of both, figure and table; returns its path.

    A page that is there is replaced, as the figure and the table beside it are.
    """
    run_facts = _facts(signals)
    sections = [_section("Run", _definitions(run_facts))]
    sections.append(_section("Recording and comparison", _definitions(facts)))
    readout = find_readout(facts["readout"])
    if readout is not None and readout.proxy:
        sections.append(f'<p class="note">{_text(PROXY_NOTE)}</p>')
    body = f'<div class="figures">{_figure(figure, caption)}</div>\n{_table(table)}'
    sections.append(_section("Simulated and recorded", body))
    page = _page("jtfne compare", "\n".join(sections))
    replace_file(path, lambda stream: stream.write(page.encode()))
    return path


def _refuse_misuse(signals: Any, path: Any, figures: Any, comparison: Any) -> None:
    """Raises: JtfneError for arguments of other kinds."""
    import pandas as pd

    where = "analysis.write_report"
    if not isinstance(signals, Signals):
        raise refuse(f"data of type {type(signals).__name__}", "Signals", where)
    if not isinstance(path, str | os.PathLike) or not str(path) or "\x00" in str(path):
        raise refuse(f"path={path!r}", "the name of a file", where)
    is_list = isinstance(figures, Sequence) and not isinstance(figures, str | bytes)
    if not is_list or not all(isinstance(figure, str | os.PathLike) for figure in figures):
        raise refuse(f"figures={figures!r}", "a list of PNG files", where)
    if comparison is not None and not isinstance(comparison, pd.DataFrame):
        raise refuse(
            f"a comparison of type {type(comparison).__name__}", "a DataFrame, or None", where
        )


def _facts(signals: Signals) -> dict[str, str]:
    """Facts of the run by name, a short text each; those that the manifest lacks are left out."""
    manifest, attrs = signals.manifest, signals.tree.attrs
    run, software = manifest.get("run", {}), manifest.get("software", {})
    circuit = manifest.get("config", {}).get("circuit", {})
    facts = {
        "cells": _count_cells(signals),
        "connections": str(len(circuit.get("connections", ())) or ""),
        "config": str(manifest.get("config_sha256", ""))[:12],
        "seed": str(run.get("seed", "")),
        "duration": f"{float(attrs['duration_ms']):g} ms in steps of {float(attrs['dt_ms']):g} ms",
        "trials": str(attrs["n_trials"]),
        "precision": str(run.get("dtype", "")),
        "spikes": str(manifest.get("spikes", {}).get("count", "")),
        "source": str(manifest.get("source", {}).get("kind", "")),
        "software": ", ".join(_list_software(software)),
    }
    return {name: value for name, value in facts.items() if value}


def _title(signals: Signals) -> str:
    """What was simulated: the number of cells and their areas."""
    circuit = signals.manifest.get("config", {}).get("circuit", {})
    areas = [str(area["name"]) for area in circuit.get("areas", [])]
    if "neurons" not in signals.tree.children:
        return " ".join(["jtfne run", str(signals.manifest.get("config_sha256", ""))[:12]]).strip()
    n_cells = signals.tree["neurons"].sizes["neuron"]
    more = f" and {len(areas) - MOST_AREAS} more areas" if len(areas) > MOST_AREAS else ""
    return f"{n_cells:,} cells" + (f" of {', '.join(areas[:MOST_AREAS])}{more}" if areas else "")


def _count_cells(signals: Signals) -> str:
    """The number of cells of each type, most first."""
    if "cell_type" not in getattr(signals.tree.get("neurons"), "coords", ()):
        return ""
    counts = signals.neurons["cell_type"].value_counts()
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def _list_software(software: dict[str, str]) -> list[str]:
    """Each package with its version, jtfne first, with the git checkout where there is one."""
    if not software:
        return []
    git = software.get("jtfne_git")
    texts = [f"jtfne {software['jtfne']}" + (f" ({git})" if git else "")]
    for name in sorted(software):
        if not name.startswith("jtfne"):
            texts.append(f"{name} {software[name]}")
    return texts


def _list_sections(signals: Signals, figures: Sequence[Path]) -> list[str]:
    """Figures of the circuit and its activity; of fields in SI units; of proxies, with their note.

    Each is a section of its own, with a table of its readouts, if there are some.
    """
    owners = {file: cls for cls in list_readouts().values() for file in cls.figures}
    paths: dict[str, list[Path]] = {"circuit": [], "fields": [], "proxies": []}
    for figure in figures:
        owner = owners.get(figure.stem)
        is_proxy = owner is not None and owner.proxy
        is_field = owner is not None and owner.is_si_field()
        paths["proxies" if is_proxy else "fields" if is_field else "circuit"].append(figure)
    recorded: dict[str, list[str]] = {"fields": [], "proxies": []}
    for name in signals.recorded():
        cls = find_readout(name)
        if signals.tree[name].attrs["proxy"]:
            recorded["proxies"].append(name)
        elif cls is not None and cls.is_si_field():
            recorded["fields"].append(name)
    sections = []
    if paths["circuit"]:
        sections.append(_section("Circuit and activity", _images(paths["circuit"])))
    for group, title, note in (
        ("fields", "Fields in SI units", _field_note(signals)),
        ("proxies", "Proxies", f'<p class="note">{_text(PROXY_NOTE)}</p>'),
    ):
        if recorded[group] or paths[group]:
            table = _table(_describe_readouts(signals, recorded[group]))
            sections.append(_section(title, note + table + _images(paths[group])))
    return sections


def _images(figures: Sequence[Path]) -> str:
    """HTML of figures side by side, each with its caption."""
    images = "".join([_figure(figure) for figure in figures])
    return f'<div class="figures">{images}</div>' if images else ""


def _field_note(signals: Signals) -> str:
    """HTML of what a reader must know of fields in SI units: how much cortex, and where it is said."""
    readouts = signals.manifest.get("config", {}).get("readouts", {})
    scale = float(readouts.get("scale", 1.0))
    cells = (
        "They are fields of the simulated cells alone"
        if scale == 1.0
        else f"Each simulated cell stands for {scale:g} that do as it does"
    )
    text = (
        f"{cells}. Conductor, sensors and source maps are in each readout's operator, in the "
        "manifest below. Figures write the prefix that suits the size."
    )
    return f"<p>{_text(text)}</p>"


def _describe_readouts(signals: Signals, names: Sequence[str]) -> "pd.DataFrame":
    """What each of these readouts is: quantity, unit, channels, and sampling."""
    import pandas as pd

    rows = []
    for name in names:
        node = signals.tree[name].to_dataset()
        sizes = []
        for dim, size in node[name].sizes.items():
            if dim not in ("trial", "time"):
                sizes.append(f"{size} {dim}")
        rows.append(
            {
                "readout": name,
                "quantity": node[name].attrs.get("long_name", ""),
                "units": node.attrs["units"],
                "size": ", ".join(sizes),
                "interval_ms": node.attrs["interval_ms"],
            }
        )
    return pd.DataFrame(rows, columns=["readout", "quantity", "units", "size", "interval_ms"])


def _has_rates(signals: Signals) -> bool:
    """Whether rates by population can be computed: spikes were recorded, and cells have names."""
    return {"spk", "neurons"} <= set(signals.tree.children)


def _text(value: object) -> str:
    """`value` as text that HTML does not read as markup; lone surrogates by their code."""
    return html.escape(str(value)).encode("utf-8", "backslashreplace").decode("utf-8")


def _section(title: str, body: str) -> str:
    """HTML of a section of the page, with its title."""
    return f"<section><h2>{_text(title)}</h2>\n{body}</section>"


def _definitions(facts: Mapping[str, str]) -> str:
    """HTML of a list of names with their values."""
    rows = "".join(
        f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in facts.items()
    )
    return f"<dl>{rows}</dl>"


def find_caption(name: str) -> str:
    """The caption of a figure of a run, by the name of its file; any other name as text."""
    captions = dict(CAPTIONS)
    for readout in list_readouts().values():
        captions |= {file: figure.caption for file, figure in readout.figures.items()}
    return captions.get(name, name.replace("_", " "))


def _figure(path: Path, caption: str | None = None) -> str:
    """HTML of a PNG file, embedded, with its caption. Raises: JtfneError if it is no PNG file.

    caption: that of a figure of a run by this name, unless another is given.
    """
    data = path.read_bytes() if path.is_file() else b""
    if not data.startswith(PNG):
        raise refuse(repr(str(path)), "a PNG file", "analysis.write_report")
    caption = _text(find_caption(path.stem) if caption is None else caption)
    image = f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
    name = _text(path.stem)
    image_html = f'<a href="#{name}" title="enlarge"><img src="{image}" alt="{caption}"></a>'
    return f'<figure id="{name}">{image_html}<figcaption>{caption}</figcaption></figure>'


def _table(table: "pd.DataFrame") -> str:
    """HTML of a table that scrolls sideways where the screen is narrow."""
    head = "".join(f"<th>{_text(name)}</th>" for name in table.columns)
    rows = []
    for row in table.itertuples(index=False, name=None):
        cells = "".join([f"<td>{_text(_cell(value))}</td>" for value in row])
        rows.append(f"<tr>{cells}</tr>")
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="wide"><table>{body}</table></div>'


def _cell(value: object) -> str:
    """A value as the text of a table's cell: numbers to 4 digits, yes or no, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and math.isnan(value):  # such as the mean of events
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _manifest(manifest: Mapping[str, Any]) -> str:
    """HTML of the manifest as JSON, folded until it is clicked."""
    text = _text(_json.dumps(dict(manifest), indent=2))
    return f"<details><summary>manifest.json</summary><pre>{text}</pre></details>"


def _page(title: str, body: str) -> str:
    """The whole HTML page around `body`."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title>\n<style>\n{STYLE}</style></head>\n"
        f"<body><main><h1>{_text(title)}</h1>\n{body}\n</main></body></html>\n"
    )
