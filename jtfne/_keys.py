"""Named streams of randomness: the same name gives the same stream, whatever else is drawn."""

import hashlib
import zlib

import jax
import numpy as np

STREAMS = ("connectivity", "positions", "initial state", "noise", "stimulus", "trial")


def key(seed: int, *names: str) -> jax.Array:
    """The jax key of the stream called `names` under `seed` (0..2^32-1).

    >>> bool((key(1, "noise") == key(1, "noise")).all()), bool((key(1, "noise") == key(1, "trial")).all())
    (True, False)
    """
    stream = jax.random.key(np.uint32(seed))
    for name in names:
        stream = jax.random.fold_in(stream, zlib.crc32(name.encode()))
    return stream


def streams(base: jax.Array) -> dict[str, jax.Array]:
    """The keys of the streams that a run draws from, by name."""
    return {
        name: jax.random.fold_in(base, zlib.crc32(name.encode())) for name in ("initial state", "noise", "stimulus")
    }


def generator(seed: int, *names: str) -> np.random.Generator:
    """The numpy generator of the stream called `names` under `seed`, for draws on the host."""
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
