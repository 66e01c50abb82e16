"""Chunks and the engine's state as named arrays of a run folder, and what tells one run from another."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jtfne import _json, engine
from jtfne._check import refuse
from jtfne.config import Config
from jtfne.net import Net
from jtfne.partial_run import PartialRun
from jtfne.probes import Recording, Spikes
from jtfne.reports import machine, software
from jtfne.run_folder import array_hash
from jtfne.simulation._loop import Piece, all_spikes

BITS = ("jtfne", "jax", "jaxlib", "numpy", "scipy", "machine", "backend", "device_kind")  # what the bits depend on
ROWS, SPIKES = "rows ", "spikes "


def run_of(net: Net, config: Config, n_trials: int) -> dict[str, Any]:
    """What tells this run from any other: a resumed run has the bits of one that was never stopped."""
    about = {**software(), **machine()}
    return {
        **{name: about[name] for name in BITS},
        **config.run.model_dump(mode="json"),
        "trials": n_trials,
        "config_sha256": net.config.hash,
        "paradigm_sha256": _json.sha256([each.model_dump(mode="json") for each in config.task.stimuli]),
        "net_sha256": _json.sha256(
            [_fields_hash(each) for each in (net.identity, *net.projections) if each is not None]
        ),
    }


def _fields_hash(part: Any) -> dict[str, str]:
    """The hash of each field of a dataclass of arrays, text and numbers."""
    return {each.name: array_hash(getattr(part, each.name)) for each in dataclasses.fields(part)}


class OnDisk:
    """A sink that puts chunks into `partial`, and goes on from those that are there."""

    def __init__(self, partial: PartialRun) -> None:
        self._partial = partial

    @property
    def n_done(self) -> int:
        """As `Sink`."""
        return self._partial.n_chunks

    def put(self, piece: Piece, carry: engine.Carry | None) -> None:
        """As `Sink`. Raises: OSError if the disk is full or fails."""
        rows = {ROWS + name: values for name, values in piece.rows.items()}
        spikes = {SPIKES + each.name: getattr(piece.spikes, each.name) for each in dataclasses.fields(piece.spikes)}
        self._partial.put({**rows, **spikes}, None if carry is None else _named(carry))

    def carry(self, start: engine.Carry) -> engine.Carry:
        """As `Sink`. Raises: JtfneError if the arrays on disk are not those of `start`."""
        wanted, found = _named(start), self._partial.carry()
        if list(found) != list(wanted) or any(
            (found[name].dtype, found[name].shape) != (each.dtype, each.shape) for name, each in wanted.items()
        ):
            raise refuse("a state on disk that is not one of this circuit", "the same run", "simulate(out=)")
        carry: engine.Carry = jax.tree.unflatten(
            jax.tree.structure(start), [jnp.array(each) for each in found.values()]
        )
        return carry

    def recording(self, *, n_trials: int, n_steps: int, dt_ms: float) -> Recording:
        """As `Sink`. Raises: JtfneError if a file is not what was written."""
        pieces = [self._piece(number) for number in range(self.n_done)]
        n_chunks = len(pieces) // n_trials
        trials = [pieces[k * n_chunks : (k + 1) * n_chunks] for k in range(n_trials)]
        kept = {
            name: np.stack([np.concatenate([p.rows[name] for p in each]) for each in trials]) for name in pieces[0].rows
        }
        return Recording(n_trials, n_steps, dt_ms, kept, all_spikes([each.spikes for each in pieces]))

    def _piece(self, number: int) -> Piece:
        """One chunk."""
        each = self._partial.chunk(number)
        return Piece(
            {name.removeprefix(ROWS): values for name, values in each.items() if name.startswith(ROWS)},
            Spikes(**{name.removeprefix(SPIKES): each[name] for name in each if name.startswith(SPIKES)}),
        )

    def discard(self) -> None:
        """As `Sink`."""
        self._partial.discard()


def _named(carry: engine.Carry) -> dict[str, np.ndarray[Any, Any]]:
    """Every leaf of the state by its path, such as `.cells[0].v_mV`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(carry)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}
