"""A batch is its members: to the bit, by one program, whatever differs between them."""

import jax
import numpy as np
import pytest

import jtfne
from contract_delivery import NET
from jtfne import batch, delivery
from jtfne.batch import names_of, run_batch
from jtfne.readouts import VoltageRows

pytestmark = pytest.mark.as_users
N_STEPS = 200


@pytest.mark.parametrize(
    "choice", [delivery.Event(), delivery.Sparse(), delivery.Dense()], ids=repr
)
def test_members_are_what_they_are_alone(choice):
    flat = NET.to_flat(delivery=choice)
    keys = jax.random.split(jax.random.key(3), 3)
    gains = np.array([0.9, 1.0, 1.1], np.float32)
    drives = gains[:, None] * flat.circuit.drive_pA
    noises = gains[::-1, None] * flat.circuit.noise_pA
    values = {"circuit.drive_pA": drives, "circuit.noise_pA": noises}
    got = run_batch(
        flat, keys, n_steps=N_STEPS, values=values, recorders=(VoltageRows("vm", None, 10),)
    )
    assert got.words.shape[0] == 3 and got.recorded[0]["vm"].shape == (3, 20, NET.n_neurons)
    for k in range(3):
        alone = run_batch(
            flat,
            keys[k : k + 1],
            n_steps=N_STEPS,
            values={name: each[k : k + 1] for name, each in values.items()},
        )
        np.testing.assert_array_equal(got.words[k], alone.words[0])
    counts = jax.lax.population_count(got.words).sum((1, 2))
    assert len({words.tobytes() for words in np.asarray(got.words)}) == 3 and counts.min() > 20


def test_one_program_for_all_members():
    flat = NET.to_flat(delivery=delivery.Event())
    before = batch._member._cache_size()
    run_batch(flat, jax.random.split(jax.random.key(0), 4), n_steps=50)
    assert batch._member._cache_size() == before + 1
    run_batch(flat, jax.random.split(jax.random.key(1), 6), n_steps=50)
    assert batch._member._cache_size() == before + 1


def test_any_leaf_may_differ():
    flat = NET.to_flat(delivery=delivery.Event())
    names = names_of(flat)
    assert {
        "circuit.drive_pA",
        "circuit.delivery.weights",
        "circuit.groups[0].emitter.v_th_mV",
    } <= set(names)
    thresholds = np.array([-50.0, 1e3], np.float32)
    keys = jax.random.split(jax.random.key(0), 1)[np.zeros(2, int)]
    words = run_batch(
        flat, keys, n_steps=N_STEPS, values={"circuit.groups[0].emitter.v_th_mV": thresholds}
    ).words
    spikes = jax.lax.population_count(words).sum((1, 2))
    assert spikes[0] > spikes[1]


def test_what_does_not_fit_is_refused():
    flat = NET.to_flat(delivery=delivery.Event())
    keys = jax.random.split(jax.random.key(0), 2)
    with pytest.raises(
        jtfne.JtfneError, match=r"unknown values 'circuit.drive'.*nearest: 'circuit.drive_pA'"
    ):
        run_batch(flat, keys, n_steps=10, values={"circuit.drive": np.zeros(2)})
    with pytest.raises(jtfne.JtfneError, match=r"shape \(3, 222\).*\(2, 222\)"):
        run_batch(flat, keys, n_steps=10, values={"circuit.drive_pA": np.zeros((3, 222))})
    with pytest.raises(jtfne.JtfneError, match="one device"):
        run_batch(NET.to_flat(delivery=delivery.Sharded()), keys, n_steps=10)
