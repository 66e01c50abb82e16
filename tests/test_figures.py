"""Every figure says what it shows, in which unit, and leaves no state behind."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import jtfne
from jtfne.analysis import figures
from jtfne.signals import Signals

PNG = b"\x89PNG\r\n\x1a\n"
LAYERS, TYPES, PER_POPULATION, TIMES = ("L2/3", "L4"), ("E", "PV"), 5, np.arange(1.0, 401.0)
SITES_mm = {
    "Fz": (0, 60, 110),
    "Oz": (0, -90, 40),
    "Cz": (0, 0, 130),
    "T7": (-85, 0, 40),
    "T8": (85, 0, 40),
    "Pz": (0, -60, 110),
}


def about(name, units, proxy):
    return {"readout": name, "long_name": name, "units": units, "proxy": proxy, "interval_ms": 1.0}


def bump(n, peak_ms=210.0):
    """(400, n): a response at 210 ms of size 1 to n by channel, on a constant of 5."""
    return 5.0 + np.exp(-(((TIMES - peak_ms) / 2.0) ** 2))[:, None] * np.arange(1.0, n + 1.0)


def made(areas=("V1",), *, names=True, events=True, trials=1, leave=()):
    """A run of 5 cells a population, every cell with one spike more than its id, a response at 210
    ms.
    """
    rows = [
        (area, layer, kind)
        for area in areas
        for layer in LAYERS
        for kind in TYPES
        for _ in range(PER_POPULATION)
    ]
    n = len(rows)
    labels = {
        key: ("neuron", np.array([row[at] for row in rows]))
        for at, key in enumerate(("area", "layer", "cell_type"))
    }
    depth = np.array(
        [
            0.2 + 0.3 * LAYERS.index(row[1]) + 0.01 * (at % PER_POPULATION)
            for at, row in enumerate(rows)
        ]
    )
    spikes = np.array(
        [
            (10.0 + 2.0 * k, cell, trial)
            for trial in range(trials)
            for cell in range(n)
            for k in range(cell + 1)
        ]
    )
    spikes = spikes[np.lexsort((spikes[:, 1], spikes[:, 0], spikes[:, 2]))]
    spk_about = about("spk", "ms", 0) | {
        "n_neurons": n,
        "n_trials": trials,
        "dt_ms": 0.1,
        "duration_ms": 400.0,
    }
    z_mm, trial = np.linspace(0.0, 0.7, 8), np.arange(trials)

    def field(name, data, dims, coords, units="a.u.", proxy=1):
        coords = {"trial": trial, "time": TIMES, **coords}
        coords = {
            key: value
            for key, value in coords.items()
            if key not in ("trial", "time") or key in dims
        }
        data = np.broadcast_to(data, (trials, *np.shape(data))).copy()
        return xr.Dataset(
            {name: (dims, data, about(name, units, proxy))}, coords, about(name, units, proxy)
        )

    laminar = {
        "area": list(areas),
        "channel": [f"ch{k:02}" for k in range(8)],
        "z_mm": ("channel", z_mm),
    }
    depth_first = np.repeat(bump(8)[:, None], len(areas), axis=1)
    head = {"channel": list(SITES_mm)} | {
        key: ("channel", [float(place[at]) for place in SITES_mm.values()])
        for at, key in enumerate(("x_mm", "y_mm", "z_mm"))
    }
    relative = np.broadcast_to(np.linspace(0, 1, 8)[:, None], (len(areas), 8, 75))
    nodes = {
        "spk": xr.Dataset(
            {
                "time": ("event", spikes[:, 0]),
                "neuron": ("event", spikes[:, 1].astype(np.int32)),
                "trial": ("event", spikes[:, 2].astype(np.int32)),
            },
            attrs=spk_about,
        ),
        "vm": field(
            "vm", -70.0 + bump(n), ("trial", "time", "neuron"),
            {"neuron": np.arange(n)} | (labels | {"z_mm": ("neuron", depth)} if names else {}), "mV", 0,
        ),
        "lfp_proxy": field("lfp_proxy", depth_first, ("trial", "time", "area", "channel"), laminar),
        "csd_proxy": field("csd_proxy", -depth_first, ("trial", "time", "area", "channel"), laminar),
        "eeg_proxy": field("eeg_proxy", bump(len(SITES_mm)), ("trial", "time", "channel"), head),
        "meg_proxy": field("meg_proxy", -bump(len(SITES_mm)), ("trial", "time", "channel"), head),
        "spectrolaminar_proxy": field(
            "spectrolaminar_proxy", relative, ("trial", "area", "channel", "frequency"),
            {**laminar, "frequency": np.arange(2.0, 152.0, 2.0)}, "1",
        ),
        "events": xr.Dataset(
            {
                "trial": ("event", trial if events else np.zeros(0, int)),
                "onset_ms": ("event", np.full(trials if events else 0, 200.0)),
                "duration_ms": ("event", np.full(trials if events else 0, 10.0)),
                "label": ("event", np.full(trials if events else 0, "volley")),
            }
        ),
    }  # fmt: skip
    if names:
        places = {
            "x_mm": ("neuron", np.linspace(-0.2, 0.2, n)),
            "y_mm": ("neuron", np.zeros(n)),
            "z_mm": ("neuron", depth),
        }
        nodes["neurons"] = xr.Dataset({**labels, **places}, {"neuron": np.arange(n)})
    tree = xr.DataTree.from_dict({name: node for name, node in nodes.items() if name not in leave})
    tree.attrs = {
        "jtfne_schema": "signals/1",
        "jtfne_version": "0.1.0",
        "duration_ms": 400.0,
        "dt_ms": 0.1,
        "n_trials": trials,
    }
    return Signals(tree, {})


@pytest.fixture(scope="module")
def signals():
    return made()


def colour_bar_label(ax):
    """The label of the one colour bar beside `ax`."""
    (bar,) = [each for each in ax.figure.axes if each is not ax]
    return bar.get_ylabel()


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


DRAWN = {
    "raster": figures.raster,
    "rates": figures.rates,
    "vm": figures.vm,
    "layout": figures.layout,
    "timeline": figures.timeline,
    "laminar": figures.laminar,
    "traces": figures.traces,
    "topography": figures.topography,
    "psd": figures.psd,
    "spectrolaminar": figures.spectrolaminar,
}
NEEDS = {
    "raster": "spk", "rates": "spk", "vm": "vm", "laminar": "lfp_proxy", "traces": "eeg_proxy",
    "topography": "eeg_proxy", "psd": "lfp_proxy", "spectrolaminar": "spectrolaminar_proxy",
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_draws_on_new_axes_and_on_given_ones(name, signals):
    from matplotlib import pyplot, rcParams

    before = dict(rcParams)
    fresh = DRAWN[name](signals)
    assert isinstance(fresh, Axes) and fresh.has_data()
    assert fresh.figure.dpi == 150
    given = Figure().add_subplot()
    assert DRAWN[name](signals, ax=given) is given
    fresh.figure.canvas.draw()
    assert pyplot.get_fignums() == [1] and pyplot.gca() is fresh  # shown, once
    assert dict(rcParams) == before


@pytest.mark.parametrize("name", NEEDS)
def test_refuses_what_was_not_recorded(name):
    with pytest.raises(jtfne.JtfneError, match=f"{NEEDS[name]!r} was not recorded"):
        DRAWN[name](made(leave=(NEEDS[name],)))


@pytest.mark.parametrize(
    "name", ["raster", "rates", "vm", "layout", "timeline", "laminar", "traces", "topography"]
)
def test_refuses_what_is_neither_a_run_nor_an_array(name):
    with pytest.raises(jtfne.JtfneError, match="data of type dict"):
        DRAWN[name]({})


def test_raster_has_a_dot_for_each_spike_sorted_and_coloured(signals):
    ax = figures.raster(signals)
    by_label = {line.get_label(): line for line in ax.lines}
    assert set(by_label) == set(TYPES)
    assert sum(len(line.get_xdata()) for line in ax.lines) == 20 * 21 // 2
    assert to_hex(by_label["E"].get_color()).upper() == "#0072B2"
    assert to_hex(by_label["PV"].get_color()).upper() == "#D55E00"
    assert set(by_label["E"].get_ydata()) == {*range(5), *range(10, 15)}
    assert ticks(ax.yaxis) == list(LAYERS)
    assert ax.get_xlabel() == "time (ms)" and ax.get_xlim() == (0.0, 400.0)
    assert ax.yaxis_inverted()
    assert "volley" in [text.get_text() for text in ax.texts]


def test_raster_shows_one_trial_and_works_without_names(signals):
    ax = figures.raster(made(trials=2), trial=1)
    assert sum(len(line.get_xdata()) for line in ax.lines) == 20 * 21 // 2
    nameless = figures.raster(made(names=False))
    assert nameless.get_ylabel() == "neuron" and len(nameless.lines) == 1
    with pytest.raises(jtfne.JtfneError, match="trial=1"):
        figures.raster(signals, trial=1)


def test_rates_are_those_of_the_populations(signals):
    ax = figures.rates(signals)
    heights = {bars.get_label(): [bar.get_height() for bar in bars] for bars in ax.containers}
    assert heights == {"E": [3 / 0.4, 13 / 0.4], "PV": [8 / 0.4, 18 / 0.4]}
    assert ax.get_ylabel() == "mean rate (Hz)" and ticks(ax.xaxis) == list(LAYERS)
    assert ticks(figures.rates(made(("V1", "V4"))).xaxis) == [
        "V1 L2/3",
        "V1 L4",
        "V4 L2/3",
        "V4 L4",
    ]
    with pytest.raises(jtfne.JtfneError, match="without identity"):
        figures.rates(made(names=False))


def test_vm_takes_layers_and_types_in_turn(signals):
    ax = figures.vm(signals, n=4)
    assert ticks(ax.yaxis) == ["L2/3 E 0", "L2/3 PV 5", "L4 E 10", "L4 PV 15"]
    assert any(text.get_text().endswith(" mV") for text in ax.texts)
    traces = [line for line in ax.lines if len(line.get_xdata()) == TIMES.size]
    assert len(traces) == 4
    assert np.ptp(traces[3].get_ydata()) == pytest.approx(16.0, rel=1e-3)
    assert len(ticks(figures.vm(made(names=False), n=3).yaxis)) == 3
    with pytest.raises(jtfne.JtfneError, match="n=0"):
        figures.vm(signals, n=0)


def test_layout_has_every_cell_and_the_boundary_between_layers():
    one, two = figures.layout(made()), figures.layout(made(("V1", "V4")))
    assert sum(len(dots.get_offsets()) for dots in one.collections) == 20
    assert sum(len(dots.get_offsets()) for dots in two.collections) == 40
    assert [line.get_ydata()[0] for line in one.lines] == [pytest.approx((0.24 + 0.5) / 2)]
    assert [text.get_text().strip() for text in one.texts] == list(LAYERS)
    assert {"V1", "V4"} <= {text.get_text() for text in two.texts}
    assert (one.get_xlabel(), one.get_ylabel()) == ("x (mm)", "depth (mm)") and one.yaxis_inverted()


def test_timeline_shows_each_distinct_event_once():
    ax = figures.timeline(made(trials=3))
    assert [(bar.get_x(), bar.get_width()) for bar in ax.patches] == [(200.0, 10.0)]
    assert ticks(ax.yaxis) == ["volley"]
    with pytest.raises(jtfne.JtfneError, match="without events"):
        figures.timeline(made(events=False))


@pytest.mark.parametrize(
    ("readout", "label"),
    [("lfp_proxy", "LFP, a.u. (proxy)"), ("csd_proxy", "CSD, a.u. (proxy); sinks < 0")],
)
def test_laminar_is_centred_on_the_baseline_around_the_event(signals, readout, label):
    ax = figures.laminar(signals, readout=readout)
    (image,) = ax.collections
    low, high = image.get_clim()
    assert -low == high == pytest.approx(8.0, rel=1e-3)
    assert ax.get_xlim() == (150.0, 350.0) and ax.get_ylim() == (0.7, 0.0)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (ms)", "depth (mm)")
    assert colour_bar_label(ax) == label
    assert [line.get_xdata()[0] for line in ax.lines] == [200.0]
    values = np.asarray(image.get_array()).reshape(-1, 201)
    assert np.abs(values[:, 0]).max() < 1e-9, "before the event there is only baseline"
    sign = 1.0 if readout == "lfp_proxy" else -1.0
    assert values[0, 60] == pytest.approx(sign * 1.0) and values[-1, 60] == pytest.approx(
        sign * 8.0
    )


def test_laminar_draws_a_recording_at_its_own_depths():
    order = [2, 0, 1]
    recorded = xr.DataArray(
        (1e-4 * bump(3))[:, order],
        {
            "time": TIMES,
            "channel": ["a", "b", "c"],
            "z_mm": ("channel", np.array([0.1, 0.2, 0.6])[order]),
        },
        ("time", "channel"),
        attrs={"units": "V", "readout": "lfp", "proxy": 0},
    )
    ax = figures.laminar(recorded)
    assert ax.get_xlim() == (1.0, 400.0) and ax.get_ylim() == (0.6, 0.1)
    assert colour_bar_label(ax) == "LFP, µV" and not ax.lines
    events = pd.DataFrame({"onset_ms": [100.0], "duration_ms": [1.0], "label": ["flash"]})
    assert figures.laminar(recorded, events=events).get_xlim() == (50.0, 250.0)
    middle = np.asarray(
        figures.laminar(recorded, events=events).collections[0].get_array()
    ).reshape(-1, 201)[:, 160]
    assert middle[80] == pytest.approx(
        200.0 + (0.1 + 0.5 * 80 / 199 - 0.2) / 0.4 * 100.0, rel=1e-3
    ), "linear between contacts"
    for broken, message in (
        (recorded.drop_vars("z_mm"), "without depths"),
        (recorded.isel(channel=[0]), "1 channel"),
        (recorded.isel(channel=0), "dimensions"),
    ):
        with pytest.raises(jtfne.JtfneError, match=message):
            figures.laminar(broken)
    with pytest.raises(jtfne.JtfneError, match="an event at 900 ms"):
        figures.laminar(recorded, events=events.assign(onset_ms=900.0))
    with pytest.raises(jtfne.JtfneError, match="events without label"):
        figures.laminar(recorded, events=events.drop(columns="label"))


def test_laminar_takes_an_area_and_refuses_others():
    run = made(("V1", "V4"))
    assert figures.laminar(run, area="V4").get_title(loc="right") == "V4"
    with pytest.raises(jtfne.JtfneError, match="nearest: 'V4'"):
        figures.laminar(run, area="V3")


def test_traces_are_spread_over_the_channels(signals):
    ax = figures.traces(signals, readout="meg_proxy", n=3)
    assert ticks(ax.yaxis) == ["Fz", "Cz", "Pz"]
    assert ax.get_ylabel() == "MEG, a.u. (proxy)" and ax.get_xlabel() == "time (ms)"
    lines = [line for line in ax.lines if len(line.get_xdata()) == TIMES.size]
    assert [np.ptp(line.get_ydata()) for line in lines] == pytest.approx([1.0, 3.0, 6.0], rel=1e-3)
    assert len(ticks(figures.traces(signals, n=99).yaxis)) == len(SITES_mm)
    with pytest.raises(jtfne.JtfneError, match="n=0"):
        figures.traces(signals, n=0)


def test_traces_of_areas_and_of_the_whole_circuit_are_lines_from_their_mean(tmp_path):
    n_lines = {"rws": 2, "erws": 2, "emm_proxy": 1, "dipole": 2, "rate": 2}
    config = jtfne.suite2_v1_v4_config(80).runtime(duration_ms=30.0).probes(["spk", *n_lines])
    signals = jtfne.construct(config).simulate(progress=False)
    for readout, n in n_lines.items():
        ax = figures.traces(signals, readout=readout)
        lines = [line for line in ax.lines if len(line.get_xdata()) > 2]
        data = signals.get(readout)
        values = np.asarray(data.values, float).reshape(len(data["time"]), -1).T
        assert len(lines) == len(values) == n
        spans = np.array([np.ptp(line.get_ydata()) for line in lines])
        np.testing.assert_allclose(spans / spans[0], np.ptp(values, axis=1) / np.ptp(values[0]))
    names = [path.stem for path in figures.save_all(signals, tmp_path / "figures")]
    assert {"22_rws", "23_erws", "24_emm_proxy", "08_dipole", "14_rate"} <= set(names)


def test_topography_is_drawn_where_the_response_peaks(signals):
    ax = figures.topography(signals)
    assert ax.get_title() == "210 ms (+10 ms)"
    assert figures.topography(signals, time_ms=205.2).get_title() == "205 ms (+5 ms)"
    assert figures.topography(signals.get("eeg_proxy")).get_title() == "210 ms"
    assert colour_bar_label(ax) == "EEG, a.u. (proxy)"
    low, high = ax.images[0].get_clim()
    assert -low == high == pytest.approx(6.0, rel=1e-3)
    with pytest.raises(jtfne.JtfneError, match="4 sensors or more"):
        figures.topography(signals.get("lfp_proxy", area="V1").isel(area=0))


def test_topography_puts_the_vertex_in_the_middle_and_the_nose_up():
    from jtfne.analysis.figures.head import flat_positions

    places = flat_positions(made().get("eeg_proxy"), "test")
    at = dict(zip(SITES_mm, places, strict=True))
    assert np.linalg.norm(places, axis=1).max() == pytest.approx(1.0)
    assert np.linalg.norm(at["Cz"]) < 0.1
    assert at["Fz"][1] > 0 > at["Oz"][1] and at["T7"][0] < 0 < at["T8"][0]


def test_psd_peaks_where_the_signal_oscillates():
    wave = xr.DataArray(
        np.sin(2 * np.pi * 0.04 * TIMES)[:, None] * [1.0, 2.0], {"time": TIMES}, ("time", "channel"),
        attrs={"units": "a.u.", "readout": "lfp_proxy", "proxy": 1},
    )  # fmt: skip
    ax = figures.psd(wave)
    (mean,) = ax.lines
    assert mean.get_xdata()[np.argmax(mean.get_ydata())] == pytest.approx(40.0)
    assert ax.get_yscale() == "log" and ax.get_xlabel() == "frequency (Hz)"
    assert ax.get_ylabel() == "LFP power, a.u.²/Hz (proxy)"
    again = figures.psd(jtfne.analysis.psd(wave)).lines[0]
    np.testing.assert_allclose(
        again.get_ydata(), mean.get_ydata(), atol=1e-12 * max(mean.get_ydata())
    )


def test_psd_averages_power_and_not_traces_over_trials():
    wave = np.sin(2 * np.pi * 0.04 * TIMES)
    opposed = xr.DataArray(
        np.stack([wave, -wave]), {"time": TIMES}, ("trial", "time"), attrs={"units": "V"}
    )
    one = figures.psd(opposed.isel(trial=0)).lines[0].get_ydata()
    np.testing.assert_allclose(figures.psd(opposed).lines[0].get_ydata(), one)


def test_spectrolaminar_marks_the_crossover_it_is_given(signals):
    plain, crossed = (
        figures.spectrolaminar(signals),
        figures.spectrolaminar(signals, crossover_mm=0.4),
    )
    assert not plain.lines and [line.get_ydata()[0] for line in crossed.lines] == [0.4]
    assert (plain.get_xlabel(), plain.get_ylabel()) == (
        "frequency (Hz)",
        "depth (mm)",
    ) and plain.yaxis_inverted()
    assert colour_bar_label(plain) == "relative power (proxy)"


def test_laminar_comparison_names_both_sides_and_their_units(tmp_path):
    def features(units, proxy, peak_ms):
        csd = xr.DataArray(
            -1e3 * bump(4, peak_ms + 200.0) + 5e3,
            {"time": TIMES - 200.0, "z_mm": ("channel", [0.1, 0.2, 0.3, 0.4])}, ("time", "channel"),
            attrs={"units": units, "proxy": proxy, "readout": "csd"},
        )  # fmt: skip
        return SimpleNamespace(
            csd=csd, sink_depth_mm=0.4, latency_ms=2.0, peak_latency_ms=peak_ms, width_mm=0.1
        )

    path = tmp_path / "comparison.png"
    left, right = figures.laminar_comparison(
        features("a.u.", 1, 10.0), features("A/m^3", 0, 6.0), path=path
    )
    bar = left.figure.axes[2]
    assert [left.get_title(), right.get_title()] == ["simulated (proxy, a.u.)", "recorded (A/m³)"]
    for ax, peak_ms in ((left, 10.0), (right, 6.0)):
        assert ax.collections[0].get_clim() == (-1.0, 1.0)
        assert np.asarray(ax.collections[0].get_array()).min() == pytest.approx(-1.0)
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("time from onset (ms)", "depth (mm)")
        assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines][1] == (
            peak_ms,
            0.4,
        )
    assert "peak" in bar.get_ylabel()
    assert path.read_bytes().startswith(PNG) and list(tmp_path.iterdir()) == [path]


def test_save_all_draws_what_the_readouts_allow(tmp_path):
    every = figures.save_all(made(("V1", "V4")), tmp_path / "all")
    names = [path.stem for path in every]
    assert (
        names == sorted(names)
        and len(names) == 13
        and names[0] == "01_layout"
        and names[-1] == "21_lfp_proxy_psd"
    )
    assert all(path.read_bytes().startswith(PNG) for path in every)
    some = figures.save_all(
        made(names=False, events=False, leave=("vm", "lfp_proxy", "meg_proxy")), tmp_path / "some"
    )
    assert [path.stem for path in some] == [
        "02_raster",
        "12_spectrolaminar",
        "16_csd_proxy",
        "17_eeg_proxy",
        "18_eeg_proxy_map",
    ]
    with pytest.raises(jtfne.JtfneError, match="exists"):
        figures.save_all(made(), tmp_path / "all")


def test_overview_shows_five_things_and_needs_them(signals):
    axes = figures.overview(signals)
    assert len(axes) == 5 and len(axes[0].figure.axes) == 5 + 3, (
        "raster, LFP, CSD, traces, map, and three colour bars"
    )
    with pytest.raises(jtfne.JtfneError, match="'csd_proxy' was not recorded"):
        figures.overview(made(leave=("csd_proxy",)))


def test_types_without_a_colour_of_their_own_get_different_ones():
    from jtfne.analysis.figures._style import MORE_COLOURS, colours

    found = colours(["E", "X", "PV", "Y", "X"])
    assert list(found) == ["E", "X", "PV", "Y"] and (found["X"], found["Y"]) == MORE_COLOURS[:2]


def test_matplotlib_loads_only_when_something_is_drawn():
    code = (
        "import sys, jtfne.analysis.figures; sys.exit('matplotlib' in sys.modules or 'mne' in "
        "sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=300).returncode == 0


def test_connectivity_shows_each_pair_with_its_number():
    names = ["L4 E", "L4 PV"]
    table = pd.DataFrame(
        [[40.0, 10.0], [12.5, 0.0]], pd.Index(names, name="target"), pd.Index(names, name="source")
    )
    ax = figures.connectivity(table)
    (image,) = ax.images
    np.testing.assert_array_equal(
        np.ma.filled(image.get_array(), -1.0), [[40.0, 10.0], [12.5, -1.0]]
    )
    assert [text.get_text() for text in ax.texts] == ["40", "10", "12.5"], (
        "none where there are no synapses"
    )
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("source", "target") and ticks(ax.yaxis) == names
    assert colour_bar_label(ax) == "mean inputs a cell"
    given = Figure().add_subplot()
    assert figures.connectivity(table, given) is given
    for wrong, message in (({}, "data of type dict"), (0.0 * table, "without synapses")):
        with pytest.raises(jtfne.JtfneError, match=message):
            figures.connectivity(wrong)


def test_flip_null_shows_draws_and_data_by_control():
    from jtfne.measures.vflip import FlipNull

    rng = np.random.default_rng(0)
    rows = {
        "channels": FlipNull(0.9, np.r_[np.zeros(30), rng.normal(0.0, 0.2, 70)], 1 / 101),
        "phases": FlipNull(0.9, rng.normal(0.9, 0.02, 100), 0.5),
    }
    ax = figures.flip_null(rows)
    assert ticks(ax.yaxis) == ["channels", "phases"] and "goodness" in ax.get_xlabel()
    assert [line.get_xdata()[0] for line in ax.lines] == [0.9, 0.9]
    assert [text.get_text() for text in ax.texts] == ["p = 0.0099", "p = 0.5"]
    stairs = [patch for patch in ax.patches if hasattr(patch, "get_data")]
    for row, (patch, each) in enumerate(zip(stairs, rows.values(), strict=True)):
        values, edges, _ = patch.get_data()
        counts = np.histogram(each.null, edges)[0]
        assert counts.sum() == 100, "every draw lies within the axes"
        np.testing.assert_allclose(values + row, 0.75 * counts / counts.max())
    given = Figure().add_subplot()
    assert figures.flip_null(rows["phases"], given) is given
    for wrong in ({}, {"a": 1}, [rows["phases"]]):
        with pytest.raises(jtfne.JtfneError, match="data of type"):
            figures.flip_null(wrong)


def test_training_history_shows_scores_the_best_so_far_and_what_passed():
    columns = {"generation": [0, 0, 1, 1, 2, 2], "score": [4.0, 9.0, 5.0, np.nan, 1.0, 2.0]}
    history = pd.DataFrame({**columns, "passed": [False, False, False, False, True, False]})
    ax = figures.training_history(history)
    dots, passed, best = ax.lines
    assert dots.get_ydata().tolist() == [
        4.0,
        9.0,
        5.0,
        1.0,
        2.0,
    ] and passed.get_ydata().tolist() == [1.0]
    assert (best.get_xdata().tolist(), best.get_ydata().tolist()) == ([0, 1, 2], [4.0, 4.0, 1.0])
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("generation", "score", "log")
    assert ax.get_title() == "1 of 6 candidates without a finite score"
    given = Figure().add_subplot()
    assert figures.training_history(SimpleNamespace(history=history - 3), given) is given
    assert given.get_yscale() == "linear"
    for wrong, message in (
        (3.0, "a float"),
        (history.drop(columns="score"), "TrainingResult"),
        (history[3:4], "finite"),
    ):
        with pytest.raises(jtfne.JtfneError, match=message):
            figures.training_history(wrong)
