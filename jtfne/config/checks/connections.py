"""Checks of connections: the cells and mechanism they name, signs of weights, delays on the grid."""

import math
from collections.abc import Iterator

from jtfne._grid import whole_steps
from jtfne.config.checks.declared_names import DeclaredNames
from jtfne.config.checks.targets import check_jump_targets, check_targets
from jtfne.config.checks.times import refuse_off_grid
from jtfne.config.circuit import Area, Geometry
from jtfne.config.connections import Connection
from jtfne.config.defaults import SIGNS
from jtfne.config.distributions import FromDistance, LogNormal, Normal, Uniform
from jtfne.config.rules import FromTable
from jtfne.pydantic_fields.errors import describe_refusal, describe_unknown
from jtfne.synapses import PairSTDP, Synapse

# A delay in steps is a slot of the ring buffer, with a number for each cell, and float32 holds
# every whole number up to here.
MOST_STEPS = 2**24
ROUNDING = 1e-6  # relative; of delays that were float32 once, as in `Net.edges`


def check_connection(
    connection: Connection, declared: DeclaredNames, dt_ms: float | None, where: str
) -> Iterator[str]:
    """Yield each error of a connection. dt_ms: None as long as no run is declared."""
    yield from declared.selector_errors(connection.source, f"{where}.source")
    yield from declared.selector_errors(connection.target, f"{where}.target")
    target_types = declared.find_cell_types(connection.target)
    yield from check_targets(declared.circuit, target_types, "a connection", f"{where}.target")
    mechanisms = declared.circuit.mechanisms
    line = describe_unknown(connection.mechanism, mechanisms, name="mechanism", where=where)
    if line:
        yield line
    else:
        yield from _check_weights(connection, declared, mechanisms[connection.mechanism], where)
    if dt_ms is not None:
        yield from _check_delays(connection, declared, dt_ms, where)


def _check_weights(
    connection: Connection, declared: DeclaredNames, mechanism: Synapse, where: str
) -> Iterator[str]:
    """Yield an error for weights of a sign, or onto cells, that the mechanism does not allow."""
    sign, reason = mechanism.sign, f"as mechanism {connection.mechanism!r} says"
    if not sign:
        source_types = declared.find_cell_types(connection.source)
        signs = {SIGNS.get(cell_type, 0) for cell_type in source_types}
        type_names = ", ".join(sorted(source_types))
        if len(signs) > 1:
            description = f"source with cell types {type_names} and a mechanism without sign"
            yield describe_refusal(description, "sources of one sign", where)
            return
        sign = signs.pop() if signs else 0
        reason = f"as its source, {type_names}, has it"
    yield from _check_signs(connection, sign, mechanism.unit, reason, where)
    if mechanism.unit == "mV":
        target_types = declared.find_cell_types(connection.target)
        yield from check_jump_targets(declared.circuit, target_types, f"{where}.target")
    if isinstance(connection.plasticity, PairSTDP):
        w_max = float(connection.plasticity.w_max)
        yield from _check_w_max(connection, w_max, sign, mechanism.unit, where)


def _check_signs(
    connection: Connection, sign: int, unit: str, reason: str, where: str
) -> Iterator[str]:
    """Yield an error for weights of both signs, or of another than `sign` (0: either may be)."""
    weight, rule = connection.weight, connection.rule
    if isinstance(rule, FromTable) and rule.weight is not None:
        values, where = [rule.weight.array.min(), rule.weight.array.max()], f"{where}.rule"
    elif isinstance(weight, Uniform):
        values = [weight.low, weight.high]
    elif isinstance(weight, Normal | LogNormal):
        values = [weight.mean]
        if weight.mean == 0.0:
            description = "a weight of mean 0, which has no sign,"
            yield describe_refusal(description, "a mean above or below 0", where)
    else:
        values = [weight]
    values_of_wrong_sign = [value for value in values if value * sign < 0]
    if values_of_wrong_sign:
        sign_name = "positive" if sign > 0 else "negative"
        description = f"weight={values_of_wrong_sign[0]:g} {unit}"
        yield describe_refusal(description, f"{sign_name}, {reason}", where)
    elif min(values) < 0 < max(values):
        description = f"weights from {min(values):g} to {max(values):g} {unit}"
        yield describe_refusal(description, "weights of one sign", where)


def _check_w_max(
    connection: Connection, w_max: float, sign: int, unit: str, where: str
) -> Iterator[str]:
    """Yield an error for a connection with PairSTDP that inhibits, or with weights above w_max."""
    weight, rule = connection.weight, connection.rule
    largest: float | None
    if isinstance(rule, FromTable) and rule.weight is not None:
        largest = max(rule.weight)
    elif isinstance(weight, Uniform | Normal | LogNormal):
        largest = weight.high
    else:
        largest = weight
    allowed = f"at most w_max={w_max:g} {unit} (high=...) with PairSTDP"
    if sign < 0:
        yield describe_refusal(
            "PairSTDP on an inhibitory connection",
            "excitatory ones, whose weights are positive",
            where,
        )
    elif largest is None:
        yield describe_refusal("weights without an upper end", allowed, where)
    elif largest > w_max:
        yield describe_refusal(f"weight={largest:g} {unit}", allowed, where)


def _check_delays(
    connection: Connection, declared: DeclaredNames, dt_ms: float, where: str
) -> Iterator[str]:
    """Yield an error for delays under one step, off the grid, or too long to be held."""
    delay, rule = connection.delay_ms, connection.rule
    if isinstance(rule, FromTable) and rule.delay_ms is not None:
        yield from _check_shortest(rule.delay_ms.array.min(), dt_ms, where)
        yield from _check_longest(rule.delay_ms.array.max(initial=0.0), dt_ms, where)
    elif isinstance(delay, FromDistance):
        yield from _check_distances(connection, delay, declared, dt_ms, f"{where}.delay_ms")
        yield from _check_longest(delay.offset_ms, dt_ms, where)
    elif isinstance(delay, Uniform | Normal | LogNormal):
        if delay.low is None:
            description, allowed = (
                f"a {delay.kind} delay without low",
                f"low of at least {dt_ms=:g}",
            )
            yield describe_refusal(description, allowed, f"{where}.delay_ms")
        else:
            yield from _check_shortest(delay.low, dt_ms, where)
        if delay.high is not None:
            yield from _check_longest(delay.high, dt_ms, where)
    else:
        too_short = list(_check_shortest(delay, dt_ms, where))
        yield from too_short
        if not too_short and whole_steps(delay, dt_ms) is None:
            yield refuse_off_grid("delay_ms", delay, dt_ms, where)
        yield from _check_longest(delay, dt_ms, where)


def _check_shortest(delay_ms: float, dt_ms: float, where: str) -> Iterator[str]:
    """Yield an error for a delay under one step."""
    if delay_ms < dt_ms * (1.0 - ROUNDING):
        allowed = f"at least one step, dt_ms={dt_ms:g}"
        yield describe_refusal(f"delay_ms={delay_ms:g}", allowed, where)


def _check_longest(delay_ms: float, dt_ms: float, where: str) -> Iterator[str]:
    """Yield an error for a delay of more steps than the ring buffer can have."""
    if delay_ms > MOST_STEPS * dt_ms:
        yield describe_refusal(f"delay_ms={delay_ms:g}", _at_most_steps(dt_ms), where)


def _at_most_steps(dt_ms: float) -> str:
    """Text of an error: the longest delay that is allowed."""
    return f"at most {MOST_STEPS} steps of {dt_ms:g} ms, for which spikes are held in memory"


def _check_distances(
    connection: Connection, delay: FromDistance, declared: DeclaredNames, dt_ms: float, where: str
) -> Iterator[str]:
    """Yield the first error of delays by distance: no position, too short, too long."""
    areas = {area.name: area for area in declared.circuit.areas}
    source_areas = {area for area, *_ in declared.find_populations(connection.source)}
    target_areas = {area for area, *_ in declared.find_populations(connection.target)}
    for source in sorted(source_areas):
        for target in sorted(target_areas):
            ends = (areas[source], areas[target])
            line = _describe_distance(delay, ends, declared.circuit.geometry, dt_ms, where)
            if line:
                yield line
                return


def _describe_distance(
    delay: FromDistance, ends: tuple[Area, Area], geometry: Geometry, dt_ms: float, where: str
) -> str | None:
    """The error of delays by distance between two areas (or within one); None if there is none."""
    source, target = ends
    is_within = source.name == target.name
    unplaced_areas = [area.name for area in ends if not area.placed]
    if unplaced_areas and not is_within:
        description = (
            f"a delay by the distance between {source.name!r} and {target.name!r}, "
            f"without position_mm of {unplaced_areas[0]!r},"
        )
        return describe_refusal(description, "Area(name=..., position_mm=...)", where)
    distance_mm = math.dist(source.position_mm, target.position_mm)  # 1 mm / (1 m/s) is 1 ms
    shortest_ms = delay.offset_ms + distance_mm / delay.velocity_m_s
    if shortest_ms < dt_ms * (1.0 - ROUNDING):
        if is_within:
            description = f"offset_ms={delay.offset_ms:g} within {source.name!r}"
        else:
            description = (
                f"a delay of {shortest_ms:g} ms between {source.name!r} and {target.name!r}"
            )
        return describe_refusal(description, f"at least one step, dt_ms={dt_ms:g}", where)
    diagonal_mm = math.hypot(geometry.thickness_mm, 2.0 * geometry.radius_mm)
    longest_ms = shortest_ms + (diagonal_mm / delay.velocity_m_s if is_within else 0.0)
    if longest_ms > MOST_STEPS * dt_ms:
        description = (
            f"a delay of up to {longest_ms:g} ms from {source.name!r} to {target.name!r} "
            f"(velocity_m_s={delay.velocity_m_s:g})"
        )
        return describe_refusal(description, _at_most_steps(dt_ms), where)
    return None
