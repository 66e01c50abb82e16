"""Every export refuses wrong arguments in one sentence and leaves nothing behind; a test fails
where one has no row.
"""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import jtfne
import runs
from jtfne import interop
from jtfne.analysis import write_report
from jtfne.interop import _inputs

WRONG = (
    None,
    3.0,
    "run",
    {},
    [],
    object,
    np.zeros((5, 3)),
    xr.Dataset(),
    xr.DataTree(),
    pd.DataFrame(),
)
PATHS = (None, 3, b"bytes", "", "a\x00b", [], 1.5)
NUMBERS = ("1", [1.0], np.ones(2), {}, True, 1j, -1.0, 0.0, np.nan, np.inf)
WINDOWS = (
    None,
    3.0,
    "ab",
    (1.0,),
    (1.0, 2.0, 3.0),
    (np.nan, 1.0),
    (0.0, np.inf),
    ("a", "b"),
    (5.0, 1.0),
)
TRIALS = (-1, 2, "0", 0.0, True, [0], np.ones(2))
READERS = (
    "from_bids",
    "from_dipole_text",
    "from_netcdf",
    "from_nwb",
    "from_parquet",
    "from_sonata",
    "from_zarr",
)


def calls(name, folder):
    """Wrong calls of an export or import."""
    function = getattr(interop, name)
    after_path = [folder / "new"] if name in ("to_netcdf", "to_zarr", "write_parquet") else []
    if name == "to_nwb":
        after_path = [folder / "new.nwb"]
    if name == "write_fif":
        after_path = ["eeg_proxy", folder / "new_raw.fif"]
    if name == "write_epochs":
        after_path = ["eeg_proxy", folder / "new-epo.fif"]
    if name in ("to_raw", "to_epochs", "to_evoked"):
        after_path = ["eeg_proxy"]
    if name == "to_bids":
        yield from (lambda wrong=wrong: function(wrong, folder / "new") for wrong in WRONG)
        yield from (lambda path=path: function(runs.named(), path) for path in PATHS)
        yield from (
            lambda wrong=wrong: function(runs.named(), folder / "new", readouts=wrong)
            for wrong in (3, [3], {}, "lfp_proxy", ["meg", "meg"])
        )
        return
    if name in ("to_mne_dipole", "write_dipole_text"):
        paths = [] if name == "to_mne_dipole" else [folder / "new.txt"]
        yield from (lambda wrong=wrong: function(wrong, *paths) for wrong in WRONG)
        yield from (
            lambda area=area: function(runs.named(), *paths, area=area, trial=0)
            for area in (None, 3, [], "V9", {})
        )
        yield from (
            lambda trial=trial: function(runs.named(), *paths, area="V1", trial=trial)
            for trial in TRIALS
        )
        if paths:
            yield from (
                lambda path=path: function(runs.named(), path, area="V1", trial=0)
                for path in (*PATHS, folder / "x.csv")
            )
        return
    if name == "to_sonata":
        yield from (lambda wrong=wrong: function(wrong, folder / "new") for wrong in WRONG)
        yield from (
            lambda wrong=wrong: function(runs.named(), folder / "new", net=wrong)
            for wrong in WRONG[1:]
        )
        yield from (lambda path=path: function(runs.named(), path) for path in PATHS)
        names = (None, 3, "", "a/b", ".", "..", "NULL", "a\x00b", " a")
        yield from (
            lambda name=name: function(runs.named(), folder / "new", population=name)
            for name in names
        )
        return
    if name == "to_json":
        yield from (
            lambda wrong=wrong: function(wrong) for wrong in WRONG if not isinstance(wrong, dict)
        )
        return
    if name in READERS:
        yield from (
            lambda path=path: function(path)
            for path in (*PATHS, folder / "absent", folder, {}, runs.named())
        )
        return
    if name == "from_array":
        yield from (
            lambda wrong=wrong: function(wrong, ("time",), sampling_Hz=1.0, units="V")
            for wrong in WRONG
            if not isinstance(wrong, np.ndarray | float)
        )
        yield from (
            lambda number=number: function([1.0], ("time",), sampling_Hz=number, units="V")
            for number in NUMBERS
        )
        return
    if name in ("from_json", "from_neo", "from_raw", "from_spikes"):
        yield from (lambda wrong=wrong: function(wrong) for wrong in (*WRONG, runs.named()))
        return
    yield from (lambda wrong=wrong: function(wrong, *after_path) for wrong in WRONG)
    if name in ("to_netcdf", "to_nwb", "to_zarr", "write_parquet"):
        yield from (lambda path=path: function(runs.named(), path) for path in PATHS)
    if name == "write_parquet":
        yield lambda: function(runs.named(), folder / "new", large="many")
    if name in ("write_fif", "write_epochs"):
        yield from (
            lambda path=path: function(runs.named(), "eeg_proxy", path)
            for path in (*PATHS, folder / "x.txt")
        )
    if name in ("to_raw", "to_epochs", "to_evoked", "write_fif", "write_epochs"):
        more = after_path[1:]
        readouts = (None, 3, [], "spk", "nothing", {}, ("lfp",))
        yield from (
            lambda readout=readout: function(runs.named(), readout, *more) for readout in readouts
        )
    if name in ("to_raw", "to_epochs", "to_evoked", "write_fif"):
        yield from (
            lambda scale=scale: function(runs.named(), *after_path, scale=scale)
            for scale in NUMBERS
        )
    if name in ("to_raw", "write_fif"):
        yield from (
            lambda trial=trial: function(runs.named(), *after_path, trial=trial) for trial in TRIALS
        )
    if name in ("to_epochs", "to_evoked"):
        yield from (
            lambda window=window: function(runs.named(), "eeg_proxy", window_ms=window)
            for window in WINDOWS
        )
        good = {"label": "L4", "window_ms": (-20.0, 20.0)}
        for window in WINDOWS[1:]:
            yield lambda window=window: function(
                runs.named(), "eeg_proxy", baseline_ms=window, **good
            )
        labels = (3, [], "", ["L4", "L5"], {}, [None])
        yield from (
            lambda label=label: function(runs.named(), "eeg_proxy", label=label) for label in labels
        )
    if name == "to_sphere":
        yield from (
            lambda readout=readout: function(runs.named(), readout)
            for readout in (None, 3, "lfp", [])
        )


@pytest.mark.parametrize("name", interop.__all__)
def test_wrong_arguments_are_refused_in_one_sentence_and_leave_nothing(name, tmp_path):
    n_calls = 0
    for call in calls(name, tmp_path):
        with pytest.raises(jtfne.JtfneError) as refusal:
            call()
        assert "expected" in str(refusal.value) and " (in " in str(refusal.value)
        n_calls += 1
    assert n_calls >= 8 and not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore:2 of 8 events are left out:UserWarning")
@pytest.mark.parametrize(
    "write",
    [
        lambda path: interop.to_netcdf(runs.named(), path),
        lambda path: interop.to_zarr(runs.named(), path),
        lambda path: interop.write_parquet(runs.named(), path),
        lambda path: interop.to_sonata(runs.named(), path),
        lambda path: interop.write_fif(runs.named(), "emm_proxy", path),
        lambda path: interop.to_bids(runs.named(), path, readouts="meg"),
        lambda path: interop.write_epochs(runs.named(), "eeg_proxy", path),
        lambda path: write_report(runs.named(), path, []),
    ],
    ids=["netcdf", "zarr", "parquet", "sonata", "fif", "bids", "epochs", "report"],
)
def test_nothing_that_is_there_is_overwritten(write, tmp_path):
    file, folder = tmp_path / "file_raw.fif", tmp_path / "folder_raw.fif"
    file.write_text("mine", encoding="utf-8")
    folder.mkdir()
    (folder / "mine").write_text("mine", encoding="utf-8")
    below = file / "below_raw.fif"
    for path in (file, folder, below):
        with pytest.raises(jtfne.JtfneError, match=r"exists|below a file"):
            write(path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "file_raw.fif",
        "folder_raw.fif",
        "mine",
    ]
    assert file.read_text(encoding="utf-8") == "mine"


def test_a_folder_closed_for_writing_is_one_clear_error(monkeypatch, tmp_path):
    def closed(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(_inputs.run_folder, "write_beside", closed)
    for write in (interop.to_zarr, interop.to_netcdf, interop.write_parquet, interop.to_sonata):
        with pytest.raises(jtfne.JtfneError, match=r"cannot be written \(Permission denied\)"):
            write(runs.named(), tmp_path / "new")


def test_a_scale_may_be_any_number(tmp_path):
    want = interop.to_raw(runs.named(), "eeg_proxy", scale=2.0).get_data()
    for scale in (2, np.float32(2.0), np.int64(2), np.array(2.0)):
        np.testing.assert_array_equal(
            interop.to_raw(runs.named(), "eeg_proxy", scale=scale).get_data(), want
        )


@pytest.mark.parametrize(
    ("signals", "path", "figures", "comparison"),
    [
        *((wrong, "report.html", [], None) for wrong in WRONG),
        *((runs.named, path, [], None) for path in PATHS),
        *(
            (runs.named, "report.html", figures, None)
            for figures in (None, 3, "a.png", [3], {}, [None])
        ),
        *((runs.named, "report.html", [], comparison) for comparison in (3, "a", {}, [])),
    ],
)
def test_a_report_of_something_else_is_refused(
    signals, path, figures, comparison, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    # made when it is needed, not when tests are collected
    signals = runs.named() if signals is runs.named else signals
    with pytest.raises(jtfne.JtfneError, match=r"expected.*analysis.write_report"):
        write_report(signals, path, figures, comparison)
    assert not list(tmp_path.iterdir())
