"""Recordings that Neo holds or reads: signals and spike trains as labelled arrays."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne import _time
from jtfne._check import check_name, describe_value, import_extra, names_arguments, one_of, refuse
from jtfne._stored import refuse_large
from jtfne._units import Floats
from jtfne.readouts import find_readout, resolve_alias
from jtfne.recordings._events import describe_onsets_in_trials
from jtfne.recordings._neo_files import WHERE, read_block
from jtfne.recordings._si_units import convert_unit
from jtfne.recordings._spikes import build_spikes

if TYPE_CHECKING:
    import neo
    import xarray as xr

# Units of physical readouts and their kin, as text, and how quantities writes them.
SI_UNITS = {
    "V": "V",
    "T": "T",
    "T/m": "T/m",
    "A": "A",
    "A m": "A*m",
    "A/m^3": "A/m**3",
    "A/m^2": "A/m**2",
    "Hz": "Hz",
}
NAME_ANNOTATIONS = ("channel_names", "names", "channel_ids")
# Array annotations that become coordinates.
COORDINATES = ("area", "layer", "cell_type", "unit", "x_mm", "y_mm", "z_mm")
LABELS = ("area", "layer", "cell_type")
SAME_ms = 1e-3  # how far the lengths of two trials may differ


@names_arguments
def from_neo(
    source: "neo.Block | neo.Segment | neo.AnalogSignal | Sequence[neo.SpikeTrain] | str | "
    "os.PathLike[str]",
    readout: str = "lfp",
    *,
    signal: str | int | None = None,
    label: str | Sequence[str] | None = None,
) -> "xr.DataArray":
    """A signal, or the spikes, that Neo holds or reads, as `Signals.get` would give them.

    Parameters
    ----------
    source : neo.Block, Segment, AnalogSignal, sequence of SpikeTrain, str or Path
        In memory; or a recording that Neo reads (``pip install "jtfne[neo]"``): SpikeGLX, Open
        Ephys, Neuralynx or TDT by its folder or a file of it, Blackrock, Plexon (.plx), Intan,
        Axon, Spike2 (.smr), SpikeGadgets, NIX and others by file. Formats whose readers run code or
        fetch libraries (pickles, .pl2, ...) are refused by name.
    readout : str
        What to call it; ``spk`` gives the spike trains.
    signal : str or int, optional
        Name, or number, of the AnalogSignal of each segment. Left out, the one named as the
        readout, or the only one.
    label : str or sequence of str, optional
        Only events of these labels.

    Returns
    -------
    xarray.DataArray
        (time, channel) of one segment, (trial, time, channel) of several, in SI units; time in ms
        at the end of each sample, on the clock of the segment: Neo's `t_start` is where the first
        sample begins. ``attrs["onset_ms"]`` and ``attrs["labels"]`` tell the events, of several
        segments where all have the same.
        Spikes are events, as of `from_parquet`: a trial a segment, times from its `t_start`, a
        neuron a train, in their order.

    Raises
    ------
    JtfneError
        For what is nothing of Neo's, several signals to choose from, segments that differ in
        shape, another quantity than the readout's, and files that cannot be read.

    Examples
    --------
    >>> import neo, numpy as np, quantities as pq
    >>> signal = neo.AnalogSignal(np.ones((3, 1)), units="uV", sampling_rate=500 * pq.Hz)
    >>> recording = from_neo(signal)
    >>> recording.attrs["units"], recording.time.values.tolist(), float(recording[0, 0])
    ('V', [2.0, 4.0, 6.0], 1e-06)
    """
    check_name(readout, "the readout", WHERE)
    if signal is not None and (isinstance(signal, bool) or not isinstance(signal, str | int)):
        raise refuse(f"signal={describe_value(signal)}", "the name or number of a signal", WHERE)
    neo = import_extra("neo", "neo", WHERE)
    if isinstance(source, str | os.PathLike):
        source = read_block(source)
    wants_spikes = resolve_alias(readout) == "spk"
    if isinstance(source, neo.Block):
        segments = list(source.segments)
    elif isinstance(source, neo.Segment):
        segments = [source]
    elif isinstance(source, neo.AnalogSignal) and not wants_spikes:
        return _read_signals([source], readout)
    elif wants_spikes and (trains := _list_trains(source)) is not None:
        return _read_trains([trains])
    else:
        allowed = "a neo.Block, Segment, AnalogSignal, SpikeTrains with 'spk', or a path"
        raise refuse(f"{readout!r} of data of type {type(source).__name__}", allowed, WHERE)
    if not segments:
        raise refuse("a block without segments", "one segment or more", WHERE)
    if wants_spikes:
        if signal is not None or label is not None:
            raise refuse("signal= or label= for spikes", "neither", WHERE)
        return _read_trains([list(segment.spiketrains) for segment in segments])
    recording = _read_signals([_choose_signal(part, readout, signal) for part in segments], readout)
    events = [_list_events(segment) for segment in segments]
    return recording.assign_attrs(describe_onsets_in_trials(events, label, WHERE))


def _list_trains(source: Any) -> list[Any] | None:
    """The spike trains of a sequence of them, or a single one in a list; None of anything else."""
    import neo

    if isinstance(source, neo.SpikeTrain):
        return [source]
    is_sequence = isinstance(source, Sequence) or type(source).__name__ == "SpikeTrainList"
    trains = list(source) if is_sequence and not isinstance(source, str | bytes) else []
    is_all_trains = bool(trains) and all(isinstance(train, neo.SpikeTrain) for train in trains)
    return trains if is_all_trains else None


def _choose_signal(segment: Any, readout: str, signal: str | int | None) -> Any:
    """The AnalogSignal of a segment to read. Raises: JtfneError where it is not clear which."""
    signals = list(segment.analogsignals)
    names = [str(candidate.name) for candidate in signals]
    if isinstance(signal, int):
        if not 0 <= signal < len(signals):
            raise refuse(f"signal={signal} of {len(signals)} signals", "the number of one", WHERE)
        return signals[signal]
    if signal is not None:
        one_of(signal, names, name="signal", where=WHERE)
    wanted_name = readout if signal is None else signal
    candidates = [part for part, name in zip(signals, names, strict=True) if name == wanted_name]
    if not candidates and signal is None:
        candidates = signals
    if len(candidates) != 1:
        listing = ", ".join(f"{k}: {name!r}" for k, name in enumerate(names)) or "none"
        raise refuse(
            f"{readout!r} of a segment with the signals {listing}",
            "signal= of from_neo with the name or number of one",
            WHERE,
        )
    return candidates[0]


def _read_signals(signals: list[Any], readout: str) -> "xr.DataArray":
    """One signal, or one of each trial, as an array.

    Raises: JtfneError for trials that differ, and more than fits in memory.
    """
    import xarray as xr

    first = signals[0]
    shapes = {tuple(signal.shape) for signal in signals}
    if len(shapes) > 1:
        sizes = ", ".join(str(shape) for shape in sorted(shapes))
        raise refuse(
            f"segments whose signals have the shapes {sizes}",
            "segments alike, or one: from_neo(block.segments[0])",
            WHERE,
        )
    n_times, n_channels = shapes.pop()
    if n_times == 0 or n_channels == 0:
        raise refuse("a signal without samples", "one sample or more", WHERE)
    refuse_large(2 * 8 * len(signals) * n_times * n_channels, "a recording", WHERE)
    parts = []
    for signal in signals:
        parts.append(_load_signal(signal))
    unit, factor = _read_unit(parts[0], readout)
    values = np.stack([np.asarray(part.magnitude, np.float64) for part in parts])
    if factor != 1.0:
        values *= factor
    sampling_Hz = float(parts[0].sampling_rate.rescale("Hz"))
    times_ms = [_read_times(part, n_times, sampling_Hz) for part in parts]
    if any(np.abs(time_ms - times_ms[0]).max() > SAME_ms for time_ms in times_ms):
        raise refuse(
            "segments that begin at different times of their clocks",
            "segments alike, or one: from_neo(block.segments[0])",
            WHERE,
        )
    coords: dict[str, Any] = {
        "time": ("time", times_ms[0], {"units": "ms"}),
        **_describe_channels(parts[0], n_channels),
    }
    catalogued = find_readout(readout)
    is_own_unit = catalogued is not None and unit == catalogued.units
    attrs = {
        "readout": readout,
        "units": unit,
        "proxy": int(catalogued.proxy) if catalogued and is_own_unit else int(unit == "a.u."),
    }
    if getattr(first, "description", None):
        attrs["long_name"] = str(first.description)
    if len(parts) == 1:
        return xr.DataArray(values[0], coords, ("time", "channel"), readout, attrs)
    coords["trial"] = np.arange(len(parts))
    return xr.DataArray(values, coords, ("trial", "time", "channel"), readout, attrs)


def _load_signal(signal: Any) -> Any:
    """An AnalogSignal in memory. Raises: JtfneError where its samples cannot be read."""
    if not hasattr(signal, "load"):
        return signal
    try:
        return signal.load()
    except Exception as error:  # any: Neo's readers raise many kinds over a broken file
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise refuse(
            f"a signal whose samples cannot be read ({reason})", "a whole recording", WHERE
        ) from error


def _read_times(signal: Any, n_times: int, sampling_Hz: float) -> Floats:
    """The end of each sample of a signal, ms."""
    start_s = float(signal.t_start.rescale("s"))
    return _time.sample_ends_ms(start_s + np.arange(n_times) / sampling_Hz, sampling_Hz)


def _read_unit(signal: Any, readout: str) -> tuple[str, float]:
    """The unit of a signal as `readout` has it, and the factor to it.

    Raises: JtfneError for another quantity than the readout's.
    """
    import quantities as pq

    unit_text, factor = str(signal.annotations.get("units_text", "")), 1.0
    if signal.dimensionality != pq.dimensionless.dimensionality:
        unit_text = signal.dimensionality.string
        for si_text, spelling in SI_UNITS.items():
            target = pq.Quantity(1.0, spelling)
            if target.dimensionality.simplified == signal.dimensionality.simplified:
                unit_text, factor = si_text, float(pq.Quantity(1.0, signal.units).rescale(target))
    unit, more = convert_unit(unit_text or "1", readout, WHERE)
    return unit or "1", factor * more


def _describe_channels(signal: Any, n_channels: int) -> dict[str, Any]:
    """Coordinates of the channels of a signal by its array annotations."""
    annotations = dict(signal.array_annotations)
    coords: dict[str, Any] = {"channel": [f"ch{k}" for k in range(n_channels)]}
    for name in NAME_ANNOTATIONS:
        texts = np.asarray(annotations.get(name, [])).astype(str)
        if texts.size == n_channels == np.unique(texts).size:
            coords["channel"] = texts
            break
    for name in COORDINATES:
        if name in annotations and np.size(annotations[name]) == n_channels:
            attrs = {"units": "mm"} if name.endswith("_mm") else {}
            coords[name] = ("channel", np.asarray(annotations[name]), attrs)
    return coords


def _list_events(segment: Any) -> list[tuple[float, str]]:
    """(onset in ms, label) of each event of a segment, in the order of time."""
    pairs: list[tuple[float, str]] = []
    for event in segment.events:
        loaded = event.load() if hasattr(event, "load") else event
        times_ms = np.atleast_1d(loaded.times.rescale("ms").magnitude)
        texts = np.asarray(loaded.labels).astype(str)
        if texts.size != times_ms.size:
            texts = np.full(times_ms.size, str(loaded.name or "event"))
        pairs += zip(np.round(times_ms, 6).tolist(), texts.tolist(), strict=True)
    return sorted(pairs)


def _read_trains(trains_of_trial: list[list[Any]]) -> "xr.DataArray":
    """Spike trains of each trial as events.

    Raises: JtfneError for no trains, and trials that differ in their trains or their length.
    """
    n_neurons = len(trains_of_trial[0])
    if n_neurons == 0 or any(len(trains) != n_neurons for trains in trains_of_trial):
        counts = ", ".join(str(len(trains)) for trains in trains_of_trial[:10])
        raise refuse(
            f"segments with {counts} spike trains", "the same trains in each, one or more", WHERE
        )
    spans_ms = []
    times_ms: list[Floats] = [np.zeros(0)]
    neurons: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    trials: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    for trial, trains in enumerate(trains_of_trial):
        loaded = [train.load() if hasattr(train, "load") else train for train in trains]
        start_ms = min(float(train.t_start.rescale("ms")) for train in loaded)
        spans_ms.append(max(float(train.t_stop.rescale("ms")) for train in loaded) - start_ms)
        for neuron, train in enumerate(loaded):
            spikes_ms = np.atleast_1d(train.times.rescale("ms").magnitude).astype(np.float64)
            times_ms.append(np.round(spikes_ms - start_ms, _time.DECIMALS))
            neurons.append(np.full(spikes_ms.size, neuron))
            trials.append(np.full(spikes_ms.size, trial))
    if max(spans_ms) - min(spans_ms) > SAME_ms:
        raise refuse(
            f"segments of {min(spans_ms):g} to {max(spans_ms):g} ms",
            "segments equally long, or one: from_neo(block.segments[0], 'spk')",
            WHERE,
        )
    time_ms = np.concatenate(times_ms)
    neuron_index, trial_index = np.concatenate(neurons), np.concatenate(trials)
    labels = {}
    for name in LABELS:
        texts = [str(train.annotations.get(name, "")) for train in trains_of_trial[0]]
        if all(texts):
            labels[name] = np.array(texts, dtype=str)
    sizes = {
        "n_neurons": n_neurons,
        "n_trials": len(trains_of_trial),
        "duration_ms": round(spans_ms[0], _time.DECIMALS),
    }
    return build_spikes(time_ms, neuron_index, trial_index, labels, sizes)
