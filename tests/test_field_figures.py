"""Figures of fields in SI units: prefixes, one unit an axes, conditions beside each other."""

import numpy as np
import pytest
import xarray as xr

import jtfne
from jtfne.analysis import figures
from jtfne.analysis.figures import panels, save
from jtfne.analysis.figures._units import choose_prefix

CONDITIONS = ("standard", "deviant", "standard")


@pytest.fixture(scope="module")
def signals():
    """Three trials of two conditions with every field in SI units; the deviant's pulse is late."""
    pulse = jtfne.Paradigm.pulse(
        target="E", start_ms=0.0, duration_ms=3.0, amplitude=25.0, label="tone"
    )
    stimulus = pulse.stimuli[0]
    times = {"onsets_ms": [20.0, 30.0, 20.0], "trials": [0, 1, 2]}
    config = (
        jtfne.suite2_v1_v4_config(75)
        .runtime(duration_ms=60.0)
        .probes(["lfp", "csd", "dipole", "eeg", "meg", "lfp_proxy"])
        .stimuli(
            [stimulus.model_copy(update={"at": jtfne.config.Schedule(**times)})], 3, CONDITIONS
        )
    )
    return jtfne.construct(config).simulate(progress=False)


def bars(figure):
    """Labels of the colour bars of a figure."""
    return [ax.get_ylabel() for ax in figure.axes if ax.get_label() == "<colorbar>"]


@pytest.mark.parametrize(
    ("units", "largest", "unit", "value"),
    [
        ("V", 3e-4, "µV", 300.0),
        ("V", 2e-2, "mV", 20.0),
        ("V", 4e-8, "nV", 40.0),
        ("A/m^3", 9e4, "µA/mm³", 90.0),
        ("A m", 2e-8, "nA m", 20.0),
        ("T", 2e-13, "fT", 200.0),
        ("T/m", 3e-12, "fT/cm", 30.0),
        ("T", 1e-20, "fT", 1e-5),
        ("a.u.", 1e-9, "a.u.", 1e-9),
    ],
)
def test_a_quantity_is_drawn_with_the_prefix_of_its_size(units, largest, unit, value):
    chosen_unit, factor = choose_prefix(units, largest)
    assert chosen_unit == unit and factor * largest == pytest.approx(value)


def test_magnetometers_and_gradiometers_are_never_in_one_axes(signals):
    """B10: T and T/m have axes and scale bars of their own."""
    meg = signals.get("meg")
    is_mag = meg["unit"].values == "T"
    assert is_mag.sum() == 102 and (~is_mag).sum() == 204
    for unit, kind in (("T", "magnetometers"), ("T/m", "gradiometers")):
        names = set(meg["channel"].values[meg["unit"].values == unit])
        ax = figures.traces(signals, readout="meg", unit=unit)
        assert {label.get_text() for label in ax.get_yticklabels()} <= names
        assert ax.get_ylabel().startswith(f"MEG {kind}, ") and "and" not in ax.get_ylabel()
        assert kind in figures.psd(signals, readout="meg", unit=unit).get_ylabel()
    assert figures.traces(signals, readout="meg").get_ylabel().startswith("MEG magnetometers")
    ax = figures.topography(signals, readout="meg", unit="T/m", time_ms=25.0)
    (label,) = bars(ax.figure)
    assert "RMS of pairs" in label and label.endswith("/cm")
    (image,) = ax.images
    assert image.get_clim()[0] == 0.0
    field = meg.mean("trial")
    at = (field - field.sel(time=slice(0.0, 20.0)).mean("time")).sel(time=25.0)
    pairs = at.values[~is_mag].reshape(102, 2)
    assert {name[:-1] for name in meg["channel"].values[~is_mag][:2]} == {"MEG 011"}
    factor = choose_prefix("T/m", np.sqrt((pairs**2).mean(axis=1)).max())[1]
    assert image.get_clim()[1] == pytest.approx(factor * np.sqrt((pairs**2).mean(axis=1)).max())


def test_conditions_have_panels_of_one_scale(signals):
    figure = panels.draw_laminar(signals, "lfp")
    titles = [ax.get_title(loc="right") for ax in figure.axes if ax.collections and ax.get_xlabel()]
    assert titles == ["V1, standard", "V4, standard", "V1, deviant", "V4, deviant"]
    limits = {ax.collections[0].get_clim() for ax in figure.axes if ax.get_title(loc="right")}
    assert len(limits) == 1 and len(bars(figure)) == 1 and bars(figure)[0].startswith("LFP, ")
    onsets = [line.get_xdata()[0] for ax in figure.axes[:4] for line in ax.lines]
    assert onsets == [20.0, 20.0, 30.0, 30.0]


def test_moments_by_area_and_condition(signals):
    ax = figures.dipole(signals)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["V1, standard", "V4, standard", "V1, deviant", "V4, deviant"]
    moments = signals.get("dipole")
    trial = moments.isel(trial=1, area=0)
    unit = ax.get_ylabel().removeprefix("dipole moment, ")
    factor = {"nA m": 1e9, "pA m": 1e12}[unit]
    expected = factor * (trial - trial.sel(time=slice(0.0, 30.0)).mean("time"))
    drawn = next(line for line, name in zip(ax.lines, names, strict=False) if name == "V1, deviant")
    np.testing.assert_allclose(drawn.get_ydata(), expected, rtol=1e-5, atol=1e-6)
    one = figures.dipole(moments.isel(trial=0).sel(area=["V1"]))
    assert one.get_legend() is None and one.get_ylabel() == ax.get_ylabel()


def test_a_head_has_traces_spectrum_and_a_map_for_each_condition(signals):
    figure = panels.draw_head(signals, "eeg")
    traces, spectrum, *maps, _ = figure.axes
    assert len(maps) == 2 and len(bars(figure)) == 1
    titles = [ax.get_title().split(", ") for ax in maps]
    assert [title[0] for title in titles] == ["standard", "deviant"]
    after = {title[1].partition("(")[2] for title in titles}
    assert len(after) == 1, "both maps at one time after their onsets"
    assert maps[0].images[0].get_clim() == maps[1].images[0].get_clim()
    assert spectrum.get_ylabel().startswith("EEG power, ") and spectrum.get_yscale() == "log"
    assert [text.get_text() for text in spectrum.get_legend().get_texts()] == [
        "standard",
        "deviant",
    ]
    assert len(traces.lines) == 2 * panels.N_TRACES + 1


def test_a_run_draws_what_its_sensors_allow(signals, tmp_path):
    names = [path.stem for path in figures.save_all(signals, tmp_path / "all")]
    assert names == ["01_layout", "05_lfp", "06_csd", "07_lfp_psd", "08_dipole", "09_eeg", "10_meg_mag",
                     "11_meg_grad", "13_timeline", "15_lfp_proxy", "21_lfp_proxy_psd"]  # fmt: skip
    probes = [
        {
            "kind": "LFP",
            "shanks_mm": [[0.0, 0.0], [0.1, 0.0]],
            "sources": "Points",
            "n_channels": 4,
        },
        {"kind": "EEG", "sites": ["Cz"]},
        {"kind": "MEG", "sensors": ["MEG 0111", "MEG 0121"]},
    ]
    config = jtfne.suite2_net1_config(20).runtime(duration_ms=5.0).probes(probes)
    few = jtfne.construct(config).simulate(progress=False)
    assert {"05_lfp", "09_eeg", "10_meg_mag"} == set(save._list_figures(few)) - {"01_layout"}
    assert panels.pick_shank(few.get("lfp")).sizes["channel"] == 4
    assert len(panels.draw_head(few, "eeg").axes) == 1, "one site makes no map, 5 ms no spectrum"
    assert panels.draw_laminar(few, "lfp").axes


def test_many_conditions_are_drawn_as_their_mean():
    values = np.arange(14.0)[:, None] * np.ones((14, 30))
    data = xr.DataArray(
        values,
        {"time": np.arange(1.0, 31.0), "condition": ("trial", [f"c{k % 7}" for k in range(14)])},
        ("trial", "time"),
    )
    from jtfne.analysis.figures._conditions import split_by_condition

    assert list(split_by_condition(data)) == [""]
    assert list(split_by_condition(data.isel(trial=slice(0, 2)))) == ["c0", "c1"]


def test_spectra_of_figures_are_those_of_analysis(signals):
    from jtfne.analysis.figures.spectra import compute_power

    eeg = signals.get("eeg")
    power, expected = compute_power(eeg, "eeg"), jtfne.analysis.psd(eeg)
    unit, factor = choose_prefix("V", float(np.abs(eeg - eeg.mean("time")).max()))
    assert power.attrs["units"] == f"({unit})^2/Hz" and power.dims == expected.dims
    np.testing.assert_allclose(
        power, factor**2 * expected, rtol=1e-6, atol=1e-12 * float(power.max())
    )
    assert not compute_power(0.0 * eeg, "eeg").any()
