"""Any forward solution of MNE as an operator: a head from an MRI, made elsewhere."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._check import one_of, refuse
from jtfne._mne_units import MNE_UNITS
from jtfne._tree import register
from jtfne.operators._base import Matrix, Operator, Parameters

if TYPE_CHECKING:
    import mne

TYPES = ("eeg", "grad", "mag", "ref_meg")  # of channels that a forward may have


@register
@dataclasses.dataclass(frozen=True, init=False)
class FromForward(Operator):
    """Lead field of an MNE forward solution: (n_channels, n_dipoles, 3) V, T or T/m per A m.

    (n_channels, n_dipoles) if its sources have a fixed orientation: moments are then along the
    normals of the sources. Else they are along x, y and z of the head, whatever axes the forward
    has.

    Parameters
    ----------
    forward : mne.Forward
        A forward solution in head coordinates.
    channels : sequence of str, optional
        The channels to take, in this order; all of them if left out.

    Raises
    ------
    JtfneError
        For anything but a forward, a forward in another frame or with numbers that are not finite,
        and a channel that it does not have.

    Examples
    --------
    >>> import mne
    >>> import numpy as np
    >>> from jtfne.operators import FromForward
    >>> sites = {"Cz": [0.0, 0.0, 0.13], "Oz": [0.0, -0.09, 0.04]}  # m
    >>> montage = mne.channels.make_dig_montage(sites, coord_frame="head")
    >>> info = mne.create_info(["Cz", "Oz"], 1000.0, "eeg").set_montage(montage)
    >>> sphere = mne.make_sphere_model(r0=(0.0, 0.0, 0.04), head_radius=0.09, verbose="error")
    >>> place = {"rr": np.array([[0.0, 0.0, 0.1]]), "nn": np.array([[0.0, 0.0, 1.0]])}  # m
    >>> source = mne.setup_volume_source_space(pos=place, verbose="error")
    >>> forward = mne.make_forward_solution(info, None, source, sphere, meg=False, verbose="error")
    >>> leadfield = FromForward(forward, channels=["Oz", "Cz"])
    >>> leadfield.matrix.shape, leadfield.units
    ((2, 1, 3), ('A m', 'V'))
    """

    def __init__(self, forward: "mne.Forward", channels: Sequence[str] | None = None) -> None:
        import mne
        from mne.io.constants import FIFF

        where = "FromForward"
        if not isinstance(forward, mne.Forward):
            raise refuse(f"a {type(forward).__name__}", "an mne.Forward", where)
        if forward["coord_frame"] != FIFF.FIFFV_COORD_HEAD:
            raise refuse(
                f"a forward in frame {forward['coord_frame']}", "one in head coordinates", where
            )
        names = list(forward["sol"]["row_names"])
        sensor_names = (
            names
            if channels is None
            else [one_of(channel, names, name="channel", where=where) for channel in channels]
        )
        if not sensor_names or len(set(sensor_names)) != len(sensor_names):
            raise refuse(f"channels={list(sensor_names)}", "each channel once, at least one", where)
        leadfield = np.asarray(forward["sol"]["data"], np.float64)[
            [names.index(name) for name in sensor_names]
        ]
        if not np.isfinite(leadfield).all():
            raise refuse("a forward with numbers that are not finite", "finite numbers", where)
        units = _units(forward, sensor_names)
        is_fixed = forward["source_ori"] == FIFF.FIFFV_MNE_FIXED_ORI
        parameters: dict[str, Any] = {
            "sensors": sensor_names,
            "units": units,
            "n_dipoles": int(forward["nsource"]),
        }
        parameters |= {"orientation": "fixed" if is_fixed else "free"}
        matrix = (
            leadfield
            if is_fixed
            else _along_head_axes(leadfield, np.asarray(forward["source_nn"], np.float64))
        )
        unit = " and ".join(sorted(set(units)))
        super().__init__(matrix, ("A m", unit), "MNE forward solution", Parameters(parameters))


def _along_head_axes(leadfield: Matrix, axes: Matrix) -> Matrix:
    """Rotate a lead field from each dipole's axes to those of the head.

    (n_channels, 3 n_dipoles) along each dipole's three `axes` (3 n_dipoles, 3) -> (n_channels,
    n_dipoles, 3).
    """
    of_dipoles = leadfield.reshape(len(leadfield), -1, 3)
    rotated: Matrix = np.einsum("cdj,djk->cdk", of_dipoles, axes.reshape(-1, 3, 3))
    return rotated


def _units(forward: "mne.Forward", channels: list[str]) -> list[str]:
    """Return each channel's unit.

    Raises: JtfneError for a type of channel that no forward has.
    """
    kinds = dict(zip(forward["info"]["ch_names"], forward["info"].get_channel_types(), strict=True))
    return [
        MNE_UNITS[one_of(kinds[channel], TYPES, name="channel type", where="FromForward")]
        for channel in channels
    ]
