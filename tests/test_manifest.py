"""The manifest: strict JSON that its published schema holds for, and hashes that change when a bit
does.
"""

import hashlib
import json

import jsonschema
import numpy as np
import pytest
import rfc8785
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import jtfne
import runs
from jtfne import _json, interop, reports, run_folder
from jtfne.reports import run as room

HASH = "0" * 64
ARGUMENTS = {
    "config": {}, "config_sha256": HASH, "paradigm": [], "run": {"seed": 1}, "streams": ["noise"],
    "source": {"kind": "spike_proxy", "terms": ["spikes"]}, "operators": {}, "timings": {"run_s": 1.0},
}  # fmt: skip


def manifest_of(tree=None, **changed):
    return reports.run_manifest(
        runs.silent().tree if tree is None else tree, **{**ARGUMENTS, **changed}
    )


def copy_of(make=runs.named):
    """The manifest of a run, to change."""
    return json.loads(json.dumps(make().manifest))


# The schema


@pytest.mark.parametrize("make", [runs.named, runs.nameless, runs.silent])
def test_a_manifest_keeps_its_schema_before_and_after_saving(make, tmp_path):
    schema = reports.manifest_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    valid = jsonschema.Draft202012Validator(schema)
    valid.validate(make().manifest)
    folder = jtfne.Signals(make().tree, dict(make().manifest)).save(tmp_path / "run")
    valid.validate(json.loads((folder / "manifest.json").read_text()))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda manifest: manifest.pop("run"),
        lambda manifest: manifest.pop("tables"),
        lambda manifest: manifest.update(extra=1),
        lambda manifest: manifest.update(manifest_version="2"),
        lambda manifest: manifest.update(config_sha256="x"),
        lambda manifest: manifest["run"].update(seed=-1),
        lambda manifest: manifest["run"].update(dt_ms=0),
        lambda manifest: manifest["run"].pop("dtype"),
        lambda manifest: manifest["software"].update(jax=1),
        lambda manifest: manifest["source"].update(terms=[]),
        lambda manifest: manifest["readouts"]["vm"].pop("sha256"),
        lambda manifest: manifest["tables"].update(events="short"),
        lambda manifest: manifest["files"].append({"path": "a"}),
        lambda manifest: manifest["timings"].update(run_s=-1.0),
    ],
)
def test_the_schema_refuses_what_is_none(spoil):
    manifest = copy_of()
    spoil(manifest)
    assert not jsonschema.Draft202012Validator(reports.manifest_schema()).is_valid(manifest)


def test_a_manifest_says_what_ran():
    manifest, signals = runs.named().manifest, runs.named()
    told = {
        "seed": 3,
        "dtype": "float32",
        "duration_ms": 200.0,
        "dt_ms": 0.1,
        "trials": 2,
        "conditions": [],
    }
    assert manifest["run"] == told
    assert manifest["config"] == runs.config().to_dict()
    assert (
        manifest["software"]["jtfne"] == jtfne.__version__
        and manifest["software"]["numpy"] == np.__version__
    )
    assert [each["label"] for each in manifest["paradigm"]] == ["L4", "V4: on", ""]
    assert set(manifest["readouts"]) == set(runs.READOUTS)
    assert set(manifest["operators"]) == set(runs.READOUTS) - {"spk", "vm", "source"}
    for name, about in manifest["readouts"].items():
        values = signals.tree[name]["time" if name == "spk" else name]
        assert about["shape"] == list(values.shape) and about["dims"] == list(values.dims)
        assert about["dtype"] == str(values.dtype) and about["proxy"] is (
            name.endswith("_proxy") or name in ("rws", "erws")
        )
    assert manifest["spikes"] == {
        "count": signals.tree["spk"].sizes["event"], "sha256": manifest["readouts"]["spk"]["sha256"]
    }  # fmt: skip
    assert set(manifest["tables"]) == {"events", "neurons"} and set(
        runs.nameless().manifest["tables"]
    ) == {"events"}


def test_the_config_hash_is_sha256_of_rfc_8785():
    manifest = runs.named().manifest
    assert (
        manifest["config_sha256"] == hashlib.sha256(rfc8785.dumps(manifest["config"])).hexdigest()
    )


# Strict JSON


def test_strict_json_gives_the_manifest_back():
    for manifest in (runs.named().manifest, runs.nameless().manifest):
        text = interop.to_json(manifest)
        assert interop.from_json(text) == manifest and "NaN" not in text and "Infinity" not in text
        assert interop.to_json(interop.from_json(text)) == text


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (lambda bad: {"run": {"seed": 1, "dt_ms": bad}}, "$.run.dt_ms"),
        (lambda bad: {"timings": {"run_s": bad}}, "$.timings.run_s"),
        (
            lambda bad: {"paradigm": [{"drive": {"values": [0.0, bad]}}]},
            "$.paradigm[0].drive.values[1]",
        ),
        (
            lambda bad: {"operators": {"lfp_proxy": {"kernel_mm": bad}}},
            "$.operators.lfp_proxy.kernel_mm",
        ),
        (lambda bad: {"config": {"a": [{"b": bad}]}}, "$.config.a[0].b"),
    ],
)
def test_what_is_not_finite_is_named(changed, field, bad):
    with pytest.raises(jtfne.JtfneError) as raised:
        manifest_of(**changed(bad))
    assert field in str(raised.value) and str(bad) in str(raised.value)


@pytest.mark.parametrize(
    ("node", "variable"),
    [
        ("vm", "vm"),
        ("vm", "z_mm"),
        ("spk", "time"),
        ("eeg_proxy", "x_mm"),
        ("neurons", "z_mm"),
        ("events", "onset_ms"),
    ],
)
def test_arrays_that_are_not_finite_are_named(node, variable):
    tree = runs.named().tree.copy(deep=True)
    tree[node][variable].values.flat[-1] = np.nan
    with pytest.raises(
        jtfne.JtfneError, match=rf"'{variable}' of '{node}', which holds NaN or infinity"
    ):
        manifest_of(tree)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.float32(1), "numpy.float32"), (np.float64(1), "numpy.float64"), (np.int64(1), "numpy.int64"),
        (np.bool_(True), "numpy.bool"), (np.str_("a"), "numpy.str_"), (np.ones(2), "numpy.ndarray"),
    ],
)  # fmt: skip
def test_numpy_is_refused_by_name(value, kind):
    with pytest.raises(jtfne.JtfneError, match=rf"a {kind}.* \(in \$.run.seed\)"):
        manifest_of(run={"seed": value})
    with pytest.raises(jtfne.JtfneError, match=kind):
        interop.to_json({"run": {"seed": value}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' given twice"),
        ('{"a": {"b": 1, "b": 1}}', "the key 'b' given twice"),
        ('{"a": NaN}', "NaN; expected"),
        ('{"a": [-Infinity]}', "-Infinity; expected"),
        ('{"a": 1', "not JSON"),
        ("", "not JSON"),
        ("[1]", "a list; expected a manifest"),
        ("3", "a int; expected"),
    ],
)
def test_a_text_that_is_no_strict_json_is_refused(text, message):
    with pytest.raises(jtfne.JtfneError, match=message):
        interop.from_json(text)


def test_keys_are_text():
    with pytest.raises(jtfne.JtfneError, match=r"key 1 of int; expected.*\$.config"):
        manifest_of(config={1: 2})


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@settings(max_examples=50)
@given(JSON_VALUES)
def test_any_json_comes_back_as_it_was(value):
    text = _json.dumps(value)
    assert _json.loads(text) == value and _json.dumps(_json.loads(text)) == text
    assert json.loads(text) == value
    assert json.loads(_json.canonical(value), parse_int=float) == value, (
        "RFC 8785 knows one kind of number"
    )
    assert _json.sha256(_json.loads(_json.dumps(value, indent=2))) == _json.sha256(value)


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5), JSON_VALUES, max_size=4
    )
)
def test_a_manifest_of_anything_comes_back(value):
    assert interop.from_json(interop.to_json(value)) == value


# Hashes


def test_a_dataset_is_hashed_by_its_bits():
    dataset = runs.named().tree["eeg_proxy"].to_dataset()
    same = run_folder.dataset_hash(dataset)
    big = dataset["eeg_proxy"].astype(">f4")
    assert run_folder.dataset_hash(dataset.copy(deep=True)) == same
    assert run_folder.dataset_hash(dataset.assign(eeg_proxy=big)) == same
    fortran = (dataset["eeg_proxy"].dims, np.asfortranarray(dataset["eeg_proxy"].values))
    assert run_folder.dataset_hash(dataset.assign(eeg_proxy=fortran)) == same
    assert run_folder.dataset_hash(dataset[list(dataset.data_vars)[::-1]]) == same
    for name in dataset.variables:
        if dataset[name].dtype.kind in "US":
            changed = dataset.assign_coords(
                {name: (dataset[name].dims, np.char.add(dataset[name].values, "'"))}
            )
        else:
            values = dataset[name].values.copy()
            values.reshape(-1).view(np.uint8)[0] ^= 1
            changed = dataset.assign({name: (dataset[name].dims, values)})
        assert run_folder.dataset_hash(changed) != same, name
    assert run_folder.dataset_hash(dataset.rename(x_mm="u_mm")) != same
    square = xr.Dataset({"a": (("x", "y"), np.eye(2))})
    assert run_folder.dataset_hash(square) != run_folder.dataset_hash(
        xr.Dataset({"a": (("y", "x"), np.eye(2))})
    )
    assert run_folder.dataset_hash(-0.0 * square) != run_folder.dataset_hash(0.0 * square), (
        "bits, not values"
    )


def test_a_repeat_agrees_and_another_seed_differs():
    net = jtfne.construct(runs.config().probes(["spk", "vm"]).runtime(duration_ms=20.0))
    first, again, other = (net.simulate(seed=seed).manifest for seed in (3, 3, 4))
    assert reports.differing_readouts(first, again) == []
    assert reports.differing_readouts(first, other) == ["spk", "vm"]
    fewer = {**first, "readouts": {"vm": first["readouts"]["vm"]}}
    assert (
        reports.differing_readouts(first, fewer)
        == reports.differing_readouts(fewer, first)
        == ["spk"]
    )


def test_altered_nodes_are_named():
    signals, manifest = runs.named(), runs.named().manifest
    assert reports.altered_nodes(signals.tree, manifest) == []
    tree = signals.tree.copy(deep=True)
    tree["neurons"]["z_mm"].values[0] += 1
    tree["source"].to_dataset()["source"].values[0] += 1
    tree["lfp_proxy"].attrs = {**tree["lfp_proxy"].attrs, "units": "V"}
    del tree["vm"]
    tree["extra"] = xr.DataTree(xr.Dataset())
    assert reports.altered_nodes(tree, manifest) == [
        "extra",
        "lfp_proxy",
        "neurons",
        "source",
        "vm",
    ]


# check_manifest


def test_a_manifest_that_can_be_repeated_is_given_back():
    manifest = copy_of()
    assert reports.check_manifest(manifest) is manifest


@pytest.mark.parametrize("name", reports.manifest_schema()["required"])
def test_a_manifest_needs_each_part(name):
    manifest = copy_of()
    del manifest[name]
    with pytest.raises(
        jtfne.JtfneError, match=name if name != "manifest_version" else "no manifest of version 1"
    ):
        reports.check_manifest(manifest)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda manifest: [], "no manifest of version 1"),
        (lambda manifest: None, "no manifest of version 1"),
        (lambda manifest: "text", "no manifest of version 1"),
        (lambda manifest: {**manifest, "manifest_version": "0"}, "no manifest of version 1"),
        (lambda manifest: {**manifest, "manifest_version": 1}, "no manifest of version 1"),
        (lambda manifest: {**manifest, "config_sha256": HASH}, "not the one that ran"),
        (lambda manifest: {**manifest, "config": {}}, "not the one that ran"),
        (lambda manifest: {**manifest, "config": []}, "'config' of list"),
        (lambda manifest: {**manifest, "run": 3}, "'run' of int"),
        (lambda manifest: {**manifest, "files": {}}, "'files' of dict"),
        (lambda manifest: {**manifest, "files": [{"path": "a"}]}, "without its hash"),
        (lambda manifest: {**manifest, "readouts": {"vm": 3}}, "without its hash"),
    ],
)
def test_what_cannot_be_repeated_is_refused(spoil, message):
    with pytest.raises(jtfne.JtfneError, match=message):
        reports.check_manifest(spoil(copy_of()))


def test_a_config_changed_anywhere_is_seen():
    manifest = copy_of()
    manifest["config"]["run"]["seed"] += 1
    with pytest.raises(jtfne.JtfneError, match="not the one that ran"):
        reports.check_manifest(manifest)


def test_the_version_is_that_of_the_schema():
    assert (
        reports.manifest_schema()["properties"]["manifest_version"]["const"]
        == room.MANIFEST_VERSION
    )
