"""The network of Izhikevich (2003): cells, weights and rates of the published program, and its
spikes one by one.
"""

import dataclasses

import jax
import numpy as np
import pytest

import jtfne
from docs.validation._activity import Activity
from docs.validation._izhikevich_2003 import KIND, Cells, fired, program, rates_Hz
from jtfne import _keys, engine
from jtfne._precision import precision
from jtfne.delivery import unpack
from jtfne.presets.izhikevich_2003 import PA_PER_STRENGTH, izhikevich_2003

pytestmark = pytest.mark.as_users  # simulates for long

N_PROGRAM, N_OURS = 16, 8  # seeds; a run lasts 3 s, of which the last 2 count


@pytest.fixture(scope="module")
def net():
    return jtfne.construct(izhikevich_2003())


@pytest.fixture(scope="module")
def cells(net):
    """The preset's circuit as the program has it."""
    each = [population.emitter for population in net.config.populations()]
    spread = {
        name: np.concatenate(
            [np.broadcast_to(getattr(e, field), n) for e, n in zip(each, (800, 200), strict=True)]
        )
        for name, field in (("a", "a"), ("b", "b"), ("c", "c_mV"), ("d", "d"))
    }
    edges, strength = net.edges, np.zeros((1000, 1000))
    weight_pA = edges["weight_pA"].to_numpy().astype(np.float64)
    strength[edges["source"].to_numpy(), edges["target"].to_numpy()] = weight_pA / PA_PER_STRENGTH
    return Cells(**spread, strength=strength)


def test_cells_and_weights_lie_where_the_program_draws_them(net, cells):
    theirs = Cells.drawn(np.random.default_rng(0))
    assert net.n_edges == 1_000_000
    for kind in (0, 1):
        for name in Cells._fields:
            mine, want = (getattr(each, name)[kind == KIND] for each in (cells, theirs))
            # Uniform numbers, their squares, or one value for all: mean and sd, of as many as there
            # are.
            margin = 5.0 * want.std() / np.sqrt(want.size)
            assert mine.mean() == pytest.approx(want.mean(), abs=np.sqrt(2.0) * margin + 1e-12), (
                name
            )
            assert mine.std() == pytest.approx(want.std(), abs=np.sqrt(2.0) * margin + 1e-12), name
            assert mine.min() >= {"c": -65.0, "strength": -1.0}.get(name, 0.0), name
    spread = (cells.c[:800] + 65.0) / 15.0
    np.testing.assert_allclose(cells.d[:800], 8.0 - 6.0 * spread)  # of one r
    np.testing.assert_allclose((cells.a[800:] - 0.02) / 0.08, (0.25 - cells.b[800:]) / 0.05)
    assert np.unique(cells.c[:800]).size == 800 and np.unique(cells.a[800:]).size == 200


def test_without_noise_it_fires_as_the_program_with_its_delay(cells):
    """Under a constant input, other for each cell, in double precision; from the first potentials
    of jtfne.
    """
    n_ms, drive = 150, np.concatenate([np.linspace(2.0, 12.0, 800), np.linspace(1.0, 6.0, 200)])
    config = izhikevich_2003().runtime(dtype="float64")
    params = {name: dict(each) for name, each in config.circuit.cell_params.items()}
    for name, mine in (("E", drive[:800]), ("I", drive[800:])):
        params[name] |= {"noise": 0.0, "drive": mine}
    with precision("float64"):
        flat, key = (
            jtfne.construct(config.cell_params(params)).to_flat(dt_ms=1.0),
            jax.random.key(3),
        )
        carry = engine.start(
            flat.circuit, engine.Inputs(jax.numpy.zeros((0, 1000))), _keys.streams(key)
        )
        v, u = np.asarray(carry.cells[0].v_mV), np.asarray(carry.cells[0].u)
        _, chunk = flat.run(key, n_steps=n_ms)
        step, row = unpack(np.asarray(chunk.words))
    ours = np.zeros((n_ms, 1000), bool)
    ours[step, row] = True
    thalamic = np.broadcast_to(drive, (n_ms, 1000))
    np.testing.assert_array_equal(ours, fired(cells, v, u, thalamic, delay=1))
    assert ours.sum() > 1000 and (ours != fired(cells, v, u, thalamic)).any(), "the delay shows"


def test_rates_are_those_of_the_program():
    """Four standard errors, by the spread over seeds; and within 0.5 Hz of the program as
    published.
    """
    ours = []
    for seed in range(N_OURS):
        signals = jtfne.construct(izhikevich_2003(seed)).simulate(duration_ms=3000.0)
        ours.append(Activity.of(signals, 1000.0).rates_Hz())
    published, delayed = (
        np.array([rates_Hz(program(seed, 3000, delay)[1000:]) for seed in range(N_PROGRAM)])
        for delay in (0, 1)
    )
    margin_Hz = 4.0 * delayed.std(axis=0, ddof=1) * np.sqrt(1.0 / N_OURS + 1.0 / N_PROGRAM)
    assert (margin_Hz < 0.5).all()
    assert (np.abs(np.mean(ours, axis=0) - delayed.mean(axis=0)) < margin_Hz).all()
    np.testing.assert_allclose(np.mean(ours, axis=0), published.mean(axis=0), atol=0.5)


def test_the_seed_draws_other_cells_and_keeps_their_kind():
    one, other = izhikevich_2003(1), izhikevich_2003(2)
    assert one == izhikevich_2003(1) and one.hash != other.hash
    e, i = (dataclasses.asdict(each.emitter) for each in one.populations())
    assert (e["a"], e["b"], i["c_mV"], i["d"]) == (0.02, 0.2, -65.0, 2.0)
    assert e["half_steps"] is True is i["half_steps"]
