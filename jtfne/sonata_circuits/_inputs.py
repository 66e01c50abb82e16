"""Inputs of a circuit: spikes of its virtual cells, and current clamps."""

from typing import Any

import numpy as np

from jtfne._check import describe_value, number, one_of, refuse
from jtfne._sonata_files import CircuitFiles, InputEntry, read_spikes
from jtfne.emitters import SpikeSource
from jtfne.sonata_circuits._cells import CellGroup, CellTable

# what bmtk calls HDF5 in SONATA's form, and its own table
SPIKE_MODULES = ("h5", "hdf5", "sonata", "csv")
KEYS = {
    "spikes": ("input_type", "module", "input_file", "node_set", "enabled"),
    "current_clamp": ("input_type", "module", "node_set", "amp", "delay", "duration", "enabled"),
}
CLAMPS = "IClamp"
NEST = "NEST"  # the simulator whose clamps are in pA


def read_trains(files: CircuitFiles, groups: list[CellGroup]) -> dict[str, SpikeSource]:
    """The spikes of all virtual cell types; silent where no input gives any.

    Raises: JtfneError for spikes of cells that are not virtual or not there, and unknown inputs.
    """
    n_types = {group.population: 0 for group in groups}
    tables: dict[str, list[tuple[Any, Any]]] = {name: [] for name in n_types}
    for entry in files.inputs:
        where = f"{files.path.name}, input {entry.name!r}"
        if _find_kind(entry, where) != "spikes":
            continue
        name = _find_population(files, entry, list(tables), where)
        models = [group.model for group in groups if group.population == name]
        if any(model is not None for model in models):
            description = f"spikes of {name!r}, whose cells are not virtual,"
            raise refuse(description, "spikes of virtual cells", where)
        if entry.path is None:
            raise refuse("spikes without input_file", "a file, .h5 or .csv", where)
        spikes = read_spikes(entry.path, name)
        node_ids = np.concatenate([group.node_id for group in groups if group.population == name])
        unknown_ids = np.setdiff1d(spikes.node_id, node_ids)
        if unknown_ids.size:
            description = f"spikes of node {int(unknown_ids[0])} of {name!r}"
            raise refuse(description, f"one of its {node_ids.size} nodes", where)
        tables[name].append((spikes.node_id, spikes.t_ms))
    sources = {}
    for group in groups:
        if group.model is None:
            parts = tables[group.population]
            table = {
                "cell": np.concatenate([np.zeros(0, np.int64), *(ids for ids, _ in parts)]),
                "t_ms": np.concatenate([np.zeros(0), *(times for _, times in parts)]),
            }
            cells: Any = group.node_id.tolist()
            sources[group.cell_type] = SpikeSource.from_table(table, cells=cells)
    return sources


def read_clamps(files: CircuitFiles, cells: CellTable) -> list[dict[str, Any]]:
    """The current clamps as tables of stimuli, each a pulse onto one population.

    Raises: JtfneError for a clamp that is none, or whose unit nobody knows.
    """
    stimuli = []
    for entry in files.inputs:
        where = f"{files.path.name}, input {entry.name!r}"
        if _find_kind(entry, where) != "current_clamp":
            continue
        if files.target_simulator != NEST:
            description = f"a current clamp for the simulator {files.target_simulator!r}"
            raise refuse(description, f"target_simulator {NEST!r}, where amp is in pA", where)
        populations = [group.population for group in cells.groups]
        name = _find_population(files, entry, list(dict.fromkeys(populations)), where)
        settings = {}
        for key in ("amp", "delay", "duration"):
            settings[key] = number(entry.settings.get(key), name=key, where=where)
        stimuli.append(
            {
                "target": {"area": name},
                "label": entry.name,
                "drive": {
                    "kind": "Pulse",
                    "amplitude": settings["amp"],
                    "start_ms": settings["delay"],
                    "duration_ms": settings["duration"],
                },
            }
        )
    return stimuli


def _find_kind(entry: InputEntry, where: str) -> str:
    """The type of an input. Raises: JtfneError for a type, a module or a key without counterpart."""
    kind = one_of(entry.settings.get("input_type"), KEYS, name="input_type", where=where)
    modules = SPIKE_MODULES if kind == "spikes" else (CLAMPS,)
    one_of(entry.settings.get("module"), modules, name="module", where=where)
    for key in entry.settings:
        one_of(key, KEYS[kind], name="key", where=where)
    return kind


def _find_population(
    files: CircuitFiles, entry: InputEntry, populations: list[str], where: str
) -> str:
    """The node population that an input is for, all of its cells.

    Raises: JtfneError for a node set of anything else.
    """
    node_set = entry.settings.get("node_set")
    if isinstance(node_set, str) and node_set in files.node_sets:
        node_set = files.node_sets[node_set]
    if isinstance(node_set, dict):
        if list(node_set) != ["population"]:
            description = f"node_set {describe_value(node_set)}"
            raise refuse(description, '{"population": NAME}: all cells of a population', where)
        node_set = node_set["population"]
    if isinstance(node_set, list) and len(node_set) == 1:
        node_set = node_set[0]
    return one_of(node_set, populations, name="node_set", where=where)
