"""vFLIP against FLIP at its bands, and FLIP against its controls."""

import numpy as np
import pytest
import xarray as xr

from jtfne import JtfneError, analysis
from jtfne.measures import spectrolaminar, vflip
from jtfne.measures.vflip import BANDS, ShuffledChannels, ShuffledFrequencies, flip_null
from test_measures import motif


def test_the_pairs_are_those_of_the_published_function() -> None:
    assert len(BANDS) == 1529 == len(set(BANDS))  # the slots that it sets aside


@pytest.mark.parametrize("upright", [True, False])
def test_vflip_is_flip_at_the_best_pair(upright: bool) -> None:
    power, f_Hz, laminar_mm = motif()
    power = power if upright else power[::-1]
    found = vflip.vflip(power, f_Hz, laminar_mm)
    assert found == spectrolaminar.flip(power, f_Hz, laminar_mm, found.low_Hz, found.high_Hz)
    assert (found.goodness > 0) == upright
    for low, high in BANDS[:: len(BANDS) // 20]:
        one = spectrolaminar.flip(power, f_Hz, laminar_mm, low, high)
        assert abs(one.goodness or 0.0) <= abs(found.goodness)


def test_vflip_keeps_within_the_frequencies_and_needs_some() -> None:
    power, f_Hz, laminar_mm = motif()
    found = vflip.vflip(power[:, :100], f_Hz[:100], laminar_mm)
    assert found.high_Hz[1] <= 100.0
    with pytest.raises(ValueError, match="frequencies up to 30 Hz are not allowed; allowed: 40 Hz or more"):
        vflip.vflip(power[:, :30], f_Hz[:30], laminar_mm)


def test_a_gain_has_no_motif_in_any_band() -> None:
    _, f_Hz, laminar_mm = motif()
    gain = f_Hz**-1.5 * np.linspace(1.0, 3.0, 24)[:, None]
    assert vflip.vflip(gain, f_Hz, laminar_mm) == spectrolaminar.Flip()


@pytest.mark.parametrize("control", [ShuffledChannels(), ShuffledFrequencies()], ids=lambda each: type(each).__name__)
def test_a_motif_is_no_chance_and_chance_is_no_motif(control: vflip.Control) -> None:
    power, f_Hz, laminar_mm = motif()
    found = flip_null(power, f_Hz, laminar_mm, control, n_draws=49)
    assert found.goodness == pytest.approx(1.2427, abs=5e-5)
    assert found.p == 1 / 50 and np.abs(found.null).max() < found.goodness
    chance = control.draw(power, np.random.default_rng(5))
    assert flip_null(chance, f_Hz, laminar_mm, control, n_draws=19).p > 0.05
    with pytest.raises(ValueError, match="n_draws=0"):
        flip_null(power, f_Hz, laminar_mm, control, n_draws=0)


def labelled() -> xr.DataArray:
    """The map of the reference, deepest channel first."""
    power, f_Hz, laminar_mm = motif()
    coords = {"z_mm": ("channel", laminar_mm), "frequency": f_Hz}
    return xr.DataArray(power, coords, ("channel", "frequency")).isel(channel=slice(None, None, -1))


def test_labelled_maps_are_ordered_by_depth() -> None:
    power, f_Hz, laminar_mm = motif()
    assert analysis.vflip(labelled()) == vflip.vflip(power, f_Hz, laminar_mm)
    found, again = (analysis.flip_null(labelled(), n_draws=19, seed=seed) for seed in (0, 0))
    assert found.goodness == pytest.approx(1.2427, abs=5e-5) and found.p == 1 / 20
    assert (found.null == again.null).all()
    assert analysis.flip(labelled()).low_Hz == (10.0, 19.0)


@pytest.mark.parametrize("function", [analysis.flip, analysis.vflip, analysis.flip_null])
def test_maps_with_gaps_or_uneven_depths_are_refused(function: object) -> None:
    with pytest.raises(JtfneError, match=r"power that is not finite, the first at 0.5 mm,"):
        function(labelled().where(labelled()["z_mm"] != labelled()["z_mm"].values[-6]))
    with pytest.raises(JtfneError, match="evenly spaced"):
        function(labelled().isel(channel=[*range(10), *range(12, 24)]))
    with pytest.raises(JtfneError, match=r"0.7 mm or more"):
        function(labelled().isel(channel=slice(5)))
