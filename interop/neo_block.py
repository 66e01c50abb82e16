"""A run as a Neo block: a segment a trial, with spike trains, signals and events."""

from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne import __version__, _json, _time
from jtfne._check import import_extra, names_arguments
from jtfne.interop._inputs import check_signals
from jtfne.interop.mne_events import list_conditions, list_events
from jtfne.interop.mne_raw import name_channels
from jtfne.signals import Signals

if TYPE_CHECKING:
    import neo
    import pandas as pd
    import xarray as xr

WHERE = "to_neo"
LABELS = ("area", "layer", "cell_type")
# How quantities writes the units of readouts; others are without dimension, with their name beside.
UNITS = {
    "V": "V",
    "mV": "mV",
    "T": "T",
    "T/m": "T/m",
    "A/m^3": "A/m**3",
    "A m": "A*m",
    "pA": "pA",
    "Hz": "Hz",
}
ANNOTATED = ("area", "layer", "cell_type", "neuron", "x_mm", "y_mm", "z_mm")


@names_arguments
def to_neo(signals: Signals) -> "neo.Block":
    """A run as `neo.Block` (``pip install "jtfne[neo]"``), for elephant and what else takes Neo.

    Parameters
    ----------
    signals : Signals

    Returns
    -------
    neo.Block
        A segment a trial, times from the start of the trial. Spike trains of all cells, silent ones
        too, from 0 to the trial's end, with the annotations neuron, area, layer, cell_type and
        population. Every readout over time as an AnalogSignal of that name with its unit (V, T,
        A/m**3, A*m, ...); proxies are without dimension, their unit in ``annotations["units_text"]``.
        MEG is two signals, ``meg_mag`` (T) and ``meg_grad`` (T/m). ``t_start`` is 0, where the
        first sample begins; vm is the potential at the end of each. Channels are in the array
        annotations: channel_names, area, z_mm, ... Stimuli are the Event ``stimuli``, with
        code, condition and duration_ms in its array annotations.

    Raises
    ------
    JtfneError
        If Neo is not installed, and for times that are uneven.

    Examples
    --------
    >>> import jtfne
    >>> net = jtfne.construct(jtfne.suite2_net1_config(20))
    >>> block = to_neo(net.simulate(duration_ms=50, trials=2))
    >>> len(block.segments), len(block.segments[0].spiketrains)
    (2, 20)
    """
    check_signals(signals, WHERE)
    neo = import_extra("neo", "neo", WHERE)
    block = neo.Block(
        name="jtfne",
        description=f"simulation by jtfne {__version__}",
        manifest_sha256=_json.sha256(signals.manifest),
    )
    events, conditions = list_events(signals), list_conditions(signals)
    names = [name for name in signals.recorded() if _has_time(signals, name)]
    for trial in range(int(signals.tree.attrs["n_trials"])):
        segment = neo.Segment(name=f"trial {trial}", index=trial)
        for name in names:
            for signal in _make_signals(signals.get(name, trial=trial)):
                segment.analogsignals.append(signal)
        if "spk" in signals.recorded():
            segment.spiketrains.extend(_make_trains(signals, trial))
        events_of_trial = events[events["trial"] == trial]
        if len(events_of_trial):
            segment.events.append(_make_event(events_of_trial))
        if conditions[trial]:
            segment.annotate(condition=conditions[trial])
        block.segments.append(segment)
    return block


def _has_time(signals: Signals, name: str) -> bool:
    """Whether a readout is sampled over time."""
    return name != "spk" and "time" in signals.tree[name][name].dims


def _make_trains(signals: Signals, trial: int) -> list[Any]:
    """The spike train of every cell in a trial."""
    import neo

    spikes = signals.get("spk", trial=trial)
    duration_ms = float(signals.tree.attrs["duration_ms"])
    ids = np.arange(int(signals.tree["spk"].attrs["n_neurons"]))
    rows: list[dict[Any, Any]] = [{} for _ in ids]
    if "neurons" in signals.tree.children:
        cells = signals.neurons
        ids = cells["neuron"].to_numpy()
        rows = cells[[*LABELS]].to_dict("records")
    order = np.argsort(spikes["neuron"].values, kind="stable")
    sorted_ids, times_ms = spikes["neuron"].values[order], spikes.values[order]
    trains = []
    for number, row in zip(ids.tolist(), rows, strict=True):
        start, stop = np.searchsorted(sorted_ids, [number, number + 1])
        labels = {name: str(value) for name, value in row.items()}
        if labels:
            labels["population"] = " ".join(labels.values())
        # a spike at the end of the last step may lie beyond the trial by rounding
        trains.append(
            neo.SpikeTrain(
                np.minimum(times_ms[start:stop], duration_ms),
                units="ms",
                t_start=0.0,
                t_stop=duration_ms,
                name=f"neuron {number}",
                neuron=number,
                **labels,
            )
        )
    return trains


def _make_signals(data: "xr.DataArray") -> list[Any]:
    """A readout of one trial as an AnalogSignal, or as one for each of its units."""
    import neo
    import quantities as pq

    name = str(data.name)
    data = data.transpose("time", ...)
    n_times = data.sizes["time"]
    values = np.asarray(data.values).reshape(n_times, -1)
    times_ms = np.asarray(data["time"].values, np.float64)
    step_ms = float(times_ms[0])
    if n_times > 1:
        step_ms = _time.even_step(times_ms, where=WHERE, name=f"time of {name}")
    annotations = _annotate_channels(data, values.shape[1])
    units = np.full(values.shape[1], str(data.attrs["units"]))
    if "unit" in data.coords:
        units = data["unit"].values.astype(str)
    signals = []
    for unit in dict.fromkeys(units.tolist()):
        columns = np.flatnonzero(units == unit)
        kind = {"T": "mag", "T/m": "grad"}.get(unit, unit)
        signals.append(
            neo.AnalogSignal(
                values[:, columns],
                units=UNITS.get(unit, "dimensionless"),
                sampling_period=pq.Quantity(step_ms, "ms"),
                t_start=pq.Quantity(round(float(times_ms[0]) - step_ms, 9), "ms"),
                name=name if columns.size == units.size else f"{name}_{kind}",
                description=str(data.attrs.get("long_name", name)),
                array_annotations={key: array[columns] for key, array in annotations.items()},
                units_text=unit,
            )
        )
    return signals


def _annotate_channels(data: "xr.DataArray", n_channels: int) -> dict[str, Any]:
    """What is known of each channel of a readout, (n_channels,) each."""
    annotations = {"channel_names": np.array(name_channels(data), dtype=str)}
    sample = data.isel(time=0, drop=True)
    for name in ANNOTATED:
        if name in sample.coords and sample[name].dims:
            spread = sample[name].broadcast_like(sample).transpose(*sample.dims)
            values = spread.values.reshape(n_channels)
            annotations[name] = values if values.dtype.kind in "iuf" else values.astype(str)
    return annotations


def _make_event(events: "pd.DataFrame") -> Any:
    """The stimuli of a trial as one Event."""
    import neo

    annotations = {
        "code": events["code"].to_numpy(),
        "duration_ms": events["duration_ms"].to_numpy(),
    }
    if events["condition"].any():
        annotations["condition"] = events["condition"].to_numpy().astype(str)
    return neo.Event(
        events["onset_ms"].to_numpy(),
        labels=events["label"].to_numpy().astype(str),
        units="ms",
        name="stimuli",
        array_annotations=annotations,
    )
