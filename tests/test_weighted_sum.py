"""RWS and ERWS: the published sums, by closed form from known conductances, and what they
refuse.
"""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from circuits import circuit, run
from jtfne._precision import precision
from jtfne.config import ERWS, ERWS1, ERWS2, RWS
from jtfne.emitters import LIF
from jtfne.measures.weighted_sum import ERWS1_CAUSAL, Weights, erws2, weighted_sum
from jtfne.measures.weighted_sum import RWS as LFP
from jtfne.sources import SOURCES, BySign
from jtfne.synapses import CONDUCTANCES, Conductance, Exponential

TAU_E, TAU_I, W_E, W_I, AT_E, AT_I = 2.0, 5.0, 3.0, 2.0, 250.0, 255.0
REST = -65.0


def test_the_published_case() -> None:
    """ncpi's test: AMPA 0 to 19, GABA 1, steps of 0.1 ms: the delay of 60 steps leaves inhibition
    only.
    """
    found = weighted_sum(jnp.arange(20.0), jnp.ones(20), dt_ms=0.1)
    np.testing.assert_allclose(found, -1.65, rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "shifts"),
    [(LFP, (60, 0, 1.65)), (Weights(-0.9, 2.3, 0.3), (-9, 23, 0.3)), (ERWS1_CAUSAL, (0, 31, 0.1))],
)
def test_delays_move_in_zeros_and_are_those_of_time(
    weights: Weights, shifts: tuple[int, int, float]
) -> None:
    rng = np.random.default_rng(0)
    pair = rng.normal(size=(2, 3, 200))
    first, second, share = shifts
    moved = []
    for each, steps in zip(pair, (first, second), strict=True):
        rolled = np.roll(each, steps, axis=-1)  # the authors roll too, and leave what came round
        rolled[..., slice(0, steps) if steps >= 0 else slice(steps, None)] = 0.0
        moved.append(rolled)
    with precision("float64"):
        np.testing.assert_allclose(
            weighted_sum(*pair, 0.1, weights), moved[0] - share * moved[1], rtol=1e-12
        )


def test_erws2_by_hand() -> None:
    """At a rate of 1 powers are 1: -0.6 - 0.4, -1.9 + 3, 1.4 + 0.2; causal 0, -1.5 + 4, 0.5."""
    assert erws2(1.0) == Weights(pytest.approx(-1.0), pytest.approx(1.1), pytest.approx(1.6))
    assert erws2(1.0, causal=True) == Weights(0.0, pytest.approx(2.5), pytest.approx(0.5))
    at_4 = erws2(4.0)
    assert at_4.excitation_ms == pytest.approx(-0.6 / 2**0.2 - 0.4)
    assert at_4.inhibition_ms == pytest.approx(-1.9 / 2**1.2 + 3.0)
    assert at_4.inhibition == pytest.approx(1.4 / 2**3.4 + 0.2)


def test_samples_that_miss_a_delay_are_refused() -> None:
    assert LFP.steps(1.0) == (6, 0) and LFP.steps(0.25) == (24, 0)
    assert erws2(1.5).steps(0.1)[0] == -10  # 0.976 ms
    with pytest.raises(ValueError, match=r"samples of 4 ms; expected.* a delay of 6 ms to 5 %"):
        LFP.steps(4.0)


def held(*probes: object, **changes: object) -> jtfne.Config:
    """E cells that stay at rest, and get one spike of excitation and one of inhibition; other cells
    get the same.
    """
    spikes = [(AT_E, W_E, "ex", TAU_E), (AT_I, W_I, "in", TAU_I)]
    stimuli = [
        {"target": {"area": "V1"},
         "drive": {"kind": "SpikeTimes", "times_ms": [at], "weight_nS": weight, "mechanism": name}}
        for at, weight, name, _ in spikes
    ]  # fmt: skip
    return (
        jtfne.Config()
        .runtime(**{"seed": 1, "duration_ms": 300.0, "dt_ms": 0.1, "dtype": "float64", **changes})
        .areas(["V1", "V2"])
        .layers(["L4"])
        .cells({"E": 0.6, "PV": 0.4}, n=5)
        .emitters({name: LIF(c_m_pF=1e12, v_th_mV=1e3) for name in ("E", "PV")})
        .mechanisms(
            {
                "ex": Conductance(tau_ms=TAU_E, e_rev_mV=0.0),
                "in": Conductance(tau_ms=TAU_I, e_rev_mV=-80.0),
            }
        )
        .stimuli(stimuli)
        .probes(list(probes))
    )


def current_pA(
    at_ms: float, weight_nS: float, tau_ms: float, driving_mV: float, delay_ms: float
) -> np.ndarray:
    """Mean of each 0.1 ms of the current of a spike into three cells; it opens at its own time."""
    since = np.arange(3000) - round((at_ms + delay_ms) / 0.1)
    mean = tau_ms / 0.1 * -np.expm1(-0.1 / tau_ms) * np.exp(-0.1 * since / tau_ms)
    return np.where(since >= 0, 3 * weight_nS * driving_mV * mean, 0.0)


@pytest.mark.parametrize(
    ("probe", "name", "weights"),
    [
        (RWS(interval_ms=0.1), "rws", LFP),
        (ERWS(), "erws", Weights(-0.9, 2.3, 0.3)),
        (ERWS(variant=ERWS1(causal=True)), "erws", ERWS1_CAUSAL),
        (
            ERWS(variant=ERWS2(rate=4.0, causal=True)),
            "erws",
            Weights(0.0, -1.5 / 4**0.2 + 4.0, 0.25),
        ),
    ],
    ids=["rws", "erws1", "erws1 causal", "erws2 causal"],
)
def test_the_sum_of_known_conductances(probe: object, name: str, weights: Weights) -> None:
    found = jtfne.construct(held(probe)).simulate(progress=False).get(name)
    assert (
        found.dims == ("time", "area")
        and found.attrs["units"] == "a.u."
        and found.attrs["proxy"] == 1
    )
    late_ms = 0.1 * round(weights.inhibition_ms / 0.1)
    excited = current_pA(AT_E, W_E, TAU_E, -REST, weights.excitation_ms)
    inhibited = current_pA(AT_I, W_I, TAU_I, -80.0 - REST, late_ms)
    want = excited - weights.inhibition * inhibited
    assert want.max() > 100.0 and (inhibited <= 0.0).all()
    np.testing.assert_allclose(
        found.sel(area="V1"), want, atol=1e-6 * want.max()
    )  # rest to 1e-10 after 25 time constants
    assert not found.sel(area="V2").values.any()
    about = json.loads(found.attrs["operator"])
    assert about["n_cells"] == [3, 3] and about["synapses"] == "conductances"
    assert about["inhibition"] == pytest.approx(weights.inhibition)


def test_currents_by_sign_are_the_synaptic_term_of_the_balance() -> None:
    with precision("float64"):
        flat = circuit(
            LIF(v_th_mV=-52.0), 4, drive_pA=450.0, noise_pA=50.0, tau_syn_ms=(2.0, 5.0, 3.0),
            e_rev_mV=(0.0, -80.0, None), dtype=np.float64,
            edges=[(0, 1, 0, 5, 6.0), (1, 2, 1, 9, 8.0), (2, 0, 1, 3, 5.0), (3, 0, 2, 4, 30.0), (0, 2, 2, 2, 40.0)],
        )  # fmt: skip
        watch = (BySign((1, -1, 1)).read, SOURCES["synaptic_current"]().read)
        spikes, (signed, whole) = run(flat, 3000, 0.1, watch=watch)
    assert spikes.sum(0).min() > 3
    np.testing.assert_allclose(-signed.sum(1), whole[:, 0], atol=1e-9 * np.abs(whole).max())
    assert signed[:, 0].min() == 0.0 and signed[:, 1].max() == 0.0, (
        "below rest or above, each keeps its sign"
    )


def busy(*probes: object, mechanisms: dict | None = None, **run_: object) -> jtfne.Config:
    """A column of conductances that fires."""
    given = CONDUCTANCES if mechanisms is None else mechanisms
    weights = {"AMPA": (2.0, 150.0), "GABA_A": (4.0, -100.0)}
    edges = [
        {"source": source, "target": target, "mechanism": name, "rule": {"kind": "FixedProbability", "p": 0.4},
         "weight": weights[name][0] if given else weights[name][1]}
        for source, target, name in (("E", "E", "AMPA"), ("E", "PV", "AMPA"), ("PV", "E", "GABA_A"))
    ]  # fmt: skip
    return (
        jtfne.Config()
        .runtime(**{"seed": 2, "duration_ms": 60.0, "dt_ms": 0.1, **run_})
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells({"E": 0.8, "PV": 0.2}, n=25)
        .cell_params({"E": {"drive": 9.0, "noise": 1.0}})
        .mechanisms(given)
        .connections(edges)
        .probes(list(probes))
    )


@pytest.mark.parametrize("how", ["chunks", "disk"])
@pytest.mark.as_users
def test_delays_reach_over_chunks_and_trials_stay_apart(how: str, tmp_path) -> None:
    probes = ("spk", "rws", {"kind": "erws", "interval_ms": 0.1})
    net = jtfne.construct(busy(*probes))
    whole = net.simulate(trials=2, progress=False)
    given = {"chunk_steps": 70} if how == "chunks" else {"chunk_steps": 70, "out": tmp_path / "run"}
    from jtfne.simulation import simulate

    parts = simulate(net, trials=2, **given)
    for name in ("rws", "erws"):
        np.testing.assert_array_equal(whole.get(name).values, parts.get(name).values)
        assert whole.get(name).dims == ("trial", "time", "area") and whole.get(name).values.any()
    rws = whole.get("rws")
    assert not np.array_equal(rws[0], rws[1])
    alone = jtfne.construct(busy("rws")).simulate(trials=2, progress=False).get("rws")
    np.testing.assert_array_equal(alone.values, rws.values)  # no other probe changes it


def test_cells_may_be_chosen_and_currents_are_told() -> None:
    some = jtfne.construct(
        busy({"kind": "rws", "cells": {"cell_type": "E", "layer": "L4"}})
    ).simulate(progress=False)
    cells = some.neurons
    mine = (cells["layer"] == "L4") & (cells["cell_type"] == "E")
    assert json.loads(some.get("rws").attrs["operator"])["n_cells"] == [mine.sum()]
    by_current = jtfne.construct(busy("rws", mechanisms={})).simulate(progress=False).get("rws")
    assert (
        json.loads(by_current.attrs["operator"])["synapses"] == "currents"
        and by_current.values.max() > 0.0
    )


def test_what_cannot_be_summed_is_refused() -> None:
    with pytest.raises(
        jtfne.JtfneError, match=r"interval_ms=1 with delays of -0.9 and 2.3 ms.*such as 0.1"
    ):
        ERWS(interval_ms=1.0)
    with pytest.raises(jtfne.JtfneError, match=r"interval_ms=4 with delays of 6 and 0 ms"):
        RWS(interval_ms=4.0)
    for rate in (1.0, 11.0):
        with pytest.raises(jtfne.JtfneError, match="rate"):
            ERWS2(rate=rate)
    with pytest.raises(jtfne.JtfneError, match="unknown cell_type 'X'"):
        busy({"kind": "rws", "cells": "X"})
    alike = [{"source": source, "target": "E", "mechanism": name, "weight": weight, "rule": "AllToAll"}
             for source, name, weight in (("E", "NMDA", 1.0), ("PV", "GABA_B", -1.0))]  # fmt: skip
    mixed = busy("rws", mechanisms={}).connections(alike)
    with pytest.raises(jtfne.JtfneError, match=r"'NMDA' and 'GABA_B', which decay alike"):
        jtfne.construct(mixed).simulate(progress=False)
    both = [{"source": source, "target": "E", "mechanism": "own", "weight": weight, "rule": "AllToAll"}
            for source, weight in (("E", 1.0), ("PV", -1.0))]  # fmt: skip
    with pytest.raises(jtfne.JtfneError, match=r"'own' with weights of both signs"):
        jtfne.construct(
            mixed.mechanisms({"own": Exponential(tau_ms=3.0)}).connections(both)
        ).simulate(progress=False)
