"""Data behind well-known names: areas in the head, layers, cell types; with their sources."""

import math
from typing import NamedTuple

from jtfne.emitters import Emitter, Izhikevich2003

Point = tuple[float, float, float]


class HeadPlace(NamedTuple):
    """The place of an area in the head, mm, and the outward normal of its pia, of unit length.

    Head coordinates, RAS.
    """

    position_mm: Point
    normal: Point


# an area of unknown name that was given no position
UNPLACED = HeadPlace((0.0, 0.0, 0.0), (0.0, 0.0, 1.0))

# Left hemisphere, within about 1 cm: a column needs a plausible place, not a particular one. V1
# was read from the published list of regions; the others are recalled and rounded, so let no
# result rest on them.
# Centres in MNI space, rounded: V1 (-10, -85, 0), V2 (-14, -84, 4), V4 (-28, -82, -12),
# IT (-48, -36, -24; TE), PFC (-42, 34, 26; area 46) as in the parcellation of Glasser et al.
# (2016), Nature 536:171-178; MT (-47, -72, 1): Dumoulin et al. (2000), Cereb. Cortex 10:454-463;
# FEF (-32, -4, 50): Paus (1996), Neuropsychologia 34:475-483; M1 (-38, -23, 60) and
# S1 (-42, -26, 55): Mayka et al. (2006), NeuroImage 31:1453-1474; A1 (-44, -22, 8): Morosan et
# al. (2001), NeuroImage 13:684-701.
# Taken to head coordinates by the head <-> MRI transform of the fsaverage template that MNE
# ships, then drawn in to at most 72 mm from (0, 0, 40) mm, so as to lie within the brain sphere
# (79 mm) of a spherical head.
# Normals point away from (0, 0, 40) mm; where the area lies on the bank of a sulcus, halfway
# between that and the way the bank faces: V1 calcarine, upper bank, down; FEF precentral,
# forward; A1 superior temporal plane, up; M1 central, anterior bank, back; S1 central, posterior
# bank, forward.
_CENTRE_mm = (0.0, 0.0, 40.0)


def place_at(position_mm: Point, faces: Point = (0.0, 0.0, 0.0)) -> HeadPlace:
    """The place of an area at `position_mm`, with a normal away from the centre of the head.

    faces: unit direction that the bank of its sulcus faces, averaged in; zero for none.
    """
    outward = [x - c for x, c in zip(position_mm, _CENTRE_mm, strict=True)]
    # at the centre nothing is outward: the normal is zero, which Area refuses
    radius_mm = math.hypot(*outward) or 1.0
    x, y, z = (a / radius_mm + f for a, f in zip(outward, faces, strict=True))
    length = math.hypot(x, y, z) or 1.0
    return HeadPlace(position_mm, (x / length, y / length, z / length))


AREAS: dict[str, HeadPlace] = {
    "V1": place_at((-12.0, -54.0, 44.0), faces=(0.0, 0.0, -1.0)),
    "V2": place_at((-16.0, -52.0, 48.0)),
    "V4": place_at((-30.0, -51.0, 32.0)),
    "MT": place_at((-49.0, -41.0, 45.0)),
    "IT": place_at((-50.0, -6.0, 18.0)),
    "PFC": place_at((-38.0, 58.0, 60.0)),
    "FEF": place_at((-34.0, 30.0, 90.0), faces=(0.0, 1.0, 0.0)),
    "A1": place_at((-46.0, 10.0, 49.0), faces=(0.0, 0.0, 1.0)),
    "M1": place_at((-39.0, 12.0, 99.0), faces=(0.0, -1.0, 0.0)),
    "S1": place_at((-44.0, 8.0, 96.0), faces=(0.0, 1.0, 0.0)),
}

# Depths of the layers, um below the pia: Hagen et al. (2016), Cereb. Cortex 26:4461-4496, with
# the microcircuit of Potjans & Diesmann (2014). Upper and lower halves (L2, L3, L5A, L5B, L6A,
# L6B) are halves for want of a border.
_DEPTHS_um = {
    "L1": (0.0, 81.6),
    "L2/3": (81.6, 587.1),
    "L4": (587.1, 922.2),
    "L5": (922.2, 1170.0),
    "L6": (1170.0, 1491.7),
}
_WHITE_MATTER_um = 1491.7


def _list_relative_depths() -> dict[str, tuple[float, float]]:
    """Map each layer's name to its (top, bottom) as relative depths: 0 pia .. 1 white matter."""
    depths = dict(_DEPTHS_um)
    halves = {"L2/3": ("L2", "L3"), "L5": ("L5A", "L5B"), "L6": ("L6A", "L6B")}
    for layer, names in halves.items():
        top, bottom = depths[layer]
        middle = 0.5 * (top + bottom)
        depths |= dict(zip(names, ((top, middle), (middle, bottom)), strict=True))
    depths["L5/6"] = (depths["L5"][0], depths["L6"][1])
    for name in ("L5A", "L5B", "L6A", "L6B"):
        depths[name[:2] + name[2].lower()] = depths[name]
    relative_depths = {}
    for name, (top, bottom) in depths.items():
        relative_depths[name] = (top / _WHITE_MATTER_um, bottom / _WHITE_MATTER_um)
    return relative_depths


LAYERS: dict[str, tuple[float, float]] = _list_relative_depths()


class CellType(NamedTuple):
    """A cell type that needs no declaration: emitter, input and the sign of its synapses.

    Input is in the emitter's unit.
    """

    emitter: Emitter
    drive: float
    noise: float
    sign: int


# Parameter sets of Izhikevich (2003), IEEE Trans. Neural Netw. 14:1569-1572, fig. 2: regular
# spiking (E), fast spiking (PV), low-threshold spiking (SST), intrinsically bursting (VIP: the
# set nearest to their bursting, adapting kind). Drive and noise are chosen so that each type,
# alone, fires.
CELL_TYPES: dict[str, CellType] = {
    "E": CellType(Izhikevich2003(a=0.02, b=0.2, c_mV=-65.0, d=8.0), drive=3.5, noise=3.0, sign=1),
    "PV": CellType(Izhikevich2003(a=0.1, b=0.2, c_mV=-65.0, d=2.0), drive=2.0, noise=3.0, sign=-1),
    "SST": CellType(
        Izhikevich2003(a=0.02, b=0.25, c_mV=-65.0, d=2.0), drive=0.0, noise=3.0, sign=-1
    ),
    "VIP": CellType(
        Izhikevich2003(a=0.02, b=0.2, c_mV=-55.0, d=4.0), drive=2.5, noise=3.0, sign=-1
    ),
}

SIGNS: dict[str, int] = {
    "I": -1,
    **{name: cell_type.sign for name, cell_type in CELL_TYPES.items()},
}
