"""Units of MNE's channel types: SI, as MNE keeps all data."""

MNE_UNITS: dict[str, str] = {
    **dict.fromkeys(("eeg", "seeg", "ecog", "dbs"), "V"),
    **dict.fromkeys(("mag", "ref_meg"), "T"),
    "grad": "T/m",
    "csd": "V/m^2",
    "dipole": "A m",
}
MEG_TYPES = {"T": "mag", "T/m": "grad"}
"""Unit of a MEG channel -> its type in MNE."""


def find_mne_unit(channel_type: str) -> str:
    """Return the unit of a channel type of MNE, "a.u." for `misc` and all others.

    >>> find_mne_unit("grad"), find_mne_unit("misc")
    ('T/m', 'a.u.')
    """
    return MNE_UNITS.get(channel_type, "a.u.")
