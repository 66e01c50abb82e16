"""What physical field operators refuse, each with one clear message."""

import math
import re

import numpy as np
import pytest

import heads
import jtfne
from jtfne.operators import (
    Coils,
    DiscSource,
    FourSphere,
    FromForward,
    InfiniteDipole,
    LineSource,
    PointSource,
    SarvasSphere,
    Surface,
    coils_of,
    column_dipoles,
    onto_sphere,
)

ORIGIN = [[0.0, 0.0, 0.0]]
VERTEX = [[0.0, 0.0, 90.0]]

HEAD = (0, 0, 40)
BAD = {
    "no matrix of places": (lambda: PointSource([0.0, 0.0, 1.0], ORIGIN), r"contacts_mm of shape \(3,\).*\(n, 3\)"),
    "flat places": (lambda: PointSource([[0.0, 0.0]], ORIGIN), r"contacts_mm of shape \(1, 2\)"),
    "no places": (lambda: PointSource(np.zeros((0, 3)), ORIGIN), r"contacts_mm of shape \(0, 3\)"),
    "words": (lambda: PointSource([["a", "b", "c"]], ORIGIN), "contacts_mm of list; expected numbers"),
    "not finite": (lambda: PointSource([[0.0, math.nan, 1.0]], ORIGIN), r"contacts_mm with nan at \[0, 1\].*finite"),
    "sigma 0": (lambda: PointSource(ORIGIN, ORIGIN, 0.0), r"sigma_S_m=0.0.*\[1e-09, 1e\+09\]"),
    "sigma < 0": (lambda: LineSource(ORIGIN, ORIGIN, [[0, 0, 1]], (0.3, -0.1, 0.3)), "sigma_S_m=-0.1"),
    "no sigma": (lambda: PointSource(ORIGIN, ORIGIN, None), "sigma_S_m=None"),
    "half a point": (lambda: Coils(["A"], [[0, 0, 99]], [[0, 0, 1]], [1.5], [1.0], ["T"]), "sum to 1.5"),
    "beyond measure": (lambda: InfiniteDipole(ORIGIN, [[0, 0, 1e10]], 0.3), r"with 10000000000.0 at \[0, 2\]"),
    "a complex radius": (lambda: DiscSource([0.0], [1.0], 1j, 0.3), "radius_mm=1j; expected a number"),
    "complex places": (lambda: PointSource([[1j, 0, 0]], ORIGIN), "contacts_mm of list"),
    "coils without a unit": (lambda: Coils(["A"], [[0, 0, 99]], [[0, 0, 1]], [1], [1.0], "T/m"), "units='T/m'"),
    "two sigmas": (lambda: PointSource(ORIGIN, ORIGIN, (0.3, 0.1)), "one conductivity, or three"),
    "sigma nan": (lambda: InfiniteDipole([[0, 0, 1]], ORIGIN, math.nan), "sigma_S_m=nan"),
    "a word for sigma": (lambda: InfiniteDipole([[0, 0, 1]], ORIGIN, "high"), "sigma_S_m='high'"),
    "radius < 0": (lambda: PointSource(ORIGIN, ORIGIN, radius_mm=-1.0), "radius_mm=-1.0"),
    "disc without radius": (lambda: DiscSource([0.0], [0.0], 0.0, 0.3), "radius_mm=0.0"),
    "disc in the plane": (lambda: DiscSource(ORIGIN, [0.0], 0.1, 0.3), r"contact_depths_mm of shape \(1, 3\).*\(n,\)"),
    "contact at a source": (
        lambda: PointSource([[0, 0, 1], [0, 0, 2]], [[0, 0, 9], [0, 0, 2]], radius_mm=0.0),
        "channel 1 at the place of source 1; expected places apart",
    ),
    "contact at a segment": (lambda: LineSource(ORIGIN, [[0, 0, -1]], [[0, 0, 1]], radius_mm=0.0), "segment 0"),
    "contact at a dipole": (lambda: InfiniteDipole(ORIGIN, ORIGIN, 0.3), "channel 0 at the place of dipole 0"),
    "sensor at a dipole": (lambda: FourSphere([[0, 0, 50]], [[0, 0, 50]]), "channel 0 at the place of dipole 0"),
    "a segment without length": (lambda: LineSource(ORIGIN, [[0, 0, 1]], [[0, 0, 1]]), "segment 0 without length"),
    "starts without ends": (lambda: LineSource(ORIGIN, ORIGIN, [[0, 0, 1]] * 2), "as many of each"),
    "a contact in the air": (
        lambda: PointSource([[0, 0, -0.1]], [[0, 0, 1]], surface=Surface()),
        "contacts_mm with one at z=-0.1 mm; expected z >= 0, the surface",
    ),
    "a source in the air": (lambda: DiscSource([1.0], [-1.0], 0.1, 0.3, surface=Surface()), "source_depths_mm.*z=-1"),
    "a line into the air": (lambda: LineSource([[0, 0, 1]], [[0, 0, 1]], [[0, 0, -1]], surface=Surface()), "ends_mm"),
    "no surface": (lambda: PointSource(ORIGIN, ORIGIN, surface=0.0), r"surface=0.0.*Surface\(...\)"),
    "surface < 0": (lambda: PointSource(ORIGIN, ORIGIN, surface=Surface(sigma_above_S_m=-1.0)), "sigma_above_S_m=-1"),
    "anisotropic below": (
        lambda: PointSource(ORIGIN, ORIGIN, (1.0, 2.0, 3.0), surface=Surface(sigma_above_S_m=1.0)),
        "anisotropic",
    ),
    "a dipole outside": (
        lambda: FourSphere(VERTEX, [[0, 0, 1], [0, 0, 79]]),
        "dipole 1 at 79 mm from the centre; expected dipoles in the brain, below 79 mm",
    ),
    "a dipole in another frame": (lambda: FourSphere([[0, 0, 130]], [[0, 0, 79]], (0, 0, -40)), "dipole 0 at 119 mm"),
    "a sensor in the air": (lambda: FourSphere([[0, 0, 95]], [[0, 0, 1]]), "sensor 0 at 95 mm.*at most 90.*onto_sp"),
    "radii that shrink": (lambda: FourSphere(VERTEX, ORIGIN, radii_mm=(79, 85, 80, 90)), "radii that increase"),
    "radii alike": (lambda: FourSphere(VERTEX, ORIGIN, radii_mm=(79, 80, 80, 90)), "radii that increase"),
    "three radii": (lambda: FourSphere(VERTEX, ORIGIN, radii_mm=(79, 80, 90)), "four numbers"),
    "a skull of air": (lambda: FourSphere(VERTEX, ORIGIN, sigmas_S_m=(0.3, 1.5, 0, 0.3)), "sigmas_S_m=0"),
    "a flat centre": (lambda: FourSphere(VERTEX, ORIGIN, (0, 0)), r"centre_mm of shape \(2,\)"),
    "too close for a series": (lambda: FourSphere([[0, 0, 79.01]], [[0, 0, 78.999]]), "at most 20000 terms"),
    "a magnetometer in the head": (
        lambda: SarvasSphere([[0, 0, 120], [0, 0, 60]], [[0, 0, 1]] * 2, [[0, 0, 70]]),
        "point 1 at 60 mm.* farther than dipole 0 at 70 mm",
    ),
    "normals for some": (lambda: SarvasSphere([[0, 0, 99]] * 2, [[0, 0, 1]], ORIGIN), "normals of shape.*one for each"),
    "no normal": (lambda: SarvasSphere([[0, 0, 99]], ORIGIN, ORIGIN), "vector of zeros"),
    "coils without points": (lambda: Coils(["A"], [[0, 0, 99]], [[0, 0, 1]], [2], [1.0], ["T"]), "sum to 2"),
    "coils without names": (lambda: Coils([], [[0, 0, 99]], [[0, 0, 1]], [1], [1.0], ["T"]), r"names=\[\].*1 names"),
    "coils in gauss": (lambda: Coils(["A"], [[0, 0, 99]], [[0, 0, 1]], [1], [1.0], ["G"]), "unknown unit 'G'"),
    "no such coil": (lambda: coils_of(heads.meg_info(), ["MEG 0110"]), "unknown channel 'MEG 0110'.*nearest: 'MEG"),
    "coils of an EEG": (lambda: coils_of(heads.eeg_info()), "an info without MEG channels"),
    "no such accuracy": (lambda: coils_of(heads.meg_info(), accuracy="exact"), "unknown accuracy 'exact'"),
    "no forward": (lambda: FromForward({"sol": 1}), "a dict; expected an mne.Forward"),
    "no such channel": (
        lambda: FromForward(heads.forward(heads.eeg_info(), heads.dipoles_mm(0.5, 1)), ["Cz", "Fpx"]),
        "unknown channel 'Fpx'.*nearest: 'Fpz'",
    ),
    "a channel twice": (
        lambda: FromForward(heads.forward(heads.eeg_info(), heads.dipoles_mm(0.5, 1)), ["Cz", "Cz"]),
        "each channel once",
    ),
    "an area outside": (
        lambda: column_dipoles([[0, 0, 0], [0, 0, 130]], [[0, 0, 1]] * 2, depth_mm=1, centre_mm=HEAD, brain_mm=79),
        r"column 1 at \[0.0, 0.0, 130.0\] mm, 89 mm from the centre of the head.*within 79 mm",
    ),
    "a site at the centre": (lambda: onto_sphere(ORIGIN, centre_mm=(0, 0, 0), radius_mm=90), "a site at the centre"),
    "directions for some": (lambda: FourSphere(VERTEX, ORIGIN).along([[0, 0, 1]] * 2), r"directions of shape \(2, 3\)"),
    "no direction": (lambda: FourSphere(VERTEX, ORIGIN).along(ORIGIN), "directions with a vector of zeros"),
    "directions of amplitudes": (lambda: PointSource(ORIGIN, ORIGIN).along(ORIGIN), r"an operator \(1, 1\)"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_refused(case):
    make, message = BAD[case]
    with pytest.raises(jtfne.JtfneError) as refusal:
        make()
    assert re.search(message, str(refusal.value)), str(refusal.value)
    assert "; expected " in str(refusal.value) and str(refusal.value).count("(in ") == 1
