"""Paradigm: composition, trials, events, waveforms, and the charge that Poisson input brings."""

import ast

import numpy as np
import pytest
import xarray as xr

import jtfne
from docs.developing.paradigm_constructors import FILE, write_source
from jtfne.emitters import LIF, Izhikevich2003

VOLLEY = jtfne.Paradigm.pulse(
    target="E", start_ms=10.0, duration_ms=5.0, amplitude=4.0, label="volley"
)
TAU_MS = {"AMPA": 2.0, "GABA_A": 5.0}


def config(n=20, emitter=None, probes=("spk", "source"), **run):
    """E and PV without synapses and noise, whose source is minus their input."""
    emitters = {name: LIF() if emitter is None else emitter for name in ("E", "PV")}
    return (
        jtfne.Config()
        .runtime(**{"seed": 5, "duration_ms": 50.0, **run})
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 0.5, "PV": 0.5}, n=n)
        .emitters(emitters)
        .probes(
            [{"kind": name, "interval_ms": 0.1} if name == "source" else name for name in probes]
        )
    )


def input_pA(paradigm, cell_type="E", cfg=None, **how):
    """What `cell_type` receives, step by step: (n_steps, n_cells)."""
    signals = jtfne.construct(config() if cfg is None else cfg).simulate(paradigm, **how)
    return -signals.get("source", cell_type=cell_type).values


def steps(first_ms, last_ms, dt_ms=0.1):
    return slice(round(first_ms / dt_ms), round(last_ms / dt_ms))


def test_a_pulse_is_there_while_it_lasts_and_only_in_its_target():
    got = input_pA(VOLLEY)
    want = np.zeros_like(got)
    want[steps(10.0, 15.0)] = 4.0
    np.testing.assert_array_equal(got, want)
    assert not input_pA(VOLLEY, "PV").any()


def test_sum_is_both_at_once():
    dc = jtfne.Paradigm.constant_dc(target="E", amplitude=1.5, start_ms=12.0)
    np.testing.assert_allclose(input_pA(VOLLEY + dc), input_pA(VOLLEY) + input_pA(dc))
    assert (VOLLEY + dc).stimuli == (*VOLLEY.stimuli, *dc.stimuli)
    assert VOLLEY + jtfne.Paradigm() == VOLLEY
    np.testing.assert_array_equal(input_pA(VOLLEY + VOLLEY), 2 * input_pA(VOLLEY))
    with pytest.raises(jtfne.JtfneError, match="1 added to a Paradigm"):
        VOLLEY + 1


def test_shift_moves_every_kind_of_stimulus():
    array = jtfne.Paradigm.from_array([1.0, 2.0], dt_ms=1.0, target="E", start_ms=2.0)
    rain = jtfne.Paradigm.poisson(
        target="E", rate_Hz=100.0, weight_pA=5.0, start_ms=1.0, stop_ms=4.0
    )
    train = jtfne.Paradigm.pulse_train(
        target="E", start_ms=3.0, duration_ms=1.0, period_ms=2.0, count=2, amplitude=1.0
    )
    dc = jtfne.Paradigm.constant_dc(target="E", amplitude=1.0)
    for each in (VOLLEY, array, train, dc):
        there = np.zeros_like(input_pA(each))
        there[70:] = input_pA(each)[:-70]
        np.testing.assert_array_equal(input_pA(each.at(7.0)), there)
        assert each.at(3.0).at(4.0) == each.at(7.0) and each.at(0.0) == each
    moved = rain.at(7.0).stimuli[0].drive
    assert (moved.start_ms, moved.stop_ms) == (8.0, 11.0)
    with pytest.raises(jtfne.JtfneError, match=r"start_ms=-1\.0"):
        VOLLEY.at(-11.0)


def test_trials_and_their_sum():
    assert VOLLEY.trials(3).n_trials == 3 and VOLLEY.trials(3).at(1.0).n_trials == 3
    assert (VOLLEY.trials(3) + VOLLEY).n_trials == 3 == (VOLLEY + VOLLEY.trials(3)).n_trials
    with pytest.raises(jtfne.JtfneError, match="paradigms of 2 and of 3 trials"):
        VOLLEY.trials(2) + VOLLEY.trials(3)
    assert VOLLEY.trials(np.int64(2)).n_trials == 2
    for n in (0, -1, 1.5, True):
        with pytest.raises(jtfne.JtfneError, match="n_trials"):
            VOLLEY.trials(n)
    signals = jtfne.construct(config()).simulate(VOLLEY.trials(3))
    assert signals.get("source").sizes["trial"] == 3
    assert (
        jtfne.construct(config()).simulate(VOLLEY.trials(3), trials=2).get("source").sizes["trial"]
        == 2
    )


def test_events_of_trains_and_trials():
    train = jtfne.Paradigm.pulse_train(
        target="PV",
        start_ms=5.0,
        duration_ms=2.0,
        period_ms=10.0,
        count=3,
        amplitude=1.0,
        label="train",
    )
    tail = jtfne.Paradigm.constant_dc(target="E", amplitude=1.0, start_ms=20.0, label="dc")
    events = jtfne.construct(config()).simulate((tail + train).trials(2)).events
    assert list(events.columns) == [
        "trial",
        "onset_ms",
        "duration_ms",
        "label",
        "code",
        "condition",
    ]
    one = [
        (5.0, 2.0, "train", 2, ""),
        (15.0, 2.0, "train", 2, ""),
        (20.0, 30.0, "dc", 1, ""),
        (25.0, 2.0, "train", 2, ""),
    ]
    assert [tuple(row) for row in events.to_numpy()] == [
        (trial, *row) for trial in (0, 1) for row in one
    ]
    assert jtfne.construct(config()).simulate().events.empty
    assert jtfne.construct(config()).simulate(jtfne.Paradigm()).events.empty


def test_events_of_every_constructor_have_its_label():
    rain = {"target": "E", "rate_Hz": 100.0, "weight_pA": 5.0}
    axis = xr.DataArray([1.0, 2.0], {"time": [0.0, 2.0]}, ("time",))
    made = {
        "constant_dc": (jtfne.Paradigm.constant_dc(target="E", amplitude=1.0), 0.0, 50.0),
        "poisson": (jtfne.Paradigm.poisson(**rain, start_ms=5.0, stop_ms=8.0), 5.0, 3.0),
        "waveform": (jtfne.Paradigm.from_dataarray(axis, target="E", start_ms=3.0), 3.0, 4.0),
        "mine": (
            jtfne.Paradigm.from_array([1.0, 2.0, 3.0], dt_ms=0.5, target="E", label="mine"),
            0.0,
            1.5,
        ),
    }
    for label, (paradigm, onset_ms, duration_ms) in made.items():
        events = jtfne.construct(config()).simulate(paradigm).events
        assert events.to_numpy().tolist() == [[0, onset_ms, duration_ms, label, 1, ""]]


def test_a_pulse_train_is_its_pulses():
    train = jtfne.Paradigm.pulse_train(
        target="E", start_ms=5.0, duration_ms=2.0, period_ms=10.0, count=3, amplitude=4.0
    )
    pulses = [
        jtfne.Paradigm.pulse(target="E", start_ms=t, duration_ms=2.0, amplitude=4.0)
        for t in (5.0, 15.0, 25.0)
    ]
    np.testing.assert_array_equal(input_pA(train), input_pA(pulses[0] + pulses[1] + pulses[2]))


@pytest.mark.parametrize(
    ("sample_ms", "dt_ms"), [(1.0, 0.1), (0.1, 0.1), (0.05, 0.1), (0.3, 0.1), (1.0, 0.25)]
)
def test_samples_are_held_until_the_next(sample_ms, dt_ms):
    """On any grid: a step sees the mean of the samples whose turn it is meanwhile; zero before and
    after.
    """
    values = np.random.default_rng(1).normal(size=12)
    probes = [{"kind": "source", "interval_ms": dt_ms}]
    cfg = config(dt_ms=dt_ms, dtype="float64", probes=()).probes(probes)
    got = input_pA(
        jtfne.Paradigm.from_array(values, dt_ms=sample_ms, target="E", amplitude=3.0, start_ms=5.0),
        cfg=cfg,
    )
    piece_ms = 0.05  # of which all of these are multiples
    middle_ms = piece_ms * (np.arange(round(50.0 / piece_ms)) + 0.5) - 5.0
    index = np.floor(middle_ms / sample_ms).astype(int)
    pieces = np.where((index >= 0) & (index < 12), 3.0 * values[np.clip(index, 0, 11)], 0.0)
    want = pieces.reshape(round(50.0 / dt_ms), -1).mean(axis=1)
    np.testing.assert_allclose(got, np.repeat(want[:, None], 10, axis=1), rtol=1e-12)


def test_a_dataarray_is_its_values_on_its_own_clock():
    values = np.array([1.0, -2.0, 3.0, 0.5])
    recorded = xr.DataArray(values, {"time": 100.0 + 0.7 * np.arange(4)}, ("time",))
    made = jtfne.Paradigm.from_dataarray(recorded, target="E", amplitude=2.0, start_ms=4.0)
    assert made == jtfne.Paradigm.from_array(
        values, dt_ms=0.7, target="E", amplitude=2.0, start_ms=4.0
    )
    from_a_run = jtfne.construct(config()).simulate(VOLLEY).get("source", ids=0).isel(neuron=0)
    np.testing.assert_allclose(
        input_pA(jtfne.Paradigm.from_dataarray(from_a_run, target="E", amplitude=-1.0)),
        input_pA(VOLLEY),
    )


def test_a_dataarray_may_be_in_seconds_and_nanoamperes():
    times_ms = 0.7 * np.arange(1, 5)
    plain = xr.DataArray([1.0, -2.0, 3.0, 0.5], {"time": times_ms}, ("time",))
    expected = jtfne.Paradigm.from_dataarray(plain, target="E")
    times_s = ("time", times_ms / 1e3, {"units": "s"})
    as_timedelta = (times_ms * 1e6).round().astype("timedelta64[ns]")
    for time in (times_s, as_timedelta):
        in_nA = (plain / 1e3).assign_coords(time=time).assign_attrs(units="nA")
        made = jtfne.Paradigm.from_dataarray(in_nA, target="E")
        np.testing.assert_allclose(made.stimuli[0].drive.values, [1.0, -2.0, 3.0, 0.5], rtol=1e-12)
        assert made.stimuli[0].drive.dt_ms == expected.stimuli[0].drive.dt_ms == 0.7


def axis(times, dims=("time",), values=None):
    return xr.DataArray(np.ones(len(times)) if values is None else values, {dims[0]: times}, dims)


@pytest.mark.parametrize(
    ("recorded", "message"),
    [
        (axis([0.0, 1.0, 2.5]), "steps of 1 to 1.5 ms.*even steps"),
        (axis([0.0, 1.0, 1.0]), "even steps"),
        (axis([2.0, 1.0, 0.0]), "even steps"),
        (axis([0.0]), "2 samples or more"),
        (axis([0.0, 1.0], dims=("frequency",)), r"dims \('frequency',\)"),
        (xr.DataArray(np.ones((2, 3)), dims=("time", "channel")), r"\(2, 3\)"),
        (xr.DataArray(np.ones(3), dims=("time",)), "no time coordinate"),
        (axis([0.0, 1.0], values=[1.0, np.nan]), "NaN"),
        (axis(np.array([0, 10], "datetime64[ns]")), "time as dates"),
        (axis([0.0, 0.001]), "looks like seconds"),
        (
            axis([0.0, 0.001]).assign_coords(time=("time", [0.0, 0.001], {"units": "h"})),
            "time in units 'h'",
        ),
        ([1.0, 2.0], "a list.*DataArray"),
    ],
)
def test_recordings_that_are_refused(recorded, message):
    with pytest.raises(jtfne.JtfneError, match=message):
        jtfne.Paradigm.from_dataarray(recorded, target="E")


@pytest.mark.parametrize(
    "values", [[], [[1.0, 2.0]], [1.0, np.nan], [np.inf], 3.0, ["a"], None, [1.0, 1j]]
)
def test_arrays_that_are_refused(values):
    with pytest.raises(jtfne.JtfneError, match=r"shape \(n_samples,\), finite"):
        jtfne.Paradigm.from_array(values, dt_ms=1.0, target="E")


@pytest.mark.parametrize(
    ("paradigm", "message"),
    [
        (jtfne.Paradigm.constant_dc(target="Q", amplitude=1.0), "unknown cell_type 'Q'.*'E', 'PV'"),
        (
            jtfne.Paradigm.constant_dc(target={"area": "V2"}, amplitude=1.0),
            "unknown area 'V2'.*nearest: 'V1'",
        ),
        (jtfne.Paradigm.constant_dc(target={"ids": [99]}, amplitude=1.0), "99"),
        (VOLLEY.at(45.0), "within the run, 0 to 50 ms"),
        (VOLLEY.at(36.0), "within the run, 0 to 50 ms"),
        (jtfne.Paradigm.constant_dc(target="E", amplitude=1.0, start_ms=50.0), "within the run"),
        (jtfne.Paradigm.from_array(np.ones(60), dt_ms=1.0, target="E"), "within the run"),
        (
            jtfne.Paradigm.poisson(target="E", rate_Hz=1.0, weight_pA=1.0, stop_ms=60.0),
            "within the run",
        ),
        (
            jtfne.Paradigm.poisson(target="E", rate_Hz=1.0, weight_pA=-1.0),
            "sign of mechanism 'AMPA'",
        ),
        (
            jtfne.Paradigm.poisson(target="E", rate_Hz=1.0, weight_pA=1.0, mechanism="AMPS"),
            "nearest: 'AMPA'",
        ),
        (
            jtfne.Paradigm.pulse_train(
                target="E", start_ms=10.0, duration_ms=2.0, period_ms=10.0, count=5, amplitude=1.0
            ),
            "within the run",
        ),
    ],
)
def test_what_misses_the_circuit_or_the_run_is_refused(paradigm, message):
    with pytest.raises(jtfne.JtfneError, match=message):
        jtfne.construct(config()).simulate(paradigm)


@pytest.mark.parametrize(("mechanism", "weight_pA"), [("AMPA", 30.0), ("GABA_A", -12.0)])
@pytest.mark.parametrize("dt_ms", [0.1, 0.5])
def test_poisson_charge(mechanism, weight_pA, dt_ms):
    """Mean charge a target is rate x duration x weight x tau, and its variance that of a Poisson
    count.
    """
    rain = jtfne.Paradigm.poisson(
        target="E",
        rate_Hz=800.0,
        weight_pA=weight_pA,
        mechanism=mechanism,
        start_ms=20.0,
        stop_ms=420.0,
    )
    probes = [{"kind": "source", "interval_ms": 500.0}]
    cfg = config(n=800, probes=(), duration_ms=500.0, dt_ms=dt_ms).probes(probes)
    # (400,) pA ms; what is left at 500 ms is below e^-16
    charge = input_pA(rain, cfg=cfg)[0] * 500.0
    counts = charge / (weight_pA * TAU_MS[mechanism])
    expected = 800.0 * 0.4
    np.testing.assert_allclose(counts, np.rint(counts), atol=0.02)
    assert abs(counts.mean() - expected) < 4.0 * np.sqrt(expected / 400)
    assert abs(counts.var() / expected - 1.0) < 4.0 * np.sqrt(2.0 / 400)
    assert not input_pA(rain, "PV", cfg=cfg).any()


def test_shared_rain_is_one_train_and_independent_rain_is_not():
    given = {"target": "E", "rate_Hz": 300.0, "weight_pA": 10.0}
    one, own = (
        input_pA(jtfne.Paradigm.poisson(**given, shared=shared)) for shared in (True, False)
    )
    assert one.any() and (one == one[:, :1]).all()
    assert len(np.unique(own.T, axis=0)) == 10
    two = input_pA(jtfne.Paradigm.poisson(**given) + jtfne.Paradigm.poisson(**given))
    first = input_pA(jtfne.Paradigm.poisson(**given))
    np.testing.assert_array_equal(first, own)
    assert not np.allclose(two, 2 * own)  # two rains, not one twice


def test_rain_stops_and_starts_on_time():
    rain = input_pA(
        jtfne.Paradigm.poisson(
            target="E", rate_Hz=5000.0, weight_pA=10.0, start_ms=10.0, stop_ms=12.0
        )
    )
    assert not rain[: round(10.0 / 0.1) + 1].any()  # what arrives in a step acts from the next
    assert rain[steps(11.0, 12.0)].any()
    after = rain[steps(12.1, 50.0)]
    np.testing.assert_allclose(after[1:], after[:-1] * np.exp(-0.1 / 2.0), rtol=1e-4, atol=1e-4)


def test_each_trial_has_its_own_rain_and_noise():
    cfg = config().cell_params({"E": {"noise": 50.0}})
    rain = jtfne.Paradigm.poisson(target="PV", rate_Hz=300.0, weight_pA=10.0).trials(2)
    source = jtfne.construct(cfg).simulate(rain).get("source")
    for cell_type in ("E", "PV"):
        both = source.isel(neuron=np.flatnonzero(source["cell_type"].values == cell_type))
        assert not np.allclose(both.sel(trial=0), both.sel(trial=1))


def test_amplitude_is_in_the_input_unit_of_the_target():
    """1 mV/ms on 100 pF is 100 pA; a LIF takes pA as they are."""
    dc = jtfne.Paradigm.constant_dc(target="E", amplitude=1.0)
    np.testing.assert_allclose(
        input_pA(dc, cfg=config(emitter=Izhikevich2003(c_m_pF=100.0))), 100.0
    )
    np.testing.assert_allclose(input_pA(dc, cfg=config(emitter=Izhikevich2003(c_m_pF=40.0))), 40.0)
    np.testing.assert_allclose(input_pA(dc), 1.0)
    both = config().emitters({"E": Izhikevich2003(), "PV": LIF()})
    everyone = jtfne.Paradigm.constant_dc(target={}, amplitude=2.0)
    assert (
        input_pA(everyone, "E", both).max() == 200.0 and input_pA(everyone, "PV", both).max() == 2.0
    )


def test_drive_and_constant_dc_are_the_same_input():
    net = jtfne.construct(config(emitter=Izhikevich2003(), probes=("spk", "vm")))
    driven = net.config.cell_params({"E": {"drive": 6.0}, "PV": {"drive": 6.0}})
    dc = jtfne.Paradigm.constant_dc(target={}, amplitude=6.0)
    np.testing.assert_array_equal(
        net.simulate(dc).get("vm"), jtfne.construct(driven).simulate().get("vm")
    )


def test_the_configs_own_stimuli_run_unless_a_paradigm_is_given():
    own = config().stimuli(list(VOLLEY.stimuli))
    np.testing.assert_array_equal(input_pA(None, cfg=own), input_pA(VOLLEY))
    assert not input_pA(jtfne.Paradigm(), cfg=own).any()


def test_constructors_are_those_that_the_stimuli_have():
    """The file is what `python docs/developing/paradigm_constructors.py` writes of the classes."""
    assert ast.dump(ast.parse(FILE.read_text())) == ast.dump(ast.parse(write_source()))
