"""Cell models of NEST by name, as emitters, and what their synapses are here."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from jtfne._check import describe_value, number, one_of, refuse
from jtfne.emitters import GLIF1, GLIF2, GLIF3, LIF, Emitter
from jtfne.synapses import Alpha, Delta, Exponential, Synapse

Params = dict[str, Any]
Mechanism = tuple[str, Synapse]
FindMechanism = Callable[[int, int, str], Mechanism]  # of a sign, a receptor_type and a place

# Defaults of NEST 3.10, as `nest.GetDefaults` gives them. V_m is a parameter like any other: NEST
# leaves it where it is when E_L is set.
IAF: Params = {
    "C_m": 250.0,
    "tau_m": 10.0,
    "t_ref": 2.0,
    "E_L": -70.0,
    "V_th": -55.0,
    "V_reset": -70.0,
    "V_m": -70.0,
    "I_e": 0.0,
}
TAU_SYN: Params = {"tau_syn_ex": 2.0, "tau_syn_in": 2.0}
GLIF: Params = {
    "C_m": 58.72,
    "g": 9.43,
    "E_L": -78.85,
    "V_th": -51.68,
    "V_reset": -78.85,
    "V_m": -78.85,
    "t_ref": 3.75,
    "tau_syn": [2.0],
    "th_spike_add": 0.37,
    "th_spike_decay": 0.009,
    "voltage_reset_fraction": 0.2,
    "voltage_reset_add": 18.51,
    "asc_amps": [-9.18, -198.94],
    "asc_decay": [0.003, 0.1],
    "asc_init": [0.0, 0.0],
    "asc_r": [1.0, 1.0],
    "spike_dependent_threshold": False,
    "after_spike_currents": False,
    "adapting_threshold": False,
}
# Of every model; they matter to plastic synapses, or to what is recorded.
WITHOUT_EFFECT = (
    *("tau_minus", "tau_minus_triplet", "tau_Ca", "beta_Ca", "Ca", "rho", "th_voltage_index"),
    "th_voltage_decay",
)
NO_FLOOR_mV = -1e6  # a V_min below it is never reached


@dataclasses.dataclass(frozen=True, kw_only=True)
class CellModel:
    """A cell model of NEST in jtfne's terms.

    drive_pA : the constant current into each cell.
    find_mechanism : name and synapse of a weight's sign and a receptor_type (0: none is given).
    """

    emitter: Emitter
    drive_pA: float
    v_init_mV: float
    find_mechanism: FindMechanism


def read_cell_model(template: str, params: Mapping[str, Any], where: str) -> CellModel:
    """The counterpart of a `model_template` such as nest:iaf_psc_exp, with its parameters.

    Raises: JtfneError that names a model or a parameter without counterpart.
    """
    schema, _, name = template.partition(":")
    if schema != "nest" or name not in MODELS:
        known = ", ".join(f"nest:{known_name}" for known_name in MODELS)
        raise refuse(f"model_template {template!r}", f"a point neuron of NEST: {known}", where)
    return MODELS[name](dict(params), f"{where}, {template}")


def _fill_in(params: Params, defaults: Params, fixed: Params, where: str) -> Params:
    """The parameters with the defaults of those left out.

    fixed: parameters that have to have this value. Raises: JtfneError for an unknown one, one of a
    wrong type, or one that is fixed.
    """
    known = (*defaults, *fixed, *WITHOUT_EFFECT)
    for name, value in params.items():
        one_of(name, known, name="parameter", where=where)
        if name in fixed and value != fixed[name]:
            description = f"{name}={describe_value(value)}"
            raise refuse(description, f"{fixed[name]!r}, since it has no counterpart", where)
        if isinstance(defaults.get(name), float):
            number(value, name=name, where=where)
        elif isinstance(defaults.get(name), bool) and not isinstance(value, bool):
            raise refuse(f"{name}={describe_value(value)}", "true or false", where)
    filled = {**defaults, **params}
    for name, value in filled.items():
        if isinstance(defaults.get(name), list):
            filled[name] = _read_list(name, value, where)
    return filled


def _read_list(name: str, value: Any, where: str) -> list[float]:
    """The numbers of a list. Raises: JtfneError for anything else."""
    if not isinstance(value, list):
        raise refuse(f"{name}={describe_value(value)}", "a list of numbers", where)
    return [number(entry, name=name, where=where) for entry in value]


def _build(kind: Callable[..., Emitter], fields: Params, where: str) -> Emitter:
    """The emitter of these fields. Raises: JtfneError for one out of its range."""
    limits = getattr(kind, "LIMITS", {})
    for name, value in fields.items():
        if name in limits and not limits[name].holds(value):
            raise refuse(f"{name}={value:g}", f"a number in {limits[name]}", where)
    emitter = kind(**fields)
    for low, high in getattr(kind, "BELOW", ()):
        if not getattr(emitter, low) < getattr(emitter, high):
            description = f"{low}={getattr(emitter, low):g} with {high}={getattr(emitter, high):g}"
            raise refuse(description, f"{low} below {high}", where)
    return emitter


def _build_lif(filled: Params, find_mechanism: FindMechanism, where: str) -> CellModel:
    """An iaf_psc model, whose membrane is that of a `LIF`."""
    fields = {
        "c_m_pF": filled["C_m"],
        "tau_m_ms": filled["tau_m"],
        "v_rest_mV": filled["E_L"],
        "v_th_mV": filled["V_th"],
        "v_reset_mV": filled["V_reset"],
        "t_ref_ms": filled["t_ref"],
    }
    return CellModel(
        emitter=_build(LIF, fields, where),
        drive_pA=filled["I_e"],
        v_init_mV=filled["V_m"],
        find_mechanism=find_mechanism,
    )


def _refuse_port(receptor_type: int, where: str) -> None:
    """Raises: JtfneError for a receptor_type onto a cell that has no ports."""
    if receptor_type:
        description = f"receptor_type={receptor_type}"
        raise refuse(description, "none: the sign of a weight chooses the current", where)


def _name_mechanism(course: str, tau_ms: float | None, sign: int) -> str:
    """The name of a mechanism, which is all that tells it from others."""
    kind = "excitatory" if sign > 0 else "inhibitory"
    return f"{kind} {course}" if tau_ms is None else f"{kind} {course} {tau_ms!r} ms"


def _read_psc(
    params: Params, where: str, course: str, kind: type[Exponential] | type[Alpha], fixed: Params
) -> CellModel:
    """A cell with a current of each sign, which follows `course` with a time constant of its own."""
    if params.get("V_min", -math.inf) < NO_FLOOR_mV:
        params = {name: value for name, value in params.items() if name != "V_min"}
    filled = _fill_in(params, IAF | TAU_SYN, fixed, where)

    def find_mechanism(sign: int, receptor_type: int, place: str) -> Mechanism:
        """The current of a sign."""
        _refuse_port(receptor_type, place)
        tau_ms = float(filled["tau_syn_ex" if sign > 0 else "tau_syn_in"])
        if tau_ms <= 0:
            raise refuse(f"a tau_syn of {tau_ms:g} ms", "more than 0 ms", where)
        return _name_mechanism(course, tau_ms, sign), kind(tau_ms=tau_ms, sign=sign)

    return _build_lif(filled, find_mechanism, where)


def _read_iaf_exp(params: Params, where: str) -> CellModel:
    """NEST's iaf_psc_exp; with `delta` above 0 its threshold would be random."""
    return _read_psc(params, where, "exponential", Exponential, {"delta": 0.0})


def _read_iaf_alpha(params: Params, where: str) -> CellModel:
    """NEST's iaf_psc_alpha."""
    return _read_psc(params, where, "alpha", Alpha, {"V_min": None})


def _read_iaf_delta(params: Params, where: str) -> CellModel:
    """NEST's iaf_psc_delta, whose weights are jumps in mV."""
    if params.get("V_min", -math.inf) < NO_FLOOR_mV:
        params = {name: value for name, value in params.items() if name != "V_min"}
    filled = _fill_in(params, IAF, {"V_min": None, "refractory_input": False}, where)

    def find_mechanism(sign: int, receptor_type: int, place: str) -> Mechanism:
        """The jump of a sign."""
        _refuse_port(receptor_type, place)
        return _name_mechanism("jump", None, sign), Delta(sign=sign)

    return _build_lif(filled, find_mechanism, where)


def _read_glif(params: Params, where: str) -> CellModel:
    """NEST's glif_psc as GLIF1, GLIF2 or GLIF3, by its three switches."""
    filled = _fill_in(params, GLIF, {}, where)
    switches = ("spike_dependent_threshold", "after_spike_currents", "adapting_threshold")
    chosen = tuple(filled[name] for name in switches)
    if chosen not in GLIF_KINDS:
        on = " and ".join(name for name, is_on in zip(switches, chosen, strict=True) if is_on)
        level = {(True, True, False): "GLIF4", (True, True, True): "GLIF5"}.get(chosen)
        description = f"glif_psc with {on}" + (f", {level}," if level else "")
        raise refuse(description, "GLIF1, GLIF2 or GLIF3: one of the first two, or none", where)
    taus_ms = filled["tau_syn"]

    def find_mechanism(sign: int, receptor_type: int, place: str) -> Mechanism:
        """The alpha current of a port, which takes weights of either sign."""
        if not 1 <= receptor_type <= len(taus_ms) or taus_ms[receptor_type - 1] <= 0:
            description = f"receptor_type={receptor_type} of a cell with tau_syn={taus_ms}"
            raise refuse(description, f"1 to {len(taus_ms)}, with a tau above 0 ms", place)
        tau_ms = taus_ms[receptor_type - 1]
        return _name_mechanism("alpha", tau_ms, sign), Alpha(tau_ms=tau_ms, sign=sign)

    return CellModel(
        emitter=GLIF_KINDS[chosen](filled, where),
        drive_pA=0.0,
        v_init_mV=filled["V_m"],
        find_mechanism=find_mechanism,
    )


def _list_membrane(filled: Params) -> Params:
    """The fields of the membrane of a glif_psc."""
    return {
        "c_m_pF": filled["C_m"],
        "g_nS": filled["g"],
        "e_l_mV": filled["E_L"],
        "v_th_mV": filled["V_th"],
        "t_ref_ms": filled["t_ref"],
    }


def _build_glif1(filled: Params, where: str) -> Emitter:
    """A GLIF1."""
    return _build(GLIF1, {**_list_membrane(filled), "v_reset_mV": filled["V_reset"]}, where)


def _build_glif2(filled: Params, where: str) -> Emitter:
    """A GLIF2, whose threshold spikes raise."""
    fields = {
        "reset_fraction": filled["voltage_reset_fraction"],
        "reset_add_mV": filled["voltage_reset_add"],
        "th_add_mV": filled["th_spike_add"],
        "tau_th_ms": _invert_rate("th_spike_decay", filled["th_spike_decay"], where),
    }
    return _build(GLIF2, {**_list_membrane(filled), **fields}, where)


def _build_glif3(filled: Params, where: str) -> Emitter:
    """A GLIF3, with one or two currents after a spike."""
    amps, decays = filled["asc_amps"], filled["asc_decay"]
    if len(amps) != len(decays) or not 1 <= len(amps) <= 2:
        description = f"{len(amps)} asc_amps and {len(decays)} asc_decay"
        raise refuse(description, "one or two, as many of each", where)
    if any(filled["asc_init"]):
        raise refuse(f"asc_init={filled['asc_init']}", "zeros: no spike before the run", where)
    if any(share != 1.0 for share in filled["asc_r"]):
        raise refuse(f"asc_r={filled['asc_r']}", "ones: currents go on after a spike", where)
    fields = {"v_reset_mV": filled["V_reset"], "amp_2_pA": 0.0}
    for k, (amp_pA, decay) in enumerate(zip(amps, decays, strict=True), start=1):
        fields |= {f"amp_{k}_pA": amp_pA, f"tau_{k}_ms": _invert_rate("asc_decay", decay, where)}
    return _build(GLIF3, {**_list_membrane(filled), **fields}, where)


def _invert_rate(name: str, rate_per_ms: float, where: str) -> float:
    """The time constant, ms, of a decay rate. Raises: JtfneError for a rate that is no decay."""
    if not rate_per_ms > 0:
        raise refuse(f"{name}={rate_per_ms:g}", "a rate above 0 per ms", where)
    return 1.0 / rate_per_ms


# by spike_dependent_threshold, after_spike_currents, adapting_threshold
GLIF_KINDS: dict[tuple[bool, ...], Callable[[Params, str], Emitter]] = {
    (False, False, False): _build_glif1,
    (True, False, False): _build_glif2,
    (False, True, False): _build_glif3,
}
MODELS: dict[str, Callable[[Params, str], CellModel]] = {
    "iaf_psc_exp": _read_iaf_exp,
    "iaf_psc_alpha": _read_iaf_alpha,
    "iaf_psc_delta": _read_iaf_delta,
    "glif_psc": _read_glif,
}
