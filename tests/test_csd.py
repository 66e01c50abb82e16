"""Current source density: the published numbers, closed forms, a planted source found again, and
what is refused.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scipy import integrate, interpolate

from jtfne import JtfneError, analysis, operators
from jtfne._precision import precision
from jtfne.analysis import DeltaICSD, KernelCSD, SecondDifference, Smoothed, SplineICSD, StepICSD
from jtfne.measures import csd
from jtfne.operators import Surface

FIVE_MM = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
TWO_POLES_V = 1e-3 * np.array([0.0, 1.0, 0.0, -1.0, 0.0])
SIGMA_S_m, RADIUS_MM, NOISE_V = 0.3, 0.25, (1e-6, 3e-6, 10e-6)
INVERSE = (DeltaICSD(), StepICSD(), SplineICSD())
FIXED = (*INVERSE, KernelCSD(widths_mm=(0.3,), ridges=(1e-7,)), SecondDifference(vaknin=True))


def name(method: csd.Method) -> str:
    return type(method).__name__


def planted(z_mm: np.ndarray) -> np.ndarray:
    """A/m^3: a Gaussian source above a weaker, wider sink."""
    source, sink = (
        np.exp(-(((z_mm - middle) / sd) ** 2) / 2) for middle, sd in ((0.7, 0.12), (1.3, 0.18))
    )
    return 1e5 * (source - 0.7 * sink)


def field(at_mm: float, away_mm: np.ndarray, radius_mm: float) -> np.ndarray:
    """Potential at `at_mm` per density at `away_mm`, mm^2 m/S: the integrand of the forward
    solution.
    """
    return (np.hypot(at_mm - away_mm, radius_mm) - np.abs(at_mm - away_mm)) / (2 * SIGMA_S_m)


def probe(spacing_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Contacts from 0.1 to 2 mm, and the potential (V) there of the planted density in a
    cylinder.
    """
    z_mm = 0.1 + spacing_mm * np.arange(round(1.9 / spacing_mm) + 1)
    fine_mm = np.linspace(-0.5, 2.5, 30_001)
    return z_mm, np.array(
        [np.trapezoid(field(z, fine_mm, RADIUS_MM) * planted(fine_mm), fine_mm) for z in z_mm]
    ) * 1e-6


def estimate(potential_V: np.ndarray, z_mm: np.ndarray, method: csd.Method) -> np.ndarray:
    with precision("float64"):
        return np.asarray(
            csd.estimate(potential_V, z_mm, method.fitted(potential_V, z_mm), SIGMA_S_m)
        )


@pytest.mark.parametrize(
    ("method", "first_row", "expected"),
    [
        (
            DeltaICSD(),
            [4.16666667e-8, 2.82097067e-8, 2.00260353e-8, 1.50854140e-8, 1.19498428e-8],
            [-27874, 63114, 0, -63114, 27874],
        ),
        (
            StepICSD(),
            [3.77761345e-8, 2.84316789e-8, 2.01587512e-8, 1.51586444e-8, 1.19913786e-8],
            [-47730, 92722, 0, -92722, 47730],
        ),
    ],
    ids=["delta", "step"],
)
def test_the_numbers_of_the_reference(
    method: DeltaICSD | StepICSD, first_row: list[float], expected: list[float]
) -> None:
    forward = method.forward(FIVE_MM, SIGMA_S_m)
    # eight digits after the point
    np.testing.assert_allclose(forward[0], first_row, rtol=0, atol=0.51e-16)
    k = np.arange(5)
    np.testing.assert_allclose(forward, forward[0][np.abs(k[:, None] - k)], rtol=1e-12)
    np.testing.assert_allclose(estimate(TWO_POLES_V, FIVE_MM, method), expected, atol=0.5)


def test_the_second_difference_is_the_kernel_and_vaknin_repeats_the_ends() -> None:
    potential_V = np.random.default_rng(0).normal(size=(3, 5))
    with precision("float64"):
        inner = np.asarray(csd.csd(potential_V, 0.1, SIGMA_S_m))
        repeated = np.asarray(
            csd.csd(np.pad(potential_V, ((0, 0), (1, 1)), "edge"), 0.1, SIGMA_S_m)
        )
    np.testing.assert_allclose(estimate(potential_V, FIVE_MM, SecondDifference()), inner, rtol=1e-9)
    np.testing.assert_allclose(
        estimate(potential_V, FIVE_MM, SecondDifference(vaknin=True)), repeated, rtol=1e-9
    )
    np.testing.assert_allclose(
        estimate(TWO_POLES_V, FIVE_MM, SecondDifference()),
        [60_000, 0, -60_000],
        rtol=1e-9,
        atol=1e-6,
    )


@pytest.mark.parametrize("sigma_top_S_m", [None, 0.0, 1.5])
def test_the_disc_is_that_of_the_field_operator(sigma_top_S_m: float | None) -> None:
    surface = None if sigma_top_S_m is None else Surface(sigma_above_S_m=sigma_top_S_m)
    volts_per_ampere = operators.DiscSource(
        FIVE_MM, FIVE_MM, RADIUS_MM, SIGMA_S_m, surface=surface
    ).matrix
    disc_m3 = np.pi * (RADIUS_MM * 1e-3) ** 2 * 1e-4
    forward = DeltaICSD(sigma_top_S_m=sigma_top_S_m).forward(FIVE_MM, SIGMA_S_m)
    np.testing.assert_allclose(forward, volts_per_ampere * disc_m3, rtol=1e-12)


@pytest.mark.parametrize(
    ("diameter_mm", "sigma_top_S_m"), [(0.05, None), (0.5, None), (5.0, None), (0.5, 0.0)]
)
def test_step_and_spline_are_the_integrals_that_they_stand_for(
    diameter_mm: float, sigma_top_S_m: float | None
) -> None:
    image = 0.0 if sigma_top_S_m is None else 1.0  # of an insulator

    def integral(at_mm: float, density: object, low_mm: float, high_mm: float) -> float:
        kinks = [z for z in FIVE_MM if low_mm < z < high_mm]

        def integrand(z: float) -> float:
            return (
                field(at_mm, z, diameter_mm / 2) + image * field(-at_mm, z, diameter_mm / 2)
            ) * density(z)

        return (
            1e-6 * integrate.quad(integrand, low_mm, high_mm, points=kinks or None, epsrel=1e-10)[0]
        )

    cylinder = {"diameter_mm": diameter_mm, "sigma_top_S_m": sigma_top_S_m}

    step = StepICSD(**cylinder).forward(FIVE_MM, SIGMA_S_m)
    by_hand = [[integral(at, lambda z: 1.0, z - 0.05, z + 0.05) for z in FIVE_MM] for at in FIVE_MM]
    np.testing.assert_allclose(step, by_hand, rtol=1e-8)
    method = SplineICSD(**cylinder, step_mm=0.001)
    density = np.array([1.0, -2.0, 0.5, 3.0, -1.0])
    potential_V = method.forward(FIVE_MM, SIGMA_S_m) @ density
    np.testing.assert_allclose(
        estimate(potential_V, FIVE_MM, SplineICSD(**cylinder)), density, rtol=1e-7
    )
    spline = interpolate.CubicSpline(0.1 * np.arange(7), [0.0, *density, 0.0], bc_type="natural")
    by_hand_V = [integral(at, spline, 0.0, 0.6) for at in FIVE_MM]
    np.testing.assert_allclose(potential_V, by_hand_V, rtol=1e-7)
    np.testing.assert_allclose(
        estimate(potential_V, FIVE_MM, method),
        spline(method.places_mm(FIVE_MM)),
        rtol=1e-6,
        atol=1e-6,
    )


@pytest.mark.parametrize("method", [*INVERSE, KernelCSD()], ids=name)
def test_a_planted_density_is_found_again(method: csd.Method) -> None:
    z_mm, potential_V = probe(0.05)
    found, true = estimate(potential_V, z_mm, method), planted(z_mm)
    assert np.corrcoef(found, true)[0, 1] > 0.99
    assert found.max() == pytest.approx(true.max(), rel=0.03)
    assert found.min() == pytest.approx(true.min(), rel=0.03)
    inner = slice(2, -2)
    assert np.linalg.norm((found - true)[inner]) < 0.05 * np.linalg.norm(true[inner])


def test_the_second_difference_misses_what_does_not_spread_across_the_plane() -> None:
    z_mm, potential_V = probe(0.05)
    found, true = estimate(potential_V, z_mm, SecondDifference()), planted(z_mm)[1:-1]
    assert found.max() < 0.7 * true.max(), "a column half a millimetre wide is not a plane"


@pytest.mark.parametrize("method", FIXED[:-1], ids=name)
def test_noise_costs_what_the_matrix_says(method: csd.Method) -> None:
    z_mm, potential_V = probe(0.1)
    bias = estimate(potential_V, z_mm, method) - planted(z_mm)
    gain = np.linalg.norm(method.matrix(z_mm, SIGMA_S_m))
    noise = np.random.default_rng(0).normal(size=(4000, z_mm.size))
    for noise_V in NOISE_V:
        off = estimate(potential_V + noise_V * noise, z_mm, method) - planted(z_mm)
        expected = bias @ bias + (noise_V * gain) ** 2
        # 3 standard errors of 4000 draws
        assert np.mean(np.sum(off**2, axis=-1)) == pytest.approx(expected, rel=0.05)


def test_the_kernel_method_bears_noise_by_its_ridge() -> None:
    """Three noise levels: the ridge grows with the noise, and the error stays below that of the
    other methods.
    """
    z_mm, potential_V = probe(0.1)
    noise = np.random.default_rng(0).normal(size=(50, z_mm.size))
    # of the source over time, which the choice sees
    course = np.sin(np.linspace(0.0, np.pi, 50))[:, None]
    ridges, limits = [], (0.005, 0.01, 0.025)  # docs/csd.rst: 0.003, 0.007, 0.019
    for noise_V, limit in zip(NOISE_V, limits, strict=True):
        seen_V = course * potential_V + noise_V * noise
        fitted = KernelCSD().fitted(seen_V, z_mm)
        true = course * planted(z_mm)
        errors = {
            name(each): np.linalg.norm(estimate(seen_V, z_mm, each) - true)
            for each in (fitted, *INVERSE)
        }
        assert errors["KernelCSD"] == min(errors.values())
        assert errors["KernelCSD"] < limit * np.linalg.norm(true)
        ridges.append(fitted.ridges[0])
    assert ridges == sorted(ridges) and ridges[0] < ridges[-1]


def test_leaving_out_in_one_step_is_leaving_out_one_by_one() -> None:
    z_mm, potential_V = probe(0.2)
    seen_V = potential_V + 1e-5 * np.random.default_rng(1).normal(size=(4, z_mm.size))
    method = KernelCSD(widths_mm=(0.3, 0.6), ridges=(1e-6, 1e-2))
    for row, width in enumerate(method.widths_mm):
        b = method._potentials(z_mm, width, 1.0)
        whole = b @ b.T
        for column, ridge in enumerate(method.ridges):
            lam, total = ridge * np.mean(np.diag(whole)), 0.0
            for k in range(z_mm.size):
                rest = np.delete(np.arange(z_mm.size), k)
                inner = whole[np.ix_(rest, rest)] + lam * np.eye(rest.size)
                total += np.linalg.norm(
                    seen_V[:, k] - whole[k, rest] @ np.linalg.solve(inner, seen_V[:, rest].T)
                )
            assert method.errors(seen_V, z_mm)[row, column] == pytest.approx(total, rel=1e-6)


def test_the_kernel_method_takes_uneven_contacts() -> None:
    z_mm, potential_V = probe(0.05)
    kept = np.delete(np.arange(z_mm.size), [5, 6, 20, 30])
    method = KernelCSD(step_mm=0.05)
    found = estimate(potential_V[kept], z_mm[kept], method)
    assert np.linalg.norm(found - planted(z_mm)) < 0.05 * np.linalg.norm(planted(z_mm))


@pytest.mark.parametrize("method", FIXED, ids=name)
def test_depth_and_conductivity_only_shift_and_scale(method: csd.Method) -> None:
    z_mm = np.arange(8) * 0.1
    matrix = method.matrix(z_mm, 0.3)
    scale = np.abs(matrix).max()
    np.testing.assert_allclose(method.matrix(z_mm + 3.0, 0.3), matrix, atol=1e-8 * scale)
    np.testing.assert_allclose(method.matrix(z_mm, 0.6), 2.0 * matrix, atol=1e-8 * scale)
    np.testing.assert_allclose(matrix[::-1, ::-1], matrix, atol=1e-8 * scale)


@pytest.mark.parametrize("method", INVERSE[:2], ids=name)
def test_a_surface_that_conducts_alike_is_none_and_an_insulating_one_doubles(
    method: DeltaICSD,
) -> None:
    bare = method.forward(FIVE_MM, SIGMA_S_m)
    alike = dataclasses.replace(method, sigma_top_S_m=SIGMA_S_m).forward(FIVE_MM, SIGMA_S_m)
    np.testing.assert_allclose(alike, bare, rtol=1e-12)
    shallow_mm = np.array([1e-6, 0.1, 0.2, 0.3, 0.4])
    off = dataclasses.replace(method, sigma_top_S_m=0.0).forward(shallow_mm, SIGMA_S_m)
    np.testing.assert_allclose(
        off[0, 2:], 2.0 * method.forward(shallow_mm, SIGMA_S_m)[0, 2:], rtol=1e-3
    )


def test_smoothing_weighs_neighbours() -> None:
    plain, smooth = StepICSD(), Smoothed(method=StepICSD())
    weights = np.exp([-0.5, 0.0, -0.5]) / np.exp([-0.5, 0.0, -0.5]).sum()
    expected = np.convolve(estimate(TWO_POLES_V, FIVE_MM, plain), weights, "same")
    np.testing.assert_allclose(estimate(TWO_POLES_V, FIVE_MM, smooth), expected, atol=1e-6)
    of_kernel = Smoothed(method=KernelCSD()).fitted(TWO_POLES_V, FIVE_MM)
    assert of_kernel.method == KernelCSD().fitted(TWO_POLES_V, FIVE_MM)


def test_estimates_are_traced_and_differentiable() -> None:
    def size(potential_V: jax.Array) -> jax.Array:
        return jnp.sum(csd.estimate(potential_V, FIVE_MM, SplineICSD()) ** 2) / 2

    with precision("float64"):
        matrix = SplineICSD().matrix(FIVE_MM, csd.CORTEX_S_M)
        gradient = jax.jit(jax.grad(size))(jnp.asarray(TWO_POLES_V))
        np.testing.assert_allclose(gradient, matrix.T @ matrix @ TWO_POLES_V, rtol=1e-9, atol=1.0)


def recorded(units: str = "mV", **attrs: object) -> xr.DataArray:
    """(time, channel), three times the two poles, deepest channel first."""
    coords = {
        "time": [1.0, 2.0, 3.0],
        "channel": [f"c{k}" for k in range(5)],
        "z_mm": ("channel", FIVE_MM),
    }
    values = 1e3 * np.outer([1.0, 2.0, 3.0], TWO_POLES_V)
    lfp = xr.DataArray(
        values, coords, ("time", "channel"), attrs={"units": units, "onset_ms": 1.0, **attrs}
    )
    return lfp.isel(channel=slice(None, None, -1))


@pytest.mark.parametrize("method", FIXED, ids=name)
def test_labels_travel_with_the_density(method: csd.Method) -> None:
    found = analysis.csd(recorded(), method, sigma_S_m=SIGMA_S_m)
    np.testing.assert_allclose(
        found[1], 2.0 * estimate(TWO_POLES_V, FIVE_MM, method), rtol=1e-9, atol=1e-3
    )
    assert found.dims == ("time", "channel") and found["channel"].values.tolist() == [
        "c0",
        "c1",
        "c2",
        "c3",
        "c4",
    ]
    assert (found.attrs["units"], found.attrs["readout"], found.attrs["onset_ms"]) == (
        "A/m^3",
        "csd",
        1.0,
    )
    assert found.attrs["method"] == repr(method)


@pytest.mark.parametrize("method", [SplineICSD(step_mm=0.025), KernelCSD(step_mm=0.025)], ids=name)
def test_a_grid_of_its_own_has_depths_and_no_names(method: csd.Method) -> None:
    found = analysis.csd(recorded(), method)
    np.testing.assert_allclose(found["z_mm"], np.linspace(0.1, 0.5, 17))
    assert set(found.coords) == {"time", "z_mm"} and found.shape == (3, 17)


@pytest.mark.parametrize(
    ("lfp", "method", "said"),
    [
        (
            recorded("a.u."),
            DeltaICSD(),
            "a proxy, a.u., with DeltaICSD; expected a potential",
        ),
        (
            recorded("a.u."),
            Smoothed(method=StepICSD()),
            "a proxy, a.u., with StepICSD; expected",
        ),
        (recorded("V", proxy=1), KernelCSD(), "a proxy, V, with KernelCSD; expected"),
        (recorded("pA"), SplineICSD(), "a proxy, pA, with SplineICSD; expected"),
        (recorded()[:, :2], StepICSD(), "2 channels; expected 3 or more"),
        (
            recorded()[:, [0, 1, 4]],
            StepICSD(),
            "depths that are not evenly spaced; expected one step",
        ),
        (
            recorded().assign_coords(z_mm=("channel", [1, 1, 2, 3, 4])),
            KernelCSD(),
            "depths that do not all grow",
        ),
        (
            recorded().where(recorded()["z_mm"] != 0.3),
            DeltaICSD(),
            "1 of 5 channels with values that are not finite",
        ),
        (recorded().drop_vars("z_mm"), DeltaICSD(), "channels without depths"),
        (
            recorded(),
            SplineICSD(step_mm=1.0),
            "step_mm=1; expected at most the span",
        ),
        (
            recorded().assign_coords(z_mm=("channel", FIVE_MM - 0.1)),
            DeltaICSD(sigma_top_S_m=0.0),
            "a contact at 0 mm",
        ),
    ],
)
def test_what_is_no_laminar_potential_is_refused(
    lfp: xr.DataArray, method: csd.Method, said: str
) -> None:
    with pytest.raises(JtfneError, match=said):
        analysis.csd(lfp, method)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: DeltaICSD(diameter_mm=0.0),
            r"diameter_mm=0.0;.* \(in DeltaICSD\)",
        ),
        (lambda: StepICSD(sigma_top_S_m=-1.0), "sigma_top_S_m=-1.0"),
        (lambda: SplineICSD(step_mm=-0.1), "step_mm=-0.1"),
        (lambda: KernelCSD(widths_mm=()), r"widths_mm=\(\); expected"),
        (lambda: KernelCSD(ridges=(-1.0,)), "ridges=-1.0"),
        (
            lambda: KernelCSD(n_sources=1),
            r"n_sources=1; expected a whole number in \[3, 100000\]",
        ),
        (
            lambda: KernelCSD().matrix(FIVE_MM, 0.3),
            "6 widths and 19 ridges; expected one of each",
        ),
        (lambda: KernelCSD().errors(np.zeros(4), FIVE_MM), "4 channels at 5 depths"),
        (lambda: csd.estimate(np.zeros(4), FIVE_MM, DeltaICSD()), "4 channels at 5 depths"),
        (lambda: Smoothed(method=DeltaICSD(), weights=(1.0, 1.0)), "an odd number of weights"),
        (lambda: analysis.csd(recorded(), sigma_S_m=float("nan")), "sigma_S_m=nan"),
    ],
)
def test_settings_that_mean_nothing_are_refused(make: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_every_method_finds_the_sink_of_the_barrel_recording() -> None:
    lfp = analysis.load_recording("barrel")
    found = {}
    for method in (*INVERSE, KernelCSD(), SecondDifference(vaknin=True)):
        density = analysis.csd(lfp, Smoothed(method=method))
        found[name(method)] = density.values.ravel()
        sink = density.isel(density.argmin(...))
        assert 0.3 <= float(sink["z_mm"]) <= 0.6 and float(sink["time"]) > lfp.attrs["onset_ms"]
    between = np.corrcoef(list(found.values()))
    assert between.min() > 0.75, "one recording, one pattern"
