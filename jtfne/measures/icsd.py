"""Inverse current source density: the forward model of sources in a cylinder, inverted.

Each method assumes how the density goes between contacts. Source: Pettersen et al. (2006), J.
Neurosci. Methods 154:116-133; with a conductivity `sigma_top_S_m` above the surface at depth 0, by
mirrored sources.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Protocol, Self

import numpy as np
from jax.typing import ArrayLike

from jtfne._check import NOT_NEGATIVE, in_range, names_fields, refuse
from jtfne._units import Floats, M_PER_mm
from jtfne.measures._disc import disc, moments
from jtfne.measures.csd import depths, positive

DIAMETER_mm = 0.5
MOST_PLACES = 100_000  # of estimates along a probe: a matrix of 8 bytes each for every contact


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class DeltaICSD:
    """Sources are thin discs at the contacts; a disc's current per spacing is its density.

    diameter_mm: of the discs; sigma_top_S_m: conductivity above depth 0, None where the tissue goes
    on. Raises: JtfneError.
    >>> DeltaICSD().forward([0.1, 0.2, 0.3, 0.4, 0.5], sigma_S_m=0.3)[0, :2].tolist()
    [4.16666...e-08, 2.82097...e-08]
    """

    diameter_mm: float = DIAMETER_mm
    sigma_top_S_m: float | None = None

    def __post_init__(self) -> None:
        _check(self)

    def forward(self, z_mm: ArrayLike, sigma_S_m: float) -> Floats:
        """F (n_channels, n_channels), V m^3/A: potentials at the contacts of densities there."""
        z_m, step_m = _contacts(self, z_mm)

        def potential(at_m: Floats) -> Floats:
            return step_m * disc(at_m[:, None] - z_m, _radius_m(self), sigma_S_m)

        return _add_mirror_images(potential, z_m, sigma_S_m, self.sigma_top_S_m)

    def places_mm(self, z_mm: ArrayLike) -> Floats:
        """Depths of the contacts."""
        return depths(z_mm, even=True, where="DeltaICSD")

    def matrix(self, z_mm: ArrayLike, sigma_S_m: float) -> Floats:
        """The inverse of `forward`: (n_channels, n_channels) (A/m^3)/V."""
        return _inverse(self, self.forward(z_mm, sigma_S_m))

    def fitted(self, potential_V: ArrayLike, z_mm: ArrayLike) -> Self:
        """The method unchanged: it has nothing to choose."""
        return self


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class StepICSD:
    """A constant density about each contact, half a spacing up and down; fields as `DeltaICSD`.
    Raises: JtfneError.

    >>> StepICSD().forward([0.1, 0.2, 0.3, 0.4, 0.5], sigma_S_m=0.3)[0, :2].tolist()
    [3.77761...e-08, 2.84316...e-08]
    """

    diameter_mm: float = DIAMETER_mm
    sigma_top_S_m: float | None = None

    def __post_init__(self) -> None:
        _check(self)

    def forward(self, z_mm: ArrayLike, sigma_S_m: float) -> Floats:
        """F (n_channels, n_channels), V m^3/A. Below a surface, the first cylinder ends there."""
        z_m, step_m = _contacts(self, z_mm)
        low_m = (
            z_m - step_m / 2.0
            if self.sigma_top_S_m is None
            else np.maximum(z_m - step_m / 2.0, 0.0)
        )

        def potential(at_m: Floats) -> Floats:
            integral = moments(at_m[:, None], low_m, z_m + step_m / 2.0, z_m, _radius_m(self), 1)[0]
            return integral / (2.0 * sigma_S_m)

        return _add_mirror_images(potential, z_m, sigma_S_m, self.sigma_top_S_m)

    def places_mm(self, z_mm: ArrayLike) -> Floats:
        """Depths of the contacts."""
        return depths(z_mm, even=True, where="StepICSD")

    def matrix(self, z_mm: ArrayLike, sigma_S_m: float) -> Floats:
        """The inverse of `forward`: (n_channels, n_channels) (A/m^3)/V."""
        return _inverse(self, self.forward(z_mm, sigma_S_m))

    def fitted(self, potential_V: ArrayLike, z_mm: ArrayLike) -> Self:
        """The method unchanged: it has nothing to choose."""
        return self


@names_fields
@dataclasses.dataclass(frozen=True, kw_only=True)
class SplineICSD:
    """iCSD whose density is a natural cubic spline through the contacts.

    It is 0 one spacing above and below them.

    step_mm: distance of the estimates, from the first contact to the last; None: at the contacts.
    Other fields as `DeltaICSD`. Below a surface, the upper zero lies no higher than it.
    Raises: JtfneError.
    >>> SplineICSD(step_mm=0.05).places_mm([0.1, 0.2, 0.3]).round(3).tolist()
    [0.1, 0.15, 0.2, 0.25, 0.3]
    """

    diameter_mm: float = DIAMETER_mm
    sigma_top_S_m: float | None = None
    step_mm: float | None = None

    def __post_init__(self) -> None:
        _check(self)
        if self.step_mm is not None:
            positive(self.step_mm, name="step_mm", where="SplineICSD")

    def forward(self, z_mm: ArrayLike, sigma_S_m: float) -> Floats:
        """Potentials of the spline by its values at contacts: (n_channels, n_channels) V m^3/A."""
        z_m, _ = _contacts(self, z_mm)
        nodes_m, coefficients = self._spline(z_m)

        def potential(at_m: Floats) -> Floats:
            low_m = nodes_m[:-1]
            integrals = moments(at_m[:, None], low_m, nodes_m[1:], low_m, _radius_m(self), 4)
            parts = [
                moment @ coefficient
                for moment, coefficient in zip(integrals, coefficients[::-1], strict=True)
            ]
            total: Floats = np.sum(parts, axis=0) / (2.0 * sigma_S_m)
            return total

        return _add_mirror_images(potential, z_m, sigma_S_m, self.sigma_top_S_m)

    def places_mm(self, z_mm: ArrayLike) -> Floats:
        """Depths of the contacts, or evenly spaced ones from the first to the last."""
        return grid(depths(z_mm, even=True, where="SplineICSD"), self.step_mm, "SplineICSD")

    def matrix(self, z_mm: ArrayLike, sigma_S_m: float) -> Floats:
        """The method's matrix, (n_places, n_channels) (A/m^3)/V."""
        z_m, _ = _contacts(self, z_mm)
        nodes_m, coefficients = self._spline(z_m)
        inverse = _inverse(self, self.forward(z_mm, sigma_S_m))
        if self.step_mm is None:
            return inverse
        places_m = self.places_mm(z_mm) * M_PER_mm
        k = np.clip(np.searchsorted(nodes_m, places_m, side="right") - 1, 0, nodes_m.size - 2)
        along = (places_m - nodes_m[k])[:, None]
        at_places: Floats = (
            np.sum([coefficients[3 - p][k] * along**p for p in range(4)], axis=0) @ inverse
        )
        return at_places

    def fitted(self, potential_V: ArrayLike, z_mm: ArrayLike) -> Self:
        """The method unchanged: it has nothing to choose."""
        return self

    def _spline(self, z_m: Floats) -> tuple[Floats, Floats]:
        """Nodes of the spline, and its coefficients by the values at the contacts.

        Coefficients are (4, n_channels + 1, n_channels), highest power first.
        """
        from scipy import interpolate

        step_m = (z_m[-1] - z_m[0]) / (z_m.size - 1)
        top_m = z_m[0] - step_m if self.sigma_top_S_m is None else max(z_m[0] - step_m, 0.0)
        nodes_m = np.concatenate([[top_m], z_m, [z_m[-1] + step_m]])
        spline = interpolate.CubicSpline(nodes_m, np.eye(nodes_m.size)[:, 1:-1], bc_type="natural")
        return nodes_m, np.asarray(spline.c, np.float64)


def grid(z_mm: Floats, step_mm: float | None, where: str) -> Floats:
    """Places from the first contact to the last, `step_mm` apart or as near to it as fits; None:
    the contacts.
    """
    if step_mm is None:
        return z_mm
    span_mm = float(z_mm[-1] - z_mm[0])
    if step_mm > span_mm:
        raise refuse(
            f"step_mm={step_mm:g}", f"at most the span of the probe, {span_mm:g} mm", where
        )
    if span_mm / step_mm > MOST_PLACES:
        description = f"step_mm={step_mm:g} along {span_mm:g} mm"
        raise refuse(description, f"at most {MOST_PLACES} places", where)
    return np.linspace(z_mm[0], z_mm[-1], round(span_mm / step_mm) + 1)


class _Cylinder(Protocol):
    """The fields that the inverse methods share."""

    @property
    def diameter_mm(self) -> float: ...

    @property
    def sigma_top_S_m(self) -> float | None: ...


def _check(method: _Cylinder) -> None:
    """Raises: JtfneError for a diameter that is not above 0, or a negative conductivity."""
    where = type(method).__name__
    positive(method.diameter_mm, name="diameter_mm", where=where)
    if method.sigma_top_S_m is not None:
        in_range(method.sigma_top_S_m, NOT_NEGATIVE, name="sigma_top_S_m", where=where)


@contextlib.contextmanager
def invertible(where: str) -> Iterator[None]:
    """A context in which a matrix is inverted. Raises: JtfneError where it has no inverse."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise refuse(
            f"a method whose matrix has no inverse ({error})",
            "a diameter, widths and a ridge that suit the spacing of the contacts",
            where,
        ) from None


def _inverse(method: _Cylinder, matrix: Floats) -> Floats:
    with invertible(type(method).__name__):
        return np.asarray(np.linalg.inv(matrix), np.float64)


def _radius_m(method: _Cylinder) -> float:
    return method.diameter_mm * M_PER_mm / 2.0


def _contacts(method: _Cylinder, z_mm: ArrayLike) -> tuple[Floats, float]:
    """Depths of the contacts and their step, m.

    Raises: JtfneError for uneven contacts, or one above the surface where there is a surface.
    """
    where = type(method).__name__
    z = depths(z_mm, even=True, where=where)
    if method.sigma_top_S_m is not None and z[0] <= 0.0:
        raise refuse(
            f"a contact at {z[0]:g} mm with sigma_top_S_m",
            "contacts below the surface, at depth 0",
            where,
        )
    return z * M_PER_mm, float(z[-1] - z[0]) / (z.size - 1) * M_PER_mm


def _add_mirror_images(
    potential_at: Callable[[Floats], Any],
    z_m: Floats,
    sigma_S_m: float,
    sigma_top_S_m: float | None,
) -> Floats:
    """`potential_at` the contacts, plus that of the sources' mirror images at a surface."""
    direct: Floats = potential_at(z_m)
    if sigma_top_S_m is None:
        return direct
    image: Floats = (sigma_S_m - sigma_top_S_m) / (sigma_S_m + sigma_top_S_m) * potential_at(-z_m)
    return direct + image
