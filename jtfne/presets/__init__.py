"""Ready-made circuits: functions that return a Config, in `PRESETS` by name."""

from collections.abc import Callable

from jtfne.config import Config
from jtfne.presets.brunel import brunel
from jtfne.presets.garcia_del_molino_2017 import garcia_del_molino_2017
from jtfne.presets.hnn_like_column import hnn_like_column
from jtfne.presets.izhikevich_2003 import izhikevich_2003
from jtfne.presets.pd14 import pd14
from jtfne.presets.suite2 import (
    suite2_four_celltype_config,
    suite2_net1_config,
    suite2_single_neuron_config,
    suite2_v1_v4_config,
)
from jtfne.presets.v1_column import v1_column
from jtfne.presets.v1_v4 import v1_v4
from jtfne.presets.vogels_abbott import vogels_abbott

PRESETS: dict[str, Callable[..., Config]] = {
    "suite2_four_celltype": suite2_four_celltype_config,
    "suite2_single_neuron": suite2_single_neuron_config,
    "suite2_net1": suite2_net1_config,
    "suite2_v1_v4": suite2_v1_v4_config,
    "v1_column": v1_column,
    "v1_v4": v1_v4,
    "brunel": brunel,
    "garcia_del_molino_2017": garcia_del_molino_2017,
    "hnn_like_column": hnn_like_column,
    "izhikevich_2003": izhikevich_2003,
    "pd14": pd14,
    "vogels_abbott": vogels_abbott,
}

__all__ = [
    "PRESETS",
    "brunel",
    "garcia_del_molino_2017",
    "hnn_like_column",
    "izhikevich_2003",
    "pd14",
    "suite2_four_celltype_config",
    "suite2_net1_config",
    "suite2_single_neuron_config",
    "suite2_v1_v4_config",
    "v1_column",
    "v1_v4",
    "vogels_abbott",
]
