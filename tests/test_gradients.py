"""Gradients through spikes: forward the bits of events, backward the derivative of the smoothed
model.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jtfne
from circuits import FIRES
from jtfne import batch, delivery, sources
from jtfne._precision import precision
from jtfne._tree import register
from jtfne.delivery import unpack
from jtfne.differentiable import SpikeRows, arrays_of, with_surrogate
from jtfne.emitters import EMITTERS, LIF, SpikeSource, find_method
from jtfne.operators import FourSphere, Operator, area_mean, onto_sphere
from jtfne.optimizers import Gradient
from jtfne.probes import plan
from jtfne.readouts import Linear, SourceRows, VoltageRows
from jtfne.simulation import mechanisms_of
from jtfne.surrogates import SURROGATES, ATan, Sigmoid, Smoothed, SuperSpike, Triangular

QUICKLY = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
KEY = jax.random.key(5)


def config(
    kinds, *, dtype="float32", n=6, weights=(16.0, -8.0, 0.5), noise=16.0, longest_ms=1.5, edges=()
):
    """Two areas of cells of these emitters, which excite, inhibit and open NMDA conductances of
    each other.
    """
    delays = {"kind": "Uniform", "low": 0.2, "high": longest_ms}
    onto = {
        "target": {"cell_type": list(kinds)},
        "rule": {"kind": "FixedIndegree", "n": 3},
        "delay_ms": delays,
    }
    cells = {kind: EMITTERS[kind]() for kind in kinds}
    given = zip(("AMPA", "GABA_A", "nmda"), weights, strict=True)
    return (
        jtfne.Config()
        .runtime(seed=3, dtype=dtype)
        .areas(["V1", "V4"])
        .layers(["L4"])
        .cells({**dict.fromkeys(kinds, n), "S": 2})
        .emitters({**cells, "S": SpikeSource(times_ms=[[2.0, 9.0], [4.0], [6.0, 20.0], [11.0]])})
        .cell_params({kind: {"drive": FIRES[kind], "noise": noise / cells[kind].input_pA} for kind in kinds})
        .mechanisms({"nmda": {"kind": "NMDA"}})
        .connections([{**onto, "source": {}, "mechanism": name, "weight": each} for name, each in given] + list(edges))
    )  # fmt: skip


# name -> emitters of one circuit
MODELS = {
    "LIF": ["LIF"],
    "adaptive": ["AdaptiveLIF", "GLIF1", "GLIF2", "GLIF3"],
    "AdEx": ["AdEx"],
    "Izhikevich": ["Izhikevich2003", "Izhikevich2007"],
    "TwoCompartment": ["TwoCompartment", "HodgkinHuxley"],
}
N_STEPS = 600
VOLTAGE = VoltageRows("vm", None, 10)
RELEASING = {
    "source": "LIF", "target": "LIF", "mechanism": "NMDA", "weight": 32.0, "delay_ms": 0.5,
    "rule": {"kind": "FixedIndegree", "n": 3},
    "plasticity": {"kind": "ShortTerm", "u": 0.5, "tau_rec_ms": 100.0, "tau_facil_ms": 50.0},
}  # fmt: skip


def raster_of(words, n_cells):
    spikes = np.zeros((words.shape[0], n_cells), np.float32)
    spikes[unpack(np.asarray(words))] = 1.0
    return spikes


# Adaptive cells are LIF cells with slow variables, and AdEx has an upstroke as Izhikevich has.
@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(kinds, id=name, marks=pytest.mark.slow if name in ("adaptive", "AdEx") else ())
        for name, kinds in MODELS.items()
    ],
)
def test_forward_spikes_are_those_of_the_event_path(kinds):
    """In a run and in one that is differentiated; weights are powers of two, whose sums do not
    round.
    """
    net = jtfne.construct(config(kinds))
    events = net.to_flat(delivery=delivery.Event())
    words = jax.jit(lambda flat: flat.run(KEY, n_steps=N_STEPS)[1].words)(events)
    want = raster_of(words, net.n_neurons)
    assert (want.sum(0) > 0).mean() > 0.9 and want.sum() > 3 * net.n_neurons

    def score(values, flat):
        spikes = arrays_of(flat, KEY, n_steps=N_STEPS, values=values)["spk"]
        return spikes.sum(), spikes

    flat = net.to_flat(delivery=delivery.Sparse(), surrogate=Sigmoid())
    again = jax.jit(lambda flat: flat.run(KEY, n_steps=N_STEPS)[1].words)(flat)
    np.testing.assert_array_equal(again, words)
    values = {
        "circuit.drive_pA": flat.circuit.drive_pA,
        "circuit.delivery.weights": flat.circuit.delivery.weights,
    }
    (_, spikes), slopes = jax.jit(jax.value_and_grad(score, has_aux=True))(values, flat)
    np.testing.assert_array_equal(spikes, want)
    assert all(np.isfinite(each).all() and np.any(each != 0.0) for each in slopes.values())


@pytest.mark.as_users
def test_dense_delivery_has_the_same_spikes_and_slopes():
    net = jtfne.construct(config(["LIF"], n=3, longest_ms=0.5))

    def score(drive_pA, flat):
        spikes = arrays_of(flat, KEY, n_steps=300, values={"circuit.drive_pA": drive_pA})["spk"]
        return (spikes * jnp.sin(jnp.arange(300.0))[:, None]).sum(), spikes

    found = []
    for how in (delivery.Sparse(), delivery.Dense()):
        flat = net.to_flat(delivery=how, surrogate=ATan())
        found.append(QUICKLY(jax.value_and_grad(score, has_aux=True))(flat.circuit.drive_pA, flat))
    ((_, one), by_one), ((_, other), by_other) = found
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(
        by_one, by_other, rtol=1e-3, atol=1e-5 * float(jnp.abs(by_one).max())
    )


def linear(cells, n_areas=2):
    """The mean of each area as nA m along the normal, and four electrodes on the scalp of a
    four-sphere head.
    """
    directions = [[0.0, 0.0, 1.0], [1.0, 0.0, 3.0], [0.0, 1.0, 2.0], [-2.0, 1.0, 9.0]]
    sites_mm = onto_sphere(directions, centre_mm=(0.0, 0.0, 0.0), radius_mm=90.0)
    head = FourSphere(sites_mm, [[5.0, 0.0, 76.0], [25.0, 0.0, 70.0]]).along(
        [[0.0, 0.0, 1.0], [0.3, 0.0, 1.0]]
    )
    in_uV = Operator(
        1e6 * 1e-9 * np.asarray(head.matrix), ("nA m", "uV"), head.name, head.parameters
    )
    return Linear.from_operators((area_mean(cells, n_areas), in_uV))


def readouts(net):
    """Spikes, potentials, areas' spikes, and EEG through four spheres of two source modes."""
    areas = np.asarray(net.identity.area)
    inputs = SourceRows(sources.InputCurrent(), {"eeg": linear(areas)}, 4)
    synaptic = SourceRows(sources.SynapticCurrent(), {"synaptic": linear(areas)}, 5)
    spiking = SourceRows(
        sources.SpikeProxy(), {"charge": Linear.from_operators((area_mean(areas, 2),))}, 10
    )
    return SpikeRows(), VoltageRows("vm", None, 10), inputs, synaptic, spiking


READOUTS = ("spk", "vm", "eeg", "synaptic", "charge")


def scores(kept):
    """A scalar of each readout that weighs rows and channels otherwise, and is no linear function
    of them.
    """
    found = []
    for name in READOUTS:
        rows = kept[name].reshape(kept[name].shape[0], -1)
        waves = jnp.cos(
            jnp.arange(rows.shape[0])[:, None] * 0.37 + jnp.arange(rows.shape[1])[None, :]
        )
        found.append((waves * rows).mean() + 0.01 * (rows**2).mean())
    return jnp.stack(found)


def along(net, surrogate, names, n_steps, step):
    """Derivatives along a random relative direction of each leaf of `names`, by the gradient and by
    differences.

    Each (n_names, n_readouts). Where a cell spikes in another step at the ends, differences would
    tell nothing.
    """
    recorders, rng = readouts(net), np.random.default_rng(1)
    flat = net.to_flat(surrogate=surrogate)
    leaves = dict(zip(batch.names_of(flat), jax.tree.leaves(flat), strict=True))
    values = {name: leaves[name] for name in names}

    @QUICKLY
    def slopes(values, flat):
        def made(values):
            return scores(arrays_of(flat, KEY, n_steps=n_steps, values=values, recorders=recorders))

        return jax.jacrev(made)(values)

    @QUICKLY
    def plain(values, flat):
        chunk = batch.with_values(flat, values).run(KEY, n_steps=n_steps, recorders=recorders)[1]
        return scores(
            {name: rows for each in chunk.recorded for name, rows in each.items()}
        ), chunk.words

    by_gradient, (_, words), found = slopes(values, flat), plain(values, flat), []
    for name in names:
        way = values[name] * rng.uniform(0.5, 1.5, jnp.shape(values[name]))
        ends = [
            plain({**values, name: values[name] + sign * step * way}, flat) for sign in (1.0, -1.0)
        ]
        for _, spiked in ends:
            np.testing.assert_array_equal(
                spiked, words, err_msg=f"{name}: spikes moved, take another seed"
            )
        by_hand = (ends[0][0] - ends[1][0]) / (2.0 * step)
        found.append(((by_gradient[name] * way).reshape(len(READOUTS), -1).sum(1), by_hand))
    return tuple(np.array(each) for each in zip(*found, strict=True))


CIRCUIT = ("circuit.drive_pA", "circuit.delivery.weights", "circuit.noise_pA", "circuit.tau_syn_ms")
OF_CELLS = {
    "LIF": ("tau_m_ms", "v_th_mV", "v_reset_mV"),
    "AdaptiveLIF": ("tau_w_ms", "b_pA"),
    "TwoCompartment": ("g_c_nS", "v_rest_mV"),
    "AdEx": ("a_nS", "v_t_mV"),
    "Izhikevich2007": ("k", "d_pA"),
}


def named(net, kinds):
    """The leaves to differentiate by."""
    flat = net.to_flat()
    place = {type(group.emitter).__name__: k for k, group in enumerate(flat.circuit.groups)}
    cells = [
        f"circuit.groups[{place[kind]}].emitter.{name}" for kind in kinds for name in OF_CELLS[kind]
    ]
    return (*CIRCUIT, *cells)


@pytest.mark.parametrize(
    ("kinds", "surrogate", "n_steps", "edges"),
    [
        (["LIF", "AdaptiveLIF", "TwoCompartment"], Sigmoid(), 300, [RELEASING]),
        (["AdEx", "Izhikevich2007"], SuperSpike(), 120, []),
    ],
    ids=["leaky", "with upstrokes"],
)
def test_the_gradient_is_that_of_differences_of_the_smoothed_model(
    kinds, surrogate, n_steps, edges
):
    """Through emitters, synapses, delays and sources to spikes, potentials and EEG through four
    spheres.

    The step is 1e-6 of a value: differences are off by its square, and by rounding, 1e-16 of a
    score over 1e-6.
    """
    with precision("float64"):
        net = jtfne.construct(
            config(kinds, dtype="float64", weights=(40.0, -30.0, 1.0), n=3, edges=edges)
        )
        leaves = (*named(net, kinds), *(f"circuit.plastic[{k}].rule.u" for k in range(len(edges))))
        got, want = along(net, Smoothed(surrogate), leaves, n_steps, 1e-6)
    assert (np.abs(want) > 0.0).mean() > 0.95, "most leaves move every readout"
    scale = np.abs(want).max(0)
    np.testing.assert_allclose(got / scale, want / scale, rtol=1e-3, atol=1e-6)


def test_physical_fields_have_the_gradient_of_differences():
    """The recorders of the probes themselves: dipoles, LFP, CSD, EEG in four spheres and MEG, of
    the smoothed model.
    """
    with precision("float64"):
        names = ["dipole", "lfp", "csd", "eeg", "meg"]
        cfg = (
            jtfne.suite2_v1_v4_config(75)
            .runtime(dtype="float64", dt_ms=0.1)
            .probes(["spk", *names])
        )
        net = jtfne.construct(cfg)
        recorders = plan(net, cfg).recorders
        flat = net.to_flat(
            tracked=False, mechanisms=mechanisms_of(cfg), surrogate=Smoothed(SuperSpike())
        )
        values = {
            "circuit.drive_pA": flat.circuit.drive_pA,
            "circuit.delivery.weights": flat.circuit.delivery.weights,
        }

        def made(values, flat):
            kept = arrays_of(flat, KEY, n_steps=150, values=values, recorders=recorders)
            waves = {
                name: jnp.cos(0.37 * jnp.arange(kept[name].size)).reshape(kept[name].shape)
                for name in names
            }
            return jnp.stack([(waves[name] * kept[name]).sum() for name in names])

        slopes, run, step = QUICKLY(jax.jacrev(made))(values, flat), QUICKLY(made), 1e-6
        for name, value in values.items():
            got = (slopes[name] * value).reshape(len(names), -1).sum(1)
            ends = [
                run({**values, name: value * (1.0 + sign * step)}, flat) for sign in (1.0, -1.0)
            ]
            want = (ends[0] - ends[1]) / (2.0 * step)
            assert (want != 0.0).all()
            np.testing.assert_allclose(got, want, rtol=1e-3)


def test_short_term_plasticity_scales_slopes_and_jumps_by_spikes():
    """As many spikes as by events, and a derivative by the release of a rested synapse."""
    net = jtfne.construct(config(["LIF"], edges=[RELEASING]))
    words = net.to_flat(delivery=delivery.Event()).run(KEY, n_steps=400)[1].words
    flat = net.to_flat(surrogate=SuperSpike())

    def score(u, flat):
        kept = arrays_of(
            flat,
            KEY,
            n_steps=400,
            values={"circuit.plastic[0].rule.u": u},
            recorders=(SpikeRows(), VOLTAGE),
        )
        return kept["vm"].sum(), kept["spk"]

    (_, spikes), slope = QUICKLY(jax.value_and_grad(score, has_aux=True))(
        flat.circuit.plastic[0].rule.u, flat
    )
    np.testing.assert_array_equal(spikes, raster_of(words, net.n_neurons))
    assert np.isfinite(slope) and slope != 0.0 and spikes.sum() > 20


def test_checkpoints_change_nothing_but_memory():
    """250 steps are twelve chunks of 20 and one of 10: the same rows, and the same gradient up to
    rounding.
    """
    with precision("float64"):
        net = jtfne.construct(config(["LIF"], dtype="float64"))
        flat, recorders = net.to_flat(surrogate=Sigmoid()), (SpikeRows(), VOLTAGE)

        def checked(drive_pA, flat):
            values = {"circuit.drive_pA": drive_pA}
            kept = arrays_of(flat, KEY, n_steps=250, values=values, recorders=recorders)
            return (kept["spk"].mean() + kept["vm"] ** 2).sum(), kept

        def plain(drive_pA, flat):
            changed = batch.with_values(flat, {"circuit.drive_pA": drive_pA})
            chunk = changed.run(KEY, n_steps=250, recorders=recorders)[1]
            kept = {name: rows for each in chunk.recorded for name, rows in each.items()}
            return (kept["spk"].mean() + kept["vm"] ** 2).sum(), kept

        found = [
            QUICKLY(jax.value_and_grad(f, has_aux=True))(flat.circuit.drive_pA, flat)
            for f in (checked, plain)
        ]
    ((_, rows), slopes), ((_, plain_rows), plain_slopes) = found
    assert rows["spk"].shape == (250, net.n_neurons) and rows["vm"].shape == (25, net.n_neurons)
    np.testing.assert_array_equal(rows["spk"], plain_rows["spk"])
    np.testing.assert_allclose(rows["vm"], plain_rows["vm"], rtol=1e-12)
    np.testing.assert_allclose(
        slopes, plain_slopes, rtol=1e-9, atol=1e-12 * np.abs(plain_slopes).max()
    )


def test_batches_and_forward_mode_agree_with_the_gradient():
    """vmap over keys is the runs one by one; jvp along a direction is the gradient times it. Up to
    float32's sums.
    """
    flat = jtfne.construct(config(["LIF"], n=3, longest_ms=0.5)).to_flat(surrogate=Triangular())
    drive_pA, keys = flat.circuit.drive_pA, jax.random.split(KEY, 2)

    def score(drive_pA, key, flat):
        kept = arrays_of(
            flat,
            key,
            n_steps=200,
            values={"circuit.drive_pA": drive_pA},
            recorders=(VOLTAGE, SpikeRows()),
        )
        return kept["vm"].mean() + kept["spk"].sum()

    slope = jax.grad(score)
    many = QUICKLY(jax.vmap(slope, (None, 0, None)))(drive_pA, keys, flat)
    each = [QUICKLY(slope)(drive_pA, key, flat) for key in keys]
    scale = float(jnp.abs(each[0]).max())
    assert scale > 0.0 and not np.allclose(each[0], each[1])
    np.testing.assert_allclose(many, jnp.stack(each), rtol=1e-3, atol=1e-5 * scale)
    _, forward = QUICKLY(lambda d, k, f: jax.jvp(lambda d: score(d, k, f), (d,), (d,)))(
        drive_pA, keys[0], flat
    )
    np.testing.assert_allclose(forward, each[0] @ drive_pA, rtol=1e-3)


def test_memory_of_a_gradient_grows_as_the_root_of_the_steps():
    """Four times the steps: about twice the memory; without checkpoints four times, and far
    more.
    """
    flat = jtfne.construct(config(["LIF"], n=20)).to_flat(surrogate=Sigmoid())
    recorders = (SpikeRows(every=10),)

    def n_bytes(score, n_steps):
        def slope(drive_pA, flat):
            return jax.grad(lambda drive_pA: score(drive_pA, flat, n_steps))(drive_pA)

        lowered = QUICKLY(slope).lower(flat.circuit.drive_pA, flat)
        return lowered.compile().memory_analysis().temp_size_in_bytes

    def checked(drive_pA, flat, n_steps):
        values = {"circuit.drive_pA": drive_pA}
        return arrays_of(flat, KEY, n_steps=n_steps, values=values, recorders=recorders)[
            "spk"
        ].sum()

    def plain(drive_pA, flat, n_steps):
        changed = batch.with_values(flat, {"circuit.drive_pA": drive_pA})
        return changed.run(KEY, n_steps=n_steps, recorders=recorders)[1].recorded[0]["spk"].sum()

    few, many = (n_bytes(checked, n) for n in (1000, 4000))
    plain_few, plain_many = (n_bytes(plain, n) for n in (1000, 4000))
    assert many <= 2.2 * few, (few, many)
    assert plain_many > 3.5 * plain_few and plain_many > 10 * many, (plain_few, plain_many, many)


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Free(Sigmoid):
    """As Sigmoid, but upstrokes are not held back."""

    steadies = False


@pytest.mark.as_users
def test_leaky_cells_have_no_upstroke_to_hold_back():
    net = jtfne.construct(config(["LIF"]))

    def score(drive_pA, flat):
        return arrays_of(flat, KEY, n_steps=300, values={"circuit.drive_pA": drive_pA})["spk"].sum()

    drive_pA = net.to_flat().circuit.drive_pA
    held, free = (
        QUICKLY(jax.grad(score))(drive_pA, net.to_flat(surrogate=each))
        for each in (Sigmoid(), Free())
    )
    assert np.any(held != 0.0)
    np.testing.assert_array_equal(held, free)


def test_upstrokes_do_not_blow_up_the_gradient_of_a_recurrent_circuit():
    """By how much the rate of the four-type Izhikevich circuit rises with all drives: within three
    times.

    Differences are those of two runs 40 % apart. Left free, the slopes are more than a million
    times too steep.
    """
    net = jtfne.construct(jtfne.suite2_net1_config(100))

    def rate_Hz(gain, flat):
        values = {"circuit.drive_pA": gain * flat.circuit.drive_pA}
        spikes = arrays_of(
            flat, KEY, n_steps=3000, values=values, recorders=(SpikeRows(every=50),)
        )["spk"]
        return spikes.sum() / (100 * 0.3)

    flat = net.to_flat(surrogate=Sigmoid())
    run, slope = QUICKLY(rate_Hz), QUICKLY(jax.grad(rate_Hz))
    difference = float(run(1.2, flat) - run(0.8, flat)) / 0.4
    held, free = float(slope(1.0, flat)), float(slope(1.0, net.to_flat(surrogate=Free())))
    assert difference > 3.0
    assert difference / 3.0 < held < 3.0 * difference
    assert not abs(free) < 1e6 * difference  # nan counts


def test_a_circuit_is_tuned_to_a_rate_by_gradient():
    """A hundred recurrent LIF cells from above 40 Hz to 12 Hz, within a tenth, in 30 steps of Adam
    on their drive.
    """
    edge = {"source": "E", "target": "E", "mechanism": "AMPA", "weight": 5.0, "delay_ms": 1.0,
            "rule": {"kind": "FixedIndegree", "n": 10}}  # fmt: skip
    cfg = (
        jtfne.Config()
        .runtime(seed=1)
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 100})
        .emitters({"E": LIF()})
        .cell_params({"E": {"drive": 500.0, "noise": 100.0}})
        .connections([edge])
    )
    flat = jtfne.construct(cfg).to_flat(surrogate=SuperSpike())

    @jax.jit
    def scored(x, flat):
        def score(drive_pA):
            values = {"circuit.drive_pA": jnp.broadcast_to(drive_pA, 100)}
            spikes = arrays_of(
                flat, KEY, n_steps=2000, values=values, recorders=(SpikeRows(every=50),)
            )["spk"]
            rate_Hz = spikes.sum() / (100 * 0.2)
            return (jnp.log(rate_Hz + 0.1) - jnp.log(12.1)) ** 2, rate_Hz

        return jax.value_and_grad(score, has_aux=True)(x)

    optimizer, rates = Gradient(transform=optax.adam(0.05)), []
    state = optimizer.init(jax.random.key(0), [200.0], [900.0], start=[500.0])
    for _ in range(30):
        x, state = optimizer.ask(state)
        (score, rate_Hz), slope = scored(x[0, 0], flat)
        rates.append(float(rate_Hz))
        state = optimizer.tell(state, x, score[None], slope[None, None])
    assert rates[0] > 40.0
    best_Hz = float(scored(optimizer.best(state)[0][0], flat)[0][1])
    assert best_Hz == pytest.approx(12.0, rel=0.1), rates


def test_what_has_no_gradient_is_refused():
    net = jtfne.construct(config(["LIF"]))
    flat = net.to_flat(surrogate=Sigmoid())
    with pytest.raises(
        jtfne.JtfneError, match=r"EventDelivery, which goes from.*Sparse\(\) or Dense\(\)"
    ):
        net.to_flat(delivery=delivery.Event(), surrogate=Sigmoid())
    with pytest.raises(jtfne.JtfneError, match=r"EventDelivery"):
        with_surrogate(net.to_flat(delivery=delivery.Event()), Sigmoid())
    with pytest.raises(
        jtfne.JtfneError,
        match=r"without a surrogate; expected net.to_flat\(surrogate=",
    ):
        arrays_of(net.to_flat(), KEY, n_steps=10)
    with pytest.raises(
        jtfne.JtfneError, match=r"unknown values 'circuit.drive'.*nearest: 'circuit.drive_pA'"
    ):
        arrays_of(flat, KEY, n_steps=10, values={"circuit.drive": jnp.zeros(1)})
    with pytest.raises(
        jtfne.JtfneError, match=r"values\['circuit.drive_pA'\] of shape \(1,\).*\(16,\)"
    ):
        arrays_of(flat, KEY, n_steps=10, values={"circuit.drive_pA": jnp.zeros(1)})
    with pytest.raises(jtfne.JtfneError, match=r"whole intervals of \[7\] steps"):
        arrays_of(flat, KEY, n_steps=10, recorders=(SpikeRows(every=7),))
    stdp = {
        "kind": "PairSTDP",
        "tau_plus_ms": 20.0,
        "tau_minus_ms": 20.0,
        "a_plus": 0.1,
        "a_minus": 0.1,
        "w_max": 9.0,
    }
    edge = {
        "source": "LIF",
        "target": "LIF",
        "mechanism": "AMPA",
        "weight": 4.0,
        "rule": "AllToAll",
    }
    edge["plasticity"] = stdp
    with pytest.raises(jtfne.JtfneError, match=r"no PairSTDP"):
        jtfne.construct(config(["LIF"], edges=[edge])).to_flat(surrogate=Sigmoid())


@pytest.mark.parametrize("wrap", [lambda each: each, Smoothed], ids=["plain", "smoothed"])
@pytest.mark.parametrize(
    ("cls", "name"), [(cls, name) for cls in SURROGATES.values() for name in cls.LIMITS]
)
def test_numbers_out_of_range_are_refused(cls, name, wrap):
    net = jtfne.construct(config(["LIF"]))
    for value in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(
            jtfne.JtfneError, match=rf"{name}={value}.*\(0, inf\) \(in surrogate {cls.__name__}\)"
        ):
            net.to_flat(surrogate=wrap(cls(**{name: value})))


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Own(LIF):
    """Without `threshold_distance`."""

    threshold_distance = None


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Older(LIF):
    """With the older name of `threshold_distance`, half as far from it."""

    def excess(self, before, after):
        return 0.5 * LIF.threshold_distance(self, before, after)


def one_own(emitter):
    cfg = jtfne.Config().areas(["V1"]).layers(["L4"]).cells({"E": 2}).emitters({"E": emitter})
    return jtfne.construct(cfg)


def test_an_emitter_of_ones_own_says_how_far_it_is_from_a_spike():
    with pytest.raises(
        jtfne.JtfneError, match=r"Own, which has no threshold_distance\(before, after\)"
    ):
        one_own(Own()).to_flat(surrogate=Sigmoid())


def test_the_older_name_of_that_distance_is_taken_with_a_warning():
    net = one_own(Older())
    with pytest.warns(DeprecationWarning, match="rename excess of Older to threshold_distance"):
        flat = net.to_flat(surrogate=Sigmoid())
    state = flat.circuit.groups[0].emitter.init(jnp.full(2, 0.3))
    distance = find_method(Older(), "threshold_distance")(state, state)
    np.testing.assert_array_equal(distance, 0.5 * LIF().threshold_distance(state, state))
    with pytest.warns(DeprecationWarning, match="excess is threshold_distance now"):
        np.testing.assert_array_equal(LIF().excess(state, state), 2.0 * distance)
