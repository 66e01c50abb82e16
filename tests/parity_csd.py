"""The estimators against elephant's, on the recording of rat barrel cortex."""

import warnings
from types import ModuleType

import numpy as np
import pytest
import xarray as xr

from jtfne import analysis
from jtfne.analysis import DeltaICSD, KernelCSD, SecondDifference, SplineICSD, StepICSD

SPACING_m = 1e-4


@pytest.fixture(scope="module")
def lfp() -> xr.DataArray:
    """(time, channel) V: 23 contacts 0.1 mm apart."""
    return analysis.load_recording("barrel")


@pytest.fixture(scope="module")
def elephant() -> tuple[ModuleType, ModuleType, ModuleType]:
    """Its inverse methods, its kernel method, and quantities."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of neo's and quantities' own
        import quantities
        from elephant.current_source_density_src import KCSD, icsd
    return icsd, KCSD, quantities


@pytest.mark.parametrize(
    ("theirs", "ours", "settings", "per_m"),
    [
        ("StandardCSD", SecondDifference(vaknin=True), {}, SPACING_m),
        ("StandardCSD", SecondDifference(), {"vaknin_el": False}, SPACING_m),
        ("DeltaiCSD", DeltaICSD(), {}, SPACING_m),
        ("StepiCSD", StepICSD(), {"tol": 1e-12}, 1.0),
    ],
)
def test_inverse_methods(lfp, elephant, theirs, ours, settings, per_m) -> None:
    """Equal in A/m^3; elephant's first two give A/m^2 per plane, which is that times the spacing."""
    icsd, _, pq = elephant
    given = {"lfp": lfp.values.T * pq.V, "coord_electrode": lfp["z_mm"].values * 1e-3 * pq.m}
    expected = np.asarray(getattr(icsd, theirs)(**given, **settings).get_csd()).T / per_m
    found = analysis.csd(lfp, ours).values
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


def test_spline_away_from_the_ends(lfp, elephant) -> None:
    """elephant 1.2.1 leaves out the current below the last contact and ends its spline otherwise."""
    icsd, _, pq = elephant
    theirs = icsd.SplineiCSD(lfp.values.T * pq.V, lfp["z_mm"].values * 1e-3 * pq.m, tol=1e-14)
    expected = np.linalg.solve(np.asarray(theirs.f_matrix)[1:-1, 1:-1], lfp.values.T).T
    off = np.abs(analysis.csd(lfp, SplineICSD()).values - expected).max(axis=0) / np.abs(expected).max()
    assert off[8:14].max() < 0.01 < off[[0, -1]].min()


def test_kernel_method(lfp, elephant, capsys) -> None:
    """elephant in mm, hence 1e6. Its potentials end at three sd, where 0.27 % of a source lies: within twice that."""
    _, kernel, _ = elephant
    z_mm, ridge, n = lfp["z_mm"].values, 1e-6, 23
    theirs = kernel.KCSD1D(
        z_mm[:, None], lfp.values.T, sigma=0.3, h=0.25, R_init=0.3, n_src_init=300, gdx=2.2 / (n + 0.5)
    )
    theirs.create_lookup(2000)  # its table of 20 distances costs another 1 %
    theirs.update_b_pot()
    theirs.update_b_src()
    theirs.update_lambda(ridge * np.trace(theirs.k_pot) / n)
    expected = theirs.values("CSD").T * 1e6
    found = analysis.csd(lfp, KernelCSD(widths_mm=(0.3,), ridges=(ridge,))).values
    assert np.linalg.norm(found - expected) < 0.0054 * np.linalg.norm(expected)
    capsys.readouterr()  # it prints
