"""Features of an evoked laminar response: where its sink lies, its onset, peak and width."""

import dataclasses

import numpy as np
import xarray as xr

from jtfne import _time
from jtfne._check import FINITE, POSITIVE, JtfneError, names_arguments, number, refuse
from jtfne._units import Floats
from jtfne.analysis._inputs import check_values, downward, even_step, zero_constants
from jtfne.analysis.csd import csd
from jtfne.readouts import find_readout

ONSET_SDS = 3.0
ONSET_OF_PEAK = 0.2
WINDOW_ms, BASELINE_ms = 50.0, 20.0
UNITS = {
    "sink_depth_mm": "mm",
    "source_depth_mm": "mm",
    "order": "",
    "latency_ms": "ms",
    "peak_latency_ms": "ms",
    "width_mm": "mm",
}


@dataclasses.dataclass(frozen=True, eq=False)
class LaminarFeatures:
    """An evoked CSD over depth and time, and its features.

    Attributes
    ----------
    csd : DataArray
        Dims (time, channel): ms from the onset, less its baseline; sinks negative.
    sink_depth_mm : float
        Depth of the largest sink in the window.
    source_depth_mm : float or None
        Depth of the largest source at the moment of that sink's peak; None if there is none.
    order : str
        ``"source above sink"`` or ``"sink above source"`` (above is nearer the pia), or
        ``"sink alone"``.
    latency_ms : float
        From the onset to the first sample at which the sink exceeds both 20 % of its peak and 3 sd
        of its baseline.
    peak_latency_ms : float
        From the onset to the sink's peak.
    width_mm : float
        Full width of the sink over depth at half its peak; up to the last contact where it does not
        end before.

    Examples
    --------
    >>> import xarray as xr
    >>> from jtfne.analysis import LaminarFeatures
    >>> features = LaminarFeatures(xr.DataArray(0.0), 0.6, 0.2, "source above sink", 8.0, 12.0, 0.3)
    >>> features.values()["sink_depth_mm"]
    0.6
    """

    csd: xr.DataArray
    sink_depth_mm: float
    source_depth_mm: float | None
    order: str
    latency_ms: float
    peak_latency_ms: float
    width_mm: float

    def values(self) -> dict[str, float | str | None]:
        """The features by name, without the CSD."""
        return {name: getattr(self, name) for name in UNITS}


@names_arguments
def laminar_features(
    lfp: xr.DataArray,
    *,
    onset_ms: float,
    window_ms: float = WINDOW_ms,
    baseline_ms: float = BASELINE_ms,
) -> LaminarFeatures:
    """The evoked CSD of a laminar potential, simulated or recorded, and its features.

    Parameters
    ----------
    lfp : DataArray
        Dims (time, channel), or with trials, which are averaged; evenly spaced ``time`` (ms) and
        ``z_mm``. A CSD (``attrs["readout"]`` of ``csd`` or ``csd_proxy``) is taken as it is.
    onset_ms : float
        When the stimulus or the response starts, on the clock of `lfp`.
    window_ms : float
        Length of the time after the onset in which the largest sink is looked for.
    baseline_ms : float
        Length of the time before the onset whose mean is subtracted and whose sd sets the
        threshold.

    Returns
    -------
    LaminarFeatures

    Raises
    ------
    JtfneError
        Without even depths, with fewer than 2 samples of baseline, a window beyond the data, or no
        sink.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> lfp = xr.DataArray(
    ...     np.zeros((60, 6)), {"time": np.arange(60.0), "z_mm": ("channel", np.arange(6) * 0.1)}, ("time", "channel")
    ... )
    >>> lfp[35, 2] = -1.0
    >>> features = laminar_features(lfp, onset_ms=30, window_ms=20)
    >>> features.sink_depth_mm, features.peak_latency_ms, features.order
    (0.2, 5.0, 'source above sink')
    """
    where = "analysis.laminar_features"
    onset_ms = number(onset_ms, FINITE, name="onset_ms", where=where)
    window_ms = number(window_ms, POSITIVE, name="window_ms", where=where)
    baseline_ms = number(baseline_ms, POSITIVE, name="baseline_ms", where=where)
    source = check_values(lfp, where, "time", "channel")
    source = source.mean("trial", keep_attrs=True) if "trial" in source.dims else source
    if set(source.dims) != {"time", "channel"}:
        description = f"an array of dimensions {tuple(map(str, lfp.dims))}"
        raise refuse(description, "time and channel, with or without trial: select one area", where)
    even_step(source, "time", where)
    time_axis = source.get_axis_num("time")
    source = source.copy(data=zero_constants(source.values, axis=time_axis))
    density = downward(source, where, at_least=1) if is_csd(source) else csd(source)
    density = density.transpose("time", "channel")
    from_onset_ms = np.asarray(density["time"].values, np.float64) - onset_ms
    in_baseline = _time.in_baseline(from_onset_ms, baseline_ms, 0.0)
    in_window = (from_onset_ms >= -_time.CLOCK_ms) & (from_onset_ms <= window_ms + _time.CLOCK_ms)
    if np.count_nonzero(in_baseline) < 2 or not in_window.any():
        allowed = f"an onset with 2 samples or more before it and 1 after, {_describe_span(source)}"
        raise refuse(f"onset_ms={onset_ms:g} with baseline_ms={baseline_ms:g}", allowed, where)
    table = (density - density.isel(time=np.flatnonzero(in_baseline)).mean("time")).assign_coords(
        time=from_onset_ms
    )
    table["time"].attrs.update(units="ms", long_name="time from onset")
    table.attrs = {**density.attrs, "onset_ms": 0.0}
    return _read_off(table, in_baseline, in_window, where)


def is_csd(x: xr.DataArray) -> bool:
    """Whether `x` says that it is a current source density already."""
    readout = find_readout(str(x.attrs.get("readout", "")))
    return readout is not None and readout.density


def _describe_span(x: xr.DataArray) -> str:
    """Start and end of `x`, as text for a message."""
    return f"in data from {float(x['time'][0]):g} to {float(x['time'][-1]):g} ms"


def _read_off(
    table: xr.DataArray,
    in_baseline: np.ndarray[tuple[int], np.dtype[np.bool_]],
    in_window: np.ndarray[tuple[int], np.dtype[np.bool_]],
    where: str,
) -> LaminarFeatures:
    """The features of an evoked CSD (time, channel); masks (time,) mark baseline and window.

    Raises: JtfneError where the window holds no sink above the threshold.
    """
    time_ms = np.asarray(table["time"].values, np.float64)
    z_mm = np.asarray(table["z_mm"].values, np.float64)
    sink = -np.asarray(table.values, np.float64)
    steps = np.flatnonzero(in_window)
    row, channel = map(
        int, np.unravel_index(int(np.argmax(sink[steps])), (steps.size, sink.shape[1]))
    )
    peak = int(steps[row])
    height = float(sink[peak, channel])
    if not height > 0.0:
        raise JtfneError(
            f"no sink within {time_ms[steps[-1]]:g} ms of the onset: the CSD is never negative "
            f"(in {where})"
        )
    threshold = max(ONSET_SDS * float(np.std(sink[in_baseline, channel])), ONSET_OF_PEAK * height)
    steps_above_threshold = np.flatnonzero(sink[steps, channel] > threshold)
    if steps_above_threshold.size == 0:
        raise JtfneError(
            f"no sink above {ONSET_SDS:g} sd of the baseline within {time_ms[steps[-1]]:g} ms of "
            f"the onset (in {where})"
        )
    source = int(np.argmin(sink[peak]))
    has_source = bool(sink[peak, source] < 0.0)
    order = "source above sink" if z_mm[source] < z_mm[channel] else "sink above source"
    return LaminarFeatures(
        csd=table,
        sink_depth_mm=float(z_mm[channel]),
        source_depth_mm=float(z_mm[source]) if has_source else None,
        order=order if has_source else "sink alone",
        latency_ms=float(time_ms[steps[steps_above_threshold[0]]]),
        peak_latency_ms=float(time_ms[peak]),
        width_mm=_width_mm(sink[peak], z_mm, channel),
    )


def _width_mm(profile: Floats, z_mm: Floats, peak: int) -> float:
    """Full width at half maximum around `peak`, mm, interpolated linearly between contacts."""
    half_height = profile[peak] / 2.0
    edges = []
    for step in (-1, 1):
        k = peak
        while 0 <= k + step < profile.size and profile[k + step] > half_height:
            k += step
        neighbour = k + step
        if not 0 <= neighbour < profile.size:
            edges.append(float(z_mm[k]))
            continue
        share = (profile[k] - half_height) / (profile[k] - profile[neighbour])
        edges.append(float(z_mm[k] + share * (z_mm[neighbour] - z_mm[k])))
    return abs(edges[1] - edges[0])
