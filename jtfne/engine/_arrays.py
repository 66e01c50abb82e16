"""What the loop runs on: the circuit, its inputs and its state as arrays, and who watches."""

import dataclasses
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from jtfne import noise
from jtfne._tree import register
from jtfne.delivery import Delivery
from jtfne.emitters import Balance, Emitter, SynapticInput
from jtfne.plastic import Plastic
from jtfne.surrogates import Surrogate
from jtfne.synapses import Second


@register
@dataclasses.dataclass(frozen=True)
class Group:
    """Cells of one model. index: int32 (n_group,), the rows they stand in, or None if they are all rows."""

    emitter: Emitter
    index: jax.Array | None

    def take(self, rows: jax.Array) -> jax.Array:
        """The entries of `rows` (..., n_cells) that belong to this group."""
        return rows if self.index is None else rows[..., self.index]


@register
@dataclasses.dataclass(frozen=True)
class Circuit:
    """Everything that a step needs, as arrays. drive_pA, noise_pA: (n_cells,); noise_pA None if there is none.

    tau_syn_ms: (n_receptors,), and behind them that of each of `second`, the receptors' second rows of state, if any
    has one. delivery: of the synapses that do not change, None without any; plastic: the others. conductive: which
    receptors are conductances (nS) and not currents (pA), empty if none is; e_rev_mV: (n_receptors,), 0 for currents,
    or None. jumps: which receptors are jumps of v (mV), empty if none is.
    blocked: which of these magnesium blocks, empty if none; mg_mM: (n_receptors,), 0 for the others, or None.
    dendrite_share: (n_receptors,), as of `SynapticInput`, or None.
    surrogate: what makes spikes differentiable; None for spikes that are bools. cell_names: uint32 (2, n_cells), the
    words of the name from which each cell draws; None for cells that are told by their row. v_init_mV: (n_cells,), the
    potentials before the first step, NaN where the emitter spreads them; None where it does for all.
    """

    groups: tuple[Group, ...]
    tau_syn_ms: jax.Array
    delivery: Delivery | None
    drive_pA: jax.Array
    noise_pA: jax.Array | None
    n_cells: int = dataclasses.field(metadata={"static": True})
    e_rev_mV: jax.Array | None = None
    conductive: tuple[bool, ...] = dataclasses.field(default=(), metadata={"static": True})
    second: tuple[Second, ...] = dataclasses.field(default=(), metadata={"static": True})
    mg_mM: jax.Array | None = None
    blocked: tuple[bool, ...] = dataclasses.field(default=(), metadata={"static": True})
    plastic: tuple[Plastic, ...] = ()
    dendrite_share: jax.Array | None = None
    surrogate: Surrogate | None = None
    cell_names: jax.Array | None = None
    v_init_mV: jax.Array | None = None
    jumps: tuple[bool, ...] = dataclasses.field(default=(), metadata={"static": True})

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """All of them; they share one ring."""
        fixed = () if self.delivery is None else (self.delivery,)
        return (*fixed, *(each.delivery for each in self.plastic))

    @property
    def leading(self) -> Delivery | None:
        """The one that tells the ring and packs spikes; None in a circuit without synapses."""
        return next(iter(self.deliveries), None)

    @property
    def n_receptors(self) -> int:
        """How many there are."""
        return self.tau_syn_ms.shape[0] - len(self.second)

    @property
    def jumping(self) -> tuple[int, ...]:
        """The receptors that are jumps of v."""
        return tuple(receptor for receptor, jumps in enumerate(self.jumps) if jumps)

    @property
    def only_currents(self) -> bool:
        """Whether what synapses bring is told by their state alone, cells unseen: none is a conductance or a jump."""
        return self.e_rev_mV is None and not self.jumping


@register
@dataclasses.dataclass(frozen=True)
class PoissonInput:
    """Poisson spikes onto one receptor.

    thresholds: uint32 (n_rows, n_targets) or (n_rows, 1), a table of `jtfne.noise`. weight: (n_targets,) or (1,), pA
    or nS added by each spike. targets: int32 (n_targets,), all different. stream: uint32 (2, n_stimuli), the words of
    the names of the stimuli; None for one told by its place among the inputs. stimulus: int32 (n_targets,), which of
    them each target sees, None where there is one.
    """

    targets: jax.Array | None
    thresholds: jax.Array
    weight: jax.Array
    receptor: int = dataclasses.field(metadata={"static": True})
    shared: bool = dataclasses.field(metadata={"static": True})
    stream: jax.Array | None = None
    stimulus: jax.Array | None = None

    def n_targets(self, n_cells: int) -> int:
        """How many cells it reaches, of `n_cells`."""
        return n_cells if self.targets is None else int(self.targets.shape[0])


@register
@dataclasses.dataclass(frozen=True)
class Fluctuation:
    """An Ornstein-Uhlenbeck current. sd_pA: (n_cells,), 0 where it does not reach; tau_ms: ().

    stream: uint32 (2,), the words of its stream's name. shared: all cells see one process, else each its own.
    """

    sd_pA: jax.Array
    tau_ms: jax.Array
    stream: jax.Array
    shared: bool = dataclasses.field(metadata={"static": True})


@register
@dataclasses.dataclass(frozen=True)
class SpikeTrains:
    """Spikes at given times onto one receptor. weight: (n_cells,), pA or nS a spike, 0 where they do not reach.

    train: int32 (n_cells,), which column of its counts each cell sees.
    """

    weight: jax.Array
    train: jax.Array
    receptor: int = dataclasses.field(metadata={"static": True})


class Inputs(NamedTuple):
    """What drives a run. patterns_pA: (n_waveforms, n_cells), what one unit of each waveform is to each cell."""

    patterns_pA: jax.Array
    poisson: tuple[PoissonInput, ...] = ()
    fluctuations: tuple[Fluctuation, ...] = ()
    trains: tuple[SpikeTrains, ...] = ()


class Clock(NamedTuple):
    """The inputs of a chunk in time. waveforms: (n_steps, n_waveforms). gates: (n_steps, n_poisson + n_fluctuations),
    the share of the step in which they are open. counts: one (n_steps, n_columns) for each of the trains, the spikes
    that arrive at the end of each step. at_start: one (n_columns,) for each, those that arrive before the first step of
    the chunk, which are none but at the start of a trial; or nothing."""

    waveforms: jax.Array
    gates: jax.Array
    counts: tuple[jax.Array, ...] = ()
    at_start: tuple[jax.Array, ...] = ()


class Rain(NamedTuple):
    """What draws Poisson spikes, and those that come next.

    Drawn a step ahead, they stand in memory; drawn where they are added, XLA fuses the draw into every user of the
    sum, and repeats it. waiting: int32 (n_targets,) or (1,).
    """

    streams: noise.Streams
    waiting: jax.Array


class Heard(NamedTuple):
    """The spikes of a chunk, told beforehand.

    cells: int32 (n,), step after step, in each in the order of cells; more may follow. first: int32 (n_steps + 1,),
    where those of each step begin, and where the last end.
    """

    cells: jax.Array
    first: jax.Array


class Carry(NamedTuple):
    """The state between two steps. noise: generator states. poisson: one an input.

    syn: (n_receptors * n_cells,), second: (n_second * n_cells,), or None. plastic: one of each of the circuit's.
    """

    step: jax.Array
    cells: tuple[Any, ...]
    syn: jax.Array
    ring: jax.Array | None
    noise: noise.Streams | None
    poisson: tuple[Rain, ...]
    fluctuations: tuple[noise.Wander, ...] = ()
    plastic: tuple[Any, ...] = ()
    second: jax.Array | None = None


class View(NamedTuple):
    """What a recorder may look at, once a step. i_ext_pA, spikes: (n_cells,); cells: one state a group.

    spikes: bool, or with a surrogate numbers.
    """

    circuit: Circuit
    before: tuple[Any, ...]
    cells: tuple[Any, ...]
    syn: SynapticInput
    i_ext_pA: jax.Array
    spikes: jax.Array
    dt_ms: jax.Array | float

    def v_m_mV(self) -> jax.Array:
        """Membrane potential of every cell, before reset where it spiked: (n_cells,)."""
        return joined(self.circuit, [state.v_mV for state in self.cells])

    def balance(self) -> Balance:
        """The mean membrane currents of this step, of every cell."""
        each = []
        for group, before, after in zip(self.circuit.groups, self.before, self.cells, strict=True):
            i_ext_pA, syn = group.take(self.i_ext_pA), self.syn.of(group.take)
            each.append(group.emitter.balance(before, after, i_ext_pA, syn, self.dt_ms))
        return Balance(*(joined(self.circuit, list(rows)) for rows in zip(*each, strict=True)))


class Recorder(Protocol):
    """Watches the run."""

    @property
    def every(self) -> int:
        """Steps that one row is the mean of (static)."""
        ...

    @property
    def index(self) -> jax.Array | None:
        """The cells that a row keeps, int32 (n,), or None for all of them."""
        ...

    def read(self, view: View) -> jax.Array:
        """What to add to the row: (..., n_cells), each cell by itself."""
        ...

    def by_inputs(self, circuit: Circuit) -> bool:
        """Whether `read` looks at nothing but the synaptic input and the external current."""
        ...

    def finish(self, rows: jax.Array) -> Any:
        """What to keep of a chunk's rows (n_rows, ...): a pytree whose leaves lead with n_rows."""
        ...


class Chunk(NamedTuple):
    """What a chunk leaves. words: packed spikes, uint32 (n_steps, n_words). recorded: one entry a recorder."""

    words: jax.Array
    recorded: tuple[Any, ...]


def joined(circuit: Circuit, parts: list[jax.Array]) -> jax.Array:
    """One array over all cells from one a group."""
    if circuit.groups[0].index is None:
        return parts[0]
    joined = jnp.zeros(circuit.n_cells, parts[0].dtype)
    for group, part in zip(circuit.groups, parts, strict=True):
        joined = joined.at[group.index].set(part, unique_indices=True)
    return joined
