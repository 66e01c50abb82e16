"""Checks of an objective's metrics and gates against the cells, the run and the probes."""

from collections.abc import Iterator, Mapping

from jtfne._grid import steps_down, whole_steps
from jtfne.config.checks.declared_names import DeclaredNames
from jtfne.config.checks.times import DURATION_ROUNDING
from jtfne.config.objective import Metric, ObjectiveTerm, Targets
from jtfne.config.readouts import Readouts
from jtfne.config.task import Run
from jtfne.measures import Frame
from jtfne.pydantic_fields.curve_field import Curve
from jtfne.pydantic_fields.errors import describe_refusal, describe_unknown
from jtfne.readouts import Readout


def check_objective(
    targets: Targets | None,
    readouts: Readouts,
    run: Run | None,
    declared: DeclaredNames,
    *,
    is_complete: bool,
) -> Iterator[str]:
    """Yield each error of the metrics and gates, one line each.

    run: None as long as none is declared. is_complete: every probe is declared, so that each
    measured readout must be recorded.
    """
    if targets is None:
        return
    probes = {probe.readout: probe for probe in readouts.probes}
    for part in ("metrics", "gates"):
        for index, aim in enumerate(getattr(targets, part)):
            where = f"Config.training.objective.{part}[{index}]"
            yield from declared.selector_errors(aim.cells, f"{where}.cells")
            yield from _check_areas(aim, declared, where)
            yield from _check_channels(aim, probes.get(aim.of), where)
            if run is not None:
                yield from _check_window(aim, probes.get(aim.of), run, where)
            if is_complete and aim.of not in probes:
                description = f"{aim.label!r} of {aim.of!r}, which no probe records,"
                yield describe_refusal(description, _suggest_probe(aim, probes), where)


def _suggest_probe(aim: ObjectiveTerm, probes: Mapping[str, Readout]) -> str:
    """Text of a refusal: which readouts are recorded, and how to record that of `aim`."""
    recorded_names = ", ".join(map(repr, probes)) or "nothing"
    return f"what is recorded, {recorded_names}; or Config.probes([..., {aim.of!r}])"


def _check_areas(aim: ObjectiveTerm, declared: DeclaredNames, where: str) -> Iterator[str]:
    """Yield an error if a measure of one area (a response, a depth profile) selects several."""
    areas = aim.cells.area or declared.area_names or ()
    measure = aim.measure
    if measure.one_area and aim.row_kind in ("laminar", "areal") and len(areas) > 1:
        description = f"{type(measure).__name__} of areas {', '.join(areas)}"
        yield describe_refusal(description, "one area, by cells={'area': ...}", where)


def _check_channels(aim: ObjectiveTerm, probe: Readout | None, where: str) -> Iterator[str]:
    """Yield an error for channels that the probe will not have, or that a curve over sensors lacks.

    Not checked: a probe whose channels only the run knows.
    """
    target = aim.target if isinstance(aim, Metric) else None
    is_map = isinstance(target, Curve) and aim.row_kind == "head" and "channel" in target.dims
    is_named = aim.channels is not None or is_map  # only then, for MNE takes a moment to load
    names = probe.list_channels() if probe is not None and is_named else None
    if names is None:
        return
    lines = [
        describe_unknown(channel, names, name="channel", where=f"{where}.channels")
        for channel in aim.channels or ()
    ]
    yield from filter(None, lines)
    if isinstance(target, Curve) and is_map and not any(lines):
        curve_channels = [str(channel) for channel in target.coords["channel"]]
        missing_channels = [
            channel for channel in aim.channels or names if channel not in curve_channels
        ]
        has_none = len(missing_channels) == len(aim.channels or names)
        if has_none or (aim.channels is not None and missing_channels):
            description = f"a curve without the channels {', '.join(missing_channels[:5])}"
            allowed = f"one of channels among {', '.join(curve_channels[:8])}"
            yield describe_refusal(description, allowed, f"{where}.target")


def _check_window(aim: ObjectiveTerm, probe: Readout | None, run: Run, where: str) -> Iterator[str]:
    """Yield an error for a window beyond the run, or with too few samples for the measure.

    probe: that of the measured readout, None if there is none.
    """
    if aim.window_ms is not None and aim.window_ms[1] > run.duration_ms * DURATION_ROUNDING:
        description = f"window_ms={aim.window_ms[0]:g} to {aim.window_ms[1]:g}"
        allowed = f"a window within the run, 0 to {run.duration_ms:g} ms"
        yield describe_refusal(description, allowed, where)
        return
    if probe is None:
        return
    step_ms = getattr(probe, "interval_ms", None) or run.dt_ms
    if whole_steps(step_ms, run.dt_ms) is None:
        return  # refused where probes are; so short a step may make more samples than memory holds
    start_ms, stop_ms = aim.window_ms or (0.0, run.duration_ms)
    n_samples = int(steps_down(stop_ms, step_ms) - steps_down(start_ms, step_ms))
    if n_samples < 1:
        description = f"window_ms of {stop_ms - start_ms:g} ms"
        yield describe_refusal(description, f"one sample or more, {step_ms:g} ms each", where)
        return
    frame = Frame(
        step_ms=step_ms,
        n_samples=n_samples,
        first_ms=start_ms + step_ms,
        counts=aim.row_kind == "spikes",
    )
    complaint = aim.measure.complaint(frame)
    if complaint is not None:
        description, allowed = complaint
        yield describe_refusal(description, allowed, f"{where}.measure")
