"""The state before the first step, and the random words that it is made of."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne import _keys, noise
from jtfne._keys import Request, Words
from jtfne.emitters import find_method, has_method
from jtfne.engine._arrays import Carry, Circuit, Group, Inputs, PoissonInput, PoissonState

ONE = _keys.number_streams(1)  # the name of the stream that all cells share


class StreamNames(NamedTuple):
    """The names of the streams of an input: of one word pair for each cell that it reaches.

    sources: uint32 (2, n_sources), or (2,) for one, the names under the key of the run. source: int32 (n_streams,),
    to which of these each stream belongs; None where there is only one. cells: uint32 (2, n_cells).
    targets: int32 (n_streams,), the cells that the input reaches; None for all.
    """

    sources: Any
    source: Any
    cells: Any
    targets: Any


class StartNames(NamedTuple):
    """The names of all streams that a run starts from; cells: uint32 (2, n_cells)."""

    cells: Any
    poisson: tuple[StreamNames, ...]
    fluctuations: tuple[StreamNames, ...]


class StartWords(NamedTuple):
    """The random words of all streams that a run starts from; noise: None without noise."""

    cells: Words
    noise: Words | None
    poisson: tuple[Words, ...]
    fluctuations: tuple[Words, ...]


# Folds names into keys and returns the words of these: traced, or on the host.
Fold = Callable[[Sequence[Request]], list[Words]]


def start(circuit: Circuit, inputs: Inputs, keys: dict[str, jax.Array]) -> Carry:
    """Return the state before the first step. Traceable.

    keys: has "initial state", "noise" and "stimulus". What a cell draws depends on the key and on
    its own name, not on which other cells there are.
    """
    key_words = {name: _keys.words(key) for name, key in keys.items()}
    names = name_streams(circuit, inputs)
    return start_from(circuit, inputs, _draw_words(circuit, names, key_words, _keys.fold_traced))


def draw_words_on_host(
    circuit: Circuit, inputs: Inputs, seed: np.uint32, trial: npt.NDArray[np.uint32]
) -> StartWords:
    """Return the words from which `start_from` makes the state of a trial.

    They are those that `start` draws, without a program to compile: each key that Threefry makes
    of others takes XLA some 60 ms.
    """
    names = jax.tree.map(np.asarray, name_streams(circuit, inputs))
    key_words = _keys.streams_on_host(seed, trial)
    return _draw_words(circuit, names, key_words, _keys.fold_on_host)


def name_streams(circuit: Circuit, inputs: Inputs) -> StartNames:
    """Return the names of all streams that a run starts from."""
    cells: Any = (
        _keys.number_streams(circuit.n_cells) if circuit.cell_names is None else circuit.cell_names
    )
    poisson = []
    for place, poisson_input in enumerate(inputs.poisson):
        poisson.append(_name_poisson(place, poisson_input, cells))
    fluctuations = []
    for fluctuation in inputs.fluctuations:
        reached = ONE if fluctuation.shared else cells
        fluctuations.append(StreamNames(fluctuation.stream, None, reached, None))
    return StartNames(cells, tuple(poisson), tuple(fluctuations))


def _name_poisson(place: int, poisson_input: PoissonInput, cells: Any) -> StreamNames:
    """Return the names of the streams of a Poisson input.

    place: number of the input, by which it is named if it has no stream of its own.
    """
    sources = (
        _keys.number_streams(place + 1)[:, -1:]
        if poisson_input.stream is None
        else poisson_input.stream
    )
    if poisson_input.shared:
        return StreamNames(sources, None, ONE, None)
    return StreamNames(sources, poisson_input.stimulus, cells, poisson_input.targets)


def _draw_words(
    circuit: Circuit, names: StartNames, key_words: dict[str, Words], fold: Fold
) -> StartWords:
    """Return the words of all streams, under the keys of a trial."""
    inputs = [*names.poisson, *names.fluctuations]
    requests: list[Request] = [(key_words["initial state"], names.cells)]
    if circuit.noise_pA is not None:
        requests.append((key_words["noise"], names.cells))
    n_own = len(requests)
    if inputs:
        sources = [(key_words["stimulus"], stream.sources.reshape(2, -1)) for stream in inputs]
        for stream, source_words in zip(inputs, fold(sources), strict=True):
            requests.append(_request_input(stream, source_words))
    drawn_words = fold(requests)
    n_poisson = len(names.poisson)
    return StartWords(
        cells=drawn_words[0],
        noise=drawn_words[1] if n_own == 2 else None,
        poisson=tuple(drawn_words[n_own : n_own + n_poisson]),
        fluctuations=tuple(drawn_words[n_own + n_poisson :]),
    )


def _request_input(names: StreamNames, source_words: Words) -> Request:
    """Return which names are folded into which keys for the streams of an input."""
    source = 0 if names.source is None else names.source
    cells = names.cells if names.targets is None else names.cells[:, names.targets]
    return (source_words[0][source], source_words[1][source]), cells


def start_from(circuit: Circuit, inputs: Inputs, words: StartWords) -> Carry:
    """Return the state before the first step, made of random words. Traceable."""
    dtype = circuit.drive_pA.dtype
    poisson = []
    for poisson_input, input_words in zip(inputs.poisson, words.poisson, strict=True):
        streams = noise.from_words(*input_words)
        poisson.append(PoissonState(*noise.poisson(streams, poisson_input.thresholds)))
    fluctuations = []
    for input_words in words.fluctuations:
        fluctuations.append(noise.start_ou(noise.from_words(*input_words), dtype))
    return Carry(
        step=jnp.int32(0),
        cells=tuple(_init_cells(circuit, group, words.cells, dtype) for group in circuit.groups),
        syn=jnp.zeros(circuit.n_receptors * circuit.n_cells, dtype),
        ring=None if circuit.leading is None else circuit.leading.ring.empty(dtype),
        noise=None if words.noise is None else noise.from_words(*words.noise),
        poisson=tuple(poisson),
        fluctuations=tuple(fluctuations),
        plastic=tuple(plastic_delivery.start(dtype) for plastic_delivery in circuit.plastic),
        second_rows=jnp.zeros(len(circuit.rise_states) * circuit.n_cells, dtype)
        if circuit.rise_states
        else None,
    )


def _init_cells(circuit: Circuit, group: Group, cell_words: Words, dtype: jnp.dtype) -> Any:
    """Return the first state of a group: the declared potentials, else the emitter's spread.

    cell_words: two random words of each cell of the circuit.
    """
    emitter = group.emitter
    group_words = group.take(cell_words[0]), group.take(cell_words[1])
    spread_state = emitter.init(_keys.uniform(group_words, dtype))
    spread_state = find_method(emitter, "with_seeds")(spread_state, *group_words)
    if circuit.v_init_mV is None or not has_method(emitter, "at_potential"):
        return spread_state
    v_mV = group.take(circuit.v_init_mV)
    is_declared = ~jnp.isnan(v_mV)
    at_declared = emitter.at_potential(jnp.where(is_declared, v_mV, spread_state.v_mV))
    return jax.tree.map(functools.partial(jnp.where, is_declared), at_declared, spread_state)
