"""The spline estimator against elephant's, on the recording of rat barrel cortex.

The other estimators are rows of docs/validation/agreement.rst: tests/test_agreement_page.py.
"""

import warnings
from types import ModuleType

import numpy as np
import pytest
import xarray as xr

from jtfne import analysis
from jtfne.analysis import SplineICSD


@pytest.fixture(scope="module")
def lfp() -> xr.DataArray:
    """(time, channel) V: 23 contacts 0.1 mm apart."""
    return analysis.load_recording("barrel")


@pytest.fixture(scope="module")
def elephant() -> tuple[ModuleType, ModuleType]:
    """Its inverse methods, and quantities."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of neo's and quantities' own
        import quantities
        from elephant.current_source_density_src import icsd
    return icsd, quantities


def test_spline_away_from_the_ends(lfp, elephant) -> None:
    """elephant 1.2.1 leaves out the current below the last contact and ends its spline
    otherwise.
    """
    icsd, pq = elephant
    theirs = icsd.SplineiCSD(lfp.values.T * pq.V, lfp["z_mm"].values * 1e-3 * pq.m, tol=1e-14)
    expected = np.linalg.solve(np.asarray(theirs.f_matrix)[1:-1, 1:-1], lfp.values.T).T
    off = (
        np.abs(analysis.csd(lfp, SplineICSD()).values - expected).max(axis=0)
        / np.abs(expected).max()
    )
    assert off[8:14].max() < 0.01 < off[[0, -1]].min()
