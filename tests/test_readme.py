"""The README opens with what works: its two commands, and the two workflows of the contract, run
verbatim.
"""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = (
    "python -m pip install . && jtfne run v1_column -o out/",
    "python -m pip install nox && nox -s tests",
)
WORKFLOW_1 = """\
import jtfne

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

net = jtfne.construct(cfg)
paradigm = jtfne.Paradigm.constant_dc(target={"area": "V1"}, amplitude=1.0)
signals = net.simulate(paradigm=paradigm, seed=7)
print(signals.get("spikes", layout="time_node").shape)      # (10000, 100)
"""
WORKFLOW_2 = """\
import jtfne

cfg = jtfne.suite2_four_celltype_config(seed=0)
model = jtfne.construct(cfg)
signals = jtfne.simulate(model, duration_ms=10, dt_ms=0.1, seed=0)

vm = signals.get("vm")                       # alias for V_m
vm_excit = signals.get("vm", cell_type="E")  # selector over the neuron axis
idx = model.select(cell_type="E")            # resolve a selector to indices
"""


def run(code: str) -> tuple[str, dict[str, Any]]:
    """What `code` prints, and the names it leaves."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "README.md", "exec"), names)
    return printed.getvalue(), names


@pytest.mark.parametrize("workflow", [WORKFLOW_1, WORKFLOW_2], ids=["dc", "four_celltypes"])
def test_readme_has_the_workflow(workflow: str) -> None:
    assert f"```python\n{workflow}```" in README


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_has_the_command(command: str) -> None:
    assert f"\n{command}\n" in README


def test_readme_links_to_what_exists() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_first_workflow_prints_its_shape_and_fires() -> None:
    printed, names = run(WORKFLOW_1)
    assert printed == "(10000, 100)\n"
    rate_Hz = len(names["signals"].spikes) / 100 / 1.0
    assert 8.0 <= rate_Hz <= 18.0


def test_second_workflow_selects() -> None:
    _, names = run(WORKFLOW_2)
    vm, vm_excit, idx = names["vm"], names["vm_excit"], names["idx"]
    assert vm.sizes["time"] == vm_excit.sizes["time"] == 100
    assert 0 < vm_excit.sizes["neuron"] == len(idx) < vm.sizes["neuron"]
    np.testing.assert_array_equal(vm_excit.values, vm.isel(neuron=idx).values)
