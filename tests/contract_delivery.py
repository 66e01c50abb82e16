"""One contract for all deliveries: the same spikes on the same circuit, in place, in bounds,
compiled once.
"""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from circuits import Watch, edge_list
from jtfne import _keys, delivery, engine, runner
from jtfne._precision import precision
from jtfne.config import closed_field, open_field
from jtfne.delivery import Layout, Ring, SynapseSource, unpack
from jtfne.emitters import LIF, Izhikevich2003
from jtfne.flatnet import FlatNet
from jtfne.readouts import VoltageRows
from jtfne.simulation._inputs import build_run_inputs

pytestmark = pytest.mark.as_users
CATALOGUE = (delivery.Event(), delivery.Sparse(), delivery.Dense(), delivery.Sharded())
N_STEPS = 400
each_delivery = pytest.mark.parametrize(
    "choice", CATALOGUE, ids=lambda choice: type(choice).__name__
)


def config(weights=(64.0, -128.0)):
    """Two models in two layers, interleaved; noise, Poisson spikes onto some and onto all; spread
    delays.

    Weights are powers of two: sums of them have no rounding, so that their order cannot tell.
    """
    excitation, inhibition = weights
    spread = {"kind": "Uniform", "low": 0.2, "high": 1.5}
    rain = {"kind": "Poisson", "rate_Hz": 900.0, "weight_pA": 32.0}
    swell = {"kind": "OrnsteinUhlenbeck", "sd": 2.0, "tau_ms": 4.0, "start_ms": 3.0}
    volley = {"kind": "Evoked", "mean_ms": 12.0, "sd_ms": 3.0, "n_spikes": 3, "weight_pA": 64.0}
    return (
        jtfne.Config()
        .runtime(seed=11, duration_ms=40.0)
        .areas(["V1", "V4"])
        .layers(["L2/3", "L4"])
        .cells({"A": 0.6, "B": 0.4}, n=111)
        .emitters({"A": LIF(), "B": Izhikevich2003()})
        .cell_params({"A": {"drive": 380.0, "noise": 64.0}, "B": {"drive": 6.0, "noise": 2.0}})
        .connections([
            {"source": "A", "target": {}, "mechanism": "AMPA", "weight": excitation, "delay_ms": spread,
             "rule": {"kind": "FixedIndegree", "n": 12}},
            {"source": "B", "target": "A", "mechanism": "GABA_A", "weight": inhibition, "delay_ms": 0.5,
             "rule": {"kind": "FixedProbability", "p": 0.1}},
        ])
        .stimuli([{"target": {}, "drive": rain, "label": "all"}, {"target": "B", "drive": rain, "label": "some"},
                  {"target": "A", "drive": {**rain, "shared": True, "rate_Hz": 80.0}, "label": "shared"},
                  {"target": "A", "drive": {**swell, "sd": 64.0}}, {"target": {}, "drive": {**swell, "shared": True}},
                  {"target": "A", "drive": volley}, {"target": {}, "drive": {**volley, "synchronous": True}}])
        .source(maps=[*open_field("A"), *closed_field("B")])
        .probes(["spk", "vm", "lfp_proxy", "lfp", "dipole", {"kind": "rws", "cells": "A"}])
    )  # fmt: skip


NET = jtfne.construct(config())


def ready(choice, recorders=()):
    """The runner of the circuit above, by `choice`, and the clock of a chunk."""
    flat = NET.to_flat(mechanisms=("AMPA",), tracked=False, delivery=choice)
    drive = build_run_inputs(
        NET.config.task.stimuli, NET, flat.receptors, 0.1, np.dtype(np.float32)
    )
    return runner.make_runner(flat.circuit, drive.inputs, recorders, 0.1), drive.chunk(0, N_STEPS)


@each_delivery
def test_same_spikes(choice):
    want, got = (NET.simulate(delivery=each) for each in (delivery.Event(), choice))
    assert want.spikes.shape[0] > 200
    assert got.spikes.equals(want.spikes)
    np.testing.assert_array_equal(got.get("vm"), want.get("vm"))
    for name in ("lfp_proxy", "lfp", "dipole", "rws"):
        np.testing.assert_array_equal(got.get(name), want.get(name))
    assert want.get("dipole").any()


def test_devices_give_the_bits_of_one_whatever_the_weights():
    """Spikes are delivered in the order of cells on any number of devices: sums round alike."""
    net = jtfne.construct(config((61.7, -133.3)))
    one, two = (net.simulate(delivery=each) for each in (delivery.Event(), delivery.Sharded()))
    assert one.spikes.equals(two.spikes)
    np.testing.assert_array_equal(one.get("vm"), two.get("vm"))


@each_delivery
def test_chunks_do_not_tell(choice):
    whole, parts = (jtfne.simulate(NET, delivery=choice, chunk_steps=n) for n in (400, 50))
    np.testing.assert_array_equal(whole.get("vm"), parts.get("vm"))


@each_delivery
def test_some_cells_are_recorded_as_among_all(choice):
    rows = np.array([200, 3, 40, 41], np.int32)
    run, clock = ready(
        choice, (VoltageRows("some", jnp.asarray(rows), 5), VoltageRows("all", None, 5))
    )
    _, chunk = run.advance(run.start(np.uint32(1), _keys.codes("trial", "0")), clock)
    some, every = (
        np.asarray(part[name]) for part, name in zip(chunk.recorded, ("some", "all"), strict=True)
    )
    np.testing.assert_array_equal(some, every[:, rows])


@each_delivery
def test_compiled_once_and_ring_never_copied(choice):
    run, clock = ready(choice)
    over_devices = isinstance(choice, delivery.Sharded)
    program = runner._multi._advance_over if over_devices else engine.advance_jit
    carry, _ = run.advance(run.start(np.uint32(1), _keys.codes("trial", "0")), clock)
    compiled = program._cache_size()
    carry, _ = run.advance(carry, clock)
    run.advance(run.start(np.uint32(2), _keys.codes("trial", "1")), clock)
    assert program._cache_size() == compiled
    given = (run._circuit, run._inputs, (), ()) if over_devices else (run.circuit, run.inputs, ())
    carry = run.start(np.uint32(1), _keys.codes("trial", "0"))
    text = program.lower(*given, carry, clock, 0.1).compile().as_text()
    size = given[0].delivery.ring.size
    inside = "\n".join(re.findall(r"^%?(?:wide|region|body).*?^}", text, flags=re.M | re.S))
    assert f"f32[{size}]" in inside, "the ring is not in the compiled loops: mend this test"
    assert not re.findall(rf"= f32\[{size}\]\S* copy\(", inside)


@each_delivery
def test_indices_are_in_bounds_and_unique_by_construction(choice):
    made = NET.to_flat(delivery=choice).circuit.delivery
    if isinstance(choice, delivery.Dense):
        assert made.weights.shape == (len(made.delays), NET.n_neurons, made.ring.width)
        assert min(made.delays) > 0 and max(made.delays) < made.ring.n_slots
        return
    offsets = np.asarray((made.rows if isinstance(choice, delivery.Sharded) else made).offsets)
    assert offsets.min() >= 0 and offsets.max() < made.ring.size
    for block in offsets.reshape(-1, offsets.shape[-1]):
        assert np.unique(block).size == block.size


@each_delivery
def test_edges_come_back(choice):
    """Whatever the layout, the synapses are those of the net: merged where they meet, on the
    grid.
    """
    back = NET.to_flat(delivery=choice).to_net()
    columns = ["source", "target", "weight_pA", "delay_ms"]
    want = NET.to_flat(delivery=delivery.Event()).to_net().edges.to_pandas()[columns]
    got = back.edges.to_pandas()[columns]
    order = columns[:2] + columns[3:]
    np.testing.assert_allclose(
        got.sort_values(order).to_numpy(), want.sort_values(order).to_numpy(), rtol=1e-6
    )


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), n_cells=st.integers(1, 70), n_receptors=st.integers(1, 3))
@pytest.mark.parametrize("choice", CATALOGUE[:3], ids=lambda choice: type(choice).__name__)
def test_ring_holds_the_sum_over_edges(choice, seed, n_cells, n_receptors):
    """Any graph, any spikes, any moment: what a plain loop over edges puts there."""
    rng = np.random.default_rng(seed)
    n_slots, n_edges = int(rng.integers(2, 9)), int(rng.integers(1, 300))
    columns = [
        rng.integers(0, n_cells, n_edges), rng.integers(0, n_cells, n_edges), rng.integers(0, n_receptors, n_edges),
        rng.integers(1, n_slots, n_edges), rng.integers(-8, 8, n_edges),
    ]  # fmt: skip
    listed, ring = edge_list(np.column_stack(columns)), Ring(n_slots, n_receptors, n_cells)
    degrees = np.bincount(listed.source, minlength=n_cells)
    synapses = SynapseSource(
        lambda: [lambda: listed],
        lambda *_: degrees[None],
        [None],
        n_edges,
        n_slots - 1,
        ring,
        np.dtype("f4"),
        False,
    )
    made = choice.build(synapses)
    spikes, step = rng.random(n_cells) < 0.4, int(rng.integers(0, 50))
    sent = jnp.asarray(spikes)
    got = made.deliver(ring.empty(jnp.float32), sent, made.words(sent), jnp.int32(step))
    want = np.zeros((n_slots, n_receptors, n_cells), np.float32)
    for source, target, receptor, delay, weight in zip(*columns, strict=True):
        want[(step + delay) % n_slots, receptor, target] += weight * spikes[source]
    np.testing.assert_array_equal(np.asarray(got).reshape(want.shape), want)


@pytest.mark.parametrize("choice", CATALOGUE[1:3], ids=lambda choice: type(choice).__name__)
def test_differentiable_in_the_weights(choice):
    """Where no spike moves, the potential of a target is linear in the weights: its derivative is
    the difference.
    """
    cfg = (
        jtfne.Config()
        .runtime(dtype="float64", duration_ms=20.0)
        .areas(["V1"])
        .layers(["L4"])
        .cells({"A": 5, "B": 5})
        .emitters({"A": LIF(), "B": LIF(v_th_mV=1e3)})
        .cell_params({"A": {"drive": 600.0}, "B": {"drive": 0.0}})
        .connections(
            [
                {
                    "source": "A",
                    "target": "B",
                    "mechanism": "AMPA",
                    "weight": 30.0,
                    "rule": "AllToAll",
                }
            ]
        )
    )
    with precision("float64"):
        flat = jtfne.construct(cfg).to_flat(delivery=choice)

        def mean_mV(weights):
            made = dataclasses.replace(flat.circuit.delivery, weights=weights)
            circuit = dataclasses.replace(flat.circuit, delivery=made)
            watch = (Watch(lambda view: view.v_m_mV()[5:]),)
            again = FlatNet(circuit, flat.receptors, flat.dt_ms, flat.tracking)
            return again.run(jax.random.key(0), n_steps=200, recorders=watch)[1].recorded[0].mean()

        weights = flat.circuit.delivery.weights
        slope = jax.jit(jax.grad(mean_mV))(weights)
        by = jnp.where(weights != 0.0, 1.0, 0.0)
        difference = (mean_mV(weights + by) - mean_mV(weights - by)) / 2.0
        assert float(difference) > 0.01
        np.testing.assert_allclose(float((slope * by).sum()), float(difference), rtol=1e-9)


@given(runs=st.lists(st.integers(1, 150), min_size=1, max_size=4), n_devices=st.integers(1, 4))
@settings(max_examples=40)
def test_layout_holds_every_cell_once_in_order(runs, n_devices):
    models = np.repeat(np.arange(len(runs)), runs)
    indices = [np.flatnonzero(models == k) for k in range(len(runs))]
    layout = Layout.build(models.size, indices, n_devices)
    assert layout.rows.shape == (n_devices, layout.n_local) and layout.n_local % 32 == 0
    np.testing.assert_array_equal(layout.row_of[layout.position_of], np.arange(models.size))
    device, local = layout.locate(layout.position_of)
    np.testing.assert_array_equal(layout.rows[device, local], np.arange(models.size))
    # every device has as many cells of each model, and as even as words allow
    for k in range(len(runs)):
        assert len({(models[rows] == k).sum() for rows in layout.rows}) == 1
        assert np.ptp(np.bincount(device[models == k], minlength=n_devices)) <= 32


def test_choice_by_size():
    def chosen(n_cells):
        ring = Ring(9, 1, n_cells)
        return delivery.default_delivery(
            SynapseSource(list, lambda *_: np.zeros(1), [None], 1, 8, ring, np.dtype("f4"), False)
        )

    assert chosen(29_999) == delivery.Event() and chosen(30_000) == delivery.Sharded()


def test_meshes_that_do_not_fit_are_refused():
    grid = jax.sharding.Mesh(np.array(jax.devices()).reshape(1, 2), ("a", "b"))
    with pytest.raises(jtfne.JtfneError, match=r"axes 'a', 'b'; expected one axis"):
        NET.simulate(delivery=delivery.Sharded(grid))
    alone = jtfne.construct(NET.config.connections([]).stimuli([]))
    assert (
        alone.simulate(duration_ms=5.0, delivery=delivery.Sharded()).get("vm").sizes["neuron"]
        == 222
    )


def test_a_matrix_too_large_is_refused():
    ring = Ring(60, 1, 20_000)
    listed = edge_list([(0, 1, 0, 1, 1.0), (0, 1, 0, 2, 1.0), (0, 1, 0, 3, 1.0)])
    synapses = SynapseSource(
        lambda: [lambda: listed], None, [None], 3, 3, ring, np.dtype("f4"), False
    )
    with pytest.raises(jtfne.JtfneError, match=r"DenseDelivery of 4\.5 GiB.* SparseDelivery"):
        delivery.Dense().build(synapses)


def test_spikes_of_a_chunk_are_named_by_row():
    run, clock = ready(delivery.Sharded())
    one, _ = ready(delivery.Event())
    chunks = [
        each.advance(each.start(np.uint32(3), _keys.codes("trial", "0")), clock)[1]
        for each in (run, one)
    ]
    step, row = run.spikes(np.asarray(chunks[0].words))
    want_step, want_row = unpack(np.asarray(chunks[1].words))
    np.testing.assert_array_equal(step, want_step)
    np.testing.assert_array_equal(row, want_row)
