"""Arrays without labels, given their dims, clock, channels and unit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from jtfne._check import (
    FINITE,
    POSITIVE,
    check_name,
    describe_value,
    names_arguments,
    number,
    one_of,
    refuse,
)
from jtfne._time import sample_ends_ms
from jtfne._units import Floats
from jtfne.recordings._axes import check_row
from jtfne.recordings._si_units import spell_unit

if TYPE_CHECKING:
    import xarray as xr

WHERE = "from_array"
DIMS = ("trial", "time", "channel")


@names_arguments
def from_array(
    values: ArrayLike,
    dims: Sequence[str],
    *,
    sampling_Hz: float,
    units: str,
    channels: Sequence[str] | None = None,
    z_mm: Sequence[float] | None = None,
    onset_ms: float | Sequence[float] | None = None,
    start_ms: float = 0.0,
    readout: str = "lfp",
) -> "xr.DataArray":
    """An array of samples as the DataArray that `Signals.get` would give for `readout`.

    Parameters
    ----------
    values : array_like
        Real numbers, such as ``numpy.load(path, allow_pickle=False)``,
        ``numpy.loadtxt(path, delimiter=",")`` or ``scipy.io.loadmat(path)["lfp"]`` gives.
    dims : sequence of str
        What each axis of `values` is: ``"time"``, and ``"channel"`` and ``"trial"`` where it has
        them, in any order.
    sampling_Hz : float
        Samples a second.
    units : str
        Unit of the values, such as ``"V"`` or ``"uV"``.
    channels : sequence of str, optional
        A name for each channel; ``"ch00"``, ``"ch01"``, ... if left out.
    z_mm : sequence of float, optional
        Depth below the pia of each channel, mm.
    onset_ms : float or sequence of float, optional
        When the stimulus came: one onset or several, ms on the clock of the result.
    start_ms : float
        When the first sample begins; below 0 for epochs that begin before their event at 0.
    readout : str
        What to call the result.

    Returns
    -------
    xarray.DataArray
        A copy, ([trial,] time, channel), in float64; time in ms at the end of each sample.

    Raises
    ------
    JtfneError
        For what is no array of real numbers, and for dims, channels, depths or onsets that do not
        fit it.

    Examples
    --------
    >>> import numpy as np
    >>> lfp = from_array(
    ...     np.zeros((2, 500)), ("channel", "time"), sampling_Hz=1000.0, units="uV", z_mm=[0.1, 0.2]
    ... )
    >>> lfp.dims, lfp["time"].values[:2].tolist(), lfp["channel"].values.tolist()
    (('time', 'channel'), [1.0, 2.0], ['ch00', 'ch01'])
    """
    import xarray as xr

    array = _read_numbers(values)
    names = _check_dims(dims, array.shape)
    sampling_Hz = number(sampling_Hz, POSITIVE, name="sampling_Hz", where=WHERE)
    start_ms = number(start_ms, FINITE, name="start_ms", where=WHERE)
    _check_texts(units=units, readout=readout)
    units = spell_unit(units)
    if "channel" not in names:
        array, names = array[..., None], (*names, "channel")
    ordered_names = [dim for dim in DIMS if dim in names]
    array = np.transpose(array, [names.index(dim) for dim in ordered_names]).copy()
    starts_s = start_ms * 1e-3 + np.arange(array.shape[-2]) / sampling_Hz
    coords = _label_channels(channels, z_mm, array.shape[-1])
    coords["time"] = ("time", sample_ends_ms(starts_s, sampling_Hz), {"units": "ms"})
    if "trial" in names:
        coords["trial"] = np.arange(array.shape[0])
    attrs: dict[str, Any] = {"readout": readout, "units": units, "proxy": int(units == "a.u.")}
    if onset_ms is not None:
        row = [onset_ms] if np.isscalar(onset_ms) else onset_ms
        onsets_ms = check_row(row, "onset_ms", "onsets in ms", WHERE).tolist()
        attrs["onset_ms"] = onsets_ms[0] if len(onsets_ms) == 1 else onsets_ms
    return xr.DataArray(array, coords, ordered_names, readout, attrs)


def _read_numbers(values: Any) -> Floats:
    """`values` as a float64 array. Raises: JtfneError for paths, labels, and no real numbers."""
    if isinstance(values, str | bytes) or hasattr(values, "__fspath__"):
        raise refuse(
            f"values={describe_value(values)}",
            "the array itself: numpy.load(path, allow_pickle=False) of a .npy file",
            WHERE,
        )
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):  # lists of unequal lengths
        array = np.zeros(0, object)
    if array.dtype.kind not in "iuf" or array.ndim == 0 or array.size == 0:
        raise refuse(
            f"values of dtype {array.dtype} and shape {array.shape}",
            "one real number or more along time",
            WHERE,
        )
    return np.asarray(array, np.float64)


def _check_texts(**texts: Any) -> None:
    """Raises: JtfneError for a text that is none, or no name."""
    for name, text in texts.items():
        if not isinstance(text, str):
            raise refuse(f"{name}={describe_value(text)}", "a text, such as 'V' or 'lfp'", WHERE)
        check_name(text, name, WHERE)


def _check_dims(dims: Any, shape: tuple[int, ...]) -> tuple[str, ...]:
    """`dims` as a tuple. Raises: JtfneError unless they name each axis once, time among them."""
    if isinstance(dims, str) or not isinstance(dims, Sequence):
        raise refuse(
            f"dims={describe_value(dims)}", "a name for each axis, such as ('time',)", WHERE
        )
    names = tuple(one_of(dim, DIMS, name="dims", where=WHERE) for dim in dims)
    if len(names) != len(shape) or len(set(names)) < len(names) or "time" not in names:
        raise refuse(
            f"dims={describe_value(names)} of an array of shape {shape}",
            f"a name for each axis, each once: 'time' and others of {', '.join(DIMS)}",
            WHERE,
        )
    return names


def _label_channels(channels: Any, z_mm: Any, n_channels: int) -> dict[str, Any]:
    """The coordinates of channels: names, and depths if there are any.

    Raises: JtfneError for names or depths that do not fit.
    """
    coords: dict[str, Any] = {"channel": _check_channels(channels, n_channels)}
    if z_mm is not None:
        depths_mm = check_row(z_mm, "z_mm", "a depth in mm for each channel", WHERE)
        if depths_mm.size != n_channels:
            raise refuse(f"{depths_mm.size} z_mm for {n_channels} channels", "one for each", WHERE)
        coords["z_mm"] = ("channel", depths_mm, {"units": "mm"})
    return coords


def _check_channels(channels: Any, n_channels: int) -> list[str]:
    """The names of channels. Raises: JtfneError unless each has one of its own."""
    if channels is None:
        return [f"ch{k:02d}" for k in range(n_channels)]
    is_list = isinstance(channels, Sequence | np.ndarray) and not isinstance(channels, str | bytes)
    names = [str(name) for name in channels] if is_list else []
    if len(names) != n_channels:
        raise refuse(
            f"channels={describe_value(channels)}", f"{n_channels} names, one for each", WHERE
        )
    for name in names:
        check_name(name, "channel", WHERE)
        if names.count(name) > 1:
            raise refuse(f"two channels of the name {name!r}", "a name for each", WHERE)
    return names
