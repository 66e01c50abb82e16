"""The probes of a run: `plan` turns the readouts of a config into what a run must keep."""

import dataclasses
from typing import Any

import numpy as np

from jtfne._check import refuse
from jtfne.config import Config
from jtfne.flatnet import lay_out_rows, mechanisms_of
from jtfne.probes._cell_loops import Signs, build_source_maps, mechanism_signs
from jtfne.probes._currents import build_currents_by_sign
from jtfne.readouts import (
    READOUTS,
    ROWS,
    Columns,
    Probe,
    ProbeContext,
    ReadoutNode,
    Recording,
    SourceRows,
    SpikeEvents,
    VoltageRows,
)
from jtfne.sources import SOURCES
from jtfne.wiring import NetData, select_with

__all__ = [
    "ROWS",
    "Plan",
    "Probe",
    "ReadoutNode",
    "Recording",
    "SourceRows",
    "SpikeEvents",
    "VoltageRows",
    "mechanism_signs",
    "plan",
]


@dataclasses.dataclass(frozen=True)
class Plan:
    """The probes of a run and the recorders that serve them.

    Probes of one interval share one pass over the source.
    """

    probes: tuple[Probe, ...]
    recorders: tuple[SourceRows | VoltageRows, ...]

    def operators(self) -> dict[str, dict[str, Any]]:
        """Return the parameters of each field operator, by readout."""
        parameters_by_readout = {probe.name: probe.operator() for probe in self.probes}
        return {
            name: parameters
            for name, parameters in parameters_by_readout.items()
            if parameters is not None
        }

    def held_whole(self) -> tuple[SourceRows, ...]:
        """Return the recorders, or parts of them, of probes that need all their rows at once."""
        whole = {probe.name for probe in self.probes if probe.declaration.needs_whole_run}
        recorders = []
        for recorder in self.recorders:
            if isinstance(recorder, SourceRows):
                parts = {name: part for name, part in recorder.parts.items() if name in whole}
                if parts:
                    recorders.append(dataclasses.replace(recorder, parts=parts))
        return tuple(recorders)


def plan(net: NetData, config: Config, signs: Signs | None = None) -> Plan:
    """Return the probes and recorders of a run of `net` under `config`.

    signs: from `mechanism_signs`, computed here if left out.
    Raises: JtfneError for unknown sensors or cells, and as `build_source_maps` does.
    """
    signs = mechanism_signs(net, config) if signs is None else signs
    context = _build_context(net, config, signs)
    probes = []
    for readout in config.readouts.probes:
        if net.identity is None and readout.needs_identity:
            names = [repr(name) for name, cls in READOUTS.items() if not cls.needs_identity]
            description = f"probe {readout.readout!r} on a Net without identity"
            raise refuse(description, f"probes {', '.join(names)}", "probes")
        probes.append(readout.build(context))
    source_rows: dict[tuple[str, int], SourceRows] = {}
    voltage_rows = []
    for probe in probes:
        recorder = probe.recorder()
        if isinstance(recorder, SourceRows):
            key = recorder.source.kind, recorder.every
            parts = source_rows[key].parts if key in source_rows else {}
            source_rows[key] = dataclasses.replace(recorder, parts={**parts, **recorder.parts})
        elif recorder is not None:
            voltage_rows.append(recorder)
    return Plan(tuple(probes), (*source_rows.values(), *voltage_rows))


def _build_context(net: NetData, config: Config, signs: Signs) -> ProbeContext:
    """Return what the readouts of a run may use to build their probes."""
    circuit, identity = config.circuit, net.identity
    columns = Columns(
        circuit.geometry.thickness_mm,
        circuit.geometry.radius_mm,
        np.array([area.position_mm for area in circuit.areas], np.float64),
        np.array([area.normal for area in circuit.areas], np.float64),
        np.zeros((0, 3)) if identity is None else identity.position_mm,
    )
    maps_key = ("loops", config.readouts, signs)  # they do not change with the time step
    return ProbeContext(
        dt_ms=config.run.dt_ms,
        n_cells=net.n_neurons,
        identity=identity,
        source=SOURCES[config.readouts.source.kind](),
        columns=columns,
        choose_rows=lambda cells, where: select_with(identity, cells, where=where),
        build_maps=lambda: net.remembered(maps_key, lambda: build_source_maps(net, config, signs)),
        build_currents=lambda: build_currents_by_sign(
            net, lay_out_rows(net, mechanisms_of(config)).receptors, dict(signs)
        ),
    )
