"""The barrel recording that ships with elephant, read in place."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne.recordings._packaged import read_packaged

if TYPE_CHECKING:
    import xarray as xr

BARREL_FILE = "current_source_density_src/test_data.mat"
BARREL_SHA256 = "52bfa1d3ddbaa82dd9e4f8e7be77162fb0b0ed360c5880b3a4b4e6adb838abd7"
BARREL_DT_ms = 0.5
BARREL_ONSET_SAMPLE = 125
BARREL_PROVENANCE = (
    "Laminar LFP of rat barrel cortex after a whisker deflection, 23 contacts 0.1 mm apart; "
    "distributed as the "
    "CSDplotter/elephant test recording (Pettersen et al. 2006, J. Neurosci. Methods "
    "154:116-133). The time step of "
    "0.5 ms is that of CSDplotter; the stimulus time is not stored, the onset at sample 125 is "
    "that of the response."
)


def load_barrel(readout: str) -> "xr.DataArray":
    """The barrel recording in elephant's folder, read without importing elephant.

    Raises: JtfneError.
    """
    content = read_packaged("barrel", "elephant", BARREL_FILE, BARREL_SHA256, "jtfne[realdata]")
    import xarray as xr
    from scipy import io

    file: Any = BytesIO(content)  # which scipy reads, whatever its stubs say
    lfp_V = np.asarray(io.loadmat(file)["pot1"], np.float64).T * 1e-6
    n_steps, n_channels = lfp_V.shape
    coords: dict[str, Any] = {
        "time": ("time", np.arange(n_steps) * BARREL_DT_ms, {"units": "ms"}),
        "channel": [f"ch{k:02d}" for k in range(n_channels)],
        "z_mm": ("channel", np.round(0.1 * np.arange(1, n_channels + 1), 9), {"units": "mm"}),
    }
    attrs = {
        "units": "V",
        "long_name": "laminar LFP, rat barrel cortex",
        "readout": readout,
        "proxy": 0,
        "interval_ms": BARREL_DT_ms,
        "onset_ms": BARREL_ONSET_SAMPLE * BARREL_DT_ms,
        "provenance": BARREL_PROVENANCE,
        "sha256": BARREL_SHA256,
    }
    return xr.DataArray(lfp_V, coords=coords, dims=("time", "channel"), attrs=attrs, name=readout)
