"""A small generator that lives in the loop's carry: seeded by a named jax key, then cheap to step."""

import jax
import jax.numpy as jnp


def seed(key: jax.Array, n_streams: int) -> jax.Array:
    """The state of `n_streams` independent streams, uint32 (2, n_streams), none of them all zero."""
    state = jax.random.bits(key, (2, n_streams), jnp.uint32)
    return state.at[0].set(state[0] | ((state[0] | state[1]) == 0).astype(jnp.uint32))


def bits(state: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The next state, and 32 random bits of each stream: uint32 (n_streams,).

    Source: Blackman & Vigna (2021), ACM Trans. Math. Softw. 47:36 (xoroshiro64**).
    """
    s0, s1 = state[0], state[1]
    word = _turned(s0 * jnp.uint32(0x9E3779BB), 5) * jnp.uint32(5)
    s1 = s1 ^ s0
    return jnp.stack([_turned(s0, 26) ^ s1 ^ (s1 << 9), _turned(s1, 13)]), word


def _turned(word: jax.Array, by: int) -> jax.Array:
    """The bits of `word`, rotated left."""
    return (word << by) | (word >> (32 - by))
