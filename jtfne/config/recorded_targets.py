"""Recordings as targets of metrics: in the form that the measure gives of a run."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from jtfne import recordings
from jtfne._check import describe_value, number, one_of, refuse
from jtfne._precision import precision
from jtfne._time import in_baseline
from jtfne._units import Floats
from jtfne.measures import Frame, Measure
from jtfne.measures import csd as csd_kernel
from jtfne.pydantic_fields.curve_field import as_curve
from jtfne.pydantic_fields.errors import HERE
from jtfne.readouts import list_readouts

if TYPE_CHECKING:
    import xarray as xr

    from jtfne.pydantic_fields.selector_field import Selector

LABELS = ("area", "layer", "cell_type")
GROUPS = ("trial", "neuron", "population", *LABELS)  # dims of rates and their like
SI_UNITS = ("V", "T", "T/m", "A m", "A/m^3")
POTENTIALS = ("V", "mV", "uV", "µV", "nV")


def read_target(
    target: Any,
    measure: Measure,
    readout: str,
    cells: "Selector",
    channels: tuple[str, ...] | None,
) -> Any:
    """A recording as the number or the curve that `measure` gives of it; other values unchanged.

    target: the path of a recording, a Raw, Epochs or Evoked of MNE, or a DataArray. Of single
    trials, and around several onsets, the mean is taken and the measure's baseline subtracted; an
    average is taken as it is.
    Raises: JtfneError for a recording that cannot be read, or that the measure cannot be taken of.
    """
    if isinstance(target, os.PathLike) or recordings.is_mne(target):
        target = recordings.load_recording(target, readout=readout)
    elif isinstance(target, str):
        raise refuse(
            f"target={describe_value(target)}",
            "a number, a range, a curve or a recording; a file as pathlib.Path(...)",
            HERE,
        )
    elif not all(hasattr(target, name) for name in ("dims", "coords", "attrs", "ndim")):
        return target
    if "time" not in target.dims:
        is_number = not measure.dims and target.ndim > 0 and set(target.dims) <= set(GROUPS)
        return _read_number(target, cells) if is_number else target
    array = recordings.in_ms(_select_rows(target, cells, channels), HERE)
    if "time" not in {*measure.dims, *measure.averaged}:
        if not measure.dims:
            _check_unit(array, measure, readout)
        return _measure_samples(array, measure)
    return _read_response(array, measure)


def _select_rows(
    array: "xr.DataArray", cells: "Selector", channels: tuple[str, ...] | None
) -> "xr.DataArray":
    """The one area and the channels that the metric names, where the recording names them.

    Raises: JtfneError for a channel that it does not have.
    """
    if "area" in array.dims and "area" in array.coords and cells.area and len(cells.area) == 1:
        areas = [str(area) for area in array["area"].values]
        area = one_of(cells.area[0], areas, name="area", where=HERE)
        array = array.isel(area=areas.index(area))
    elif array.sizes.get("area") == 1:
        array = array.isel(area=0)
    if channels is not None and "channel" in array.dims and "channel" in array.coords:
        names = [str(name) for name in array["channel"].values]
        rows = [names.index(one_of(name, names, name="channel", where=HERE)) for name in channels]
        array = array.isel(channel=rows)
    return array


def _read_number(array: "xr.DataArray", cells: "Selector") -> float:
    """The mean of rates, or of other numbers of neurons, over the cells that are selected.

    Raises: JtfneError where the array does not name such cells, or has no number of them.
    """
    for name in LABELS:
        wanted_names = getattr(cells, name)
        if wanted_names is None or name not in array.coords or array[name].ndim != 1:
            continue
        names = array[name].values.astype(str)
        for label in wanted_names:
            one_of(label, sorted(set(names.tolist())), name=name, where=HERE)
        (dim,) = array[name].dims
        array = array.isel({dim: np.flatnonzero(np.isin(names, wanted_names))})
    values = np.asarray(array.values, np.float64)
    values = values[~np.isnan(values)]  # of cells without a value, such as the CV of a silent one
    if values.size == 0:
        raise refuse("a target without a number", "an array with one of these cells", HERE)
    return float(values.mean())


def _check_unit(array: "xr.DataArray", measure: Measure, readout: str) -> None:
    """Raises: JtfneError where a number of the recording has another unit than that of the run."""
    if measure.unit("V") == measure.unit("T"):  # it has none that depends on the samples
        return
    units = array.attrs.get("units")
    catalogued = list_readouts().get(readout)
    if units not in SI_UNITS or (catalogued is not None and catalogued.proxy):
        raise refuse(
            f"a recording in {describe_value(units)} as target of {readout!r}",
            f"one in {', '.join(SI_UNITS)}, of a physical readout",
            HERE,
        )


def _measure_samples(array: "xr.DataArray", measure: Measure) -> Any:
    """What `measure` gives of the samples of a recording: a number, or the table of a curve.

    Raises: JtfneError for samples that do not fit it.
    """
    samples, frame = _take_samples(array)
    complaint = measure.complaint(frame)
    if complaint is not None:
        raise refuse(f"a recording with {complaint[0]}", complaint[1], HERE)
    with precision("float64"):
        value = np.asarray(measure(jnp.asarray(samples), frame), np.float64)
    if not np.isfinite(value).all():
        raise refuse(
            f"a recording whose {type(measure).__name__} is not finite: {measure.undefined},",
            "one that has it",
            HERE,
        )
    if not measure.dims:
        return float(value)
    units = str(array.attrs.get("units", ""))
    return {
        "kind": "Curve",
        "values": value.ravel().tolist(),
        "dims": measure.dims,
        "coords": {dim: points.tolist() for dim, points in measure.grid(frame).items()},
        "units": (measure.curve_unit(units) or "") if units else "",
    }


def _take_samples(array: "xr.DataArray") -> tuple[Floats, Frame]:
    """Samples (trial, time, row) of a recording, channels by depth where it has them, and a frame.

    Raises: JtfneError for other dims, uneven times, and values that are not finite.
    """
    step_ms = recordings.even_step(array, "time", HERE)
    if "z_mm" in array.coords and array["z_mm"].dims == ("channel",):
        array = array.isel(channel=np.argsort(array["z_mm"].values, kind="stable"))
    for dim in ("trial", "channel"):
        if dim not in array.dims:
            array = array.expand_dims(dim)
    other_dims = [str(dim) for dim in array.dims if dim not in ("trial", "time", "channel")]
    if other_dims:
        raise refuse(
            f"a recording over {', '.join(other_dims)}", "one over trial, time, channel", HERE
        )
    samples = np.asarray(array.transpose("trial", "time", "channel").values, np.float64)
    if samples.size == 0 or not np.isfinite(samples).all():
        raise refuse("a recording that is empty or not finite", "finite samples", HERE)
    depths_mm: tuple[float, ...] = ()
    if "z_mm" in array.coords and array["z_mm"].dims == ("channel",):
        depths_mm = tuple(float(depth_mm) for depth_mm in array["z_mm"].values)
    frame = Frame(
        step_ms=step_ms,
        n_samples=samples.shape[1],
        first_ms=float(array["time"].values[0]),
        channels=tuple(str(name) for name in array["channel"].values),
        z_mm=depths_mm,
        density=not _is_potential(array),
    )
    return samples, frame


def _is_potential(array: "xr.DataArray") -> bool:
    """Whether an array is of potentials, which have a current source density yet to be taken."""
    readout = list_readouts().get(str(array.attrs.get("readout")))
    is_readout = readout is not None and not readout.density and readout.row_kind() == "laminar"
    return array.attrs.get("units") in POTENTIALS or ("method" not in array.attrs and is_readout)


def _read_response(array: "xr.DataArray", measure: Measure) -> Mapping[str, Any]:
    """The response of a recording over time from its onset, as the table of a curve.

    Raises: JtfneError for onsets that are not within it, and a baseline that is not.
    """
    onsets_ms = [
        number(time_ms, name="onset_ms", where=HERE)
        for time_ms in np.ravel(array.attrs.get("onset_ms", 0.0)).tolist()
    ]
    is_average = "trial" not in array.dims and len(onsets_ms) == 1
    response = array.astype(np.float64)
    if "trial" in response.dims:
        response = response.mean("trial", keep_attrs=True)
    response = _average_onsets(response, onsets_ms)
    baseline_ms = float(getattr(measure, "baseline_ms", 0.0))
    if not is_average and baseline_ms:
        times_ms = np.asarray(response["time"].values, np.float64)
        rows = np.flatnonzero(in_baseline(times_ms, baseline_ms, 0.0))
        if rows.size == 0 or times_ms[rows[0]] > -baseline_ms + _step_ms(response):
            raise refuse(
                f"baseline_ms={baseline_ms:g} of a target from {times_ms[0]:g} ms",
                "one within it",
                HERE,
            )
        response = (response - response.isel(time=rows).mean("time")).assign_attrs(array.attrs)
    if "z_mm" in measure.dims and _is_potential(array):
        response = _take_density(response)
    elif "z_mm" not in measure.dims:
        response = response.drop_vars("z_mm", errors="ignore")  # of sensors, in the head
    table: Mapping[str, Any] = as_curve(response)
    return table


def _step_ms(array: "xr.DataArray") -> float:
    """The time step of an array."""
    return recordings.even_step(array, "time", HERE)


def _average_onsets(array: "xr.DataArray", onsets_ms: list[float]) -> "xr.DataArray":
    """The mean of (time, ...) around onsets, time from the onset in ms.

    Around several, from the latest sample that follows the onset before to the one before the next:
    as far as the recording reaches around each of them, and no further than the nearest two are
    apart.
    """
    times_ms = np.asarray(array["time"].values, np.float64)
    if len(onsets_ms) == 1:
        since_ms = np.round(times_ms - onsets_ms[0], 9)
        return array.assign_coords(time=("time", since_ms, {"units": "ms"}))
    step_ms = _step_ms(array)
    ordered_ms = np.sort(np.array(onsets_ms))
    first_rows = np.ceil((ordered_ms - times_ms[0]) / step_ms - 1e-4).astype(np.int64)
    if first_rows[0] < 0 or first_rows[-1] >= times_ms.size:
        raise refuse(
            f"onsets at {ordered_ms[0]:g} to {ordered_ms[-1]:g} ms",
            f"onsets within {times_ms[0]:g} to {times_ms[-1]:g} ms",
            HERE,
        )
    n_before = int(min(first_rows[0], np.diff(first_rows).min()))
    n_after = int(min(times_ms.size - first_rows[-1], np.diff(first_rows).min()))
    if n_before + n_after < 2:
        raise refuse(
            f"onsets {np.diff(ordered_ms).min():g} ms apart", "a sample or more between them", HERE
        )
    axis = array.get_axis_num("time")
    values = np.asarray(array.values)
    parts = []
    for row in first_rows:
        parts.append(values.take(np.arange(row - n_before, row + n_after), axis))
    mean = array.isel(time=slice(0, n_before + n_after)).copy(data=np.mean(parts, axis=0))
    since_ms = times_ms[first_rows[0] - n_before : first_rows[0] + n_after] - ordered_ms[0]
    return mean.assign_coords(time=("time", np.round(since_ms, 9), {"units": "ms"}))


def _take_density(response: "xr.DataArray") -> "xr.DataArray":
    """The current source density of laminar potentials (time, channel), at the inner contacts.

    Raises: JtfneError for fewer than 3 contacts, or uneven ones.
    """
    if "z_mm" not in response.coords or response["z_mm"].dims != ("channel",):
        raise refuse("a target without depths", "channels with z_mm, depth below the pia", HERE)
    ordered = response.isel(channel=np.argsort(response["z_mm"].values, kind="stable"))
    ordered = ordered.transpose("time", "channel")
    depths_mm = csd_kernel.depths(np.asarray(ordered["z_mm"].values), even=True, where=HERE)
    spacing_mm = float(depths_mm[-1] - depths_mm[0]) / (depths_mm.size - 1)
    with precision("float64"):
        values = np.asarray(csd_kernel.csd(jnp.asarray(ordered.values), spacing_mm))
    return ordered.isel(channel=slice(1, -1)).copy(data=values).assign_attrs(units="")
