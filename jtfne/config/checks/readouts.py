"""Checks of readouts: their cells, intervals, sensors and contacts, and areas without a position."""

from collections.abc import Iterator, Sequence

from jtfne._grid import whole_steps
from jtfne.config.checks.declared_names import DeclaredNames
from jtfne.config.checks.times import DURATION_ROUNDING, refuse_off_grid
from jtfne.config.circuit import Circuit
from jtfne.config.task import Run
from jtfne.pydantic_fields.errors import describe_refusal
from jtfne.pydantic_fields.selector_field import Selector
from jtfne.readouts import Readout


def check_probes(
    probes: Sequence[Readout], run: Run | None, declared: DeclaredNames
) -> Iterator[str]:
    """Yield each error of the probes: unknown cells, intervals off the grid or too long.

    run: None as long as none is declared.
    """
    for index, probe in enumerate(probes):
        where = f"Config.readouts.probes[{index}]"
        cells = getattr(probe, "cells", None)
        if isinstance(cells, Selector):
            yield from declared.selector_errors(cells, f"{where}.cells")
        interval_ms = getattr(probe, "interval_ms", None)
        if interval_ms is None or run is None:
            continue
        if whole_steps(interval_ms, run.dt_ms) is None:
            yield refuse_off_grid("interval_ms", interval_ms, run.dt_ms, where)
        elif interval_ms > run.duration_ms * DURATION_ROUNDING:
            allowed = f"at most the run, {run.duration_ms:g} ms"
            yield describe_refusal(f"interval_ms={interval_ms:g}", allowed, where)


def check_positions(probes: Sequence[Readout], circuit: Circuit) -> Iterator[str]:
    """Yield an error for each area without a position if a probe needs positions in the head."""
    readout_names = [probe.readout for probe in probes if probe.needs_places]
    if not readout_names:
        return
    for index, area in enumerate(circuit.areas):
        if not area.placed:
            yield describe_refusal(
                f"area {area.name!r} without position_mm, with a probe {readout_names[0]!r}",
                "Area(name=..., position_mm=..., normal=...)",
                f"Config.circuit.areas[{index}]",
            )


def check_sensors(probes: Sequence[Readout], circuit: Circuit) -> Iterator[str]:
    """Yield what each probe says of sensors, heads and contacts in a complete circuit."""
    for probe in probes:
        yield from probe.check(circuit)
