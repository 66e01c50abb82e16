"""A sweep is its runs: each what `simulate` gives, labelled, and the same however often it was
stopped.
"""

import math

import numpy as np
import pytest
import xarray as xr

import jtfne
from aims import Rates
from jtfne import JtfneError, engine
from jtfne.measures import MeanRate
from test_trainer import CONFIG, NET, Stopped, StoppingClient

GRID = {"cells.E.drive": [2.0, 3.5, 9.0], "gains.E->PV": [0.5, 1.0, 2.0]}
SEEDS = (0, 7)


@pytest.fixture(scope="module")
def rates():
    return jtfne.sweep(NET, GRID, SEEDS)


def test_every_run_is_that_of_the_circuit_that_is_constructed_so(rates):
    assert dict(rates["rate_Hz"].sizes) == {
        "cells.E.drive": 3,
        "gains.E->PV": 3,
        "seed": 2,
        "cell_type": 4,
    }
    assert (
        rates["rate_Hz"].attrs["units"] == "Hz"
        and rates["cells.E.drive"].values.tolist() == GRID["cells.E.drive"]
    )
    for drive, gain, seed in ((2.0, 2.0, 7), (9.0, 0.5, 0), (3.5, 1.0, 7)):
        config = CONFIG.cell_params({"E": {"drive": drive}}).connections(gains={"E->PV": gain})
        table = (
            jtfne.construct(config)
            .simulate(seed=seed, progress=False)
            .rates()
            .set_index("cell_type")["rate_Hz"]
        )
        mine = rates["rate_Hz"].sel({"cells.E.drive": drive, "gains.E->PV": gain, "seed": seed})
        for name in ("E", "PV", "SST", "VIP"):
            assert float(mine.sel(cell_type=name)) == table[name]


def test_no_run_is_compiled_anew():
    net = jtfne.construct(CONFIG.runtime(duration_ms=40.0))
    before = engine.advance_jit._cache_size()
    jtfne.sweep(net, GRID)
    assert engine.advance_jit._cache_size() <= before + 1


def test_a_sweep_that_was_stopped_goes_on(tmp_path, rates):
    for after in (3, 17):  # in the first eight combinations, and after them
        with pytest.raises(Stopped):
            jtfne.sweep(NET, GRID, SEEDS, out=tmp_path / "out", client=StoppingClient(after))
    assert len(list((tmp_path / "out").glob("part_*"))) == 1
    done = jtfne.sweep(NET, GRID, SEEDS, out=tmp_path / "out")
    xr.testing.assert_identical(done, rates)
    xr.testing.assert_identical(
        jtfne.sweep(NET, GRID, SEEDS, out=tmp_path / "out", client=StoppingClient(0)), rates
    )
    with xr.open_dataset(tmp_path / "out/sweep.nc", engine="h5netcdf") as stored:
        np.testing.assert_array_equal(stored["rate_Hz"].values, rates["rate_Hz"].values)


def test_a_folder_of_another_sweep_is_refused(tmp_path):
    grid = {"cells.E.drive": [2.0]}
    jtfne.sweep(NET, grid, out=tmp_path)
    for changed in ({"values": {"cells.E.drive": [2.5]}}, {"seeds": (1,)}, {"of": Rates()}):
        with pytest.raises(
            JtfneError, match=rf"something else \({next(iter(changed))}:.*sweep\(out=\)"
        ):
            jtfne.sweep(NET, **{"values": grid, "seeds": (0,), "out": tmp_path, **changed})
    with pytest.raises(JtfneError, match="resume=True"):
        jtfne.sweep(NET, grid, out=tmp_path, resume=False)


def spread(signals):
    """A number, an array with labels, and one without."""
    counts = (
        signals.spikes.groupby("neuron").size().reindex(signals.neurons["neuron"], fill_value=0)
    )
    labelled = xr.DataArray(
        counts.to_numpy(), {"neuron": counts.index.to_numpy()}, ("neuron",), attrs={"units": "1"}
    )
    return {"n": len(signals.spikes), "counts": labelled, "first": np.array([1.0, math.nan])}


def test_a_function_of_the_signals_may_say_what_is_kept():
    found = jtfne.sweep(NET, {"cells.E.drive": [2.0, 9.0]}, of=spread)
    assert found["n"].dims == ("cells.E.drive", "seed") and found["counts"].dims == (
        *found["n"].dims,
        "neuron",
    )
    np.testing.assert_array_equal(found["counts"].sum("neuron").values, found["n"].values)
    assert found["counts"].attrs["units"] == "1" and np.isnan(found["first"].values[..., 1]).all()
    one = jtfne.sweep(NET, {"cells.E.drive": [2.0]}, of=lambda signals: len(signals.spikes))
    assert float(one["value"].squeeze()) == float(found["n"][0, 0])


def test_an_objective_may_say_what_is_kept():
    aim = [
        {"measure": MeanRate(), "cells": name, "target": 8.0, "name": name} for name in ("E", "PV")
    ]
    found = jtfne.sweep(NET, {"cells.E.drive": [2.0, 9.0]}, of=jtfne.Objective(aim))
    assert found["term"].dims == ("cells.E.drive", "seed", "metric") and found[
        "metric"
    ].values.tolist() == ["E", "PV"]
    np.testing.assert_allclose(
        found["term"].sum("metric").values, found["score"].values, rtol=1e-12
    )


def test_runs_that_go_wrong_are_told(tmp_path):
    found = jtfne.sweep(NET, {"cells.E.drive": [3.5, -1e30]}, out=tmp_path)
    assert (
        np.isnan(found["rate_Hz"].sel({"cells.E.drive": -1e30})).all()
        and found.attrs["n_failed"] == 1
    )
    assert (
        np.isfinite(found["rate_Hz"].sel({"cells.E.drive": 3.5})).all()
        and "membrane" in found.attrs["failures"]
    )


def test_numbers_of_layers_are_written_too(tmp_path):
    config = jtfne.suite2_v1_v4_config(100).runtime(duration_ms=20.0)
    path = "connections.V1/L2/3/E->V4/L4/E.weight"
    found = jtfne.sweep(jtfne.construct(config), {path: [0.0, 60.0]}, out=tmp_path)
    assert path in found.dims
    with xr.open_dataset(tmp_path / "sweep.nc", engine="h5netcdf") as stored:
        assert stored.sizes["connections.V1_L2_3_E->V4_L4_E.weight"] == 2


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"values": {}}, "at least one"),
        ({"values": {"cells.E.drve": [1.0]}}, r"nearest: 'cells\.E\.drive'"),
        ({"values": {"cells.E.drive": []}}, r"values of 'cells\.E\.drive'.*at least one"),
        ({"values": {"cells.E.drive": [1.0, math.nan]}}, "finite"),
        ({"values": {"cells.E.drive": [1.0, 1.0]}}, "given twice"),
        ({"values": {"cells.E.noise": [-1.0, 1.0]}}, r"(?s)'cells\.E\.noise'.*noise=-1"),
        (
            {"values": {"connections.E->PV.weight": [1.0], "connections.E->PV:AMPA.weight": [2.0]}},
            "two paths to one",
        ),
        ({"seeds": ()}, "at least one"),
        ({"of": 3.0}, r"of=3\.0"),
        ({"of": lambda signals: "many"}, r"'value' of a str.*number"),
    ],
)
def test_what_cannot_be_swept_is_refused(given, told):
    with pytest.raises(JtfneError, match=told):
        jtfne.sweep(NET, **{"values": {"cells.E.drive": [1.0]}, **given})
