"""Small circuits as bare arrays, for tests of the engine that need no names."""

import jax
import jax.numpy as jnp
import numpy as np

from jtfne import _keys, engine
from jtfne.delivery import EdgeList, EventDelivery, Ring

# Emitters with a membrane -> a drive, in their input unit, at which they fire more than ten times a
# second.
FIRES = {
    "LIF": 600.0,
    "AdaptiveLIF": 700.0,
    "GLIF1": 500.0,
    "GLIF2": 500.0,
    "GLIF3": 500.0,
    "AdEx": 1000.0,
    "Izhikevich2003": 15.0,
    "Izhikevich2007": 400.0,
    "HodgkinHuxley": 500.0,
    "TwoCompartment": 900.0,
}


def edge_list(rows):
    """(source, target, receptor, delay_steps, weight) rows -> EdgeList."""
    columns = np.array(rows, float).reshape(-1, 5).T
    ints = [
        column.astype(kind)
        for column, kind in zip(columns[:4], (np.int32, np.int32, np.int16, np.int32), strict=True)
    ]
    return EdgeList(*ints, weight=columns[4], connection=np.zeros(columns.shape[1], np.int16))


def delivery_of(rows, ring, dtype=np.float32, *, tracked=False):
    """`rows`, as for `edge_list`, packed at once."""
    listed = edge_list(rows)
    degrees = np.bincount(listed.source, minlength=ring.n_cells)
    return EventDelivery.build([lambda: listed], degrees, ring, dtype, tracked=tracked)


def circuit(
    emitter,
    n_cells,
    *,
    edges=(),
    tau_syn_ms=(),
    e_rev_mV=None,
    drive_pA=0.0,
    noise_pA=None,
    dtype=np.float32,
):
    """A circuit of one model; `edges` as for `edge_list`; `e_rev_mV`: None for each receptor that
    is a current.
    """
    delivery = None
    if len(edges):
        listed = edge_list(edges)
        ring = Ring(int(listed.delay_steps.max()) + 1, len(tau_syn_ms), n_cells)
        delivery = delivery_of(edges, ring, dtype)
    noise = None if noise_pA is None else jnp.full(n_cells, noise_pA, dtype)
    drive = jnp.zeros(n_cells, dtype) + jnp.asarray(drive_pA, dtype)
    groups = (engine.Group(emitter, None),)
    reversal = None if e_rev_mV is None else jnp.asarray([each or 0.0 for each in e_rev_mV], dtype)
    conductive = tuple(each is not None for each in e_rev_mV or ())
    tau = jnp.asarray(tau_syn_ms, dtype)
    return engine.Circuit(groups, tau, delivery, drive, noise, n_cells, reversal, conductive)


def inputs(n_cells, pattern_pA=None, dtype=np.float32):
    """No stimulus, or one waveform's pattern."""
    rows = np.zeros((0, n_cells)) if pattern_pA is None else np.asarray(pattern_pA, float)[None]
    return engine.Inputs(jnp.asarray(rows, dtype))


def clock(n_steps, waveform=None, dtype=np.float32):
    """The clock of `inputs`."""
    columns = np.zeros((n_steps, 0)) if waveform is None else np.asarray(waveform, float)[:, None]
    return engine.InputChunk(jnp.asarray(columns, dtype), jnp.zeros((n_steps, 0), dtype))


def at_reset(flat, given, cells=None):
    """The state before the first step with every cell in its reset state (no spread)."""
    carry = engine.start(flat, given, _keys.streams(_keys.key(0)))
    cells = (
        flat.groups[0].emitter.init(jnp.zeros(flat.n_cells, flat.drive_pA.dtype))
        if cells is None
        else cells
    )
    return carry._replace(cells=(cells,))


@jax.tree_util.register_pytree_node_class
class Watch:
    """A recorder of any function of the view, every step."""

    every = 1
    index = None

    def __init__(self, read):
        self.read = read

    def by_inputs(self, circuit):
        return False

    def finish(self, rows):
        return rows

    def tree_flatten(self):
        return (), self.read

    @classmethod
    def tree_unflatten(cls, read, _):
        return cls(read)


def v_m(view):
    return view.v_m_mV()


def run(flat, n_steps, dt_ms, *, watch=(v_m,), given=None, waveform=None, carry=None):
    """Spikes (n_steps, n_cells) and what each of `watch` saw, from the reset state."""
    from jtfne.delivery import unpack

    dtype = flat.drive_pA.dtype
    given = inputs(flat.n_cells, dtype=dtype) if given is None else given
    carry = at_reset(flat, given) if carry is None else carry
    _, chunk = engine.advance(
        flat, given, tuple(map(Watch, watch)), carry, clock(n_steps, waveform, dtype), dt_ms
    )
    spikes = np.zeros((n_steps, flat.n_cells), bool)
    spikes[unpack(np.asarray(chunk.words))] = True
    return spikes, [np.asarray(each) for each in chunk.recorded]
