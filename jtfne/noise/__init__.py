"""Random numbers inside the loop: `seed` once by a named key, then a state in the carry."""

from jtfne.noise._base import Streams, from_words, seed
from jtfne.noise.normal import normal
from jtfne.noise.ornstein_uhlenbeck import OUState, init_ou, start_ou, step_ou
from jtfne.noise.poisson import poisson, table, table_rows

__all__ = [
    "OUState",
    "Streams",
    "from_words",
    "init_ou",
    "normal",
    "poisson",
    "seed",
    "start_ou",
    "step_ou",
    "table",
    "table_rows",
]
