"""Checks of an objective against the circuit, the run and the probes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jtfne._check import refuse
from jtfne._grid import steps_down, whole_steps
from jtfne.config.objective import Aim
from jtfne.config.readouts import Probe
from jtfne.config.task import Run
from jtfne.measures import Frame
from jtfne.measures._base import AREAL, LAMINAR

if TYPE_CHECKING:
    from jtfne.config._cross import Known
    from jtfne.config.config import Config


def aimed(config: "Config", declared: "Known", *, timed: bool, whole: bool) -> Iterator[str]:
    """Yield a line for each error of a metric or gate.

    timed: the run is declared. whole: everything is declared, so that nothing may be missing.
    """
    targets = config.training.objective
    if targets is None:
        return
    probes = {probe.readout: probe for probe in config.readouts.probes}
    for part in ("metrics", "gates"):
        for index, aim in enumerate(getattr(targets, part)):
            where = f"Config.training.objective.{part}[{index}]"
            yield from declared.refusals(aim.cells, f"{where}.cells")
            yield from _check_areas(aim, declared, where)
            if (
                timed
                and aim.window_ms is not None
                and aim.window_ms[1] > config.run.duration_ms * (1.0 + 1e-9)
            ):
                description = f"window_ms={aim.window_ms[0]:g} to {aim.window_ms[1]:g}"
                yield str(
                    refuse(
                        description,
                        f"a window within the run, 0 to {config.run.duration_ms:g} ms",
                        where,
                    )
                )
            elif timed and aim.of in probes:
                yield from _check_samples(aim, probes[aim.of], config.run, where)
            if whole and aim.of not in probes:
                yield str(
                    refuse(
                        f"{aim.label!r} of {aim.of!r}, which no probe records,",
                        _suggest_probe(aim, probes),
                        where,
                    )
                )


def _suggest_probe(aim: Aim, probes: dict[str, Probe]) -> str:
    """Text of a refusal: which readouts are recorded, and how to record that of `aim`."""
    recorded_names = ", ".join(map(repr, probes)) or "nothing"
    return f"what is recorded, {recorded_names}; or Config.probes([..., {aim.of!r}])"


def _check_areas(aim: Aim, declared: "Known", where: str) -> Iterator[str]:
    """Yield an error if a measure of one area (a response, a depth profile) selects several."""
    areas = aim.cells.area or declared.area or ()
    measure = aim.measure
    if measure.one_area and aim.of in (*LAMINAR, *AREAL) and len(areas) > 1:
        description = f"{type(measure).__name__} of areas {', '.join(areas)}"
        yield str(refuse(description, "one area, by cells={'area': ...}", where))


def _check_samples(aim: Aim, probe: Probe, run: Run, where: str) -> Iterator[str]:
    """Yield an error if the window holds no sample, or too few for the measure."""
    step_ms = getattr(probe, "interval_ms", None) or run.dt_ms
    if whole_steps(step_ms, run.dt_ms) is None:
        return  # refused where probes are; so short a step may make more samples than memory holds
    start_ms, stop_ms = aim.window_ms or (0.0, run.duration_ms)
    n_samples = int(steps_down(stop_ms, step_ms) - steps_down(start_ms, step_ms))
    if n_samples < 1:
        yield str(
            refuse(
                f"window_ms of {stop_ms - start_ms:g} ms",
                f"one sample or more, {step_ms:g} ms each",
                where,
            )
        )
        return
    frame = Frame(
        step_ms=step_ms, n_samples=n_samples, first_ms=start_ms + step_ms, counts=aim.of == "spk"
    )
    measure = aim.measure
    complaint = measure.complaint(frame)
    if complaint is not None:
        yield str(refuse(complaint[0], complaint[1], f"{where}.measure"))
