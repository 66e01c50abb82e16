"""A side of a comparison: stretches of samples without a gap, and the events in them.

A trial of a run, an epoch, and what a recording has between two bad spans or boundaries are such
stretches. So a run and the file that it was exported to are one and the same side.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import xarray as xr

from jtfne._check import FINITE, JtfneError, number, one_of, refuse
from jtfne._time import CLOCK_ms
from jtfne._units import Floats
from jtfne.analysis._inputs import Window, check_values, even_step
from jtfne.analysis.comparisons._base import Source
from jtfne.signals import Signals

# How far an event may be off a sample, of a step: FIF keeps onsets in single precision.
EVENT_TOLERANCE = 0.01
BOUNDARY_TOLERANCE = 0.25  # and a boundary


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """Stretches (time, channel) of one signal, and its events as (stretch, onset in ms).

    onsets_ms: of all events of the source, of those too that lie in no stretch.
    """

    name: str
    pieces: tuple[xr.DataArray, ...]
    events: tuple[tuple[int, float], ...]
    onsets_ms: tuple[float, ...]
    row_kind: str
    mne_type: str | None

    @property
    def dt_ms(self) -> float:
        """Its sampling interval, ms."""
        return even_step(self.pieces[0], "time", "analysis.compare")

    @property
    def units(self) -> str:
        """Unit of its values."""
        return str(self.pieces[0].attrs.get("units", "a.u."))

    @property
    def is_proxy(self) -> bool:
        """Whether its unit is arbitrary."""
        return bool(self.pieces[0].attrs.get("proxy", 0)) or self.units == "a.u."

    @property
    def channels(self) -> list[str]:
        """The names of its channels."""
        return [str(name) for name in self.pieces[0]["channel"].values.tolist()]

    def with_pieces(self, pieces: Sequence[xr.DataArray]) -> "Side":
        """Return it with other samples, on the same clock."""
        return dataclasses.replace(self, pieces=tuple(pieces))

    def take(self, channels: Sequence[int]) -> "Side":
        """Return it with the channels at these places only."""
        return self.with_pieces([piece.isel(channel=list(channels)) for piece in self.pieces])


def read_side(source: Source, where: str) -> Side:
    """The stretches and events of a run or of a recording.

    Raises: JtfneError for data that are no samples over time and channels, or have no stretch of 2
    samples.
    """
    array, events_by_trial = _read_source(source, where)
    array = check_values(array, where, "time")
    array = _select_area(array, source, where)
    extra_dims = [str(dim) for dim in array.dims if dim not in ("trial", "time", "channel")]
    if extra_dims or "channel" not in array.dims:
        raise refuse(
            f"{source.name} data with dims {tuple(map(str, array.dims))}",
            "time and channel, with or without trial: select one area",
            where,
        )
    if "channel" not in array.coords:
        array = array.assign_coords(channel=[f"ch{k:02d}" for k in range(array.sizes["channel"])])
    even_step(array, "time", where)
    pieces: list[xr.DataArray] = []
    events: list[tuple[int, float]] = []
    trials = range(array.sizes.get("trial", 1))
    for trial in trials:
        samples = array.isel(trial=trial, drop=True) if "trial" in array.dims else array
        stretches = _split_at_spans(samples.transpose("time", "channel"))
        onsets_ms = events_by_trial[trial] if len(events_by_trial) > 1 else events_by_trial[0]
        events += _locate_events(stretches, onsets_ms, len(pieces))
        pieces += stretches
    if not pieces:
        description = f"{source.name} data without two samples that are not marked as bad"
        raise refuse(description, "a stretch of good samples", where)
    all_onsets_ms = tuple(onset_ms for onsets in events_by_trial for onset_ms in onsets)
    return Side(
        source.name, tuple(pieces), tuple(events), all_onsets_ms, source.row_kind, source.mne_type
    )


def _read_source(source: Source, where: str) -> tuple[xr.DataArray, list[list[float]]]:
    """The samples of a source, and the onsets in each trial (one list for all trials of an array).

    Two events at one time are one. Raises: JtfneError for labels that no event has.
    """
    if isinstance(source.data, Signals):
        events = source.data.events
        if source.label is not None:
            labels = sorted({str(label) for label in events["label"]})
            one_of(source.label, labels, name="label", where=where)
            events = events[events["label"] == source.label]
        onsets_by_trial = []
        for trial in range(int(source.data.tree.attrs["n_trials"])):
            onsets_ms = events["onset_ms"][events["trial"] == trial]
            onsets_by_trial.append(sorted({float(time_ms) for time_ms in onsets_ms}))
        return source.data.get(source.readout), onsets_by_trial
    recorded_onsets_ms = []
    for time_ms in np.ravel(source.data.attrs.get("onset_ms", [])).tolist():
        name = f"{source.name} onset_ms"
        recorded_onsets_ms.append(number(time_ms, FINITE, name=name, where=where))
    return source.data, [sorted(set(recorded_onsets_ms))]


def _select_area(array: xr.DataArray, source: Source, where: str) -> xr.DataArray:
    """`array` with the area that was asked for; areas of an areal readout are channels.

    A file that holds several areas names its channels "area:contact", as `to_raw` writes them.
    Raises: JtfneError for an area that it lacks.
    """
    if "area" in array.dims:
        names = [str(name) for name in np.atleast_1d(array["area"].values)]
        if source.area is None and source.row_kind == "areal":
            return array.rename(area="channel")
        area = names[0] if source.area is None else source.area
        place = names.index(one_of(area, names, name="area", where=where))
        if source.row_kind == "areal":
            return array.isel(area=[place]).rename(area="channel")
        return array.isel(area=place, drop=True)
    if source.row_kind != "laminar" or "channel" not in array.coords:
        return array
    prefixes = [str(name).rpartition(":")[0] for name in array["channel"].values.tolist()]
    areas = list(dict.fromkeys(prefixes))
    if len(areas) < 2 or "" in areas:
        return array
    area = areas[0] if source.area is None else source.area
    one_of(area, areas, name="area", where=where)
    return array.isel(channel=[k for k, prefix in enumerate(prefixes) if prefix == area])


def _split_at_spans(samples: xr.DataArray) -> list[xr.DataArray]:
    """What lies between the bad spans of a recording, without stretches of fewer than 2 samples.

    A sample stands for the interval that ends at its time; a boundary is a span of no length.
    """
    starts_ms = np.ravel(samples.attrs.get("bad_starts_ms", [])).tolist()
    stops_ms = np.ravel(samples.attrs.get("bad_stops_ms", [])).tolist()
    if not starts_ms:
        return [samples] if samples.sizes["time"] > 1 else []
    time_ms = np.asarray(samples["time"].values, np.float64)
    dt_ms = float(time_ms[1] - time_ms[0]) if time_ms.size > 1 else 0.0
    slack_ms = BOUNDARY_TOLERANCE * dt_ms
    is_good = np.ones(time_ms.size, bool)
    stretch = np.zeros(time_ms.size, np.int64)
    for start_ms, stop_ms in zip(starts_ms, stops_ms, strict=True):
        starts_later = time_ms > start_ms + slack_ms
        is_good &= ~(starts_later & (time_ms - dt_ms < stop_ms - slack_ms))
        stretch += starts_later
    pieces = []
    for number_of_stretch in np.unique(stretch[is_good]):
        rows = np.flatnonzero(is_good & (stretch == number_of_stretch))
        if rows.size > 1:
            pieces.append(samples.isel(time=slice(int(rows[0]), int(rows[-1]) + 1)))
    return pieces


def _locate_events(
    pieces: Sequence[xr.DataArray], onsets_ms: Sequence[float], first: int
) -> list[tuple[int, float]]:
    """The stretch, counted from `first`, in which each event lies; events in none are left out."""
    events = []
    for place, piece in enumerate(pieces):
        time_ms = np.asarray(piece["time"].values, np.float64)
        dt_ms = float(time_ms[1] - time_ms[0])
        slack_ms = BOUNDARY_TOLERANCE * dt_ms
        for onset_ms in onsets_ms:
            if time_ms[0] - dt_ms - slack_ms <= onset_ms < time_ms[-1] - slack_ms:
                events.append((first + place, onset_ms))
    return events


def choose_window(sides: Sequence[Side], longest_ms: Window, where: str) -> Window:
    """The longest window around events, within `longest_ms`, that an event of each side has.

    Raises: JtfneError for a side without an event, or without samples around it.
    """
    starts_ms, stops_ms = [], []
    for side in sides:
        best_share, best_window = 0.0, (0.0, 0.0)
        for place, onset_ms in side.events:
            time_ms = side.pieces[place]["time"].values
            before_ms = min(onset_ms - float(time_ms[0]), -longest_ms[0])
            after_ms = min(float(time_ms[-1]) - onset_ms, longest_ms[1])
            share = min(before_ms / -longest_ms[0], after_ms / longest_ms[1])
            if share > best_share:
                best_share, best_window = share, (-before_ms, after_ms)
        if best_share == 0.0:
            raise _refuse_no_events(side, where)
        starts_ms.append(best_window[0])
        stops_ms.append(best_window[1])
    return max(starts_ms), min(stops_ms)


def _refuse_no_events(side: Side, where: str) -> JtfneError:
    """The error of a side without an event that has samples before and after it."""
    if side.onsets_ms:
        return refuse(
            f"{side.name} data whose events, the first at {side.onsets_ms[0]:g} ms, have no good "
            "samples before or none after them,",
            "an event within the data",
            where,
        )
    return JtfneError(
        f"the {side.name} data do not say when the stimulus came; give a run without events one "
        "that has an onset, such as a Pulse, and a recording its onset_ms: an argument of "
        "load_recording, --onset-ms, an attribute (.nc) or an annotation (.fif) "
        f"(in {where})"
    )


def relative_times_ms(window_ms: Window, dt_ms: float) -> Floats:
    """The multiples of the sampling interval within a window around an event, ms."""
    first = int(np.ceil(window_ms[0] / dt_ms - EVENT_TOLERANCE))
    last = int(np.floor(window_ms[1] / dt_ms + EVENT_TOLERANCE))
    times_ms: Floats = np.arange(first, last + 1, dtype=np.float64) * dt_ms
    return times_ms


def average_events(side: Side, times_ms: Floats, where: str) -> xr.DataArray:
    """Mean (time, channel) at `times_ms` from the events that have all of them; attrs n_epochs.

    Between two samples it is linear: an event need not lie on one.
    Raises: JtfneError where no event has all of the window.
    """
    epochs = []
    dt_ms = side.dt_ms
    for place, onset_ms in side.events:
        piece = side.pieces[place]
        positions: Floats = (onset_ms + times_ms - float(piece["time"][0])) / dt_ms
        on_samples = np.round(positions)
        is_near = np.abs(positions - on_samples) <= EVENT_TOLERANCE
        positions = np.where(is_near, on_samples, positions)
        if positions[0] < 0.0 or positions[-1] > piece.sizes["time"] - 1:
            continue
        rows = np.minimum(np.floor(positions).astype(np.int64), piece.sizes["time"] - 2)
        weights = (positions - rows)[:, None]
        values = np.asarray(piece.values)
        epochs.append((1.0 - weights) * values[rows] + weights * values[rows + 1])
    if not epochs:
        raise refuse(
            f"{len(side.events)} events of the {side.name} data, none with "
            f"{max(-times_ms[0], 0.0):g} ms before and {times_ms[-1]:g} ms after it,",
            "an event whose window is whole",
            where,
        )
    template = side.pieces[0]
    coords = {name: coord for name, coord in template.coords.items() if "time" not in coord.dims}
    mean = xr.DataArray(
        np.mean(epochs, axis=0), {"time": times_ms, **coords}, ("time", "channel"), template.name
    )
    mean.attrs = {**template.attrs, "n_epochs": len(epochs), "onset_ms": 0.0}
    mean["time"].attrs.update(units="ms", long_name="time from onset")
    return mean


def subtract_baseline(mean: xr.DataArray) -> xr.DataArray:
    """`mean` less its mean up to the event; what the last sample before it stands for ends at 0."""
    rows = np.flatnonzero(mean["time"].values <= CLOCK_ms)
    baseline = mean.isel(time=rows).mean("time")
    return (mean - baseline).assign_attrs(mean.attrs)
