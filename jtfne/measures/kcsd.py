"""Kernel current source density along one probe: overlapping sources, smoothed by the data."""

import dataclasses
from typing import Self

import numpy as np
from jax.typing import ArrayLike

from jtfne._check import NOT_NEGATIVE, POSITIVE, Limit, in_range, names_fields, refuse, whole_number
from jtfne._units import Floats, M_PER_mm
from jtfne.measures._disc import disc
from jtfne.measures.csd import FEWEST, check_numbers, depths, positive
from jtfne.measures.icsd import DIAMETER_mm, grid, invertible

WIDTHS_mm = (0.15, 0.2, 0.3, 0.45, 0.6, 0.9)
RIDGES = tuple(float(ridge) for ridge in 10.0 ** np.arange(-9.0, 0.5, 0.5))
NODES = 48
MOST_SOURCES = 100_000  # 48 nodes of quadrature each, for every contact: 38 MB a contact
REACH = 2.0  # range of integration in widths: beyond it lies 2e-9 of a Gaussian of sd width / 3
WHERE = "KernelCSD"


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class KernelCSD:
    """Gaussian sources along a cylinder; width and ridge are chosen by leave-one-out error.

    widths_mm: candidates of R, three sd of a source; ridges: candidates of lambda, as parts of the
    mean diagonal of the kernel, so that neither depends on units. One of each leaves nothing to
    choose. diameter_mm: of the cylinder; n_sources: up to 100,000, evenly from `beyond_mm` above the first contact
    to as far below the last; step_mm: as `SplineICSD`. Contacts may be uneven. Raises: JtfneError.
    Source: Potworowski et al. (2012), Neural Comput. 24:541-575, eqs 9, 17, 18, 26.
    >>> KernelCSD(widths_mm=(0.3,), ridges=(1e-6,)).matrix([0.1, 0.2, 0.35, 0.4], sigma_S_m=0.3).shape
    (4, 4)
    """

    diameter_mm: float = DIAMETER_mm
    widths_mm: tuple[float, ...] = WIDTHS_mm
    ridges: tuple[float, ...] = RIDGES
    n_sources: int = 300
    beyond_mm: float = 0.0
    step_mm: float | None = None

    def __post_init__(self) -> None:
        positive(self.diameter_mm, name="diameter_mm", where=WHERE)
        check_numbers(self.widths_mm, POSITIVE, name="widths_mm", where=WHERE)
        check_numbers(self.ridges, NOT_NEGATIVE, name="ridges", where=WHERE)
        in_range(self.beyond_mm, NOT_NEGATIVE, name="beyond_mm", where=WHERE)
        whole_number(self.n_sources, Limit(FEWEST, MOST_SOURCES), name="n_sources", where=WHERE)
        if self.step_mm is not None:
            positive(self.step_mm, name="step_mm", where=WHERE)

    def places_mm(self, z_mm: ArrayLike) -> Floats:
        """Depths of the contacts, or evenly spaced ones from the first to the last."""
        return grid(depths(z_mm, even=False, where=WHERE), self.step_mm, WHERE)

    def matrix(self, z_mm: ArrayLike, sigma_S_m: float) -> Floats:
        """K~ (K + lambda)^-1: (n_places, n_channels) (A/m^3)/V.
        Raises: JtfneError before a choice is made.
        """
        if len(self.widths_mm) > 1 or len(self.ridges) > 1:
            problem = f"{len(self.widths_mm)} widths and {len(self.ridges)} ridges"
            raise refuse(problem, "one of each: choose by fitted(potential_V, z_mm)", WHERE)
        z = depths(z_mm, even=False, where=WHERE)
        width = self.widths_mm[0]
        potentials = self._potentials(z, width, sigma_S_m)
        sources = _gaussian(
            (self.places_mm(z)[:, None] - self._sources_mm(z)) * M_PER_mm, width * M_PER_mm
        )
        kernel, cross = potentials @ potentials.T, sources @ potentials.T
        with invertible(WHERE):
            weights = np.linalg.solve(_add_ridge(kernel, self.ridges[0]), cross.T).T
        return np.asarray(weights, np.float64)

    def errors(self, potential_V: ArrayLike, z_mm: ArrayLike) -> Floats:
        """Leave-one-out error (n_widths, n_ridges), in the potential's unit.

        It is the sum over contacts of ||V - V*||.

        The norm is over the other dims of `potential_V` (..., n_channels). The kernel's scale and
        sigma cancel.
        """
        z = depths(z_mm, even=False, where=WHERE)
        values = np.asarray(potential_V, np.float64).reshape(-1, np.shape(potential_V)[-1])
        if values.shape[1] != z.size:
            raise refuse(f"{values.shape[1]} channels at {z.size} depths", "as many", WHERE)
        if not np.isfinite(values).all():  # argmin of errors that are NaN would choose the first
            raise refuse("potentials that are not finite", "finite potentials", WHERE)
        errors = np.empty((len(self.widths_mm), len(self.ridges)))
        for row, width in enumerate(self.widths_mm):
            potentials = self._potentials(z, width, 1.0)
            for column, ridge in enumerate(self.ridges):
                with invertible(WHERE):
                    inverse = np.linalg.inv(_add_ridge(potentials @ potentials.T, ridge))
                # V - V* of each contact, by the block inverse
                left_out = values @ inverse / np.diag(inverse)
                errors[row, column] = np.linalg.norm(left_out, axis=0).sum()
        return errors

    def fitted(self, potential_V: ArrayLike, z_mm: ArrayLike) -> Self:
        """A copy with the width and the ridge of least error; the first of equal ones."""
        if len(self.widths_mm) == 1 and len(self.ridges) == 1:
            return self
        errors = self.errors(potential_V, z_mm)
        row, column = np.unravel_index(int(np.argmin(errors)), errors.shape)
        return dataclasses.replace(
            self, widths_mm=(self.widths_mm[row],), ridges=(self.ridges[column],)
        )

    def _sources_mm(self, z_mm: Floats) -> Floats:
        """Depths of the middles of the sources."""
        return np.linspace(z_mm[0] - self.beyond_mm, z_mm[-1] + self.beyond_mm, self.n_sources)

    def _potentials(self, z_mm: Floats, width_mm: float, sigma_S_m: float) -> Floats:
        """Potentials of the sources at the contacts: b (n_channels, n_sources), V per A/m^2.

        A source's integral over depth, by quadrature to the kink and on.
        """
        away_m = np.abs(z_mm[:, None] - self._sources_mm(z_mm)) * M_PER_mm
        width_m = width_mm * M_PER_mm
        reach_m = REACH * width_m
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        kink_m = np.minimum(away_m, reach_m)[..., None]
        total = np.zeros(away_m.shape)
        for low_m, high_m in ((-reach_m, kink_m), (kink_m, reach_m)):
            half_m = (high_m - low_m) / 2.0
            at_m = (high_m + low_m) / 2.0 + half_m * nodes
            field = disc(away_m[..., None] - at_m, self.diameter_mm * M_PER_mm / 2.0, sigma_S_m)
            total += np.sum(half_m * weights * field * _gaussian(at_m, width_m), axis=-1)
        return total


def _gaussian(away_m: Floats, width_m: float) -> Floats:
    """A Gaussian of sd width / 3 at distance `away_m`, 1/m."""
    sd_m = width_m / 3.0
    value: Floats = np.exp(-((away_m / sd_m) ** 2) / 2.0) / (np.sqrt(2.0 * np.pi) * sd_m)
    return value


def _add_ridge(kernel: Floats, ridge: float) -> Floats:
    """K + lambda I, where lambda = `ridge` times the mean diagonal of K."""
    regularized_kernel: Floats = kernel + ridge * float(np.mean(np.diag(kernel))) * np.eye(
        len(kernel)
    )
    return regularized_kernel
