"""vFLIP against FLIP at its bands, and FLIP against its controls."""

import numpy as np
import pytest
import xarray as xr

from jtfne import JtfneError, analysis
from jtfne.measures import spectrolaminar, vflip
from jtfne.measures.csd import SecondDifference
from jtfne.measures.vflip import (
    BANDS,
    PhaseRandomised,
    PolarityFlip,
    ShuffledChannels,
    ShuffledFrequencies,
    flip_null,
)
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
    with pytest.raises(ValueError, match="frequencies up to 30 Hz; expected 40 Hz or more"):
        vflip.vflip(power[:, :30], f_Hz[:30], laminar_mm)


def test_a_gain_has_no_motif_in_any_band() -> None:
    _, f_Hz, laminar_mm = motif()
    gain = f_Hz**-1.5 * np.linspace(1.0, 3.0, 24)[:, None]
    assert vflip.vflip(gain, f_Hz, laminar_mm) == spectrolaminar.Flip()


@pytest.mark.parametrize(
    "control", [ShuffledChannels(), ShuffledFrequencies()], ids=lambda each: type(each).__name__
)
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


def potentials(n_steps: int = 20_000) -> xr.DataArray:
    """Potentials whose power is the map of the reference, from one generator: all channels in
    phase.
    """
    power, f_Hz, laminar_mm = motif()
    rng, at_Hz = np.random.default_rng(0), np.fft.rfftfreq(n_steps, 1e-3)
    size = np.sqrt([np.interp(at_Hz, f_Hz, row) * (at_Hz <= 150.0) for row in power])
    generator = rng.normal(size=at_Hz.size) + 1j * rng.normal(size=at_Hz.size)
    coords = {"time": np.arange(1.0, n_steps + 1), "z_mm": ("channel", laminar_mm)}
    return xr.DataArray(
        np.fft.irfft(size * generator, n_steps, axis=-1), coords, ("channel", "time")
    )


@pytest.mark.parametrize("shared", [False, True])
def test_random_phases_keep_power_and_nothing_else(shared: bool) -> None:
    lfp = potentials(4000).values
    drawn = PhaseRandomised(shared=shared).draw(lfp, np.random.default_rng(1))
    was, now = np.fft.rfft(lfp, axis=-1), np.fft.rfft(drawn, axis=-1)
    np.testing.assert_allclose(np.abs(now), np.abs(was), atol=1e-9 * np.abs(was).max())
    turn = np.angle(now[:, 1:500] * np.conj(was[:, 1:500]))
    assert abs(np.exp(1j * turn).mean()) < 4.0 / np.sqrt(turn.size / (24 if shared else 1)), (
        "phases from all round"
    )
    assert np.allclose(np.exp(1j * turn), np.exp(1j * turn[0])) == shared
    odd = PhaseRandomised().draw(lfp[:, :-1], np.random.default_rng(1))
    np.testing.assert_allclose(
        np.abs(np.fft.rfft(odd)), np.abs(np.fft.rfft(lfp[:, :-1])), atol=1e-9 * np.abs(was).max()
    )


def test_flip_of_power_is_blind_to_phase_and_polarity() -> None:
    """What these controls cannot break: they must not be read as chance."""
    lfp = potentials()
    found = {
        control: analysis.flip_null(lfp, control, n_draws=19)
        for control in (
            PolarityFlip(),
            PhaseRandomised(shared=True),
            PhaseRandomised(),
            ShuffledChannels(),
        )
    }
    observed = found[PolarityFlip()].goodness
    assert observed == pytest.approx(1.2427, abs=5e-5), (
        "one generator: Welch's noise is the same at all channels"
    )
    assert (found[PolarityFlip()].null == observed).all() and found[PolarityFlip()].p == 1.0
    np.testing.assert_allclose(found[PhaseRandomised(shared=True)].null, observed, rtol=1e-5)
    # 39 half-overlapping segments of 1 s: power has 1 / sqrt(39) of scatter, means over bands less.
    np.testing.assert_allclose(found[PhaseRandomised()].null, observed, rtol=1.0 / np.sqrt(39))
    assert np.abs(found[ShuffledChannels()].null).max() < observed / 2.0
    assert found[ShuffledChannels()].p == 1 / 20


def test_the_motif_of_a_csd_does_hang_on_phase_and_polarity() -> None:
    """The same controls where differences of channels are taken first."""
    method = SecondDifference()
    found, kept, apart = (
        analysis.flip_null(potentials(), control, n_draws=9, density=method)
        for control in (PolarityFlip(), PhaseRandomised(shared=True), PhaseRandomised())
    )
    assert (
        found.goodness > 0.5
        and np.abs(found.null).max() < 0.5 * found.goodness
        and found.p == 1 / 10
    )
    np.testing.assert_allclose(kept.null, found.goodness, rtol=1e-3)
    assert (np.abs(apart.null / found.goodness - 1.0) > 0.5).all(), (
        "unrelated channels: their CSD has their own power"
    )


def test_potentials_give_the_map_that_flip_takes() -> None:
    lfp = potentials().transpose("time", "channel").isel(channel=slice(None, None, -1))
    by_hand = analysis.flip(analysis.psd(lfp).sel(frequency=slice(1, 150)))
    found = analysis.flip_null(lfp, n_draws=9, seed=3)
    assert found.goodness == by_hand.goodness
    np.testing.assert_array_equal(found.null, analysis.flip_null(lfp, n_draws=9, seed=3).null)
    twice = analysis.flip_null(lfp.expand_dims(trial=2), PhaseRandomised(), n_draws=2)
    assert twice.goodness == pytest.approx(found.goodness, rel=1e-9)
    with pytest.raises(JtfneError, match="PhaseRandomised of a map; expected a control of maps"):
        analysis.flip_null(labelled(), PhaseRandomised())
    with pytest.raises(JtfneError, match="select one area"):
        analysis.flip_null(lfp.expand_dims("area"), PhaseRandomised())
    with pytest.raises(JtfneError, match="n_draws=0"):
        analysis.flip_null(lfp, PhaseRandomised(), n_draws=0)


@pytest.mark.parametrize("function", [analysis.flip, analysis.vflip, analysis.flip_null])
def test_maps_with_gaps_or_uneven_depths_are_refused(function: object) -> None:
    with pytest.raises(JtfneError, match=r"power that is not finite, the first at 0.5 mm"):
        function(labelled().where(labelled()["z_mm"] != labelled()["z_mm"].values[-6]))
    with pytest.raises(JtfneError, match="evenly spaced"):
        function(labelled().isel(channel=[*range(10), *range(12, 24)]))
    with pytest.raises(JtfneError, match=r"0.7 mm or more"):
        function(labelled().isel(channel=slice(5)))
