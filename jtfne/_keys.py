"""Named streams of randomness: the same name gives the same stream, whatever else is drawn.

All is drawn by Threefry through `jax.random.fold_in` with the implementation given, which no flag
of JAX changes: neither `jax_default_prng_impl` nor `jax_random_seed_offset`, which `jax.random.key`
adds to a seed, nor `jax_threefry_partitionable`, on which `jax.random.bits` of an array depends.
"""

import hashlib
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

STREAMS = ("connectivity", "positions", "initial state", "noise", "stimulus", "trial")
RUN_STREAMS = ("initial state", "noise", "stimulus")  # that a run draws from
IMPL = "threefry2x32"
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))  # of Threefry-2x32, bits
HASH_BLOCK = 8192  # numbers that are hashed at once: they stay in the cache of a core
HostWords = npt.NDArray[np.uint32]
# Two words of a key, or of each key of an array of them.
Words = tuple[Any, Any]
# Names, uint32 (2, n), that are folded into a key: () each, or of one key a name, (n,).
Request = tuple[Words, Any]
BETWEEN = "\x1f"
"""Stands between the parts of a name; no declared name has it, since it cannot be printed."""


def key(seed: int, *names: str) -> jax.Array:
    """The jax key of the stream called `names` under `seed` (0..2^32-1).

    >>> bool((key(1, "noise") == key(1, "noise")).all()), bool((key(1, "noise") == key(1, "trial")).all())
    (True, False)
    """
    with jax.transfer_guard("allow"):  # one number; the program may still guard its larger arrays
        return fold_names(np.uint32(seed), codes(*names))


def codes(*names: str) -> npt.NDArray[np.uint32]:
    """`names` as numbers: (n_names,)."""
    return np.array([zlib.crc32(name.encode()) for name in names], np.uint32)


def fold_names(seed: np.uint32 | jax.Array, names: npt.NDArray[np.uint32] | jax.Array) -> jax.Array:
    """The key of the stream under `seed` whose names have these `codes`; may be traced."""
    # The words of `jax.random.key(seed)`, to which that would add the flag jax_random_seed_offset.
    stream: jax.Array = jax.random.wrap_key_data(
        jnp.stack([jnp.uint32(0), jnp.asarray(seed, jnp.uint32)]), impl=IMPL
    )
    for k in range(names.shape[0]):
        stream = jax.random.fold_in(stream, names[k])
    return stream


def streams(base: jax.Array) -> dict[str, jax.Array]:
    """The keys of the streams that a run draws from, by name."""
    stream = _threefry(base)
    return {name: jax.random.fold_in(stream, zlib.crc32(name.encode())) for name in RUN_STREAMS}


def _threefry(base: jax.Array) -> jax.Array:
    """`base`, a key of any implementation or the words of one, as a key of IMPL."""
    words: jax.Array = (
        jax.random.key_data(base) if jnp.issubdtype(base.dtype, jax.dtypes.prng_key) else base
    )
    stream: jax.Array = jax.random.wrap_key_data(words[:2], impl=IMPL)
    for k in range(2, words.shape[0]):
        stream = jax.random.fold_in(stream, words[k])
    return stream


def fold_words(stream: jax.Array, names: npt.NDArray[np.uint32] | jax.Array) -> jax.Array:
    """The keys of named streams under `stream`: (n,).

    stream: one key or (n,). words: of their names, uint32 (2, n).
    """
    axis = 0 if stream.ndim else None
    first_keys = jax.vmap(jax.random.fold_in, in_axes=(axis, 0))(stream, names[0])
    keys: jax.Array = jax.vmap(jax.random.fold_in)(first_keys, names[1])
    return keys


def fold_traced(requests: Sequence[Request]) -> list[Words]:
    """The words of the keys of each request, in one pass. May be traced."""

    def fold(key_words: Words, names: jax.Array) -> Words:
        keys = jax.random.wrap_key_data(jnp.stack(key_words, axis=-1), impl=IMPL)
        return words(fold_words(keys, names))

    return _fold_together(requests, fold, jnp)


def fold_on_host(requests: Sequence[Request]) -> list[Words]:
    """The words of the keys of each request, as `fold_traced` has them, computed by numpy."""

    def fold(key_words: Words, names: HostWords) -> Words:
        return _hash_on_host(_hash_on_host(key_words, names[0]), names[1])

    return _fold_together(requests, fold, np)


def _fold_together(
    requests: Sequence[Request], fold: Callable[[Words, Any], Words], array_module: Any
) -> list[Words]:
    """The words of the keys of each request, of one call of `fold` for all of them.

    All at once, since XLA compiles Threefry anew for each place of its use. array_module: numpy or
    jax.numpy.
    """
    lengths = [names.shape[1] for _, names in requests]
    halves = []
    for half in range(2):
        parts = []
        for (key, _), length in zip(requests, lengths, strict=True):
            parts.append(array_module.broadcast_to(key[half], length))
        halves.append(array_module.concatenate(parts))
    names = array_module.concatenate([array_module.asarray(names) for _, names in requests], axis=1)
    high, low = fold((halves[0], halves[1]), names)
    ends = np.cumsum(lengths)[:-1]
    return list(zip(array_module.split(high, ends), array_module.split(low, ends), strict=True))


def streams_on_host(
    seed: np.uint32, names: npt.NDArray[np.uint32]
) -> dict[str, tuple[HostWords, HostWords]]:
    """The words of the keys of `streams(fold_names(seed, names))`, computed by numpy: (1,) each."""
    stream = np.zeros(1, np.uint32), np.full(1, seed, np.uint32)
    for name in names:
        stream = _hash_on_host(stream, name[None])
    by_name = {}
    for stream_name in RUN_STREAMS:
        by_name[stream_name] = _hash_on_host(stream, codes(stream_name))
    return by_name


def _hash_on_host(
    key_words: tuple[HostWords, HostWords], data: HostWords
) -> tuple[HostWords, HostWords]:
    """The words of `jax.random.fold_in(key, data)` for each pair of a key and a number: (n,).

    Threefry-2x32 with 20 rounds. Source: Salmon et al. (2011), SC11, "Parallel random numbers: as
    easy as 1, 2, 3", sections 3.2 and 4.
    """
    first_key, second_key, data = np.broadcast_arrays(*key_words, data)
    high, low = np.empty((2, data.size), np.uint32)
    for begin in range(0, data.size, HASH_BLOCK):
        block = slice(begin, begin + HASH_BLOCK)
        _hash_block(first_key[block], second_key[block], data[block], high[block], low[block])
    return high, low


def _hash_block(
    first_key: HostWords, second_key: HostWords, data: HostWords, high: HostWords, low: HostWords
) -> None:
    """Write the two words of each hash to `high` and `low`, in place."""
    keys = (first_key, second_key, first_key ^ second_key ^ np.uint32(0x1BD11BDA))
    high[:] = keys[0]
    np.add(data, keys[1], out=low)
    shifted = np.empty_like(low)
    for k in range(5):
        for n_bits in ROTATIONS[k % 2]:
            high += low
            np.right_shift(low, np.uint32(32 - n_bits), out=shifted)
            low <<= np.uint32(n_bits)
            low |= shifted
            low ^= high
        high += keys[(k + 1) % 3]
        low += keys[(k + 2) % 3]
        low += np.uint32(k + 1)


def words(streams: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Two random words of each stream, uint32 (...): all that is drawn from its key."""
    word_pairs: jax.Array = jax.random.key_data(streams)
    return word_pairs[..., 0], word_pairs[..., 1]


def uniform(word_pair: tuple[jax.Array, jax.Array], dtype: Any) -> jax.Array:
    """Two random words as a number in [0, 1).

    It takes 2^24 values in single precision and 2^53 in double.
    """
    high, low = word_pair
    if np.finfo(dtype).bits == 32:
        return (high >> 8).astype(dtype) * 2.0**-24
    mantissa = (high >> 5).astype(dtype) * 2.0**26 + (low >> 6).astype(dtype)
    return mantissa * 2.0**-53


def draw_seed(base: jax.Array) -> jax.Array:
    """Two words drawn from `base`, a key of any implementation: uint32 (2,)."""
    stream = _threefry(base)
    high, low = words(jax.vmap(lambda k: jax.random.fold_in(stream, k))(jnp.arange(2)))
    return high ^ low  # as `jax.random.bits` has it


def uniforms(streams: jax.Array, dtype: Any) -> jax.Array:
    """A number in [0, 1) of each stream, (...), as `jax.random.uniform` makes it of these bits."""
    high, low = words(streams)
    if np.finfo(dtype).bits == 32:
        return ((high ^ low) >> 9).astype(dtype) * 2.0**-23
    return ((high.astype(jnp.uint64) << 32 | low) >> 12).astype(dtype) * 2.0**-52


def normals(streams: jax.Array, dtype: Any) -> jax.Array:
    """A standard normal number of each stream, as `jax.random.normal` makes it of these bits."""
    low = np.nextafter(np.array(-1.0, dtype), np.array(0.0, dtype))
    uniform_number = uniforms(streams, dtype) * (np.array(1.0, dtype) - low) + low
    return jax.lax.erf_inv(jnp.maximum(low, uniform_number)) * np.array(np.sqrt(2.0), dtype)


def number_streams(n: int) -> npt.NDArray[np.uint32]:
    """Names of streams that differ by their number alone: uint32 (2, n)."""
    return np.stack([np.zeros(n, np.uint32), np.arange(n, dtype=np.uint32)])


def number_named_streams(*names: str, n: int) -> npt.NDArray[np.uint32]:
    """Names of `n` streams, by their number within what is called `names`: uint32 (2, n).

    The first 64 bits of the hash of the names plus the number, so that no name depends on n.
    """
    place = int.from_bytes(_digest(*names)[:8], "little")
    numbers = np.uint64(place) + np.arange(n, dtype=np.uint64)  # modulo 2^64
    halves = numbers.astype("<u8").view("<u4").reshape(n, 2).astype(np.uint32)
    return np.ascontiguousarray(halves.T)


def _digest(*names: str) -> bytes:
    """The hash of the names; that of (a, bc) differs from that of (ab, c)."""
    return hashlib.sha256(BETWEEN.join(names).encode()).digest()


def generator(seed: int, *names: str) -> np.random.Generator:
    """The numpy generator of the stream called `names` under `seed`, for draws on the host."""
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def join_names(*names: str) -> str:
    """Names joined by "/". Any "/" in the first or last is replaced: three names stay distinct.

    >>> join_names("V1", "L2/3", "E"), join_names("V1/L2", "3", "E") == join_names("V1", "L2/3", "E")
    ('V1/L2/3/E', False)
    """
    head, *middle, tail = names
    return "/".join((head.replace("/", BETWEEN), *middle, tail.replace("/", BETWEEN)))


def to_stored(leaf: Any) -> npt.NDArray[Any]:
    """`leaf` of a state as a numpy array; of a typed key its words, since numpy holds no keys."""
    return np.asarray(jax.random.key_data(leaf) if _is_typed_key(leaf) else leaf)


def from_stored(stored: npt.NDArray[Any], start_leaf: Any) -> Any:
    """The leaf that `to_stored` stored, a typed key where `start_leaf` is one."""
    if not _is_typed_key(start_leaf):
        return stored
    return jax.random.wrap_key_data(jnp.asarray(stored), impl=jax.random.key_impl(start_leaf))


def _is_typed_key(leaf: Any) -> bool:
    """Whether `leaf` is a key, or an array of keys, as `jax.random.key` makes."""
    dtype = getattr(leaf, "dtype", None)
    return dtype is not None and bool(jnp.issubdtype(dtype, jax.dtypes.prng_key))
