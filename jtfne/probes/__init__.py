"""Sources + operators -> channels with a unit.

`plan` turns the probes of a config into what a run must keep.
"""

import dataclasses
from typing import Any

import numpy as np

from jtfne import config as declared
from jtfne._check import refuse
from jtfne._grid import nearest_steps
from jtfne.flatnet import lay_out_rows, mechanisms_of
from jtfne.probes._base import ROWS, Probe, Readout, Recording, SourceRows, Spikes, VoltageRows
from jtfne.probes._cell_loops import Signs, SourceMapMatrices, build_source_maps, mechanism_signs
from jtfne.probes._sensors import Sensors, eeg_sites, meg_magnetometers
from jtfne.probes.cells import SourceProbe, SpikeProbe, VoltageProbe
from jtfne.probes.emm import EMMProbe
from jtfne.probes.fields import Columns, CSDProbe, DipoleProbe, LFPProbe, columns_of
from jtfne.probes.fields_head import LeadFieldProbe, eeg_leadfield, meg_leadfield
from jtfne.probes.head import HeadProbe
from jtfne.probes.laminar import LaminarProbe, Shank, SpectrolaminarProbe
from jtfne.probes.weighted_sums import WeightedSumProbe, by_sign
from jtfne.sources import SOURCES, Source
from jtfne.wiring import Identity, NetData, select_with

__all__ = [
    "ROWS",
    "Plan",
    "Probe",
    "Readout",
    "Recording",
    "Sensors",
    "SourceRows",
    "Spikes",
    "VoltageRows",
    "mechanism_signs",
    "plan",
]

# made at the end, of the whole of their rows
WHOLE = ("emm_proxy", "spectrolaminar_proxy", "rws", "erws")


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
        recorders = []
        for recorder in self.recorders:
            if isinstance(recorder, SourceRows):
                parts = {name: part for name, part in recorder.parts.items() if name in WHOLE}
                if parts:
                    recorders.append(dataclasses.replace(recorder, parts=parts))
        return tuple(recorders)


def plan(net: NetData, config: declared.Config, signs: Signs | None = None) -> Plan:
    """Return the probes and recorders of a run of `net` under `config`.

    signs: from `mechanism_signs`, computed here if left out.
    Raises: JtfneError for unknown sensors or cells, and as `build_source_maps` does.
    """
    source: Source = SOURCES[config.readouts.source.kind]()
    signs = mechanism_signs(net, config) if signs is None else signs
    probes = tuple(
        _build_probe(declaration, net, config, source, signs)
        for declaration in config.readouts.probes
    )
    source_rows: dict[tuple[str, int], SourceRows] = {}
    voltage_rows = []
    for probe in probes:
        recorder = probe.recorder(source)
        if isinstance(recorder, SourceRows):
            key = recorder.source.kind, recorder.every
            parts = source_rows[key].parts if key in source_rows else {}
            source_rows[key] = dataclasses.replace(recorder, parts={**parts, **recorder.parts})
        elif recorder is not None:
            voltage_rows.append(recorder)
    return Plan(probes, (*source_rows.values(), *voltage_rows))


def _build_probe(
    declaration: declared.Probe, net: NetData, config: declared.Config, source: Source, signs: Signs
) -> Probe:
    """Build the probe of one declaration."""
    dt_ms, identity, n_cells = config.run.dt_ms, net.identity, net.n_neurons
    if isinstance(declaration, declared.Spikes):
        return SpikeProbe(identity, n_cells)
    every = (
        1 if declaration.interval_ms is None else int(nearest_steps(declaration.interval_ms, dt_ms))
    )
    if isinstance(declaration, declared.Voltage):
        return VoltageProbe(identity, n_cells, every, _select_rows(declaration.cells, identity))
    if isinstance(declaration, declared.SourceProbe):
        return SourceProbe(
            identity, n_cells, every, tuple(name for name, _ in source.parts), source.kind
        )
    if identity is None:
        raise refuse(
            f"probe {declaration.readout!r} on a Net without identity",
            "probes 'spk', 'vm', 'source'",
            "probes",
        )
    if isinstance(declaration, declared.Physical):
        loops = net.remembered(
            ("loops", config.readouts, signs), lambda: build_source_maps(net, config, signs)
        )
        return _build_physical_probe(declaration, loops, columns_of(config, identity), every)
    if isinstance(declaration, declared.WeightedSum):
        return _build_weighted_sum(declaration, net, identity, config, signs, every)
    if isinstance(declaration, declared.EEGProxy):
        return _build_head_proxy(
            declaration.readout, eeg_sites(declaration.sites), identity, config, every
        )
    if isinstance(declaration, declared.MEGProxy):
        return _build_head_proxy(
            declaration.readout, meg_magnetometers(declaration.sensors), identity, config, every
        )
    shank = Shank.through_cells(
        identity,
        thickness_mm=config.circuit.geometry.thickness_mm,
        n_channels=declaration.n_channels,
        kernel_mm=declaration.kernel_mm,
    )
    if isinstance(declaration, declared.SpectrolaminarProxy):
        return SpectrolaminarProbe(shank, every, declaration.max_frequency_Hz)
    if isinstance(declaration, declared.EMMProxy):
        return EMMProbe(shank.kernel, declaration.weights, every)
    return LaminarProbe(declaration.readout, shank, every)


def _build_physical_probe(
    declaration: declared.Physical, loops: SourceMapMatrices, columns: Columns, every: int
) -> Probe:
    """Build the probe of a physical readout."""
    if isinstance(declaration, declared.Dipole):
        return DipoleProbe(loops, every)
    if isinstance(declaration, declared.LFP):
        return LFPProbe(declaration, loops, columns, every)
    if isinstance(declaration, declared.CSD):
        return CSDProbe(
            declaration, LFPProbe(declaration.potential(), loops, columns, every), every
        )
    lead = (
        eeg_leadfield(declaration, columns)
        if isinstance(declaration, declared.EEG)
        else meg_leadfield(declaration, columns)
    )
    return LeadFieldProbe(declaration.readout, lead, loops, every)


def _build_weighted_sum(
    declaration: declared.WeightedSum,
    net: NetData,
    identity: Identity,
    config: declared.Config,
    signs: Signs,
    every: int,
) -> WeightedSumProbe:
    """Build the probe of a weighted sum of synaptic currents."""
    currents, synapses = by_sign(
        net, lay_out_rows(net, mechanisms_of(config)).receptors, dict(signs)
    )
    rows = select_with(identity, declaration.cells, where=f"{declaration.kind}.cells")
    return WeightedSumProbe(
        declaration.readout, currents, synapses, identity, rows, declaration.sum_weights(), every
    )


def _select_rows(cells: declared.Selector, identity: Identity | None) -> Any:
    """Return the rows that `cells` selects, or None for all of them."""
    if cells == declared.Selector():
        return None
    return select_with(identity, cells, where="Voltage.cells")


def _build_head_proxy(
    name: str, sensors: Sensors, identity: Identity, config: declared.Config, every: int
) -> HeadProbe:
    """Build the probe of an EEG or MEG proxy over the areas of the circuit."""
    areas = config.circuit.areas
    return HeadProbe(
        name=name,
        sensors=sensors,
        cell_areas=np.asarray(identity.area),
        areas_mm=np.array([area.position_mm for area in areas], np.float64),
        normals=np.array([area.normal for area in areas], np.float64),
        every=every,
    )
