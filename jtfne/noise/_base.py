"""A small random generator in the loop's state: seeded by a named jax key, cheap to step."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne import _keys


class Streams(NamedTuple):
    """The two words of each stream, uint32 (n_streams,) each.

    They are two arrays, since stacking them would cost a copy a step.
    """

    s0: jax.Array
    s1: jax.Array


def seed(key: jax.Array, names: npt.NDArray[np.uint32] | jax.Array) -> Streams:
    """The first state of independent streams, one for each of `names`, uint32 (2, n_streams).

    No state is all zero, from which the generator would not move.

    A stream hangs on the key and on its own name, not on how many there are. key: one, or one a
    stream (n_streams,).
    """
    return from_words(*_keys.words(_keys.fold_words(key, names)))


def from_words(s0: jax.Array, s1: jax.Array) -> Streams:
    """The first state of streams whose two random words are these, uint32 (n_streams,) each."""
    return Streams(s0 | ((s0 | s1) == 0).astype(jnp.uint32), s1)


def bits(state: Streams) -> tuple[Streams, jax.Array]:
    """The next state, and 32 random bits of each stream: uint32 (n_streams,).

    Source: Blackman & Vigna (2021), ACM Trans. Math. Softw. 47:36 (xoroshiro64**).
    """
    s0, s1 = state
    word = _rotate_left(s0 * jnp.uint32(0x9E3779BB), 5) * jnp.uint32(5)
    s1 = s1 ^ s0
    return Streams(_rotate_left(s0, 26) ^ s1 ^ (s1 << 9), _rotate_left(s1, 13)), word


def _rotate_left(word: jax.Array, n_bits: int) -> jax.Array:
    """The bits of `word`, rotated left by `n_bits`."""
    return (word << n_bits) | (word >> (32 - n_bits))
