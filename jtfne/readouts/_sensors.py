"""Named sensors of a head: MNE's own tables, read when a probe needs them."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from jtfne._check import one_of
from jtfne.operators import Coils, coils_of
from jtfne.pydantic_fields.field_types import Name
from jtfne.readouts._recording import Array

MONTAGE = "biosemi64"  # in every MNE from 1.12 on, with no two sites in one place
HELMET = "neuromag"
HELMET_LIFT_mm = 40.0  # puts the helmet round a 90 mm head centred 40 mm above the ears, see docs
LIFTS_mm = {HELMET: HELMET_LIFT_mm, "ctf151": 50.0, "ctf275": 50.0}  # to stand round that head
SITES_10_20 = tuple("Fp1 Fpz Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 Oz O2".split())

SensorNames = Annotated[tuple[Name, ...], Field(min_length=1)] | None


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
    """Names of the MEG channels of a canonical helmet.

    kind: "mag" for magnetometers alone, True for all coils.
    """
    import mne

    info = mne.channels.read_meg_canonical_info(helmet)
    picks = mne.pick_types(info, meg=kind, ref_meg=False, exclude=())
    return tuple(info["ch_names"][k] for k in picks)


@dataclasses.dataclass(frozen=True)
class Sensors:
    """Named sensors of a head.

    system: which table they are from. names (n,); positions and viewing directions (n, 3) in head
    coordinates, mm.
    """

    system: str
    names: tuple[str, ...]
    positions_mm: Array
    directions: Array

    def pick(self, names: Sequence[str], where: str) -> "Sensors":
        """Return the sensors called `names`, in that order.

        Raises: JtfneError for a name that is not in the table.
        """
        indices = [
            self.names.index(one_of(name, self.names, name="sensor", where=where)) for name in names
        ]
        return Sensors(
            self.system, tuple(names), self.positions_mm[indices], self.directions[indices]
        )


def eeg_sites(names: Sequence[str] | None) -> Sensors:
    """Return EEG sites; the 21 of the 10-20 system by default.

    Directions point away from the head's origin.
    """
    return _montage(MONTAGE).pick(SITES_10_20 if names is None else names, "EEGProxy.sites")


def montage_sites(montage: str, names: Sequence[str] | None) -> Sensors:
    """Return sites of any of MNE's standard montages, all or those named.

    Raises: JtfneError for unknown ones.
    """
    import mne

    montages = mne.channels.get_builtin_montages()
    sensors = _montage(one_of(montage, montages, name="montage", where="EEG.montage"))
    return sensors if names is None else sensors.pick(names, "EEG.sites")


def helmet_coils(helmet: str, names: Sequence[str] | None) -> tuple[Coils, Array, float]:
    """Return the coils of one of MNE's canonical helmets, lifted onto the head.

    Also their places (n, 3) mm, and the lift in mm.
    Raises: JtfneError for an unknown helmet or channel.
    """
    import mne

    one_of(helmet, LIFTS_mm, name="helmet", where="MEG.helmet")
    info = mne.channels.read_meg_canonical_info(helmet)
    lift = np.eye(4)
    lift[2, 3] = 1e-3 * LIFTS_mm[helmet]
    with info._unlock():
        info["dev_head_t"] = mne.transforms.Transform("meg", "head", lift)
    coils = coils_of(info, names)
    channel_indices = [info["ch_names"].index(name) for name in coils.names]
    places_mm = 1e3 * np.array([info["chs"][k]["loc"][:3] for k in channel_indices]) + np.array(
        [0.0, 0.0, LIFTS_mm[helmet]]
    )
    return coils, places_mm, LIFTS_mm[helmet]


def meg_magnetometers(names: Sequence[str] | None) -> Sensors:
    """Return the 102 magnetometers of MNE's canonical Neuromag helmet, or those named.

    They are lifted onto the head.
    """
    helmet = _helmet()
    return helmet.pick(helmet.names if names is None else names, "MEGProxy.sensors")


@functools.cache
def _montage(name: str) -> Sensors:
    """Return all EEG sites of a montage; cached, since MNE takes 8 ms.

    Directions point away from the head's origin.
    """
    import mne

    montage = mne.channels.make_standard_montage(name)
    info = mne.create_info(montage.ch_names, 1000.0, "eeg", verbose="error")
    info.set_montage(montage, verbose="error")
    positions_mm = np.array([channel["loc"][:3] for channel in info["chs"]]) * 1e3
    outward = positions_mm / np.linalg.norm(positions_mm, axis=1, keepdims=True)
    return Sensors(name, tuple(montage.ch_names), positions_mm, outward)


@functools.cache
def _helmet() -> Sensors:
    """Return all magnetometers of the helmet."""
    import mne

    info = mne.channels.read_meg_canonical_info(HELMET)
    picks = mne.pick_types(info, meg="mag")
    loc = np.array([info["chs"][k]["loc"] for k in picks])
    positions_mm = loc[:, :3] * 1e3 + np.array([0.0, 0.0, HELMET_LIFT_mm])
    return Sensors(HELMET, tuple(info["ch_names"][k] for k in picks), positions_mm, loc[:, 9:12])
