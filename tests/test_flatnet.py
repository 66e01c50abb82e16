"""FlatNet: the circuit as a pytree, its way back to names, and several models in one circuit."""

import jax
import numpy as np
import pytest

import jtfne
from jtfne import _keys
from jtfne.delivery import unpack
from jtfne.emitters import LIF, Izhikevich2003, Izhikevich2007
from jtfne.flatnet import FlatNet

N_STEPS = 300
EMITTERS = {"A": LIF(), "B": Izhikevich2003(), "C": Izhikevich2007()}
DRIVES = {
    "A": {"drive": 450.0, "noise": 100.0},
    "B": {"drive": 10.0, "noise": 2.0},
    "C": {"drive": 200.0, "noise": 50.0},
}
EDGES = [
    {"source": {"cell_type": a}, "target": b, "mechanism": m, "rule": {"kind": "FixedIndegree", "n": 6}, "weight": w,
     "delay_ms": {"kind": "Uniform", "low": 0.3, "high": 2.0}}
    for a, b, m, w in (("A", "B", "AMPA", 80.0), ("B", "C", "NMDA", 20.0), ("C", "A", "GABA_A", -60.0))
]  # fmt: skip


def config(connections=EDGES, mix=None, **cell_params):
    """Three models, interleaved: two layers of A, B and C each."""
    mix = {"A": 0.3, "B": 0.4, "C": 0.3} if mix is None else mix
    return (
        jtfne.Config()
        .runtime(seed=4, duration_ms=30.0)
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells(mix, n=50)
        .emitters({name: EMITTERS[name] for name in mix})
        .cell_params({name: DRIVES[name] for name in mix})
        .connections(list(connections))
        .probes(["spk", "vm"])
    )


def spikes_of(words):
    step, row = unpack(np.asarray(words))
    return sorted(zip(step.tolist(), row.tolist(), strict=True))


def test_a_pytree_that_survives_flattening():
    flat = jtfne.construct(config()).to_flat()
    leaves, tree = jax.tree.flatten(flat)
    again = jax.tree.unflatten(tree, leaves)
    assert isinstance(again, jtfne.FlatNet) and jtfne.FlatModel is jtfne.FlatNet is FlatNet
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)
    assert jax.tree.structure(again) == tree and again.receptors == (
        ("AMPA",),
        ("NMDA",),
        ("GABA_A",),
    )
    assert again.tracking is flat.tracking and again.dt_ms == 0.1
    scaled = jax.tree.map(lambda leaf: leaf, flat)
    assert all(a is b for a, b in zip(jax.tree.leaves(scaled), leaves, strict=True))


def test_run_gives_what_simulate_gives():
    net = jtfne.construct(config())
    key = _keys.key(4, "trial", "0")
    _, chunk = jax.jit(lambda flat, key: flat.run(key, n_steps=N_STEPS))(net.to_flat(), key)
    signals = net.simulate()
    want = sorted(
        zip(
            np.rint(signals.spikes["time_ms"] / 0.1).astype(int) - 1,
            signals.spikes["neuron"].tolist(),
            strict=True,
        )
    )
    assert spikes_of(chunk.words) == want and len(want) > 30


def test_vmap_over_keys_gives_what_single_runs_give():
    flat = jtfne.construct(config()).to_flat()
    keys = jax.random.split(jax.random.key(9), 3)
    many = jax.jit(jax.vmap(lambda key: flat.run(key, n_steps=N_STEPS)[1].words))(keys)
    single = jax.jit(lambda key: flat.run(key, n_steps=N_STEPS)[1].words)
    each = [spikes_of(single(key)) for key in keys]
    assert [spikes_of(words) for words in many] == each
    assert each[0] != each[1] != each[2] and all(len(spikes) > 30 for spikes in each)


def test_vmap_over_a_parameter():
    flat = jtfne.construct(config(connections=())).to_flat()

    def count(gain, key):
        drive = flat.circuit.drive_pA * gain
        circuit = flat.circuit.__class__(**{**vars(flat.circuit), "drive_pA": drive})
        words = (
            FlatNet(circuit, flat.receptors, flat.dt_ms, flat.tracking)
            .run(key, n_steps=N_STEPS)[1]
            .words
        )
        return jax.lax.population_count(words).sum()

    counts = jax.jit(jax.vmap(count, in_axes=(0, None)))(
        np.array([0.0, 1.0, 2.0], np.float32), jax.random.key(1)
    )
    assert counts[0] < counts[1] < counts[2]


def test_to_net_returns_the_circuit():
    net = jtfne.construct(config())
    back = net.to_flat().to_net()
    assert back.n_neurons == net.n_neurons and back.config == net.config
    assert back.neurons.equals(net.neurons)
    assert edges_of(back) == pytest.approx(edges_of(net))
    assert back.n_edges <= net.n_edges
    for projection in back.projections:
        steps = projection.delay_ms / 0.1
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)
    here, there = net.simulate(), back.simulate()
    np.testing.assert_array_equal(here.get("spk"), there.get("spk"))
    np.testing.assert_array_equal(here.get("vm"), there.get("vm"))
    again = back.to_flat().to_net()
    assert again.n_edges == back.n_edges and edges_of(again) == pytest.approx(edges_of(back))


def edges_of(net):
    """(connection, source, target, delay in steps) -> summed weight: what a net does, whatever it
    merged.
    """
    table = net.edges.to_pandas()
    table["step"] = np.rint(table["delay_ms"].astype(float) / 0.1).clip(lower=1).astype(int)
    keys = ["connection", "mechanism", "source", "target", "step"]
    return table.groupby(keys, observed=True)["weight_pA"].sum().to_dict()


def test_synapses_of_two_rules_that_meet_are_one():
    """Two connections between the same cells, mechanism and delay: their weights add."""
    table = {
        "kind": "FromTable",
        "source": [0, 0],
        "target": [20, 20],
        "weight": [3.0, 4.0],
        "delay_ms": [1.0, 1.0],
    }
    edge = {"source": "A", "target": {}, "mechanism": "AMPA", "rule": table}
    net = jtfne.construct(config([edge]))
    back = net.to_flat().to_net()
    assert net.n_edges == 2 and back.n_edges == 1
    assert back.edges.to_pandas().loc[
        0, ["source", "target", "weight_pA", "delay_ms"]
    ].tolist() == [0, 20, 7.0, 1.0]


def test_tracking_maps():
    net = jtfne.construct(config())
    flat = net.to_flat()
    assert flat.tracking.config == net.config and flat.tracking.connections == (0, 1, 2)
    assert flat.tracking.identity.labels("cell_type").tolist() == net.neurons["cell_type"].tolist()
    edges = flat.circuit.delivery.edges()
    names = np.asarray(flat.tracking.identity.labels("cell_type"))
    for code, (source, target) in enumerate((("A", "B"), ("B", "C"), ("C", "A"))):
        mine = edges.connection == code
        assert mine.any()
        assert set(names[edges.source[mine]]) == {source} and set(names[edges.target[mine]]) == {
            target
        }
        assert {flat.receptors[k] for k in edges.receptor[mine]} == {(EDGES[code]["mechanism"],)}


def test_without_tracking_there_is_no_way_back():
    with pytest.raises(jtfne.JtfneError, match="without tracking"):
        jtfne.construct(config()).to_flat(tracked=False).to_net()
    bare = jtfne.construct(config(connections=())).to_flat()
    assert bare.circuit.delivery is None and bare.to_net().n_edges == 0


def test_receptors_held_ready_and_unknown_ones():
    net = jtfne.construct(config(connections=()))
    assert net.to_flat().receptors == ()
    assert net.to_flat(mechanisms=["GABA_B", "AMPA"]).receptors == (("GABA_B",), ("AMPA",))
    with pytest.raises(jtfne.JtfneError, match=r"unknown mechanism 'AMPS'.*nearest: 'AMPA'"):
        net.to_flat(mechanisms=["AMPS"])
    assert net.to_flat() is net.to_flat()


def test_rows_of_one_model_are_spread_over_the_circuit():
    circuit = jtfne.construct(config()).to_flat().circuit
    rows = [np.asarray(group.index) for group in circuit.groups]
    assert sorted(np.concatenate(rows).tolist()) == list(range(50)) and len(rows) == 3
    assert any(np.diff(each).max() > 1 for each in rows)


@pytest.mark.parametrize("name", EMITTERS)
def test_models_in_one_circuit_are_as_in_circuits_of_their_own(name):
    """Unconnected, without noise (its streams are by row): cell by cell, to the rounding of another
    layout.
    """
    quiet = {each: {**params, "noise": 0.0} for each, params in DRIVES.items()}
    mixed, own = config(connections=()), config(connections=(), mix={name: 1.0})
    both = jtfne.construct(mixed.cell_params(quiet)).to_flat()
    alone = jtfne.construct(own.cell_params({name: quiet[name]}))
    kind = list(EMITTERS).index(name)
    rows = np.asarray(both.circuit.groups[kind].index)
    flat = alone.to_flat()
    uniform = np.random.default_rng(0).random(50).astype(np.float32)
    _, together = started(both, uniform)
    _, apart = started(flat, np.concatenate([uniform[rows], uniform])[:50])
    mine = sorted(
        (step, int(np.flatnonzero(rows == row)[0])) for step, row in together if row in rows
    )
    assert mine == [(step, row) for step, row in apart if row < rows.size] and len(mine) > 5


def started(flat, uniform):
    """Final state and spikes of a run from a given spread of the cells at the start."""
    from jtfne import engine

    inputs = engine.Inputs(np.zeros((0, flat.circuit.n_cells), np.float32))
    clock = engine.InputChunk(np.zeros((N_STEPS, 0), np.float32), ())
    carry = engine.start(flat.circuit, inputs, _keys.streams(jax.random.key(0)))
    cells = tuple(
        group.emitter.init(group.take(jax.numpy.asarray(uniform))) for group in flat.circuit.groups
    )
    carry, chunk = engine.advance_jit(
        flat.circuit, inputs, (), carry._replace(cells=cells), clock, flat.dt_ms
    )
    return carry, spikes_of(chunk.words)


def test_populations_keep_their_own_parameters():
    """A parameter is a number where all cells of a model agree, else one value a cell, in row
    order.
    """
    cfg = config(connections=()).emitters(
        {"A": LIF(tau_m_ms=20.0), "B": LIF(), "C": LIF(tau_m_ms=5.0)}
    )
    (group,) = jtfne.construct(cfg.cell_params({})).to_flat().circuit.groups
    want = [
        {"A": 20.0, "B": 10.0, "C": 5.0}[name] for name in jtfne.construct(cfg).neurons["cell_type"]
    ]
    np.testing.assert_array_equal(group.emitter.tau_m_ms, want)
    assert group.emitter.c_m_pF.shape == () and group.index is None


def test_parameters_of_each_cell_stand_in_its_row():
    """Among cells of other types; a drive is scaled by the capacitance of its own cell."""
    cfg = config(connections=()).emitters(
        {"A": LIF(), "B": Izhikevich2003(), "C": Izhikevich2003(d=2.0)}
    )
    d, c_m_pF, drive, noise = np.linspace([2.0, 50.0, 4.0, 0.0], [9.0, 150.0, 14.0, 1.0], 20).T
    net = jtfne.construct(
        cfg.cell_params(
            {"B": {"d": d, "c_m_pF": c_m_pF, "drive": drive, "noise": noise}, "A": {"noise": 3.0}}
        )
    )
    rows, circuit = net.select(cell_type="B"), net.to_flat().circuit
    group = next(each for each in circuit.groups if isinstance(each.emitter, Izhikevich2003))
    mine = np.isin(np.asarray(group.index), rows)
    np.testing.assert_allclose(group.emitter.d[mine], d, rtol=1e-6)
    np.testing.assert_array_equal(group.emitter.d[~mine], 2.0)
    np.testing.assert_allclose(circuit.drive_pA[rows], drive * c_m_pF, rtol=1e-6)
    np.testing.assert_allclose(circuit.noise_pA[rows], noise * c_m_pF, rtol=1e-6)
    np.testing.assert_array_equal(circuit.noise_pA[net.select(cell_type="A")], 3.0)


def test_a_cell_with_values_of_its_own_runs_as_in_a_circuit_of_its_kind():
    values = {
        "d": [2.0, 8.0, 5.0, 4.0],
        "drive": [6.0, 9.0, 12.0, 15.0],
        "c_m_pF": [80.0, 100.0, 120.0, 90.0],
    }
    pulse = jtfne.Paradigm.pulse(target={}, start_ms=10.0, duration_ms=5.0, amplitude=3.0)

    def v_m(params):
        cfg = (
            config(connections=(), mix={"B": 1.0})
            .cells({"B": 4})
            .cell_params({"B": {"noise": 0.0, **params}})
        )
        return jtfne.construct(cfg).simulate(paradigm=pulse).get("vm").values

    together = v_m(values)
    assert (together.max(axis=0) > 0.0).all(), "all fire"
    for k in range(4):
        alone = v_m({name: each[k] for name, each in values.items()})
        np.testing.assert_allclose(together[:, k], alone[:, k], rtol=1e-3)


def test_static_fields_stay_as_they_are_and_tell_models_apart():
    """They choose the program: never an array, and never those of another population."""
    mixed = config(connections=()).emitters(
        {"A": Izhikevich2003(), "B": Izhikevich2003(half_steps=True), "C": Izhikevich2003()}
    )
    drives = {name: {"drive": 12.0, "noise": 0.0} for name in "ABC"}
    net = jtfne.construct(mixed.cell_params(drives))
    flat = net.to_flat()
    assert [group.emitter.half_steps for group in flat.circuit.groups] == [False, True]
    alone = jtfne.construct(
        net.config.emitters({name: Izhikevich2003(half_steps=True) for name in "ABC"}).cell_params(
            drives
        )
    )
    assert [group.emitter.half_steps for group in alone.to_flat().circuit.groups] == [True]
    together, halves = net.simulate(), alone.simulate()
    np.testing.assert_array_equal(
        together.get("vm", cell_type="B"), halves.get("vm", cell_type="B")
    )
    assert (
        together.get("vm", cell_type="A").values != halves.get("vm", cell_type="A").values
    ).any()
