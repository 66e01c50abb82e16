"""An objective against sums done by hand, recorded curves against signals that hold them, and what
is never passed.
"""

import json
import math

import jax
import jax.numpy as jnp
import mne
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
import runs
from by_hand import signals
from jtfne import JtfneError, analysis
from jtfne.config import Config
from jtfne.measures import (
    CV,
    BandPower,
    CSDProfile,
    EvokedWaveform,
    FanoFactor,
    MeanRate,
    PowerSpectrum,
    SpectrolaminarCrossover,
    Synchrony,
    Topography,
)
from jtfne.objective import Above, Axes, Below, Curve, Equal, Gate, InRange, Metric, Objective

# Cell 0 fires every 10 ms (100 Hz, CV 0); cell 1 at intervals 10, 30 (CV 1/2); cell 2 is silent;
# two trials are alike.
TRAINS = [*((0, k) for k in np.arange(10.0, 1001.0, 10.0)), (1, 100.0), (1, 110.0), (1, 140.0)]
SPIKES = [(trial, at, cell) for trial in (0, 1) for cell, at in TRAINS]
RUN = signals(spikes=SPIKES, cell_types=("E", "E", "PV"), n_trials=2)
T_S = np.arange(1, 2001) * 1e-3  # 2 s of 1 ms samples


def rate(**fields):
    return Metric(**{"measure": MeanRate(), "target": 0.0, **fields})


def value(metric_or_measure, run=RUN, **fields):
    """The value of a measure of a run."""
    metric = Metric(measure=metric_or_measure, target=0.0, **fields)
    return Objective([metric]).evaluate(run).metrics["value"][0]


# -- numbers
# ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected_Hz"),
    [
        ({}, 103 / 3),
        ({"cells": "E"}, 103 / 2),
        ({"cells": "PV"}, 0.0),
        ({"cells": {"ids": [1]}}, 3.0),
        # start < t <= stop: 110 and 140
        ({"cells": {"ids": [1]}, "window_ms": (100.0, 200.0)}, 20.0),
        ({"cells": {"ids": [0]}, "window_ms": (0.0, 50.0)}, 100.0),
    ],
)
def test_known_trains_have_known_rates(fields, expected_Hz):
    assert value(MeanRate(), **fields) == pytest.approx(expected_Hz, rel=1e-12)


def test_known_intervals_have_known_cvs():
    assert value(CV(), cells={"ids": [0]}) == pytest.approx(0.0, abs=1e-9)
    # 10, 30, 10, 30 over two trials
    assert value(CV(), cells={"ids": [1]}) == pytest.approx(0.5, rel=1e-9)
    assert value(CV()) == pytest.approx(0.25, rel=1e-9), "the silent cell has none"
    assert value(CV(min_intervals=5)) == pytest.approx(0.0, abs=1e-9), (
        "nor has the one of four intervals"
    )


def test_clocks_do_not_vary_and_twins_are_in_step():
    assert value(FanoFactor(bin_ms=100.0), cells={"ids": [0]}) == pytest.approx(0.0, abs=1e-12)
    twins = signals(
        spikes=[(0, at, cell) for at in (10.0, 13.0, 400.0) for cell in (0, 1)], cell_types="EE"
    )
    assert value(Synchrony(), twins) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("f_Hz", "amplitude"), [(10.0, 1.0), (40.0, 3.0)])
def test_a_sine_has_half_its_squared_amplitude_in_its_band(f_Hz, amplitude):
    wave = amplitude * np.sin(2 * np.pi * f_Hz * T_S)[None, :, None, None] * np.ones(3)
    run = signals(lfp=wave, duration_ms=2000.0)
    band = {"low_Hz": f_Hz - 2, "high_Hz": f_Hz + 2}
    assert value(BandPower(**band), run, readout="lfp_proxy") == pytest.approx(
        amplitude**2 / 2, rel=1e-6
    )
    assert value(BandPower(**band, relative=True), run, readout="lfp_proxy") == pytest.approx(
        1.0, rel=1e-6
    )


def test_the_crossing_lies_where_the_planted_profiles_cross():
    z_mm = np.arange(16) * 0.1
    # a sine at each frequency of the two bands, and beyond, where the window spreads them
    slow, fast = (
        sum(np.sin(2 * np.pi * f_Hz * T_S + f_Hz**2) for f_Hz in range(*ends))[:, None]
        for ends in ((8, 22), (73, 153))
    )
    # power is linear in depth
    lfp = slow * np.sqrt(0.2 + z_mm / 1.5) + fast * np.sqrt(0.2 + (1.5 - z_mm) / 1.5)
    run = signals(lfp=lfp[None, :, None], duration_ms=2000.0)
    assert value(SpectrolaminarCrossover(), run, readout="lfp_proxy") == pytest.approx(
        0.75, abs=1e-6
    )
    upside_down = signals(lfp=lfp[None, :, None, ::-1], duration_ms=2000.0)
    found = Objective(
        [Metric(measure=SpectrolaminarCrossover(), readout="lfp_proxy", target=0.7)]
    ).evaluate(upside_down)
    assert found.score == math.inf and "the two profiles do not cross" in found.problems[0]


def test_values_are_those_of_analysis():
    """One kernel, two callers."""
    rng = np.random.default_rng(3)
    spikes = [(trial, round(at, 1), cell) for trial in (0, 1) for cell in range(6)
              for at in np.cumsum(rng.gamma(2.0, 12.0, 60)) if at <= 1000.0]  # fmt: skip
    lfp = rng.normal(size=(2, 1000, 1, 5))
    run = signals(spikes=spikes, cell_types="EEEEEE", lfp=lfp, n_trials=2)
    assert value(MeanRate(), run) == pytest.approx(analysis.rates(run).values.mean(), rel=1e-9)
    assert value(CV(), run) == pytest.approx(analysis.cv(run).values.mean(), rel=1e-9)
    assert value(FanoFactor(), run) == pytest.approx(
        analysis.fano_factor(run).values.mean(), rel=1e-9
    )
    assert value(Synchrony(), run) == pytest.approx(analysis.synchrony(run).values.mean(), rel=1e-9)
    power = analysis.psd(run).mean(["trial", "area", "channel"])
    band = analysis.band_power(power, 20.0, 60.0)
    assert value(BandPower(low_Hz=20, high_Hz=60), run, readout="lfp_proxy") == pytest.approx(
        float(band), rel=1e-9
    )


# -- the sum
# ----------------------------------------------------------------------------------------------------------


def test_the_score_is_the_sum_done_by_hand():
    objective = Objective(
        [
            rate(cells="E", target=50.0, scale=0.5, weight=2.0),  # 51.5: (1.5 / 0.5)^2 = 9, twice
            rate(cells="PV", target=(4.0, 9.0), scale=2.0),  # 0: 4 below, (4 / 2)^2 = 4
            rate(target=[30.0, 40.0], name="within"),  # 34.33: 0
            Metric(measure=CV(), target=0.0, scale=0.125),  # 0.25: 4
        ],
        gates=[Gate(measure=MeanRate(), cells="PV", condition=Below(0.5))],
    )
    found = objective.evaluate(RUN)
    assert found.score == pytest.approx(18.0 + 4.0 + 0.0 + 4.0, rel=1e-9)
    np.testing.assert_allclose(found.metrics["distance"], [9.0, 4.0, 0.0, 4.0], atol=1e-9)
    np.testing.assert_allclose(found.metrics["term"], [18.0, 4.0, 0.0, 4.0], atol=1e-9)
    assert found.metrics["name"].tolist() == [
        "MeanRate spk E",
        "MeanRate spk PV",
        "within",
        "CV spk",
    ]
    assert found.metrics["target"].tolist() == ["50", "4 to 9", "30 to 40", "0"]
    assert found.metrics["unit"].tolist() == ["Hz", "Hz", "Hz", "1"]
    assert found.passed and found.finite and found.problems == ()


@settings(max_examples=20)
@given(
    st.lists(st.floats(0.1, 10.0), min_size=3, max_size=3),
    st.floats(0.1, 5.0),
    st.permutations(range(3)),
)
def test_weights_scale_the_score_and_order_does_not_count(weights, factor, order):
    metrics = [
        rate(cells="E", target=40.0), rate(cells="PV", target=3.0), Metric(measure=CV(), target=1.0)
    ]  # fmt: skip
    axes, arrays = both_doors(("spk",))

    def score(chosen):
        return float(Objective(chosen).score_arrays(arrays, axes)[0])

    weighted = [
        each.model_copy(update={"weight": weight})
        for each, weight in zip(metrics, weights, strict=True)
    ]
    heavier = [each.model_copy(update={"weight": factor * each.weight}) for each in weighted]
    assert score(heavier) == pytest.approx(factor * score(weighted), rel=1e-5)  # single precision
    assert score([weighted[k] for k in order]) == pytest.approx(score(weighted), rel=1e-5)
    assert score(weighted) == pytest.approx(
        sum(weight * score([each]) for weight, each in zip(weights, metrics, strict=True)), rel=1e-5
    )


def both_doors(readouts, run=RUN):
    """Axes and arrays of a run."""
    arrays = {
        name: run.get(name, layout="trial_time_node").values.astype(np.float32) for name in readouts
    }
    return {name: Axes.of(run, name) for name in readouts}, arrays


def test_both_doors_give_the_same_terms():
    rng = np.random.default_rng(0)
    run = signals(spikes=SPIKES, cell_types=("E", "E", "PV"), n_trials=2, lfp=rng.normal(size=(2, 1000, 2, 8)),
                  areas=("V1", "V4"), eeg=rng.normal(size=(2, 1000, 3)), sites=("Cz", "Oz", "Fz"))  # fmt: skip
    curve = Curve(values=[1.0, 3.0, 2.0], dims=["channel"], coords={"channel": ["Oz", "Cz", "Fz"]})
    objective = Objective(
        [
            rate(cells="E", window_ms=(100, 600)), Metric(measure=CV(), target=0.0, window_ms=(95, 500)),
            Metric(measure=FanoFactor(bin_ms=30.0), target=1.0), Metric(measure=Synchrony(bin_ms=7.0), target=1.0),
            Metric(measure=BandPower(low_Hz=20, high_Hz=60, segment_ms=200), readout="spk", target=0.0),
            Metric(measure=BandPower(low_Hz=20, high_Hz=60, segment_ms=200), readout="lfp_proxy", target=0.0,
                   cells={"area": "V4"}, channels=["ch02", "ch05"]),
            Metric(measure=Topography(onset_ms=300, baseline_ms=20), readout="eeg_proxy", target=curve),
        ]
    )  # fmt: skip
    labelled = objective.evaluate(run)
    axes, arrays = both_doors(objective.readouts, run)
    score, terms = jax.jit(lambda each: objective.score_arrays(each, axes))(arrays)
    assert set(terms) == set(labelled.metrics["name"])
    found = [terms[name] for name in labelled.metrics["name"]]
    # single precision
    np.testing.assert_allclose(found, labelled.metrics["term"], rtol=2e-4, atol=1e-6)
    assert float(score) == pytest.approx(labelled.score, rel=2e-4)


def test_the_gradient_by_the_raster_is_the_closed_form():
    axes, arrays = both_doors(("spk",))
    objective = Objective([rate(cells="E", target=40.0, scale=2.0)])
    gradient = jax.grad(lambda raster: objective.score_arrays({"spk": raster}, axes)[0])(
        jnp.asarray(arrays["spk"])
    )
    # d/dx ((r - t) / s)^2 = 2 (r - t) / s^2 dr/dx, and dr/dx = 1000 / (1000 ms * 2 cells * 2
    # trials)
    expected = 2 * (51.5 - 40.0) / 4.0 * 1000.0 / (1000.0 * 4)
    np.testing.assert_allclose(gradient[..., :2], expected, rtol=1e-5)
    assert not np.any(gradient[..., 2])


FIELD = Axes(
    step_ms=1.0,
    n_samples=50,
    labels={"area": ["V1", "V4"], "channel": list("abc"), "z_mm": [0.1, 0.2, 0.3]},
)
CELLS = Axes(step_ms=1.0, n_samples=50, labels={"cell_type": ["E", "E", "PV"]})
POWER = Metric(measure=BandPower(low_Hz=20, high_Hz=90), readout="lfp_proxy", target=1.0)
THREE = Curve(values=[1.0, 2.0, 1.0], dims=["time"], coords={"time": [10.0, 20.0, 30.0]})
WAVE = Metric(measure=EvokedWaveform(), readout="lfp_proxy", target=THREE, cells={"area": "V1"})


@pytest.mark.parametrize(
    ("metric", "array", "axes", "message"),
    [
        (rate(), None, CELLS, r"arrays without 'spk'"),
        (rate(), np.zeros((50, 3)), None, r"axes without 'spk'"),
        (
            rate(),
            np.zeros((40, 3)),
            CELLS,
            r"shape \(40, 3\) for 'spk'.*\(time, row\) with 50 samples",
        ),
        (rate(cells="SST"), np.zeros((50, 3)), CELLS, r"unknown cell_type 'SST'.*'E', 'PV'"),
        (rate(cells={"layer": "L4"}), np.zeros((50, 3)), CELLS, r"of cells without that label"),
        (rate(cells={"ids": [7]}), np.zeros((50, 3)), CELLS, r"of cells without that label"),
        (rate(window_ms=(0, 60)), np.zeros((50, 3)), CELLS, r"window_ms=0 to 60.*to 50 ms"),
        (POWER, np.zeros((50, 6)), FIELD, r"shape \(50, 6\).*\(time, area, channel\)"),
        (POWER, np.zeros((50, 3)), CELLS, r"'lfp_proxy' without area"),
        (
            POWER.model_copy(update={"channels": ("d",)}),
            np.zeros((50, 2, 3)),
            FIELD,
            r"unknown channel 'd'.*'a', 'b', 'c'",
        ),
        (
            WAVE.model_copy(update={"cells": POWER.cells}),
            np.zeros((50, 2, 3)),
            FIELD,
            r"of areas V1, V4.*one area",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(metric, array, axes, message):
    given = [{} if each is None else {metric.of: each} for each in (array, axes)]
    with pytest.raises(JtfneError, match=message):
        Objective([metric]).score_arrays(*given)


def test_channels_that_a_recording_lacks_are_refused_and_others_left_out():
    run = signals(
        eeg=np.random.default_rng(0).normal(size=(1, 100, 3)),
        sites=("Cz", "Oz", "Fz"),
        duration_ms=100.0,
    )
    two = Curve(values=[1.0, 2.0], dims=["channel"], coords={"channel": ["Fz", "Cz"]})
    metric = Metric(measure=Topography(), readout="eeg_proxy", target=two)
    assert Objective([metric]).evaluate(run).curves[metric.label]["channel"].values.tolist() == [
        "Cz",
        "Fz",
    ]
    with pytest.raises(JtfneError, match="a curve without the channels Oz"):
        Objective([metric.model_copy(update={"channels": ("Cz", "Oz")})]).evaluate(run)
    waves = Metric(measure=EvokedWaveform(), readout="eeg_proxy", channels="Cz", target=THREE)
    curve = Objective([waves]).evaluate(run).curves[waves.label]
    # its first sample stands for 10 ms, up to its own time
    np.testing.assert_array_equal(curve["time"], np.arange(1.0, 31.0))
    np.testing.assert_allclose(
        curve["target"][:, 0], np.interp(np.arange(1.0, 31.0), [10, 20, 30], [1, 2, 1])
    )
    with pytest.raises(JtfneError, match=r"over time from 10 to 30; expected one from 6 to 90"):
        Objective([waves.model_copy(update={"window_ms": (5.0, 90.0)})]).evaluate(run)
    with pytest.raises(JtfneError, match=r"a curve without channel, for 3 of them"):
        Objective([waves.model_copy(update={"channels": None})]).evaluate(run)
    with pytest.raises(JtfneError, match=r"a list of 3 numbers; expected 9, one for each point"):
        spectrum = PowerSpectrum(low_Hz=10, high_Hz=90)
        Objective([Metric(measure=spectrum, readout="eeg_proxy", target=[1.0, 2.0, 3.0])]).evaluate(
            run
        )


# -- recorded curves
# --------------------------------------------------------------------------------------------------


def evoked_of(names, values_V, times_s, kind="eeg"):
    """An mne.Evoked of samples that end at `times_s`: MNE dates each by its start."""
    step_s = times_s[1] - times_s[0]
    info = mne.create_info(list(names), 1.0 / step_s, kind)
    return mne.EvokedArray(values_V, info, tmin=times_s[0] - step_s, verbose="error")


def wave(t_s, k):
    """Two sines of half a second, microvolts, by site."""
    return (k + 1.0) * 1e-6 * np.sin(2 * np.pi * (4.0 + k) * t_s)


@pytest.mark.parametrize(("units", "scale"), [("V", 1.0), ("uV", 1e-6)])
def test_an_evoked_is_zero_away_from_a_signal_equal_to_it_at_another_rate(units, scale):
    times_s = np.arange(-50, 501) / 1000.0  # 1 kHz; the run has 2 kHz, its onset at 100 ms
    recorded = evoked_of(("Cz", "Oz"), np.array([wave(times_s, 0), wave(times_s, 1)]), times_s)
    t_s = np.arange(1, 1201) * 0.5e-3 - 0.1
    eeg = np.stack([wave(t_s, 1), wave(t_s, 0)], axis=-1)[None] / scale  # in another order
    run = signals(eeg=eeg, sites=("Oz", "Cz"), duration_ms=600.0, units=units)
    metric = {
        "measure": EvokedWaveform(onset_ms=100.0),
        "readout": "eeg_proxy",
        "target": recorded,
        "window_ms": (60, 600),
    }
    found = Objective([Metric(**metric, scale=1e-6 / scale)]).evaluate(run)
    # straight lines between samples: (2 pi 5 Hz 1 ms)^2 / 8 of 2 uV at most
    assert 0.0 < found.score < (2 * (2 * np.pi * 5e-3) ** 2 / 8) ** 2
    assert found.metrics["unit"][0] == units and found.metrics["value"][0] < 3e-4 * 1e-6 / scale
    louder = signals(eeg=2 * eeg, sites=("Oz", "Cz"), duration_ms=600.0, units=units)
    one = Objective([Metric(**metric, scale=1e-6 / scale)]).evaluate(louder)
    # twice as large: the difference is the signal
    power = np.mean((eeg[0, 120:] * scale / 1e-6) ** 2)
    assert one.score == pytest.approx(power, rel=2e-3)
    shape = Objective(
        [Metric(**{**metric, "measure": EvokedWaveform(onset_ms=100.0, shape_only=True)})]
    ).evaluate(louder)
    assert (
        shape.score < 1e-6
        and shape.metrics["unit"][0] == "r"
        and shape.metrics["value"][0] > 1 - 1e-6
    )


def test_a_proxy_has_no_volts_but_has_a_shape():
    times_s = np.arange(0, 301) / 1000.0
    recorded = evoked_of(("Cz",), wave(times_s, 0)[None], times_s)
    run = signals(
        eeg=wave(np.arange(1, 301) * 1e-3, 0)[None, :, None] * 1e9, sites=("Cz",), duration_ms=300.0
    )
    fields = {"readout": "eeg_proxy", "target": recorded}
    with pytest.raises(
        JtfneError, match=r"a curve in 'V'; expected 'a.u.', the unit of the readout"
    ):
        Objective([Metric(measure=EvokedWaveform(), **fields)]).evaluate(run)
    with pytest.raises(JtfneError, match="of this very run"):  # the same samples, a step later
        Objective(
            [Metric(measure=EvokedWaveform(), readout="eeg_proxy", target=run.get("eeg_proxy"))]
        ).evaluate(run)
    assert (
        Objective([Metric(measure=EvokedWaveform(shape_only=True), **fields)]).evaluate(run).score
        < 1e-3
    )


def pink(step_ms, duration_ms, seed, peak_Hz=20.0):
    """(time,) noise with a bump of power at `peak_Hz`, made at 0.5 ms and taken every `step_ms`."""
    n = round(duration_ms / 0.5)
    f_Hz = np.fft.rfftfreq(n, 0.5e-3)
    size = 1.0 / np.sqrt(1.0 + f_Hz / 5.0) + 3.0 * np.exp(-(((f_Hz - peak_Hz) / 4.0) ** 2))
    size[f_Hz > 200.0] = 0.0
    white = np.fft.rfft(np.random.default_rng(seed).normal(size=n))
    return np.fft.irfft(size * white, n)[:: round(step_ms / 0.5)]


def test_a_spectrum_is_fitted_to_that_of_a_recorded_lfp_of_another_rate_and_unit():
    step_ms = 0.5
    recording = xr.DataArray(
        1e-4 * pink(step_ms, 40_000.0, 1),
        {"time": np.arange(80_000) * step_ms},
        ("time",),
        attrs={"units": "V"},
    )
    target = analysis.psd(recording, segment_ms=800.0)  # every 1.25 Hz; the run has every 1 Hz
    metric = Metric(measure=PowerSpectrum(low_Hz=4, high_Hz=80), readout="lfp_proxy", target=target)
    scores = {
        peak_Hz: Objective([metric]).evaluate(
            signals(lfp=pink(1.0, 40_000.0, 2, peak_Hz)[None, :, None, None], duration_ms=40_000.0)
        ).score
        for peak_Hz in (12.0, 20.0, 30.0, 50.0)
    }  # fmt: skip
    # two estimates of some 79 and 99 half-overlapping segments: variance 11/9 (1/80 + 1/100) of (10
    # / ln 10)^2 dB^2
    assert scores[20.0] < 2 * 11 / 9 * (1 / 80 + 1 / 100) * (10 / np.log(10)) ** 2
    assert (
        min(scores, key=scores.get) == 20.0
        and scores[20.0] < 0.2 * scores[12.0]
        and scores[30.0] < scores[50.0]
    )
    found = Objective([metric]).evaluate(
        signals(lfp=pink(1.0, 4000.0, 2)[None, :, None, None], duration_ms=4000.0)
    )
    curve = found.curves[metric.label]
    np.testing.assert_array_equal(curve["frequency"], np.arange(4.0, 81.0))
    assert found.score == pytest.approx(
        float(((curve["reached"] - curve["target"]) ** 2).mean()), rel=1e-9
    )
    absolute = metric.model_copy(
        update={"measure": PowerSpectrum(low_Hz=4, high_Hz=80, relative=False)}
    )
    with pytest.raises(JtfneError, match=r"a curve in '\(V\)\^2/Hz'"):
        Objective([absolute]).evaluate(
            signals(lfp=pink(1.0, 4000.0, 2)[None, :, None, None], duration_ms=4000.0)
        )


def test_the_evoked_spectrum_is_that_of_the_mean_over_trials():
    """Of two trials w + n and w - n: that of w, or of 2 w; the mean of both has the power of n as
    well.
    """
    locked, other = pink(1.0, 1000.0, 1), 3.0 * pink(1.0, 1000.0, 2, peak_Hz=60.0)
    trials = np.stack([locked + other, locked - other])[:, :, None, None]
    alone = xr.DataArray(
        2.0 * locked, {"time": np.arange(1.0, 1001.0)}, ("time",), attrs={"units": "V"}
    )
    fields = {"readout": "lfp_proxy", "target": analysis.psd(alone, segment_ms=250.0)}
    scores = {}
    for evoked in (True, False):
        measure = PowerSpectrum(low_Hz=4, high_Hz=100, segment_ms=250.0, evoked=evoked)
        scores[evoked] = (
            Objective([Metric(measure=measure, **fields)]).evaluate(signals(lfp=trials)).score
        )
    assert scores[True] < 1e-6 < 1.0 < scores[False]


def laminar(z_mm, t_ms, sink_mm, source_mm, peak_ms=12.0):
    """(time, channel): the potential of a sink above or below a source, which peak after the
    onset.
    """
    course = np.exp(-(((t_ms - peak_ms) / 4.0) ** 2))[:, None]
    blob = [np.exp(-(((z_mm - at) / 0.15) ** 2)) for at in (sink_mm, source_mm)]
    density = blob[1] - blob[0]
    operator = 2 * np.eye(z_mm.size) - np.eye(z_mm.size, k=1) - np.eye(z_mm.size, k=-1)
    return course * np.linalg.solve(operator, density)


def test_a_csd_is_fitted_in_the_order_of_its_sinks_and_sources():
    t_ms, z_mm = np.arange(-20.0, 60.0, 0.5), np.arange(1, 24) * 0.1
    coords = {
        "time": t_ms + 62.5,
        "channel": [f"c{k}" for k in range(23)],
        "z_mm": ("channel", z_mm),
    }
    recording = xr.DataArray(
        1e-3 * laminar(z_mm, t_ms, 0.8, 1.5), coords, ("time", "channel"), attrs={"units": "V"}
    )
    target = analysis.csd(
        analysis.evoked(recording, onset_ms=62.5, window_ms=(-20, 40), baseline_ms=(-20, 0))
    )
    metric = Metric(measure=CSDProfile(onset_ms=100, baseline_ms=20), readout="lfp_proxy", target=target,
                    window_ms=(80, 135))  # fmt: skip
    ours_ms, ours_mm = np.arange(1, 201) - 100.0, np.linspace(0.0, 2.4, 25)
    scores = [
        Objective([metric]).evaluate(signals(lfp=each[None, :, None], z_mm=ours_mm, duration_ms=200.0)).score
        for each in (
            7.0 * laminar(ours_mm, ours_ms, 0.8, 1.5), laminar(ours_mm, ours_ms, 0.8, 1.5, 16.0),
            laminar(ours_mm, ours_ms, 1.0, 1.7), laminar(ours_mm, ours_ms, 1.5, 0.8),
        )
    ]  # fmt: skip
    assert scores[0] < 0.01, "the same order, whatever its size"
    assert scores[0] < scores[1] < 1.0 and scores[0] < scores[2] < 1.0, "later, or deeper"
    assert scores[3] > 1.9, "sink and source exchanged"
    column = [0.8 * 1.4 / 2.4, 1.5 * 1.4 / 2.4]  # a thinner one, of the same order
    thin = signals(lfp=laminar(np.linspace(0.0, 1.4, 25), ours_ms, *column)[None, :, None],
                   z_mm=np.linspace(0.0, 1.4, 25), duration_ms=200.0)  # fmt: skip
    relative = metric.model_copy(
        update={"measure": CSDProfile(onset_ms=100, baseline_ms=20, relative_depth=True)}
    )
    assert (
        Objective([relative]).evaluate(thin).score < 0.1 < Objective([metric]).evaluate(thin).score
    )


def test_the_barrel_recording_is_a_target():
    barrel = analysis.load_recording("barrel")
    target = analysis.csd(
        analysis.evoked(barrel, window_ms=(-20.0, 40.0), baseline_ms=(-20.0, 0.0))
    )
    metric = Metric(measure=CSDProfile(onset_ms=100, baseline_ms=10), readout="lfp_proxy", target=target,
                    window_ms=(85, 135))  # fmt: skip
    z_mm = barrel["z_mm"].values
    since_ms = barrel["time"].values - barrel.attrs["onset_ms"]
    # the recording itself, every 1 ms and with noise: what a good circuit would give
    at_ms = np.arange(1, 151) - 100.0
    rows = np.array([np.interp(at_ms, since_ms, row) for row in barrel.values.T]).T * 1e4
    noise = np.random.default_rng(0).normal(0.0, 1e-3 * rows.std(), rows.shape)
    near, far = (
        signals(lfp=(each + noise)[None, :, None], z_mm=z_mm, duration_ms=150.0)
        for each in (rows, -rows)
    )
    scores = [Objective([metric]).evaluate(run).score for run in (near, far)]
    assert scores[0] < 0.1 and scores[1] > 1.9
    assert (
        Config.from_json(Config().objective([metric]).to_json()).training.objective.metrics[0]
        == metric
    )


def test_a_map_is_compared_without_its_size_and_its_reference():
    names, rng = ("Fz", "Cz", "Pz", "Oz", "T7"), np.random.default_rng(0)
    pattern = rng.normal(size=5)
    times_s = np.arange(0, 101) / 1000.0
    recorded = evoked_of(names, 1e-6 * pattern[:, None] * np.ones(101), times_s)
    eeg = np.zeros((1, 300, 5))
    eeg[:, 100:] = 4.0 * pattern[::-1] + 7.0  # another reference, another order
    run = signals(eeg=eeg, sites=names[::-1], duration_ms=300.0)
    fields = {
        "measure": Topography(onset_ms=100, baseline_ms=50),
        "readout": "eeg_proxy",
        "window_ms": (50, 180),
    }
    assert Objective([Metric(**fields, target=recorded)]).evaluate(run).score == pytest.approx(
        0.0, abs=1e-9
    )
    turned = Curve(values=(-pattern).tolist(), dims=["channel"], coords={"channel": names})
    assert Objective([Metric(**fields, target=turned)]).evaluate(run).score == pytest.approx(
        2.0, rel=1e-9
    )
    # dissimilarity of Murray et al. (2008): rms difference of the maps, less mean and over sd; 1 -
    # C = DISS^2 / 2
    other = rng.normal(size=5)
    one, two = ((each - each.mean()) / each.std() for each in (pattern, other))
    curve = Curve(values=other.tolist(), dims=["channel"], coords={"channel": names})
    found = Objective([Metric(**fields, target=curve)]).evaluate(run).score
    assert found == pytest.approx(np.mean((one - two) ** 2) / 2, rel=1e-9)


def test_physical_fields_are_measured_in_their_units_and_compared_with_an_evoked_in_volts():
    config = (
        Config().runtime(seed=1, duration_ms=60.0).areas(["V1"]).layers(["L2/3", "L4"]).cells({"E": 20})
        .cell_params({"E": {"drive": 8.0, "noise": 1.0}})
        .probes(["spk", "lfp", "csd", {"kind": "eeg", "sites": ["Cz", "Oz", "Fz", "Pz"]}])
    )  # fmt: skip
    run = jtfne.construct(config).simulate(progress=False)
    eeg = run.get("eeg")
    evoked = evoked_of(eeg["channel"].values, -2.0 * eeg.values.T, np.arange(1, 61) * 1e-3)
    band = {"measure": BandPower(low_Hz=15, high_Hz=100), "target": 0.0}
    objective = Objective(
        [
            Metric(**band, readout="lfp"), Metric(**band, readout="csd"), Metric(**band, readout="eeg"),
            Metric(measure=EvokedWaveform(), readout="eeg", target=evoked, scale=1e-12, name="three times itself"),
            Metric(measure=Topography(), readout="eeg", target=evoked, name="turned"),
        ]
    )  # fmt: skip
    config.objective(objective.metrics).check()
    assert objective.readouts == ("lfp", "csd", "eeg")
    table = objective.evaluate(run).metrics.set_index("name")
    assert table["unit"].tolist() == ["(V)^2", "(A/m^3)^2", "(V)^2", "V", "r"]
    power = analysis.psd(run, readout="eeg").mean("channel")
    assert table["value"].iloc[2] == pytest.approx(
        float(analysis.band_power(power, 15.0, 100.0)), rel=1e-9
    )
    rms = float(np.sqrt(np.mean((3.0 * eeg.values.astype(float)) ** 2)))
    assert table.loc["three times itself", "value"] == pytest.approx(rms, rel=1e-6)
    assert table.loc["turned", "value"] == pytest.approx(-1.0, abs=1e-6)


def test_a_dipole_is_fitted_to_a_recorded_one_area_by_area():
    t_ms = np.arange(1.0, 101.0)
    bump_nAm = 30.0 * np.exp(-(((t_ms - 60.0) / 8.0) ** 2))
    run = signals(
        eeg=np.stack([bump_nAm * 1e-9, 0.0 * t_ms], axis=-1)[None],
        sites=("V1", "V4"),
        duration_ms=100.0,
    )
    about = {"readout": "dipole", "units": "A m", "proxy": 0, "interval_ms": 1.0}
    dipole = run.tree["eeg_proxy"].to_dataset().rename({"eeg_proxy": "dipole", "channel": "area"})
    dipole["dipole"].attrs = about
    tree = xr.DataTree.from_dict({"dipole": dipole.assign_attrs(about)})
    tree.attrs = run.tree.attrs
    recorded = xr.DataArray(
        1.1 * bump_nAm, {"time": t_ms - 50.0}, ("time",), attrs={"units": "nAm"}
    )
    metric = Metric(measure=EvokedWaveform(onset_ms=50.0), readout="dipole", cells={"area": "V1"}, target=recorded,
                    scale=1e-9)  # fmt: skip
    found = Objective([metric]).evaluate(jtfne.Signals(tree, {}))
    assert found.score == pytest.approx(np.mean((0.1 * bump_nAm) ** 2), rel=1e-9)
    assert found.metrics["unit"][0] == "A m" and found.metrics["selector"][0] == "V1"
    for changed, message in (
        ({"cells": {}}, "of areas V1, V4.*one area"),
        ({"cells": {"area": "V2"}}, "'V1', 'V4'"),
    ):
        with pytest.raises(JtfneError, match=message):
            Objective([Metric(**{**dict(metric), **changed})]).evaluate(jtfne.Signals(tree, {}))


# -- never a silent pass
# ----------------------------------------------------------------------------------------------


def test_what_is_not_finite_is_named_and_never_passes():
    objective = Objective(
        [rate(target=30.0), Metric(measure=CV(), cells="PV", target=1.0)],
        gates=[
            Gate(measure=CV(), cells="PV", condition=Below(5.0)),
            Gate(measure=CV(), condition=Below(5.0)),
        ],
    )
    found = objective.evaluate(RUN)
    assert found.score == math.inf and not found.passed and not found.finite
    assert found.problems == (
        "metric 'CV spk PV' is nan: no cell has enough intervals",
        "gate 'CV spk PV' is nan: no cell has enough intervals",
    )
    assert found.gates["passed"].tolist() == [False, True]
    text = json.loads(found.to_json())
    assert (
        text["score"] is None
        and text["metrics"][1]["value"] is None
        and text["problems"] == list(found.problems)
    )
    assert "not passed" in repr(found) and found.problems[0] in repr(found)
    axes, arrays = both_doors(("spk",))
    score, terms = objective.score_arrays(arrays, axes)
    assert math.isnan(score) and math.isfinite(terms["MeanRate spk"])


@pytest.mark.parametrize(
    ("condition", "holds", "not_"),
    [
        (Above(10.0), 10.1, 10.0),
        (Below(10.0), 9.9, 10.0),
        (InRange(5.0, 6.0), 5.0, 6.1),
        (Equal(5.0), 5.0, 5.1),
        (Equal(5.0, within=0.5), 5.5, 4.4),
    ],
)
def test_conditions(condition, holds, not_):
    assert condition.holds(holds) and not condition.holds(not_) and not condition.holds(math.nan)


def test_a_run_passes_when_every_gate_holds():
    gates = [
        Gate(measure=MeanRate(), cells="E", condition=each) for each in (Above(51.0), Below(52.0))
    ]
    named = [each.model_copy(update={"name": f"g{k}"}) for k, each in enumerate(gates)]
    assert Objective([rate()], gates=named).evaluate(RUN).passed
    never = Gate(measure=MeanRate(), cells="E", condition=Below(0.0), name="never")
    found = Objective([rate()], gates=[*named, never]).evaluate(RUN)
    assert not found.passed and math.isfinite(found.score)
    assert found.gates["name"][~found.gates["passed"]].tolist() == ["never"]


def test_a_readout_is_not_compared_with_itself():
    lfp = np.random.default_rng(0).normal(size=(2, 1000, 1, 6))
    run, other = (
        signals(lfp=lfp + shift, n_trials=2, duration_ms=1000.0) for shift in (0.0, lfp[::-1])
    )
    own = analysis.psd(run).mean(["trial", "area", "channel"])
    fields = {"measure": PowerSpectrum(low_Hz=5, high_Hz=90), "readout": "lfp_proxy"}
    with pytest.raises(
        JtfneError,
        match=r"whose target is 'lfp_proxy' of this very run.*a recording or of another run",
    ):
        Objective([Metric(**fields, target=own)]).evaluate(run)
    assert Objective([Metric(**fields, target=own)]).evaluate(other).score > 0.0
    waves = run.get("lfp_proxy").mean("trial").isel(area=0)
    with pytest.raises(JtfneError, match="of this very run"):
        Objective([Metric(measure=EvokedWaveform(), readout="lfp_proxy", target=waves)]).evaluate(
            run
        )


def test_a_run_read_from_disk_scores_the_same(tmp_path):
    config = jtfne.suite2_net1_config(20).runtime(duration_ms=100.0).probes(["spk", "lfp_proxy"])
    objective = Objective([rate(target=8.0), Metric(measure=BandPower(low_Hz=10, high_Hz=100), readout="lfp_proxy",
                                                   target=1.0)])  # fmt: skip
    run = jtfne.construct(config.objective(objective.metrics)).simulate(progress=False)
    run.save(tmp_path / "run")
    again = jtfne.load(tmp_path / "run")
    assert objective.evaluate(again).to_json() == objective.evaluate(run).to_json()
    assert Objective.of(Config(**again.manifest["config"])) == objective


def test_a_config_holds_an_objective_through_files():
    metrics = [
        rate(cells="PV", target=(4, 9)),
        Metric(measure="CV", target=np.float64(1.0), weight=2),
    ]
    config = Config().objective(
        metrics, [Gate(measure=MeanRate(), condition={"kind": "Equal", "value": 3.0})]
    )
    for again in (Config.from_json(config.to_json()), Config.from_toml(config.to_toml())):
        assert again == config and again.hash == config.hash
    assert Objective.of(config) == Objective(metrics, config.training.objective.gates)
    assert config.hash != Config().hash and "Metric" in Config.json_schema()["$defs"]
    assert config.runtime(seed=3).training == config.training
    with pytest.raises(JtfneError, match=r"a config without objective.*Config.objective"):
        Objective.of(Config())


SITES = runs.config().probes([jtfne.config.EEG(sites=("Fz", "Cz", "Pz")), "lfp", "csd_proxy"])


def head_map(*channels):
    """A map over sensors."""
    return xr.DataArray(
        np.arange(1.0, 1.0 + len(channels)), {"channel": list(channels)}, ("channel",)
    )


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ({"measure": "PSD", "readout": "lfp", "channels": ["ch99"]}, "unknown channel 'ch99'"),
        ({"measure": "PSD", "readout": "csd_proxy", "channels": ["ch00"]}, "unknown channel 'ch00'"),
        ({"measure": "PSD", "readout": "eeg", "channels": ["Cz", "Oz"]}, "unknown channel 'Oz'"),
        ({"measure": "Topography", "readout": "eeg", "target": head_map("Oz", "C3")}, "channels Fz, Cz, Pz"),
        (
            {
                "measure": "Topography", "readout": "eeg", "channels": ["Cz", "Pz"],
                "target": head_map("Cz", "Fz"),
            },
            "without the channels Pz",
        ),
    ],
)  # fmt: skip
def test_channels_that_no_probe_will_have_are_refused_before_the_run(metric, message):
    measures = {"PSD": {"kind": "BandPower", "low_Hz": 10.0, "high_Hz": 40.0},
                "Topography": {"kind": "Topography", "onset_ms": 40.0}}  # fmt: skip
    metric = {"target": 1.0, **metric, "measure": measures[metric["measure"]]}
    with pytest.raises(jtfne.JtfneError, match=message):
        SITES.objective([metric])


def test_channels_that_a_probe_will_have_are_taken():
    band = {"kind": "BandPower", "low_Hz": 10.0, "high_Hz": 40.0}
    topography = {"kind": "Topography", "onset_ms": 40.0}
    SITES.objective(
        [
            {"measure": band, "readout": "lfp", "channels": ["ch15"], "target": 1.0},
            {"measure": band, "readout": "csd_proxy", "channels": ["ch14"], "target": 1.0},
            {"measure": topography, "readout": "eeg", "target": head_map("Oz", "Cz", "C3")},
        ]
    ).check()
