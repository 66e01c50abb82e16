"""A readout class from outside jtfne: taken where those of the catalogue are, and refused with the
place where it does not say what it is.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np
import pytest

import jtfne
from jtfne import interop
from jtfne.config import Curve
from jtfne.measures import EvokedWaveform, MeanRate
from jtfne.objective import Objective
from jtfne.operators import area_mean
from jtfne.readouts import FieldProbe, Linear, ProbeContext, Readout, find_readout

EXAMPLE = Path(__file__).parent.parent / "examples" / "12_own_readout.py"


class Current(Readout):
    """`current`: the mean source of each area, pA."""

    interval_ms: float = 1.0

    readout: ClassVar[str] = "current"
    aliases: ClassVar[tuple[str, ...]] = ("mean_current",)
    long_name: ClassVar[str] = "mean source current"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time", "area")
    coords: ClassVar[tuple[str, ...]] = ("area",)
    units: ClassVar[str] = "pA"
    proxy: ClassVar[bool] = False

    def build(self, context: ProbeContext) -> FieldProbe:
        """Return the probe of the mean over the cells of each area."""
        cells = context.cells
        part = Linear.from_operators((area_mean(np.asarray(cells.area), len(cells.areas)),))
        coords = {"area": (("area",), np.array(cells.areas))}
        return FieldProbe.build(self, context, part, coords, {"name": "mean"})


def base() -> jtfne.Config:
    """Two areas of 75 cells, 30 ms."""
    return jtfne.suite2_v1_v4_config(75).runtime(seed=1, duration_ms=30.0, dt_ms=0.1)


@pytest.fixture(scope="module")
def signals() -> Any:
    return jtfne.construct(base().probes(["spk", "source", Current()])).simulate()


def test_it_is_recorded_like_any_other(signals: Any) -> None:
    values = signals.get("current")
    assert values.dims == ("time", "area") and values.attrs["units"] == "pA"
    source = signals.get("source")
    want = source.groupby("area").mean("neuron").transpose("time", "area").sel(area=values["area"])
    np.testing.assert_allclose(values.values, want.values, rtol=1e-4, atol=1e-3)
    assert signals.get("mean_current").equals(values)
    assert signals.recorded() == ("spk", "source", "current")
    assert signals.manifest["operators"]["current"] == {"name": "mean"}


def test_it_goes_wherever_signals_go(signals: Any, tmp_path: Path) -> None:
    raw = interop.to_raw(signals, "current")
    assert raw.ch_names == ["V1", "V4"] and set(raw.get_channel_types()) == {"misc"}
    signals.save(tmp_path / "run")
    again = jtfne.load(tmp_path / "run")
    assert again.get("current").equals(signals.get("current"))
    paths = jtfne.analysis.figures.save_all(signals, tmp_path / "figures")
    assert "02_raster" in {path.stem for path in paths}


def test_an_objective_measures_it(signals: Any) -> None:
    current = signals.get("current", area="V1").isel(area=0)
    coords = {"time": current["time"].values.tolist()}
    one_more = (current.values.astype(float) + 1.0).tolist()
    recorded = Curve(values=one_more, dims=("time",), coords=coords, units="pA")
    metric = {
        "measure": EvokedWaveform(),
        "readout": "mean_current",
        "cells": {"area": "V1"},
        "target": recorded,
    }
    config = base().probes(["spk", Current()]).objective([metric])
    assert config.training.objective.metrics[0].readout == "current"
    assert Objective.of(config).evaluate(signals).score == pytest.approx(1.0)
    with pytest.raises(jtfne.JtfneError, match="a MeanRate of 'current'"):
        base().probes(["spk", Current()]).objective(
            [{"measure": MeanRate(), "readout": "current", "target": 3.0}]
        )


def test_a_config_names_it_by_its_class(tmp_path: Path) -> None:
    config = base().probes(["spk", Current(interval_ms=0.5)])
    kind = f"{__name__}:Current"
    assert config.to_dict()["readouts"]["probes"][1] == {"interval_ms": 0.5, "kind": kind}
    for again in (
        jtfne.Config.from_json(config.to_json()),
        jtfne.Config.from_toml(config.to_toml()),
        base().probes(["spk", {"kind": "current", "interval_ms": 0.5}]),
    ):
        assert again == config and again.hash == config.hash
    assert type(base().probes(["mean_current"]).readouts.probes[0]) is Current
    assert find_readout("mean_current") is Current and find_readout("nothing") is None


def test_a_file_imports_it_only_if_allowed(tmp_path: Path) -> None:
    source = EXAMPLE.read_text(encoding="utf-8").split("config = ")[0]
    (tmp_path / "strangers_readouts.py").write_text(source, encoding="utf-8")
    declared = {"kind": "strangers_readouts:AreaCurrent"}
    config = base().to_dict()
    config["readouts"]["probes"] = [declared]
    path = tmp_path / "config.json"
    path.write_text(jtfne._json.dumps(config), encoding="utf-8")
    code = (
        f"import sys, jtfne\ntry:\n    jtfne.Config.from_file({str(path)!r})\nexcept jtfne.JtfneError as "
        "error:\n    print('allow_code=True' in str(error), 'strangers_readouts' in sys.modules)\n"
        f"print(jtfne.Config.from_file({str(path)!r}, allow_code=True).readout_names())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    assert done.stdout.splitlines() == ["True False", "('area_current',)"], done.stderr


class Taken(Current):
    readout: ClassVar[str] = "lfp"


class Unnamed(Readout):
    readout: ClassVar[str] = "unnamed"
    dims: ClassVar[tuple[str, ...]] = ("trial", "time")

    def build(self, context: ProbeContext) -> Any:
        """Never called."""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Taken(), "Taken, called 'lfp' as a readout of jtfne"),
        (Unnamed(), "Unnamed without long_name, coords, units, proxy"),
        ({"kind": "jtfne.config:Area"}, "which is no readout"),
        ({"kind": "jtfne.readouts:nothing"}, "which is no readout"),
        ({"kind": f"{__name__}:Current", "interval": 2.0}, "unknown key 'interval'"),
        ("curent", "nearest: 'current'"),
    ],
)
def test_what_is_no_readout_is_refused_with_its_place(value: Any, words: str) -> None:
    with pytest.raises(jtfne.JtfneError) as caught:
        base().probes(["spk", value])
    assert words in str(caught.value) and "Config.readouts.probes[1]" in str(caught.value)


def test_a_bad_setting_is_refused_by_the_class() -> None:
    with pytest.raises(jtfne.JtfneError, match="interval_ms"):
        Current(interval_ms="soon")
    with pytest.raises(jtfne.JtfneError, match=r"interval_ms=0\.25"):
        base().runtime(dt_ms=0.1).probes([Current(interval_ms=0.25)]).check()
    assert jax.tree.leaves(Current()) == [Current()], "a declaration is no pytree"
