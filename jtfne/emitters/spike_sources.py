"""Sources of spikes: cells without a membrane, which only send."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Self

import jax
import jax.numpy as jnp

from jtfne._check import NOT_NEGATIVE, Limit
from jtfne._tree import register
from jtfne.emitters._base import Balance, Emitter, SynapticInput
from jtfne.emitters._trains import Trains


class PoissonSourceState(NamedTuple):
    """State of a PoissonSource, (n_cells,) each.

    v_mV: 0 throughout. seed, salt: uint32, of the generator. ticks: uint32, the steps so far.
    """

    v_mV: jax.Array
    seed: jax.Array
    salt: jax.Array
    ticks: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class PoissonSource(Emitter):
    """A source of random spikes: one in a step with probability 1 - exp(-rate dt).

    At most one spike a step: the steps in which a Poisson process has any. Each cell hashes a
    counter, so that its spikes depend on the seed of the run, on the rate and on dt. Without a
    membrane: v is 0, no current flows, and a connection, stimulus, drive or noise onto it is
    refused. Source: Salmon, Moraes, Dror & Shaw (2011), Proc. SC '11, 16:1-12 (random numbers by
    hashing a counter).

    >>> PoissonSource(rate_Hz=8.0).receives
    False
    """

    rate_Hz: jax.Array | float = 8.0

    order: ClassVar[int] = 1  # a spike is told at the end of its step
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = False
    receives: ClassVar[bool] = False
    LIMITS: ClassVar[dict[str, Limit]] = {"rate_Hz": NOT_NEGATIVE}
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = ()

    @property
    def input_pA(self) -> float:
        """1: the unit of an input that a source of spikes never gets."""
        return 1.0

    def init(self, uniform: jax.Array) -> PoissonSourceState:
        """Generators that all differ, by each cell's place and `uniform` (n_cells,) in [0, 1)."""
        uniform_bits = (uniform * 2.0**24).astype(jnp.uint32)
        place = jnp.arange(uniform.shape[0], dtype=jnp.uint32)
        seed = _mix_bits(_mix_bits(jnp.sum(uniform_bits, dtype=jnp.uint32)) ^ _mix_bits(place))
        zeros = jnp.zeros_like(place)
        return PoissonSourceState(jnp.zeros_like(uniform), seed, zeros, zeros)

    def with_seeds(
        self, state: PoissonSourceState, seed: jax.Array, salt: jax.Array
    ) -> PoissonSourceState:
        """`state` with generators from two random words of each cell, uint32 (n_cells,)."""
        return state._replace(seed=seed, salt=salt)

    def step(
        self,
        state: PoissonSourceState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> tuple[PoissonSourceState, jax.Array]:
        """Advance by dt; also who spiked, bool (n_cells,). `i_pA` and `syn` do nothing."""
        word = _mix_bits(_mix_bits(state.seed ^ _mix_bits(state.ticks)) + state.salt)
        uniform_number = (word >> 8).astype(jnp.int32).astype(state.v_mV.dtype) * 2.0**-24
        spikes = uniform_number < -jnp.expm1(-1e-3 * self.rate_Hz * dt_ms)
        return state._replace(ticks=state.ticks + jnp.uint32(1)), spikes

    def balance(
        self,
        before: PoissonSourceState,
        after: PoissonSourceState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """No currents."""
        return _no_currents(after.v_mV)


class SpikeSourceState(NamedTuple):
    """State of a SpikeSource, (n_cells,) each.

    v_mV: 0 throughout. at: int32, index of the next spike of the train. ticks: int32, the steps so
    far.
    """

    v_mV: jax.Array
    at: jax.Array
    ticks: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class SpikeSource(Emitter):
    """Spikes as recorded: `times_ms` has a train for each cell of the type, in the order of ids.

    Times count from the start of each trial, sorted. A spike comes in the step that ends at its
    time, or first after it; two of a cell in one step are refused. Cells beyond the last train are
    silent, and spikes after the end of a run do not come. Without a membrane, as `PoissonSource`.
    In a circuit of arrays `times_ms` is the table of their steps, int32 (n_cells, most spikes + 1).
    Source: Dai et al. (2020), PLoS Comput. Biol. 16:e1007696 (SONATA, whose virtual nodes such
    cells are).

    >>> SpikeSource(times_ms=[[1.0, 2.5], []]).times_ms
    Trains(2 cells, 2 spikes)
    """

    times_ms: Trains | jax.Array | Sequence[Sequence[float]] = Trains()  # noqa: RUF009 (it cannot be changed)

    order: ClassVar[int] = 1
    input_unit: ClassVar[str] = "pA"
    differentiable: ClassVar[bool] = False
    receives: ClassVar[bool] = False
    LIMITS: ClassVar[dict[str, Limit]] = {"times_ms": NOT_NEGATIVE}
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __post_init__(self) -> None:
        """Take lists as trains. Raises: JtfneError if they are no lists of numbers."""
        times: Any = self.times_ms
        if isinstance(times, list | tuple):
            object.__setattr__(self, "times_ms", Trains(times))

    @classmethod
    def from_table(cls, table: Any, *, cells: Sequence[int] | None = None) -> Self:
        """A SpikeSource of a table with columns `cell` and `t_ms`, or of `signals.spikes`.

        A DataFrame, an Arrow table, a mapping, spikes as `interop.from_spikes` and
        ``analysis.load_recording(path, readout="spk")`` give them, or the path of a ``.parquet`` or
        ``.csv`` file with such columns.

        cells: ids of the table in the order of the cells of this type, such as `net.select(...)`
        gives; spikes of others are left out. Without, the cell of the type is the id.
        Raises: JtfneError for a column that is missing or no numbers, ids that are not whole, or
        several trials.

        >>> SpikeSource.from_table({"cell": [1, 0, 1], "t_ms": [4.0, 2.0, 3.0]}).times_ms.tolist()
        [[2.0], [3.0, 4.0]]
        """
        return cls(times_ms=Trains.of_table(table, cells))

    @property
    def input_pA(self) -> float:
        """1: the unit of an input that a source of spikes never gets."""
        return 1.0

    def init(self, uniform: jax.Array) -> SpikeSourceState:
        """Every train at its first spike; `uniform` (n_cells,) does nothing."""
        zeros = jnp.zeros(uniform.shape, jnp.int32)
        return SpikeSourceState(jnp.zeros_like(uniform), zeros, zeros)

    def step(
        self, state: SpikeSourceState, i_pA: jax.Array, syn: SynapticInput, dt_ms: jax.Array | float
    ) -> tuple[SpikeSourceState, jax.Array]:
        """Advance by dt; also who spiked, bool (n_cells,). `i_pA` and `syn` do nothing."""
        steps: Any = self.times_ms
        next_spike_step = jnp.take_along_axis(steps, state.at[:, None], axis=1)[:, 0]
        spikes = next_spike_step == state.ticks
        return state._replace(at=state.at + spikes, ticks=state.ticks + jnp.int32(1)), spikes

    def balance(
        self,
        before: SpikeSourceState,
        after: SpikeSourceState,
        i_pA: jax.Array,
        syn: SynapticInput,
        dt_ms: jax.Array | float,
    ) -> Balance:
        """No currents."""
        return _no_currents(after.v_mV)


def _no_currents(v_mV: jax.Array) -> Balance:
    """The balance of cells without a membrane."""
    zeros = jnp.zeros_like(v_mV)
    return Balance(zeros, zeros, zeros, zeros)


def _mix_bits(word: jax.Array) -> jax.Array:
    """Hash words, a bijection of 32 bits in which every bit moves every other.

    Source: the finalizer of MurmurHash3.
    """
    word = (word ^ (word >> 16)) * jnp.uint32(0x85EBCA6B)
    word = (word ^ (word >> 13)) * jnp.uint32(0xC2B2AE35)
    return word ^ (word >> 16)
