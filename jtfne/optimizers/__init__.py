"""Searches for the lowest score within bounds, by one protocol: `init`, `ask`, `tell`, `best`.

An optimizer is an object with only its own settings; its state is arrays and stays in the caller's
hand. `minimize` runs one on a function. `OPTIMIZERS` is the catalogue.
"""

from jtfne._tree import register
from jtfne.optimizers._base import CompiledSearch, Optimizer, SearchStats
from jtfne.optimizers._minimize import minimize
from jtfne.optimizers.agsdr import AGSDR
from jtfne.optimizers.cma_es import CMAES
from jtfne.optimizers.gradient import Gradient
from jtfne.optimizers.gsdr import GSDR, correlation_factor
from jtfne.optimizers.random_search import RandomSearch
from jtfne.optimizers.sdr import SDR

OPTIMIZERS: dict[str, type[Optimizer]] = {
    cls.__name__: cls for cls in (RandomSearch, SDR, GSDR, AGSDR, CMAES, Gradient)
}

__all__ = [
    "AGSDR",
    "CMAES",
    "GSDR",
    "OPTIMIZERS",
    "SDR",
    "CompiledSearch",
    "Gradient",
    "Optimizer",
    "RandomSearch",
    "SearchStats",
    "correlation_factor",
    "minimize",
    "register",
]
