"""Any forward solution of MNE as an operator: a head from an MRI, made elsewhere."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jtfne._check import one_of, refuse
from jtfne._tree import register
from jtfne.operators._base import Matrix, Operator, Parameters

if TYPE_CHECKING:
    import mne


@register
@dataclasses.dataclass(frozen=True, init=False)
class FromForward(Operator):
    """An `mne.Forward` in head coordinates: (n_channels, n_dipoles, 3); (n_channels, n_dipoles) if oriented.

    channels: those wanted, in that order; all by default. Moments are along x, y and z of the head, whatever axes the
    forward has, in A m; channels in V (EEG), T or T/m (MEG). A fixed orientation takes amplitudes along its normals.
    Raises: JtfneError for what is no forward, another frame, a channel that it does not have, numbers not finite.
    """

    def __init__(self, forward: "mne.Forward", channels: Sequence[str] | None = None) -> None:
        import mne
        from mne.io.constants import FIFF

        where = "FromForward"
        if not isinstance(forward, mne.Forward):
            raise refuse(f"a {type(forward).__name__}", "an mne.Forward", where)
        if forward["coord_frame"] != FIFF.FIFFV_COORD_HEAD:
            raise refuse(f"a forward in frame {forward['coord_frame']}", "one in head coordinates", where)
        names = list(forward["sol"]["row_names"])
        chosen = names if channels is None else [one_of(each, names, name="channel", where=where) for each in channels]
        if not chosen or len(set(chosen)) != len(chosen):
            raise refuse(f"channels={list(chosen)}", "each channel once, at least one", where)
        lead = np.asarray(forward["sol"]["data"], np.float64)[[names.index(each) for each in chosen]]
        if not np.isfinite(lead).all():
            raise refuse("a forward with numbers that are not finite", "finite numbers", where)
        units = _units(forward, chosen)
        fixed = forward["source_ori"] == FIFF.FIFFV_MNE_FIXED_ORI
        about: dict[str, Any] = {"sensors": chosen, "units": units, "n_dipoles": int(forward["nsource"])}
        about |= {"orientation": "fixed" if fixed else "free"}
        matrix = lead if fixed else _along_head_axes(lead, np.asarray(forward["source_nn"], np.float64))
        unit = " and ".join(sorted(set(units)))
        super().__init__(matrix, ("A m", unit), "MNE forward solution", Parameters(about))


def _along_head_axes(lead: Matrix, axes: Matrix) -> Matrix:
    """(n_channels, 3 n_dipoles) along each dipole's three `axes` (3 n_dipoles, 3) -> (n_channels, n_dipoles, 3)."""
    of_dipoles = lead.reshape(len(lead), -1, 3)
    turned: Matrix = np.einsum("cdj,djk->cdk", of_dipoles, axes.reshape(-1, 3, 3))
    return turned


def _units(forward: "mne.Forward", channels: list[str]) -> list[str]:
    """Each channel's unit. Raises: JtfneError for a type of channel that no forward has."""
    kinds = dict(zip(forward["info"]["ch_names"], forward["info"].get_channel_types(), strict=True))
    units = {"eeg": "V", "grad": "T/m", "mag": "T", "ref_meg": "T"}
    return [units[one_of(kinds[each], units, name="channel type", where="FromForward")] for each in channels]
