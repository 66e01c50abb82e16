"""Source modes: what each sums, that terms balance, and that nothing counts twice."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from circuits import circuit, run
from jtfne import config as words
from jtfne._check import JtfneError, SynapticDoubleCountError
from jtfne._precision import precision
from jtfne.config import Config
from jtfne.emitters import Izhikevich2003
from jtfne.sources import SOURCES


@pytest.fixture(scope="module")
def seen():
    """Each source mode and the balance of one busy circuit, by step: (n_steps, n_parts, n_cells)."""
    with precision("float64"):
        flat = circuit(
            Izhikevich2003(), 3, drive_pA=900.0, noise_pA=50.0, tau_syn_ms=(2.0, 5.0), dtype=np.float64,
            edges=[(0, 1, 0, 5, 40.0), (1, 2, 1, 9, -60.0), (2, 0, 0, 3, 30.0)],
        )  # fmt: skip
        watch = (lambda view: jnp.stack(view.balance()), *(SOURCES[kind]().read for kind in SOURCES))
        spikes, (balance, *sources) = run(flat, 3000, 0.1, watch=watch)
    return (
        spikes,
        dict(zip(("capacitive", "ionic", "synaptic", "external"), np.moveaxis(balance, 1, 0), strict=True)),
        dict(zip(SOURCES, sources, strict=True)),
    )


@pytest.mark.parametrize("kind", [kind for kind in SOURCES if kind != "spike_proxy"])
def test_each_mode_sums_its_terms(seen, kind):
    _, terms, sources = seen
    for k, (_, names) in enumerate(SOURCES[kind].parts):
        want = sum(terms[name] for name in names)
        np.testing.assert_allclose(sources[kind][:, k], want, atol=1e-9 * np.abs(terms["ionic"]).max())


def test_modes_say_what_the_contract_says(seen):
    """input = -(capacitive + ionic); total = -external; decomposed sums to total; all from one balance."""
    _, terms, sources = seen
    bound = {"atol": 1e-9 * np.abs(terms["ionic"]).max()}
    np.testing.assert_allclose(sources["input_current"][:, 0], -(terms["capacitive"] + terms["ionic"]), **bound)
    np.testing.assert_allclose(sources["total_membrane_current"][:, 0], -terms["external"], **bound)
    np.testing.assert_allclose(sources["decomposed"].sum(1), sources["total_membrane_current"][:, 0], **bound)


def test_excitation_is_a_sink(seen):
    _, terms, _ = seen
    assert terms["synaptic"][:, 1].max() == 0.0 and terms["synaptic"][:, 1].min() < 0.0  # cell 1 is excited
    assert terms["synaptic"][:, 2].min() == 0.0 and terms["synaptic"][:, 2].max() > 0.0  # cell 2 is inhibited


def test_spike_proxy_carries_unit_charge(seen):
    spikes, _, sources = seen
    np.testing.assert_allclose(sources["spike_proxy"][:, 0].sum(0) * 0.1, spikes.sum(0), rtol=1e-12)


@pytest.mark.parametrize("pair", list(itertools.combinations(SOURCES, 2)), ids="+".join)
def test_what_would_count_twice_is_refused(pair):
    """Decided from the sets of terms, not from labels."""
    one, other = ({term for _, terms in SOURCES[kind].parts for term in terms} for kind in pair)
    wrong = SynapticDoubleCountError if one & other else JtfneError
    with pytest.raises(wrong) as caught:
        Config().source(list(pair))
    assert type(caught.value) is SynapticDoubleCountError or not one & other
    for term in one & other:
        assert term in str(caught.value)


def test_words_and_sources_agree():
    """A config's mode names the same terms as the source that computes it."""
    declared = {cls().kind: cls.terms for cls in words.SOURCE_MODES}
    assert declared == {kind: tuple(t for _, terms in cls.parts for t in terms) for kind, cls in SOURCES.items()}
