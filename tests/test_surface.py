"""The public names are a frozen list, and each is loaded on first use only."""

import importlib
import json
import subprocess
import sys

import pytest

import jtfne

NAMES = [
    "Config",
    "Configuration",
    "FlatModel",
    "FlatNet",
    "JtfneError",
    "Model",
    "Net",
    "Objective",
    "Paradigm",
    "Signals",
    "Trainer",
    "__version__",
    "analysis",
    "construct",
    "emitters",
    "interop",
    "load",
    "presets",
    "simulate",
    "suite2_four_celltype_config",
    "suite2_net1_config",
    "suite2_single_neuron_config",
    "suite2_v1_v4_config",
    "sweep",
    "synapses",
]
HEAVY = {
    "cmaes",
    "jax",
    "matplotlib",
    "mne",
    "numpy",
    "optax",
    "pandas",
    "pyarrow",
    "scipy",
    "xarray",
    "zarr",
}


def loaded_by(code: str) -> set[str]:
    """The heavy packages that a fresh interpreter loads for `code`; without Dask, for which xarray
    loads scipy.
    """
    script = (
        f"import sys\nsys.modules['dask'] = None\n{code}\nimport json, "
        "sys\nprint(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300
    )
    return HEAVY & set(json.loads(done.stdout.splitlines()[-1]))


def test_public_names_are_the_frozen_list() -> None:
    assert jtfne.__all__ == NAMES
    shown = {name for name in dir(jtfne) if not name.startswith("__")}
    assert {name for name in NAMES if name != "__version__"} < shown
    assert shown - set(NAMES) == {
        *("config", "geometry", "measures", "objective", "operators", "optimizers", "probes"),
        *("sources", "stimuli", "surrogates"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(jtfne, name)
    assert name == "__version__" or value.__doc__


@pytest.mark.parametrize(
    ("older", "newer"), [("Configuration", "Config"), ("Model", "Net"), ("FlatModel", "FlatNet")]
)
def test_older_names_are_the_same_objects(older: str, newer: str) -> None:
    assert getattr(jtfne, older) is getattr(jtfne, newer)


@pytest.mark.parametrize(
    "name",
    [
        "geometry",
        "measures",
        "objective",
        "operators",
        "optimizers",
        "probes",
        "sources",
        "stimuli",
        "surrogates",
    ],
)
def test_rooms_are_reached_without_an_import(name: str) -> None:
    assert getattr(jtfne, name) is importlib.import_module(f"jtfne.{name}")


def test_an_unknown_name_lists_those_known() -> None:
    with pytest.raises(
        AttributeError, match="'jtfne' has no attribute 'Confg'; public names: Config, "
    ):
        _ = jtfne.Confg


def test_import_loads_nothing_heavy() -> None:
    assert loaded_by("import jtfne; jtfne.__version__, dir(jtfne)") == set()


@pytest.mark.parametrize(
    "code",
    [
        "jtfne.Config",
        "jtfne.emitters.LIF",
        "jtfne.construct(jtfne.suite2_single_neuron_config('E'))",
        "jtfne.Paradigm",
        "jtfne.Objective",
        "jtfne.FlatNet",
        "jtfne.optimizers.CMAES()",
    ],
)
def test_a_circuit_needs_no_file_format_and_no_figure(code: str) -> None:
    assert loaded_by(f"import jtfne; {code}") <= {"jax", "numpy"}


def test_a_run_loads_what_labels_need_and_no_more() -> None:
    code = (
        "jtfne.suite2_net1_config(20).runtime(duration_ms=2.0).probes(['spk', 'lfp_proxy', "
        "'spectrolaminar_proxy'])"
    )
    found = loaded_by(f"import jtfne; jtfne.construct({code}).simulate(progress=False)")
    assert found - {"pyarrow"} == {"jax", "numpy", "pandas", "xarray"}  # pandas 3 loads pyarrow


def test_help_of_the_command_line_is_light() -> None:
    code = "import sys\nfrom jtfne.cli import main\nsys.argv = ['jtfne', '--help']\n"
    code += "try:\n    main()\nexcept SystemExit:\n    pass"
    assert not loaded_by(code) & {"jax", "matplotlib", "mne", "pandas", "pyarrow", "xarray", "zarr"}
