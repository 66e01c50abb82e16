"""Potential of current dipoles in a head of four concentric spheres: brain, fluid, skull, scalp."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jtfne._check import refuse
from jtfne._tree import register
from jtfne._units import M_PER_mm
from jtfne.operators._base import Matrix, Operator, Parameters
from jtfne.operators._checks import (
    SLACK,
    CONDUCTIVITY_S_m,
    RADIUS_mm,
    check_length,
    check_number,
    check_places,
    check_point,
)
from jtfne.operators.dipole import infinite_potential

PRECISION = 1e-12
"""The remainder of a series that is left out, relative to its value at the nearest sensor."""

MOST_TERMS = 20_000
"""The most terms of a series.

Enough for a dipole of the default head 0.12 mm from the fluid, and a sensor there; one at the scalp
needs 210.
"""


@register
@dataclasses.dataclass(frozen=True, init=False)
class FourSphere(Operator):
    """Potential of dipoles in the brain of a four-sphere head: (n_sensors, n_dipoles, 3) V/(A m).

    Parameters
    ----------
    sensors_mm : array_like of float, shape (n_sensors, 3)
        Anywhere in the head or on it, most often on the scalp (see `onto_sphere`).
    dipoles_mm : array_like of float, shape (n_dipoles, 3)
        Where the dipoles are, in the brain.
    centre_mm : array_like of float, shape (3,)
        Centre of the head, in the frame of sensors and dipoles.
    radii_mm : sequence of four floats
        Outer radii of brain, fluid, skull and scalp.
    sigmas_S_m : sequence of four floats
        Their conductivities.

    Raises
    ------
    JtfneError
        For numbers that are not finite or out of range, radii that do not increase, sensors outside
        the head, dipoles outside the brain, and a dipole so near to a sensor outside the brain that
        the series does not end.

    Notes
    -----
    Assumptions:

    - The four shells are concentric, ohmic, homogeneous and isotropic; around them is air.
    - No reference is taken: the mean of the potential over the scalp is zero.

    References
    ----------
    .. [1] Naess et al. (2017), Front. Hum. Neurosci. 11:490 (formulas as corrected there).

    Examples
    --------
    >>> head = FourSphere([[0.0, 0.0, 90.0]], [[0.0, 0.0, 78.0]])  # 1 nA m: 1.0625 uV
    >>> head.matrix.round(3) + 0.0
    array([[[   0.   ,    0.   , 1062.477]]])
    """

    def __init__(
        self,
        sensors_mm: npt.ArrayLike,
        dipoles_mm: npt.ArrayLike,
        centre_mm: npt.ArrayLike = (0.0, 0.0, 0.0),
        radii_mm: Sequence[float] = (79.0, 80.0, 85.0, 90.0),
        sigmas_S_m: Sequence[float] = (0.3, 1.5, 0.015, 0.3),
    ) -> None:
        where = "FourSphere"
        spheres = Spheres.from_numbers(radii_mm, sigmas_S_m, where)
        centre = check_point(centre_mm, name="centre_mm", where=where)
        sensors = check_places(sensors_mm, name="sensors_mm", where=where) - centre
        dipoles = check_places(dipoles_mm, name="dipoles_mm", where=where) - centre
        _refuse_outside(sensors, dipoles, spheres, where)
        matrix = _potential(spheres, sensors, dipoles, where)
        parameters: dict[str, Any] = {
            "sensors_mm": (sensors + centre).tolist(),
            "centre_mm": centre.tolist(),
            "radii_mm": list(spheres.radii_mm),
            "sigmas_S_m": list(spheres.sigmas_S_m),
        }
        super().__init__(matrix, ("A m", "V"), "four-sphere head", Parameters(parameters))


class Spheres(NamedTuple):
    """Concentric shells, from the inside out."""

    radii_mm: tuple[float, ...]
    sigmas_S_m: tuple[float, ...]

    @classmethod
    def from_numbers(
        cls, radii_mm: Sequence[float], sigmas_S_m: Sequence[float], where: str
    ) -> "Spheres":
        """Build the four shells of a head.

        Raises: JtfneError unless radii increase and all numbers are above 0.
        """
        four = "four numbers: brain, fluid, skull, scalp"
        radius_values = check_length(radii_mm, (4,), four, name="radii_mm", where=where)
        sigma_values = check_length(sigmas_S_m, (4,), four, name="sigmas_S_m", where=where)
        radii = tuple(
            check_number(radius, RADIUS_mm, name="radii_mm", where=where)
            for radius in radius_values
        )
        sigmas = tuple(
            check_number(sigma, CONDUCTIVITY_S_m, name="sigmas_S_m", where=where)
            for sigma in sigma_values
        )
        if not (np.diff(radii) > 0.0).all():
            raise refuse(f"radii_mm={radii}", "radii that increase from the brain outwards", where)
        return cls(radii, sigmas)

    def reflections(self, n: Matrix) -> Matrix:
        """Return what each border sends back of a field of order n that meets it: (4, n_terms).

        n: (n_terms,). Values are -1 to (n + 1) / n. Between borders the field of order n is (r_k /
        r)^(n+1) + reflection (r / r_k)^n, r_k the outer border. The outermost lets no current
        through; elsewhere potential and radial current are continuous. From the outside in, every
        denominator is positive, whatever the conductivities, and no power grows: as Naess et al.'s
        1 / V, 1 / Y and c1 (for 1 / R of borders 3, 2 and 1), which divide by zero where neighbours
        are alike.
        """
        radii, sigmas = self.radii_mm, self.sigmas_S_m
        reflections = [(n + 1.0) / n]
        for k in range(len(radii) - 2, -1, -1):
            outer_reflection = reflections[0] * (radii[k] / radii[k + 1]) ** (2.0 * n + 1.0)
            outer_sigma = (
                sigmas[k + 1] * ((n + 1.0) - n * outer_reflection) / (1.0 + outer_reflection)
            )
            reflections.insert(
                0, (sigmas[k] * (n + 1.0) - outer_sigma) / (sigmas[k] * n + outer_sigma)
            )
        return np.array(reflections)

    def gains(self, radius_mm: Matrix, n: Matrix) -> Matrix:
        """Return the gain of each order at each sensor: (n_sensors, n_terms).

        Order n of a dipole at distance z is (z / r1)^(n-1) times this, r1 the brain's radius. In
        the brain this is what its border sends back; the dipole's own potential comes on top.
        """
        brain = self.radii_mm[0]
        reflections = self.reflections(n)
        gains = np.zeros((len(radius_mm), len(n)))
        transmission = np.ones(len(n))
        shell = np.searchsorted(np.array(self.radii_mm[:-1]) * (1.0 + SLACK), radius_mm)
        for k, outer in enumerate(self.radii_mm):
            if k:
                inner = self.radii_mm[k - 1]
                transmission = (
                    transmission
                    * (1.0 + reflections[k - 1])
                    / (1.0 + reflections[k] * (inner / outer) ** (2.0 * n + 1.0))
                )
            in_shell = shell == k
            r = radius_mm[in_shell, None]
            sent_back = reflections[k] * (brain / outer) ** (n + 1.0) * (r / outer) ** n
            outgoing = (brain / np.maximum(r, brain)) ** (n + 1.0) if k else 0.0
            gains[in_shell] = transmission * (sent_back + outgoing)
        return gains


def _refuse_outside(sensors_mm: Matrix, dipoles_mm: Matrix, spheres: Spheres, where: str) -> None:
    """Raises: JtfneError for a dipole outside the brain or a sensor outside the head."""
    brain, scalp = spheres.radii_mm[0], spheres.radii_mm[-1]
    depth = np.linalg.norm(dipoles_mm, axis=1)
    if (depth >= brain).any():
        index = int(depth.argmax())
        raise refuse(
            f"dipole {index} at {depth[index]:.6g} mm from the centre",
            f"dipoles in the brain, below {brain:g} mm",
            where,
        )
    radius = np.linalg.norm(sensors_mm, axis=1)
    if (radius > scalp * (1.0 + SLACK)).any():
        index = int(radius.argmax())
        raise refuse(
            f"sensor {index} at {radius[index]:.6g} mm from the centre",
            f"at most {scalp:g} mm; see onto_sphere",
            where,
        )


def n_terms(ratio: float, where: str) -> int:
    """Return the number of terms of sum n ratio^n after which `PRECISION` of it is left.

    The rest after N terms is ratio^N (1 + N (1 - ratio)) of the whole. ratio: of the distances of
    the outermost dipole and the nearest sensor from the centre; for what the brain's border (r1)
    sends back to a sensor in the brain, z r / r1^2. The gains of `Spheres` are bounded in n, so
    that orders fall as ratio^n or faster.
    Raises: JtfneError for more than `MOST_TERMS`.
    """
    n = np.arange(1.0, MOST_TERMS + 1.0)
    remainder = ratio**n * (1.0 + n * (1.0 - ratio))
    if remainder[-1] > PRECISION:
        raise refuse(
            f"a dipole at {ratio:.6g} of the nearest sensor's distance from the centre",
            f"dipoles farther from sensors outside the brain: at most {MOST_TERMS} terms of the "
            "series",
            where,
        )
    return int(np.argmax(remainder <= PRECISION)) + 1


def _potential(spheres: Spheres, sensors_mm: Matrix, dipoles_mm: Matrix, where: str) -> Matrix:
    """Return (n_sensors, n_dipoles, 3) V/(A m); both are seen from the centre.

    With u the unit vector to the dipole, s that to the sensor, x = u.s, the potential of a moment p
    is sum_n g_n (z / r1)^(n-1) / (4 pi sigma r1^2) (n P_n(x) p.u + P_n'(x) p.(s - x u)), which at
    the centre, where u has no direction, is p.s times g_1: no case of its own. (-P_n^1 (cos theta)
    = sin theta P_n'(cos theta).)
    """
    brain = spheres.radii_mm[0]
    r, z = np.linalg.norm(sensors_mm, axis=1), np.linalg.norm(dipoles_mm, axis=1)
    s = sensors_mm / np.where(r, r, 1.0)[:, None]
    u = np.where(z[:, None], dipoles_mm, [0.0, 0.0, 1.0]) / np.where(z, z, 1.0)[:, None]
    ratio = z.max() * np.where(r > brain, 1.0 / np.where(r, r, 1.0), r / brain**2).max()
    n = np.arange(1.0, n_terms(float(ratio), where) + 1.0)
    cosine = np.clip(s @ u.T, -1.0, 1.0)
    radial, tangential = _series(spheres.gains(r, n), z / brain, cosine)
    across = s[:, None, :] - cosine[..., None] * u[None, :, :]
    scale = 1.0 / (4.0 * np.pi * spheres.sigmas_S_m[0] * (brain * M_PER_mm) ** 2)
    potential: Matrix = scale * (radial[..., None] * u + tangential[..., None] * across)
    inside = r <= brain * (1.0 + SLACK)
    if inside.any():
        potential[inside] += infinite_potential(
            sensors_mm[inside], dipoles_mm, spheres.sigmas_S_m[0], where
        )
    return potential


def _series(gains: Matrix, ratios: Matrix, cosine: Matrix) -> tuple[Matrix, Matrix]:
    """Return sum_n g_n q^(n-1) n P_n(x) and sum_n g_n q^(n-1) P_n'(x).

    Each is (n_sensors, n_dipoles). gains (n_sensors, n_terms), ratios q (n_dipoles,), cosine x
    (n_sensors, n_dipoles). P_n and P_n' by the upward recurrences, which are stable for |x| <= 1:
    one pass over the terms, memory of a few matrices.
    """
    previous_p, p, slope = np.ones_like(cosine), cosine.copy(), np.ones_like(cosine)
    radial, tangential = np.zeros_like(cosine), np.zeros_like(cosine)
    power = np.ones_like(ratios)
    for n, gain in enumerate(gains.T, start=1):
        weight = gain[:, None] * power
        radial += weight * (n * p)
        tangential += weight * slope
        slope = cosine * slope + (n + 1) * p
        previous_p, p = p, ((2 * n + 1) * cosine * p - n * previous_p) / (n + 1)
        power = power * ratios
    return radial, tangential
