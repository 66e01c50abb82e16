"""Potentials before the first step (`v_init_mV`): where cells are put, in every model, and what is
refused.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne._check import JtfneError
from jtfne.emitters import EMITTERS, LIF

MEMBRANES = [kind for kind, cls in EMITTERS.items() if getattr(cls, "receives", True)]
QUIET = LIF(v_th_mV=-20.0)  # rests at -65 mV, 10 ms


def config(**params):
    """Eight LIF cells of two types in two layers that rest, with these cell_params."""
    return (
        jtfne.Config()
        .runtime(seed=3, duration_ms=2.0, dt_ms=0.1)
        .areas(["V1"])
        .layers(["L2/3", "L4"])
        .cells({"L2/3": {"A": 2, "B": 2}, "L4": {"A": 2, "B": 2}})
        .emitters({"A": QUIET, "B": QUIET})
        .cell_params(params)
        .probes(["spk", {"kind": "vm", "interval_ms": 0.1}])
    )


def first_mV(cfg, **how):
    """The potential before the first step, by type: (n_trials, n_cells) each; LIF has leaked
    since.
    """
    signals = jtfne.construct(cfg).simulate(**how)
    return {
        name: -65.0 + (signals.get("vm", cell_type=name).values[:, 0] + 65.0) * np.exp(0.1 / 10.0)
        for name in "AB"
    }


def test_cells_begin_where_they_are_put_in_every_trial_and_others_do_not_move():
    each = [-64.0, -60.0, -50.0, -30.0]
    spread = first_mV(config(), trials=2)
    found = first_mV(config(A={"v_init_mV": each}), trials=2)
    np.testing.assert_allclose(found["A"], [each, each], atol=1e-4)
    np.testing.assert_array_equal(found["B"], spread["B"])
    assert np.ptp(spread["A"]) > 1.0
    np.testing.assert_allclose(
        first_mV(config(B={"v_init_mV": -61.0}), trials=2)["B"], -61.0, atol=1e-4
    )


def test_the_net_is_the_same_in_a_file():
    cfg = config(A={"v_init_mV": [-64.0, -60.0, -50.0, -30.0]}, B={"v_init_mV": -61.0})
    assert (
        jtfne.Config.from_toml(cfg.to_toml()) == cfg
        and jtfne.Config.from_json(cfg.to_json()).hash == cfg.hash
    )
    assert "v_init_mV" not in config().to_json()  # a config without keeps its hash


@pytest.mark.parametrize("kind", MEMBRANES)
@settings(max_examples=10)
@given(v_mV=st.floats(-90.0, -55.0))
def test_every_membrane_stands_at_a_potential(kind, v_mV):
    """The state has the form of `init`'s, the potential is the one asked for, and the step after it
    is finite.
    """
    cell = EMITTERS[kind]()
    state, spread = cell.at_potential(jnp.full(3, v_mV)), cell.init(jnp.zeros(3))
    assert [(row.shape, row.dtype) for row in state] == [(row.shape, row.dtype) for row in spread]
    np.testing.assert_allclose(state.v_mV, v_mV, rtol=1e-6)
    again = cell.at_potential(spread.v_mV)
    # init at zero is the state that stands at its potential
    for ours, theirs in zip(again, spread, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize(
    ("params", "fragment"),
    [
        (
            {"A": {"v_init_mV": -20.0}},
            "v_init_mV=-20; expected less than v_th_mV=-20",
        ),
        ({"A": {"v_init_mV": [-60.0, -60.0, -60.0, 5.0]}}, "v_init_mV=5.*less than v_th_mV=-20"),
        (
            {"A": {"v_init_mV": -60.0, "v_th_mV": [-50.0, -61.0, -50.0, -50.0]}},
            "v_init_mV=-60.*v_th_mV=-61",
        ),
        (
            {"A": {"v_init_mV": [-60.0]}},
            "v_init_mV with 1 values; expected.* each of the 4 cells",
        ),
        ({"A": {"v_init_mV": float("nan")}}, "v_init_mV.*finite"),
        ({"A": {"v_int_mV": -60.0}}, "v_int_mV.*nearest: 'v_init_mV'"),
    ],
)
def test_refused(params, fragment):
    with pytest.raises(JtfneError, match=fragment):
        config(**params)


def test_cells_without_a_potential_are_refused():
    cfg = config().emitters({"A": EMITTERS["PoissonSource"](rate_Hz=5.0)})
    with pytest.raises(JtfneError, match="v_init_mV of cells of PoissonSource"):
        cfg.cell_params({"A": {"v_init_mV": -60.0}})
