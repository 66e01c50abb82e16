"""Synapses, stimuli, measures and optimizers from outside the catalogues: taken as objects, written
by the names of their classes, refused in one voice. (Emitters: test_own_emitter.py.)
"""

import dataclasses
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from jtfne import cli
from jtfne._check import POSITIVE, Limit
from jtfne.config import Config
from jtfne.measures import MeanRate, Measure
from jtfne.optimizers import RandomSearch
from jtfne.pydantic_fields.part_protocols import OPTIMIZER
from jtfne.stimuli import Pulse, Stimulus
from jtfne.synapses import NMDA, Synapse, register


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnNMDA(Synapse):
    """NMDA by another name, with a constant that NMDA does not have."""

    rise_ms: float = 2.0
    decay_ms: float = 40.0
    e_rev_mV: float = 0.0
    mg_mM: float = 1.0
    half_mM: float = 3.57
    saturating: bool = dataclasses.field(default=False, metadata={"static": True})

    unit: ClassVar[str] = "nS"
    gate_fields: ClassVar[tuple[str, ...]] = ("mg_mM", "half_mM")
    LIMITS: ClassVar[dict[str, Limit]] = {"rise_ms": POSITIVE, "decay_ms": POSITIVE}
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("rise_ms", "decay_ms"),)

    @property
    def taus_ms(self):
        return self.rise_ms, self.decay_ms

    def gate(self, v_mV):
        return 1.0 / (1.0 + self.mg_mM / self.half_mM * jnp.exp(-0.062 * v_mV))


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Apart:
    """A synapse that is not derived from `Synapse`, with all that it offers."""

    tau_ms: float = 3.0
    unit: ClassVar[str] = "pA"
    sign: ClassVar[int] = 1
    dendrite_share: ClassVar[None] = None
    equal_taus: ClassVar[bool] = False
    gate_fields: ClassVar[tuple[str, ...]] = ()

    @property
    def taus_ms(self):
        return (self.tau_ms,)

    def gate(self, v_mV):
        return jnp.ones_like(v_mV)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnPulse(Stimulus):
    """A pulse by another name."""

    amplitude: float
    start_ms: float = 0.0
    length_ms: float = 5.0
    LIMITS: ClassVar[dict[str, Limit]] = {"length_ms": POSITIVE}

    def waveform(self, first_step, n_steps, dt_ms):
        pulse = Pulse(start_ms=self.start_ms, duration_ms=self.length_ms, amplitude=1.0)
        return pulse.waveform(first_step, n_steps, dt_ms)

    def events_ms(self, duration_ms):
        return [(self.start_ms, self.length_ms)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnRate(Measure):
    """MeanRate by another name, in spikes a minute if `by_minute`."""

    by_minute: bool = False
    readouts: ClassVar[tuple[str, ...]] = ("spk",)
    differentiable: ClassVar[bool] = True
    undefined: ClassVar[str] = "a count is not finite"

    def __call__(self, x, frame):
        return MeanRate()(x, frame) * (60.0 if self.by_minute else 1.0)

    def unit(self, of):
        return "1/min" if self.by_minute else "Hz"

    def bin_of(self, n_samples, step_ms):
        return n_samples


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnSearch(RandomSearch):
    """A search from outside, whose defaults are those of RandomSearch."""


BASE = (
    Config()
    .runtime(seed=1, duration_ms=60.0, dtype="float64")
    .areas(["V1"])
    .layers(["L4"])
    .cells({"A": 6, "B": 4})
    .emitters({"A": "LIF", "B": "TwoCompartment"})
    .cell_params({"A": {"drive": 420.0, "noise": 60.0}})
    .probes(["spk", "vm"])
)


def config(synapse=None, drive=None, measure=None):
    """A circuit with a part of each kind."""
    edge = {"source": "A", "target": {}, "mechanism": "m", "weight": 3.0, "rule": "AllToAll"}
    made = BASE.mechanisms({"m": synapse if synapse is not None else OwnNMDA()})
    made = made.connections([edge])
    pulse = OwnPulse(amplitude=300.0, start_ms=10.0) if drive is None else drive
    made = made.stimuli([{"target": "B", "drive": pulse, "label": "p"}])
    measured = OwnRate() if measure is None else measure
    made = made.objective([{"measure": measured, "target": 20.0}])
    return made.trainables(
        [
            {"path": "mechanisms.m.half_mM", "bounds": [1.0, 9.0]},
            {"path": "cells.A.drive", "bounds": [300.0, 500.0]},
        ]
        if made.circuit.mechanisms["m"].__class__ is OwnNMDA
        else []
    )


def test_they_are_written_by_their_names_and_read_again():
    own = config(OwnNMDA(half_mM=3.0, saturating=True), measure=OwnRate(by_minute=True))
    table = own.to_dict()
    assert table["circuit"]["mechanisms"]["m"] == {
        "kind": f"{__name__}:OwnNMDA", "rise_ms": 2.0, "decay_ms": 40.0, "e_rev_mV": 0.0,
        "mg_mM": 1.0, "half_mM": 3.0, "saturating": True,
    }  # fmt: skip
    assert table["task"]["stimuli"][0]["drive"]["kind"] == f"{__name__}:OwnPulse"
    measure = table["training"]["objective"]["metrics"][0]["measure"]
    assert measure == {"kind": f"{__name__}:OwnRate", "by_minute": True}
    for again in (Config.from_json(own.to_json()), Config.from_toml(own.to_toml())):
        assert again == own and again.hash == own.hash != config().hash
        assert again.circuit.mechanisms["m"] == OwnNMDA(half_mM=3.0, saturating=True)
        assert type(again.task.stimuli[0].drive) is OwnPulse
    assert config(f"{__name__}:OwnNMDA").circuit.mechanisms["m"] == OwnNMDA()


def test_they_run_as_the_parts_that_they_are(tmp_path):
    """The same bits as NMDA, Pulse and MeanRate; also from a folder of the net, and by `load`."""
    own = config()
    twin = config(
        NMDA(tau_decay_ms=40.0),
        Pulse(start_ms=10.0, duration_ms=5.0, amplitude=300.0),
        MeanRate(),
    )
    net = jtfne.construct(own)
    net.save(tmp_path / "net")
    signals = jtfne.simulate(jtfne.Net.open(tmp_path / "net"), out=tmp_path / "run", progress=False)
    twin_signals = jtfne.construct(twin).simulate(progress=False)
    assert len(signals.spikes) > 10
    assert signals.spikes.equals(twin_signals.spikes)
    np.testing.assert_array_equal(signals.get("vm"), twin_signals.get("vm"))
    assert signals.events.to_numpy().tolist() == [[0, 10.0, 5.0, "p", 1, ""]]
    written = jtfne.load(tmp_path / "run").manifest["config"]["circuit"]["mechanisms"]["m"]
    assert written["kind"] == f"{__name__}:OwnNMDA"
    score, twin_score = (jtfne.Objective.of(cfg).evaluate(signals).score for cfg in (own, twin))
    assert score == twin_score


def test_a_training_of_them_goes_on_where_it_stopped(tmp_path):
    """By an optimizer from outside, and by the gate's own constant; two halves equal the whole."""
    net = jtfne.construct(config().runtime(duration_ms=20.0, dtype="float32"))
    search = OwnSearch(n=2)
    whole = jtfne.Trainer(optimizer=search, budget=4).fit(net, tmp_path / "a", progress=False)
    assert whole.report["optimizer"] == {"kind": f"{__name__}:OwnSearch", "n": 2}
    jtfne.Trainer(optimizer=search, budget=2).fit(net, tmp_path / "b", progress=False)
    again = jtfne.Trainer(optimizer=search, budget=4).fit(
        net, tmp_path / "b", progress=False, resume=True
    )
    assert again.best == whole.best
    with pytest.raises(jtfne.JtfneError, match="optimizer"):
        jtfne.Trainer(optimizer=RandomSearch(n=2), budget=6).fit(
            net, tmp_path / "b", progress=False, resume=True
        )


def test_a_class_that_is_not_derived_needs_all():
    assert config(Apart()).circuit.mechanisms["m"] == Apart()


def make(name, base, members, decorate=True):
    """A dataclass with these members, under the decorator of pytrees or not."""
    cls = dataclasses.make_dataclass(name, (), bases=(base,), namespace=members, frozen=True)
    return (register(cls) if decorate else cls)()


GOOD = {"unit": "nS", "e_rev_mV": 0.0, "taus_ms": (1.0,)}
WAVE = {"amplitude": 1.0, "start_ms": 0.0, "waveform": lambda self, k, n, dt: np.zeros(n)}
REFUSED = {
    "no taus_ms": (make("Half", Synapse, {"unit": "pA"}), ("a Half without taus_ms", "a synapse")),
    "not derived": (
        make("Alone", object, GOOD),
        ("a Alone without sign", "gate_fields", "the rest from jtfne.synapses.Synapse"),
    ),
    "no pytree": (
        make("Plain", Synapse, GOOD, decorate=False),
        ("a Plain that is no pytree", "@jtfne.synapses.register"),
    ),
    "another unit": (make("Amp", Synapse, {**GOOD, "unit": "A"}), ("unit='A'", "'nS'")),
    "no reversal": (
        make("Open", Synapse, {"unit": "nS", "taus_ms": (1.0,)}),
        ("in nS without e_rev_mV",),
    ),
    "a sign": (make("Sign", Synapse, {**GOOD, "sign": -1}), ("sign=-1", "1 of a conductance")),
    "three taus": (make("Three", Synapse, {**GOOD, "taus_ms": (1.0, 2.0, 3.0)}), ("taus_ms",)),
    "a tau of 0": (make("Zero", Synapse, {**GOOD, "taus_ms": (0.0,)}), ("above 0",)),
    "a gate of no field": (
        make("Gate", Synapse, {**GOOD, "gate_fields": ("x",)}),
        ("'x' in gate_fields", "names of its fields"),
    ),
    "its limit": (OwnNMDA(rise_ms=0.0), ("rise_ms=0.0", "above 0")),
    "its pair": (OwnNMDA(rise_ms=50.0), ("rise_ms=50.0", "less than decay_ms=40.0")),
    "another part": (Pulse(start_ms=1.0, duration_ms=1.0, amplitude=1.0), ("a Pulse without",)),
}


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Forgetful(Synapse):
    """A gate that reads a field which is not among its gate_fields."""

    tau_ms: float = 2.0
    width_mV: float = 5.0
    unit: ClassVar[str] = "nS"
    e_rev_mV: ClassVar[float] = 0.0
    gate_fields: ClassVar[tuple[str, ...]] = ("width_mV",)

    @property
    def taus_ms(self):
        return (self.tau_ms,)

    def gate(self, v_mV):
        return v_mV / self.width_mV + self.tau_ms


REFUSED["a gate that reads more"] = (Forgetful(), ("whose gate raises TypeError",))


@pytest.mark.parametrize("name", REFUSED)
def test_a_synapse_is_refused_in_one_voice(name):
    synapse, fragments = REFUSED[name]
    with pytest.raises(jtfne.JtfneError) as caught:
        BASE.mechanisms({"m": synapse})
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)
    assert "Config.circuit.mechanisms.m" in str(caught.value) and "@)" not in str(caught.value)


REFUSED_STIMULI = {
    "no waveform": (
        make("Flat", Stimulus, {"amplitude": 1.0, "start_ms": 0.0}),
        ("a Flat without waveform", "a stimulus: amplitude, start_ms, waveform"),
    ),
    "one number": (
        make("One", Stimulus, {**WAVE, "waveform": lambda self, k, n, dt: 1.0}),
        ("a One whose waveform", "a numpy array of 5 floats"),
    ),
    "an error of its own": (
        make("Bad", Stimulus, {**WAVE, "waveform": lambda self, k, n, dt: 1 / 0}),
        ("whose waveform raises ZeroDivisionError",),
    ),
    "no events": (
        make("Mute", Stimulus, {**WAVE, "events_ms": lambda self, duration_ms: []}),
        ("whose events_ms is []", "(onset, duration)"),
    ),
    "its limit": (OwnPulse(amplitude=1.0, length_ms=0.0), ("length_ms=0.0", "above 0")),
    "after the run": (OwnPulse(amplitude=1.0, start_ms=90.0), ("a OwnPulse from 90",)),
}


@pytest.mark.parametrize("name", REFUSED_STIMULI)
def test_a_stimulus_is_refused_in_one_voice(name):
    drive, fragments = REFUSED_STIMULI[name]
    with pytest.raises(jtfne.JtfneError) as caught:
        BASE.stimuli([{"target": "A", "drive": drive}])
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)
    assert "Config.task.stimuli[0]" in str(caught.value) and "@)" not in str(caught.value)


@pytest.mark.parametrize(
    ("measure", "fragments"),
    [
        (OwnPulse(amplitude=1.0), ("a OwnPulse without readouts", "a measure: readouts")),
        (dataclasses.make_dataclass("Rate", (), namespace={"readouts": ("spk",)})(), ("Rate",)),
    ],
)
def test_a_measure_is_refused_in_one_voice(measure, fragments):
    with pytest.raises(jtfne.JtfneError) as caught:
        BASE.objective([{"measure": measure, "target": 1.0}])
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)
    assert "Config.training.objective.metrics[0].measure" in str(caught.value)


def test_an_optimizer_of_the_command_line_is_checked(tmp_path, capsys):
    path = tmp_path / "config.toml"
    path.write_text(config().to_toml())
    OPTIMIZER.check_class(OwnSearch)
    for name, fragments in {
        f"{__name__}:OwnPulse": ("a OwnPulse without n_candidates", "an optimizer"),
        "nowhere_to_be_found:Search": ("allow_code=True (--allow-code)", "'AGSDR'"),
        "Search": ("unknown optimizer 'Search'", "'AGSDR'"),
    }.items():
        with pytest.raises(jtfne.JtfneError) as caught:
            cli.app(["train", str(path), "--optimizer", name, "-o", str(tmp_path / "x")],
                    standalone_mode=False)  # fmt: skip
        assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)
        assert "jtfne train --optimizer" in str(caught.value)
    assert not (tmp_path / "x").exists()
