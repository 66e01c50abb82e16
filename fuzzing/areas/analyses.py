"""Analyses and measures: every public function with odd arrays and odd arguments."""

import inspect
from typing import Any

import numpy as np
import xarray as xr
from hypothesis import strategies as st

import jtfne
from fuzzing._values import python_values
from fuzzing._verdicts import Meaningless
from fuzzing.areas._base import Described
from jtfne import analysis

# A silent cell has no interval; a pair with a silent cell has no correlation; a flat map has no
# crossover.
NAN_OF_CONSTANTS = ("synchrony", "coherence")
MAY_BE_NAN = frozenset(
    {
        "isi",
        "cv",
        "fano_factor",
        "correlation",
        "load_recording",  # gives what it is given
        "compare",
        "compare_laminar",
        "phase_amplitude_coupling",
    }
)
CHANGES = (
    "nothing",
    "nan",
    "infinity",
    "empty",
    "one sample",
    "float16",
    "integer",
    "boolean",
    "object",
    "complex",
    "read-only",
    "reversed",
    "transposed",
    "no coordinates",
    "renamed time",
    "seconds",
    "constant",
    "uneven",
    "one channel",
    "timedelta",
    "unknown unit",
    "lazy",
    "trials",
    "more dims",
    "dims twice",
    "odd attrs",
    "huge values",
    "tiny values",
    "names twice",
)
OBJECTS = (
    analysis.SecondDifference(),
    analysis.Smoothed(method=analysis.DeltaICSD()),
    analysis.DeltaICSD(),
    analysis.StepICSD(),
    analysis.SplineICSD(),
    analysis.KernelCSD(),
    analysis.PhaseRandomised(),
    analysis.PolarityFlip(),
    analysis.ShuffledChannels(),
    analysis.ShuffledFrequencies(),
    analysis.KernelCSD,
    analysis.ShuffledChannels,
)
# Small draws, so that a case of a null or a bootstrap costs no minute.
MOST_DRAWS = 300  # more is work that was asked for, not a fault
FEW = {"flip_null": {"n_draws": 3}, "compare": {"n_bootstrap": 5}}


def lfp(n_channels: int = 8, n_times: int = 600) -> xr.DataArray:
    """A laminar potential: a few rhythms over depth, 1 ms apart."""
    times_ms = np.arange(1.0, n_times + 1)
    depths_mm = np.linspace(0.1, 1.5, n_channels)
    random = np.random.default_rng(5)
    rhythm = np.sin(2 * np.pi * times_ms[:, None] / (20 + 40 * depths_mm[None]))
    values = rhythm * depths_mm + 0.1 * random.standard_normal((n_times, n_channels))
    coords = {"time": times_ms, "channel": np.arange(n_channels), "z_mm": ("channel", depths_mm)}
    data = xr.DataArray(
        values, dims=("time", "channel"), coords=coords, attrs={"units": "V", "readout": "lfp"}
    )
    data.time.attrs["units"] = "ms"
    return data


def change(data: xr.DataArray, kind: str) -> xr.DataArray:
    """`data` with one thing about it odd."""
    values = data.values.copy()
    if kind in ("nan", "infinity") and values.dtype.kind == "f":
        values.flat[values.size // 2] = np.nan if kind == "nan" else np.inf
        return data.copy(data=values)
    if kind == "empty":
        return data.isel({data.dims[0]: slice(0, 0)})
    if kind == "one sample":
        return data.isel({data.dims[0]: slice(0, 1)})
    if kind == "one channel":
        return data.isel({data.dims[-1]: slice(0, 1)})
    if kind == "read-only":
        values.setflags(write=False)
        return data.copy(data=values)
    if kind in ("float16", "integer", "boolean", "object", "complex"):
        dtype = {"integer": "int16", "boolean": bool}.get(kind, kind)
        return data.astype(dtype)
    if kind == "reversed":
        return data.isel({data.dims[0]: slice(None, None, -1)})
    if kind == "transposed":
        return data.transpose()
    if kind == "no coordinates":
        return data.drop_vars(list(data.coords))
    if kind == "renamed time" and "time" in data.dims:
        return data.rename(time="t")
    if kind == "seconds" and "time" in data.coords:
        moved = data.assign_coords(time=data.time / 1000.0)
        moved.time.attrs["units"] = "s"
        return moved
    if kind == "uneven" and "time" in data.dims:
        return data.isel(time=np.unique(np.arange(data.sizes["time"]) ** 2 // data.sizes["time"]))
    if kind == "constant":
        return data.copy(data=np.ones_like(values))
    if kind in ("huge values", "tiny values") and values.dtype.kind == "f":
        return data.copy(data=values * (1e200 if kind == "huge values" else 1e-200))
    return reshaped(data, kind)


def reshaped(data: xr.DataArray, kind: str) -> xr.DataArray:
    """`data` with its dims, clock or labels odd; itself where `kind` is none of these."""
    last = data.dims[-1]
    if kind == "timedelta" and "time" in data.coords:
        return data.assign_coords(
            time=(data["time"].dims, (data["time"].values * 1e6).astype("timedelta64[ns]"))
        )
    if kind == "unknown unit" and "time" in data.coords:
        moved = data.copy()
        moved["time"].attrs["units"] = "fortnights"
        return moved
    if kind == "lazy":
        return data.chunk(3)
    if kind == "trials" and "trial" not in (*data.dims, *data.coords):
        return xr.concat(
            [data, data[::-1].assign_coords({data.dims[0]: data[data.dims[0]]})], dim="trial"
        )
    if kind == "more dims" and "area" not in (*data.dims, *data.coords):
        return data.expand_dims(area=["V1", "V2"], subject=2)
    if kind == "dims twice" and data.ndim == 2:
        return xr.DataArray(
            data.values[: min(data.shape), : min(data.shape)], dims=(last, last), attrs=data.attrs
        )
    if kind == "odd attrs":
        return data.assign_attrs(
            units=5, readout=None, onset_ms=[np.nan], n_neurons=-1, duration_ms="long"
        )
    if kind == "names twice" and last in data.coords:
        return data.assign_coords({last: np.repeat(data[last].values[:1], data.sizes[last])})
    return data


def never_varies(data: Any) -> bool:
    """Whether nothing moves in an array: no spike fell, or all values are one.

    Tiny numbers, too, vanish in single precision.
    """
    if not isinstance(data, xr.DataArray):
        return False
    return data.size == 0 or bool((data.values == data.values.flat[0]).all())


def has_short_segments(data: Any, arguments: dict[str, Any]) -> bool:
    """Whether a segment of a spectrum has fewer than 4 samples."""
    if not isinstance(data, xr.DataArray) or "time" not in data.coords or data.sizes["time"] < 2:
        return False
    step_ms = abs(float(data["time"].values[1] - data["time"].values[0]))
    segment_ms = arguments.get("segment_ms", 1000.0)
    return isinstance(segment_ms, int | float) and segment_ms < 4.0 * step_ms


class Analyses(Described):
    """An analysis refuses what it is given, or gives finite numbers."""

    name = "analyses"

    def prepare(self) -> dict[str, xr.DataArray | jtfne.Signals]:
        """What analyses are given: spikes, a raster, potentials and power."""
        config = (
            jtfne.Config()
            .runtime(duration_ms=400.0, dt_ms=0.5, seed=2)
            .areas(["V1"])
            .layers(["L2/3", "L4"])
            .cells({"E": 0.5, "PV": 0.5}, n=10)
            .cell_params({"E": {"drive": 8.0, "noise": 1.0}, "PV": {"drive": 8.0}})
            .probes(["spk", "vm", "lfp_proxy"])
        )
        signals = jtfne.construct(config).simulate()
        return {
            "signals": signals,
            "events": signals.get("spk"),
            "raster": signals.get("spk", layout="time_node"),
            "vm": signals.get("vm"),
            "lfp": lfp(),
            "power": analysis.spectrolaminar(lfp()),
        }

    def cases(self) -> st.SearchStrategy[Any]:
        """A function, the data, what is odd about them, and perhaps an odd argument."""
        names = sorted(
            name for name in analysis.__all__ if inspect.isfunction(getattr(analysis, name))
        )
        names = [name for name in names if name not in ("write_report", "compare_run")]

        def calls(name: str) -> st.SearchStrategy[Any]:
            parameters = list(inspect.signature(getattr(analysis, name)).parameters)
            value = st.one_of(python_values(), python_values(), st.sampled_from(OBJECTS))
            argument = st.one_of(st.none(), st.tuples(st.sampled_from(parameters), value))
            data = st.sampled_from(("signals", "events", "raster", "vm", "lfp", "lfp", "power"))
            return st.tuples(st.just(name), data, st.sampled_from(CHANGES), argument)

        return st.sampled_from(names).flatmap(calls)

    def run(self, context: dict[str, Any], case: Any) -> None:
        """Call the function."""
        name, data_name, kind, argument = case
        data = context[data_name]
        if isinstance(data, xr.DataArray):
            data = change(data, kind)
        function = getattr(analysis, name)
        arguments = self._arguments(function, data) | FEW.get(name, {})
        if argument is not None:
            arguments[argument[0]] = argument[1]
        for counted in ("n_draws", "n_bootstrap"):
            if isinstance(arguments.get(counted), int):
                arguments[counted] = min(arguments[counted], MOST_DRAWS)
        result = function(**arguments)
        if name in NAN_OF_CONSTANTS and never_varies(data):  # as their docstrings say
            return
        if name == "coherence" and has_short_segments(data, arguments):  # some without any power
            return
        if isinstance(result, xr.DataArray) and name not in MAY_BE_NAN:
            finite = bool(np.isfinite(result.values).all()) if result.dtype.kind in "fc" else True
            if not finite:
                raise Meaningless(f"{name}: not finite")
            if result.size == 0 and name not in MAY_BE_NAN:
                raise Meaningless(f"{name}: nothing")

    @staticmethod
    def _arguments(function: Any, data: Any) -> dict[str, Any]:
        """The arguments that a function must have, `data` in each place of data."""
        required = {
            name
            for name, parameter in inspect.signature(function).parameters.items()
            if parameter.default is inspect.Parameter.empty
        }
        plain: dict[str, Any] = {
            "low_Hz": 10.0,
            "high_Hz": 40.0,
            "onset_ms": 100.0,
            "name_or_path": "nowhere.fif",
        }
        return {name: plain.get(name, data) for name in required}
