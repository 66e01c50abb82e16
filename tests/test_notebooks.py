"""In a notebook every figure shows as a picture, and every object as a table."""

import os
import textwrap
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from jtfne.analysis import figures

SETUP = """
import jtfne, pandas as pd
from jtfne import analysis
from jtfne.analysis import figures, FlipNull
tone = jtfne.Paradigm.pulse(target="E", start_ms=150.0, duration_ms=5.0, amplitude=20.0, label="tone")
probes = ["spk", "vm", "lfp_proxy", "csd_proxy", "eeg_proxy", "spectrolaminar_proxy", "dipole"]
objective = [{"readout": "spk", "measure": {"kind": "MeanRate"}, "target": 5.0, "scale": 1.0}]
config = jtfne.suite2_net1_config(60).probes(probes).objective(objective)
config = config.trainables([{"path": "gains.E->PV", "bounds": [0.5, 2.0]}])
net = jtfne.construct(config)
signals = net.simulate(tone, duration_ms=300.0)
result = jtfne.Objective.of(config).evaluate(signals)
history = pd.DataFrame({"generation": [0, 1], "score": [2.0, 1.0], "passed": [False, True]})
sink = analysis.laminar_features(signals.get("lfp_proxy", area="V1").isel(area=0), onset_ms=150.0)
null = FlipNull(0.1, [0.1, 0.2, 0.3], 0.4)
"""
# What a user types.
CALLS = {
    "connectivity": "figures.connectivity(net.summary().in_degrees)",
    "dipole": "figures.dipole(signals)",
    "flip_null": "figures.flip_null(null)",
    "laminar": 'figures.laminar(signals, readout="csd_proxy")',
    "laminar_comparison": "figures.laminar_comparison(sink, sink)",
    "layout": "figures.layout(signals)",
    "objective": "figures.objective(result)",
    "overview": "figures.overview(signals)",
    "psd": "figures.psd(signals)",
    "raster": "figures.raster(signals)",
    "rates": "figures.rates(signals)",
    "spectrolaminar": "figures.spectrolaminar(signals)",
    "timeline": "figures.timeline(signals)",
    "topography": "figures.topography(signals)",
    "traces": "figures.traces(signals)",
    "training_history": "figures.training_history(history)",
    "vm": "figures.vm(signals)",
}
FILES_ONLY = {"save_all"}  # writes files
OBJECTS = ("config", "net", "tone", "signals", "result")


@pytest.fixture(scope="module")
def outputs() -> dict[str, list[Any]]:
    """What each cell of a notebook shows."""
    # as a user's kernel starts: MPLBACKEND of the test machine would replace its inline figures
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    lines = [SETUP, *CALLS.values(), *OBJECTS]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(line) for line in lines])
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute(env=environment)
    shown = [cell["outputs"] for cell in notebook.cells[1:]]
    return dict(zip([*CALLS, *OBJECTS], shown, strict=True))


def test_every_figure_is_called() -> None:
    assert CALLS.keys() | FILES_ONLY == set(figures.__all__)


@pytest.mark.parametrize("name", CALLS)
def test_a_figure_shows_once_in_its_cell(outputs: dict[str, list[Any]], name: str) -> None:
    pictures = [output for output in outputs[name] if "image/png" in output.get("data", {})]
    assert len(pictures) == 1
    assert all(output["output_type"] != "stream" for output in outputs[name]), outputs[name]


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_shows_a_table(outputs: dict[str, list[Any]], name: str) -> None:
    (output,) = outputs[name]
    assert "<table>" in output["data"]["text/html"]


def test_a_notebook_shows_a_bar_of_text_without_a_warning() -> None:
    code = """
    import warnings
    warnings.simplefilter("error")
    import jtfne
    from jtfne import _terminal
    assert _terminal.stderr_is_notebook() and not _terminal.stderr_is_terminal()
    net = jtfne.construct(jtfne.suite2_single_neuron_config("E").runtime(duration_ms=20.0))
    signals = net.simulate(progress=True)
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(textwrap.dedent(code))])
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = notebook.cells[0]["outputs"]
    assert {output["name"] for output in outputs} == {"stderr"}
    assert "simulating 100 %" in "".join(output["text"] for output in outputs)


def test_files_are_drawn_off_screen(tmp_path: Path) -> None:
    from matplotlib import pyplot

    from test_figures import made

    assert len(figures.save_all(made(), tmp_path / "figures")) > 5
    assert pyplot.get_fignums() == []


def test_pyplot_finds_the_figure_of_a_script() -> None:
    from matplotlib import pyplot

    from test_figures import made

    axes = figures.raster(made())
    assert pyplot.get_fignums() == [1] and pyplot.gca() is axes
    own = pyplot.figure().add_subplot()
    assert figures.raster(made(), own) is own and len(pyplot.get_fignums()) == 2
