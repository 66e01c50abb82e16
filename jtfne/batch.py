"""Many runs of one circuit, each with its own key and values, by one compiled program.

On CPU an event-driven run is served best by a core of its own: members share the program and are
spread over threads. Elsewhere, and for the sparse and dense deliveries, they are one batch
(`vmap`).
"""

import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp

from jtfne import engine
from jtfne._check import one_of, refuse
from jtfne._cores import n_cores
from jtfne._precision import defined_jax_flags, precision
from jtfne.delivery import EventDelivery, ShardedDelivery
from jtfne.flatnet import FlatNet

Values = Mapping[str, jax.Array]


@defined_jax_flags()
def run_batch(
    flat: FlatNet,
    keys: jax.Array,
    *,
    n_steps: int,
    values: Values | None = None,
    inputs: engine.Inputs | None = None,
    clock: engine.InputChunk | None = None,
    recorders: tuple[engine.Recorder, ...] = (),
) -> engine.Chunk:
    """Run every member of a batch from its start.

    Parameters
    ----------
    flat : FlatNet
        The circuit, on one device.
    keys : jax.Array
        A key a member, (n_members,).
    n_steps : int
        Steps of ``flat.dt_ms``.
    values : mapping of str to array, optional
        What differs between members besides the key: by the name of a leaf of `flat` (see
        `names_of`), an array of that leaf's shape behind an axis of members.
    inputs, clock, recorders : as for `FlatNet.run`, the same for all members.

    Returns
    -------
    jtfne.engine.Chunk
        As of `FlatNet.run`, every array behind an axis of members; each member is, to the bit, what
        it is alone.

    Raises
    ------
    JtfneError
        For a name that is no leaf, an array of another shape, and a circuit spread over devices.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, jtfne
    >>> from jtfne.batch import run_batch
    >>> flat = jtfne.construct(jtfne.suite2_net1_config(50)).to_flat()
    >>> gains = jnp.array([0.0, 1.0])
    >>> drives = gains[:, None] * flat.circuit.drive_pA
    >>> keys = jax.random.split(jax.random.key(0), 2)
    >>> words = run_batch(flat, keys, n_steps=1000, values={"circuit.drive_pA": drives}).words
    >>> spikes = jax.lax.population_count(words).sum((1, 2))
    >>> bool(spikes[0] < spikes[1])
    True
    """
    if isinstance(flat.circuit.leading, ShardedDelivery):
        raise refuse(
            "a batch of a circuit spread over devices", "a circuit on one device", "run_batch"
        )
    member_values = check_leaf_values(
        flat, {} if values is None else values, (keys.shape[0],), "run_batch"
    )
    if jax.default_backend() != "cpu" or not isinstance(flat.circuit.leading, EventDelivery):
        chunk: engine.Chunk = _run_vectorized(
            flat, member_values, keys, inputs, clock, recorders, n_steps=n_steps
        )
        return chunk
    run = functools.partial(
        _run_member, flat, inputs=inputs, clock=clock, recorders=recorders, n_steps=n_steps
    )
    # members are taken apart here: another thread has another precision, and would round them
    members = [(_take_member(member_values, k), keys[k]) for k in range(keys.shape[0])]
    with ThreadPoolExecutor(n_cores()) as pool:
        chunks = list(pool.map(lambda member: run(*member), members))
    batch: engine.Chunk = jax.tree.map(lambda *leaves: jnp.stack(leaves), *chunks)
    return batch


def names_of(flat: FlatNet) -> tuple[str, ...]:
    """The names of all leaves of a circuit, such as `circuit.groups[0].emitter.tau_m_ms`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(flat)
    return tuple(jax.tree_util.keystr(path).removeprefix(".") for path, _ in leaves)


def check_leaf_values(
    flat: FlatNet, values: Values, members: tuple[int, ...], where: str
) -> dict[str, jax.Array]:
    """`values` as arrays of the shape of their leaf, behind the axes `members`.

    members: (n,) for a batch, () for one run.

    Raises: JtfneError for a name that is no leaf, and for a shape that does not fit it.
    """
    shapes = dict(zip(names_of(flat), map(jnp.shape, jax.tree.leaves(flat)), strict=True))
    arrays = {}
    for name, value in values.items():
        one_of(name, shapes, name="values", where=where)
        array, expected_shape = jnp.asarray(value), (*members, *shapes[name])
        if array.shape != expected_shape:
            allowed = f"{expected_shape}: a value a member" if members else f"{expected_shape}"
            raise refuse(f"values[{name!r}] of shape {array.shape}", allowed, where)
        arrays[name] = array
    return arrays


def with_values(flat: FlatNet, values: Values) -> FlatNet:
    """`flat` with some of its leaves replaced."""
    leaves, tree = jax.tree.flatten(flat)
    names_and_leaves = zip(names_of(flat), leaves, strict=True)
    new_flat: FlatNet = jax.tree.unflatten(
        tree, [values.get(name, leaf) for name, leaf in names_and_leaves]
    )
    return new_flat


def _take_member(member_values: Values, k: int) -> dict[str, jax.Array]:
    """The values of member `k`."""
    return {name: array[k] for name, array in member_values.items()}


def _run_member(flat: FlatNet, values: Values, key: jax.Array, **arguments: Any) -> engine.Chunk:
    """Run one member to its end, in the circuit's precision, a setting that each thread needs."""
    with precision(str(flat.circuit.drive_pA.dtype)):
        chunk: engine.Chunk = _member(flat, values, key, **arguments)
        chunk.words.block_until_ready()
    return chunk


@functools.partial(jax.jit, static_argnames=("n_steps",))
def _member(
    flat: FlatNet,
    values: Values,
    key: jax.Array,
    inputs: engine.Inputs | None,
    clock: engine.InputChunk | None,
    recorders: tuple[engine.Recorder, ...],
    n_steps: int,
) -> engine.Chunk:
    """The chunk of one member, compiled."""
    return with_values(flat, values).run(
        key, n_steps=n_steps, inputs=inputs, clock=clock, recorders=recorders
    )[1]


@functools.partial(jax.jit, static_argnames=("n_steps",))
def _run_vectorized(
    flat: FlatNet,
    values: Values,
    keys: jax.Array,
    inputs: engine.Inputs | None,
    clock: engine.InputChunk | None,
    recorders: tuple[engine.Recorder, ...],
    n_steps: int,
) -> engine.Chunk:
    """The chunks of all members as one batch, compiled."""

    def member(values: Values, key: jax.Array) -> engine.Chunk:
        chunk: engine.Chunk = _member(flat, values, key, inputs, clock, recorders, n_steps)
        return chunk

    chunk: engine.Chunk = jax.vmap(member)(values, keys)
    return chunk
