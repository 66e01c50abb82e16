"""A spherical head in head coordinates with MNE's sensors on it, and MNE's own forward solutions in
it.
"""

import functools

import mne
import numpy as np

from jtfne.operators import onto_sphere, unit_rows

CENTRE_mm = np.array([0.0, 0.0, 40.0])
# those of mne.make_sphere_model, and its conductivities
RADII_mm = 90.0 * np.array([0.90, 0.92, 0.97, 1.0])
SIGMAS_S_m = (0.33, 1.0, 0.004, 0.33)
# of MNE's arrays: clear of a 90 mm head about CENTRE_mm
LIFT_mm = {"neuromag": 40.0, "ctf151": 50.0, "ctf275": 50.0}


@functools.cache
def eeg_info():
    """The 64 sites of biosemi64, on the scalp's sphere."""
    montage = mne.channels.make_standard_montage("biosemi64")
    info = mne.create_info(montage.ch_names, 1000.0, "eeg", verbose="error")
    info.set_montage(montage)
    sites_mm = onto_sphere(1e3 * places_m(info), centre_mm=CENTRE_mm, radius_mm=RADII_mm[-1])
    for channel, site_mm in zip(info["chs"], sites_mm, strict=True):
        channel["loc"][:3] = site_mm / 1e3
    return info


def places_m(info):
    """Where the channels stand: (n, 3)."""
    return np.array([channel["loc"][:3] for channel in info["chs"]])


@functools.cache
def meg_info(helmet="neuromag"):
    """All channels of one of MNE's canonical helmets, round the head."""
    info = mne.channels.read_meg_canonical_info(helmet)
    lift = np.eye(4)
    lift[2, 3] = LIFT_mm[helmet] / 1e3
    with info._unlock():
        info["dev_head_t"] = mne.transforms.Transform("meg", "head", lift)
    return info


def forward(info, dipoles_mm):
    """MNE's own solution in the sphere, free orientation."""
    sphere = mne.make_sphere_model(
        r0=CENTRE_mm / 1e3, head_radius=RADII_mm[-1] / 1e3, verbose="error"
    )
    upright = np.tile([0.0, 0.0, 1.0], (len(dipoles_mm), 1))
    source = mne.setup_volume_source_space(
        pos={"rr": dipoles_mm / 1e3, "nn": upright}, verbose="error"
    )
    eeg = "eeg" in info.get_channel_types(unique=True)
    return mne.make_forward_solution(
        info, trans=None, src=source, bem=sphere, meg=not eeg, eeg=eeg, mindist=0.0, verbose="error"
    )


def dipoles_mm(eccentricity, n=8, seed=0):
    """Places at a share of the brain's radius, (n, 3)."""
    outward = unit_rows(np.random.default_rng(seed).normal(size=(n, 3)))
    return CENTRE_mm + eccentricity * RADII_mm[0] * outward
