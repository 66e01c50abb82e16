"""Named streams of randomness: the same name gives the same stream, whatever else is drawn."""

import hashlib
import zlib

import jax
import numpy as np
import numpy.typing as npt

STREAMS = ("connectivity", "positions", "initial state", "noise", "stimulus", "trial")


def key(seed: int, *names: str) -> jax.Array:
    """The jax key of the stream called `names` under `seed` (0..2^32-1).

    >>> bool((key(1, "noise") == key(1, "noise")).all()), bool((key(1, "noise") == key(1, "trial")).all())
    (True, False)
    """
    return folded(np.uint32(seed), codes(*names))


def codes(*names: str) -> npt.NDArray[np.uint32]:
    """`names` as numbers: (n_names,)."""
    return np.array([zlib.crc32(name.encode()) for name in names], np.uint32)


def folded(seed: np.uint32 | jax.Array, names: npt.NDArray[np.uint32] | jax.Array) -> jax.Array:
    """As `key`, from `codes` of the names; may be traced."""
    stream = jax.random.key(seed)
    for k in range(names.shape[0]):
        stream = jax.random.fold_in(stream, names[k])
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
