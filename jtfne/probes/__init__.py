"""Sources + operators -> channels with a unit. `plan` turns the probes of a config into what a run must keep."""

import dataclasses
from typing import Any

import numpy as np

from jtfne import config as words
from jtfne._check import refuse
from jtfne._grid import nearest_steps
from jtfne.flatnet import mechanisms_of, receptors_of
from jtfne.net import Identity, Net, select_with
from jtfne.probes._base import ROWS, Probe, Readout, Recording, SourceRows, Spikes, VoltageRows
from jtfne.probes._cell_loops import CellLoops, Signs, loops_of, signs_of
from jtfne.probes._sensors import Sensors, eeg_sites, meg_magnetometers
from jtfne.probes.cells import SourceProbe, SpikeProbe, VoltageProbe
from jtfne.probes.emm import EMMProbe
from jtfne.probes.fields import Columns, CSDProbe, DipoleProbe, LFPProbe, columns_of
from jtfne.probes.fields_head import LeadProbe, eeg_lead, meg_lead
from jtfne.probes.head import HeadProbe
from jtfne.probes.laminar import LaminarProbe, Shank, SpectrolaminarProbe
from jtfne.probes.weighted_sums import WeightedSumProbe, by_sign
from jtfne.sources import SOURCES, Source

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
    "plan",
    "signs_of",
]

WHOLE = ("emm_proxy", "spectrolaminar_proxy", "rws", "erws")  # made at the end, of the whole of their rows


@dataclasses.dataclass(frozen=True)
class Plan:
    """The probes of a run and the recorders that serve them; probes of one interval share one pass over the source."""

    probes: tuple[Probe, ...]
    recorders: tuple[SourceRows | VoltageRows, ...]

    def operators(self) -> dict[str, dict[str, Any]]:
        """Parameters of each field operator, by readout."""
        found = {probe.name: probe.operator() for probe in self.probes}
        return {name: parameters for name, parameters in found.items() if parameters is not None}

    def held_whole(self) -> tuple[SourceRows, ...]:
        """What of the recorders serves probes that need all of their rows at once."""
        parts = (
            dataclasses.replace(each, parts={name: part for name, part in each.parts.items() if name in WHOLE})
            for each in self.recorders
            if isinstance(each, SourceRows)
        )
        return tuple(each for each in parts if each.parts)


def plan(net: Net, config: words.Config, signs: Signs | None = None) -> Plan:
    """What a run of `net` under `config` must keep. signs: of `signs_of`, found here if not given.

    Raises: JtfneError for unknown sensors or cells, and as `loops_of` does.
    """
    source: Source = SOURCES[config.readouts.source.kind]()
    signs = signs_of(net, config) if signs is None else signs
    probes = tuple(_probe(each, net, config, source, signs) for each in config.readouts.probes)
    shared: dict[tuple[str, int], SourceRows] = {}
    voltages = []
    for probe in probes:
        recorder = probe.recorder(source)
        if isinstance(recorder, SourceRows):
            key = recorder.source.kind, recorder.every
            parts = shared[key].parts if key in shared else {}
            shared[key] = dataclasses.replace(recorder, parts={**parts, **recorder.parts})
        elif recorder is not None:
            voltages.append(recorder)
    return Plan(probes, (*shared.values(), *voltages))


def _probe(declared: words.Probe, net: Net, config: words.Config, source: Source, signs: Signs) -> Probe:
    """The working probe of one declaration."""
    dt_ms, identity, n_cells = config.run.dt_ms, net.identity, net.n_neurons
    if isinstance(declared, words.Spikes):
        return SpikeProbe(identity, n_cells)
    every = 1 if declared.interval_ms is None else int(nearest_steps(declared.interval_ms, dt_ms))
    if isinstance(declared, words.Voltage):
        return VoltageProbe(identity, n_cells, every, _rows(declared.cells, identity))
    if isinstance(declared, words.SourceProbe):
        return SourceProbe(identity, n_cells, every, tuple(name for name, _ in source.parts), source.kind)
    if identity is None:
        raise refuse(f"probe {declared.readout!r} on a Net without identity", "probes 'spk', 'vm', 'source'", "probes")
    if isinstance(declared, words.Physical):
        loops = net.remembered(("loops", config.readouts, signs), lambda: loops_of(net, config, signs))
        return _physical(declared, loops, columns_of(config, identity), every)
    if isinstance(declared, words.WeightedSum):
        return _weighted(declared, net, identity, config, signs, every)
    if isinstance(declared, words.EEGProxy):
        return _head(declared.readout, eeg_sites(declared.sites), identity, config, every)
    if isinstance(declared, words.MEGProxy):
        return _head(declared.readout, meg_magnetometers(declared.sensors), identity, config, every)
    shank = Shank.of(
        identity,
        thickness_mm=config.circuit.geometry.thickness_mm,
        n_channels=declared.n_channels,
        kernel_mm=declared.kernel_mm,
    )
    if isinstance(declared, words.SpectrolaminarProxy):
        return SpectrolaminarProbe(shank, every, declared.max_frequency_Hz)
    if isinstance(declared, words.EMMProxy):
        return EMMProbe(shank.kernel, declared.weights, every)
    return LaminarProbe(declared.readout, shank, every)


def _physical(declared: words.Physical, loops: CellLoops, columns: Columns, every: int) -> Probe:
    """The working probe of a physical readout."""
    if isinstance(declared, words.Dipole):
        return DipoleProbe(loops, every)
    if isinstance(declared, words.LFP):
        return LFPProbe(declared, loops, columns, every)
    if isinstance(declared, words.CSD):
        return CSDProbe(declared, LFPProbe(declared.potential(), loops, columns, every), every)
    lead = eeg_lead(declared, columns) if isinstance(declared, words.EEG) else meg_lead(declared, columns)
    return LeadProbe(declared.readout, lead, loops, every)


def _weighted(
    declared: words.WeightedSum, net: Net, identity: Identity, config: words.Config, signs: Signs, every: int
) -> WeightedSumProbe:
    """A weighted sum of synaptic currents."""
    currents, synapses = by_sign(net, receptors_of(net, mechanisms_of(config), shared=True), dict(signs))
    rows = select_with(identity, declared.cells, where=f"{declared.kind}.cells")
    return WeightedSumProbe(declared.readout, currents, synapses, identity, rows, declared.sum_weights(), every)


def _rows(cells: words.Selector, identity: Identity | None) -> Any:
    """The rows that `cells` selects, or None for all of them."""
    if cells == words.Selector():
        return None
    return select_with(identity, cells, where="Voltage.cells")


def _head(name: str, sensors: Sensors, identity: Identity, config: words.Config, every: int) -> HeadProbe:
    """An EEG or MEG proxy over the areas of the circuit."""
    areas = config.circuit.areas
    return HeadProbe(
        name=name,
        sensors=sensors,
        cell_areas=np.asarray(identity.area),
        areas_mm=np.array([area.position_mm for area in areas], np.float64),
        normals=np.array([area.normal for area in areas], np.float64),
        every=every,
    )
