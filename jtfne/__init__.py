"""From a neural circuit to its fields: spikes, laminar LFP and CSD, EEG and MEG proxies, in JAX.

The way through: `Config` declares a circuit, `construct` compiles it to a `Net`, `simulate` (or
`Net.simulate`) runs it under a `Paradigm`, and `Signals` holds what was recorded; `load` reads a
run folder back. `Objective` says how far a run is from what it should show, and `Trainer` changes a
circuit until it shows that.

Every public name is loaded when it is first used (PEP 562), so that `import jtfne` costs nothing by
itself.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jtfne import analysis, emitters, interop, presets, synapses
    from jtfne import config as config
    from jtfne import geometry as geometry
    from jtfne import measures as measures
    from jtfne import objective as objective
    from jtfne import operators as operators
    from jtfne import optimizers as optimizers
    from jtfne import probes as probes
    from jtfne import sources as sources
    from jtfne import stimuli as stimuli
    from jtfne import surrogates as surrogates
    from jtfne._check import JtfneError
    from jtfne.config import Config
    from jtfne.flatnet import FlatNet
    from jtfne.net import Net, construct
    from jtfne.objective import Objective
    from jtfne.paradigm import Paradigm
    from jtfne.presets import (
        suite2_four_celltype_config,
        suite2_net1_config,
        suite2_single_neuron_config,
        suite2_v1_v4_config,
    )
    from jtfne.signals import Signals, load
    from jtfne.simulation import simulate
    from jtfne.sweeps import sweep
    from jtfne.trainer import Trainer

    Configuration = Config
    Model = Net
    FlatModel = FlatNet

__version__ = "0.3.0.dev0"

__all__ = [
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

# Public name -> (module, name there). `Configuration`, `Model` and `FlatModel` are upstream's older
# names.
_HOMES = {
    "Config": ("jtfne.config", "Config"),
    "Configuration": ("jtfne.config", "Config"),
    "FlatModel": ("jtfne.flatnet", "FlatNet"),
    "FlatNet": ("jtfne.flatnet", "FlatNet"),
    "JtfneError": ("jtfne._check", "JtfneError"),
    "Model": ("jtfne.net", "Net"),
    "Net": ("jtfne.net", "Net"),
    "Objective": ("jtfne.objective", "Objective"),
    "Paradigm": ("jtfne.paradigm", "Paradigm"),
    "Signals": ("jtfne.signals", "Signals"),
    "Trainer": ("jtfne.trainer", "Trainer"),
    "construct": ("jtfne.net", "construct"),
    "load": ("jtfne.signals", "load"),
    "simulate": ("jtfne.simulation", "simulate"),
    "suite2_four_celltype_config": ("jtfne.presets", "suite2_four_celltype_config"),
    "suite2_net1_config": ("jtfne.presets", "suite2_net1_config"),
    "suite2_single_neuron_config": ("jtfne.presets", "suite2_single_neuron_config"),
    "suite2_v1_v4_config": ("jtfne.presets", "suite2_v1_v4_config"),
    "sweep": ("jtfne.sweeps", "sweep"),
}

# Modules that are reached as attributes without an import of their own; the second row is not part
# of `__all__`.
_MODULES = frozenset(
    (
        *("analysis", "emitters", "interop", "presets", "synapses"),
        *(
            "config",
            "geometry",
            "measures",
            "objective",
            "operators",
            "optimizers",
            "probes",
            "sources",
            "stimuli",
            "surrogates",
        ),
    )
)


def __getattr__(name: str) -> object:
    """Import the public object `name` on first use, and keep it in the module."""
    if name in _MODULES:
        return _import_module(name)
    if name not in _HOMES:
        raise AttributeError(
            f"module 'jtfne' has no attribute {name!r}; public names: {', '.join(__all__)}"
        )
    module, home_name = _HOMES[name]
    value: object = getattr(importlib.import_module(module), home_name)
    globals()[name] = value
    return value


def _import_module(name: str) -> object:
    """Import `jtfne.NAME`.

    Raises: ModuleNotFoundError that says what to do in a checkout without symbolic links, where
    `jtfne/analysis` and `jtfne/interop` are text files.
    """
    try:
        return importlib.import_module(f"jtfne.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"jtfne.{name}":
            raise
        message = (
            f"no module jtfne.{name}: this checkout has no symbolic links; "
            "`python -m pip install -e .` in it makes the package whole"
        )
        raise ModuleNotFoundError(message, name=error.name) from None


def __dir__() -> list[str]:
    """The public names and modules, whether loaded yet or not."""
    hidden = (name for name in globals() if name.startswith("__"))
    return sorted({*__all__, *_MODULES, *hidden})
