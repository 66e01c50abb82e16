"""Random numbers inside the loop: `seed` once by a named key, then a state in the carry."""

from jtfne.noise._base import Streams, seed
from jtfne.noise.normal import normal
from jtfne.noise.ornstein_uhlenbeck import Wander, wander, wandered
from jtfne.noise.poisson import poisson, table, table_rows

__all__ = ["Streams", "Wander", "normal", "poisson", "seed", "table", "table_rows", "wander", "wandered"]
