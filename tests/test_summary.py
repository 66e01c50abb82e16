"""The circuit at a glance: its counts are the net's, its rates those of a closed form."""

import numpy as np
import pytest

import jtfne
from jtfne.emitters import LIF, Izhikevich2003
from jtfne.measures.meanfield import stationary_rates

CELL = LIF(
    c_m_pF=250.0, tau_m_ms=10.0, v_rest_mV=-65.0, v_th_mV=-50.0, v_reset_mV=-65.0, t_ref_ms=2.0
)
FAST = {"exc": {"tau_ms": 0.5, "sign": 1}, "inh": {"tau_ms": 0.5, "sign": -1}}
RAIN = {"kind": "Poisson", "rate_Hz": 12_000.0, "weight_pA": 80.0, "mechanism": "exc"}
EXC = {
    "source": "E",
    "target": {},
    "mechanism": "exc",
    "weight": 80.0,
    "rule": {"kind": "FixedIndegree", "n": 40},
}
INH = {
    "source": "I",
    "target": {},
    "mechanism": "inh",
    "weight": -400.0,
    "rule": {"kind": "FixedIndegree", "n": 10},
}


def config(connections=(), **params):
    made = (
        jtfne.Config()
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 80, "I": 20})
        .emitters({"E": CELL, "I": CELL})
    )
    return made.mechanisms(FAST).cell_params(params).connections(list(connections))


def test_tables_hold_what_the_net_holds():
    found = jtfne.construct(config([EXC, INH])).summary()
    assert found.populations["n_neurons"].tolist() == [80, 20]
    assert found.populations["mean_in_degree"].tolist() == [50.0, 50.0]
    assert found.populations["mean_out_degree"].tolist() == [50.0, 50.0]
    assert found.in_degrees.to_numpy().tolist() == [[40.0, 10.0], [40.0, 10.0]]
    assert (
        list(found.in_degrees.index) == ["L4 E", "L4 I"]
        and found.in_degrees.columns.name == "source"
    )
    first = found.connections.iloc[0]
    assert first[["n_edges", "mean", "least", "most", "weight", "unit"]].tolist() == [
        4000,
        40.0,
        40,
        40,
        80.0,
        "pA",
    ]
    text = str(found)
    assert (
        "100 cells, 5,000 synapses" in text and "E->all:exc" in text and "expected_rate_Hz" in text
    )


def test_rates_without_noise_are_those_of_the_closed_form():
    """The interval of a LIF cell under constant current: t_ref + tau ln((mu - v_reset) / (mu -
    v_th)).
    """
    found = jtfne.construct(config(E={"drive": 500.0}, I={"drive": 300.0})).summary()
    rate_Hz = 1e3 / (2.0 + 10.0 * np.log(20.0 / (20.0 - 15.0)))
    assert found.populations["expected_rate_Hz"].tolist() == pytest.approx([rate_Hz, 0.0], abs=1e-6)


def test_rates_of_a_recurrent_circuit_are_those_of_its_numbers():
    """Two connections from E to one population add their means and their variances."""
    twice = {**EXC, "weight": 160.0, "rule": {"kind": "FixedIndegree", "n": 5}, "target": "E"}
    cfg = config([EXC, INH, twice]).stimuli([{"target": {}, "drive": RAIN}])
    found = jtfne.construct(cfg).summary().populations["expected_rate_Hz"].to_numpy()
    jump = 0.5 / 250.0
    one, two = 40 * 80.0 + 5 * 160.0, 40 * 80.0**2 + 5 * 160.0**2
    want = stationary_rates(
        [[one * one / two, 10], [40, 10]],
        np.array([[two / one, -400.0], [80.0, -400.0]]) * jump,
        mu_ext_mV=np.full(2, 10e-3 * 12_000 * 80.0 * jump),
        variance_ext_mV2=np.full(2, 10e-3 * 12_000 * (80.0 * jump) ** 2),
        tau_m_ms=10.0, v_th_mV=15.0, v_reset_mV=0.0, t_ref_ms=2.0, tau_syn_ms=0.5,
    )  # fmt: skip
    np.testing.assert_allclose(found, want.rate_Hz, rtol=1e-6)
    assert found.min() > 0.5


PULSE = {"kind": "Pulse", "start_ms": 1.0, "duration_ms": 5.0, "amplitude": 4.0}
WHY_NOT = {
    "not all cells are LIF": lambda: config().emitters({"E": Izhikevich2003(), "I": CELL}),
    "populations differ": lambda: config(E={"t_ref_ms": 3.0}),
    "white noise": lambda: config(E={"noise": 3.0}),
    "several time constants": lambda: config([EXC, INH]).mechanisms(
        {**FAST, "inh": {"tau_ms": 2.0, "sign": -1}}
    ),
    "a stimulus varies": lambda: config().stimuli([{"target": {}, "drive": PULSE}]),
    "a part of a population": lambda: config().stimuli(
        [{"target": {"ids": [0, 1]}, "drive": RAIN}]
    ),
}


@pytest.mark.parametrize("why", WHY_NOT)
def test_where_mean_field_does_not_apply_it_says_so(why):
    found = jtfne.construct(WHY_NOT[why]()).summary()
    assert found.populations["expected_rate_Hz"].isna().all()
    assert "no expected rates: " in str(found) and why in found.rates
