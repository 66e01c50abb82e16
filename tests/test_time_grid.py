"""Times off the grid: currents keep their charge, causes act when they say, and spans are whole or
refused.
"""

import functools
import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne import _grid, engine, stimuli
from jtfne.emitters import EMITTERS, GLIF2, LIF, SynapticInput, Trains
from jtfne.engine._checkpointed import advance_checkpointed
from jtfne.simulation._inputs import build_run_inputs

P = jtfne.Paradigm
END_ms = 60.0
DTS_ms = (0.025, 0.05, 0.1, 0.25, 0.3, 0.5, 1.0)
ON_GRID = st.integers(0, 200).map(lambda steps: steps * 0.1)
ONSETS_ms = st.one_of(ON_GRID, st.floats(0.0, 20.0))
SPANS_ms = st.one_of(st.integers(1, 150).map(lambda steps: steps * 0.1), st.floats(1e-3, 15.0))
DT_ms = st.sampled_from(DTS_ms)


def charge(drive, dt_ms):
    """The sum of the waveform of a stimulus over a trial, times dt; taken in two pieces, which must
    be those of one.
    """
    n_steps, cut = math.ceil(END_ms / dt_ms), 23
    whole = drive.waveform(0, n_steps, dt_ms)
    pieces = [drive.waveform(0, cut, dt_ms), drive.waveform(cut, n_steps - cut, dt_ms)]
    np.testing.assert_array_equal(whole, np.concatenate(pieces))
    return whole.sum() * dt_ms


def sine_charge(sine):
    """The integral of a sine of amplitude 1 over its window."""
    turn = 2e-3 * np.pi * sine.frequency_Hz
    last = turn * (sine.stop_ms - sine.start_ms) + sine.phase_rad
    return (np.cos(sine.phase_rad) - np.cos(last)) / turn


def chirp_charge(chirp):
    """The integral of a sweep of amplitude 1, by Fresnel's integrals: the square is completed."""
    k = 1e-3 * (chirp.last_Hz - chirp.first_Hz) / chirp.duration_ms  # cycles / ms^2
    first = 1e-3 * chirp.first_Hz
    angle = chirp.phase_rad - np.pi * first**2 / k
    ends = np.sqrt(2.0 * k) * (np.array([0.0, chirp.duration_ms]) + first / k)
    sines, cosines = (np.diff(integral)[0] for integral in scipy.special.fresnel(ends))
    return (np.cos(angle) * sines + np.sin(angle) * cosines) / np.sqrt(2.0 * k)


@given(
    onset_ms=ONSETS_ms,
    span_ms=SPANS_ms,
    gap_ms=SPANS_ms,
    n=st.integers(1, 40),
    hertz=st.floats(1.0, 2e3),
    dt_ms=DT_ms,
)
@settings(max_examples=300)
def test_every_waveform_keeps_its_charge(onset_ms, span_ms, gap_ms, n, hertz, dt_ms):
    begin = {"start_ms": onset_ms, "amplitude": 1.0}
    window = {"start_ms": onset_ms, "stop_ms": onset_ms + span_ms}
    window_ms = window["stop_ms"] - onset_ms
    values = tuple(np.cos(np.arange(n)))
    n_pulses = max(1, min(n, int((END_ms - onset_ms) / (span_ms + gap_ms))))
    sine = stimuli.Sine(amplitude=1.0, frequency_Hz=hertz, phase_rad=0.3, **window)
    n_steps = math.ceil(END_ms / dt_ms)
    top_Hz = min(hertz, 480.0 / dt_ms)  # what dt resolves
    chirp = stimuli.Chirp(
        duration_ms=span_ms, first_Hz=0.3 * top_Hz, last_Hz=top_Hz, phase_rad=0.3, **begin
    )
    sample_ms = min(span_ms, (END_ms - onset_ms) / n)
    cases = [
        (stimuli.Constant(**begin), n_steps * dt_ms - onset_ms),
        (stimuli.Pulse(duration_ms=span_ms, **begin), span_ms),
        (stimuli.Ramp(duration_ms=span_ms, begin=0.5, end=2.0, **begin), 1.25 * span_ms),
        (
            stimuli.PulseTrain(
                duration_ms=span_ms, period_ms=span_ms + gap_ms, count=n_pulses, **begin
            ),
            n_pulses * span_ms,
        ),
        (stimuli.Trace(values=values, dt_ms=sample_ms, **begin), sum(values) * sample_ms),
        (sine, sine_charge(sine)),
        (chirp, chirp_charge(chirp)),
        (stimuli.OrnsteinUhlenbeck(sd=1.0, tau_ms=1.0, **window), window_ms),
        (stimuli.Poisson(rate_Hz=1.0, weight_pA=1.0, **window), window_ms),
        (stimuli.Marker(start_ms=onset_ms), 0.0),
    ]
    for drive, expected in cases:
        # Rounding of the edges in float64: 1e-16 of the time at which they lie.
        np.testing.assert_allclose(
            charge(drive, dt_ms), expected, rtol=1e-12, atol=1e-13 * END_ms, err_msg=repr(drive)
        )


def test_the_catalogue_is_covered():
    """A new stimulus has a line above, or is one of spikes at given times, which are not spread
    over a step.
    """
    above = {
        "Constant",
        "Pulse",
        "Ramp",
        "PulseTrain",
        "Trace",
        "Sine",
        "Chirp",
        "OrnsteinUhlenbeck",
        "Poisson",
        "Marker",
    }
    assert above | {cls.__name__ for cls in stimuli.AFFERENTS} == set(stimuli.STIMULI)


@given(onset_ms=ONSETS_ms, dt_ms=DT_ms)
@settings(max_examples=100)
def test_a_cause_acts_at_its_time_on_any_grid(onset_ms, dt_ms):
    """The first step with input begins within one step of the onset, at dt and at half of it."""
    begin = {"start_ms": onset_ms, "amplitude": 1.0}
    causes = [
        stimuli.Constant(**begin),
        stimuli.Pulse(duration_ms=1.0, **begin),
        stimuli.PulseTrain(duration_ms=1.0, period_ms=2.0, count=2, **begin),
        stimuli.Ramp(duration_ms=1.0, begin=1.0, **begin),
        stimuli.Trace(values=(1.0, 2.0), dt_ms=0.7, **begin),
        stimuli.Sine(frequency_Hz=100.0, phase_rad=0.3, **begin),
        stimuli.Chirp(duration_ms=9.0, first_Hz=9.0, last_Hz=99.0, phase_rad=0.3, **begin),
        stimuli.OrnsteinUhlenbeck(sd=1.0, tau_ms=1.0, start_ms=onset_ms),
        stimuli.Poisson(rate_Hz=1.0, weight_pA=1.0, start_ms=onset_ms),
        stimuli.SpikeTimes(times_ms=(onset_ms,), weight_pA=1.0),
        stimuli.Evoked(mean_ms=onset_ms, sd_ms=0.0, weight_pA=1.0),
    ]
    for cause in causes:
        for step_ms in (dt_ms, dt_ms / 2):
            values = cause.waveform(0, math.ceil(END_ms / step_ms), step_ms)
            first_ms = np.flatnonzero(values)[0] * step_ms
            assert onset_ms - step_ms < first_ms + 1e-9 and first_ms < onset_ms + step_ms, cause


# through simulate


def run(paradigm, dt_ms, n=16):
    """What each of `n` cells receives in each step of `dt_ms`: (n_steps, n) pA."""
    config = (
        jtfne.Config()
        .runtime(seed=5, duration_ms=30.0, dtype="float64", dt_ms=dt_ms)
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 1.0}, n=n)
        .emitters({"E": LIF()})
        .probes(["spk", {"kind": "source", "interval_ms": dt_ms}])
    )
    signals = jtfne.construct(config).simulate(paradigm, progress=False)
    return -signals.get("source").values, signals


@pytest.mark.parametrize("dt_ms", [0.1, 1.0])
def test_a_run_has_the_charge_and_the_onsets_that_were_asked_for(dt_ms):
    """One program: a cell for each stimulus, on the grid and off it."""
    spike = {"weight_pA": 8.0, "mechanism": "AMPA"}
    at = [{"target": {"ids": [k]}, "label": f"stimulus {k}"} for k in range(16)]
    currents = [
        (P.pulse(start_ms=3.0, duration_ms=0.04, amplitude=10.0, **at[0]), 0.4),
        (P.pulse(start_ms=0.05, duration_ms=0.1, amplitude=10.0, **at[1]), 1.0),
        (
            P.pulse_train(
                start_ms=1.0, duration_ms=0.25, period_ms=1.3, count=4, amplitude=10.0, **at[2]
            ),
            10.0,
        ),
        (P.ramp(start_ms=2.0, duration_ms=0.25, amplitude=1.0, **at[3]), 0.125),
        (P.from_array([1.0, -1.0] * 40, dt_ms=0.05, start_ms=1.0, **at[4]), 0.0),
        (P.from_array([1.0, 3.0] * 40, dt_ms=0.05, start_ms=1.02, **at[5]), 8.0),
        (
            P.ornstein_uhlenbeck(
                sd=0.0, tau_ms=1.0, mean=2.0, start_ms=1.03, stop_ms=2.08, **at[6]
            ),
            2.1,
        ),
        (P.constant_dc(amplitude=1.0, start_ms=10.05, **at[7]), 19.95),
        (P.pulse(start_ms=10.0, duration_ms=5.0, amplitude=3.0, **at[8]), 15.0),
    ]
    spikes = [
        (P.spike_times([10.0], target={"ids": [9]}, label="table", **spike), 10.0),
        (P.evoked(mean_ms=10.0, sd_ms=0.0, target={"ids": [10]}, label="evoked", **spike), 10.0),
        (
            P.rhythmic(
                start_ms=10.0,
                stop_ms=20.0,
                rate_Hz=100.0,
                sd_ms=0.0,
                n_spikes=1,
                target={"ids": [11]},
                label="r",
                **spike,
            ),
            10.0,
        ),
        (P.spike_times([0.0], target={"ids": [12]}, label="at once", **spike), 0.0),
        (P.spike_times([10.3], target={"ids": [13]}, label="late", **spike), 10.3),
    ]
    paradigm = functools.reduce(lambda one, two: one + two, [each for each, _ in currents + spikes])
    found_pA, signals = run(paradigm, dt_ms)
    total = found_pA.sum(axis=0) * dt_ms
    np.testing.assert_allclose(
        total[: len(currents)], [expected for _, expected in currents], rtol=1e-12, atol=1e-12
    )
    assert np.flatnonzero(found_pA[:, 8])[0] * dt_ms == pytest.approx(10.0)
    tau_ms = 2.0  # of AMPA
    for k, (_, t_ms) in enumerate(spikes, len(currents)):
        first = np.flatnonzero(found_pA[:, k])[0]
        assert first == round(t_ms / dt_ms), (
            f"cell {k}: flows from {first * dt_ms} ms for a spike at {t_ms} ms"
        )
        whole = 8.0 * tau_ms * -np.expm1(-(30.0 - first * dt_ms) / tau_ms)
        np.testing.assert_allclose(total[k], whole, rtol=1e-12)
    assert set(signals.events["label"]) == {each.stimuli[0].label for each, _ in currents + spikes}
    assert np.flatnonzero(~found_pA.any(axis=0)).tolist() == [4, 14, 15], (
        "samples of mean 0, and two cells without input"
    )


def test_presentations_off_the_grid_are_each_whole():
    """Onsets of a schedule with jitter, for a current, and for the window of a Poisson input."""
    stimulus = {"target": {}, "label": "x", "at": {"onsets_ms": [1.03, 5.55, 9.999]}}
    pulse = P(
        stimuli=[
            {**stimulus, "drive": stimuli.Pulse(start_ms=0.0, duration_ms=0.07, amplitude=10.0)}
        ]
    )
    found_pA, signals = run(pulse, 0.1, n=1)
    np.testing.assert_allclose(found_pA.sum() * 0.1, 3 * 0.7, rtol=1e-12)
    assert signals.events["onset_ms"].tolist() == [1.03, 5.55, 9.999]


# refractory times

HOLDING = ("LIF", "AdaptiveLIF", "GLIF1", "GLIF2", "GLIF3", "TwoCompartment")
T_REFS = ("0", "0.01", "0.1", "0.25", "0.3", "0.5", "1.05", "2", "3.75", "4")


def test_the_cells_that_hold_are_listed():
    assert {name for name, cls in EMITTERS.items() if "t_ref_ms" in cls.LIMITS} == set(HOLDING)


@pytest.mark.parametrize("kind", HOLDING)
def test_no_interval_is_shorter_than_t_ref_rounded_up(kind):
    """Driven so that they fire as soon as they may: t_ref in whole steps, and one step to
    threshold. float32.
    """
    cell = EMITTERS[kind](t_ref_ms=jnp.array([float(each) for each in T_REFS], jnp.float32))
    n, n_steps = len(T_REFS), 400
    silent = SynapticInput(jnp.zeros((0, n)), jnp.zeros(0))

    @jax.jit
    def spikes_of(dt_ms):
        def step(state, _):
            return cell.step(state, jnp.full(n, 1e6), silent, dt_ms)

        return jax.lax.scan(step, cell.init(jnp.zeros(n, jnp.float32)), length=n_steps)[1]

    for dt in ("0.025", "0.05", "0.1", "0.25", "0.5", "1"):
        spikes = np.asarray(spikes_of(jnp.float32(dt)))
        for k, t_ref in enumerate(T_REFS):
            intervals = np.diff(np.flatnonzero(spikes[:, k]))
            expected = math.ceil(Fraction(t_ref) / Fraction(dt)) + 1
            assert intervals.size and (intervals == expected).all(), (
                dt,
                t_ref,
                intervals[:5],
                expected,
            )


def test_a_reset_above_threshold_does_not_end_the_refractory_time():
    """GLIF2 under 1.5 nA at 1 ms: the spike is so high that the reset, a fifth of it, is above
    threshold.
    """
    cell, silent = GLIF2(t_ref_ms=4.0), SynapticInput(jnp.zeros((0, 1)), jnp.zeros(0))
    state, fired = cell.init(jnp.zeros(1)), []
    advance = jax.jit(lambda state: cell.step(state, jnp.full(1, 1500.0), silent, 1.0))
    above = False
    for step in range(60):
        before = state
        state, spikes = advance(state)
        balance = cell.balance(before, state, jnp.full(1, 1500.0), silent, 1.0)
        np.testing.assert_allclose(sum(balance), 0.0, atol=0.05)  # of 1,500 pA in float32
        assert bool(cell.threshold_distance(before, state)[0] >= 0) == bool(spikes[0])
        above |= bool(~spikes[0] & (state.v_mV[0] >= cell.v_th_mV + state.th_mV[0]))
        fired += [step] * bool(spikes[0])
    assert above, "the case is the one that was meant"
    assert len(fired) > 5 and min(np.diff(fired)) == 5


# spans and times


@given(steps=st.integers(1, 10**6), dt_ms=DT_ms, share=st.floats(0.01, 0.99))
@settings(max_examples=200)
def test_spans_are_whole_or_not(steps, dt_ms, share):
    assert _grid.whole_steps(steps * dt_ms, dt_ms) == steps
    assert _grid.whole_steps((steps + share) * dt_ms, dt_ms) is None
    below, above = (
        float(each) for each in _grid.nearest_fits((steps + share) * dt_ms, dt_ms).split(" or ")
    )
    assert below == pytest.approx(steps * dt_ms) and above == pytest.approx((steps + 1) * dt_ms)
    assert _grid.whole_steps(share * dt_ms, dt_ms) is None
    assert (
        _grid.steps_up(np.float32(steps * dt_ms), dt_ms)
        == steps
        == _grid.steps_down(np.float32(steps * dt_ms), dt_ms)
    )


@pytest.mark.parametrize("dt_ms", [0.025, 0.1, 0.25, 1.0])
def test_trains_that_were_float32_keep_their_steps(dt_ms):
    """Every step of the first 100 s."""
    steps = np.arange(1, round(1e5 / dt_ms) + 1, 7)
    t_ms = (steps * dt_ms).astype(np.float32)
    np.testing.assert_array_equal(Trains([t_ms.astype(np.float64)]).table(dt_ms)[0, :-1], steps - 1)


BASE = (
    jtfne.Config()
    .runtime(duration_ms=20.0)
    .areas(["V1"])
    .layers(["L4"])
    .cells({"E": 1.0}, n=4)
    .emitters({"E": LIF()})
    .probes(["spk"])
)
EDGE = {
    "source": "E",
    "target": "E",
    "mechanism": "AMPA",
    "weight": 1.0,
    "rule": {"kind": "FixedIndegree", "n": 1},
}
LAST = {"target": "E", "weight_pA": 1.0}
REFUSED = {
    "a fixed delay": (
        lambda: BASE.connections([{**EDGE, "delay_ms": 0.25}]),
        ("delay_ms=0.25", "dt_ms=0.1", "0.2 or 0.3"),
    ),
    "an interval": (
        lambda: BASE.probes([{"kind": "vm", "interval_ms": 0.25}]),
        ("interval_ms=0.25", "dt_ms=0.1", "0.2 or 0.3"),
    ),
    "a duration": (lambda: BASE.runtime(duration_ms=20.05), ("duration_ms=20.05", "20 or 20.1")),
    "spikes after the last step began": (
        lambda: jtfne.construct(BASE).simulate(P.spike_times([19.97], **LAST), progress=False),
        ("SpikeTimes at 19.97 ms", "19.9 ms"),
    ),
    "a volley after the last step began": (
        lambda: jtfne.construct(BASE).simulate(
            P.evoked(mean_ms=19.96, sd_ms=0.0, **LAST), progress=False
        ),
        ("Evoked at 19.96 ms", "19.9 ms"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_place_on_the_grid_is_refused_by_name(name):
    act, words = REFUSED[name]
    with pytest.raises(jtfne.JtfneError) as caught:
        act()
    for word in words:
        assert word in str(caught.value)


def test_delays_that_differ_by_edge_are_rounded_to_the_nearest_step():
    config = BASE.connections([{**EDGE, "delay_ms": {"kind": "Uniform", "low": 0.5, "high": 3.0}}])
    net = jtfne.construct(config)
    flat = net.to_flat()
    delays_ms = net.projections[0].delay_ms
    assert flat.circuit.delivery is not None
    assert not np.allclose(delays_ms / 0.1, np.rint(delays_ms / 0.1), atol=1e-3), (
        "they are off the grid"
    )
    np.testing.assert_array_equal(
        _grid.nearest_steps(delays_ms, 0.1), np.rint(delays_ms.astype(float) / 0.1)
    )


@pytest.mark.as_users
def test_spikes_at_the_start_come_once_in_chunks_and_in_a_run_for_gradients():
    """At 0 ms a spike stands before the first step: `advance` adds it to the first chunk only,
    `advance_checkpointed` too.
    """
    net = jtfne.construct(BASE)
    flat = net.to_flat(mechanisms=["AMPA"])
    stimulus = P.spike_times([0.0, 2.0], target={}, weight_pA=50.0).stimuli
    drive = build_run_inputs(stimulus, net, flat.receptors, 0.1, np.dtype(np.float32))
    keys = {name: jax.random.key(1) for name in ("initial state", "noise", "stimulus")}

    def currents_after(advance, *chunks):
        carry = engine.start(flat.circuit, drive.inputs, keys)
        for first_step, n_steps in chunks:
            carry, _ = advance(
                flat.circuit, drive.inputs, (), carry, drive.chunk(first_step, n_steps), 0.1
            )
        return np.asarray(carry.syn)

    whole = currents_after(engine.advance, (0, 40))
    np.testing.assert_allclose(whole, 50.0 * (np.exp(-4.0 / 2.0) + np.exp(-2.0 / 2.0)), rtol=1e-5)
    np.testing.assert_array_equal(currents_after(engine.advance, (0, 20), (20, 20)), whole)
    np.testing.assert_array_equal(currents_after(advance_checkpointed, (0, 40)), whole)
