"""The spectrolaminar map of laminar potentials, and FLIP, which finds its crossover."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from jtfne import measures
from jtfne._check import (
    FINITE,
    NOT_NEGATIVE,
    POSITIVE,
    JtfneError,
    Limit,
    describe_value,
    names_arguments,
    number,
    refuse,
    whole_number,
)
from jtfne.analysis._inputs import (
    MOST_DRAWS,
    Data,
    by_depth,
    check_band,
    check_form,
    check_values,
    downward,
    kernel,
    over_frequency,
    pair,
    read,
    values_last,
)
from jtfne.analysis.csd import csd
from jtfne.analysis.spectrum import SEGMENT_ms, psd
from jtfne.measures.csd import Method
from jtfne.measures.spectrolaminar import Flip, HIGH_BAND_Hz, LOW_BAND_Hz
from jtfne.measures.vflip import Band, Control, FlipNull, ShuffledChannels

MAX_Hz = 150.0  # of a map, unless the caller says another
T = TypeVar("T")
CHANNELS = ShuffledChannels()


@names_arguments
def spectrolaminar(
    lfp: Data, max_frequency_Hz: float = MAX_Hz, segment_ms: float = SEGMENT_ms
) -> xr.DataArray:
    """Relative power over depth and frequency: each frequency divided by its maximum over depth.

    Parameters
    ----------
    lfp : Signals or DataArray
        A run with ``lfp_proxy``, or an array with ``time`` (ms) and ``channel``; any other
        dimensions. Trials are averaged in power.
    max_frequency_Hz : float
        Highest frequency of the map, 150 Hz or, where that is more, up to the Nyquist frequency;
        the lowest is the first above 0.
    segment_ms : float
        As in `psd`.

    Returns
    -------
    xarray.DataArray
        (..., channel, frequency), 0 to 1; 0 at a frequency at which no channel has power, as where
        none ever varies.

    Raises
    ------
    JtfneError
        As `psd`: for values that are not finite too, as one would take its frequency from all
        channels.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import spectrolaminar
    >>> wave = np.sin(2e-3 * np.pi * 40.0 * np.arange(1000.0))
    >>> lfp = xr.DataArray(
    ...     np.outer(wave, [1.0, 2.0]), {"time": np.arange(1000.0)}, ("time", "channel"))
    >>> spectrolaminar(lfp).sel(frequency=40.0).values.round(3).tolist()
    [0.25, 1.0]
    """
    where = "analysis.spectrolaminar"
    max_frequency_Hz = number(max_frequency_Hz, FINITE, name="max_frequency_Hz", where=where)
    power = psd(read(lfp, "lfp_proxy", where, "time", "channel"), segment_ms)
    if "trial" in power.dims:
        power = power.mean("trial", keep_attrs=True)
    power = power.transpose(..., "channel", "frequency")
    f_Hz = power["frequency"].values
    if max_frequency_Hz > MAX_Hz:
        check_band(0.0, max_frequency_Hz, f_Hz, where)
    power = power.isel(frequency=np.flatnonzero((f_Hz > 0.0) & (f_Hz <= max_frequency_Hz)))
    if power.sizes["frequency"] == 0:
        raise refuse(f"max_frequency_Hz={max_frequency_Hz!r}", f"{f_Hz[1]:g} Hz or more", where)
    relative = kernel(measures.spectrolaminar.relative_power, power.values)
    attrs = {**power.attrs, "units": "1", "long_name": "relative power over depth"}
    return power.copy(data=relative).assign_attrs(attrs).rename("spectrolaminar")


@names_arguments
def flip(
    power: xr.DataArray,
    low_Hz: tuple[float, float] = LOW_BAND_Hz,
    high_Hz: tuple[float, float] = HIGH_BAND_Hz,
) -> Flip:
    """FLIP: the channels over which low power grows and high power falls, and the crossover.

    Parameters
    ----------
    power : xarray.DataArray
        (channel, frequency) power or relative power, with even ``z_mm`` on ``channel``.
    low_Hz, high_Hz : (float, float)
        The two bands; the authors' by default.

    Returns
    -------
    Flip
        goodness, first, last, gamma_peak, alpha_beta_peak, crossover: channels count from 0 at the
        top; None where not found. A goodness within 0.265 of 0 is what the authors call
        unidentifiable.

    Raises
    ------
    JtfneError
        For more dimensions, a band without a frequency or beyond the last one (as beyond the
        Nyquist frequency), or a probe that spans less than 0.7 mm.

    References
    ----------
    .. [1] Mendoza-Halliday et al. (2024), Nat. Neurosci. 27:547-560.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import flip
    >>> z_mm, f_Hz = 0.1 * np.arange(16), np.arange(5.0, 155.0, 5.0)
    >>> depth = np.linspace(0.1, 1.0, 16)[:, None]
    >>> power = np.where(f_Hz < 40.0, depth, 1.1 - depth)  # slow rhythms grow with depth
    >>> coords = {"z_mm": ("channel", z_mm), "frequency": f_Hz}
    >>> found = flip(xr.DataArray(power, coords, ("channel", "frequency")))
    >>> found.goodness > 0.265, found.crossover
    (True, 7)
    """
    where = "analysis.flip"
    low_Hz = pair(low_Hz, name="low_Hz", where=where, unit="Hz")
    high_Hz = pair(high_Hz, name="high_Hz", where=where, unit="Hz")
    bands = (low_Hz, high_Hz)
    return _apply_to_map(power, where, bands, measures.spectrolaminar.flip, low_Hz, high_Hz)


@names_arguments
def vflip(power: xr.DataArray) -> Flip:
    """FLIP with that pair of bands, of the authors' 1529, which has the largest goodness.

    Parameters
    ----------
    power : xarray.DataArray
        As `flip`.

    Returns
    -------
    Flip
        As `flip`, with the pair in ``low_Hz`` and ``high_Hz``. The best of so many pairs is larger
        by chance too: see `flip_null` with ``bands=None``.

    Raises
    ------
    JtfneError
        As `flip`; for frequencies that hold none of the pairs.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from jtfne.analysis import vflip
    >>> z_mm, f_Hz = 0.1 * np.arange(10), np.arange(10.0, 160.0, 10.0)
    >>> depth = np.linspace(0.1, 1.0, 10)[:, None]
    >>> power = np.where(f_Hz < 40.0, depth, 1.1 - depth)  # slow rhythms grow with depth
    >>> coords = {"z_mm": ("channel", z_mm), "frequency": f_Hz}
    >>> found = vflip(xr.DataArray(power, coords, ("channel", "frequency")))
    >>> found.goodness > 0.265, found.low_Hz[1] < found.high_Hz[0]
    (True, True)
    """
    return _apply_to_map(power, "analysis.vflip", None, measures.vflip.vflip)


@names_arguments
def flip_null(
    data: xr.DataArray,
    control: Control = CHANNELS,
    *,
    n_draws: int = 200,
    seed: int = 0,
    bands: tuple[Band, Band] | None = (LOW_BAND_Hz, HIGH_BAND_Hz),
    segment_ms: float = SEGMENT_ms,
    density: Method | None = None,
) -> FlipNull:
    """The goodness that FLIP finds by chance: without the motif, or without what it must not need.

    Parameters
    ----------
    data : xarray.DataArray
        A map as `flip` takes, or potentials over ``time`` (ms) and ``channel``, of one area, with
        or without trials.
    control : ShuffledChannels, ShuffledFrequencies, PhaseRandomised or PolarityFlip
        What is put at random; the channels by default. The last two need potentials.
    n_draws, seed : int
        How many draws, up to 1,000,000, and the seed of all of them.
    bands : pair of (float, float), optional
        Low and high band, Hz; None for vFLIP, of the data and of each draw, which takes a second or
        so each.
    segment_ms : float
        As in `psd`, for potentials.
    density : a method of `csd`, optional
        For potentials: take the power of the current source density, by this method, instead of
        theirs.

    Returns
    -------
    FlipNull
        ``goodness``, ``null`` (n_draws,) and ``p`` = (1 + draws of no smaller size) / (1 +
        n_draws).

    Raises
    ------
    JtfneError
        As `flip`; for a control of potentials with a map.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from jtfne.analysis import flip_null
    >>> places = {"z_mm": ("channel", 0.1 * np.arange(16)), "frequency": np.arange(5.0, 155.0, 5.0)}
    >>> values = np.random.default_rng(0).random((16, 30))
    >>> null = flip_null(xr.DataArray(values, places, ("channel", "frequency")), n_draws=20)
    >>> null.null.shape, bool(0.0 < null.p <= 1.0)
    ((20,), True)
    """
    where = "analysis.flip_null"
    n_draws = whole_number(n_draws, Limit(1, MOST_DRAWS), name="n_draws", where=where)
    seed = whole_number(seed, NOT_NEGATIVE, name="seed", where=where)
    _check_control(control, where)
    bands = _check_bands(bands, where)
    if density is not None:
        measures.csd.check_method(density, name="density", where=where)
    segment_ms = number(segment_ms, POSITIVE, name="segment_ms", where=where)
    draw_null = functools.partial(
        measures.vflip.flip_null, control=control, n_draws=n_draws, seed=seed, bands=bands
    )
    if "time" not in getattr(data, "dims", ()):
        if density is not None:
            raise refuse(
                "density= with a map of power", "density for potentials over time only", where
            )
        return _apply_to_map(data, where, bands, draw_null)
    lfp = downward(check_values(data, where, "channel"), where)
    if not set(lfp.dims) <= {"trial", "time", "channel"}:
        description = f"potentials of dimensions {tuple(map(str, data.dims))}"
        raise refuse(description, "time, channel and trial: select one area", where)
    power_map = _compute_map(lfp, segment_ms, density)
    if not control.on_potential:
        return _apply_to_map(power_map, where, bands, draw_null)
    values, front = values_last(lfp, "channel", "time")
    rng, template = np.random.default_rng(seed), lfp.transpose(*front, "channel", "time")
    random_lfps = (template.copy(data=control.draw(values, rng)) for _ in range(n_draws))
    maps = (_compute_map(random_lfp, segment_ms, density).values for random_lfp in random_lfps)
    return _apply_to_map(power_map, where, bands, measures.vflip.null_of, maps, bands)


def _compute_map(lfp: xr.DataArray, segment_ms: float, density: Method | None) -> xr.DataArray:
    """Power (channel, frequency) up to 150 Hz, mean over trials, of potentials or of their CSD."""
    power = psd(lfp if density is None else csd(lfp, density), segment_ms)
    power = power.mean("trial", keep_attrs=True) if "trial" in power.dims else power
    f_Hz = power["frequency"].values
    power_map = power.isel(frequency=np.flatnonzero((f_Hz > 0.0) & (f_Hz <= HIGH_BAND_Hz[1])))
    return power_map.transpose("channel", "frequency")


def _check_control(control: Any, where: str) -> None:
    """Raises: JtfneError for what is no control; the class of one is none."""
    if isinstance(control, type) or not (
        isinstance(getattr(control, "on_potential", None), bool)
        and callable(getattr(control, "draw", None))
    ):
        allowed = "a control such as ShuffledChannels() or PhaseRandomised()"
        raise refuse(f"control={describe_value(control)}", allowed, where)


def _check_bands(bands: Any, where: str) -> tuple[Band, Band] | None:
    """Low and high band, Hz, or None. Raises: JtfneError."""
    if bands is None:
        return None
    if not isinstance(bands, list | tuple) or len(bands) != 2:
        raise refuse(
            f"bands={describe_value(bands)}",
            "(low band, high band), each (low, high) in Hz, or None",
            where,
        )
    low_Hz, high_Hz = (pair(band_Hz, name="bands", where=where, unit="Hz") for band_Hz in bands)
    return low_Hz, high_Hz


def _apply_to_map(
    power: xr.DataArray,
    where: str,
    bands_to_check: tuple[Band, Band] | None,
    function: Callable[..., T],
    *arguments: Any,
    **keywords: Any,
) -> T:
    """The result of a kernel for one map (channel, frequency), ordered by depth.

    Raises: JtfneError for another map, and for bands beyond its frequencies.
    """
    if not isinstance(power, xr.DataArray):
        raise refuse(
            f"data of type {type(power).__name__}",
            "an xarray.DataArray, such as signals.get('spectrolaminar_proxy').isel(area=0)",
            where,
        )
    if set(power.dims) != {"channel", "frequency"}:
        description = f"an array of dimensions {tuple(map(str, power.dims))}"
        raise refuse(description, "(channel, frequency): select one area and trial", where)
    check_form(power, where)
    ordered_power, _ = by_depth(power, where)
    gaps = np.flatnonzero(
        ~np.isfinite(ordered_power.transpose("channel", "frequency").values).all(axis=1)
    )
    if gaps.size:
        first_mm = float(ordered_power["z_mm"].values[gaps[0]])
        raise refuse(
            f"power that is not finite, the first at {first_mm:g} mm,",
            "finite power at every channel",
            where,
        )
    ordered_power, f_Hz = over_frequency(ordered_power, where)
    for low_Hz, high_Hz in bands_to_check or ():
        check_band(low_Hz, high_Hz, f_Hz, where)
    values = ordered_power.transpose("channel", "frequency").values
    try:
        return function(values, f_Hz, ordered_power["z_mm"].values, *arguments, **keywords)
    except JtfneError:
        raise
    except ValueError as error:
        raise JtfneError(str(error)) from error
