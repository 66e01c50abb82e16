"""Source modes: what each sums, that terms balance, and that nothing counts twice."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from circuits import Watch, circuit, run
from jtfne import _keys, engine
from jtfne import config as words
from jtfne._check import JtfneError, SynapticDoubleCountError
from jtfne._precision import precision
from jtfne.config import Config
from jtfne.emitters import LIF, AdEx, Izhikevich2003, TwoCompartment
from jtfne.sources import AXIAL, EXTERNAL, SOURCES, SourceSinkCurrents
from jtfne.synapses import CONDUCTANCES, Alpha, BiExponential


@pytest.fixture(scope="module")
def seen():
    """Each source mode and the balance of one busy circuit, by step: (n_steps, n_parts,
    n_cells).
    """
    with precision("float64"):
        flat = circuit(
            Izhikevich2003(), 3, drive_pA=900.0, noise_pA=50.0, tau_syn_ms=(2.0, 5.0), dtype=np.float64,
            edges=[(0, 1, 0, 5, 40.0), (1, 2, 1, 9, -60.0), (2, 0, 0, 3, 30.0)],
        )  # fmt: skip
        watch = (
            lambda view: jnp.stack(view.balance()),
            *(SOURCES[kind]().read for kind in SOURCES),
        )
        spikes, (balance, *sources) = run(flat, 3000, 0.1, watch=watch)
    return (
        spikes,
        dict(
            zip(
                ("capacitive", "ionic", "synaptic", "external"),
                np.moveaxis(balance, 1, 0),
                strict=True,
            )
        ),
        dict(zip(SOURCES, sources, strict=True)),
    )


@pytest.mark.parametrize("kind", [kind for kind in SOURCES if kind != "spike_proxy"])
def test_each_mode_sums_its_terms(seen, kind):
    _, terms, sources = seen
    for k, (_, names) in enumerate(SOURCES[kind].parts):
        want = sum(terms[name] for name in names)
        np.testing.assert_allclose(
            sources[kind][:, k], want, atol=1e-9 * np.abs(terms["ionic"]).max()
        )


def test_modes_say_what_the_contract_says(seen):
    """input = -(capacitive + ionic); total = -external; decomposed sums to total; all from one
    balance.
    """
    _, terms, sources = seen
    bound = {"atol": 1e-9 * np.abs(terms["ionic"]).max()}
    np.testing.assert_allclose(
        sources["input_current"][:, 0], -(terms["capacitive"] + terms["ionic"]), **bound
    )
    np.testing.assert_allclose(sources["total_membrane_current"][:, 0], -terms["external"], **bound)
    np.testing.assert_allclose(
        sources["decomposed"].sum(1), sources["total_membrane_current"][:, 0], **bound
    )


def test_excitation_is_a_sink(seen):
    _, terms, _ = seen
    # cell 1 is excited
    assert terms["synaptic"][:, 1].max() == 0.0 and terms["synaptic"][:, 1].min() < 0.0
    # cell 2 is inhibited
    assert terms["synaptic"][:, 2].min() == 0.0 and terms["synaptic"][:, 2].max() > 0.0


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
    assert declared == {
        kind: tuple(t for _, terms in cls.parts for t in terms) for kind, cls in SOURCES.items()
    }


# Loop currents

MECHANISMS = {
    "b": BiExponential(tau_rise_ms=1.0, tau_decay_ms=4.0, sign=1),
    "a": Alpha(tau_ms=2.0, sign=-1),
}


def mixed(emitter, *names):
    """Cells of one model under every one of the mechanisms, as arrays."""
    edges = [
        {"source": "E", "target": "E", "mechanism": name, "rule": "AllToAll",
         "weight": 3.0 if name in CONDUCTANCES else 40.0 * (MECHANISMS[name].sign or 1)}
        for name in names
    ]  # fmt: skip
    config = (
        Config()
        .runtime(dtype="float64")
        .areas(["V1"])
        .layers(["L4"])
        .cells({"E": 6})
        .emitters({"E": emitter})
        .cell_params({"E": {"drive": 1000.0}})
        .mechanisms({**CONDUCTANCES, **MECHANISMS})
        .connections(edges)
    )
    return jtfne.construct(config).to_flat(dt_ms=0.1)


def watched(flat, *reads, n_steps=600):
    """What each of `reads` saw of every step."""
    with precision("float64"):
        _, chunk = flat.run(_keys.key(0), n_steps=n_steps, recorders=tuple(map(Watch, reads)))
    return [np.asarray(each) for each in chunk.recorded]


@pytest.mark.parametrize(
    "names", [("b", "a"), ("AMPA", "GABA_A"), ("b", "AMPA", "a", "NMDA", "GABA_B")], ids="+".join
)
@pytest.mark.parametrize("emitter", [LIF(), AdEx()], ids=lambda each: type(each).__name__)
def test_what_receptors_bring_sums_to_the_synaptic_term(emitter, names):
    flat = mixed(emitter, *names)
    each, balance = watched(
        flat,
        lambda view: jnp.stack(engine.received_pA(view, 0)),
        lambda view: jnp.stack(view.balance()),
    )
    synaptic = balance[:, 2]
    assert each.shape[1] == len(names)
    np.testing.assert_allclose(each.sum(1), -synaptic, atol=1e-9 * np.abs(balance).max())
    signs = {"a": -1, "GABA_A": -1, "GABA_B": -1}  # a membrane above -80 mV
    for k, (name,) in enumerate(flat.receptors):
        assert np.abs(each[:, k]).max() > 1.0 and (signs.get(name, 1) * each[:, k] >= -1e-6).all()


def test_a_lone_conductance_is_all_of_the_synaptic_term():
    (each, balance) = watched(
        mixed(LIF(), "AMPA"),
        lambda view: engine.received_pA(view, 0)[0],
        lambda view: view.balance().synaptic,
    )
    np.testing.assert_allclose(each, -balance, atol=1e-9 * np.abs(balance).max())


def test_the_loop_of_two_compartments_is_what_either_gives_to_the_other():
    """All terms of the soma, outside currents too, sum to what comes from the dendrite; and the
    reverse.
    """

    def compartments(view):
        group = view.circuit.groups[0]
        return jnp.stack(
            group.emitter.compartment_balance(
                view.before[0], view.cells[0], view.i_ext_pA, view.syn, view.dt_ms
            )
        )

    flat = mixed(TwoCompartment(dendrite_share=0.7, dendrite_input_share=0.2), "AMPA", "a")
    loop, balance = watched(flat, SourceSinkCurrents(((((AXIAL, 1),),),)).read, compartments)
    assert (
        loop.shape[1:] == (1, 6)
        and np.abs(loop).max() > 10.0
        and (loop < 0.0).any()
        and (loop > 0.0).any()
    )
    bound = {"atol": 1e-9 * np.abs(balance).max()}
    np.testing.assert_allclose(balance.sum(1)[:, 0], loop[:, 0], **bound)
    np.testing.assert_allclose(balance.sum(1)[:, 1], -loop[:, 0], **bound)


def test_loops_sum_what_their_terms_say():
    flat = mixed(LIF(), "b", "a")
    loops, external, received, source = watched(
        flat,
        SourceSinkCurrents(((((0, 1), (1, -1)), ((EXTERNAL, -1),), ()),)).read,
        lambda view: view.i_ext_pA,
        lambda view: jnp.stack(engine.received_pA(view, 0)),
        SOURCES["synaptic_current"]().read,
    )
    np.testing.assert_allclose(loops[:, 0], received[:, 0] - received[:, 1], rtol=1e-12)
    np.testing.assert_array_equal(loops[:, 1], -external)
    assert not loops[:, 2].any()
    np.testing.assert_allclose(received.sum(1), -source[:, 0], atol=1e-9 * np.abs(source).max())
