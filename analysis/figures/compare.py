"""A simulated laminar response beside a recorded one."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jtfne._check import names_arguments, refuse
from jtfne.analysis.figures import _inputs, _style, _text
from jtfne.analysis.figures.fields import depth_image
from jtfne.analysis.laminar import LaminarFeatures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

WHERE = "analysis.figures.laminar_comparison"
WINDOW_ms = (-10.0, 50.0)


@names_arguments
def laminar_comparison(
    simulated: LaminarFeatures, recorded: LaminarFeatures, path: str | Path | None = None
) -> "tuple[Axes, Axes]":
    """CSD of a simulated and a recorded response, each divided by its own peak, the sink marked.

    Parameters
    ----------
    simulated, recorded : LaminarFeatures
        From `jtfne.analysis.laminar_features`.
    path : str or Path, optional
        Where to write it as PNG too; what is there is replaced.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        The panel of the simulated response, and that of the recorded one.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import figures, laminar_features
    >>> t_ms, depths_mm = np.arange(100.0), np.linspace(0.2, 1.4, 7)
    >>> sink = np.outer(np.exp(-((t_ms - 50.0) / 8.0) ** 2), -np.sin(5.0 * depths_mm))
    >>> csd = xr.DataArray(
    ...     sink, {"time": t_ms, "z_mm": ("channel", depths_mm)}, ("time", "channel"), "csd")
    >>> csd.attrs = {"units": "A/m^3", "readout": "csd"}
    >>> features = laminar_features(csd, onset_ms=30.0)
    >>> simulated_ax, recorded_ax = figures.laminar_comparison(features, features)
    >>> simulated_ax.get_title()
    'simulated (A/m³)'
    """
    for name, features in (("simulated", simulated), ("recorded", recorded)):
        if not all(hasattr(features, part) for part in ("csd", "sink_depth_mm", "peak_latency_ms")):
            raise refuse(
                f"{name} of type {type(features).__name__}", "what `laminar_features` gives", WHERE
            )
    make_figure = _style.show_figure if path is None else _style.new_figure
    figure = make_figure(7.6, 3.4)
    axes = draw_responses(figure, simulated, recorded)
    if path is not None:
        _style.write(figure, Path(path))
    return axes


def draw_responses(
    figure: "Figure", simulated: LaminarFeatures, recorded: LaminarFeatures
) -> "tuple[Axes, Axes]":
    """Draw both responses side by side into a figure; returns both panels."""
    simulated_ax, recorded_ax = figure.subplots(1, 2)
    _draw_response(simulated_ax, simulated, "simulated")
    image = _draw_response(recorded_ax, recorded, "recorded")
    share_depths([simulated_ax, recorded_ax])
    _style.colour_bar([simulated_ax, recorded_ax], image, "CSD over its peak; sinks < 0")
    return simulated_ax, recorded_ax


def share_depths(axes: "list[Axes]") -> None:
    """Give axes over depth the same limits, the pia side up."""
    limits = [ax.get_ylim() for ax in axes]
    bottom_mm, top_mm = max(max(pair) for pair in limits), min(min(pair) for pair in limits)
    for ax in axes:
        ax.set_ylim(bottom_mm, top_mm)


def _draw_response(ax: "Axes", features: LaminarFeatures, name: str) -> "QuadMesh":
    """Draw one response over its peak within the window, its sink ringed; returns the image."""
    csd = _style.with_depths(
        _inputs.get_array(features.csd, "csd", "time", "channel", where=WHERE), WHERE
    )
    csd = _style.around(csd, 0.0, WINDOW_ms).transpose("channel", "time")
    values = np.asarray(csd.values, float)
    values = values / _style.peak_magnitude(values)
    image = depth_image(ax, csd["time"].values, csd["z_mm"].values, values, low=-1.0, high=1.0)
    ax.axvline(0.0, color=_style.INK, lw=1.0, ls="--")
    ax.plot(
        features.peak_latency_ms,
        features.sink_depth_mm,
        "o",
        ms=9,
        mfc="none",
        mec=_style.INK,
        mew=1.2,
    )
    _text.put_text(
        ax,
        0.97,
        0.04,
        f"sink at {features.sink_depth_mm:.2f} mm, {features.peak_latency_ms:.1f} ms",
        transform=ax.transAxes,
        ha="right",
        fontsize=_style.SMALL_pt,
    )
    ax.set_xlabel("time from onset (ms)")
    unit = str(csd.attrs.get("units", "a.u."))
    unit = unit.replace("^3", "³")
    _text.put_title(ax, f"{name} ({'proxy, ' if csd.attrs.get('proxy') else ''}{unit})")
    _style.tidy(ax)
    return image
