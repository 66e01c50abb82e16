"""An emitter from outside the catalogue: taken as an object, written by the name of its class,
refused in one voice.
"""

import dataclasses
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jtfne
from jtfne._check import POSITIVE, Limit
from jtfne.config import Config
from jtfne.emitters import LIF, Balance, register
from jtfne.stimuli import Constant


class OwnState(NamedTuple):
    v_mV: jax.Array
    refractory_steps: jax.Array


@register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Own:
    """LIF by another name, in mV instead of pA."""

    tau_ms: jax.Array | float = 10.0
    reset_mV: float = -65.0
    th_mV: float = -50.0
    slow: bool = dataclasses.field(default=False, metadata={"static": True})

    input_unit: ClassVar[str] = "mV"
    LIMITS: ClassVar[dict[str, Limit]] = {"tau_ms": POSITIVE}
    BELOW: ClassVar[tuple[tuple[str, str], ...]] = (("reset_mV", "th_mV"),)

    @property
    def input_pA(self) -> jax.Array | float:
        return 250.0 / self.tau_ms

    def lif(self) -> LIF:
        tau_ms = self.tau_ms * 2.0 if self.slow else self.tau_ms
        return LIF(
            tau_m_ms=tau_ms, v_rest_mV=self.reset_mV, v_reset_mV=self.reset_mV, v_th_mV=self.th_mV
        )

    def init(self, uniform: jax.Array) -> OwnState:
        return OwnState(*self.lif().init(uniform))

    def step(
        self, state: OwnState, i_pA: jax.Array, syn: object, dt_ms: float
    ) -> tuple[OwnState, jax.Array]:
        after, spikes = self.lif().step(state, i_pA, syn, dt_ms)
        return OwnState(*after), spikes

    def balance(
        self, before: OwnState, after: OwnState, i_pA: jax.Array, syn: object, dt_ms: float
    ) -> Balance:
        return self.lif().balance(before, after, i_pA, syn, dt_ms)


@dataclasses.dataclass(frozen=True)
class NoPytree(Own):
    """Not registered."""


@register
@dataclasses.dataclass(frozen=True)
class Half:
    """Without balance and input_pA."""

    input_unit: ClassVar[str] = "pA"

    def init(self, uniform: jax.Array) -> jax.Array:
        return uniform

    def step(self, state: jax.Array, *rest: object) -> tuple[jax.Array, jax.Array]:
        return state, state > 0


KIND = f"{__name__}:Own"


def config(emitter: object) -> Config:
    base = (
        Config()
        .runtime(seed=1, duration_ms=100.0)
        .areas(["V1"])
        .layers(["L4"])
        .cells({"A": 3, "B": 2})
    )
    edge = {"source": {}, "target": {}, "mechanism": "AMPA", "weight": 30.0, "rule": "AllToAll"}
    return (
        base.emitters({"A": emitter, "B": LIF()})
        .connections([edge])
        .probes(["spk", "vm", "source"])
    )


def test_it_runs_as_the_model_that_it_is() -> None:
    """The same bits as LIF under the same current, beside LIF cells that it is wired to."""
    runs = []
    for emitter, drive in ((Own(), 24.0), (LIF(), 600.0)):
        cfg = config(emitter).cell_params({"A": {"drive": drive}, "B": {"drive": 500.0}})
        signals = jtfne.construct(cfg).simulate(progress=False)
        runs.append([signals.get(name).values for name in ("vm", "source")])
        assert len(signals.spikes) > 10
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_is_written_by_its_name_and_read_again() -> None:
    cfg = config(Own(tau_ms=12.0, slow=True))
    assert cfg.to_dict()["circuit"]["emitters"]["A"] == {
        "kind": KIND, "tau_ms": 12.0, "reset_mV": -65.0, "th_mV": -50.0, "slow": True,
    }  # fmt: skip
    for again in (Config.from_json(cfg.to_json()), Config.from_toml(cfg.to_toml())):
        assert (
            again == cfg
            and again.hash == cfg.hash
            and again.circuit.emitters["A"] == Own(tau_ms=12.0, slow=True)
        )
    assert config({"kind": KIND, "slow": True}).circuit.emitters["A"] == Own(slow=True)
    assert config(KIND).circuit.emitters["A"] == Own()
    assert config(Own(tau_ms=np.float32(3))).circuit.emitters["A"].tau_ms == 3.0
    assert config(Own()).hash != config(Own(slow=True)).hash != config(LIF()).hash


def test_static_fields_tell_models_apart() -> None:
    groups = jtfne.construct(config(Own(slow=True))).to_flat().circuit.groups
    assert [(type(each.emitter), jnp.size(each.index)) for each in groups] == [(Own, 3), (LIF, 2)]
    assert groups[0].emitter.slow is True


REFUSED = {
    "a module that is not imported": (
        "nowhere.cells:Own",
        ("kind='nowhere.cells:Own'", "'LIF'", "imported before"),
    ),
    "a class that is not there": (f"{__name__}:Mine", ("Mine", "'module:Class'")),
    "a function": ("os.path:join", ("os.path:join", "'module:Class'")),
    "another dataclass": ("jtfne.stimuli:Constant", ("a Constant without input_unit",)),
    "a stimulus": (
        Constant(amplitude=1.0),
        ("a Constant without input_unit", "init, step, balance"),
    ),
    "half an emitter": (Half(), ("a Half without input_pA, balance", "an emitter")),
    "no pytree": (NoPytree(), ("a NoPytree that is no pytree", "@jtfne.emitters.register")),
    "its limit": (Own(tau_ms=0.0), ("tau_ms=0.0", "above 0", "emitters.A.tau_ms")),
    "its pair": (Own(th_mV=-70.0), ("reset_mV=-65.0", "less than th_mV=-70.0", "emitters.A")),
    "not a number": (Own(th_mV=float("nan")), ("th_mV=nan", "finite", "emitters.A.th_mV")),
    "an unknown field": (
        {"kind": KIND, "tau": 1.0},
        ("unknown key 'tau'", "'tau_ms'", "emitters.A"),
    ),
    "the class itself": (Own, ("a type", "LIF", "emitters.A")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_voice(name: str) -> None:
    emitter, fragments = REFUSED[name]
    with pytest.raises(jtfne.JtfneError) as caught:
        config(emitter)
    message = str(caught.value)
    assert all(each in message for each in fragments), message
    assert "Config.circuit.emitters.A" in message and "@)" not in message


def test_cell_params_of_it_are_checked() -> None:
    assert (
        config(Own()).cell_params({"A": {"tau_ms": 20.0}}).populations()[0].emitter.tau_ms == 20.0
    )
    for given, fragment in (({"tau_ms": -1.0}, "tau_ms=-1.0"), ({"tau": 1.0}, "nearest: 'tau_ms'")):
        with pytest.raises(jtfne.JtfneError, match=fragment):
            config(Own()).cell_params({"A": given})


def test_what_only_some_emitters_can_do_is_refused_of_others() -> None:
    """Jumps need a method `jumped_pA`, potentials before the first step `at_potential`; Own has
    neither.
    """
    cfg = config(Own()).mechanisms({"d": {"kind": "Delta", "sign": 1}})
    edge = {"source": "A", "target": "A", "mechanism": "d", "weight": 1.0, "rule": "AllToAll"}
    for wrong in (
        lambda: cfg.connections([edge]),
        lambda: cfg.stimuli([{"target": "A", "drive": {"kind": "Poisson", "rate_Hz": 1.0, "weight_mV": 1.0,
                                                        "mechanism": "d"}}]),
    ):  # fmt: skip
        with pytest.raises(
            jtfne.JtfneError,
            match=r"a jump of the membrane of cells of type 'A' \(Own\).*jumped_pA",
        ):
            wrong()
    with pytest.raises(
        jtfne.JtfneError, match="v_init_mV of cells of Own, which has no method at_potential"
    ):
        cfg.cell_params({"A": {"v_init_mV": -70.0}})
