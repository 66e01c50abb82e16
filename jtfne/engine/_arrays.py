"""What the loop runs on: circuit, inputs and state as arrays, and the recorders that read them."""

import dataclasses
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from jtfne import noise
from jtfne._tree import register
from jtfne.delivery import Delivery
from jtfne.emitters import Balance, Emitter, SynapticInput
from jtfne.plastic import PlasticDelivery
from jtfne.surrogates import Surrogate
from jtfne.synapses import RiseState, Synapse


@register
@dataclasses.dataclass(frozen=True)
class Group:
    """Cells of one model.

    index: int32 (n_group,), the rows of these cells in arrays over all cells; None if they are all
    cells.
    """

    emitter: Emitter
    index: jax.Array | None

    def take(self, rows: jax.Array) -> jax.Array:
        """The entries of `rows` (..., n_cells) that belong to this group."""
        return rows if self.index is None else rows[..., self.index]


@register
@dataclasses.dataclass(frozen=True)
class Circuit:
    """Everything that a step needs, as arrays.

    drive_pA, noise_pA: (n_cells,); noise_pA is None if there is no noise. tau_syn_ms:
    (n_receptors,), followed by the time constant of each of `rise_states`, the second rows of
    state, if any receptor has one. delivery: of the synapses that do not change, None without any;
    plastic: of the others. conductive: which receptors are conductances (nS) and not currents (pA),
    empty if none is; e_rev_mV: (n_receptors,), 0 for currents, or None. jumps: which receptors are
    jumps of v (mV), empty if none is. gates: by receptor, the synapse whose `gate` says which share
    of its conductance is open, with the fields that it reads; None for the others; empty if none
    has a gate. dendrite_share: (n_receptors,), as in
    `SynapticInput`, or None. surrogate: what makes spikes differentiable; None for spikes that are
    bools. cell_names: uint32 (2, n_cells), the words of the name from which each cell draws; None
    for cells that draw by their row. v_init_mV: (n_cells,), the potentials before the first step,
    NaN where the emitter spreads them; None where it does for all.
    """

    groups: tuple[Group, ...]
    tau_syn_ms: jax.Array
    delivery: Delivery | None
    drive_pA: jax.Array
    noise_pA: jax.Array | None
    n_cells: int = dataclasses.field(metadata={"static": True})
    e_rev_mV: jax.Array | None = None
    conductive: tuple[bool, ...] = dataclasses.field(default=(), metadata={"static": True})
    rise_states: tuple[RiseState, ...] = dataclasses.field(default=(), metadata={"static": True})
    gates: tuple[Synapse | None, ...] = ()
    plastic: tuple[PlasticDelivery, ...] = ()
    dendrite_share: jax.Array | None = None
    surrogate: Surrogate | None = None
    cell_names: jax.Array | None = None
    v_init_mV: jax.Array | None = None
    jumps: tuple[bool, ...] = dataclasses.field(default=(), metadata={"static": True})

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """All deliveries of the circuit, fixed synapses first; they share one ring buffer."""
        fixed_deliveries = () if self.delivery is None else (self.delivery,)
        return (
            *fixed_deliveries,
            *(plastic_delivery.delivery for plastic_delivery in self.plastic),
        )

    @property
    def leading(self) -> Delivery | None:
        """The delivery that owns the ring buffer and packs spikes; None without synapses."""
        return next(iter(self.deliveries), None)

    @property
    def n_receptors(self) -> int:
        """The number of receptors."""
        return self.tau_syn_ms.shape[0] - len(self.rise_states)

    @property
    def jumping(self) -> tuple[int, ...]:
        """The receptors (indices) whose input is a jump of v."""
        return tuple(receptor for receptor, jumps in enumerate(self.jumps) if jumps)

    @property
    def only_currents(self) -> bool:
        """Whether all synaptic input is a current that does not depend on the cells' state."""
        return self.e_rev_mV is None and not self.jumping


@register
@dataclasses.dataclass(frozen=True)
class PoissonInput:
    """Poisson spikes onto one receptor.

    thresholds: uint32 (n_rows, n_targets) or (n_rows, 1), a table of `jtfne.noise`. weight:
    (n_targets,) or (1,), pA or nS added by each spike. targets: int32 (n_targets,), all different.
    stream: uint32 (2, n_stimuli), the words of the names of the stimuli; None to name it by its
    place among the inputs. stimulus: int32 (n_targets,), which of the stimuli each target sees,
    None where there is only one.
    """

    targets: jax.Array | None
    thresholds: jax.Array
    weight: jax.Array
    receptor: int = dataclasses.field(metadata={"static": True})
    shared: bool = dataclasses.field(metadata={"static": True})
    stream: jax.Array | None = None
    stimulus: jax.Array | None = None

    def n_targets(self, n_cells: int) -> int:
        """The number of cells that the input reaches, of `n_cells`."""
        return n_cells if self.targets is None else int(self.targets.shape[0])


@register
@dataclasses.dataclass(frozen=True)
class Fluctuation:
    """An Ornstein-Uhlenbeck current. sd_pA: (n_cells,), 0 where it does not reach; tau_ms: ().

    stream: uint32 (2,), the words of its stream's name. shared: all cells see one process, else
    each its own.
    """

    sd_pA: jax.Array
    tau_ms: jax.Array
    stream: jax.Array
    shared: bool = dataclasses.field(metadata={"static": True})


@register
@dataclasses.dataclass(frozen=True)
class SpikeTrains:
    """Spikes at given times onto one receptor.

    weight: (n_cells,), pA or nS a spike, 0 where they do not reach.

    train: int32 (n_cells,), which column of its counts each cell sees.
    """

    weight: jax.Array
    train: jax.Array
    receptor: int = dataclasses.field(metadata={"static": True})


class Inputs(NamedTuple):
    """The inputs of a run.

    patterns_pA: (n_waveforms, n_cells), the current into each cell for one unit of each waveform.
    """

    patterns_pA: jax.Array
    poisson: tuple[PoissonInput, ...] = ()
    fluctuations: tuple[Fluctuation, ...] = ()
    trains: tuple[SpikeTrains, ...] = ()


class InputChunk(NamedTuple):
    """The inputs of a chunk in time.

    waveforms: (n_steps, n_waveforms). gates: (n_steps, n_poisson + n_fluctuations), the share of
    the step in which each is open. counts: one (n_steps, n_columns) for each of the trains, the
    spikes that arrive at the end of each step. at_start: one (n_columns,) for each of the trains,
    the spikes that arrive before the first step of the chunk (none but at the start of a trial); or
    empty.
    """

    waveforms: jax.Array
    gates: jax.Array
    counts: tuple[jax.Array, ...] = ()
    at_start: tuple[jax.Array, ...] = ()


class PoissonState(NamedTuple):
    """Generator state of a Poisson input, and the spike counts drawn for the next step.

    Drawn a step ahead, the counts stand in memory; drawn where they are added, XLA fuses the draw
    into every user of the sum, and repeats it. waiting: int32 (n_targets,) or (1,).
    """

    streams: noise.Streams
    waiting: jax.Array


class KnownSpikes(NamedTuple):
    """The spikes of a chunk that is run a second time, with its spikes known beforehand.

    cells: int32 (n,), step after step, within a step in the order of cells; padding may follow.
    first: int32 (n_steps + 1,), where the spikes of each step begin, and where the last end.
    """

    cells: jax.Array
    first: jax.Array


class Carry(NamedTuple):
    """The state that one step hands to the next: the `carry` of `jax.lax.scan`.

    cells: one state a group. syn: (n_receptors * n_cells,); second_rows: (n_second * n_cells,) or
    None. noise: generator states. poisson: one an input. plastic: one of each of the circuit's.
    """

    step: jax.Array
    cells: tuple[Any, ...]
    syn: jax.Array
    ring: jax.Array | None
    noise: noise.Streams | None
    poisson: tuple[PoissonState, ...]
    fluctuations: tuple[noise.OUState, ...] = ()
    plastic: tuple[Any, ...] = ()
    second_rows: jax.Array | None = None


class View(NamedTuple):
    """What a recorder may read, once a step.

    before, cells: the groups' states before and after the step. i_ext_pA, spikes: (n_cells,);
    spikes are bool, or numbers with a surrogate.
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
        return scatter_groups(self.circuit, [state.v_mV for state in self.cells])

    def balance(self) -> Balance:
        """The mean membrane currents of every cell over this step."""
        balances = []
        for group, state_before, state_after in zip(
            self.circuit.groups, self.before, self.cells, strict=True
        ):
            i_ext_pA, syn = group.take(self.i_ext_pA), self.syn.select_cells(group.take)
            balances.append(
                group.emitter.balance(state_before, state_after, i_ext_pA, syn, self.dt_ms)
            )
        return Balance(
            *(scatter_groups(self.circuit, list(rows)) for rows in zip(*balances, strict=True))
        )


class Recorder(Protocol):
    """Reads the cells at each step and keeps means over intervals."""

    @property
    def every(self) -> int:
        """The number of steps that one row is the mean of (static)."""
        ...

    @property
    def index(self) -> jax.Array | None:
        """The cells that a row keeps, int32 (n,), or None for all of them."""
        ...

    def read(self, view: View) -> jax.Array:
        """Returns what this step adds to the row: (..., n_cells), each cell by itself."""
        ...

    def by_inputs(self, circuit: Circuit) -> bool:
        """Whether `read` uses nothing but the synaptic input and the external current."""
        ...

    def finish(self, rows: jax.Array) -> Any:
        """Returns what is kept of a chunk's rows (n_rows, ...): a pytree, leaves (n_rows, ...)."""
        ...


class Chunk(NamedTuple):
    """The output of a chunk: packed spikes, and what the recorders keep.

    words: packed spikes, uint32 (n_steps, n_words). recorded: one entry a recorder.
    """

    words: jax.Array
    recorded: tuple[Any, ...]


def scatter_groups(circuit: Circuit, parts: list[jax.Array]) -> jax.Array:
    """Scatter one array a group into one array over all cells, (n_cells,)."""
    if circuit.groups[0].index is None:
        return parts[0]
    values = jnp.zeros(circuit.n_cells, parts[0].dtype)
    for group, part in zip(circuit.groups, parts, strict=True):
        values = values.at[group.index].set(part, unique_indices=True)
    return values
