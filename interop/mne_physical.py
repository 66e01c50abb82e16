"""Volts, tesla and ampere metres as MNE has them: types, units, places, and the head that they were computed in."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jtfne._check import one_of, refuse
from jtfne.geometry import to_head_mm
from jtfne.interop._inputs import check_signals
from jtfne.signals import Signals

if TYPE_CHECKING:
    import mne
    import xarray as xr

M_PER_mm = 1e-3
# Physical readouts over time -> MNE channel type; a MEG channel's is told by its unit.
PHYSICAL = {"eeg": "eeg", "meg": "meg", "lfp": "seeg", "csd": "csd", "dipole": "dipole"}
MEG_KINDS = {"T": "mag", "T/m": "grad"}
HEADS = ("eeg", "meg")
Places = NDArray[np.float64]


def to_sphere(signals: Signals, readout: str = "eeg") -> "mne.bem.ConductorModel":
    """The spherical head that EEG or MEG of a run was computed in, as `mne.make_sphere_model` makes it.

    A fit in another sphere can be a centimetre off at a perfect goodness of fit.

    Parameters
    ----------
    signals : Signals
    readout : str
        ``"eeg"``: centre, four radii and conductivities. ``"meg"``: the centre, which is all that matters there.

    Returns
    -------
    mne.bem.ConductorModel
        In head coordinates. MNE's potentials in it are those of an approximation by three dipoles, within half a
        percent up to 0.85 of the brain's radius.

    Raises
    ------
    JtfneError
        For another readout, one that was not recorded, and one by a forward solution, which has its own head.

    Examples
    --------
    >>> import jtfne
    >>> config = jtfne.suite2_net1_config(20).runtime(duration_ms=5.0).probes(["eeg"])
    >>> to_sphere(jtfne.construct(config).simulate())["r0"].round(3).tolist()
    [0.0, 0.0, 0.04]
    """
    import mne

    check_signals(signals, "to_sphere")
    one_of(readout, HEADS, name="readout", where="to_sphere")
    about = operator_of(signals.get(readout))
    if "forward" in about:
        raise refuse(f"{readout!r} by the forward {about['forward']!r}", "a readout of a head of Spheres", "to_sphere")
    centre_m = M_PER_mm * np.array(about["centre_mm"])
    if readout == "meg":
        return mne.make_sphere_model(r0=centre_m, head_radius=None, verbose="error")
    radii_mm = np.array(about["radii_mm"])
    return mne.make_sphere_model(
        r0=centre_m,
        head_radius=M_PER_mm * radii_mm[-1],
        relative_radii=tuple(radii_mm / radii_mm[-1]),
        sigmas=tuple(about["sigmas_S_m"]),
        verbose="error",
    )


def operator_of(found: "xr.DataArray") -> dict[str, Any]:
    """The parameters of a readout's operator."""
    about: dict[str, Any] = json.loads(found.attrs["operator"])
    return about


def forward_sensors(info: "mne.Info", path: str, sha256: str) -> None:
    """Give the MEG channels of `info` the coils, places and helmet of a forward solution's file.

    Raises: JtfneError if the file is gone, or is another than that of the run.
    """
    import mne

    file = Path(path)
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        given = f"{path!r}, which is gone or not what the run was made with,"
        raise refuse(given, "the forward solution of the run, whose coils the channels are", "to_raw")
    theirs = mne.read_forward_solution(file, verbose="error")["info"]
    coils = dict(zip(theirs["ch_names"], theirs["chs"], strict=True))
    with info._unlock():
        info["dev_head_t"] = theirs["dev_head_t"]
        for channel in info["chs"]:
            there = coils[channel["ch_name"]]
            channel.update({key: there[key] for key in ("loc", "coord_frame", "coil_type", "kind", "unit")})


def kinds_of(found: "xr.DataArray") -> list[str]:
    """The MNE channel type of each row of a physical readout of one trial."""
    if found.name == "meg":
        return [MEG_KINDS[unit] for unit in found["unit"].values]
    n_rows = found.size // found.sizes["time"]
    return [PHYSICAL[str(found.name)]] * n_rows


def factor_of(found: "xr.DataArray", scale: float | None) -> float:
    """What the values are multiplied by: the caller's scale of a proxy; for a density over conductivity, V/m^2."""
    if found.name == "csd":
        return 1.0 / float(operator_of(found)["sigma_S_m"])
    return 1.0 if scale is None else scale


def places_of(signals: Signals, found: "xr.DataArray") -> Places | None:
    """Where the channels of `lfp`, `csd` or `dipole` stand in the head, metres; None without the areas' places."""
    circuit = signals.manifest.get("config", {}).get("circuit", {})
    areas = {area["name"]: area for area in circuit.get("areas", [])}
    placed = [areas.get(str(name), {}) for name in found["area"].values]
    if not all(each.get("position_mm") and each.get("normal") for each in placed):
        return None
    thickness_mm = float(circuit["geometry"]["thickness_mm"])
    inside = np.array([[0.0, 0.0, 0.5 * thickness_mm]])  # as `eeg` and `meg` have the moment of an area
    if "channel" in found.dims:
        depths = found["z_mm"].values
        across = [found[name].values if name in found.coords else 0.0 * depths for name in ("x_mm", "y_mm")]
        inside = np.column_stack([*across, depths])
    rows = [to_head_mm(inside, position_mm=each["position_mm"], normal=each["normal"]) for each in placed]
    return M_PER_mm * np.concatenate(rows)
