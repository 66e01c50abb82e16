"""The tables of docs/optimizers.rst: `python docs/validation/optimizers.py` (about two minutes)."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jtfne.optimizers import AGSDR, CMAES, GSDR, SDR, Gradient, Optimizer, RandomSearch, minimize

N_SEEDS, BUDGET, SEED = 32, 2000, 2026
# of Rastrigin's function, one step from the lowest, which is 0: below half of it is its basin
SECOND_MINIMUM = 0.995
TARGET = jnp.array([1.0, -2.0, 3.0, 0.5, -4.0])


@dataclasses.dataclass(frozen=True)
class Row:
    """An optimizer, and whether it is told gradients besides."""

    optimizer: Optimizer
    gradients: bool = False


ROWS = {
    "RandomSearch()": Row(RandomSearch()),
    "Gradient(transform=optax.adam(0.01))": Row(Gradient(transform=optax.adam(0.01))),
    "Gradient(transform=optax.adam(0.05))": Row(Gradient(transform=optax.adam(0.05))),
    "Gradient(transform=optax.adam(0.05), n_starts=16)": Row(
        Gradient(transform=optax.adam(0.05), n_starts=16)
    ),
    "SDR()": Row(SDR()),
    "GSDR()": Row(GSDR()),
    "GSDR(), with gradients": Row(GSDR(), gradients=True),
    "AGSDR()": Row(AGSDR()),
    "AGSDR(), with gradients": Row(AGSDR(), gradients=True),
    "CMAES()": Row(CMAES()),
    "CMAES(n=24)": Row(CMAES(n=24)),
}


def rastrigin(x: jax.Array) -> jax.Array:
    """10 d + sum(x^2 - 10 cos 2 pi x), whose lowest value is 0 at 0. Source: Rastrigin (1974), as
    in COCO, f3.
    """
    return jnp.sum(x**2 + 10.0 - 10.0 * jnp.cos(2.0 * jnp.pi * x))


def quadratic(x: jax.Array) -> jax.Array:
    """The squared distance from TARGET."""
    return jnp.sum((x - TARGET) ** 2)


def histories(
    row: Row, function, half_width: float, d: int, *, n_seeds: int, budget: int
) -> np.ndarray:
    """The best score after each generation, (n_seeds, n_generations), from starts anywhere in the
    box.
    """
    keys, upper = jax.random.split(jax.random.key(SEED), n_seeds), np.full(d, half_width)

    def one(key):
        return minimize(
            row.optimizer, function, key, -upper, upper, budget=budget, gradients=row.gradients
        )[1]

    if row.optimizer.traceable:
        return np.asarray(jax.jit(jax.vmap(one))(keys))
    return np.stack([one(key) for key in keys])


def success(name: str, n_seeds: int = N_SEEDS, budget: int = BUDGET) -> tuple[float, float]:
    """On Rastrigin's function in 2-d: the share of seeds that end in the lowest basin, and the
    median score.
    """
    last = histories(ROWS[name], rastrigin, 5.12, 2, n_seeds=n_seeds, budget=budget)[:, -1]
    return float((last < SECOND_MINIMUM / 2.0).mean()), float(np.median(last))


def evaluations(name: str, n_seeds: int = N_SEEDS, budget: int = BUDGET) -> float:
    """On a quadratic in 5-d: the median of the evaluations until a score is below 1e-3, inf if most
    never get there.
    """
    row = ROWS[name]
    best = histories(row, quadratic, 5.0, 5, n_seeds=n_seeds, budget=budget)
    there = best < 1e-3
    first = np.where(there.any(axis=1), there.argmax(axis=1) + 1.0, np.inf)
    return float(np.median(first) * row.optimizer.n_candidates(5))


def table(
    names=tuple(ROWS), n_seeds: int = N_SEEDS, budget: int = BUDGET
) -> list[tuple[str, str, str, str]]:
    """A row an optimizer: name, success and median on Rastrigin's function, evaluations on the
    quadratic.
    """
    rows = []
    for name in names:
        share, median = success(name, n_seeds, budget)
        n = evaluations(name, n_seeds, budget)
        rows.append(
            (f"``{name}``", f"{share * n_seeds:.0f} of {n_seeds}", f"{median:.2g}", f"{n:.0f}")
        )
    return rows


def ellipsoid(x: jax.Array) -> jax.Array:
    """Squares of rotated coordinates, weighed from 1 to 1e4: directions that no parameter has to
    itself.

    Source: Hansen (2016), arXiv:1604.00772 (ellipsoid); the rotation is that of a normal matrix of
    seed SEED.
    """
    rotation, _ = jnp.linalg.qr(jax.random.normal(jax.random.key(SEED), (x.size, x.size)))
    weights = 10.0 ** (4.0 * jnp.arange(x.size) / (x.size - 1))
    return jnp.sum(weights * (rotation @ (x - 1.0)) ** 2)


def ackley(x: jax.Array) -> jax.Array:
    """Ackley's function, whose lowest value is 0 at 0, amid many minima. Source: Ackley (1987), as
    in COCO.
    """
    length = jnp.sqrt(jnp.mean(x**2) + 1e-30)
    return (
        -20.0 * jnp.exp(-0.2 * length) - jnp.exp(jnp.mean(jnp.cos(2.0 * jnp.pi * x))) + 20.0 + jnp.e
    )


# Name: function, half the width of the box, parameters, evaluations, and below which score it is
# solved.
DIRECTIONS = {"ellipsoid": (ellipsoid, 5.0, 6, 3000, 1.0), "ackley": (ackley, 5.0, 4, 3000, 0.1)}
SEARCHES = ("RandomSearch()", "SDR()", "GSDR()", "AGSDR()", "CMAES()")


def directions(names=SEARCHES, n_seeds: int = 16) -> list[tuple[str, ...]]:
    """A row an optimizer: its name, and seeds solved and the median score on the ellipsoid and on
    Ackley's function.
    """
    rows = []
    for name in names:
        cells = [f"``{name}``"]
        for function, half_width, d, budget, solved in DIRECTIONS.values():
            last = histories(ROWS[name], function, half_width, d, n_seeds=n_seeds, budget=budget)[
                :, -1
            ]
            cells += [f"{int((last < solved).sum())} of {n_seeds}", f"{np.median(last):.2g}"]
        rows.append(tuple(cells))
    return rows


if __name__ == "__main__":
    from _page import print_table

    print_table(("optimizer", "lowest basin", "median score", "evaluations to 1e-3"), table())
    header = ("optimizer", "ellipsoid solved", "median score", "Ackley solved", "median score")
    print_table(header, directions())
