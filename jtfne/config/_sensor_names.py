"""Names of the sensors that readouts may have: MNE's own tables, read when a probe names one of
them.
"""

import functools
from collections.abc import Sequence

MONTAGE = "biosemi64"  # in every MNE from 1.12 on, with no two sites in one place
HELMET = "neuromag"
HELMET_LIFT_mm = 40.0  # puts the helmet round a 90 mm head centred 40 mm above the ears, see docs
LIFTS_mm = {HELMET: HELMET_LIFT_mm, "ctf151": 50.0, "ctf275": 50.0}  # to stand round that head


@functools.cache
def list_montages() -> tuple[str, ...]:
    """Names of MNE's standard EEG montages."""
    import mne

    montages: Sequence[str] = mne.channels.get_builtin_montages()
    return tuple(montages)


@functools.cache
def list_sites(montage: str) -> tuple[str, ...]:
    """Names of the sites of a standard montage."""
    import mne

    return tuple(mne.channels.make_standard_montage(montage).ch_names)


@functools.cache
def list_coils(helmet: str, kind: str | bool = True) -> tuple[str, ...]:
    """Names of the MEG channels of a canonical helmet. kind: "mag" for magnetometers alone, True
    for all coils.
    """
    import mne

    info = mne.channels.read_meg_canonical_info(helmet)
    picks = mne.pick_types(info, meg=kind, ref_meg=False, exclude=())
    return tuple(info["ch_names"][k] for k in picks)
