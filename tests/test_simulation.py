"""Same seed, same bits: whatever the chunks, the probes and what ran before; and what a run
refuses.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest

import jtfne
from jtfne import _keys, engine, runner
from jtfne._precision import precision
from jtfne.config import open_field
from jtfne.emitters import LIF, Izhikevich2007
from jtfne.simulation import _prepare, _replay, simulate

FIELDS = ("lfp_proxy", "csd_proxy", "eeg_proxy", "meg_proxy", "spectrolaminar_proxy", "emm_proxy")
ALL = ("spk", "vm", "source", *FIELDS)
INPUT = jtfne.Paradigm.pulse(
    target="E", start_ms=20.0, duration_ms=10.0, amplitude=3.0
) + jtfne.Paradigm.poisson(target="PV", rate_Hz=500.0, weight_pA=50.0, start_ms=13.0)


def mixed(probes=("spk", "vm"), **run):
    """73 cells of three models in two areas, recurrent, all of them firing within 60 ms."""
    edges = [("E", "PV", "AMPA", 200.0), ("PV", "E", "GABA_A", -50.0), ("E", "X", "NMDA", 20.0)]
    rule = {"kind": "FixedProbability", "p": 0.3}
    return (
        jtfne.Config()
        .runtime(**{"seed": 1, "duration_ms": 60.0, **run})
        .areas(["V1", "V4"])
        .layers(["L2/3", "L4"])
        .cells({"E": 0.7, "PV": 0.2, "X": 0.1}, n=37)
        .emitters({"X": LIF(), "PV": Izhikevich2007()})
        .cell_params(
            {
                "X": {"drive": 500.0, "noise": 100.0},
                "PV": {"drive": 200.0, "noise": 50.0},
                "E": {"drive": 8.0},
            }
        )
        .connections(
            [
                {"source": s, "target": t, "mechanism": m, "weight": w, "rule": rule}
                for s, t, m, w in edges
            ]
        )
        .probes(list(probes))
    )


def hashes(signals):
    return {name: each["sha256"] for name, each in signals.manifest["readouts"].items()}


@pytest.fixture(scope="module")
def whole():
    """Every readout of the mixed circuit, in one chunk."""
    signals = simulate(jtfne.construct(mixed(ALL)), INPUT, chunk_steps=1000)
    assert len(signals.spikes) > 100
    assert (signals.rates()["rate_Hz"] > 0).all()
    return hashes(signals)


@pytest.mark.parametrize("chunk_steps", [1, 7, 33, 100, 130, 599])
@pytest.mark.as_users
def test_same_bits_for_any_chunk(whole, chunk_steps):
    """1 and 7 are shorter than an interval of 10 steps; 600 is no multiple of 130, nor of 33."""
    assert hashes(simulate(jtfne.construct(mixed(ALL)), INPUT, chunk_steps=chunk_steps)) == whole


@pytest.mark.parametrize("chunk_steps", [1, 2, 3, 7, 100])
@pytest.mark.as_users
def test_same_bits_for_any_chunk_without_intervals(whole, chunk_steps):
    found = hashes(simulate(jtfne.construct(mixed()), INPUT, chunk_steps=chunk_steps))
    assert found == {name: whole[name] for name in ("spk", "vm")}


@pytest.mark.parametrize(
    "probes", [("spk",), ("vm",), ("spk", "source"), ("spk", *FIELDS), ("vm", "emm_proxy")]
)
@pytest.mark.as_users
def test_same_bits_for_any_probes(whole, probes):
    found = hashes(simulate(jtfne.construct(mixed(probes)), INPUT))
    assert found == {name: whole[name] for name in probes}


@pytest.mark.parametrize(
    "mode", ["total_membrane_current", "decomposed", "synaptic_current", "spike_proxy"]
)
def test_source_mode_changes_no_spike(whole, mode):
    found = hashes(simulate(jtfne.construct(mixed(ALL).source(mode)), INPUT))
    assert {name: found[name] for name in ("spk", "vm")} == {
        name: whole[name] for name in ("spk", "vm")
    }
    assert found["source"] != whole["source"]


def test_interval_changes_no_spike(whole):
    probes = [
        "spk",
        "vm",
        {"kind": "source", "interval_ms": 0.1},
        {"kind": "lfp_proxy", "interval_ms": 3.0},
    ]
    found = hashes(simulate(jtfne.construct(mixed(probes)), INPUT))
    assert {name: found[name] for name in ("spk", "vm")} == {
        name: whole[name] for name in ("spk", "vm")
    }


FRESH = """
import json, sys
from test_simulation import AFTERWARDS, hashes
print(json.dumps([hashes(each()) for each in AFTERWARDS]))
"""
SHORT = {"duration_ms": 20.0}
AFTERWARDS = (
    lambda: simulate(jtfne.construct(mixed(**SHORT)), INPUT.at(-10.0), dt_ms=0.2),
    lambda: simulate(
        jtfne.construct(mixed(**SHORT).cell_params({"E": {"drive": 9.0}})), INPUT.at(-10.0)
    ),
    lambda: simulate(
        jtfne.construct(mixed(**SHORT)), jtfne.Paradigm.constant_dc(target="PV", amplitude=30.0)
    ),
    lambda: simulate(jtfne.construct(mixed(**SHORT)), INPUT.at(-10.0), seed=5),
)


def test_later_runs_equal_a_fresh_process():
    """Another dt, parameter, stimulus and seed after a first call; and each of them twice in this
    process.
    """
    net = jtfne.construct(mixed(**SHORT))
    first = hashes(simulate(net, INPUT.at(-10.0)))
    here = [hashes(each()) for each in AFTERWARDS]
    assert first not in here and len({each["vm"] for each in here}) == len(here)
    assert hashes(simulate(net, INPUT.at(-10.0))) == first
    assert [hashes(each()) for each in AFTERWARDS] == here
    # the same net, on another grid
    assert hashes(simulate(net, INPUT.at(-10.0), dt_ms=0.2)) == here[0]
    here_and_root = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parent.parent)])
    env = {**os.environ, "PYTHONPATH": here_and_root}
    out = subprocess.run([sys.executable, "-c", FRESH], env=env, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    assert json.loads(out.stdout) == here


def test_no_compilation_on_a_second_call():
    net = jtfne.construct(mixed(**SHORT))
    simulate(net, INPUT.at(-10.0))
    compiled = engine.advance_jit._cache_size()
    simulate(net, INPUT.at(-10.0), seed=2)
    simulate(net, INPUT.at(-11.0), dt_ms=0.1)
    simulate(net, INPUT.at(-10.0), trials=3)
    assert engine.advance_jit._cache_size() == compiled


def column(connections=()):
    """Three populations; the last one has nothing downstream."""
    return (
        jtfne.Config()
        .runtime(seed=2, duration_ms=80.0)
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells({"L2/3": {"PV": 10}, "L4": {"E": 10, "SST": 10}})
        .connections(list(connections))
        .probes(["spk", "vm", "source"])
    )


FORWARD = [
    {
        "source": a,
        "target": b,
        "mechanism": "AMPA" if a == "E" else "GABA_A",
        "rule": "AllToAll",
        "weight": w,
    }
    for a, b, w in (("E", "SST", 20.0), ("SST", "PV", -20.0))
]


@pytest.mark.parametrize(
    ("connections", "target", "moved"),
    [
        ((), "SST", {"SST"}),
        ((), {"ids": [3]}, {"PV"}),
        (FORWARD, "PV", {"PV"}),
        (FORWARD, "SST", {"SST", "PV"}),
    ],
)
def test_targeted_dc_changes_only_what_it_reaches(connections, target, moved):
    net = jtfne.construct(column(connections))
    dc = jtfne.Paradigm.constant_dc(target=target, amplitude=5.0, start_ms=20.0)
    plain, driven = net.simulate(), net.simulate(dc)
    for cell_type in ("E", "SST", "PV"):
        same = [
            np.array_equal(plain.get(n, cell_type=cell_type), driven.get(n, cell_type=cell_type))
            for n in ("vm", "source")
        ]
        assert same == [cell_type not in moved] * 2, cell_type
    if target == {"ids": [3]}:
        rest = [k for k in range(30) if k != 3]
        np.testing.assert_array_equal(plain.get("vm", ids=rest), driven.get("vm", ids=rest))
    before = (0.0, 20.0)
    np.testing.assert_array_equal(plain.get("vm", time=before), driven.get("vm", time=before))


def test_trials_differ_and_the_first_is_a_run_of_its_own():
    net = jtfne.construct(mixed(["spk", "vm", "lfp_proxy"], **SHORT))
    one, three = simulate(net), simulate(net, trials=3)
    vm = three.get("vm", layout="trial_time_node").values
    assert (
        vm.shape[0] == 3 and not np.array_equal(vm[0], vm[1]) and not np.array_equal(vm[1], vm[2])
    )
    assert not np.array_equal(vm[0, 0], vm[1, 0])  # the state at the start differs as well
    for name in ("vm", "lfp_proxy", "spk"):
        np.testing.assert_array_equal(three.get(name, trial=0), one.get(name))
    assert hashes(simulate(net, trials=3)) == hashes(three)
    assert list(three.tree["vm"]["trial"].values) == [0, 1, 2] and three.tree.attrs["n_trials"] == 3
    assert set(three.spikes["trial"]) == {0, 1, 2}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.as_users
def test_trials_side_by_side_have_the_bits_of_trials_in_turn(dtype, tmp_path):
    net = jtfne.construct(mixed(["spk", "vm", "lfp_proxy"], **SHORT | {"dtype": dtype}))
    beside = simulate(net, trials=5, chunk_steps=80)
    in_turn = simulate(net, trials=5, chunk_steps=80, out=tmp_path / "run")
    assert hashes(beside) == hashes(in_turn)
    assert beside.get("vm").dtype == dtype
    pd.testing.assert_frame_equal(beside.spikes, in_turn.spikes)


def driven(dtype="float32"):
    """Currents that rise and fall in all ways, with noise, rain, spikes at given times and
    wandering drive.
    """
    mechanisms = {
        "fast": {"kind": "BiExponential", "tau_rise_ms": 0.5, "tau_decay_ms": 4.0},
        "slow": {"kind": "Alpha", "tau_ms": 3.0},
    }
    rule = {"kind": "FixedProbability", "p": 0.3}
    edges = [("E", "PV", "fast", 200.0), ("E", "X", "slow", 60.0), ("PV", "E", "GABA_A", -50.0)]
    delays = (1.5, {"kind": "Uniform", "low": 0.5, "high": 3.0}, 0.8)
    place = {"position_mm": [-8.0, -60.0, 60.0], "normal": [0.0, -0.6, 0.8]}
    probes = ["spk", "lfp_proxy", {"kind": "source", "interval_ms": 0.1}, "lfp", "dipole"]
    connections = [
        {"source": s, "target": t, "mechanism": m, "weight": w, "rule": rule, "delay_ms": delay}
        for (s, t, m, w), delay in zip(edges, delays, strict=True)
    ]
    config = (
        mixed(probes, dtype=dtype)
        .areas([{"name": "V1", **place}, {"name": "V4", **place}])
        .source("input_current", maps=open_field("X"))
        .mechanisms(mechanisms)
        .connections(connections)
    )
    more = jtfne.Paradigm.ornstein_uhlenbeck(target="E", sd=0.3, tau_ms=5.0)
    more += jtfne.Paradigm.spike_times(target="PV", times_ms=[3.0, 17.2], weight_pA=80.0)
    return jtfne.construct(config), INPUT + more


@pytest.mark.parametrize(("dtype", "share"), [("float64", 128), ("float32", 10**6)])
@pytest.mark.as_users
def test_recorders_that_follow_a_run_have_the_bits_of_those_inside_it(dtype, share, monkeypatch):
    net, paradigm = driven(dtype)
    inside = simulate(net, paradigm)
    assert len(inside.spikes) > 50
    chunks, recorded = [], _replay.ReplayRecorder.replay

    def counted(self, *given):
        chunks.append(given)
        return recorded(self, *given)

    monkeypatch.setattr(_replay.ReplayRecorder, "replay", counted)
    monkeypatch.setattr(_replay, "n_cores", lambda: 2)
    monkeypatch.setattr(_replay, "LEAST_WORK", 0)
    monkeypatch.setattr(_replay, "SHARE", share)  # with room for no more than one spike at first
    beside = simulate(net, paradigm)
    assert len(chunks) == 2 and hashes(beside) == hashes(inside)
    simulate(net, paradigm, trials=2)
    assert len(chunks) == 2, "trials that run side by side have no core to spare"


@pytest.mark.parametrize(
    ("source", "config"),
    [
        ("total_membrane_current", mixed(["lfp_proxy"])),
        ("decomposed", mixed(["lfp_proxy"])),
        ("spike_proxy", mixed(["lfp_proxy"])),
        (
            "input_current",
            jtfne.presets.vogels_abbott(kind="coba")
            .cells({"E": 40, "I": 10})
            .probes(["lfp_proxy"]),
        ),
        ("input_current", mixed(["vm"])),
    ],
)
def test_what_looks_at_cells_stays_inside(source, config, monkeypatch):
    monkeypatch.setattr(_replay, "n_cores", lambda: 2)
    net = jtfne.construct(config.source(source))
    recorders = _prepare.plan_probes(net, net.config).recorders
    assert _replay.choose_replay(net.to_flat().circuit, recorders, 10**9) == (False,)


def test_a_short_run_or_a_single_core_is_not_followed(monkeypatch):
    net = jtfne.construct(mixed(["lfp_proxy"]))
    recorders, circuit = _prepare.plan_probes(net, net.config).recorders, net.to_flat().circuit
    for cores, n_steps, follows in ((2, 10**9, True), (1, 10**9, False), (2, 1000, False)):
        monkeypatch.setattr(_replay, "n_cores", lambda cores=cores: cores)
        assert _replay.choose_replay(circuit, recorders, n_steps) == (follows,)


def test_float64_needs_no_flag_and_fires_alike():
    assert not jax.config.jax_enable_x64
    single, double = (
        jtfne.suite2_net1_config(200).runtime(dtype=d, duration_ms=500.0)
        for d in ("float32", "float64")
    )
    rates, dtypes = [], []
    for cfg in (single, double):
        signals = jtfne.construct(
            cfg.probes(["spk", {"kind": "vm", "interval_ms": 1.0}, "lfp_proxy"])
        ).simulate()
        assert not jax.config.jax_enable_x64
        rates.append(len(signals.spikes) / 200 / 0.5)
        dtypes.append([str(signals.get(name).dtype) for name in ("vm", "lfp_proxy")])
    assert dtypes == [["float32"] * 2, ["float64"] * 2]
    assert rates[0] == pytest.approx(rates[1], rel=0.1) and rates[0] > 2.0


def test_float64_and_float32_agree_closely_before_they_part():
    quiet = column().cell_params({name: {"noise": 0.0} for name in ("E", "PV", "SST")})
    vm = [
        jtfne.construct(quiet.runtime(dtype=d, duration_ms=5.0)).simulate().get("vm")
        for d in ("float32", "float64")
    ]
    # the spread at the start is drawn in each precision, so compare the motion, not the place
    assert vm[0].shape == vm[1].shape and vm[0].dtype == np.float32 and vm[1].dtype == np.float64
    assert np.abs(vm[0].values.mean() - vm[1].values.mean()) < 5.0


def test_time_coordinates():
    net = jtfne.construct(
        mixed(["spk", "vm", {"kind": "source", "interval_ms": 2.5}, "lfp_proxy"], **SHORT)
    )
    signals = simulate(net)
    np.testing.assert_array_equal(signals.get("vm")["time"], np.round(0.1 * np.arange(1, 201), 9))
    np.testing.assert_array_equal(signals.get("source")["time"], 2.5 * np.arange(1, 9))
    np.testing.assert_array_equal(signals.get("lfp_proxy")["time"], 1.0 * np.arange(1, 21))
    assert signals.get("vm")["time"].attrs["units"] == "ms"
    times = signals.get("spk").values
    assert times.size and times.dtype == np.float64
    np.testing.assert_array_equal(times, np.round(np.rint(times / 0.1) * 0.1, 9))
    assert times.min() >= 0.1 and times.max() <= 20.0
    raster = signals.get("spk", layout="time_node")
    np.testing.assert_array_equal(raster["time"], signals.get("vm")["time"])
    assert int(raster.sum()) == times.size


def test_vm_is_above_threshold_where_a_cell_spikes():
    """The sample of the step that ends in a spike is the state before reset, at the spike's own
    time.
    """
    signals = simulate(jtfne.construct(mixed(**SHORT)), INPUT.at(-10.0))
    vm, spikes = signals.get("vm", cell_type="X"), signals.get("spk", cell_type="X")
    at = vm.sel(time=spikes, neuron=spikes["neuron"], method="nearest").values
    assert at.size and (at >= -50.0).all()
    assert (vm.values >= -50.0).sum() == at.size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sample_is_the_mean_over_its_interval(dtype):
    names = ("vm", "source", "lfp_proxy")
    probes = [[{"kind": name, "interval_ms": ms} for name in names] for ms in (0.1, 1.0)]
    fine, coarse = (
        simulate(jtfne.construct(mixed(each, dtype=dtype, **SHORT)), INPUT.at(-10.0))
        for each in probes
    )
    for name in names:
        want = fine.get(name).values.astype(np.float64)
        want = want.reshape(20, 10, *want.shape[1:]).mean(1)
        np.testing.assert_allclose(
            coarse.get(name).values, want, rtol=3e-6 if dtype == "float32" else 1e-13, atol=1e-4
        )


def test_a_tail_shorter_than_the_interval_is_no_sample():
    net = jtfne.construct(mixed([{"kind": "vm", "interval_ms": 3.0}, "spk"], **SHORT))
    vm = simulate(net, chunk_steps=70).get("vm")
    np.testing.assert_array_equal(vm["time"], 3.0 * np.arange(1, 7))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.as_users
def test_the_start_is_that_of_the_engine_to_the_bit(dtype):
    """One program, whose products and sums must not be contracted into one rounding."""
    net = jtfne.construct(mixed(dtype=dtype))
    config = net.config.stimuli(INPUT.stimuli)
    with precision(dtype):
        flat, drive = _prepare.prepare_arrays(net, config, None)
        begun = runner._base.start_run(
            flat.circuit, drive.inputs, np.uint32(5), _keys.codes("trial", "3")
        )
        keys = _keys.streams(_keys.key(5, "trial", "3"))
        wanted = engine.start(flat.circuit, drive.inputs, keys)
        contracted = jax.jit(engine.start)(flat.circuit, drive.inputs, keys)
    assert jax.tree.structure(begun) == jax.tree.structure(wanted)
    for found, each in zip(jax.tree.leaves(begun), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_array_equal(found, each, strict=True)
    pairs = zip(jax.tree.leaves(contracted), jax.tree.leaves(wanted), strict=True)
    assert not all(np.array_equal(*pair) for pair in pairs), "the test would not see it"


@pytest.mark.parametrize("probes", [("spk",), ("spk", "vm"), ("lfp_proxy",)])
def test_a_potential_that_runs_away_is_refused(probes):
    """Euler's recovery variable alternates and doubles where a dt > 2; resets hide a potential that
    only overshoots.
    """
    cfg = mixed().connections([]).probes(probes).runtime(dt_ms=1.0, duration_ms=300.0)
    cfg = cfg.cell_params({"E": {"a": 3.0, "drive": 20.0}})
    with pytest.raises(
        jtfne.JtfneError, match=r"potential of \d+ cells is not finite.*smaller dt_ms"
    ):
        jtfne.construct(cfg).simulate()
    began = threading.active_count()
    with pytest.raises(jtfne.JtfneError, match="not finite"):
        jtfne.construct(cfg).simulate(trials=3)
    assert threading.active_count() <= began, "a trial that was begun goes on"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"trials": 0}, "trials=0"),
        ({"trials": 1.5}, "trials=1.5"),
        ({"trials": True}, "trials=True"),
        ({"chunk_steps": 0}, "chunk_steps=0"),
        ({"dt_ms": 0.7}, "a dt that divides the duration"),
        ({"duration_ms": -1.0}, "duration_ms"),
        ({"dt_ms": 2.0}, "at least one step"),
        ({"seed": -1}, "seed"),
    ],
)
def test_refused_before_any_work(how, message):
    with pytest.raises(jtfne.JtfneError, match=message):
        simulate(jtfne.construct(mixed()), **how)


def test_the_config_keeps_what_the_run_said_otherwise():
    """The manifest tells the run as it was, and the config as the net was built."""
    net = jtfne.construct(mixed(**SHORT))
    manifest = simulate(
        net, INPUT.at(-13.0).trials(2), seed=8, duration_ms=18.0, dt_ms=0.2
    ).manifest
    told = {
        "seed": 8,
        "dtype": "float32",
        "trials": 2,
        "duration_ms": 18.0,
        "dt_ms": 0.2,
        "conditions": [],
    }
    assert manifest["run"] == told
    assert manifest["config_sha256"] == net.config.hash and len(manifest["paradigm"]) == 2
