"""All figures of a run as PNG files, and the one that shows it at a glance."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from jtfne._check import JtfneError, names_arguments, one_of
from jtfne._files import resolve_path
from jtfne.analysis.figures import _inputs, _style, _units, cells, fields, head, panels, spectra
from jtfne.analysis.spectrolaminar import flip
from jtfne.measures.spectrolaminar import IDENTIFIABLE
from jtfne.readouts import find_readout
from jtfne.run_folder import write_beside
from jtfne.signals import Signals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHERE = "analysis.figures.save_all"
UNIT_OF_KIND = {"magnetometers": "T", "gradiometers": "T/m"}


@names_arguments
def save_all(signals: Signals, folder: str | Path) -> list[Path]:
    """Draw every figure that a run's readouts allow, as PNG.

    Names are stable: 01_layout, 02_raster, 03_rates, 04_vm; in SI units 05_lfp, 06_csd, 07_lfp_psd,
    08_dipole, 09_eeg, 10_meg_mag, 11_meg_grad; 12_spectrolaminar, 13_timeline, 14_rate; and of
    proxies 15_lfp_proxy, 16_csd_proxy, 17_eeg_proxy, 18_eeg_proxy_map, 19_meg_proxy,
    20_meg_proxy_map, 21_lfp_proxy_psd. What was not recorded leaves a gap. Conditions of a task are
    drawn beside each other, up to 6; of more, the mean over all.

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

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> cfg = jtfne.suite2_net1_config(20).probes(["spk"])
    >>> signals = jtfne.construct(cfg).simulate(duration_ms=50.0)
    >>> [path.name for path in figures.save_all(signals, "figures_of_run")]
    ['01_layout.png', '02_raster.png', '03_rates.png']
    """
    signals = _inputs.check_run(signals, "save_all")
    target = resolve_path(folder, WHERE)
    with write_beside(target) as beside:
        beside.mkdir()
        paths = []
        for name, draw in _list_figures(signals).items():
            paths.append(_save(draw, beside / f"{name}.png"))
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


@names_arguments
def overview(signals: Signals) -> "tuple[Axes, ...]":
    """Raster, LFP, CSD, EEG traces and map of a run side by side.

    Parameters
    ----------
    signals : Signals
        A run that recorded spk, lfp_proxy, csd_proxy and eeg_proxy.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        The five panels, as named; ``overview(signals)[0].figure.savefig(path)`` writes them.

    Raises
    ------
    JtfneError
        If one of them was not recorded.

    Examples
    --------
    >>> import jtfne
    >>> from jtfne.analysis import figures
    >>> cfg = jtfne.suite2_net1_config(20).probes(["spk", "lfp_proxy", "csd_proxy", "eeg_proxy"])
    >>> panels = figures.overview(jtfne.construct(cfg).simulate(duration_ms=50.0))
    >>> len(panels), panels[0].get_xlabel()
    (5, 'time (ms)')
    """
    signals = _inputs.check_run(signals, "overview")
    figure = _style.show_figure(14.0, 4.4)
    grid = figure.add_gridspec(2, 4, width_ratios=[1.5, 1.15, 1.15, 1.0], height_ratios=[1.2, 1.0])
    return (
        cells.raster(signals, figure.add_subplot(grid[:, 0])),
        fields.laminar(signals, figure.add_subplot(grid[:, 1]), readout="lfp_proxy"),
        fields.laminar(signals, figure.add_subplot(grid[:, 2]), readout="csd_proxy"),
        head.traces(signals, figure.add_subplot(grid[0, 3]), n=6),
        head.topography(signals, figure.add_subplot(grid[1, 3])),
    )


def _list_figures(signals: Signals) -> "dict[str, Callable[[], Figure]]":
    """The functions that draw the figures which the run allows, by file name, in order."""
    figures: dict[str, Callable[[], Figure]] = {}
    if "neurons" in signals.tree.children:
        figures["01_layout"] = lambda: _style.get_figure(
            cells.layout(signals, ax=_style.OFF_SCREEN)
        )
    if len(signals.events) > 0:
        figures["13_timeline"] = lambda: _style.get_figure(
            cells.timeline(signals, ax=_style.OFF_SCREEN)
        )
    for name in signals.recorded():
        readout = find_readout(name)
        for file, spec in ({} if readout is None else readout.figures).items():
            kind = one_of(spec.kind, KINDS, name="kind", where=f"{name}.figures")
            if _is_possible(signals, name, kind):
                figures[file] = functools.partial(KINDS[kind], signals, name)
    return dict(sorted(figures.items()))


def _is_possible(signals: Signals, readout: str, kind: str) -> bool:
    """Whether the run has what the figure needs: names of cells, depths, sensors, time enough."""
    if kind == "rates":
        return "neurons" in signals.tree.children
    if kind == "laminar":
        return panels.pick_shank(signals.get(readout)).sizes["channel"] > 1
    if kind == "psd":
        return spectra.has_spectrum(signals.get(readout))
    if kind in UNIT_OF_KIND:
        return UNIT_OF_KIND[kind] in _units.list_units(signals.get(readout))
    return kind != "map" or signals.get(readout).sizes["channel"] >= 4


def _draw_spectrolaminar(signals: Signals, readout: str) -> "Figure":
    """A panel of power over depth and frequency for each area, with its crossover."""

    def draw_panel(ax: "Axes", area: str) -> None:
        crossover_mm = _find_crossover_mm(signals, readout, area)
        fields.spectrolaminar(signals, ax, area=area, crossover_mm=crossover_mm)

    return panels.draw_areas(signals, readout, draw_panel)


def _draw_area_traces(signals: Signals, readout: str) -> "Figure":
    """The trace of each area, one above the other."""
    traces = signals.get(readout).rename(area="channel")
    return _style.get_figure(head.traces(traces, ax=_style.OFF_SCREEN, events=signals.events))


KINDS: "dict[str, Callable[[Signals, str], Figure]]" = {
    "raster": lambda signals, readout: _style.get_figure(
        cells.raster(signals, ax=_style.OFF_SCREEN)
    ),
    "rates": lambda signals, readout: _style.get_figure(cells.rates(signals, ax=_style.OFF_SCREEN)),
    "potentials": lambda signals, readout: _style.get_figure(
        cells.vm(signals, ax=_style.OFF_SCREEN)
    ),
    "laminar": panels.draw_laminar,
    "psd": panels.draw_psd,
    "spectrolaminar": _draw_spectrolaminar,
    "area traces": _draw_area_traces,
    "traces": lambda signals, readout: _style.get_figure(
        head.traces(signals, ax=_style.OFF_SCREEN, readout=readout)
    ),
    "map": lambda signals, readout: _style.get_figure(
        head.topography(signals, ax=_style.OFF_SCREEN, readout=readout)
    ),
    "moments": panels.draw_dipole,
    "head": panels.draw_head,
    "magnetometers": functools.partial(panels.draw_head, unit=UNIT_OF_KIND["magnetometers"]),
    "gradiometers": functools.partial(panels.draw_head, unit=UNIT_OF_KIND["gradiometers"]),
}
"""How each kind of figure of `jtfne.readouts.FigureSpec` is drawn."""


def _find_crossover_mm(signals: Signals, readout: str, area: str) -> float | None:
    """Depth of the crossover that FLIP finds in an area's map, mm; None without one."""
    power_map = signals.get(readout, area=area).isel(area=0)
    if "trial" in power_map.dims:
        power_map = power_map.mean("trial")
    try:
        motif = flip(power_map)
    except JtfneError:  # a probe too short, or frequencies too few: the map stands without a line
        return None
    if motif.goodness is None or motif.crossover is None or abs(motif.goodness) <= IDENTIFIABLE:
        return None
    return float(power_map["z_mm"].sortby("z_mm").values[motif.crossover])
