"""What a class from outside jtfne must have to be a part of a circuit: one protocol a catalogue."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jtfne._check import refuse
from jtfne.emitters import Emitter
from jtfne.measures import Measure
from jtfne.optimizers import CompiledSearch, Optimizer
from jtfne.pydantic_fields.errors import HERE
from jtfne.stimuli import Stimulus
from jtfne.synapses import Synapse


class PartProtocol(NamedTuple):
    """What the objects of an open catalogue must have.

    noun: of such an object, with its article. needed: attributes and methods that each class has of
    its own. base: the class of `base_name` that offers all others; a class that is not derived from
    it must have them too. offered: those others. decorator: what makes the class a pytree; None
    where it need not be one. check: refuses an object whose attributes do not work.
    """

    noun: str
    needed: tuple[str, ...]
    base: type
    base_name: str
    offered: tuple[str, ...] = ()
    decorator: str | None = None
    check: Callable[[Any], None] = lambda part: None

    @property
    def described_class(self) -> str:
        """Text of an error: what a class must be."""
        if self.decorator is None:
            return f"a dataclass that is {self.noun}"
        return f"a class under {self.decorator}"

    def check_class(self, cls: type) -> None:
        """Raises: JtfneError if `cls` lacks something that the objects of the catalogue have."""
        members = {field.name for field in dataclasses.fields(cls)}
        for parent in cls.__mro__:
            if parent is not self.base:
                members |= set(vars(parent))
        missing_names = [name for name in self.needed if name not in members]
        allowed = f"{self.noun}: {', '.join(self.needed)}"
        if self.offered and not issubclass(cls, self.base):
            missing_names += [name for name in self.offered if name not in members]
            allowed += f", and the rest from {self.base_name}"
        if missing_names:
            raise refuse(f"a {cls.__name__} without {', '.join(missing_names)}", allowed, HERE)

    def check_object(self, part: Any) -> None:
        """Raises: JtfneError if the class is no pytree where it must be one, or as `check` does."""
        if self.decorator is not None and jax.tree_util.all_leaves([part]):
            raise refuse(f"a {type(part).__name__} that is no pytree", self.described_class, HERE)
        self.check(part)


def _call(part: Any, name: str, *arguments: Any) -> Any:
    """Call a method of a user's own part. Raises: JtfneError if it raises."""
    try:
        return getattr(part, name)(*arguments)
    except Exception as error:
        raise refuse(
            f"a {type(part).__name__} whose {name} raises {type(error).__name__}: {error},",
            "one that can be called",
            HERE,
        ) from error


def _check_synapse(synapse: Any) -> None:
    """Raises: JtfneError unless the attributes of a synapse are of the kinds that it may have."""
    kind = f"a {type(synapse).__name__}"
    if synapse.unit not in ("pA", "nS", "mV"):
        raise refuse(f"{kind} with unit={synapse.unit!r}", "'pA', 'nS' or 'mV'", HERE)
    if synapse.unit == "nS" and not hasattr(synapse, "e_rev_mV"):
        raise refuse(f"{kind} in nS without e_rev_mV", "its reversal potential, mV", HERE)
    if synapse.sign not in (-1, 0, 1) or (synapse.unit == "nS" and synapse.sign != 1):
        allowed = "1 of a conductance" if synapse.unit == "nS" else "-1, 0 or 1"
        raise refuse(f"{kind} with sign={synapse.sign!r}", allowed, HERE)
    taus_ms = synapse.taus_ms
    if not isinstance(taus_ms, tuple) or len(taus_ms) not in (1, 2):
        raise refuse(f"{kind} with taus_ms={taus_ms!r}", "(tau,) or (tau_rise, tau_decay)", HERE)
    if not all(np.isfinite(tau_ms) and tau_ms > 0.0 for tau_ms in taus_ms):
        raise refuse(f"{kind} with taus_ms={taus_ms!r}", "numbers above 0, in ms", HERE)
    if not synapse.gate_fields:
        return
    if synapse.unit != "nS":
        raise refuse(f"{kind} in {synapse.unit} with gate_fields", "a gate of a conductance", HERE)
    names = {field.name for field in dataclasses.fields(synapse)}
    for name in synapse.gate_fields:
        if name not in names:
            raise refuse(f"{kind} with {name!r} in gate_fields", "names of its fields", HERE)
    # as the engine holds it: with the fields that the gate reads, and no others
    other_fields = {
        field.name: None
        for field in dataclasses.fields(synapse)
        if field.name not in synapse.gate_fields and not field.metadata.get("static")
    }
    reduced = dataclasses.replace(synapse, **other_fields)
    share = _call(reduced, "gate", jnp.array([-90.0, -60.0, 0.0]))
    if jnp.shape(share) != (3,):
        raise refuse(
            f"{kind} whose gate of 3 potentials has the shape {jnp.shape(share)}",
            "a share for each potential",
            HERE,
        )


def _check_stimulus(stimulus: Any) -> None:
    """Raises: JtfneError unless a stimulus is hashable and its waveform has a number a step."""
    kind = f"a {type(stimulus).__name__}"
    _call(stimulus, "__hash__")
    waveform = _call(stimulus, "waveform", 0, 5, 0.1)
    if not isinstance(waveform, np.ndarray) or waveform.shape != (5,) or waveform.dtype.kind != "f":
        description = f"{kind} whose waveform(first_step=0, n_steps=5, dt_ms=0.1) is {waveform!r}"
        raise refuse(description, "a numpy array of 5 floats", HERE)
    events = _call(stimulus, "events_ms", 1000.0)
    is_list = isinstance(events, list) and len(events) > 0
    if not is_list or not all(isinstance(event, tuple) and len(event) == 2 for event in events):
        raise refuse(
            f"{kind} whose events_ms is {events!r}", "a list of (onset, duration), in ms", HERE
        )


def _check_measure(measure: Any) -> None:
    """Raises: JtfneError unless a measure is hashable and names its readouts."""
    kind = f"a {type(measure).__name__}"
    _call(measure, "__hash__")
    readouts = measure.readouts
    if not isinstance(readouts, tuple) or not readouts:
        raise refuse(f"{kind} with readouts={readouts!r}", "a tuple of names, as ('spk',)", HERE)


def _check_optimizer(optimizer: Any) -> None:
    """Raises: JtfneError for a search that JAX compiles and whose class is no pytree."""
    if isinstance(optimizer, CompiledSearch) and jax.tree_util.all_leaves([optimizer]):
        description = f"a {type(optimizer).__name__} that is no pytree"
        raise refuse(description, "a class under @jtfne.optimizers.register", HERE)


EMITTER = PartProtocol(
    "an emitter",
    ("input_unit", "input_pA", "init", "step", "balance"),
    Emitter,
    "jtfne.emitters.Emitter",
    decorator="@jtfne.emitters.register",
)
SYNAPSE = PartProtocol(
    "a synapse",
    ("unit", "taus_ms"),
    Synapse,
    "jtfne.synapses.Synapse",
    offered=("sign", "dendrite_share", "equal_taus", "gate_fields", "gate"),
    decorator="@jtfne.synapses.register",
    check=_check_synapse,
)
STIMULUS = PartProtocol(
    "a stimulus",
    ("amplitude", "start_ms", "waveform"),
    Stimulus,
    "jtfne.stimuli.Stimulus",
    offered=("events_ms", "shifted", "frequency_fields"),
    check=_check_stimulus,
)
MEASURE = PartProtocol(
    "a measure",
    ("readouts", "differentiable", "undefined", "__call__", "unit"),
    Measure,
    "jtfne.measures.Measure",
    offered=("dims", "bin_of", "binned", "complaint", "grid", "form", "correlates", "curve_unit"),
    check=_check_measure,
)
OPTIMIZER = PartProtocol(
    "an optimizer",
    ("n_candidates", "init", "ask", "tell", "best", "traceable", "needs_gradients"),
    Optimizer,
    "jtfne.optimizers.Optimizer",
    check=_check_optimizer,
)
