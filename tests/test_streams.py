"""What draws, draws alone: no stimulus, probe, trial or population that is added moves the draws of
another.
"""

import hashlib
import itertools
import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne import Paradigm as P
from jtfne import _keys, engine
from jtfne._check import narrow_dtype
from jtfne.emitters import LIF, PoissonSource, SpikeSource
from jtfne.flatnet import mechanisms_of
from jtfne.simulation._inputs import build_run_inputs
from jtfne.simulation._names import list_stream_names, sort_stimuli


def config(cells=None, areas=("V1",), layers=("L4",)):
    """Cells with noise, which nothing connects, and sources of spikes."""
    cells = {"E": 6, "PV": 4, "S": 5} if cells is None else cells
    made = (
        jtfne.Config()
        .runtime(seed=3, duration_ms=20.0, dt_ms=0.1)
        .areas(list(areas))
        .layers(list(layers))
    )
    made = made.cells(cells).emitters(
        {name: PoissonSource() if name == "S" else LIF() for name in cells}
    )
    return made.cell_params({name: {"noise": 5.0} for name in cells if name != "S"}).probes(
        ["spk", "vm"]
    )


def poisson(target, label, **changed):
    return P.poisson(
        **{"target": target, "label": label, "rate_Hz": 2000.0, "weight_pA": 23.123, **changed}
    )


def evoked(target, label, **changed):
    return P.evoked(
        **{
            "target": target,
            "label": label,
            "mean_ms": 8.0,
            "sd_ms": 2.0,
            "n_spikes": 3,
            "weight_pA": 50.3,
            **changed,
        }
    )


def wandering(target, label, **changed):
    return P.ornstein_uhlenbeck(
        **{"target": target, "label": label, "sd": 30.0, "tau_ms": 5.0, **changed}
    )


def rhythmic(target, label, **changed):
    own = {
        "start_ms": 1.0,
        "stop_ms": 19.0,
        "rate_Hz": 100.0,
        "sd_ms": 0.5,
        "isi_ms": 2.0,
        "weight_pA": 20.0,
    }
    return P.rhythmic(**{"target": target, "label": label, **own, **changed})


KINDS = (poisson, evoked, wandering, rhythmic)
BASE = sum((kind("E", "a") for kind in KINDS[1:]), start=KINDS[0]("E", "a"))
OTHERS = [
    *(kind("PV", "a") for kind in KINDS),  # the same but for the target
    *(kind("E", "b") for kind in KINDS),  # but for the label
    *(kind({"cell_type": ["PV", "E"]}, "a") for kind in KINDS),
    poisson("E", "a", start_ms=1.0),
    evoked("E", "a", mean_ms=9.0),
    rhythmic("E", "a", start_ms=2.0),
    P.pulse(target="E", label="a", start_ms=1.0, duration_ms=1.0, amplitude=1.0),
    poisson("PV", "shared", shared=True),
    evoked("PV", "shared", synchronous=True),
]


def words(array):
    return [tuple(column) for column in np.asarray(array).T.tolist()]


def names_of(cfg, paradigm, trial=0):
    """By the names of cells and streams: which cell draws from which stream, drawn spikes, and
    places.
    """
    net = jtfne.construct(cfg)
    cfg = cfg.stimuli(paradigm.stimuli)
    flat = net.to_flat(dt_ms=0.1, mechanisms=mechanisms_of(cfg))
    drive = build_run_inputs(cfg.task.stimuli, net, flat.receptors, 0.1, np.dtype(np.float32), 3)
    names = words(flat.circuit.cell_names)
    assert len(set(names)) == net.n_neurons, "each cell has a name of its own"
    found = {}
    for each in drive.inputs.poisson:
        targets = range(len(names)) if each.targets is None else np.asarray(each.targets)
        stimulus = [0] * len(targets) if each.stimulus is None else np.asarray(each.stimulus)
        streams = [words(each.stream)[k] for k in stimulus]
        found |= {
            ("rain", s, names[row]): each.shared for s, row in zip(streams, targets, strict=True)
        }
    for each in drive.inputs.fluctuations:
        found |= {
            ("wander", tuple(np.asarray(each.stream).tolist()), name): each.shared for name in names
        }
    for trains, volley in zip(drive.inputs.trains, drive.spike_trains, strict=True):
        counts = volley.counts(0, 200, 0.1, trial, 3)
        for row in np.flatnonzero(np.asarray(trains.weight)):
            spikes = counts[:, np.asarray(trains.train)[row]].tolist()
            found["volley", volley.name, volley.stimulus.drive.start_ms, names[row]] = spikes
    where = net.neurons.set_index("neuron")[["x_mm", "y_mm", "z_mm"]].to_numpy().tolist()
    return (
        found | {("place", name): xyz for name, xyz in zip(names, where, strict=True)},
        flat,
        drive,
    )


def draws_of(cfg, paradigm, trial=0):
    """What is drawn at the start of a trial, by the names of cells and of streams."""
    _, flat, drive = names_of(cfg, paradigm)
    carry = engine.start(
        flat.circuit, drive.inputs, _keys.streams(_keys.key(3, "trial", str(trial)))
    )
    names = words(flat.circuit.cell_names)
    found = {("noise", name): drawn for name, drawn in zip(names, words(carry.noise), strict=True)}
    for group, state in zip(flat.circuit.groups, carry.cells, strict=True):
        own = [
            names[row]
            for row in (range(len(names)) if group.index is None else np.asarray(group.index))
        ]
        found |= {
            ("start", name): v for name, v in zip(own, np.asarray(state.v_mV).tolist(), strict=True)
        }
        if hasattr(state, "salt"):
            found |= {
                ("source", name): d
                for name, d in zip(own, words([state.seed, state.salt]), strict=True)
            }
    for each, rain in zip(drive.inputs.poisson, carry.poisson, strict=True):
        targets = range(len(names)) if each.targets is None else np.asarray(each.targets)
        stimulus = [0] * len(targets) if each.stimulus is None else np.asarray(each.stimulus)
        streams = [words(each.stream)[k] for k in stimulus]
        found |= {
            ("rain", s, names[k]): d
            for s, k, d in zip(streams, targets, words(rain.streams), strict=True)
        }
    for each, wander in zip(drive.inputs.fluctuations, carry.fluctuations, strict=True):
        stream = tuple(np.asarray(each.stream).tolist())
        found |= {
            ("wander", stream, names[k]): x for k, x in enumerate(np.asarray(wander.x).tolist())
        }
    return found


@pytest.fixture(scope="module")
def alone():
    return names_of(config(), BASE)[0]


@settings(max_examples=12)
@given(
    added=st.lists(st.integers(0, len(OTHERS) - 1), max_size=4),
    first=st.booleans(),
    more=st.sampled_from(
        [
            {},
            {"cells": {"A": 3, "E": 6, "PV": 4, "S": 5}},
            {"cells": {"S": 7, "PV": 9, "E": 12}},
            {"areas": ("FEF", "V1")},
        ]
    ),
)
@pytest.mark.as_users
def test_nothing_added_moves_a_stream(alone, added, first, more):
    """Stimuli before or after, a type more, other numbers of cells in another order, another
    area.
    """
    whole = [OTHERS[k] for k in added]
    whole = [*whole, BASE] if first else [BASE, *whole]
    together, _, _ = names_of(config(**more), sum(whole[1:], start=whole[0]))
    kept = [
        name
        for name in alone
        if name[0] != "place" or "S" not in more.get("cells", {}) or "A" in more["cells"]
    ]
    assert len(kept) > 20 and [name for name in kept if together.get(name) != alone[name]] == []


@pytest.mark.as_users
def test_what_is_drawn_hangs_on_names_alone():
    """Initial state, noise, sources and stimuli, of all cells, in a circuit of more cells under
    more stimuli.
    """
    one = draws_of(config(), BASE)
    more = draws_of(config({"A": 3, "S": 7, "PV": 9, "E": 12}), OTHERS[0] + BASE + OTHERS[2])
    assert {name[0] for name in one} == {"noise", "start", "rain", "wander", "source"}
    assert [name for name in one if more.get(name) != one[name]] == []
    for kind in ("noise", "rain", "source"):
        drawn = [value for name, value in more.items() if name[0] == kind]
        assert len(set(drawn)) == len(drawn), "no two cells or stimuli draw the same"
    again = draws_of(config(), BASE, trial=1)
    assert all(one[name] != again[name] for name in one if name[0] != "start")


@pytest.mark.parametrize("kind", KINDS)
def test_alike_stimuli_draw_apart_whatever_their_order(kind):
    """Equal in kind, label, target and onset: told by what else they are, and the same in any
    order.
    """
    strong = "sd" if kind is wandering else "weight_pA"
    parts = [kind("E", "a"), kind("E", "a", **{strong: 7.0}), kind("E", "a")]
    found = []
    for order in itertools.permutations(parts):
        stimuli = sort_stimuli(sum(order[1:], start=order[0]).stimuli)
        found.append(list(zip(list_stream_names(stimuli), stimuli, strict=True)))
    assert all(each == found[0] for each in found)
    assert len({name for name, _ in found[0]}) == 3
    if kind in (evoked, rhythmic):
        net = jtfne.construct(config())
        drive = build_run_inputs(
            (parts[0] + parts[2]).stimuli, net, (("AMPA",),), 0.1, np.dtype(np.float32), 3
        )
        one, two = (volley.counts(0, 200, 0.1, 0, 3) for volley in drive.spike_trains)
        assert not np.array_equal(one, two)
    single, both = (names_of(config(), each)[0] for each in (parts[0], parts[0] + parts[2]))
    assert single.items() <= both.items() or kind in (evoked, rhythmic)


def vm(paradigm, target="E", **asked):
    return (
        jtfne.simulate(jtfne.construct(config()), paradigm, progress=False, **asked)
        .get("vm", cell_type=target)
        .values
    )


def test_a_run_with_and_without_a_drive_is_a_paired_comparison():
    """To the bit; A + B is B + A, and the other cells do see B."""
    other = poisson("PV", "a") + evoked("PV", "a") + poisson("PV", "b")
    alone, together, turned = vm(BASE), vm(BASE + other), vm(other + BASE)
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(turned, together)
    assert not np.array_equal(vm(BASE + other, "PV"), vm(BASE, "PV"))


def test_flags_of_jax_change_no_number():
    """Neither those that choose generators or precision, nor those that stop what promotes or moves
    arrays.
    """
    net = jtfne.construct(config({"E": 7, "S": 3}).probes(["spk", "vm", "lfp"]))

    def run():
        signals = jtfne.simulate(net, poisson("E", "a") + wandering("E", "a"), progress=False)
        return signals.spikes["time_ms"].to_numpy(), *(
            signals.get(name).values for name in ("vm", "lfp")
        )

    usual = run()
    with (
        jax.numpy_rank_promotion("raise"),
        jax.numpy_dtype_promotion("strict"),
        jax.transfer_guard("disallow"),
        jax.default_prng_impl("rbg"),
        jax.threefry_partitionable(False),
        jax.default_matmul_precision("bfloat16"),
        jax.enable_x64(True),
    ):
        hostile = run()
    for one, other in zip(usual, hostile, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_key_is_one_whatever_the_flags():
    with (
        jax.default_prng_impl("rbg"),
        jax.threefry_partitionable(False),
        jax.transfer_guard("disallow"),
    ):
        key = _keys.key(3, "noise")
    assert np.array_equal(jax.random.key_data(key), jax.random.key_data(_keys.key(3, "noise")))
    jax.config.update("jax_random_seed_offset", 7)
    try:
        assert np.array_equal(jax.random.key_data(key), jax.random.key_data(_keys.key(3, "noise")))
    finally:
        jax.config.update("jax_random_seed_offset", 0)
    plain = np.asarray(_keys.uniforms(_keys.fold_words(key, _keys.number_streams(9)), np.float32))
    with jax.threefry_partitionable(False):
        np.testing.assert_array_equal(
            _keys.uniforms(_keys.fold_words(key, _keys.number_streams(9)), np.float32), plain
        )
    for other in (jax.random.key(1, impl="rbg"), jax.random.PRNGKey(1)):  # keys of a user
        assert len(_keys.streams(other)) == 3


SCRIPT = """
import hashlib, jtfne
from jtfne.emitters import LIF
cfg = (jtfne.Config().runtime(seed=3, duration_ms=20.0, dt_ms=0.1).areas(["V1"]).layers(["L4"]).cells({"E": 7})
       .emitters({"E": LIF()}).cell_params({"E": {"noise": 9.0}}).probes(["spk", "vm"]))
rain = jtfne.Paradigm.poisson(target="E", rate_Hz=2000.0, weight_pA=23.1)
signals = jtfne.simulate(jtfne.construct(cfg), rain, progress=False)
import json
print(json.dumps([signals.manifest["readouts"]["vm"]["sha256"], signals.manifest["platform"]["flags"]]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "flags"),
    [
        ({}, []),
        (
            {
                "JAX_DEFAULT_PRNG_IMPL": "rbg",
                "JAX_THREEFRY_PARTITIONABLE": "false",
                "JAX_ENABLE_X64": "1",
            },
            [],
        ),
        ({"JAX_RANDOM_SEED_OFFSET": "7"}, []),
        (
            {
                "JAX_NUMPY_RANK_PROMOTION": "raise",
                "JAX_TRANSFER_GUARD": "disallow",
                "JAX_DEBUG_NANS": "1",
            },
            ["jax_debug_nans"],
        ),
        ({"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=true"}, ["XLA_FLAGS"]),
    ],
)
def test_the_environment_changes_no_number_or_is_told(variables, flags):
    mine = {
        name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_"))
    }
    run = [sys.executable, "-c", SCRIPT]
    plain, other = (
        json.loads(
            subprocess.run(run, env=env, check=True, capture_output=True, timeout=300).stdout
        )
        for env in (mine, {**mine, **variables})
    )
    assert other[0] == plain[0] and plain[1] == {} and list(other[1]) == flags


@pytest.mark.parametrize("n", [1, 32_767, 32_768, 65_536, 1_000_000])
def test_spikes_are_counted_as_they_are(n):
    stimuli = evoked("E", "a", sd_ms=0.0, n_spikes=n).stimuli
    drive = build_run_inputs(
        stimuli, jtfne.construct(config()), (("AMPA",),), 0.1, np.dtype(np.float32)
    )
    assert (drive.spike_trains[0].counts(0, 200, 0.1, 0, 3).sum(axis=0) == n).all()


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([32_768], np.int16),
        ([-32_769], np.int16),
        ([0, 65_536], np.int16),
        ([2**31], np.int32),
        ([2**32], np.uint32),
        ([-1], np.uint32),
        ([1e300], np.int32),
        ([np.nan], np.int32),
        ([1.5], np.int32),
        ([1e39], np.float32),
    ],
)
def test_what_does_not_fit_is_refused(values, dtype):
    with pytest.raises(jtfne.JtfneError, match=r"a count=.*; expected"):
        narrow_dtype(values, dtype, name="a count", where="here")


@given(
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=9),
    st.sampled_from([np.int16, np.int32, np.int64]),
)
def test_what_fits_stays(values, dtype):
    limits = np.iinfo(dtype)
    if all(limits.min <= value <= limits.max for value in values):
        assert (
            narrow_dtype(values or np.zeros(0, int), dtype, name="n", where="here").tolist()
            == values
        )


def test_narrow_arrays_of_a_net_are_refused_not_wrapped():
    from jtfne.delivery import Ring
    from jtfne.net import identity_from_labels

    names = {"area": ["V1"], "layer": ["L4"], "cell_type": ["E"], "position_mm": np.zeros((1, 3))}
    with pytest.raises(jtfne.JtfneError, match="ids=2147483648"):
        identity_from_labels(**names, ids=np.array([2**31]))
    many = [f"T{k}" for k in range(32_769)]
    with pytest.raises(jtfne.JtfneError, match="32768; expected"):
        n = len(many)
        identity_from_labels(
            area=["V1"] * n, layer=["L4"] * n, cell_type=many, position_mm=np.zeros((n, 3))
        )
    with pytest.raises(jtfne.JtfneError, match="a ring buffer of"):
        Ring(2**16, 2, 2**15)


@pytest.mark.parametrize("dt_ms", [0.05, 0.1, 0.25, 1.0])
@pytest.mark.parametrize("end_ms", [5e3, 1e5])
def test_times_that_were_float32_come_in_their_step(dt_ms, end_ms):
    steps = np.unique(np.random.default_rng(0).integers(1, int(end_ms / dt_ms), 20_000))
    for times_ms in (steps * dt_ms, (steps * dt_ms).astype(np.float32)):
        table = SpikeSource(times_ms=[times_ms.tolist()]).times_ms.table(dt_ms)
        np.testing.assert_array_equal(table[0, :-1], steps - 1)
    within = SpikeSource(times_ms=[((steps + 0.25) * dt_ms).tolist()]).times_ms.table(dt_ms)
    np.testing.assert_array_equal(within[0, :-1], steps)  # first after it


@pytest.mark.parametrize(
    "make",
    [
        lambda: poisson("E", "a", rate_Hz=1e12),
        lambda: poisson("E", "a", rate_Hz=1e300),
        lambda: poisson("E", "a", rate_Hz=1.1e7),
        lambda: poisson("E", "a", weight_pA=1e60),
        lambda: P.pulse_train(
            target="E", start_ms=0.0, duration_ms=0.1, period_ms=0.2, count=10**6, amplitude=1.0
        ),
        lambda: evoked("E", "a", n_spikes=10**9),
        lambda: evoked("E", "a", n_spikes=2**31),
        lambda: evoked("E", "a", sd_ms=1e300),
        lambda: evoked("E", "a", sd_ms=21.0),
        lambda: rhythmic("E", "a", rate_Hz=1e300, n_spikes=1),
        lambda: rhythmic("E", "a", stop_ms=1e9, rate_Hz=1e3, n_spikes=1),
        lambda: rhythmic("E", "a", n_afferents=10**9),
        lambda: wandering("E", "a", tau_ms=1e-300),
        lambda: wandering("E", "a", tau_ms=0.01),
        lambda: P.sine(target="E", amplitude=1.0, frequency_Hz=1e9),
        lambda: P.sine(target="E", amplitude=1.0, frequency_Hz=5000.0),
        lambda: P.constant_dc(target="E", amplitude=1e200),
    ],
)
def test_sizes_and_meanings_are_refused_before_any_work(make, monkeypatch):
    monkeypatch.setattr(jtfne.simulation._simulate, "record", None)
    with pytest.raises(jtfne.JtfneError, match=r"; expected "):
        jtfne.construct(config()).simulate(make(), progress=False)


def test_more_spikes_than_can_be_drawn_are_refused():
    net = jtfne.construct(config({"E": 200}))
    with pytest.raises(
        jtfne.JtfneError, match=r"1000000 spikes onto each of 200 cells.* at most 100,000,000"
    ):
        net.simulate(evoked("E", "a", n_spikes=10**6), progress=False)


def test_a_source_that_cannot_reach_its_rate_is_refused():
    with pytest.raises(
        jtfne.JtfneError, match=r"rate_Hz=20000, 2 spikes a step.* at most one a step, 10000 Hz"
    ):
        jtfne.construct(
            config().emitters({"E": LIF(), "PV": LIF(), "S": PoissonSource(rate_Hz=2e4)})
        )


def test_names_of_streams_do_not_run_together():
    """An area called `V1/L2` and a layer `3` draw other places than area `V1` and layer `L2/3`."""
    parts = [("V1/L2", "3", "E"), ("V1", "L2/3", "E"), ("V1", "L2", "3/E"), ("V1", "L2/3/E", "E")]
    assert len({_keys.join_names(*each) for each in parts}) == 4
    assert len({_keys.number_named_streams(*each, n=1).tobytes() for each in parts}) == 4
    assert hashlib.sha256(_keys.number_named_streams("a", n=5)[:, :3].tobytes()).digest() == (
        hashlib.sha256(_keys.number_named_streams("a", n=3).tobytes()).digest()
    )


def test_the_hash_on_the_host_has_the_published_value():
    """Key and counter zero: the first line of `kat_vectors` of Random123, Salmon et al. (2011)."""
    zero = np.zeros(1, np.uint32)
    high, low = _keys._hash_on_host((zero, zero), zero)
    assert (int(high[0]), int(low[0])) == (0x6B200159, 0x99BA4EFE)


def test_keys_are_the_same_on_the_host():
    random, requests, traced_requests = np.random.default_rng(1), [], []
    for n_names, n_keys in ((1, 1), (_keys.HASH_BLOCK + 3, 1), (7, 7)):
        key = tuple(random.integers(0, 2**32, (2, n_keys), np.uint32))
        names = random.integers(0, 2**32, (2, n_names), np.uint32)
        requests.append((key, names))
        traced_key = tuple(jax.numpy.asarray(word.squeeze()) for word in key)
        traced_requests.append((traced_key, jax.numpy.asarray(names)))
    wanted = jax.tree.leaves(_keys.fold_traced(traced_requests))
    found = jax.tree.leaves(_keys.fold_on_host(requests))
    for words, expected in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(words, expected, strict=True)


def test_streams_of_a_trial_are_the_same_on_the_host():
    trial = _keys.codes("trial", "12")
    wanted = _keys.streams(_keys.fold_names(np.uint32(2**32 - 1), trial))
    streams = _keys.streams_on_host(np.uint32(2**32 - 1), trial)
    assert streams.keys() == wanted.keys()
    for name, words in streams.items():
        assert np.array_equal(np.concatenate(words), jax.random.key_data(wanted[name]))
