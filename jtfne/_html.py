"""What a notebook shows of an object: a title, facts and tables, with all text escaped."""

import html
import math
from collections.abc import Iterable, Mapping
from typing import Any

MAX_ROWS = 30  # of a table; the rest is counted


def render_object(title: str, facts: Mapping[str, Any], *tables: str) -> str:
    """An object as HTML: its title, a row for each fact, and tables of `render_table`.

    >>> render_object("Net", {"cells": "<5>"})
    '<div><strong>Net</strong><table><tbody><tr><th>cells</th><td>&lt;5&gt;</td></tr></tbody></table></div>'
    """
    rows = "".join(
        f"<tr><th>{_escape(name)}</th><td>{_escape(fact)}</td></tr>"
        for name, fact in facts.items()
        if fact not in ("", None)
    )
    fact_table = f"<table><tbody>{rows}</tbody></table>" if rows else ""
    return f"<div><strong>{_escape(title)}</strong>{fact_table}{''.join(tables)}</div>"


def render_table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Rows as an HTML table; of more than MAX_ROWS the first ones."""
    all_rows = [list(row) for row in rows]
    head = "".join(f"<th>{_escape(name)}</th>" for name in columns)
    lines = [
        "<tr>" + "".join(f"<td>{_escape(cell)}</td>" for cell in row) + "</tr>"
        for row in all_rows[:MAX_ROWS]
    ]
    if len(all_rows) > MAX_ROWS:
        lines.append(f"<tr><td>... and {len(all_rows) - MAX_ROWS} more</td></tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _escape(value: Any) -> str:
    """A cell's text; numbers in six digits, and nothing where there is no number."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return html.escape(str(value))
