"""Physical readouts as MNE has them: channel types, units, positions, and the head model."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne._check import names_arguments, one_of, refuse
from jtfne._mne_units import MEG_TYPES
from jtfne._units import M_PER_mm
from jtfne.geometry import to_head_mm
from jtfne.interop._inputs import check_signals
from jtfne.readouts import find_readout, list_readouts
from jtfne.signals import Signals

if TYPE_CHECKING:
    import mne
    import xarray as xr

Places = NDArray[np.float64]
N_HEAD_POINTS = 60


@names_arguments
def to_sphere(signals: Signals, readout: str = "eeg") -> "mne.bem.ConductorModel":
    """The spherical head model of a run's EEG or MEG, as `mne.make_sphere_model` makes it.

    A fit in another sphere can be a centimetre off at a perfect goodness of fit.

    Parameters
    ----------
    signals : Signals
    readout : str
        ``"eeg"``: centre, four radii and conductivities. ``"meg"``: the centre, which is all that
        matters there.

    Returns
    -------
    mne.bem.ConductorModel
        In head coordinates. MNE's potentials in it are those of an approximation by three dipoles,
        within half a percent up to 0.85 of the brain's radius.

    Raises
    ------
    JtfneError
        For another readout, one that was not recorded, and one by a forward solution, which has its
        own head.

    Examples
    --------
    >>> import jtfne
    >>> config = jtfne.suite2_net1_config(20).runtime(duration_ms=5.0).probes(["eeg"])
    >>> to_sphere(jtfne.construct(config).simulate())["r0"].round(3).tolist()
    [0.0, 0.0, 0.04]
    """
    import mne

    check_signals(signals, "to_sphere")
    heads = [
        name for name, cls in list_readouts().items() if cls.row_kind() == "head" and not cls.proxy
    ]
    one_of(readout, heads, name="readout", where="to_sphere")
    operator = read_operator(signals.get(readout))
    if "forward" in operator:
        raise refuse(
            f"{readout!r} by the forward {operator['forward']!r}",
            "a readout of a head of Spheres",
            "to_sphere",
        )
    centre_m = M_PER_mm * np.array(operator["centre_mm"])
    if list_readouts()[readout].mne_type == "meg":  # which hangs on the centre alone
        return mne.make_sphere_model(r0=centre_m, head_radius=None, verbose="error")
    radii_mm = np.array(operator["radii_mm"])
    return mne.make_sphere_model(
        r0=centre_m,
        head_radius=M_PER_mm * radii_mm[-1],
        relative_radii=tuple(radii_mm / radii_mm[-1]),
        sigmas=tuple(operator["sigmas_S_m"]),
        verbose="error",
    )


def read_operator(data: "xr.DataArray") -> dict[str, Any]:
    """The parameters of the operator that a readout was computed by."""
    parameters: dict[str, Any] = json.loads(data.attrs["operator"])
    return parameters


def locate_fiducials_m(centre_mm: Any, radius_mm: float) -> dict[str, Places]:
    """Nasion and both preauricular points of a spherical head, in m; empty where it has none.

    Head coordinates are defined by them: the x axis goes through the ears, the y axis through the
    nasion. So they are where the sphere meets these axes.
    """
    x, y, z = np.asarray(centre_mm, np.float64)
    along_y, along_x = radius_mm**2 - x**2 - z**2, radius_mm**2 - y**2 - z**2
    if along_y <= 0.0 or along_x <= 0.0:
        return {}
    points_mm = {
        "nasion": [0.0, y + np.sqrt(along_y), 0.0],
        "lpa": [x - np.sqrt(along_x), 0.0, 0.0],
        "rpa": [x + np.sqrt(along_x), 0.0, 0.0],
    }
    return {name: M_PER_mm * np.array(point_mm) for name, point_mm in points_mm.items()}


def spread_head_points_m(centre_mm: Any, radius_mm: float) -> Places:
    """Points all over a spherical head above its centre, (N_HEAD_POINTS, 3) in m.

    By a spiral of the golden angle, evenly, as a digitiser would collect them.
    """
    k = np.arange(N_HEAD_POINTS)
    height = (k + 0.5) / N_HEAD_POINTS  # above the centre, over the radius
    angle = k * np.pi * (3.0 - np.sqrt(5.0))
    breadth = np.sqrt(1.0 - height**2)
    directions = np.column_stack([breadth * np.cos(angle), breadth * np.sin(angle), height])
    return M_PER_mm * (np.asarray(centre_mm, np.float64) + radius_mm * directions)


def forward_sensors(info: "mne.Info", path: str, sha256: str) -> None:
    """Give the MEG channels of `info` the coils, places and helmet of a forward solution's file.

    Raises: JtfneError if the file is gone, or is another than that of the run.
    """
    import mne

    file = Path(path)
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        description = f"{path!r}, which is gone or not what the run was made with,"
        raise refuse(
            description, "the forward solution of the run, whose coils the channels are", "to_raw"
        )
    forward_info = mne.read_forward_solution(file, verbose="error")["info"]
    coils = dict(zip(forward_info["ch_names"], forward_info["chs"], strict=True))
    with info._unlock():
        info["dev_head_t"] = forward_info["dev_head_t"]
        for channel in info["chs"]:
            coil = coils[channel["ch_name"]]
            channel.update(
                {key: coil[key] for key in ("loc", "coord_frame", "coil_type", "kind", "unit")}
            )


def find_mne_type(data: "xr.DataArray", scale: float | None) -> str:
    """The MNE channel type of a readout; `misc` for a proxy without scale, and what is unknown."""
    readout = find_readout(str(data.name))
    if readout is None or (readout.proxy and scale is None):
        return "misc"
    return readout.mne_type or "misc"


def list_channel_types(data: "xr.DataArray", mne_type: str) -> list[str]:
    """The MNE channel type of each row of a readout of one trial."""
    if mne_type == "meg":
        return [MEG_TYPES[unit] for unit in data["unit"].values]
    n_rows = data.size // data.sizes["time"]
    return [mne_type] * n_rows


def factor_to_mne(data: "xr.DataArray", scale: float | None) -> float:
    """The factor from values to MNE's unit: a proxy's scale; for CSD 1 / conductivity (V/m^2)."""
    if scale is None and find_mne_type(data, scale) == "csd":
        return 1.0 / float(read_operator(data)["sigma_S_m"])
    return 1.0 if scale is None else scale


def read_area(signals: Signals, area: str) -> dict[str, Any]:
    """The declaration of an area in the run's config; empty where it has none."""
    circuit = signals.manifest.get("config", {}).get("circuit", {})
    for declaration in circuit.get("areas", []):
        if declaration["name"] == area:
            return dict(declaration)
    return {}


def locate_in_head_m(signals: Signals, data: "xr.DataArray") -> Places | None:
    """Head positions of the channels of columns, (n, 3) in m, or None."""
    circuit = signals.manifest.get("config", {}).get("circuit", {})
    area_configs = [read_area(signals, str(name)) for name in np.ravel(data["area"].values)]
    if not all(area.get("position_mm") and area.get("normal") for area in area_configs):
        return None
    thickness_mm = float(circuit["geometry"]["thickness_mm"])
    # as `eeg` and `meg` have the moment of an area
    points_mm = np.array([[0.0, 0.0, 0.5 * thickness_mm]])
    if "channel" in data.dims:
        depths_mm = data["z_mm"].values
        points_mm = np.zeros((depths_mm.size, 3))
        points_mm[:, 2] = depths_mm
        for k, name in enumerate(("x_mm", "y_mm")):
            if name in data.coords:
                points_mm[:, k] = data[name].values
    head_mm = []
    for area in area_configs:
        head_mm.append(
            to_head_mm(points_mm, position_mm=area["position_mm"], normal=area["normal"])
        )
    return M_PER_mm * np.concatenate(head_mm)
