"""FLIP on a simulated circuit with every null, as docs/validation/flip.rst has it, at reduced
size.
"""

import functools

import numpy as np
import pytest

from docs.validation._flip import CONTROLS, Found, found_in, potentials
from jtfne.measures.spectrolaminar import IDENTIFIABLE
from jtfne.presets import v1_v4

pytestmark = pytest.mark.as_users  # simulates for long

N_DRAWS, STOP_MS = 19, 3500.0


@functools.cache
def found() -> dict[str, Found]:
    """Both areas of a circuit of two thirds of its size, 3 s."""
    lfps = potentials(v1_v4(300, evoked=False), STOP_MS, n_channels=16)
    return {area: found_in(lfp, N_DRAWS, n_free_draws=3) for area, lfp in lfps.items()}


@pytest.mark.parametrize("area", ["V1", "V4"])
def test_the_motif_that_was_built_in_is_found_beyond_the_shuffled_maps(area: str) -> None:
    one = found()[area]
    for motif in (one.fixed, one.free):
        assert motif.goodness is not None and motif.goodness > IDENTIFIABLE, "upright"
    assert abs(one.free.goodness) >= abs(one.fixed.goodness)
    assert 0.3 < one.depth_mm(one.fixed) < 1.2, "layers 2/3 to 5 of 1.5 mm"
    for control in ("channels shuffled", "frequencies shuffled"):
        assert one.nulls[control].p == 1 / (1 + N_DRAWS)


@pytest.mark.parametrize("area", ["V1", "V4"])
def test_polarity_changes_nothing_and_phase_little(area: str) -> None:
    one = found()[area]
    for null in one.of("polarity flipped"):
        assert (null.null == null.goodness).all() and null.p == 1.0
    phases, channels = one.nulls["phases at random"], one.nulls["channels shuffled"]
    # of power in 5 segments of 1 s; of G, which is a mean of many, less
    scatter = phases.goodness / np.sqrt(5)
    assert (
        np.abs(phases.null - phases.goodness).max()
        < scatter
        < np.abs(channels.null - channels.goodness).min()
    )
    assert set(one.nulls) == set(CONTROLS) == set(one.free_nulls)
