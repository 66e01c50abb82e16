"""Checks of times against the steps of a run."""

from jtfne._grid import nearest_fits
from jtfne.pydantic_fields.errors import describe_refusal

DURATION_ROUNDING = 1.0 + 1e-9  # of an end that is computed, beside the duration


def refuse_off_grid(name: str, span_ms: float, dt_ms: float, where: str) -> str:
    """The line of an error for a time that is not a whole number of steps."""
    fits = nearest_fits(span_ms, dt_ms)
    allowed = f"a multiple of dt_ms={dt_ms:.9g}, such as {fits} ms"
    return describe_refusal(f"{name}={span_ms:.9g}", allowed, where)
