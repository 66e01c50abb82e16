"""Rows of docs/validation/agreement.rst about fields: LFPykit and MNE on the same heads."""

from typing import Any

import lfpykit
import lfpykit.eegmegcalc
import numpy as np
import numpy.typing as npt

from docs.validation._agreement import LocalRow
from jtfne.operators import (
    FourSphere,
    FromForward,
    InfiniteDipole,
    LineSource,
    PointSource,
    SarvasSphere,
    coils_of,
    unit_rows,
)
from tests import heads

Floats = npt.NDArray[np.float64]
Sides = tuple[npt.ArrayLike, npt.ArrayLike]

SIGMA_S_m = 0.3
ANISOTROPIC_S_m = (0.3, 0.2, 0.45)
N_SEGMENTS, N_CONTACTS = 12, 30
RADIUS_um = 1.0
# LFPykit has um, nA and mV: a potential of 1 mV/nA is 1e6 V/A, one of 1 mV/(nA um) is 1e12 V/(A m).
V_A_PER_mV_nA, V_Am_PER_mV_nAum = 1e6, 1e12
MU_0_H_m = 4e-7 * np.pi
ROUNDING = "the same closed forms; rounding"


def segments_um() -> tuple[Floats, Floats]:
    """Starts and ends of the segments, (n, 3)."""
    random = np.random.default_rng(11)
    starts = random.uniform(-300.0, 300.0, (N_SEGMENTS, 3))
    return starts, starts + random.uniform(-80.0, 80.0, (N_SEGMENTS, 3))


def contacts_um(scale: float = 1.0) -> Floats:
    """Places of the contacts, (n, 3), none within a segment's radius."""
    return scale * np.random.default_rng(12).uniform(-400.0, 400.0, (N_CONTACTS, 3))


def lfpykit_potentials(method: str, sigma: Any) -> Floats:
    """LFPykit's matrix of `RecExtElectrode`, mV/nA."""
    starts, ends = segments_um()
    x, y, z = (np.column_stack([starts[:, axis], ends[:, axis]]) for axis in range(3))
    cell = lfpykit.CellGeometry(x=x, y=y, z=z, d=np.full(N_SEGMENTS, 2.0 * RADIUS_um))
    places = contacts_um()
    electrode = lfpykit.RecExtElectrode(
        cell, sigma=sigma, x=places[:, 0], y=places[:, 1], z=places[:, 2], method=method
    )
    matrix: Floats = electrode.get_transformation_matrix()
    return matrix


def compare_point_sources(sigma: Any) -> Sides:
    """Potentials of points in the middle of segments, mV/nA."""
    starts, ends = segments_um()
    middles_mm = 0.5e-3 * (starts + ends)
    ours = PointSource(1e-3 * contacts_um(), middles_mm, sigma, 1e-3 * RADIUS_um).matrix
    listed = list(sigma) if isinstance(sigma, tuple) else sigma
    return ours / V_A_PER_mV_nA, lfpykit_potentials("pointsource", listed)


def compare_line_sources(sigma: Any) -> Sides:
    """Potentials of segments, mV/nA."""
    starts, ends = segments_um()
    ours = LineSource(
        1e-3 * contacts_um(), 1e-3 * starts, 1e-3 * ends, sigma, 1e-3 * RADIUS_um
    ).matrix
    listed = list(sigma) if isinstance(sigma, tuple) else sigma
    return ours / V_A_PER_mV_nA, lfpykit_potentials("linesource", listed)


def compare_infinite_dipole() -> Sides:
    """Potentials of a dipole at the origin, mV/(nA um)."""
    places = contacts_um(scale=10.0)
    theirs = lfpykit.eegmegcalc.InfiniteVolumeConductor(SIGMA_S_m).get_transformation_matrix(places)
    ours = InfiniteDipole(1e-3 * places, [[0.0, 0.0, 0.0]], SIGMA_S_m).matrix[:, 0]
    return ours / V_Am_PER_mV_nAum, theirs


def compare_four_spheres(depth_mm: float) -> Sides:
    """Scalp potentials of a dipole so far from the centre, mV/(nA um)."""
    random = np.random.default_rng(13)
    # Just within the scalp: LFPykit refuses what rounding puts outside.
    sites_mm = 89.999999 * unit_rows(random.normal(size=(20, 3)))
    dipole_mm = depth_mm * unit_rows(random.normal(size=(1, 3)))
    radii_um, sigmas = [79_000.0, 80_000.0, 85_000.0, 90_000.0], [0.3, 1.5, 0.015, 0.3]
    head = lfpykit.eegmegcalc.FourSphereVolumeConductor(1e3 * sites_mm, radii_um, sigmas)
    theirs = head.get_transformation_matrix(1e3 * dipole_mm[0])
    return FourSphere(sites_mm, dipole_mm).matrix[:, 0] / V_Am_PER_mV_nAum, theirs


def compare_sarvas_points() -> Sides:
    """Magnetic field H at points outside the head, nA/um of a dipole in nA um, along three axes."""
    sites_mm = 115.0 * unit_rows(np.random.default_rng(14).normal(size=(8, 3)))
    dipole_mm = np.array([20.0, -30.0, 50.0])
    head = lfpykit.eegmegcalc.SphericallySymmetricVolCondMEG(1e3 * sites_mm)
    theirs = head.get_transformation_matrix(1e3 * dipole_mm)
    axes = [
        SarvasSphere(sites_mm, np.tile(axis, (8, 1)), [dipole_mm]).matrix[:, 0]
        for axis in np.eye(3)
    ]
    return np.stack(axes, axis=1) / MU_0_H_m / V_Am_PER_mV_nAum, theirs


def compare_eeg(eccentricity: float) -> Sides:
    """EEG lead fields of 8 dipoles on biosemi64, about their mean over sites, V/(A m)."""
    info = heads.eeg_info()
    # Moved a little, since MNE takes no dipole at the centre.
    dipoles_mm = heads.dipoles_mm(eccentricity, 8) + np.array([0.0, 0.0, 0.1])
    sites_mm = 1e3 * heads.places_m(info)
    ours = FourSphere(
        sites_mm, dipoles_mm, heads.CENTRE_mm, heads.RADII_mm, heads.SIGMAS_S_m
    ).matrix
    theirs = FromForward(heads.forward(info, dipoles_mm)).matrix
    return ours - ours.mean(0), theirs - theirs.mean(0)


def compare_meg(helmet: str, kind: str) -> Sides:
    """MEG lead fields of 15 dipoles over the coils of a helmet, of one kind of channel."""
    info = heads.meg_info(helmet)
    dipoles_mm = np.concatenate([heads.dipoles_mm(share, 5) for share in (0.2, 0.6, 0.85)])
    ours = SarvasSphere.of_coils(coils_of(info), dipoles_mm, heads.CENTRE_mm).matrix
    theirs = FromForward(heads.forward(info, dipoles_mm)).matrix
    chosen = np.array(info.get_channel_types()) == kind
    return ours[chosen], theirs[chosen]


def lfpykit_row(
    name: str, quantity: str, compute: Any, *, tolerance: float = 1e-9, reason: str = ROUNDING
) -> LocalRow:
    """A row about LFPykit."""
    return LocalRow(
        name=name,
        peer="LFPykit",
        quantity=quantity,
        compute=compute,
        tolerance=tolerance,
        reason=reason,
    )


def mne_row(name: str, quantity: str, compute: Any, *, tolerance: float, reason: str) -> LocalRow:
    """A row about MNE."""
    return LocalRow(
        name=name,
        peer="MNE",
        quantity=quantity,
        compute=compute,
        tolerance=tolerance,
        reason=reason,
    )


FITTED = "MNE fits three dipoles to the series of the shells (Berg, Scherg); jtfne sums the series"
SAME_FORMULA = "the same points of the coils, and Sarvas' formula; rounding"
SAME_POINTS = "``SarvasSphere`` over the points of all coils; ``make_forward_solution``"

ROWS: tuple[LocalRow, ...] = (
    lfpykit_row(
        "lfpykit points",
        "``PointSource``; ``PointSourcePotential``",
        lambda: compare_point_sources(SIGMA_S_m),
    ),
    lfpykit_row(
        "lfpykit lines",
        "``LineSource``; ``LineSourcePotential``",
        lambda: compare_line_sources(SIGMA_S_m),
    ),
    lfpykit_row(
        "lfpykit anisotropic points",
        "``PointSource`` in anisotropic tissue; ``RecExtElectrode``",
        lambda: compare_point_sources(ANISOTROPIC_S_m),
    ),
    lfpykit_row(
        "lfpykit anisotropic lines",
        "``LineSource`` in anisotropic tissue; ``RecExtElectrode``",
        lambda: compare_line_sources(ANISOTROPIC_S_m),
    ),
    lfpykit_row(
        "lfpykit dipole", "``InfiniteDipole``; ``InfiniteVolumeConductor``", compare_infinite_dipole
    ),
    *(
        lfpykit_row(
            f"lfpykit four spheres {depth_mm:g} mm",
            f"``FourSphere``, scalp, dipole {depth_mm:g} mm from the centre of a brain of 79 mm; "
            "``FourSphereVolumeConductor``",
            lambda depth_mm=depth_mm: compare_four_spheres(depth_mm),
            tolerance=1e-6,
            reason="where each ends its series",
        )
        for depth_mm in (20.0, 60.0, 78.0)
    ),
    lfpykit_row(
        "lfpykit sarvas",
        "``SarvasSphere`` at points; ``SphericallySymmetricVolCondMEG``",
        compare_sarvas_points,
    ),
    *(
        mne_row(
            f"mne eeg {eccentricity:g}",
            f"``FourSphere``, 64 sites, dipoles at {eccentricity:g} of the brain's radius; "
            "``make_forward_solution`` "
            "in ``make_sphere_model``",
            lambda eccentricity=eccentricity: compare_eeg(eccentricity),
            tolerance=5e-3,
            reason=FITTED,
        )
        for eccentricity in (0.2, 0.6, 0.85)
    ),
    mne_row(
        "mne magnetometers",
        f"Neuromag magnetometers: {SAME_POINTS}",
        lambda: compare_meg("neuromag", "mag"),
        tolerance=1e-6,
        reason=SAME_FORMULA,
    ),
    mne_row(
        "mne gradiometers",
        f"Neuromag planar gradiometers: {SAME_POINTS}",
        lambda: compare_meg("neuromag", "grad"),
        tolerance=1e-6,
        reason=SAME_FORMULA,
    ),
    mne_row(
        "mne ctf",
        f"CTF 275 axial gradiometers: {SAME_POINTS}",
        lambda: compare_meg("ctf275", "mag"),
        tolerance=1e-6,
        reason=SAME_FORMULA,
    ),
)
