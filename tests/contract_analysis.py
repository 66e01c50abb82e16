"""One contract for every public function of jtfne.analysis; a new one is a row here.

Whatever it is given ends in its value or in one JtfneError; what does not count (dtype, layout,
order of dims, laziness, the unit of the clock) does not change the value; a part of the data keeps
the clock of the whole.
"""

import dataclasses
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import jtfne
from jtfne import analysis

RNG = np.random.default_rng(4)
N_STEPS, N_CHANNELS, FIRST_MS = 240, 12, 501.0
Z_MM = np.round(0.1 * np.arange(1, N_CHANNELS + 1), 9)
TIME_MS = FIRST_MS + np.arange(N_STEPS)


def field() -> xr.DataArray:
    """(time, channel), V: whole numbers that every dtype holds, a sink at 610 ms; the clock starts
    at 501 ms.
    """
    values = np.round(RNG.normal(0.0, 20.0, (N_STEPS, N_CHANNELS)))
    values[109:120, 5] -= 500.0
    coords = {
        "time": ("time", TIME_MS, {"units": "ms"}),
        "channel": [f"c{k:02d}" for k in range(N_CHANNELS)],
        "z_mm": ("channel", Z_MM),
    }
    return xr.DataArray(
        values, coords, ("time", "channel"), "lfp", {"units": "V", "onset_ms": 600.0}
    )


def raster() -> xr.DataArray:
    """(time, neuron) of bool: cells that fire at random, from 501 ms on."""
    values = RNG.random((N_STEPS, 5)) < 0.2
    coords = {
        "time": ("time", TIME_MS, {"units": "ms"}),
        "neuron": np.arange(5),
        "cell_type": ("neuron", list("EEEPP")),
    }
    return xr.DataArray(values, coords, ("time", "neuron"), "spk", {"readout": "spk", "units": "1"})


def power() -> xr.DataArray:
    """(channel, frequency): whole numbers."""
    values = RNG.integers(1, 100, (N_CHANNELS, 30)).astype(np.float64)
    coords = {
        "channel": np.arange(N_CHANNELS),
        "z_mm": ("channel", Z_MM),
        "frequency": np.arange(5.0, 155.0, 5.0),
    }
    return xr.DataArray(values, coords, ("channel", "frequency"), attrs={"units": "V^2/Hz"})


def flip_of(x: xr.DataArray) -> tuple[Any, ...]:
    return dataclasses.astuple(analysis.flip(x))


def null_of(x: xr.DataArray) -> Any:
    return analysis.flip_null(x, n_draws=2).null


def sink_of(x: xr.DataArray) -> Any:
    features = analysis.laminar_features(x, onset_ms=600.0, window_ms=50.0)
    return [
        features.latency_ms,
        features.peak_latency_ms,
        features.sink_depth_mm,
        features.width_mm,
    ]


@dataclasses.dataclass(frozen=True)
class Row:
    """data: what it takes; call: of that, with settings for its size; settings: those given wrong
    types.

    keywords: what a call with wrong types gets beside. clocked: whether its value has a time on the
    clock of the data.
    """

    data: xr.DataArray
    call: Callable[[Any], Any]
    settings: tuple[str, ...] = ()
    clocked: bool = False
    keywords: dict[str, Any] = dataclasses.field(default_factory=dict)


FIELD, RASTER, POWER = field(), raster(), power()
SHORT: dict[str, Any] = {"segment_ms": 60.0}
BANDS: dict[str, Any] = {"phase_Hz": (10.0, 20.0), "amplitude_Hz": (60.0, 120.0), "n_bins": 4}
ROWS = {
    "band_power": Row(POWER, lambda x: analysis.band_power(x, 10.0, 50.0), ("low_Hz", "high_Hz"),
                      keywords={"low_Hz": 10.0, "high_Hz": 50.0}),
    "coherence": Row(FIELD, lambda x: analysis.coherence(x, **SHORT), ("other", "segment_ms"), keywords=SHORT),
    "compare": Row(FIELD, lambda x: analysis.compare(x, FIELD[::-1].assign_coords(time=FIELD["time"]), n_bootstrap=2),
                   ("recorded", "kind", "block_ms", "n_bootstrap", "level", "seed"),
                   keywords={"recorded": FIELD, "n_bootstrap": 2}),
    "compare_laminar": Row(FIELD, lambda x: analysis.compare_laminar(x, FIELD),
                           ("recorded", "simulated_onset_ms", "recorded_onset_ms", "window_ms", "baseline_ms"),
                           keywords={"recorded": FIELD}),
    "correlation": Row(FIELD, analysis.correlation, ("bin_ms",)),
    "csd": Row(FIELD, analysis.csd, ("method", "sigma_S_m"), clocked=True),
    "cv": Row(RASTER, analysis.cv, ("min_intervals",)),
    "evoked": Row(FIELD, lambda x: analysis.evoked(x, window_ms=(-50, 50)),
                  ("onset_ms", "label", "window_ms", "baseline_ms"), keywords={"window_ms": (-50, 50)}),
    "fano_factor": Row(RASTER, lambda x: analysis.fano_factor(x, window_ms=40.0), ("window_ms",)),
    "flip": Row(POWER, flip_of, ("low_Hz", "high_Hz")),
    "flip_null": Row(POWER, null_of, ("control", "n_draws", "seed", "bands", "segment_ms", "density"),
                     keywords={"n_draws": 1}),
    "isi": Row(RASTER, analysis.isi, clocked=True),
    "laminar_features": Row(FIELD, sink_of, ("onset_ms", "window_ms", "baseline_ms"), keywords={"onset_ms": 600.0}),
    "multitaper": Row(FIELD, lambda x: analysis.multitaper(x, 10.0), ("half_band_Hz",)),
    "phase_amplitude_coupling": Row(FIELD, lambda x: analysis.phase_amplitude_coupling(x, **BANDS),
                                    ("other", "phase_Hz", "amplitude_Hz", "n_bins"), keywords=BANDS),
    "population_rate": Row(RASTER, lambda x: analysis.population_rate(x, bin_ms=10.0), ("bin_ms", "by"), clocked=True),
    "psd": Row(FIELD, lambda x: analysis.psd(x, 60.0), ("segment_ms",)),
    "rates": Row(RASTER, lambda x: analysis.rates(x, window_ms=(520, 600)), ("by", "window_ms")),
    "spectrolaminar": Row(FIELD, lambda x: analysis.spectrolaminar(x, segment_ms=60.0),
                          ("max_frequency_Hz", "segment_ms")),
    "synchrony": Row(FIELD, analysis.synchrony, ("bin_ms",)),
    "vflip": Row(POWER, lambda x: dataclasses.astuple(analysis.vflip(x))),
}  # fmt: skip
# what reads or writes files, or takes a whole run; wrong types below, values in their own tests
OF_FILES = ("compare_run", "load_recording", "write_report")
each_function = pytest.mark.parametrize("name", ROWS)
each_of_time = pytest.mark.parametrize(
    "name", [name for name, row in ROWS.items() if "time" in row.data.dims]
)

WRONG: dict[str, Any] = {
    "None": None, "text": "lfp", "bytes": b"lfp", "true": True, "complex": 5j, "list": [1, "a"],
    "empty list": [], "dict": {"a": 1}, "object": object(), "class": dict, "nan": np.nan, "infinity": np.inf,
    "0-d": np.array(20.0), "empty array": np.zeros(0), "array": np.zeros((2, 3)), "array of text": np.array(["a", "b"]),
    "complex array": np.ones(2) * 1j, "array of objects": np.array([None, "a"]), "date": np.datetime64("2026-01-01"),
    "DataFrame": pd.DataFrame({"a": [1.0]}), "Series": pd.Series([1.0, 2.0]),
    "Dataset": xr.Dataset({"a": ("x", [1.0])}),
    "DataArray": xr.DataArray(np.ones(3), dims="x"), "0-d DataArray": xr.DataArray(20.0), "set": {1, 2}, "negative": -1,
    "huge": 10**400, "pair back": (5.0, 1.0), "pair of text": ("a", "b"), "function": np.sin,
}  # fmt: skip


def ends_well(attempt: Callable[[], Any]) -> None:
    """It gives a value, or one JtfneError of a sentence or two; anything else it raises fails the
    test.
    """
    try:
        attempt()
    except jtfne.JtfneError as error:
        message = str(error)
        assert "\n" not in message and len(message) < 500 and "(in " in message, message


def dims_twice() -> xr.DataArray:
    """What xarray warns of and makes all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return xr.DataArray(np.ones((4, 4)), dims=("time", "time"))


def bent(data: xr.DataArray) -> dict[str, xr.DataArray]:
    """`data` of wrong dtypes, sizes, dims and coordinates."""
    first, last = map(str, (data.dims[0], data.dims[-1]))
    whole = data.sizes[last]
    axis = data[first].values
    same = np.repeat(axis[:1], axis.size)
    return {
        "complex": data.astype(complex),
        "objects": data.astype(object),
        "text": data.astype(str),
        "dates": data.copy(data=np.full(data.shape, np.datetime64("2026-01-01", "ns"))),
        "empty": data.isel({first: []}),
        "no rows": data.isel({last: []}),
        "single sample": data.isel({first: [0]}),
        "no dims": data.isel({first: 0, last: 0}),
        "dims twice": dims_twice(),
        "other names": data.reset_coords(drop=True).rename({first: "x", last: "y"}),
        "no coordinates": xr.DataArray(data.values, dims=data.dims, attrs=data.attrs),
        "same coordinate": data.assign_coords({first: same}),
        "coordinate twice": data.assign_coords({last: np.repeat(data[last].values[:1], whole)}),
        "coordinate of text": data.assign_coords({first: [f"a{k}" for k in range(axis.size)]}),
        "coordinate backwards": data.assign_coords({first: axis[::-1]}),
        "coordinate uneven": data.assign_coords({first: np.arange(axis.size) ** 2}),
        "depth of text": data.assign_coords(z_mm=(last, ["a"] * whole)),
        "attrs of text": data.assign_attrs(onset_ms="soon", units=5, readout=7),
        "dB": data.copy(data=-np.ones(data.shape)),
    }


def check_equal(result: Any, expected: Any) -> None:
    """Values, and coordinates, to within the rounding of float64."""
    if isinstance(expected, xr.DataArray):
        assert set(result.dims) == set(expected.dims)
        result = result.transpose(*expected.dims)
        for name, coordinate in expected.coords.items():
            if coordinate.dtype.kind == "f":
                np.testing.assert_allclose(result[name], coordinate, rtol=1e-9)
            else:
                assert result[name].values.tolist() == coordinate.values.tolist()
        np.testing.assert_allclose(
            result, expected, rtol=1e-9, atol=1e-9 * float(np.abs(expected).max())
        )
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(result, expected, rtol=1e-9)
    elif isinstance(expected, tuple):
        assert result == pytest.approx(expected)
    else:
        np.testing.assert_allclose(result, expected, rtol=1e-9)


def test_every_public_function_has_a_row() -> None:
    public = {name for name in analysis.__all__ if inspect.isfunction(getattr(analysis, name))}
    assert public == {*ROWS, *OF_FILES}


@each_function
def test_every_setting_is_given_wrong_types(name: str) -> None:
    _, *settings = inspect.signature(getattr(analysis, name)).parameters
    assert {*settings} - {"readout"} == {*ROWS[name].settings}


@each_function
def test_whatever_it_is_given_ends_in_a_value_or_a_refusal(name: str, tmp_path: Path) -> None:
    function, row = getattr(analysis, name), ROWS[name]
    for kind, value in WRONG.items():
        with pytest.raises(jtfne.JtfneError) as caught:
            function(value, **row.keywords)
        assert "(in " in str(caught.value), kind
    for data in bent(row.data).values():
        ends_well(lambda data=data: row.call(data))
    for setting in row.settings:
        for value in WRONG.values():
            ends_well(
                lambda value=value, setting=setting: function(
                    row.data, **{**row.keywords, setting: value}
                )
            )


TOO_MUCH = {
    "population_rate": {"bin_ms": 5e-324},
    "synchrony": {"bin_ms": 1e-300},
    "correlation": {"bin_ms": 1e-9},
    "fano_factor": {"window_ms": 1e-12},
    "compare": {"n_bootstrap": 10**30},
    "flip_null": {"n_draws": 10**9},
    "phase_amplitude_coupling": {"n_bins": 10**6},
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_has_no_end_or_no_room_is_refused(name: str) -> None:
    data = RASTER if name in ("synchrony", "correlation") else ROWS[name].data
    with pytest.raises(jtfne.JtfneError, match=r"GiB|whole number"):
        getattr(analysis, name)(data, **{**ROWS[name].keywords, **TOO_MUCH[name]})


def constant(data: xr.DataArray, channel: int) -> xr.DataArray:
    """`data` whose channel never varies, at a number that is no sum of powers of 2."""
    values = data.values.copy()
    values[:, channel] = 0.1
    return data.copy(data=values)


# The values that concern the dead channel, by name: NaN where a ratio is undefined, 0 where it is 0.
DEAD = {
    "psd": lambda x: (analysis.psd(x, 60.0).isel(channel=3), 0.0),
    "multitaper": lambda x: (analysis.multitaper(x, 10.0).isel(channel=3), 0.0),
    "spectrolaminar": lambda x: (analysis.spectrolaminar(x, segment_ms=60.0).isel(channel=3), 0.0),
    "correlation": lambda x: (analysis.correlation(x).isel(channel=3), np.nan),
    "coherence": lambda x: (analysis.coherence(x, **SHORT).isel(channel=3), np.nan),
    "coherence with": lambda x: (
        analysis.coherence(x, FIELD.isel(channel=0, drop=True), **SHORT).isel(channel=3), np.nan
    ),
    "phase_amplitude_coupling": lambda x: (
        analysis.phase_amplitude_coupling(x, **BANDS).isel(channel=3), np.nan
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DEAD)
def test_a_channel_that_never_varies_is_zero_or_nan_and_changes_no_other(name: str) -> None:
    result, expected = DEAD[name](constant(FIELD, 3))
    np.testing.assert_array_equal(result.values, np.full(result.shape, expected))
    if name == "spectrolaminar":
        return  # relative to the maximum over channels
    others = {"channel": [0, 1, 2, 4, 5]}
    function = getattr(analysis, name.split()[0])
    keywords = ROWS[name.split()[0]].keywords
    dead, clean = (function(x, **keywords) for x in (constant(FIELD, 3), FIELD)) if name not in (
        "psd", "multitaper") else (function(x, 60.0 if name == "psd" else 10.0)
                                   for x in (constant(FIELD, 3), FIELD))  # fmt: skip
    if "other" in dead.dims:
        others["other"] = [0, 1, 2, 4, 5]
    np.testing.assert_array_equal(dead.isel(others).values, clean.isel(others).values)


@pytest.mark.parametrize("name", ["synchrony", "spectrolaminar", "compare", "compare_laminar"])
def test_data_that_never_vary_are_said_to(name: str) -> None:
    still = FIELD.copy(data=np.full(FIELD.shape, 0.1))
    if name.startswith("compare"):
        with pytest.raises(jtfne.JtfneError, match=r"never vary|no sink"):
            getattr(analysis, name)(still, FIELD)
    elif name == "synchrony":
        assert np.isnan(analysis.synchrony(still)).all()
    else:
        assert (analysis.spectrolaminar(still, segment_ms=60.0) == 0.0).all()


BEYOND = {
    "band_power": lambda: analysis.band_power(analysis.psd(FIELD, 60.0), 400.0, 600.0),
    "flip low": lambda: analysis.flip(POWER, low_Hz=(10.0, 500.0)),
    "flip high": lambda: analysis.flip(POWER, high_Hz=(75.0, 500.0)),
    "flip below 0": lambda: analysis.flip(POWER, low_Hz=(-10.0, 20.0)),
    "flip_null": lambda: analysis.flip_null(POWER, n_draws=1, bands=((10.0, 19.0), (75.0, 900.0))),
    "flip_null of potentials": lambda: analysis.flip_null(
        FIELD, n_draws=1, bands=((10.0, 19.0), (75.0, 900.0))
    ),
    "spectrolaminar": lambda: analysis.spectrolaminar(FIELD, max_frequency_Hz=600.0),
    "phase": lambda: analysis.phase_amplitude_coupling(FIELD, phase_Hz=(4.0, 600.0), amplitude_Hz=(30.0, 1300.0)),
    "amplitude": lambda: analysis.phase_amplitude_coupling(FIELD, amplitude_Hz=(30.0, 501.0)),
    "amplitude below 0": lambda: analysis.phase_amplitude_coupling(FIELD, amplitude_Hz=(-9.0, 50.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", BEYOND)
def test_frequencies_beyond_half_the_sampling_rate_are_refused_by_name(name: str) -> None:
    with pytest.raises(jtfne.JtfneError, match="Nyquist"):
        BEYOND[name]()


def test_half_the_sampling_rate_itself_is_allowed() -> None:
    power = analysis.psd(FIELD, 60.0)
    whole = analysis.band_power(power, 0.0, 500.0 + power["frequency"].values[1])
    step_Hz = float(power["frequency"][1])
    np.testing.assert_allclose(whole, power.sum("frequency") * step_Hz)
    assert np.isfinite(
        analysis.phase_amplitude_coupling(FIELD, phase_Hz=(10.0, 20.0), amplitude_Hz=(60.0, 500.0), n_bins=4)
    ).all()  # fmt: skip
    assert analysis.spectrolaminar(FIELD, 500.0, 50.0)["frequency"][-1] == 500.0


def test_counts_and_sizes_that_no_memory_holds_are_refused() -> None:
    with pytest.raises(jtfne.JtfneError, match="GiB"):
        analysis.rates(RASTER.astype(np.int64) * 10**12, by=None)
    events = xr.DataArray(
        [5.0],
        {"neuron": ("event", [0]), "trial": ("event", [0])},
        "event",
        attrs={"readout": "spk", "n_neurons": 10**13, "n_trials": 1, "duration_ms": 9.0},
    )
    with pytest.raises(jtfne.JtfneError, match="GiB"):
        analysis.cv(events)


@pytest.mark.parametrize(
    "name", [name for name, row in ROWS.items() if row.data is not RASTER and name != "csd"]
)
@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_values_whose_powers_no_number_holds_are_refused(name: str, scale: float) -> None:
    with pytest.raises(jtfne.JtfneError, match="take another unit"):
        ROWS[name].call(ROWS[name].data * scale)


def test_files_and_runs_of_wrong_types_are_refused(tmp_path: Path) -> None:
    for value in WRONG.values():
        with pytest.raises(jtfne.JtfneError):
            analysis.load_recording(value)
        with pytest.raises(jtfne.JtfneError):
            analysis.compare_run(value, FIELD, folder=tmp_path)
        with pytest.raises(jtfne.JtfneError):
            analysis.write_report(value, tmp_path / "report.html", [])
        for setting in ("readout", "z_mm", "onset_ms", "units"):
            ends_well(
                lambda value=value, setting=setting: analysis.load_recording(
                    "barrel", **{setting: value}
                )
            )


@pytest.mark.parametrize(
    "method",
    [analysis.SecondDifference, analysis.Smoothed, analysis.DeltaICSD, analysis.StepICSD, analysis.SplineICSD,
     analysis.KernelCSD, analysis.PhaseRandomised],
)  # fmt: skip
def test_settings_of_wrong_types_are_refused(method: Any) -> None:
    required = {"method": analysis.SecondDifference()} if method is analysis.Smoothed else {}
    for field_of in dataclasses.fields(method):
        for value in WRONG.values():
            ends_well(lambda value=value, name=field_of.name: method(**{**required, name: value}))


@each_function
def test_the_kind_of_array_does_not_count(name: str) -> None:
    row = ROWS[name]
    data, expected = row.data, row.call(row.data)
    frozen = data.copy(deep=True)
    frozen.values.flags.writeable = False
    spread = np.zeros((2 * data.shape[0], 3 * data.shape[1]), data.dtype)[::2, ::3]
    spread[...] = data.values
    kinds = {
        "read-only": frozen,
        "not contiguous": data.copy(data=spread),
        "Fortran's order": data.copy(data=np.asfortranarray(data.values)),
        "other order of dims": data.transpose(),
        "lazy": data.chunk(),
        "big-endian": data.astype(data.dtype.newbyteorder(">")),
        **{dtype: data.astype(dtype) for dtype in ("float16", "float32", "int16", "int64")},
    }
    before = data.copy(deep=True)
    for value in kinds.values():
        check_equal(row.call(value), expected)
    xr.testing.assert_identical(data, before)


@each_function
def test_a_value_that_is_not_finite_is_refused(name: str) -> None:
    row = ROWS[name]
    for gap in (np.nan, np.inf, -np.inf):
        data = row.data.astype(np.float64)
        data[7, 3] = gap
        with pytest.raises(jtfne.JtfneError, match=r"finite|counts"):
            row.call(data)


@each_of_time
def test_the_unit_of_the_clock_is_read(name: str) -> None:
    row = ROWS[name]
    expected = row.call(row.data)
    axes = {
        "seconds": ("time", TIME_MS * 1e-3, {"units": "s"}),
        "microseconds": ("time", TIME_MS * 1e3, {"units": "us"}),
        "timedelta": ("time", (TIME_MS * 1e6).astype("timedelta64[ns]")),
        "single precision": ("time", TIME_MS.astype(np.float32)),
        "no unit": ("time", TIME_MS),
        "whole numbers": ("time", TIME_MS.astype(np.int32)),
    }
    for axis in axes.values():
        check_equal(row.call(row.data.assign_coords(time=axis)), expected)
    if name == "csd":  # knows no time
        return
    for axis in (
        ("time", TIME_MS, {"units": "fortnights"}),
        ("time", np.datetime64("2026-01-01", "ns") + np.arange(N_STEPS)),
    ):
        with pytest.raises(jtfne.JtfneError, match="time"):
            row.call(row.data.assign_coords(time=axis))


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.clocked])
def test_a_part_keeps_the_clock_of_the_whole(name: str) -> None:
    row = ROWS[name]
    whole, part = row.call(row.data), row.call(row.data.sel(time=slice(601.0, None)))
    dim = "interval" if name == "isi" else "time"
    if name == "isi":
        starts_ms = whole["time"] - whole
        whole = whole.isel(interval=np.flatnonzero(starts_ms > 600.0))
    else:
        whole = whole.isel({dim: np.flatnonzero(whole["time"] > 600.0)})
    assert whole.sizes[dim] >= 14
    check_equal(part, whole)
