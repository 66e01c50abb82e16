"""Spikes, cells and edges as the HDF5 and CSV files of SONATA."""

import csv
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from jtfne import _json
from jtfne._check import check_name, names_arguments, refuse
from jtfne._names import safe_name
from jtfne.interop._inputs import check_signals, open_beside
from jtfne.signals import Signals

if TYPE_CHECKING:
    import h5py
    import pandas as pd
    import pyarrow as pa

# Names, types and attributes: github.com/AllenInstitute/sonata, docs/SONATA_DEVELOPER_GUIDE.md,
# read at commit 0014291.
MAGIC, VERSION = 0x0A7A, (0, 1)
SORTING = {"none": 0, "by_id": 1, "by_time": 2}
LABELS = ("area", "layer", "cell_type")
NULL = "NULL"
INDICES = {"source_to_target": "source", "target_to_source": "target"}  # which end is looked up


class Circuit(Protocol):
    """A net, as far as `to_sonata` reads it."""

    @property
    def config(self) -> Any:
        """Its Config."""
        ...

    @property
    def neurons(self) -> "pd.DataFrame":
        """Its cells."""
        ...

    @property
    def edges(self) -> "pa.Table":
        """Its synapses."""
        ...


@names_arguments
def to_sonata(
    signals: Signals | None,
    path: str | Path,
    *,
    net: Circuit | None = None,
    population: str = "cells",
) -> Path:
    """Write spikes, and the circuit that fired them, as a folder of SONATA files.

    Spikes: `spikes.h5`, or `spikes_0.h5`, `spikes_1.h5`, ... of several trials, sorted by time; a
    time is the end of the step in which the cell fired, ms from the start of its trial.
    Cells, unless the run has no names: `nodes.h5` and `node_types.csv`, a type for each area, layer
    and cell type; x, y and z in um, z depth below the pia. With `net`, its synapses: `edges.h5` and
    `edge_types.csv`, an edge population and an edge type for each connection that has any, with
    `syn_weight` (its unit beside it: pA, nS or mV), `delay` (ms) and both indices, by source and by
    target. `circuit_config.json` lists these files and their populations. A "/" in a connection's
    label, which HDF5 takes for a group, is written as "|", a "|" as "%7C", and in the
    tables of types NULL, which is nothing there, as "%4EULL". `FromTable.read` reads edges back.

    Parameters
    ----------
    signals : Signals or None
        With `spk` recorded; None writes the circuit only.
    path : str or Path
        A folder that is new or empty.
    net : Net, optional
        The net that was run.
    population : str
        Name of the node population that holds all cells.

    Returns
    -------
    Path

    Raises
    ------
    JtfneError
        If there is nothing to write, spikes were not recorded, `net` is another one, or the folder
        holds anything.

    Examples
    --------
    >>> to_sonata(None, "run")
    Traceback (most recent call last):
    jtfne._check.JtfneError: got neither signals nor net; expected one of the two (in to_sonata)
    """
    if signals is None and net is None:
        raise refuse("neither signals nor net", "one of the two", "to_sonata")
    check_name(population, "the population", "to_sonata")
    if "/" in population or population in (".", "..", NULL):
        raise refuse(
            f"population={population!r}",
            "a name without '/', and none of '.', '..' and NULL",
            "to_sonata",
        )
    if net is not None and not all(hasattr(net, name) for name in ("config", "neurons", "edges")):
        raise refuse(f"a net of type {type(net).__name__}", "the net that was run", "to_sonata")
    if signals is not None:
        # refuses where there are none
        check_signals(signals, "to_sonata").get("spk", time=(-1.0, 0.0))
    cells = _select_cells(signals, net)
    with open_beside(path, "to_sonata") as beside:
        beside.mkdir()
        if signals is not None:
            _write_spikes(signals, beside, population)
        # libsonata asks for the key even where there are no edges
        networks: dict[str, list[dict[str, Any]]] = {"edges": []}
        if cells is not None:
            _write_nodes(cells, net, beside, population)
            networks["nodes"] = [_list_files("node", [population])]
        if net is not None:
            populations = _write_edges(net, beside, population)
            networks["edges"] = [_list_files("edge", populations)]
        if cells is not None:
            circuit_config = {"manifest": {"$NETWORK_DIR": "."}, "networks": networks}
            (beside / "circuit_config.json").write_text(
                _json.dumps(circuit_config, indent=2) + "\n", encoding="utf-8"
            )
    return Path(path)


def _select_cells(signals: Signals | None, net: Circuit | None) -> "pd.DataFrame | None":
    """The cells to write: those of the run, or of the net; None if they have no names.

    Raises: JtfneError if run and net have different cells.
    """
    if signals is None or "neurons" not in signals.tree.children:
        return None if net is None else net.neurons
    cells = signals.neurons
    if net is not None and not np.array_equal(net.neurons["neuron"], cells["neuron"]):
        description = f"a net of {len(net.neurons)} cells with signals of {len(cells)}"
        raise refuse(description, "the net that was run", "to_sonata")
    return cells


def _list_files(kind: str, populations: Iterable[str]) -> dict[str, Any]:
    """The two files of `kind`, node or edge, as a circuit's config lists them, and what they hold.

    libsonata looks for a population where the config names it, and takes cells for ones with a
    morphology unless told. It takes edges for chemical synapses, which they are.
    """
    names = {f"{kind}s_file": f"{kind}s.h5", f"{kind}_types_file": f"{kind}_types.csv"}
    entry: dict[str, Any] = {key: f"$NETWORK_DIR/{name}" for key, name in names.items()}
    properties = {"type": "point_neuron"} if kind == "node" else {}
    return {**entry, "populations": dict.fromkeys(populations, properties)}


def _create_file(path: Path) -> "h5py.File":
    """Open a new HDF5 file and write the two attributes that every SONATA file has."""
    import h5py

    file = h5py.File(path, "w")
    file.attrs["magic"] = np.uint32(MAGIC)
    file.attrs["version"] = np.array(VERSION, np.uint32)
    return file


def _write_spikes(signals: Signals, folder: Path, population: str) -> None:
    """Write a file of spikes for each trial, silent ones too."""
    import h5py

    table = signals.spikes
    n_trials = int(signals.tree["spk"].attrs["n_trials"])
    kind = h5py.enum_dtype(SORTING, basetype="u1")
    for trial in range(n_trials):
        trial_spikes = table[table["trial"] == trial].sort_values(
            ["time_ms", "neuron"], kind="stable"
        )
        with _create_file(
            folder / ("spikes.h5" if n_trials == 1 else f"spikes_{trial}.h5")
        ) as file:
            group = file.create_group(f"spikes/{population}")
            group.attrs.create("sorting", SORTING["by_time"], dtype=kind)
            group["timestamps"] = trial_spikes["time_ms"].to_numpy(np.float64)
            group["timestamps"].attrs["units"] = "ms"
            group["node_ids"] = trial_spikes["neuron"].to_numpy(np.uint64)


def _write_nodes(cells: "pd.DataFrame", net: Circuit | None, folder: Path, population: str) -> None:
    """Write the cells as one population of one group, and the table of their types.

    Names also stand beside each cell, by codes, for readers of HDF5 alone.
    """
    import h5py

    kinds = cells.groupby(list(LABELS), sort=False, observed=True)
    with _create_file(folder / "nodes.h5") as file:
        nodes = file.create_group(f"nodes/{population}")
        nodes["node_id"] = cells["neuron"].to_numpy(np.uint64)
        nodes["node_type_id"] = kinds.ngroup().to_numpy(np.int64)
        nodes["node_group_id"] = np.zeros(len(cells), np.uint32)
        nodes["node_group_index"] = np.arange(len(cells), dtype=np.uint64)
        for name in ("x", "y", "z"):
            nodes[f"0/{name}"] = 1e3 * cells[f"{name}_mm"].to_numpy(np.float64)
        for name in LABELS:
            texts, codes = np.unique(cells[name].to_numpy().astype(str), return_inverse=True)
            nodes[f"0/{name}"] = codes.astype(np.uint32)
            nodes.create_dataset(
                f"0/@library/{name}", data=texts.astype(object), dtype=h5py.string_dtype()
            )
    emitters = {}
    for group in () if net is None else net.config.populations():
        emitters[group.area, group.layer, group.cell_type] = group.emitter
    keys = cells[list(LABELS)].drop_duplicates().itertuples(index=False, name=None)
    rows = []
    for number, key in enumerate(keys):
        names_of_type = [safe_name(name, "sonata") for name in key]
        rows.append([number, population, *names_of_type, *_describe_model(emitters.get(key))])
    names = ("node_type_id", "population", *LABELS, "model_type", "model_template")
    _write_types(folder / "node_types.csv", names, rows)


def _describe_model(emitter: Any) -> tuple[str, str]:
    """`model_type` and `model_template` of an emitter.

    Cells of several compartments are points too, since they have no morphology.
    """
    if not getattr(emitter, "receives", True):
        return "virtual", NULL
    return "point_neuron", NULL if emitter is None else f"jtfne:{type(emitter).__name__}"


def _write_edges(net: Circuit, folder: Path, population: str) -> list[str]:
    """Write a population of one group, and a type, for each connection that has edges.

    Returns the names of these populations.
    """
    table = net.edges
    units = {}
    for name in table.column_names:
        if name.startswith("weight_"):
            units[name] = name.removeprefix("weight_")
    code_chunks = [chunk.indices.to_numpy() for chunk in table["connection"].chunks]
    codes = np.concatenate(code_chunks or [np.zeros(0)])
    bounds = [*np.flatnonzero(np.diff(codes, prepend=-1)).tolist(), codes.size]
    rows: list[list[Any]] = []
    n_nodes = len(net.neurons)
    with _create_file(folder / "edges.h5") as file:
        file.create_group("edges")
        for number, (start, stop) in enumerate(itertools.pairwise(bounds)):
            part = table.slice(start, stop - start)
            weight = next(name for name in units if not part[name].null_count)
            label, mechanism = part["connection"][0].as_py(), part["mechanism"][0].as_py()
            group = safe_name(label, "hdf5")
            edges = file.create_group(f"edges/{group}")
            _fill_edges(edges, part, weight, units[weight], number, population)
            for index, end in INDICES.items():
                node_ids = part[end].to_numpy().astype(np.int64)
                _write_index(edges.create_group(f"indices/{index}"), node_ids, n_nodes)
            texts = (safe_name(label, "sonata"), safe_name(mechanism, "sonata"))
            rows.append([number, group, *texts, units[weight], f"jtfne:{mechanism}"])
    names = (
        "edge_type_id",
        "population",
        "connection",
        "mechanism",
        "weight_unit",
        "model_template",
    )
    _write_types(folder / "edge_types.csv", names, rows)
    return [row[1] for row in rows]


def _write_index(group: "h5py.Group", node_ids: np.ndarray[Any, Any], n_nodes: int) -> None:
    """Write where the edges of each node are: ranges of edges, and which of these are a node's.

    node_ids : (n_edges,), the end of each edge that is looked up.
    """
    n_edges = node_ids.size
    order = np.argsort(node_ids, kind="stable")
    # Edges of one node that follow each other in the file are one range.
    begins = np.ones(n_edges, np.bool_)
    begins[1:] = (np.diff(node_ids[order]) != 0) | (np.diff(order) != 1)
    first_places = np.flatnonzero(begins)
    n_in_range = np.diff(np.append(first_places, n_edges))
    first_edges = order[first_places]
    ranges = np.stack([first_edges, first_edges + n_in_range], axis=1)
    range_bounds = np.searchsorted(node_ids[first_edges], np.arange(n_nodes + 1))
    group["node_id_to_range"] = np.stack([range_bounds[:-1], range_bounds[1:]], axis=1).astype(
        np.uint64
    )
    # the guide and bmtk call it so, libsonata in the plural: one dataset under both names
    group["node_id_to_ranges"] = group["node_id_to_range"]
    group["range_to_edge_id"] = ranges.astype(np.uint64)


def _fill_edges(
    edges: "h5py.Group", part: "pa.Table", weight: str, unit: str, number: int, population: str
) -> None:
    """Write the datasets of one edge population."""
    n_edges = part.num_rows
    for end in ("source", "target"):
        edges[f"{end}_node_id"] = part[end].to_numpy().astype(np.uint64)
        edges[f"{end}_node_id"].attrs["node_population"] = population
    edges["edge_type_id"] = np.full(n_edges, number, np.int64)
    edges["edge_group_id"] = np.zeros(n_edges, np.uint32)
    edges["edge_group_index"] = np.arange(n_edges, dtype=np.uint64)
    for sonata_name, column, column_unit in (
        ("syn_weight", weight, unit),
        ("delay", "delay_ms", "ms"),
    ):
        edges[f"0/{sonata_name}"] = part[column].to_numpy()
        edges[f"0/{sonata_name}"].attrs["units"] = column_unit


def _write_types(path: Path, names: Iterable[str], rows: list[list[Any]]) -> None:
    """Write a table with a line a type: columns parted by a blank, texts with a blank in quotes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=" ", lineterminator="\n")
        writer.writerows([list(names), *rows])
