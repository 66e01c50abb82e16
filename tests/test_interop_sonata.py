"""SONATA files: what the format's guide asks of each, every spike and cell, and a net wired again
from its edges.
"""

import csv
import json

import h5py
import libsonata
import numpy as np
import pytest

import jtfne
import runs
from jtfne import interop
from jtfne.cli._write import export_to
from jtfne.config import FromTable
from jtfne.emitters import PoissonSource, SpikeSource
from jtfne.synapses import Conductance


@pytest.fixture(scope="module")
def net():
    return jtfne.construct(runs.config())


@pytest.fixture(scope="module")
def folder(net, tmp_path_factory):
    """Two trials of the named run, and its net."""
    return interop.to_sonata(
        runs.named(), tmp_path_factory.mktemp("sonata") / "run", net=net, population="V1 and V4"
    )


def table_of(path):
    """Rows of a table of types: columns parted by blanks, texts in quotes where they hold one."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=" "))


def test_every_file_is_there_and_says_what_it_is(folder):
    files = {path.name for path in folder.iterdir()}
    kinds = {"nodes.h5", "node_types.csv", "edges.h5", "edge_types.csv"}
    assert files == kinds | {"spikes_0.h5", "spikes_1.h5", "circuit_config.json"}
    assert [each.name for each in folder.parent.iterdir()] == ["run"], "nothing is left beside it"
    for path in folder.glob("*.h5"):
        with h5py.File(path) as file:
            assert file.attrs["magic"] == 0x0A7A and file.attrs["magic"].dtype == np.uint32
            assert (
                file.attrs["version"].tolist() == [0, 1]
                and file.attrs["version"].dtype == np.uint32
            )
    listed = json.loads((folder / "circuit_config.json").read_text())["networks"]
    named = {
        name.removeprefix("$NETWORK_DIR/")
        for kind in listed.values()
        for each in kind
        for key, name in each.items()
        if key != "populations"
    }
    assert named == kinds


def test_spikes_are_those_of_each_trial_by_time(folder):
    signals = runs.named()
    for trial in (0, 1):
        found = signals.get("spk", trial=trial)
        with h5py.File(folder / f"spikes_{trial}.h5") as file:
            group = file["spikes/V1 and V4"]
            kind = h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)
            assert (
                kind == {"none": 0, "by_id": 1, "by_time": 2}
                and group.attrs["sorting"] == kind["by_time"]
            )
            times, ids = group["timestamps"], group["node_ids"]
            assert (
                times.dtype == np.float64
                and times.attrs["units"] == "ms"
                and ids.dtype == np.uint64
            )
            assert (np.diff(times[:]) >= 0.0).all() and times.size > 100
            np.testing.assert_array_equal(times[:], found.values)
            np.testing.assert_array_equal(ids[:], found["neuron"].values)


def test_a_cell_has_its_place_its_type_and_its_names(folder, net):
    cells, types = net.neurons, table_of(folder / "node_types.csv")
    assert [int(each["node_type_id"]) for each in types] == list(range(24))
    assert {(each["model_type"], each["model_template"]) for each in types} == {
        ("point_neuron", "jtfne:Izhikevich2003")
    }
    with h5py.File(folder / "nodes.h5") as file:
        nodes = file["nodes/V1 and V4"]
        np.testing.assert_array_equal(nodes["node_id"][:], cells["neuron"])
        assert not nodes["node_group_id"][:].any()
        np.testing.assert_array_equal(nodes["node_group_index"][:], np.arange(150))
        for name in ("x", "y", "z"):
            np.testing.assert_allclose(nodes[f"0/{name}"][:], 1e3 * cells[f"{name}_mm"], rtol=1e-15)
        for name in ("area", "layer", "cell_type"):
            theirs = nodes[f"0/@library/{name}"].asstr()[:]
            np.testing.assert_array_equal(theirs[nodes[f"0/{name}"][:]], cells[name])
            np.testing.assert_array_equal(
                [types[k][name] for k in nodes["node_type_id"][:]], cells[name]
            )


def again(net, folder):
    """The same cells, wired by the edge populations of a folder."""
    rules = []
    for number, row in enumerate(table_of(folder / "edge_types.csv")):
        assert int(row["edge_type_id"]) == number
        rule = FromTable.read(folder / "edges.h5", connection=row["population"])
        rules.append((row["connection"], row["mechanism"], rule))
    edges = zip(net.config.circuit.connections, rules, strict=True)
    return jtfne.construct(
        net.config.connections(
            [
                {"source": each.source, "target": each.target, "mechanism": mechanism, "rule": rule}
                for each, (_, mechanism, rule) in edges
            ]
        )
    )


def test_edges_come_back_edge_for_edge(folder, net):
    assert again(net, folder).edges.equals(net.edges) and net.n_edges > 1000
    with h5py.File(folder / "edges.h5") as file:
        edges = file["edges/V1|L2|3|E->V1|L2|3|PV:AMPA"]
        n_edges = edges["source_node_id"].size
        for end in ("source", "target"):
            assert edges[f"{end}_node_id"].dtype == np.uint64
            assert edges[f"{end}_node_id"].attrs["node_population"] == "V1 and V4"
        assert set(edges["edge_type_id"][:]) == {1}, "the second connection"
        assert (
            edges["edge_group_index"][:].tolist() == list(range(n_edges))
            and not edges["edge_group_id"][:].any()
        )
        assert (
            edges["0/syn_weight"].attrs["units"] == "pA" and edges["0/delay"].attrs["units"] == "ms"
        )


def test_units_and_senders_of_a_circuit_alone(tmp_path):
    edges = [
        {
            "source": "in",
            "target": "E",
            "mechanism": name,
            "rule": {"kind": "FixedIndegree", "n": 3},
            "weight": 2.5,
        }
        for name in ("g", "AMPA")
    ]
    edges.append({**edges[0], "rule": {"kind": "FixedProbability", "p": 0.0}})
    cfg = (
        jtfne.Config()
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 8, "in": 4})
        .emitters({"in": PoissonSource(rate_Hz=5.0)})
    )
    net = jtfne.construct(
        cfg.mechanisms({"g": Conductance(tau_ms=5.0, e_rev_mV=0.0)}).connections(edges)
    )
    folder = interop.to_sonata(None, tmp_path / "net", net=net)
    rows = table_of(folder / "edge_types.csv")
    assert [(each["mechanism"], each["weight_unit"]) for each in rows] == [
        ("g", "nS"),
        ("AMPA", "pA"),
    ]
    kinds = {
        each["cell_type"]: (each["model_type"], each["model_template"])
        for each in table_of(folder / "node_types.csv")
    }
    assert kinds["in"] == ("virtual", "NULL") and not list(folder.glob("spikes*"))
    shorter = jtfne.construct(net.config.connections(edges[:2]))
    assert again(shorter, folder).edges.equals(shorter.edges)


@pytest.mark.parametrize("make", [runs.nameless, runs.silent])
def test_runs_without_names_or_spikes(make, tmp_path):
    signals = make()
    folder = interop.to_sonata(signals, tmp_path / "run")
    with h5py.File(folder / "spikes.h5") as file:
        np.testing.assert_array_equal(file["spikes/cells/timestamps"], signals.get("spk").values)
    files = {path.name for path in folder.iterdir()}
    assert files == {"spikes.h5"} | (
        {"nodes.h5", "node_types.csv", "circuit_config.json"} if make is runs.silent else set()
    )


def test_what_cannot_be_written_is_one_clear_error(net, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("kept")
    bare = jtfne.Signals(
        runs.named().tree.filter(lambda node: node.name != "spk"), runs.named().manifest
    )
    for given, message in (
        (lambda: interop.to_sonata(runs.named(), tmp_path / "full"), "which exists|holds"),
        (lambda: interop.to_sonata(bare, tmp_path / "a"), "'spk' was not recorded"),
        (
            lambda: interop.to_sonata(runs.silent(), tmp_path / "a", net=net),
            "a net of 150 cells with signals of 1",
        ),
        (
            lambda: interop.to_sonata(runs.silent(), tmp_path / "a", population="a/b"),
            "population='a/b'",
        ),
    ):
        with pytest.raises(jtfne.JtfneError, match=message) as error:
            given()
        assert len(str(error.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
    assert [path.read_text() for path in (tmp_path / "full").iterdir()] == ["kept"]


# what libsonata makes of it


@pytest.fixture(scope="module")
def circuit(folder):
    """The circuit as libsonata opens it."""
    return libsonata.CircuitConfig.from_file(str(folder / "circuit_config.json"))


def test_libsonata_opens_the_circuit_by_its_config(circuit, net):
    assert circuit.node_populations == {"V1 and V4"}
    labels = {group.replace("|", "/") for group in circuit.edge_populations}
    assert labels == set(net.edges["connection"].unique().to_pylist())
    nodes = circuit.node_population("V1 and V4")
    assert nodes.size == net.n_neurons
    every = nodes.select_all()
    np.testing.assert_allclose(nodes.get_attribute("x", every), 1e3 * net.neurons["x_mm"])
    areas = nodes.enumeration_values("area")
    names = [areas[code] for code in nodes.get_enumeration("area", every)]
    assert names == net.neurons["area"].tolist()


def test_libsonata_finds_the_edges_of_each_cell_with_weights_and_delays(circuit, net):
    table = net.edges.to_pandas()
    for label, rows in table.groupby("connection", observed=True):
        edges = circuit.edge_population(label.replace("/", "|"))
        assert edges.size == len(rows)
        assert (edges.source, edges.target) == ("V1 and V4", "V1 and V4")
        np.testing.assert_array_equal(
            edges.get_attribute("syn_weight", edges.select_all()), rows["weight_pA"]
        )
        np.testing.assert_array_equal(
            edges.get_attribute("delay", edges.select_all()), rows["delay_ms"]
        )
        for find, end in ((edges.afferent_edges, "target"), (edges.efferent_edges, "source")):
            for cell in (*rows[end].unique()[:3], 0, net.n_neurons - 1):
                expected = np.flatnonzero(rows[end] == cell)
                np.testing.assert_array_equal(np.sort(find([cell]).flatten()), expected)


def test_libsonata_reads_the_spikes_of_each_trial(folder):
    for trial in (0, 1):
        reader = libsonata.SpikeReader(str(folder / f"spikes_{trial}.h5"))
        assert reader.get_population_names() == ["V1 and V4"]
        spikes = reader["V1 and V4"].get()
        expected = runs.named().get("spk", trial=trial)
        np.testing.assert_array_equal([time for _, time in spikes], expected.values)
        np.testing.assert_array_equal([node for node, _ in spikes], expected["neuron"].values)


def test_libsonata_opens_cells_without_edges_and_silent_runs(tmp_path):
    folder = interop.to_sonata(runs.silent(), tmp_path / "ä b", population="stumm ä")
    circuit = libsonata.CircuitConfig.from_file(str(folder / "circuit_config.json"))
    assert circuit.node_populations == {"stumm ä"} and not circuit.edge_populations
    reader = libsonata.SpikeReader(str(folder / "spikes.h5"))
    assert reader["stumm ä"].get() == []


def test_a_spikes_time_is_the_end_of_its_step(tmp_path):
    cfg = (
        jtfne.Config()
        .areas(["V1"])
        .layers(["L4"])
        .cells({"in": 2})
        .emitters({"in": SpikeSource(times_ms=[[0.3, 0.61], []])})
        .runtime(duration_ms=3.0, dt_ms=0.3)
        .probes(["spk"])
    )
    signals = jtfne.construct(cfg).simulate(progress=False)
    folder = interop.to_sonata(signals, tmp_path / "run")
    spikes = libsonata.SpikeReader(str(folder / "spikes.h5"))["cells"].get()
    np.testing.assert_allclose(spikes, [(0, 0.3), (0, 0.9)], rtol=1e-6)


def test_the_command_line_exports_the_circuit_too(tmp_path):
    edge = {"source": "E", "target": "PV", "mechanism": "AMPA", "weight": 2.0, "rule": "AllToAll"}
    config = (
        jtfne.Config()
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 6, "PV": 2})
        .connections([edge])
        .runtime(duration_ms=2.0)
        .probes(["spk"])
    )
    net = jtfne.construct(config)
    signals = net.simulate(progress=False)
    paths, failures = export_to(signals, "sonata", tmp_path)
    assert (paths, failures) == ([tmp_path / "sonata"], {})
    circuit = libsonata.CircuitConfig.from_file(str(tmp_path / "sonata/circuit_config.json"))
    assert circuit.edge_population("E->PV:AMPA").size == net.n_edges == 12
