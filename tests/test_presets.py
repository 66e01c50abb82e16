"""Every preset: each cell type fires, connections matter, and the column answers a volley where it
lands.
"""

import numpy as np
import pytest

import jtfne
from jtfne.presets import PRESETS, hnn_like_column, v1_column, v1_v4
from jtfne.presets.v1_column import CELLS, DEPTHS_um, THICKNESS_um

MODELS = (
    "brunel",
    "garcia_del_molino_2017",
    "hnn_like_column",
    "izhikevich_2003",
    "pd14",
    "vogels_abbott",
)  # of the literature, each with a test of its own
CIRCUITS = {name: preset for name, preset in PRESETS.items() if name not in MODELS}
RECURRENT = [name for name in CIRCUITS if name != "suite2_single_neuron"]
# Cells per mm2 and inhibitory shares as the model's own description states them, and VIP, PV, SST
# within inhibition.
CITED = {
    "L2/3": (37.1, 0.10, {"VIP": 0.48, "PV": 0.29, "SST": 0.21}),
    "L4": (38.9, 0.11, {"VIP": 0.16, "PV": 0.58, "SST": 0.31}),
    "L5": (23.0, 0.19, {"VIP": 0.09, "PV": 0.51, "SST": 0.45}),
    "L6": (32.2, 0.07, {"VIP": 0.08, "PV": 0.44, "SST": 0.44}),
}


@pytest.fixture(scope="module")
def runs():
    """name -> its spikes-only run, made once."""
    return {
        name: jtfne.construct(preset().probes(["spk"])).simulate()
        for name, preset in CIRCUITS.items()
    }


@pytest.fixture(scope="module")
def volley():
    """The column, as the command line runs it."""
    return jtfne.construct(v1_column()).simulate()


@pytest.mark.parametrize("name", CIRCUITS)
def test_every_type_in_every_layer_fires(runs, name):
    rates = runs[name].rates()
    assert (rates["rate_Hz"] > 1.0).all() and (rates["rate_Hz"] < 60.0).all(), rates.to_string()
    wanted = {(p.area, p.layer, p.cell_type) for p in PRESETS[name]().populations()}
    assert set(rates[["area", "layer", "cell_type"]].itertuples(index=False, name=None)) == wanted
    if name in RECURRENT:
        assert len(wanted) == 4 * len({each[:2] for each in wanted}), (
            "a type is missing in some layer"
        )


@pytest.mark.parametrize("cell_type", ["E", "PV", "SST", "VIP"])
def test_each_type_fires_alone(cell_type):
    signals = jtfne.construct(jtfne.suite2_single_neuron_config(cell_type)).simulate()
    assert 1.0 < signals.rates()["rate_Hz"].item() < 60.0


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrence_matters(runs, name):
    alone = jtfne.construct(PRESETS[name]().probes(["spk"]).connections([])).simulate()
    with_and_without = [mean_rates(each) for each in (runs[name], alone)]
    for cell_type in ("E", "PV"):
        wired, bare = (each[cell_type] for each in with_and_without)
        assert abs(wired / bare - 1.0) > 0.1, (
            f"{cell_type}: {wired:.2f} Hz wired, {bare:.2f} Hz without connections"
        )


def mean_rates(signals):
    table = signals.rates()
    spikes = (table["rate_Hz"] * table["n_neurons"]).groupby(table["cell_type"]).sum()
    return spikes / table["n_neurons"].groupby(table["cell_type"]).sum()


@pytest.mark.parametrize("seed", [0, 1])
def test_seed_changes_the_run(seed):
    signals = [
        jtfne.construct(jtfne.suite2_four_celltype_config(seed=s)).simulate(duration_ms=50.0)
        for s in (seed, 7)
    ]
    assert not np.array_equal(*(each.get("vm") for each in signals))
    assert v1_column(seed=seed) != v1_column(seed=7)


@pytest.mark.parametrize(
    ("config", "n"),
    [
        (jtfne.suite2_four_celltype_config(), 100),
        (jtfne.suite2_net1_config(), 1000),
        (jtfne.suite2_net1_config(150), 150),
        (jtfne.suite2_v1_v4_config(), 400),
        (jtfne.suite2_v1_v4_config(150), 300),
        (jtfne.suite2_single_neuron_config(), 1),
        (v1_column(), 1200),
        (v1_column(n=500), 500),
        (v1_v4(), 900),
        (v1_v4(150), 300),
    ],
)
def test_sizes(config, n):
    assert jtfne.construct(config).n_neurons == n


def test_too_small_a_column_and_an_unknown_type_are_refused():
    with pytest.raises(jtfne.JtfneError, match="n=399"):
        v1_column(n=399)
    with pytest.raises(jtfne.JtfneError, match="EE"):
        jtfne.construct(jtfne.suite2_single_neuron_config("EE"))


def test_the_first_workflow_fires_at_8_to_18_Hz():
    cfg = (
        jtfne.Config(schema_version="0.3.28")
        .runtime(seed=7, dtype="float32", duration_ms=1000.0, dt_ms=0.1)
        .areas(["V1"])
        .layers(["L2/3"])
        .cells({"E": 1.0})
        .cell_params({"E": {"drive": 4.5, "noise": 0.5}})
        .mechanisms({})
        .connections([])
        .probes(["spk", "vm", "source", "lfp_proxy", "csd_proxy"])
    )
    paradigm = jtfne.Paradigm.constant_dc(target={"area": "V1"}, amplitude=1.0)
    signals = jtfne.construct(cfg).simulate(paradigm=paradigm, seed=7)
    assert signals.get("spikes", layout="time_node").shape == (10000, 100)
    assert 8.0 < signals.rates()["rate_Hz"].item() < 18.0


def test_fractions_of_the_column_are_those_cited():
    assert set(CELLS) == set(CITED)
    cells = v1_column(n=100_000).circuit.cells
    net = counts(v1_column(n=100_000))
    total = sum(density for density, _, _ in CITED.values())
    for layer, (density, inhibitory, within) in CITED.items():
        here = {name: n for (each, name), n in net.items() if each == layer}
        assert sum(here.values()) / cells.n == pytest.approx(density / total, abs=2e-4)
        assert 1.0 - here["E"] / sum(here.values()) == pytest.approx(inhibitory, abs=2e-3)
        # as percentages within inhibition, which the source does not round alike
        for name, share in within.items():
            assert here[name] / (sum(here.values()) - here["E"]) == pytest.approx(share, abs=0.04)


def counts(config):
    return {(p.layer, p.cell_type): p.n_cells for p in config.populations()}


def test_layers_of_the_column_lie_at_the_cited_depths():
    net = jtfne.construct(v1_column())
    for layer, (top_um, bottom_um) in DEPTHS_um.items():
        z_mm = net.neurons.set_index("layer").loc[layer, "z_mm"]
        assert top_um / 1000 <= z_mm.min() < z_mm.max() <= bottom_um / 1000
    assert net.config.circuit.geometry.thickness_mm == pytest.approx(THICKNESS_um / 1000)


def test_the_volley_raises_layer_4_at_least_threefold(volley):
    n_cells = int(volley.rates().set_index(["layer", "cell_type"]).loc[("L4", "E"), "n_neurons"])
    times = volley.get("spk", layer="L4", cell_type="E").values
    baseline = np.sum((times > 200.0) & (times <= 500.0)) / n_cells / 0.300
    evoked = np.sum((times > 500.0) & (times <= 515.0)) / n_cells / 0.015
    assert baseline > 1.0 and evoked > 3.0 * baseline
    assert volley.events[["onset_ms", "duration_ms", "label"]].values.tolist() == [
        [500.0, 10.0, "volley"]
    ]


def test_the_sink_of_the_volley_is_in_layer_4(volley):
    csd = volley.get("csd_proxy").isel(area=0)
    evoked = csd.sel(time=slice(500.5, 515.0)).mean("time") - csd.sel(
        time=slice(300.0, 500.0)
    ).mean("time")
    assert evoked.min() < 0.0
    depth_um = 1000.0 * float(evoked["z_mm"][evoked.argmin("channel")])
    low, high = DEPTHS_um["L4"]
    assert low <= depth_um <= high


def test_the_column_holds_every_readout_and_is_seen_over_the_back_of_the_head(volley):
    names = (
        "spk",
        "vm",
        "source",
        "lfp_proxy",
        "csd_proxy",
        "eeg_proxy",
        "meg_proxy",
        "spectrolaminar_proxy",
        "emm_proxy",
        "lfp",
        "csd",
        "dipole",
        "eeg",
        "meg",
    )
    assert set(volley.recorded()) == set(names)
    eeg = volley.get("eeg_proxy").sel(time=slice(500.5, 520.0))
    assert float(np.abs(eeg).max()) > 0.0
    assert volley.get("emm_proxy").min() >= 0.0 and volley.get("emm_proxy").max() <= 1.0


def test_columns_record_fields_in_si_units_which_change_no_bit_of_the_rest():
    """What V1 and V4 record beside the proxies; the maps of its fields keep the rows of currents."""
    config = v1_v4(150, evoked=False).runtime(duration_ms=60.0)
    proxies = ["spk", "lfp_proxy", "eeg_proxy"]
    signals = jtfne.construct(config).simulate()
    alone = jtfne.construct(config.source(maps=()).probes(proxies)).simulate()
    for name in proxies:
        np.testing.assert_array_equal(signals.get(name), alone.get(name))
    units = {"lfp": "V", "csd": "A/m^3", "dipole": "A m", "eeg": "V", "meg": "T and T/m"}
    assert {name: signals.get(name).attrs["units"] for name in units} == units
    for preset in (v1_column, hnn_like_column):
        assert set(units) <= {probe.readout for probe in preset().readouts.probes}


def test_the_lfp_of_the_column_is_below_a_millivolt_where_layer_4_is_driven(volley):
    """A response as laminar probes record it, and its moment as large as EEG and MEG see."""
    lfp = volley.get("lfp").isel(area=0)
    response = lfp.sel(time=slice(500.5, 520.0)) - lfp.sel(time=slice(300.0, 500.0)).mean("time")
    assert 1e-4 < float(np.abs(response).max()) < 2e-3
    dipole = volley.get("dipole").isel(area=0).values
    for name in ("eeg", "meg"):
        values = volley.get(name).values
        largest = values[:, np.abs(values).max(axis=0).argmax()]
        assert abs(np.corrcoef(largest, dipole)[0, 1]) > 1.0 - 1e-4
