"""The figure of current dipole moments over time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from jtfne._check import names_arguments
from jtfne.analysis.figures import _inputs, _pixels, _style, _text, _units
from jtfne.analysis.figures._conditions import (
    join_words,
    list_events,
    split_by_condition,
    style_lines,
)
from jtfne.analysis.figures._inputs import Data
from jtfne.signals import Signals

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

WHERE = "analysis.figures.dipole"


@names_arguments
def dipole(
    data: Data,
    ax: "Axes | None" = None,
    *,
    readout: str = "dipole",
    events: pd.DataFrame | None = None,
) -> "Axes":
    """Current dipole moment of each area over time: mean over trials, baseline removed.

    It draws any other readout of areas, or of the whole circuit, too, such as `rws`.

    Of a run with conditions, the mean over the trials of each. In SI units with the prefix that
    suits their size, or in those that the array has.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array (time, area), with or without trial.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    readout : str
        Which readout of a run.
    events : pandas.DataFrame, optional
        onset_ms, duration_ms, label; the run's if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the readout was not recorded.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import figures
    >>> moment = xr.DataArray(
    ...     3e-9 * np.sin(0.1 * np.arange(100.0)[:, None]),
    ...     {"time": np.arange(100.0), "area": ["V1"]}, ("time", "area"),
    ...     attrs={"units": "A m", "readout": "dipole"})
    >>> figures.dipole(moment).get_ylabel()
    'dipole moment, nA m'
    """
    return draw_by_area(data, ax, readout, events, WHERE)


def draw_by_area(
    data: Data, ax: "Axes | None", readout: str, events: pd.DataFrame | None, where: str
) -> "Axes":
    """Draw a readout of each area, or one of the whole circuit, over time, as `dipole` does."""
    source = with_areas(_inputs.get_readout(data, readout, where))
    moments = {}
    for condition, trials in split_by_condition(source).items():
        chosen_events = events
        if events is None and isinstance(data, Signals):
            chosen_events = list_events(data, condition)
        moments[condition] = read_moments(trials, readout, chosen_events, where)
    ax = _style.axes_for(ax, 6.0, 3.0)
    draw_moments(ax, moments)
    _style.mark_events(ax, _inputs.get_events(data, events))
    return _style.tidy(ax)


def with_areas(source: xr.DataArray) -> xr.DataArray:
    """`source`, with a dim area of one entry without a name if it is of the whole circuit."""
    is_whole = not {"area", "channel", "neuron"} & set(source.dims)
    return source.drop_vars("area", errors="ignore").expand_dims(area=[""]) if is_whole else source


def read_moments(
    trials: xr.DataArray, readout: str, events: pd.DataFrame | None, where: str
) -> xr.DataArray:
    """Moments (time, area), mean over trials, from their mean before the first event.

    Raises: JtfneError as `dipole`.
    """
    moments = _inputs.get_array(trials, readout, "time", "area", where=where)
    onset_ms = _style.first_onset(_inputs.get_events(trials, events))
    return _style.from_baseline(moments.transpose("time", "area"), onset_ms)


def draw_moments(ax: "Axes", moments: Mapping[str, xr.DataArray]) -> None:
    """Draw the moments of each area by condition, named in a legend."""
    whole = xr.concat(list(moments.values()), "condition", combine_attrs="override")
    units = str(whole.attrs.get("units", "a.u."))
    unit, factor = _units.choose_prefix(units, _style.peak_magnitude(whole.values))
    first = next(iter(moments.values()))
    areas = [str(area) for area in first["area"].values]
    columns = _pixels.n_columns(ax)
    looks = style_lines(areas, moments)
    entries: dict[str, Artist] = {}
    for condition, moment in moments.items():
        for k, area in enumerate(areas):
            trace = _pixels.thin_trace(moment["time"].values, factor * moment.values[:, k], columns)
            name = join_words(area, condition)
            (entries[name],) = ax.plot(*trace, lw=1.0, **looks[name])
    time = first["time"].values
    ax.axhline(0.0, color=_style.FAINT, lw=0.6, zorder=0.5)
    ax.set(xlabel="time (ms)", xlim=(time[0], time[-1]))
    _text.name_axis(ax, "y", _style.label_with_unit(_units.scale_units(first, unit, factor)))
    if len(entries) > 1:
        _text.put_legend(ax, entries, frameon=False, fontsize=_style.SMALL_pt)
