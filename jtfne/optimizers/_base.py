"""The interface of every optimizer, and what all share: bounds, best so far, random streams."""

import dataclasses
import functools
import zlib
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jtfne import _keys
from jtfne._arguments import check_instance, describe_argument
from jtfne._check import Limit, in_range, refuse, whole_number

Array = jax.Array | npt.NDArray[np.floating[Any]]


class Optimizer(Protocol):
    """A search for the lowest score within bounds: pure maps of a state that the caller keeps.

    A state is a NamedTuple of arrays, keys included: what `jax.tree.leaves` finds can be stored as
    numpy arrays, and put back into the tree of any `init` of the same settings and number of
    parameters. The search goes on with the same bits. Settings that are lengths are shares of a
    parameter's range, upper - lower.

    traceable: whether `init`, `ask` and `tell` may run under `jit` and `vmap`. needs_gradients:
    whether `tell` refuses gradients=None. LIMITS: the ranges of its settings.

    Examples
    --------
    >>> import jax
    >>> from jtfne.optimizers import RandomSearch
    >>> search = RandomSearch(n=8)
    >>> state = search.init(jax.random.key(0), lower=[0.0, -1.0], upper=[1.0, 1.0])
    >>> candidates, state = search.ask(state)
    >>> state = search.tell(state, candidates, (candidates**2).sum(axis=1))
    >>> candidates.shape, float(search.best(state)[1]) == float((candidates**2).sum(axis=1).min())
    ((8, 2), True)
    """

    traceable: ClassVar[bool]
    needs_gradients: ClassVar[bool]
    LIMITS: ClassVar[dict[str, Limit]]

    def n_candidates(self, d: int) -> int:
        """How many candidates a generation has with `d` parameters."""
        ...

    def init(self, key: jax.Array, lower: Any, upper: Any, start: Any = None) -> Any:
        """The state at the start; `best_x` of its record is the starting point.

        lower, upper, start: (d,); start=None draws it uniformly.
        Raises: JtfneError.
        """
        ...

    def ask(self, state: Any) -> tuple[Array, Any]:
        """Candidates (k, d), all within the bounds, and the state to hand to `tell`."""
        ...

    def tell(self, state: Any, candidates: Any, scores: Any, gradients: Any = None) -> Any:
        """The state after `scores` (k,), lower is better, of the `candidates` (k, d) from `ask`.

        gradients: (k, d), derivatives of the scores by the candidates. A score or gradient that is
        not finite is counted in `record` and used for nothing.
        Raises: JtfneError for other shapes, and if no score is finite; under `jit`, where nothing
        can be raised, such a generation is counted and leaves the best as it is.
        """
        ...

    def best(self, state: Any) -> tuple[Array, Array]:
        """The best candidate so far, (d,), and its score; at first the start and inf."""
        ...


MOST_CANDIDATES = 1_000_000  # in a generation, which is held as one array


class CompiledSearch:
    """A search in JAX: `ask` and `tell` check their arguments, then run one compiled program.

    A program is compiled once for each shape and each static setting, not once a generation. A
    subclass has `_ask` and `_tell`, pure maps of arrays, and names the class of its state in STATE.

    Examples
    --------
    >>> from jtfne.optimizers import GSDR, CompiledSearch
    >>> isinstance(GSDR(), CompiledSearch), GSDR().traceable
    (True, True)
    """

    STATE: ClassVar[type]

    def ask(self, state: Any) -> tuple[jax.Array, Any]:
        """Candidates (k, d), and the state to hand to `tell`; see `Optimizer.ask`."""
        check_state(self, state, "ask")
        run = self._ask if is_traced((self, state)) else functools.partial(_ask_program, self)
        candidates, state_to_tell = run(state)
        return candidates, state_to_tell

    def tell(self, state: Any, candidates: Any, scores: Any, gradients: Any = None) -> Any:
        """The state after the scores of a generation; see `Optimizer.tell`."""
        return self._checked_tell(state, candidates, scores, gradients)

    def best(self, state: Any) -> tuple[jax.Array, jax.Array]:
        """The candidate with the lowest score so far, and that score; see `Optimizer.best`."""
        check_state(self, state, "best")
        return state.record.best_x, state.record.best_score

    def _checked_tell(
        self, state: Any, candidates: Any, scores: Any, gradients: Any, *more: Any
    ) -> Any:
        """The state after a generation: arguments are checked, then the compiled `_tell` runs.

        more: further arguments of `_tell`, already checked.
        Raises: JtfneError.
        """
        check_state(self, state, "tell")
        arrays = check_generation(self, state.record, candidates, scores, gradients)
        is_in_jit = is_traced((self, state, *arrays, *more))
        run = self._tell if is_in_jit else functools.partial(_tell_program, self)
        return run(state, *arrays, *more)

    def _ask(self, state: Any) -> tuple[jax.Array, Any]:
        """Candidates and the state to hand to `_tell`; the body of `ask`, may be traced."""
        raise NotImplementedError

    def _tell(self, state: Any, candidates: Any, scores: Any, gradients: Any, *more: Any) -> Any:
        """The next state, of checked arguments; the body of `tell`, may be traced."""
        raise NotImplementedError


# The programs are small and run briefly: a quick compilation matters more than quick code.
_COMPILER_OPTIONS = {"xla_backend_optimization_level": 0}
_ask_program: Any = jax.jit(
    lambda search, state: search._ask(state), compiler_options=_COMPILER_OPTIONS
)
_tell_program: Any = jax.jit(
    lambda search, *arguments: search._tell(*arguments), compiler_options=_COMPILER_OPTIONS
)


def is_traced(tree: Any) -> bool:
    """Whether any leaf of `tree` is traced: the caller's own program is being compiled."""
    return not all(is_concrete(leaf) for leaf in jax.tree.leaves(tree))


def check_state(search: Any, state: Any, method: str) -> None:
    """Raises: JtfneError unless `state` comes from `init` of the same kind of search."""
    name = type(search).__name__
    check_instance(
        state,
        search.STATE,
        allowed=f"a state of {name}.init",
        name="state",
        where=f"{name}.{method}",
    )


class SearchStats(NamedTuple):
    """What every search keeps beside its own state: bounds, key, best so far, counts.

    Attributes
    ----------
    key : uint32, shape (2,)
        Random key from which all draws of the search follow.
    lower, upper : array, shape (d,)
        The bounds.
    best_x : array, shape (d,)
        The candidate with the lowest finite score so far; at first the start.
    best_score : array, shape ()
        Its score; inf before there is one.
    generation, n_scores, n_bad : int32, shape ()
        How many generations and scores were told, and how many of the scores were not finite.

    Examples
    --------
    >>> import jax
    >>> from jtfne.optimizers import RandomSearch
    >>> state = RandomSearch().init(jax.random.key(0), lower=[0.0, -1.0], upper=[1.0, 1.0])
    >>> state.record.width.tolist(), float(state.record.best_score), int(state.record.n_scores)
    ([1.0, 2.0], inf, 0)
    """

    key: jax.Array
    lower: jax.Array
    upper: jax.Array
    best_x: jax.Array
    best_score: jax.Array
    generation: jax.Array
    n_scores: jax.Array
    n_bad: jax.Array

    @property
    def width(self) -> jax.Array:
        """Ranges of the parameters, (d,)."""
        return self.upper - self.lower

    def inside(self, x: jax.Array) -> jax.Array:
        """`x` (..., d), clipped to the bounds."""
        lower, upper = (jnp.broadcast_to(bound, x.shape) for bound in (self.lower, self.upper))
        return jnp.clip(x, lower, upper)

    def normal(self, name: str, n: int) -> jax.Array:
        """Standard normal numbers (n, d) of the stream `name` in this generation, per parameter."""
        return _keys.normals(self._streams(name, n), self.lower.dtype)

    def uniform(self, name: str, n: int) -> jax.Array:
        """Numbers (n, d) uniform in [0, 1), of the stream `name` in this generation."""
        return _keys.uniforms(self._streams(name, n), self.lower.dtype)

    def anywhere(self, name: str, n: int) -> jax.Array:
        """Points (n, d) drawn uniformly within the bounds."""
        return self.inside(self.lower[None] + self.width[None] * self.uniform(name, n))

    def _streams(self, name: str, n: int) -> jax.Array:
        """One random key for each candidate and parameter, (n, d), independent of n and d."""
        base = jax.random.wrap_key_data(self.key, impl=_keys.IMPL)
        stream = jax.random.fold_in(
            jax.random.fold_in(base, zlib.crc32(name.encode())), self.generation
        )
        keys_by_parameter = jax.vmap(lambda j: jax.random.fold_in(stream, j))(
            jnp.arange(self.lower.size)
        )
        return jax.vmap(
            lambda i: jax.vmap(lambda key: jax.random.fold_in(key, i))(keys_by_parameter)
        )(jnp.arange(n))


def is_concrete(x: Any) -> bool:
    """Whether the value of `x` is concrete, so that it can be checked: it is not traced."""
    return not isinstance(x, jax.core.Tracer)


def init_stats(optimizer: Any, key: jax.Array, lower: Any, upper: Any, start: Any) -> SearchStats:
    """The record at the start; its `best_x` is the starting point. Raises: JtfneError."""
    where = f"{type(optimizer).__name__}.init"
    check_settings(optimizer, where)
    dtype = getattr(key, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key) or np.shape(key) != ():
        raise refuse(f"key={describe_argument(key)}", "one key, as jax.random.key(0)", where)
    arrays = {"lower": lower, "upper": upper} | ({} if start is None else {"start": start})
    arrays = {name: check_numbers(x, name, where) for name, x in arrays.items()}
    lower, upper = arrays["lower"], arrays["upper"]
    for name, x in arrays.items():
        if np.ndim(x) != 1 or np.size(x) == 0 or np.shape(x) != np.shape(lower):
            raise refuse(
                f"{name} of shape {np.shape(x)}",
                f"(d,), as lower of shape {np.shape(lower)}",
                where,
            )
    n_candidates = optimizer.n_candidates(np.size(lower))
    if n_candidates > MOST_CANDIDATES:
        raise refuse(
            f"{n_candidates:.3g} candidates a generation", f"at most {MOST_CANDIDATES}", where
        )
    if all(is_concrete(x) for x in arrays.values()):
        lower, upper = _bounds(arrays, where)
    dtype = jnp.result_type(float)
    low, high = jnp.asarray(lower, dtype), jnp.asarray(upper, dtype)
    zero, key_words = jnp.zeros((), jnp.int32), _keys.draw_seed(key)
    record = SearchStats(key_words, low, high, low, jnp.full((), jnp.inf, dtype), zero, zero, zero)
    start_point = (
        record.anywhere("start", 1)[0]
        if start is None
        else record.inside(jnp.asarray(start, dtype))
    )
    return record._replace(best_x=start_point)


def check_settings(optimizer: Any, where: str) -> None:
    """Raises: JtfneError if a setting of `optimizer` is out of its range."""
    for name, limit in optimizer.LIMITS.items():
        value = getattr(optimizer, name)
        if is_concrete(value):
            in_range(value, limit, name=name, where=where)
    for field in dataclasses.fields(optimizer):
        value = getattr(optimizer, field.name)
        if field.type is int:  # it sets the number of candidates, which must be a whole number
            whole_number(value, optimizer.LIMITS[field.name], name=field.name, where=where)
        if field.name == "inner" and not (
            callable(getattr(value, "init", None)) and callable(value.update)
        ):
            raise refuse(
                f"inner={describe_argument(value)}",
                "an optax transform, as optax.adam(0.01)",
                where,
            )


def _bounds(arrays: dict[str, Any], where: str) -> tuple[Array, Array]:
    """The bounds in the precision of the search, rounded inward. Raises: JtfneError."""
    arrays_x64 = {name: np.asarray(x, np.float64) for name, x in arrays.items()}
    lower, upper, dtype = arrays_x64["lower"], arrays_x64["upper"], np.dtype(jnp.result_type(float))
    low, high = lower.astype(dtype), upper.astype(dtype)
    low = np.where(low < lower, np.nextafter(low, dtype.type(np.inf)), low)
    high = np.where(high > upper, np.nextafter(high, dtype.type(-np.inf)), high)
    start = arrays_x64.get("start", lower)
    for j in range(lower.size):
        if not (np.isfinite(lower[j]) and np.isfinite(upper[j]) and low[j] < high[j]):
            raise refuse(
                f"lower[{j}]={lower[j]:g} with upper[{j}]={upper[j]:g}",
                "finite, lower below upper",
                where,
            )
        if not lower[j] <= start[j] <= upper[j]:
            raise refuse(
                f"start[{j}]={start[j]:g}", f"a number in [{lower[j]:g}, {upper[j]:g}]", where
            )
    return low, high


def check_numbers(values: Any, name: str, where: str) -> Any:
    """`values` as an array of numbers; a JAX array, traced or not, is returned as it is.

    Raises: JtfneError.
    """
    if isinstance(values, jax.Array):
        return values
    try:
        array = np.asarray(values)
    # rows of several lengths, or an object that refuses to be an array
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        raise refuse(f"{name}={describe_argument(values)}", "numbers", where)
    return array


def check_generation(
    optimizer: Any, record: SearchStats, candidates: Any, scores: Any, gradients: Any
) -> tuple[Any, Any, Any]:
    """Candidates, scores and gradients as arrays. Raises: JtfneError like `Optimizer.tell`."""
    d, where = record.lower.size, f"{type(optimizer).__name__}.tell"
    k = optimizer.n_candidates(d)
    if gradients is None and optimizer.needs_gradients:
        raise refuse("gradients=None", f"an array of shape {(k, d)}", where)
    shapes = {
        "candidates": (candidates, (k, d)),
        "scores": (scores, (k,)),
        "gradients": (gradients, (k, d)),
    }
    arrays: dict[str, Any] = {"gradients": None}
    for name, (x, shape) in shapes.items():
        if x is None and name == "gradients":
            continue
        arrays[name] = check_numbers(x, name, where)
        if np.shape(x) != shape:
            raise refuse(f"{name} of shape {np.shape(x)}", f"{shape}", where)
    scores = arrays["scores"]
    if is_concrete(scores) and not np.isfinite(np.asarray(scores)).any():
        scores_text = ", ".join(f"{score:g}" for score in np.asarray(scores)[:4]) + (
            ", ..." if k > 4 else ""
        )
        raise refuse(
            f"scores=[{scores_text}], none finite,", "at least one finite score a generation", where
        )
    return arrays["candidates"], scores, arrays["gradients"]


def update_stats(record: SearchStats, candidates: Any, scores: Any) -> SearchStats:
    """The record after a generation; the arguments are checked already."""
    k = np.shape(scores)[0]
    x, values = jnp.asarray(candidates, record.lower.dtype), jnp.asarray(scores, record.lower.dtype)
    is_finite = jnp.isfinite(values)
    best_index = jnp.argmin(jnp.where(is_finite, values, jnp.inf))
    is_better = is_finite[best_index] & (values[best_index] < record.best_score)
    return record._replace(
        best_x=jnp.where(is_better, x[best_index], record.best_x),
        best_score=jnp.where(is_better, values[best_index], record.best_score),
        generation=record.generation + 1,
        n_scores=record.n_scores + k,
        n_bad=record.n_bad + jnp.sum(~is_finite, dtype=jnp.int32),
    )
