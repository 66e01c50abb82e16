"""Every stimulus against its closed form: on the grid, in a circuit, and in the statistics of what
is drawn.
"""

import dataclasses

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne import _keys, noise, stimuli
from jtfne.emitters import LIF, Izhikevich2003
from jtfne.simulation import simulate

P = jtfne.Paradigm
TAU_AMPA_ms = 2.0
RANDOM = ("ornstein_uhlenbeck", "evoked", "rhythmic")


def config(n=20, emitter=None, **run):
    """E and PV without synapses and noise, whose source is minus their input."""
    emitters = {name: emitter or LIF() for name in ("E", "PV")}
    return (
        jtfne.Config()
        .runtime(**{"seed": 5, "duration_ms": 50.0, "dtype": "float64", **run})
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 0.5, "PV": 0.5}, n=n)
        .emitters(emitters)
        .probes(["spk", {"kind": "source", "interval_ms": run.get("dt_ms", 0.1)}])
    )


def input_pA(paradigm, cell_type="E", cfg=None, **how):
    """What `cell_type` receives, step by step: ([trial,] n_steps, n_cells)."""
    signals = simulate(jtfne.construct(cfg or config()), paradigm, **how)
    return -signals.get("source", cell_type=cell_type).values


def spikes_of(current_pA, weight_pA, dt_ms=0.1):
    """Spikes of each step and cell, from the mean over each step of an AMPA current that each
    raises by `weight_pA`: in step k those that act from its start on."""
    weight_pA *= -np.expm1(-dt_ms / TAU_AMPA_ms) * TAU_AMPA_ms / dt_ms
    before = np.vstack([np.zeros((1, current_pA.shape[1])), current_pA[:-1]])
    counts = (current_pA - before * np.exp(-dt_ms / TAU_AMPA_ms)) / weight_pA
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    return np.rint(counts).astype(int)


# waveforms


@pytest.mark.parametrize("dt_ms", [0.05, 0.1, 0.5])
def test_a_ramp_is_the_mean_of_its_line(dt_ms):
    cfg = config(dt_ms=dt_ms)
    got = input_pA(
        P.ramp(target="E", start_ms=10.0, duration_ms=20.0, amplitude=6.0, begin=-0.5), cfg=cfg
    )
    t_ms = (np.arange(got.shape[0]) + 0.5) * dt_ms
    want = np.where((t_ms > 10.0) & (t_ms < 30.0), 6.0 * (-0.5 + 1.5 * (t_ms - 10.0) / 20.0), 0.0)
    np.testing.assert_allclose(got, np.repeat(want[:, None], 10, axis=1), atol=1e-12)
    np.testing.assert_allclose(got[:, 0].sum() * dt_ms, 6.0 * 20.0 * 0.25, rtol=1e-12)
    assert not input_pA(
        P.ramp(target="E", start_ms=1.0, duration_ms=2.0, amplitude=6.0), "PV", cfg
    ).any()


@pytest.mark.parametrize("dt_ms", [0.05, 0.1, 0.5])
def test_a_sine_is_the_mean_of_its_curve(dt_ms):
    sine = P.sine(
        target="E", amplitude=3.0, frequency_Hz=70.0, phase_rad=0.4, start_ms=5.0, stop_ms=45.0
    )
    got = input_pA(sine, cfg=config(dt_ms=dt_ms))[:, 0]
    turn = 2 * np.pi * 0.07
    edges_ms = np.arange(got.size + 1) * dt_ms
    integral = -3.0 * np.cos(turn * (np.clip(edges_ms, 5.0, 45.0) - 5.0) + 0.4) / turn
    np.testing.assert_allclose(got, np.diff(integral) / dt_ms, atol=1e-12)


@pytest.mark.parametrize("dt_ms", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("ends_Hz", [(5.0, 200.0), (200.0, 5.0), (0.0, 90.0), (70.0, 70.0)])
def test_a_chirp_is_the_mean_of_its_sweep(dt_ms, ends_Hz):
    """Its integral by fine sums; a sweep from a frequency to itself is a sine."""
    first_Hz, last_Hz = ends_Hz
    drive = stimuli.Chirp(
        amplitude=1.0, duration_ms=40.0, first_Hz=first_Hz, last_Hz=last_Hz, phase_rad=0.4,
        start_ms=5.03,
    )  # fmt: skip
    got = drive.waveform(0, round(50.0 / dt_ms), dt_ms)
    per_step = 2000
    t_ms = (np.arange(got.size * per_step) + 0.5) * dt_ms / per_step - 5.03
    rate = 1e-6 * (last_Hz - first_Hz) / 40e-3
    cycles = 1e-3 * first_Hz * t_ms + 0.5 * rate * t_ms**2
    inside = (t_ms > 0.0) & (t_ms < 40.0)
    want = np.where(inside, np.sin(2 * np.pi * cycles + 0.4), 0.0).reshape(-1, per_step).mean(1)
    np.testing.assert_allclose(got, want, atol=1.0 / per_step)
    whole = (np.arange(got.size) * dt_ms > 5.5) & (np.arange(got.size) * dt_ms < 44.0)
    np.testing.assert_allclose(got[whole], want[whole], atol=1e-6)
    if first_Hz == last_Hz:
        sine = stimuli.Sine(
            amplitude=1.0, frequency_Hz=70.0, phase_rad=0.4, start_ms=5.03, stop_ms=45.03
        )
        np.testing.assert_allclose(got, sine.waveform(0, got.size, dt_ms), atol=1e-12)


def test_a_chirp_that_dt_does_not_resolve_is_refused():
    sweep = {"target": "E", "amplitude": 1.0, "duration_ms": 9.0, "first_Hz": 1.0}
    assert P.chirp(**sweep, last_Hz=900.0).stimuli[0].label == "chirp"
    with pytest.raises(
        jtfne.JtfneError, match=r"a Chirp of last_Hz=5000.* less than half of the steps"
    ):
        jtfne.construct(config()).simulate(P.chirp(**sweep, last_Hz=5000.0))


@pytest.mark.parametrize(
    "drive",
    [
        stimuli.Ramp(start_ms=1.0, duration_ms=3.0, amplitude=1.0),
        stimuli.Sine(amplitude=1.0, frequency_Hz=100.0, start_ms=0.5),
        stimuli.Chirp(amplitude=1.0, duration_ms=3.0, first_Hz=9.0, last_Hz=900.0, start_ms=0.5),
        stimuli.PulseTrain(start_ms=1.0, duration_ms=0.5, period_ms=1.0, count=3, amplitude=1.0),
        stimuli.Trace(values=(1.0, 2.0), dt_ms=0.7, start_ms=1.0),
        stimuli.Evoked(mean_ms=2.0, sd_ms=0.5, n_spikes=3, weight_pA=1.0),
        stimuli.SpikeTimes(times_ms=(1.0, 1.0, 4.9), weight_pA=1.0),
        stimuli.OrnsteinUhlenbeck(sd=1.0, tau_ms=2.0, start_ms=2.0),
        stimuli.Rhythmic(
            start_ms=1.0, stop_ms=4.0, rate_Hz=500.0, sd_ms=0.1, isi_ms=0.5, weight_pA=1.0
        ),
        stimuli.Marker(start_ms=1.0),
    ],
    ids=lambda drive: type(drive).__name__,
)
@given(cut=st.integers(1, 49), later=st.integers(0, 20))
@settings(max_examples=10)
def test_a_waveform_does_not_depend_on_where_it_is_cut_and_moves_with_its_shift(drive, cut, later):
    whole = drive.waveform(0, 50, 0.1)
    np.testing.assert_array_equal(
        whole, np.concatenate([drive.waveform(0, cut, 0.1), drive.waveform(cut, 50 - cut, 0.1)])
    )
    moved = drive.shifted(0.1 * later).waveform(later, 50, 0.1)
    np.testing.assert_allclose(moved, whole, atol=1e-9)
    first = [onset for onset, _ in drive.events_ms(100.0)]
    np.testing.assert_allclose(
        [onset for onset, _ in drive.shifted(2.5).events_ms(100.0)], np.add(first, 2.5)
    )


def test_a_marker_is_an_event_and_nothing_else():
    mark = P(
        stimuli=[
            {"target": {}, "drive": stimuli.Marker(start_ms=3.0, duration_ms=2.0), "label": "cue"}
        ]
    )
    signals = jtfne.construct(config()).simulate(mark)
    assert signals.events.to_numpy().tolist() == [[0, 3.0, 2.0, "cue", 1, ""]]
    assert not signals.get("source").values.any()


# fluctuations


@pytest.mark.parametrize("dt_over_tau", [0.01, 0.2, 3.0])
def test_the_process_is_exact_for_any_step(dt_over_tau):
    """Variance 1 from the first step on, and correlation exp(-lag) at any lag: n streams bound each
    by chance.
    """
    n = 20_000
    start = noise.init_ou(_keys.key(3, "ou"), _keys.number_streams(n), np.float32)
    _, x = jax.lax.scan(lambda s, _: (noise.step_ou(s, dt_over_tau), s.x), start, length=12)
    x = np.asarray(x, float)
    for row in (x[0], x[5], x[11]):
        assert abs(row.mean()) < 4.5 / np.sqrt(n)
        assert abs(row.var() - 1.0) < 4.5 * np.sqrt(2.0 / n)
    for lag in (1, 2, 10):
        rho = np.exp(-lag * dt_over_tau)
        got = (x[lag] * x[0]).mean()
        assert abs(got - rho) < 4.5 * np.sqrt((1.0 + rho**2) / n)


@pytest.mark.parametrize("dt_ms", [0.1, 0.5])
def test_fluctuations_have_their_mean_sd_and_autocorrelation(dt_ms):
    given = {
        "target": "E",
        "sd": 7.0,
        "tau_ms": 5.0,
        "mean": 20.0,
        "start_ms": 5.0,
        "stop_ms": 45.0,
    }
    got = input_pA(P.ornstein_uhlenbeck(**given), cfg=config(n=4000, dt_ms=dt_ms))
    first, last = round(5.0 / dt_ms), round(45.0 / dt_ms)
    assert not got[:first].any() and not got[last:].any() and got[first:last].all()
    n = got.shape[1]
    for at in (first, (first + last) // 2, last - 1):
        x = (got[at] - 20.0) / 7.0
        assert abs(x.mean()) < 4.5 / np.sqrt(n) and abs(x.var() - 1.0) < 4.5 * np.sqrt(2.0 / n)
    lag = round(5.0 / dt_ms)
    rho = np.mean((got[first] - 20.0) * (got[first + lag] - 20.0)) / 49.0
    assert abs(rho - np.exp(-1.0)) < 4.5 * np.sqrt((1.0 + np.exp(-2.0)) / n)
    across = np.corrcoef(got[first:last, :50].T)[np.triu_indices(50, 1)]
    assert abs(across.mean()) < 0.1, "cells are independent"
    assert not input_pA(P.ornstein_uhlenbeck(**given), "PV", config(dt_ms=dt_ms)).any()


def test_shared_fluctuations_are_one_and_own_ones_are_not():
    given = {"target": {}, "sd": 3.0, "tau_ms": 5.0}
    one, own = (input_pA(P.ornstein_uhlenbeck(**given, shared=shared)) for shared in (True, False))
    assert one.any() and (one == one[:, :1]).all()
    assert len(np.unique(own.T, axis=0)) == 10
    both = P.ornstein_uhlenbeck(**given) + P.ornstein_uhlenbeck(**given)
    assert not np.allclose(input_pA(both), 2 * own), "two processes, not one twice"
    same = P.ornstein_uhlenbeck(**given, stream="x")
    np.testing.assert_allclose(input_pA(same + same), 2 * input_pA(same), rtol=1e-12)


def test_amplitudes_are_in_the_input_unit_of_the_target():
    given = {"target": "E", "sd": 1.0, "tau_ms": 5.0, "mean": 2.0}
    pA = input_pA(P.ornstein_uhlenbeck(**given))
    as_pA = input_pA(P.ornstein_uhlenbeck(**given), cfg=config(emitter=Izhikevich2003(c_m_pF=40.0)))
    np.testing.assert_allclose(as_pA, 40.0 * pA, rtol=1e-9)


# spikes


def test_a_table_of_spikes_reaches_its_cells_at_its_times():
    table = P.spike_times([1.0, 1.04, 2.0, 2.0, 30.0], [0, 0, 3, 3, 9], target="E", weight_pA=7.0)
    want = np.zeros((500, 10), int)
    want[10, 0], want[20, 3], want[300, 9] = 2, 2, 1  # times are rounded to the grid
    np.testing.assert_array_equal(spikes_of(input_pA(table), 7.0), want)
    shared = spikes_of(input_pA(P.spike_times([1.0, 3.0], target="E", weight_pA=7.0)), 7.0)
    assert (shared == shared[:, :1]).all() and np.flatnonzero(shared[:, 0]).tolist() == [10, 30]
    assert not input_pA(table, "PV").any()


def volley(**changed):
    return P.evoked(
        **{"target": "E", "mean_ms": 25.0, "sd_ms": 3.0, "n_spikes": 4, "weight_pA": 2.0, **changed}
    )


def test_a_volley_is_gaussian_and_counted():
    """Each cell gets its number of spikes; their times have the mean and spread that were asked
    for.
    """
    counts = spikes_of(input_pA(volley(), cfg=config(n=1000)), 2.0)
    assert (counts.sum(axis=0) == 4).all(), "no spike of 500 x 4 is 8 sd away"
    n = counts.sum()
    t_ms = np.repeat(np.arange(500), counts.sum(axis=1)) * 0.1
    assert abs(t_ms.mean() - 25.0) < 4.5 * 3.0 / np.sqrt(n)
    assert abs(t_ms.std() - 3.0) < 4.5 * 3.0 / np.sqrt(2 * n)
    expected = stimuli.Evoked(mean_ms=25.0, sd_ms=3.0, n_spikes=4, weight_pA=1.0).waveform(
        0, 500, 0.1
    )
    assert expected.sum() == pytest.approx(4.0) and (
        expected @ np.arange(500)
    ) * 0.1 / 4 == pytest.approx(25.0)


def test_a_synchronous_volley_is_one_and_a_stream_is_shared():
    one = spikes_of(input_pA(volley(synchronous=True)), 2.0)
    assert one.sum() and (one == one[:, :1]).all()
    own = spikes_of(input_pA(volley()), 2.0)
    assert len(np.unique(own.T, axis=0)) == 10
    assert not np.array_equal(spikes_of(input_pA(volley() + volley()), 2.0), 2 * own)
    named = volley(stream="thalamus")
    np.testing.assert_allclose(input_pA(named + named), 2 * input_pA(named))
    slow = input_pA(volley(stream="thalamus", mechanism="NMDA"))
    first = [np.argmax(current > 0, axis=0) for current in (input_pA(named), slow)]
    np.testing.assert_array_equal(*first)  # one afferent, two receptors


def test_bursts_come_at_their_rate():
    given = {
        "start_ms": 5.0,
        "stop_ms": 45.0,
        "rate_Hz": 100.0,
        "n_spikes": 2,
        "isi_ms": 4.0,
        "weight_pA": 2.0,
    }
    exact = spikes_of(input_pA(P.rhythmic(target="E", sd_ms=0.0, **given)), 2.0)
    want = np.zeros(500, int)
    # 5 +- 2 ms, 15 +- 2, ...; 45 is not before the stop
    want[[30, 70, 130, 170, 230, 270, 330, 370]] = 1
    np.testing.assert_array_equal(exact, np.repeat(want[:, None], 10, axis=1))
    three = spikes_of(input_pA(P.rhythmic(target="E", sd_ms=0.5, n_afferents=3, **given)), 2.0)
    assert (three.sum(axis=0) == 24).all() and len(np.unique(three.T, axis=0)) == 10
    together = spikes_of(
        input_pA(P.rhythmic(target="E", sd_ms=0.5, synchronous=True, **given)), 2.0
    )
    assert (together == together[:, :1]).all()


def random_one(name, **changed):
    own = {
        "ornstein_uhlenbeck": {"sd": 3.0, "tau_ms": 5.0},
        "evoked": {"mean_ms": 25.0, "sd_ms": 3.0, "weight_pA": 2.0},
        "rhythmic": {
            "start_ms": 5.0,
            "stop_ms": 45.0,
            "rate_Hz": 50.0,
            "sd_ms": 2.0,
            "weight_pA": 2.0,
        },
    }[name]
    return getattr(P, name)(**{"target": "E", **own, **changed})


@pytest.mark.parametrize("name", RANDOM)
def test_draws_have_names(name):
    """Anew in each trial and with each seed; not moved by another stimulus or by chunks; told by
    target and label.
    """
    one = random_one(name)
    alone = input_pA(one.trials(2))
    assert not np.array_equal(alone[0], alone[1])
    assert not np.array_equal(alone[0], input_pA(one, seed=6))
    np.testing.assert_array_equal(input_pA(one.trials(2), chunk_steps=80), alone)
    for other in (
        random_one("evoked", label="a", target="PV"),
        random_one("ornstein_uhlenbeck", label="b", target="PV"),
    ):
        np.testing.assert_array_equal(input_pA((other + one).trials(2)), alone)
    assert not np.array_equal(input_pA(random_one(name, target={}).trials(2)), alone)
    assert not np.array_equal(input_pA(random_one(name, label="else").trials(2)), alone)


@pytest.mark.parametrize("drive", list(stimuli.STIMULI.values()), ids=lambda cls: cls.__name__)
def test_every_drive_round_trips_through_files(drive):
    fields = {field.name for field in dataclasses.fields(drive)}
    known = {"amplitude": 1.5, "start_ms": 1.0, "duration_ms": 2.0, "period_ms": 3.0, "count": 2, "frequency_Hz": 5.0,
             "sd": 1.0, "tau_ms": 2.0, "mean": 0.5, "times_ms": (1.0, 2.0), "cells": (0, 3), "weight_pA": 1.0,
             "mean_ms": 5.0, "sd_ms": 1.0, "n_spikes": 2, "isi_ms": 1.0, "stop_ms": 40.0, "rate_Hz": 10.0,
             "values": (1.0, 2.0), "dt_ms": 0.5, "first_Hz": 3.0, "last_Hz": 9.0}  # fmt: skip
    made = drive(**{name: value for name, value in known.items() if name in fields})
    cfg = config().stimuli([{"target": "E", "drive": made, "at": {"onsets_ms": [0.0, 2.0]}}])
    assert jtfne.Config.from_toml(cfg.to_toml()) == cfg == jtfne.Config.from_json(cfg.to_json())
    assert cfg.task.stimuli[0].drive == made
