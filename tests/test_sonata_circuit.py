"""from_sonata: cells, models, currents and spikes of a circuit of SONATA; what has no counterpart is
refused by name; a stranger's file leads nowhere else.
"""

import csv
import json
import sys

import h5py
import numpy as np
import pytest

import jtfne
import sonata_circuit
from jtfne import cli, interop
from jtfne._sonata_files import read_spikes
from jtfne.emitters import GLIF1, GLIF2, GLIF3, LIF
from jtfne.recordings import from_spikes
from jtfne.sonata_circuits._models import read_cell_model
from jtfne.synapses import Alpha, Delta, Exponential


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The config of the circuit as it is."""
    return sonata_circuit.write_circuit(tmp_path_factory.mktemp("circuit") / "a b")


@pytest.fixture(scope="module")
def config(path):
    """The circuit as a Config."""
    return interop.from_sonata(path)


@pytest.fixture
def folder(tmp_path):
    """The folder of a circuit that a test may change."""
    return sonata_circuit.write_circuit(tmp_path / "circuit").parent


def change_config(folder, **changes):
    """Replace parts of the circuit's config."""
    path = folder / "circuit_config.json"
    return sonata_circuit.write_json(path, {**json.loads(path.read_text()), **changes})


def test_populations_are_areas_and_node_types_are_cell_types(config):
    cells = {
        (population.area, population.cell_type): population.n_cells
        for population in config.populations()
    }
    # "exc" is the name of a type in both populations
    assert cells == {("V1", "V1 exc"): 3, ("V1", "inh ü"): 2, ("LGN", "LGN exc"): 3}
    assert config.run.duration_ms == 20.0 and config.run.dt_ms == 0.1
    assert config.readout_names() == ("spk",)


def test_a_model_has_its_parameters_and_else_those_of_nest(config):
    by_type = {population.cell_type: population for population in config.populations()}
    exc, inh = by_type["V1 exc"], by_type["inh ü"]
    assert exc.emitter == LIF(
        c_m_pF=250.0,
        tau_m_ms=10.0,
        v_rest_mV=-65.0,
        v_th_mV=-55.0,
        v_reset_mV=-70.0,
        t_ref_ms=2.0,
    )
    # NEST leaves V_m where it is when E_L is set
    assert (exc.drive, exc.v_init_mV, inh.drive, inh.v_init_mV) == (10.0, -70.0, 0.0, -70.0)
    assert config.circuit.mechanisms["excitatory exponential 3.0 ms"] == Exponential(
        tau_ms=3.0, sign=1
    )
    assert config.circuit.mechanisms["excitatory jump"] == Delta(sign=1)


def test_each_synapse_lies_between_the_cells_of_the_file(config):
    table = jtfne.construct(config).edges.to_pandas().fillna(0.0)
    edges = {
        (row.source, row.target, row.weight_pA + row.weight_mV, row.delay_ms)
        for row in table.itertuples()
    }
    # V1's nodes 0, 2, 4 are "V1 exc", rows 0 to 2; its nodes 1 and 3 rows 3 and 4; LGN's 5 to 7
    expected = {
        (0, 1, 2.0, 1.5),
        (1, 0, 6.0, 1.5),
        (3, 0, -1.0, 0.8),
        (5, 0, 4.0, 1.5),
        (7, 3, 1.0, 2.0),
        (6, 4, 0.25, 2.0),
    }
    np.testing.assert_allclose(sorted(edges), sorted(expected), rtol=1e-6)


def test_virtual_cells_send_the_spikes_of_the_file(config):
    trains = config.circuit.emitters["LGN exc"].times_ms
    assert trains.tolist() == [[1.0, 5.0], [], [3.0]]
    spikes = jtfne.construct(config).simulate(progress=False).spikes
    sent = spikes[spikes["neuron"] >= 5]
    assert sorted(zip(sent["neuron"], sent["time_ms"], strict=True)) == [
        (5, 1.0),
        (5, 5.0),
        (7, 3.0),
    ]


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        ({}, GLIF1),
        ({"spike_dependent_threshold": True}, GLIF2),
        ({"after_spike_currents": True}, GLIF3),
    ],
)
def test_glif_models_are_told_by_their_switches(params, kind):
    model = read_cell_model("nest:glif_psc", {**params, "tau_syn": [2.0, 9.0]}, "here")
    # jtfne's defaults are NEST's; 1 / 0.003 is written as 333.3 there
    emitter, default = vars(model.emitter), vars(kind())
    assert type(model.emitter) is kind and emitter.keys() == default.keys()
    for name, value in default.items():
        assert emitter[name] == pytest.approx(value, rel=2e-4), name
    name, synapse = model.find_mechanism(-1, 2, "here")
    assert (name, synapse) == ("inhibitory alpha 9.0 ms", Alpha(tau_ms=9.0, sign=-1))


MODELS = {
    "a morphology": ("nrn:Biophys1", {}, "model_template 'nrn:Biophys1'.* nest:iaf_psc_exp"),
    "another model": ("nest:aeif_cond_exp", {}, "model_template 'nest:aeif_cond_exp'"),
    "no model": ("", {}, "model_template ''"),
    "GLIF4": (
        "nest:glif_psc",
        {"spike_dependent_threshold": True, "after_spike_currents": True},
        "glif_psc with spike_dependent_threshold and after_spike_currents, GLIF4; expected",
    ),
    "GLIF5": (
        "nest:glif_psc",
        {
            "spike_dependent_threshold": True,
            "after_spike_currents": True,
            "adapting_threshold": True,
        },
        "GLIF5; expected",
    ),
    "three currents": (
        "nest:glif_psc",
        {"after_spike_currents": True, "asc_amps": [1.0] * 3, "asc_decay": [0.1] * 3},
        "3 asc_amps and 3 asc_decay",
    ),
    "currents before a spike": (
        "nest:glif_psc",
        {"after_spike_currents": True, "asc_init": [5.0, 0.0]},
        r"asc_init=\[5.0, 0.0\]",
    ),
    "currents that a spike ends": (
        "nest:glif_psc",
        {"after_spike_currents": True, "asc_r": [0.5, 1.0]},
        r"asc_r=\[0.5, 1.0\]",
    ),
    "a switch that is none": (
        "nest:glif_psc",
        {"after_spike_currents": 1},
        "after_spike_currents=1; expected true or false",
    ),
    "a random threshold": ("nest:iaf_psc_exp", {"delta": 1.0}, "delta=1.0.* no counterpart"),
    "a floor": ("nest:iaf_psc_alpha", {"V_min": -80.0}, "V_min=-80.0.* no counterpart"),
    "input in the refractory time": (
        "nest:iaf_psc_delta",
        {"refractory_input": True},
        "refractory_input=True",
    ),
    "a misspelling": (
        "nest:iaf_psc_exp",
        {"C_M": 1.0},
        "unknown parameter 'C_M'.* nearest: 'C_m'",
    ),
    "a text": ("nest:iaf_psc_exp", {"C_m": "1"}, "C_m='1'; expected"),
    "out of range": ("nest:iaf_psc_exp", {"tau_m": 0.0}, r"tau_m_ms=0.* \(0, inf\)"),
    "above threshold": ("nest:iaf_psc_exp", {"V_reset": 0.0}, "v_reset_mV=0 with v_th_mV=-55"),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_model_without_counterpart_is_refused_by_name(case):
    template, params, message = MODELS[case]
    with pytest.raises(jtfne.JtfneError, match=message) as error:
        read_cell_model(template, params, "nodes.h5, population 'V1', node type 7")
    assert "population 'V1', node type 7" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_floor_that_is_never_reached_is_none():
    model = read_cell_model("nest:iaf_psc_delta", {"V_min": -1.797e308, "tau_minus": 10.0}, "here")
    assert type(model.emitter) is LIF


def change_line(folder, name, old, new):
    """Replace a text in a table of types."""
    path = folder / "net" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


LINES = {
    "cells with a morphology": (
        ("V1_types.csv", "exc point_neuron nest:iaf_psc_exp", "exc biophysical ctdb:Biophys1"),
        r"model_type 'biophysical' \(ctdb:Biophys1\).*V1.h5, population 'V1', node type 7",
    ),
    "no model type": (("LGN_types.csv", "virtual", "NULL"), "model_type ''.* 'virtual'"),
    "a type that is missing": (("V1_types.csv", "\n7 ", "\n8 "), "node type 7, which the table"),
    "parameters that are missing": (
        ("V1_types.csv", "exc.json", "none.json"),
        "none.json', which is no file",
    ),
    "parameters elsewhere": (
        ("V1_types.csv", "exc.json", "../circuit_config.json"),
        r"the path.* a path in the folder",
    ),
    "a synapse that learns": (
        ("edge_types.csv", "2.0 1.5 plain.json static_synapse", "2.0 1.5 plain.json stdp_synapse"),
        r"model_template 'stdp_synapse'.* static_synapse.*, edge type 10",
    ),
    "edges without weight": (
        ("edge_types.csv", "syn_weight", "weight"),
        "edges without syn_weight.* population 'LGN_to_V1'",
    ),
    "edges without delay": (("edge_types.csv", "delay", "lag"), "edges without delay"),
    "a delay under a step": (("edge_types.csv", " 0.8 ", " 0.05 "), "delay_ms=0.05"),
    "a port": (
        ("edge_types.csv", "-0.5 0.8 NULL", "-0.5 0.8 port.json"),
        "receptor_type=2.* the sign of a weight",
    ),
    "another parameter": (
        ("edge_types.csv", "-0.5 0.8 NULL", "-0.5 0.8 tau.json"),
        "parameter 'tau_psc' of a synapse",
    ),
}


@pytest.mark.parametrize("case", LINES)
def test_what_a_table_says_without_counterpart_is_refused_by_name(folder, case):
    change, message = LINES[case]
    sonata_circuit.write_json(folder / "cells/port.json", {"receptor_type": 2})
    sonata_circuit.write_json(folder / "cells/tau.json", {"tau_psc": 2.0})
    change_line(folder, *change)
    with pytest.raises(jtfne.JtfneError, match=message) as error:
        interop.from_sonata(folder / "circuit_config.json")
    assert len(str(error.value).splitlines()) == 1


def with_input(**changes):
    """The inputs of the circuit, with one setting changed."""
    return {"inputs": {"retina": {**sonata_circuit.CONFIG["inputs"]["retina"], **changes}}}


CLAMP = {
    "input_type": "current_clamp",
    "module": "IClamp",
    "node_set": {"population": "V1"},
    "amp": 150.0,
    "delay": 2.0,
    "duration": 5.0,
}
OUTSIDE = {"nodes": [{"nodes_file": "../other/net/V1.h5", "node_types_file": "x"}]}
CONFIGS = {
    "an unknown key": ({"netwroks": {}}, "unknown key 'netwroks'.* nearest: 'networks'"),
    "gap junctions": ({"networks": {"gap_juncs": []}}, "unknown key of networks 'gap_juncs'"),
    "no nodes": ({"networks": {}}, "networks without nodes"),
    "a path outside": ({"networks": OUTSIDE}, r"the path '../other/net/V1.h5'.* in the folder"),
    "an absolute path": (
        {"networks": {"nodes": [{"nodes_file": "/etc/passwd"}]}},
        "the path '/etc/passwd'",
    ),
    "a folder outside": (
        {"components": {"point_neuron_models_dir": ".."}},
        r"the path '\.\.'.* a path in the folder",
    ),
    "a variable that is none": (
        {"manifest": {}},
        r"unknown variable 'NETWORK_DIR'; expected",
    ),
    "variables in a circle": (
        {"manifest": {"$NETWORK_DIR": "$BASE_DIR", "$BASE_DIR": "$NETWORK_DIR"}},
        "whose variables name each other",
    ),
    "a run without a step": ({"run": {"tstop": 10.0}}, "dt=None"),
    "a run without an end": ({"run": {"dt": 0.1}}, "tstop=None"),
    "a run that begins later": ({"run": {"tstart": 5.0, "tstop": 9.0, "dt": 0.1}}, "tstart=5.0"),
    "an unknown key of a run": (
        {"run": {"tstop": 9.0, "dt": 0.1, "n_runs": 2}},
        "unknown key 'n_runs'",
    ),
    "a step off the duration": ({"run": {"tstop": 10.0, "dt": 0.3}}, "dt_ms=0.3"),
    "another input": (with_input(input_type="ecephys"), "unknown input_type 'ecephys'"),
    "another module": (with_input(module="nwb"), "unknown module 'nwb'"),
    "an unknown key of an input": (with_input(trial=1), "unknown key 'trial'"),
    "spikes of no population": (
        with_input(node_set="LGNN"),
        "unknown node_set 'LGNN'.* nearest: 'LGN'",
    ),
    "spikes of cells that receive": (with_input(node_set="V1"), "spikes of 'V1', whose cells"),
    "a part of a population": (
        with_input(node_set={"population": "LGN", "node_id": [0]}),
        "node_set.* all cells of a population",
    ),
    "no spikes file": (with_input(input_file="none.h5"), "none.h5', which is no file"),
    "a clamp of another simulator": (
        {"inputs": {"step": CLAMP}, "target_simulator": "NEURON"},
        "a current clamp for the simulator 'NEURON'.* amp is in pA",
    ),
    "a clamp without amp": (
        {"inputs": {"step": {**CLAMP, "amp": "much"}}},
        "amp='much'",
    ),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_that_does_not_serve_is_one_clear_error(folder, case):
    changes, message = CONFIGS[case]
    with pytest.raises(jtfne.JtfneError, match=message) as error:
        interop.from_sonata(change_config(folder, **changes))
    assert len(str(error.value).splitlines()) == 1


def test_a_clamp_is_a_pulse_onto_its_population(folder):
    config = interop.from_sonata(change_config(folder, inputs={"step": CLAMP}))
    (stimulus,) = config.task.stimuli
    assert stimulus.target.area == ("V1",) and stimulus.label == "step"
    drive = stimulus.drive
    assert (drive.amplitude, drive.start_ms, drive.duration_ms) == (150.0, 2.0, 5.0)
    # the virtual cells, to which no input belongs now, are silent
    assert config.circuit.emitters["LGN exc"].times_ms.tolist() == [[], [], []]


def test_a_simulation_that_names_its_circuit_is_read(folder):
    parts = json.loads((folder / "circuit_config.json").read_text())
    run = {name: parts.pop(name) for name in ("run", "inputs", "target_simulator")}
    sonata_circuit.write_json(folder / "circuit_config.json", parts)
    run["manifest"] = {"$OUT": "./out"}
    simulation = sonata_circuit.write_json(
        folder / "simulation_config.json", {**run, "network": "./circuit_config.json"}
    )
    sonata_circuit.write_json(folder / "other.json", {"network": "net/circuit_config.json"})
    assert interop.from_sonata(simulation).run.duration_ms == 20.0
    with pytest.raises(jtfne.JtfneError, match="in another folder"):
        interop.from_sonata(folder / "other.json")


def test_node_sets_are_looked_up(folder):
    sonata_circuit.write_json(folder / "sets.json", {"input": {"population": ["LGN"]}})
    path = change_config(folder, node_sets_file="sets.json", **with_input(node_set="input"))
    assert len(interop.from_sonata(path).circuit.emitters["LGN exc"].times_ms.t_ms) == 3


@pytest.mark.parametrize("name", ["net/V1.h5", "net/edges.h5", "spikes.h5"])
def test_a_file_cut_short_is_one_clear_error(folder, name):
    data = (folder / name).read_bytes()
    for share in (0.0, 0.3, 0.9):
        (folder / name).write_bytes(data[: int(share * len(data))])
        with pytest.raises(jtfne.JtfneError, match="cannot be read") as error:
            interop.from_sonata(folder / "circuit_config.json")
        assert name.split("/")[-1] in str(error.value)


def test_what_a_stranger_writes_leads_to_no_other_file(folder):
    with h5py.File(folder / "net/V1.h5", "a") as file:
        file["nodes/V1/0/x"] = h5py.ExternalLink("/etc/passwd", "x")
    with pytest.raises(jtfne.JtfneError, match="a link to another file"):
        interop.from_sonata(folder / "circuit_config.json")


def test_ids_beyond_the_nodes_are_refused(folder):
    sonata_circuit.write_edges(folder / "net/edges.h5", {"V1_to_V1": ("V1", "V1", [(0, 5, 10, 1)])})
    with pytest.raises(jtfne.JtfneError, match=r"node 5 of population 'V1'.* one of its 5"):
        interop.from_sonata(folder / "circuit_config.json")
    sonata_circuit.write_edges(folder / "net/edges.h5")
    sonata_circuit.write_spikes(folder / "spikes.h5", [(3, 1.0)])
    with pytest.raises(jtfne.JtfneError, match=r"spikes of node 3 of 'LGN'.* one of its 3"):
        interop.from_sonata(folder / "circuit_config.json")


def test_a_group_index_beyond_the_group_is_refused(folder):
    with h5py.File(folder / "net/edges.h5", "a") as file:
        file["edges/V1_to_V1/edge_group_index"][0] = 4
    with pytest.raises(jtfne.JtfneError, match="row 4 of nsyns of group 0"):
        interop.from_sonata(folder / "circuit_config.json")


def write_csv_spikes(path, rows):
    """Spikes as bmtk's table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=" ").writerows([["timestamps", "population", "node_ids"], *rows])
    return path


def test_spikes_of_a_table_are_those_of_the_file(folder, tmp_path):
    table = write_csv_spikes(
        folder / "spikes.csv", [(time, "LGN", node) for node, time in sonata_circuit.SPIKES]
    )
    h5 = read_spikes(folder / "spikes.h5")
    text = read_spikes(table, "LGN")
    assert h5.population == text.population == "LGN"
    np.testing.assert_array_equal(h5.node_id, text.node_id)
    np.testing.assert_array_equal(h5.t_ms, text.t_ms)
    path = change_config(folder, **with_input(module="csv", input_file="spikes.csv"))
    assert interop.from_sonata(path).circuit.emitters["LGN exc"].times_ms.tolist()[2] == [3.0]
    assert read_spikes(write_csv_spikes(tmp_path / "none.csv", []), "LGN").t_ms.size == 0


@pytest.mark.parametrize("suffix", [".h5", ".csv"])
def test_recorded_spikes_of_several_populations_are_told_apart(tmp_path, suffix):
    path = tmp_path / f"spikes{suffix}"
    if suffix == ".h5":
        sonata_circuit.write_spikes(path, [(2, 4.0), (0, 1.0)], "V1")
        with h5py.File(path, "a") as file:
            file["spikes/öde/node_ids"] = np.zeros(0, np.uint64)
            file["spikes/öde/timestamps"] = np.zeros(0)
            file["spikes/b c/node_ids"] = np.array([1], np.uint64)
            file["spikes/b c/timestamps"] = [2.5]
    else:
        write_csv_spikes(path, [(4.0, "V1", 2), (2.5, "b c", 1), (1.0, "V1", 0)])
    # node 1 of the second population comes after the three of the first
    expected = [(0, 1.0, "V1"), (2, 4.0, "V1"), (4, 2.5, "b c")]
    spikes = from_spikes(path, duration_ms=5.0)
    rows = zip(
        spikes["neuron"].values.tolist(),
        spikes.values.tolist(),
        spikes["population"].values.tolist(),
        strict=True,
    )
    assert sorted(rows) == expected and spikes.attrs["duration_ms"] == 5.0


def test_seconds_are_read_as_such_and_other_units_are_refused(tmp_path):
    path = sonata_circuit.write_spikes(tmp_path / "s.h5", [(1, 0.25)], "a b", units="s")
    spikes = read_spikes(path, "a b")
    assert spikes.t_ms.tolist() == [250.0] and spikes.node_id.tolist() == [1]
    path = sonata_circuit.write_spikes(tmp_path / "h.h5", [(1, 0.25)], units="hours")
    with pytest.raises(jtfne.JtfneError, match="unknown units of timestamps 'hours'"):
        read_spikes(path)
    with pytest.raises(jtfne.JtfneError, match="unknown population 'B'; expected 'a b'"):
        read_spikes(tmp_path / "s.h5", "B")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("soon", "LGN", 0)], "spikes that are no numbers"),
        ([(1.0, "LGN", -1)], "a node id that is none"),
        ([(1.0, "LGN")], "row 2 of 2 values"),
        ([("nan", "LGN", 0)], "NaN or infinite"),
        ([(1.0, "a", 0), (1.0, "b", 0)], "spikes of 2 populations"),
    ],
)
def test_a_table_of_spikes_that_does_not_serve_is_one_clear_error(tmp_path, rows, message):
    with pytest.raises(jtfne.JtfneError, match=message):
        read_spikes(write_csv_spikes(tmp_path / "s.csv", rows))


def call(monkeypatch, capsys, *arguments):
    """Run `jtfne ARGUMENTS`: exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "argv", ["jtfne", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_the_command_line_runs_a_circuit(path, config, tmp_path, monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "validate", path, "--json")
    facts = json.loads(out)
    assert code == 0 and facts["cells"] == 8 and facts["hash"] == config.hash
    code, _, err = call(monkeypatch, capsys, "run", path, "-o", tmp_path / "out", "--json")
    assert code == 0, err
    signals = jtfne.load(tmp_path / "out")
    expected = jtfne.construct(config).simulate(progress=False).spikes
    assert signals.spikes.equals(expected)


def test_the_command_line_says_what_it_cannot_run(folder, monkeypatch, capsys):
    change_line(folder, "V1_types.csv", "exc point_neuron", "exc biophysical")
    code, _, err = call(
        monkeypatch, capsys, "run", folder / "circuit_config.json", "-o", folder / "out"
    )
    assert code == 2 and err.startswith("error: got model_type 'biophysical'")
    assert len(err.splitlines()) == 1
