"""Figures of power spectra: of one quantity, or of one by condition or area."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from jtfne import measures
from jtfne._check import names_arguments, refuse
from jtfne._units import Floats
from jtfne.analysis._inputs import even_step, kernel, zero_constants
from jtfne.analysis.figures import _inputs, _style, _text, _units
from jtfne.analysis.figures._conditions import COLOURS, style_lines
from jtfne.analysis.figures._inputs import Data
from jtfne.analysis.spectrum import SEGMENT_ms

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MAX_Hz = 150.0
ROWS_AT_ONCE = 64
WHERE = "analysis.figures.psd"


@names_arguments
def psd(
    data: Data,
    ax: "Axes | None" = None,
    *,
    readout: str = "lfp_proxy",
    area: str | None = None,
    unit: str | None = None,
) -> "Axes":
    """Power spectrum: mean over channels, with the range of most of them.

    Parameters
    ----------
    data : Signals or DataArray
        A run, or an array over ``time`` (ms), or one over ``frequency`` (Hz) from
        `jtfne.analysis.psd`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if left out.
    readout : str
        Which readout of a run.
    area : str, optional
        Which area; the first if left out.
    unit : str, optional
        Which channels of a readout in several units: those in "T" or in "T/m"; the first if left
        out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    JtfneError
        If the readout was not recorded, or there is no even time axis.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import figures
    >>> t_ms = np.arange(0.0, 1000.0)
    >>> wave = xr.DataArray(np.sin(2e-3 * np.pi * 40.0 * t_ms), {"time": t_ms}, ("time",))
    >>> ax = figures.psd(wave)
    >>> f_Hz, power = ax.lines[0].get_data()
    >>> f_Hz[power.argmax()].item()
    40.0
    """
    # Power is averaged over trials, not the trace: what is not locked to the stimulus counts too.
    source = _units.one_unit(_inputs.get_readout(data, readout, WHERE), unit, WHERE)
    power = compute_power(source, readout) if "time" in source.dims else source
    power, _ = _style.one_area(
        _inputs.get_array(power, readout, "frequency", free=("...",), where=WHERE), area, WHERE
    )
    ax = _style.axes_for(ax, 4.6, 3.2)
    entries: dict[str, Artist] = {}
    f_Hz, values = list_rows(power)
    if len(values) > 1:
        label = f"10 to 90 % of {len(values)} channels"
        low, high = np.percentile(values, (10, 90), axis=0)
        entries[label] = ax.fill_between(f_Hz, low, high, color=COLOURS[0], alpha=0.2, lw=0)
    (entries["mean"],) = ax.plot(f_Hz, values.mean(axis=0), color=COLOURS[0], lw=1.2)
    _text.put_legend(ax, entries, frameon=False, fontsize=_style.SMALL_pt)
    return _name_axes(ax, power)


def compute_power(source: xr.DataArray, readout: str) -> xr.DataArray:
    """Power over frequency of an array over time, in the square of the unit that suits its size.

    Raises: JtfneError as `psd`.
    """
    _inputs.get_array(source, readout, "time", free=("...",), where=WHERE)
    values = source.astype(np.float64)
    centred = (values - values.mean("time")).assign_attrs(source.attrs)
    signal = _units.with_prefix(centred).transpose(..., "time")
    dt_ms = even_step(signal, "time", WHERE)
    rows = zero_constants(np.asarray(signal.values, np.float64).reshape(-1, signal.sizes["time"]))
    n_rows = len(rows)
    # Blocks of one shape: one program serves all readouts of a run
    rows = np.pad(rows, ((0, -n_rows % ROWS_AT_ONCE), (0, 0)))
    blocks = []
    for first in range(0, len(rows), ROWS_AT_ONCE):
        block = rows[first : first + ROWS_AT_ONCE]
        f_Hz, power = kernel(measures.spectrum.psd, block, dt_ms, SEGMENT_ms, where=WHERE)
        blocks.append(power)
    front = [str(dim) for dim in signal.dims[:-1]]
    powers = np.concatenate(blocks)[:n_rows]
    shape = (*signal.shape[:-1], f_Hz.size)
    coords = {dim: signal[dim].values for dim in front if dim in signal.coords}
    attrs = {**signal.attrs, "units": f"({signal.attrs.get('units', 'a.u.')})^2/Hz"}
    return xr.DataArray(
        powers.reshape(shape), {**coords, "frequency": f_Hz}, (*front, "frequency"), "psd", attrs
    )


def has_spectrum(data: xr.DataArray) -> bool:
    """Whether an array over time (ms) is long enough for a frequency that figures show."""
    time_ms = np.asarray(data["time"].values, np.float64)
    if time_ms.size < 2:
        return False
    trial_ms = time_ms.size * (time_ms[-1] - time_ms[0]) / (time_ms.size - 1)
    return bool(1e3 / min(trial_ms, SEGMENT_ms) <= MAX_Hz)


def draw_spectra(
    ax: "Axes",
    powers: Mapping[str, xr.DataArray],
    looks: "Mapping[str, Mapping[str, Any]] | None" = None,
) -> "Axes":
    """Draw the mean power over all channels and trials of each of `powers`, by name.

    looks: colour and dashes of each line; by default one colour after the other.
    """
    looks = style_lines([""], powers) if looks is None else looks
    entries: dict[str, Artist] = {}
    for name, power in powers.items():
        f_Hz, values = list_rows(power)
        (entries[name],) = ax.plot(f_Hz, values.mean(axis=0), lw=1.2, **looks[name])
    if len(powers) > 1:
        _text.put_legend(ax, entries, frameon=False, fontsize=_style.SMALL_pt)
    return _name_axes(ax, next(iter(powers.values())))


def list_rows(power: xr.DataArray) -> tuple[Floats, Floats]:
    """Frequencies (n_freq,) above 0 and up to MAX_Hz, and the power of each row, (n_rows, n_freq).

    Raises: JtfneError if there is no such frequency.
    """
    f_Hz = power["frequency"].values
    power = power.isel(frequency=np.flatnonzero((f_Hz > 0.0) & (f_Hz <= MAX_Hz)))
    f_Hz = power["frequency"].values
    if not f_Hz.size:
        raise refuse("data without frequencies", f"some above 0 and up to {MAX_Hz:g} Hz", WHERE)
    return f_Hz, np.asarray(power.transpose(..., "frequency").values, float).reshape(-1, f_Hz.size)


def _name_axes(ax: "Axes", power: xr.DataArray) -> "Axes":
    """Name the axes of a spectrum: frequency, and power with its unit."""
    ax.set_yscale("log")
    ax.minorticks_off()  # each tick is laid out twice: they would take as long as all else
    f_Hz, _ = list_rows(power)
    ax.set(xlabel="frequency (Hz)", xlim=(0.0, min(MAX_Hz, float(f_Hz[-1]))))
    proxy = " (proxy)" if power.attrs.get("proxy") else ""
    unit = label_power_unit(str(power.attrs.get("units", "a.u.")))
    _text.name_axis(ax, "y", f"{_style.short_name(power)} power, {unit}{proxy}")
    return _style.tidy(ax)


def label_power_unit(units: str) -> str:
    """A unit squared per Hz as it is printed: brackets only about units of several words."""
    base, squared, rest = units.rpartition(")^2")
    if not squared:
        return units.replace("^2", "²")
    if base == "(1":  # numbers without a unit
        return f"1{rest}"
    name = base.removeprefix("(").replace("^3", "³")
    is_plain = not set(name) & set(" /")
    return f"{name}²{rest}" if is_plain else f"({name})²{rest}"
