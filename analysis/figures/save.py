"""All figures of a run as PNG files, and the one that shows it at a glance."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jtfne._check import JtfneError
from jtfne._files import resolve_path
from jtfne.analysis.figures import _inputs, _style, _text, cells, fields, head
from jtfne.analysis.spectrolaminar import flip
from jtfne.measures.spectrolaminar import IDENTIFIABLE
from jtfne.run_folder import write_beside
from jtfne.signals import Signals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHERE = "analysis.figures.save_all"


def save_all(signals: Signals, folder: str | Path) -> list[Path]:
    """Draw every figure that a run's readouts allow, as PNG.

    Names are stable: 01_layout, 02_raster, 03_rates, 04_vm, 05_lfp, 06_csd, 07_eeg, 08_eeg_map,
    09_meg, 10_meg_map, 11_psd, 12_spectrolaminar, 13_timeline; what was not recorded leaves a gap.

    Parameters
    ----------
    signals : Signals
        A run.
    folder : str or Path
        A folder that is new or empty.

    Returns
    -------
    list of Path
        The files, in order.

    Raises
    ------
    JtfneError
        If the folder holds anything.
    """
    signals = _inputs.check_run(signals, "save_all")
    target = resolve_path(folder, WHERE)
    with write_beside(target) as beside:
        beside.mkdir()
        paths = [
            _save(draw, beside / f"{name}.png") for name, draw in _list_figures(signals).items()
        ]
    return [target / path.name for path in paths]


def write_figures(signals: Signals, folder: str | Path) -> tuple[list[Path], dict[str, Exception]]:
    """Draw every figure that a run allows, as `save_all`, and go on where one fails.

    Returns
    -------
    list of Path, dict of str to Exception
        The files, in order; and why each file that is missing could not be drawn.
    """
    signals = _inputs.check_run(signals, "save_all")
    target = resolve_path(folder, WHERE)
    paths: list[Path] = []
    errors: dict[str, Exception] = {}
    with write_beside(target) as beside:
        beside.mkdir()
        for name, draw in _list_figures(signals).items():
            path = beside / f"{name}.png"
            try:
                paths.append(_save(draw, path))
            except OSError:  # a full disk, say, is no matter of one figure
                raise
            except Exception as error:  # noqa: BLE001  # matplotlib and MNE raise all kinds
                path.unlink(missing_ok=True)
                errors[path.name] = error
    return [target / path.name for path in paths], errors


def _save(draw: "Callable[[], Figure]", path: Path) -> Path:
    """Draw a figure and write it to `path`, which is returned."""
    draw().savefig(path)
    return path


def overview(signals: Signals) -> "Figure":
    """Raster, LFP, CSD, EEG traces and map of a run side by side.

    Parameters
    ----------
    signals : Signals
        A run that recorded spk, lfp_proxy, csd_proxy and eeg_proxy.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    JtfneError
        If one of them was not recorded.
    """
    signals = _inputs.check_run(signals, "overview")
    figure = _style.new_figure(14.0, 4.4)
    grid = figure.add_gridspec(2, 4, width_ratios=[1.5, 1.15, 1.15, 1.0], height_ratios=[1.2, 1.0])
    cells.raster(signals, figure.add_subplot(grid[:, 0]))
    fields.laminar(signals, figure.add_subplot(grid[:, 1]), readout="lfp_proxy")
    fields.laminar(signals, figure.add_subplot(grid[:, 2]), readout="csd_proxy")
    head.traces(signals, figure.add_subplot(grid[0, 3]), n=6)
    head.topography(signals, figure.add_subplot(grid[1, 3]))
    return figure


def _list_figures(signals: Signals) -> "dict[str, Callable[[], Figure]]":
    """The functions that draw the figures which the run allows, by file name."""
    recorded_names = set(signals.recorded())
    has_names = "neurons" in signals.tree.children
    figure = _style.figure_of
    candidates: dict[str, tuple[bool, Callable[[], Figure]]] = {
        "01_layout": (has_names, lambda: figure(cells.layout(signals))),
        "02_raster": ("spk" in recorded_names, lambda: figure(cells.raster(signals))),
        "03_rates": (has_names and "spk" in recorded_names, lambda: figure(cells.rates(signals))),
        "04_vm": ("vm" in recorded_names, lambda: figure(cells.vm(signals))),
        "05_lfp": ("lfp_proxy" in recorded_names, lambda: _draw_areas(signals, "lfp_proxy")),
        "06_csd": ("csd_proxy" in recorded_names, lambda: _draw_areas(signals, "csd_proxy")),
        "07_eeg": (
            "eeg_proxy" in recorded_names,
            lambda: figure(head.traces(signals, readout="eeg_proxy")),
        ),
        "08_eeg_map": (
            _has_map(signals, "eeg_proxy"),
            lambda: figure(head.topography(signals, readout="eeg_proxy")),
        ),
        "09_meg": (
            "meg_proxy" in recorded_names,
            lambda: figure(head.traces(signals, readout="meg_proxy")),
        ),
        "10_meg_map": (
            _has_map(signals, "meg_proxy"),
            lambda: figure(head.topography(signals, readout="meg_proxy")),
        ),
        "11_psd": ("lfp_proxy" in recorded_names, lambda: _draw_areas(signals, "psd")),
        "12_spectrolaminar": (
            "spectrolaminar_proxy" in recorded_names,
            lambda: _draw_areas(signals, "spectrolaminar_proxy"),
        ),
        "13_timeline": (len(signals.events) > 0, lambda: figure(cells.timeline(signals))),
    }
    return {name: draw for name, (is_possible, draw) in candidates.items() if is_possible}


def _has_map(signals: Signals, readout: str) -> bool:
    """Whether there are sensors enough for a map."""
    return readout in signals.recorded() and signals.get(readout).sizes["channel"] >= 4


def _draw_areas(signals: Signals, quantity: str) -> "Figure":
    """A figure with one panel for each area."""
    areas = [
        str(name)
        for name in signals.get("lfp_proxy" if quantity == "psd" else quantity)["area"].values
    ]
    figure = _style.new_figure(4.8 * len(areas), 3.4)
    for ax, area in zip(figure.subplots(1, len(areas), squeeze=False)[0], areas, strict=True):
        _draw_panel(signals, ax, quantity, area)
        if len(areas) > 1:
            _text.put_title(ax, area, loc="right", fontsize=_style.FONT_pt)
    return figure


def _draw_panel(signals: Signals, ax: "Axes", quantity: str, area: str) -> None:
    """Draw the panel of one area."""
    if quantity == "psd":
        fields.psd(signals, ax, area=area)
    elif quantity == "spectrolaminar_proxy":
        fields.spectrolaminar(
            signals, ax, area=area, crossover_mm=_find_crossover_mm(signals, area)
        )
    else:
        fields.laminar(signals, ax, readout=quantity, area=area)


def _find_crossover_mm(signals: Signals, area: str) -> float | None:
    """Depth of the crossover that FLIP finds in an area's map, mm; None without one."""
    power_map = signals.get("spectrolaminar_proxy", area=area).isel(area=0)
    if "trial" in power_map.dims:
        power_map = power_map.mean("trial")
    try:
        motif = flip(power_map)
    except JtfneError:  # a probe too short, or frequencies too few: the map stands without a line
        return None
    if motif.goodness is None or motif.crossover is None or abs(motif.goodness) <= IDENTIFIABLE:
        return None
    return float(power_map["z_mm"].sortby("z_mm").values[motif.crossover])
