"""Signals: what is asked for comes back, labelled; what cannot be is refused with the reason."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import jtfne
import runs
from jtfne import signals as room

SCHEMA = Path(jtfne.__file__).parent / "signals_schema.md"
ATTRS = {"readout", "long_name", "units", "proxy", "interval_ms"}


def schema_rows():
    """The rows of the table of signals_schema.md as dicts."""
    lines = [
        line for line in SCHEMA.read_text(encoding="utf-8").splitlines() if line.startswith("|")
    ]
    head, _, *rows = [
        [cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines
    ]
    return [dict(zip(head, row, strict=True)) for row in rows]


def words_of(cell):
    return tuple(word.strip() for word in cell.split(",") if word.strip())


def raster_by_hand(signals):
    """Spikes of `signals` as (trial, step, neuron), from the node alone."""
    node = signals.tree["spk"]
    shape = (
        node.attrs["n_trials"],
        round(node.attrs["duration_ms"] / node.attrs["dt_ms"]),
        node.attrs["n_neurons"],
    )
    dense = np.zeros(shape, bool)
    for time, neuron, trial in zip(
        node["time"].values, node["neuron"].values, node["trial"].values, strict=True
    ):
        dense[trial, round(time / node.attrs["dt_ms"]) - 1, neuron] = True
    return dense


# The schema


@pytest.mark.parametrize("identity", [True, False])
def test_the_tree_is_what_the_schema_says(identity):
    signals = runs.named() if identity else runs.nameless()
    rows = [row for row in schema_rows() if identity or row["present"] != "identity"]
    found = {
        (name, str(variable))
        for name, node in signals.tree.children.items()
        for variable in node.data_vars
    }
    said = {(row["node"], row["variable"]) for row in rows}
    assert (
        found == said
        if identity
        else found <= said and {node for node, _ in found} == {"spk", "vm", "events"}
    )
    for row in rows:
        if (row["node"], row["variable"]) not in found:
            continue
        node = signals.tree[row["node"]].to_dataset(inherit=False)
        variable = node[row["variable"]]
        assert variable.dims == words_of(row["dims"])
        optional = {each.strip("[]") for each in words_of(row["coords"]) if each.startswith("[")}
        coords = {each.strip("[]") for each in words_of(row["coords"])} - (
            set() if identity else optional
        )
        assert {str(name) for name in variable.coords} == coords
        assert variable.attrs.get("units", "") == row["units"] or row["node"] == "spk"
        if row["proxy"]:
            assert set(node.attrs) >= ATTRS and node.attrs["readout"] == row["node"]
            assert node.attrs["proxy"] == int(row["proxy"])


def test_the_schema_names_every_readout_and_the_root():
    assert {row["node"] for row in schema_rows()} == {*room.READOUTS, "events", "neurons"}
    tree = runs.named().tree
    assert set(tree.attrs) == {"jtfne_schema", "duration_ms", "dt_ms", "n_trials"}
    assert all(f"`{name}`" in SCHEMA.read_text(encoding="utf-8") for name in tree.attrs)
    assert (
        tree.attrs["jtfne_schema"] == "signals/1"
        and f"`{tree.attrs['jtfne_schema']}`" in SCHEMA.read_text()
    )
    assert not tree.to_dataset().variables, "only leaves hold arrays"
    units = {row["node"]: row["units"] for row in schema_rows() if row["units"]}
    assert {name: runs.named().tree[name].attrs["units"] for name in room.READOUTS} == units


def test_spikes_are_sorted_and_samples_lie_at_the_end_of_their_interval():
    signals = runs.named()
    table = pd.DataFrame(
        {name: signals.tree["spk"][name].values for name in ("trial", "time", "neuron")}
    )
    pd.testing.assert_frame_equal(
        table, table.sort_values(["trial", "time", "neuron"]).reset_index(drop=True)
    )
    np.testing.assert_array_equal(signals.get("source")["time"], np.arange(1, 201))
    np.testing.assert_array_equal(signals.get("vm")["time"], np.arange(1, 401) * 0.5)


# get


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        *((each, "spk") for each in ("spikes", "spike", "raster")),
        *((each, "vm") for each in ("V_m", "v_m", "voltage")),
        *((each, "source") for each in ("src", "sources")),
        ("lfp_like", "lfp_proxy"),
        ("csd_like", "csd_proxy"),
    ],
)
def test_an_alias_is_the_readout(alias, name):
    signals = runs.named()
    xr.testing.assert_identical(signals.get(alias), signals.get(name))
    assert room.ALIASES[alias] == name


@pytest.mark.parametrize("name", [each for each in runs.READOUTS if each != "spk"])
def test_get_is_the_node_and_a_copy_of_it(name):
    signals = runs.named()
    before = signals.tree[name].to_dataset().copy(deep=True)
    for asked in ({}, {"trial": 0}):
        found = signals.get(name, **asked)
        expected = before[name].isel(trial=0) if asked else before[name]
        xr.testing.assert_identical(found, expected)
        found.values[...] = 7
        for coord in found.coords.values():
            if coord.name not in coord.dims and coord.ndim:
                coord.values[...] = coord.values[::-1].copy()
        found.attrs["units"] = "broken"
    xr.testing.assert_identical(signals.tree[name].to_dataset(), before)


def test_spikes_are_copies_too():
    signals = runs.named()
    before = signals.tree["spk"].to_dataset().copy(deep=True)
    found = signals.get("spk")
    np.testing.assert_array_equal(found.values, before["time"].values)
    labels = json.loads(found.attrs.pop("neuron_labels"))  # of all cells, silent ones too
    assert (
        found.attrs == before.attrs
        and sum(n for _, n, *_ in labels["runs"]) == before.attrs["n_neurons"]
    )
    found.values[:] = -1.0
    found["neuron"].values[:] = 3
    found.attrs.clear()
    signals.get("spk", layout="trial_time_node").values[:] = True
    xr.testing.assert_identical(signals.tree["spk"].to_dataset(), before)


def test_events_carry_the_names_of_their_neurons():
    found, neurons = runs.named().get("spk"), runs.named().neurons
    for key in ("area", "layer", "cell_type"):
        np.testing.assert_array_equal(
            found[key].values, neurons[key].to_numpy()[found["neuron"].values]
        )


@pytest.mark.parametrize("make", [runs.named, runs.nameless, runs.silent])
def test_the_dense_raster_is_the_events(make):
    signals = make()
    found = signals.get("spikes", layout="trial_time_node")
    assert found.dims == ("trial", "time", "neuron") and found.dtype == bool
    np.testing.assert_array_equal(found.values, raster_by_hand(signals))
    assert int(found.sum()) == signals.tree["spk"].sizes["event"]
    n_steps = found.sizes["time"]
    np.testing.assert_allclose(found["time"], np.arange(1, n_steps + 1) * 0.1, rtol=0, atol=1e-9)
    assert found["time"].attrs == signals.tree["vm"]["time"].attrs


def test_layouts_of_one_trial_drop_it():
    signals = runs.named()
    whole = signals.get("spk", layout="trial_time_node")
    first = signals.get("spk", layout="time_node", trial=1)
    assert first.shape == (2000, 150) and int(first["trial"]) == 1
    np.testing.assert_array_equal(first.values, whole.values[1])
    np.testing.assert_array_equal(
        signals.get("spk", layout="node_time", trial=1).values, whole.values[1].T
    )
    assert signals.get("vm", layout="node_time", trial=0).dims == ("neuron", "time")
    assert signals.get("lfp_proxy", layout="node_time", trial=0).dims == ("area", "channel", "time")
    assert signals.get("vm", layout="trial_time_node", trial=1).dims == ("trial", "time", "neuron")
    assert int(signals.get("vm", layout="trial_time_node", trial=1)["trial"][0]) == 1
    assert signals.get("spk", layout="event", trial=1).dims == ("event",)
    assert runs.nameless().get("vm").dims == ("time", "neuron")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("vm", {"ids": [3, 0, 3]}),
        ("spk", {"ids": np.array([0, 0]), "layout": "trial_time_node"}),
        ("spk", {"ids": (0, 0)}),
        ("eeg_proxy", {"ids": ["Fz", "Oz", "Fz"]}),
        ("lfp_proxy", {"area": ["V1", "V1"]}),
        ("vm", {"cell_type": ("E", "E")}),
    ],
)
def test_what_is_asked_for_twice_is_refused(name, asked):
    """A row twice would count twice in whatever is computed from it; `Selector` refuses it too."""
    with pytest.raises(jtfne.JtfneError, match="given twice; expected each once"):
        runs.named().get(name, **asked)


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        (
            "vm",
            {"layout": "time_node"},
            "layout='time_node' of 2 trials.*'trial_time_node', or one trial",
        ),
        ("spk", {"layout": "node_time"}, "layout='node_time' of 2 trials"),
        ("vm", {"layout": "event", "trial": 0}, "'event' for spikes only"),
        ("vm", {"layout": "node"}, "unknown layout 'node'.*'time_node'"),
        ("spectrolaminar_proxy", {"layout": "time_node", "trial": 0}, "without a time axis"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(name, asked, message):
    with pytest.raises(jtfne.JtfneError, match=message):
        runs.named().get(name, **asked)


@pytest.mark.parametrize("name", ["vm", "source", "spk"])
def test_selectors_hold_together(name):
    signals, layout = runs.named(), "trial_time_node"
    asked = {"area": "V4", "layer": ["L4", "L5"], "cell_type": ("E", "PV")}
    neurons = signals.neurons
    rows = neurons.query(
        "area == 'V4' and layer in ['L4', 'L5'] and cell_type in ['E', 'PV']"
    ).index
    found = signals.get(name, layout=layout, **asked)
    whole = signals.get(name, layout=layout)
    xr.testing.assert_identical(found, whole.isel(neuron=rows.to_numpy()))
    xr.testing.assert_identical(signals.get(name, layout=layout, layer=iter(["L4", "L5"]), area="V4",
                                            cell_type=iter(("E", "PV"))), found)  # fmt: skip
    some = [int(rows[5]), 0, int(rows[1])]
    xr.testing.assert_identical(
        signals.get(name, layout=layout, ids=some, **asked), whole.isel(neuron=[rows[5], rows[1]])
    )


def test_events_are_selected_as_neurons_are():
    signals = runs.named()
    found = signals.get("spk", area="V4", cell_type="E", trial=1, time=(50.0, 120.0))
    table = signals.spikes.query(
        "area == 'V4' and cell_type == 'E' and trial == 1 and 50 < time_ms <= 120"
    )
    assert 10 < len(table) < len(signals.spikes)
    np.testing.assert_array_equal(found.values, table["time_ms"])
    np.testing.assert_array_equal(found["neuron"], table["neuron"])
    fired = sorted(set(found["neuron"].values.tolist()))[:2]
    by_id = signals.get("spk", ids=fired[::-1])
    np.testing.assert_array_equal(by_id.values, signals.spikes.query("neuron in @fired")["time_ms"])


def test_ids_come_in_the_order_asked():
    signals = runs.named()
    for ids in ([9, 2, 140], np.array([9, 2, 140], np.int32), (9, 2, 140)):
        for name in ("vm", "spk"):
            found = signals.get(name, layout="trial_time_node", ids=ids)
            assert found["neuron"].values.tolist() == [9, 2, 140]
            whole = signals.get(name, layout="trial_time_node")
            np.testing.assert_array_equal(found.values, whole.values[:, :, [9, 2, 140]])
    assert signals.get("vm", ids=7).sizes["neuron"] == 1
    channels = signals.get("eeg_proxy", ids=["Oz", "Fz"])
    assert channels["channel"].values.tolist() == ["Oz", "Fz"]
    np.testing.assert_array_equal(
        channels.sel(channel="Fz"), signals.get("eeg_proxy").sel(channel="Fz")
    )
    assert signals.get("lfp_proxy", ids="ch03", area="V4").shape == (2, 200, 1, 1)


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        (
            "vm",
            {"layer": "L23"},
            "unknown layer 'L23'; expected 'L2/3', 'L4', 'L5'; nearest: 'L2/3'",
        ),
        ("spk", {"area": "v1"}, "unknown area 'v1'.*nearest: 'V1'"),
        ("vm", {"area": 3}, "area=3.*a name or several names"),
        ("vm", {"area": []}, r"area=\[\], which matches nothing"),
        ("vm", {"ids": []}, r"ids=\[\], which matches nothing"),
        ("spk", {"ids": []}, r"ids=\[\], which matches nothing"),
        ("vm", {"ids": [0], "area": "V4"}, r"area=\['V4'\], ids=\[0\], which matches nothing"),
        ("spk", {"ids": [0], "area": "V4"}, "which matches nothing"),
        (
            "vm",
            {"ids": [3, 150, 151]},
            r"ids=\[150, 151\];.*150 neurons there, within 0 .. 149",
        ),
        ("spk", {"ids": [-1]}, r"ids=\[-1\]"),
        ("vm", {"ids": ["a"]}, "ids of neurons, integers"),
        ("vm", {"ids": [0.5]}, "ids of neurons, integers"),
        ("vm", {"ids": [True]}, "ids of neurons, integers"),
        ("eeg_proxy", {"ids": ["Cx"]}, "unknown ids 'Cx'.*nearest: 'C[z34]'"),
        ("eeg_proxy", {"ids": [0]}, "names of channels"),
        ("emm_proxy", {"ids": [0]}, "no ids for a readout without neurons or channels"),
        ("lfp_proxy", {"layer": "L4"}, "selectors of its own axes: area"),
        ("eeg_proxy", {"area": "V1"}, "selectors of its own axes: none"),
        ("vm", {"trial": 2}, "trial=2.*0 to 1"),
        ("spk", {"trial": -1}, "trial=-1"),
        ("vm", {"trial": 0.5}, "trial=0.5"),
        ("vm", {"trial": True}, "trial=True"),
        ("vm", {"time": (5.0, 5.0)}, "start before stop"),
        ("vm", {"time": (float("nan"), 5.0)}, "start before stop"),
        ("vm", {"time": "01"}, r"time='01'.*\(start, stop\) in ms"),
        ("vm", {"time": ("0", "5")}, r"\(start, stop\) in ms"),
        ("vm", {"time": {0, 5}}, r"\(start, stop\) in ms"),
        ("vm", {"time": (False, True)}, r"\(start, stop\) in ms"),
        ("vm", {"time": 5.0}, r"\(start, stop\) in ms"),
        ("vm", {"time": ("a", 1)}, r"\(start, stop\) in ms"),
        ("vm", {"time": (500.0, 600.0)}, "a window that holds a sample; they end at 0.5 .. 200 ms"),
        (
            "spk",
            {"time": (0.01, 0.02), "layout": "time_node", "trial": 0},
            "a window that holds a sample",
        ),
        ("spectrolaminar_proxy", {"time": (0.0, 5.0)}, "without a time axis"),
        ("vmm", {}, "unknown readout 'vmm'.*nearest: 'vm'"),
        (["vm"], {}, "readout="),
        (None, {}, "readout=None"),
    ],
)
def test_what_does_not_apply_or_match_is_refused(name, asked, message):
    with pytest.raises(jtfne.JtfneError, match=message):
        runs.named().get(name, **asked)


def test_a_window_of_time_has_its_end_and_not_its_start():
    signals = runs.named()
    np.testing.assert_array_equal(signals.get("source", time=(10.0, 12.0))["time"], [11.0, 12.0])
    np.testing.assert_array_equal(signals.get("vm", time=(199.0, np.inf))["time"], [199.5, 200.0])
    raster = signals.get("spk", layout="trial_time_node", time=(50.0, 70.3))
    np.testing.assert_array_equal(raster.values, raster_by_hand(signals)[:, 500:703])
    assert raster["time"].values[[0, -1]].tolist() == [50.1, 70.3]
    assert signals.get("spk", time=(0.01, 0.02)).size == 0, "a window without spikes is an answer"


@pytest.mark.parametrize("name", ["source", "eeg_proxy", "V_m"])
def test_what_was_not_recorded_names_its_probe(name):
    signals = jtfne.signals.Signals(
        runs.silent().tree.filter(lambda node: node.name in ("spk", "events"))
    )
    known = room.ALIASES.get(name, name)
    with pytest.raises(
        jtfne.JtfneError, match=rf"{name!r} was not recorded.*'spk'.*Config.probes\(\['{known}'\]\)"
    ):
        signals.get(name)


COLUMNS = ["trial", "onset_ms", "duration_ms", "label", "code", "condition"]


def test_a_net_without_identity_refuses_names_and_keeps_numbers():
    signals = runs.nameless()
    for ask in (
        lambda: signals.neurons,
        lambda: signals.rates(),
        lambda: signals.get("vm", cell_type="E"),
        lambda: signals.get("spk", layer="L4"),
        lambda: signals.get("spk", layout="time_node", area="V1"),
    ):
        with pytest.raises(jtfne.JtfneError, match="without identity"):
            ask()
    assert set(signals.get("vm").coords) == {"trial", "time", "neuron"}
    np.testing.assert_array_equal(
        signals.get("spk", layout="time_node", ids=[50, 3]).values,
        raster_by_hand(signals)[0][:, [50, 3]],
    )
    assert list(signals.spikes.columns) == ["trial", "time_ms", "neuron"]
    assert len(signals.events) == 0 and list(signals.events.columns) == COLUMNS
    with pytest.raises(jtfne.JtfneError, match=r"ids=\[100\]"):
        signals.get("spk", ids=[100])


def test_ids_need_not_be_in_order():
    tree = runs.named().tree.copy(deep=True)
    flip = {"neuron": ("neuron", tree["neurons"]["neuron"].values[::-1].copy())}
    tree["neurons"] = xr.DataTree(tree["neurons"].to_dataset().assign_coords(flip))
    spk = tree["spk"].to_dataset()
    tree["spk"] = xr.DataTree(spk.assign(neuron=("event", 149 - spk["neuron"].values)))
    flipped, signals = jtfne.signals.Signals(tree), runs.named()
    np.testing.assert_array_equal(flipped.get("spk")["cell_type"], signals.get("spk")["cell_type"])
    pd.testing.assert_frame_equal(flipped.rates(), signals.rates())
    assert (
        flipped.spikes["layer"].astype(str).tolist() == signals.spikes["layer"].astype(str).tolist()
    )
    asked = {"layout": "trial_time_node", "cell_type": "PV"}
    np.testing.assert_array_equal(
        flipped.get("spk", **asked).values, signals.get("spk", **asked).values
    )


# Tables


def test_rates_are_spikes_over_cells_and_seconds():
    signals = runs.named()
    table = signals.rates()
    assert list(table.columns) == ["area", "layer", "cell_type", "n_neurons", "rate_Hz"]
    assert table["n_neurons"].sum() == 150 and len(table) == 24
    for row in table.itertuples():
        n_spikes = signals.get("spk", area=row.area, layer=row.layer, cell_type=row.cell_type).size
        assert row.rate_Hz == pytest.approx(n_spikes / row.n_neurons / 0.4)
    assert runs.silent().rates()["rate_Hz"].tolist() == [0.0]


def test_events_say_what_was_presented_in_each_trial():
    table = runs.named().events
    assert table["label"].tolist() == ["V4: on", "L4", "L4", ""] * 2
    assert table["onset_ms"].tolist() == [40.0, 40.0, 100.0, 150.0] * 2
    assert table["duration_ms"].tolist() == [2.5, 5.0, 5.0, 50.0] * 2
    assert table["trial"].tolist() == [0] * 4 + [1] * 4


def test_the_summary_has_a_row_a_readout():
    table = runs.named().summary()
    assert sorted(table.index) == sorted(runs.READOUTS)
    assert (
        table.loc["vm", "dims"] == "trial, time, neuron"
        and table.loc["vm", "shape"] == "2 x 400 x 150"
    )
    assert table.loc["lfp_proxy", "units"] == "a.u." and table["proxy"].sum() == 8
    assert np.isnan(runs.silent().summary().loc["spk", "mean"])


@pytest.mark.parametrize("name", runs.READOUTS)
def test_a_dataframe_has_a_row_a_sample_and_categories(name):
    signals = runs.named()
    table = signals.to_dataframe(name)
    found = signals.get(name)
    assert len(table) == found.size
    texts = [
        column for column in ("area", "layer", "cell_type", "channel") if column in found.coords
    ]
    assert all(isinstance(table[column].dtype, pd.CategoricalDtype) for column in texts)
    value = "time_ms" if name == "spk" else name
    np.testing.assert_array_equal(table[value].to_numpy(), found.values.ravel())
    for column in texts:
        expected = np.broadcast_to(found[column].values.reshape(
            [-1 if dim in found[column].dims else 1 for dim in found.dims]), found.shape)  # fmt: skip
        np.testing.assert_array_equal(table[column].astype(str), expected.ravel())


def test_the_repr_names_readouts_and_sizes():
    assert re.search(
        r"Signals\(.*vm \{'trial': 2, 'time': 400, 'neuron': 150\}", repr(runs.named())
    )


@pytest.mark.parametrize(
    "read",
    [
        lambda signals: signals.get(np.arange(3)),
        lambda signals: signals.get("spk", area=np.array("V1")),
        lambda signals: signals.get("spk", ids=[[0, 1], [2]]),
        lambda signals: signals.get("spk", time=np.array(5.0)),
    ],
    ids=[
        "a name that is an array",
        "a selector without dims",
        "ids of unequal lengths",
        "one time",
    ],
)
def test_arrays_where_names_are_due_are_refused(read):
    with pytest.raises(jtfne.JtfneError, match="expected"):
        read(runs.named())
