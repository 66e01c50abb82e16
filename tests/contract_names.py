"""Every kind of name through every export and back: a name stays a name, and different names stay
different.
"""

import json
import re
import warnings

import h5py
import mne
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
from jtfne import interop
from jtfne._names import ENCODED, channel_names, original_name, safe_name
from jtfne.analysis import figures, write_report
from jtfne.config import Area, Layer
from jtfne.emitters import LIF

NAMES = (
    "äußerlich", "aussen", "außen", "日本", "α β", "a/b", "a|b", "a", "b", "a;b", "a:b", "a,b", "bad", "BAD luck",
    "_bad luck", "Edge/1", "_edge", "NULL", "$\\frac{$", "_hidden", "%41", "A", "50%", "{COLON}", "..",
    ".dot", '"quoted"', "'",
    "<b>&amp;", "CON", "back\\slash", "=1+1", "#", "x" * 120,
)  # fmt: skip
AREAS = NAMES[::3]
BROKEN = ("a\x00b", "a\nb", "\x1b[31m", "\ud800", " a", "a ", "a\u200bb", "\u202ea")


def pulses(labels):
    """A pulse of each label, 3 ms apart."""
    parts = [
        jtfne.Paradigm.pulse(
            target="_PV $x", start_ms=5.0 + 3 * k, duration_ms=1.0, amplitude=3000.0, label=label
        )
        for k, label in enumerate(labels)
    ]
    return sum(parts[1:], start=parts[0])


@pytest.fixture(scope="module")
def net():
    """A net whose areas, layers and types have such names; each E cell drives the others of its
    area.
    """
    layers = [Layer(name="bad/1", top=0.0, bottom=0.5), Layer(name="$L$", top=0.5, bottom=1.0)]
    cell = LIF(tau_m_ms=10.0)
    config = (
        jtfne.Config()
        .areas([Area(name=name) for name in AREAS])
        .layers(layers)
        .emitters({"_PV $x": cell, "日/本": cell})
        .cells({"_PV $x": 2, "日/本": 2})
        .connections(
            [
                {"source": {"area": name, "cell_type": "_PV $x"}, "target": {"area": name}, "mechanism": "AMPA",
                 "weight": 0.1, "delay_ms": 1.0, "rule": {"kind": "AllToAll"}}
                for name in AREAS
            ]
        )
        .runtime(duration_ms=120.0, dt_ms=0.5)
        .probes(["spk", "vm", "lfp_proxy", "csd_proxy"])
    )  # fmt: skip
    return jtfne.construct(config)


@pytest.fixture(scope="module")
def signals(net):
    return net.simulate(pulses(NAMES))


def with_labels(signals, labels):
    """The run with its first events only, under other labels."""
    tree = signals.tree.copy()
    events = tree["events"].to_dataset().isel(event=slice(0, len(labels)))
    events["label"] = ("event", np.array(labels, str))
    tree["events"] = xr.DataTree(events)
    return jtfne.Signals(tree, signals.manifest)


def same_tables(one, two):
    """Whether two runs have the same names and events."""
    for table in ("neurons", "events"):
        theirs = getattr(two, table)
        assert getattr(one, table).equals(theirs[getattr(one, table).columns]), table


@pytest.mark.parametrize("name", ["netcdf", "zarr"])
def test_trees_come_back(signals, tmp_path, name):
    path = getattr(interop, f"to_{name}")(signals, tmp_path / "run")
    same_tables(signals, getattr(interop, f"from_{name}")(path))


def test_a_run_folder_comes_back(signals, tmp_path):
    same_tables(signals, jtfne.load(signals.save(tmp_path / "run")))
    assert interop.from_json(interop.to_json(signals.manifest)) == signals.manifest


def test_spikes_keep_their_names(signals, tmp_path):
    back = interop.from_parquet(interop.write_parquet(signals, tmp_path / "spikes.parquet"))
    spikes = signals.spikes
    assert len(spikes) > 50 and set(spikes["area"]) == set(AREAS)
    for name in ("area", "layer", "cell_type"):
        assert back[name].values.tolist() == spikes[name].tolist()


def test_sonata_keeps_every_population_apart(signals, net, tmp_path):
    folder = interop.to_sonata(signals, tmp_path / "sonata", net=net)
    labels = set(net.edges["connection"].to_pylist())
    with h5py.File(folder / "edges.h5") as file:
        assert {original_name(name, "hdf5") for name in file["edges"]} == labels
    with h5py.File(folder / "nodes.h5") as file:
        library = file["nodes/cells/0/@library/area"].asstr()[:]
        assert set(library) == set(AREAS)
    text = (folder / "node_types.csv").read_text(encoding="utf-8")
    assert "NULL" not in re.findall(r"^\d+ cells (\S+)", text, re.MULTILINE)


def test_channels_are_ascii_in_fif_and_have_their_names_again(signals, tmp_path):
    with pytest.warns(UserWarning) as told:
        raw = interop.to_raw(signals, "lfp_proxy")
    assert any("'äußerlich:ch01' as 'ausserlich:ch01'" in str(each.message) for each in told)
    assert (
        all(name.isascii() for name in raw.ch_names) and len(set(raw.ch_names)) == len(AREAS) * 16
    )
    found = signals.get("lfp_proxy")
    names = [
        f"{area}:{channel}" for area in found["area"].values for channel in found["channel"].values
    ]
    raw.save(tmp_path / "names_raw.fif", fmt="double", verbose="error")
    for each in (raw, mne.io.read_raw_fif(tmp_path / "names_raw.fif", verbose="error")):
        assert interop.from_raw(each, "lfp_proxy")["channel"].values.tolist() == names


def test_annotations_are_labels_only(signals, tmp_path):
    with pytest.warns(UserWarning) as told:
        raw = interop.to_raw(signals, "csd_proxy")
    assert any("names of events written" in str(each.message) for each in told)
    raw.save(tmp_path / "labels_raw.fif", fmt="double", verbose="error")
    for each in (raw, mne.io.read_raw_fif(tmp_path / "labels_raw.fif", verbose="error")):
        written = each.annotations.description.tolist()
        assert [original_name(text, "mne_event") for text in written] == list(NAMES)
        kept = [
            dict(extra).get("label", text)
            for extra, text in zip(each.annotations.extras, written, strict=True)
        ]
        assert kept == list(NAMES), "the label itself stays beside the annotation"
        _, onsets = mne.events_from_annotations(each, verbose="error")
        assert len(onsets) == len(NAMES), "none is taken for a span to leave out"
        assert np.isfinite(each.get_data(reject_by_annotation="NaN", verbose="error")).all()


def test_epochs_have_one_name_a_label(signals, tmp_path):
    with pytest.warns(UserWarning):
        epochs = interop.to_epochs(signals, "csd_proxy", window_ms=(-2.0, 2.0))
    assert len(epochs) == len(epochs.event_id) == len(NAMES)
    assert [original_name(name, "mne_event") for name in epochs.event_id] == list(NAMES)
    assert epochs.metadata["label"].tolist() == list(NAMES)
    counts = {name: len(epochs[name]) for name in epochs.event_id}
    assert set(counts.values()) == {1}, "no name selects the events of another"
    epochs.save(tmp_path / "names-epo.fif", fmt="double", verbose="error")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # MNE's own, as it reads metadata
        assert (
            mne.read_epochs(tmp_path / "names-epo.fif", verbose="error").event_id == epochs.event_id
        )


def test_a_bad_label_costs_no_data(signals):
    """MNE drops epochs that touch annotations which begin with "bad", and cuts filters and spectra
    at "edge".
    """
    plain, renamed = with_labels(signals, ["x", "y"]), with_labels(signals, ["Bad x", "EDGE y"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        one, two = (interop.to_raw(each, "csd_proxy", scale=1e-6) for each in (plain, renamed))
    for raw in (one, two):
        events, ids = mne.events_from_annotations(raw, verbose="error")
        cut = mne.Epochs(
            raw,
            events,
            ids,
            -0.002,
            0.002,
            baseline=None,
            preload=True,
            verbose="error",
            picks="all",
        )
        assert len(cut) == 2
    filtered = (
        raw.copy().filter(None, 100.0, picks="all", verbose="error").get_data()
        for raw in (one, two)
    )
    np.testing.assert_allclose(next(filtered), next(filtered), rtol=1e-12, atol=1e-30)


def test_labels_of_nothing_and_stimulus_are_one_name_and_lose_no_event(signals):
    with pytest.warns(UserWarning, match="channels"):
        epochs = interop.to_epochs(
            with_labels(signals, ["", "stimulus", "x"]), "csd_proxy", window_ms=(-2.0, 2.0)
        )
    assert len(epochs) == 3 and len(epochs["stimulus"]) == 2


LETTERS = st.one_of(
    st.sampled_from("bBaAdDeEgG_/|%;.2F5{COLN}: \\"), st.characters(exclude_categories=["Cs"])
)


@settings(max_examples=300)
@given(st.text(LETTERS, max_size=9), st.sampled_from(sorted(ENCODED)))
def test_safe_names_can_be_undone_and_have_no_meaning(name, form):
    written = safe_name(name, form)
    assert original_name(written, form) == name
    if form == "mne_event":
        assert not re.match("bad|edge", written, re.IGNORECASE) and not set("/;") & set(written)
        assert "{COLON}" not in written
        written.encode("latin-1")
    if form == "hdf5":
        assert "/" not in written and "\x00" not in written and written not in (".", "..")
    if form == "file":
        assert not set('/\\:*?"<>|\x00') & set(written) and not written.startswith(".")


@settings(max_examples=200)
@given(
    st.lists(
        st.text(st.sampled_from("aeéèAÄßs日#2:{COLON}"), min_size=1, max_size=4),
        min_size=1,
        max_size=8,
    )
)
def test_channel_names_are_ascii_all_different_and_kept(names):
    written, originals = channel_names(names)
    assert all(name.isascii() and "{COLON}" not in name for name in written) and len(
        set(written)
    ) == len(names)
    assert [originals.get(name, name) for name in written] == names


SITES = {
    "area": lambda name: Area(name=name),
    "layer": lambda name: Layer(name=name, top=0.0, bottom=1.0),
    "cell type": lambda name: jtfne.Config().cells({name: 1.0}),
    "cell type in a layer": lambda name: jtfne.Config().cells({"L4": {name: 1.0}}),
    "layer of a mix": lambda name: jtfne.Config().cells({name: {"E": 1.0}}),
    "emitter": lambda name: jtfne.Config().emitters({name: LIF(tau_m_ms=10.0)}),
    "cell_params": lambda name: jtfne.Config().cell_params({name: {"drive": 1.0}}),
    "label": lambda name: pulses([name]),
    "condition": lambda name: jtfne.Paradigm(
        stimuli=pulses(["x"]).stimuli, n_trials=1, conditions=[name]
    ),
    "selector": lambda name: jtfne.Paradigm.constant_dc(target={"area": name}, amplitude=1.0),
    "from JSON": lambda name: jtfne.Config.from_json(
        json.dumps({"circuit": {"areas": [{"name": name}]}})
    ),
}


@pytest.mark.parametrize("site", SITES)
def test_what_no_file_can_hold_is_refused_where_it_is_declared(site):
    SITES[site]("a name of blanks, ä and 日本")
    for name in BROKEN:
        with pytest.raises(jtfne.JtfneError, match=r"expected") as refusal:
            SITES[site](name)
        str(refusal.value).encode()  # the message itself can be printed


@pytest.mark.parametrize("name", ["to_netcdf", "to_zarr"])
def test_a_text_that_no_file_can_hold_is_refused_before_the_work(signals, tmp_path, name):
    for text in ("a\x00b", "\ud800"):
        with pytest.raises(jtfne.JtfneError, match=r"'label' of '/events' with the text"):
            getattr(interop, name)(with_labels(signals, ["b", text]), tmp_path / "run")
        assert not list(tmp_path.iterdir())


def test_figures_and_report_show_names_as_they_are(signals, tmp_path):
    """No mathtext, no glyph that is missing, no name left out of a legend; warnings are errors
    here.
    """
    ax = figures.raster(signals)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "_PV $x",
        "\\u65e5/\\u672c",
    ]
    ticks = [label.get_text() for label in figures.timeline(signals).yaxis.get_ticklabels()]
    assert (
        ticks[: len("äu")] == ["äußerlich", "aussen"]
        and "$\\frac{$" in ticks
        and "\\u65e5\\u672c" in ticks
    )
    small = signals.tree.copy()
    for name, areas in (("lfp_proxy", slice(6, 8)), ("csd_proxy", slice(0, 1))):
        small[name] = xr.DataTree(signals.tree[name].to_dataset().isel(area=areas))
    paths = figures.save_all(jtfne.Signals(small, signals.manifest), tmp_path / "figures")
    page = write_report(signals, tmp_path / "report.html", paths).read_text(encoding="utf-8")
    assert "<b>&amp;amp;" not in page and "&lt;b&gt;&amp;amp;" in page and "$\\frac{$" in page
