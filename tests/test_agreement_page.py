"""docs/validation/agreement.rst: its tables are those of agreement.json, its rows hold here."""

import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from docs.validation import _agreement_analysis as analysis_rows
from docs.validation import _agreement_fields as field_rows
from docs.validation import _agreement_hnn as hnn
from docs.validation import _agreement_nest as nest
from docs.validation._agreement import (
    BEGIN,
    END,
    UNEXPLAINED,
    LocalRow,
    Row,
    compare_sides,
    dump_results,
    format_agreement,
    measure_difference,
    replace_tables,
)

pytestmark = pytest.mark.as_users  # simulates for long

PAGES = Path(__file__).parent.parent / "docs/validation"
TEXT = (PAGES / "agreement.json").read_text(encoding="utf-8")
KEPT = json.loads(TEXT)
LOCAL_ROWS: tuple[LocalRow, ...] = (*field_rows.ROWS, *analysis_rows.ROWS)
ROWS: tuple[Row, ...] = (*nest.ROWS, *LOCAL_ROWS, *hnn.ROWS)
# Circuits of NEST that are run with every test: one program to compile. The others are slow tests.
FAST_CIRCUITS = ("network",)


def check(row: Row, ours: Any, theirs: Any) -> None:
    """The row is as the page has it: within its tolerance, or as far beyond it as told there."""
    found, kept = compare_sides(row, ours, theirs), KEPT["rows"][row.name]
    assert found["equal"] == kept["equal"], (
        f"{format_agreement(found)}, on the page {format_agreement(kept)}"
    )
    assert found["n_values"] == kept["n_values"]
    if not kept["equal"] and kept["difference"] is not None:
        assert found["difference"] == pytest.approx(kept["difference"], rel=0.05)


def test_the_tables_of_the_page_are_those_of_the_kept_numbers() -> None:
    page = (PAGES / "agreement.rst").read_text(encoding="utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert replace_tables(page, KEPT) == page
    assert dump_results(KEPT) == TEXT
    for row in ROWS:
        assert f"* - {row.quantity}\n" in page


def test_every_row_is_kept_with_its_words_and_none_is_unexplained() -> None:
    assert [row.name for row in ROWS] == list(KEPT["rows"])
    for row in ROWS:
        result = KEPT["rows"][row.name]
        assert (result["peer"], result["quantity"], result["kind"]) == (
            row.peer,
            row.quantity,
            row.kind,
        )
        assert result["tolerance"] == row.tolerance
        assert (
            result["words"]
            == (row.reason if result["equal"] else row.difference_explained)
            != UNEXPLAINED
        )
        difference = math.inf if result["difference"] is None else result["difference"]
        assert result["equal"] == (difference <= row.tolerance)


def test_peers_of_the_page_are_all_six() -> None:
    assert {row.peer for row in ROWS} == {"NEST", "LFPykit", "MNE", "SciPy", "elephant", "hnn-core"}
    assert set(KEPT["versions"]) == {row.peer for row in ROWS}
    assert {name for sides in KEPT["peers"].values() for name in sides} == {
        row.name for row in (*nest.ROWS, *hnn.ROWS)
    }


def plain_row(kind: str) -> Row:
    """A row of a kind, without words."""
    return Row(name="x", peer="x", quantity="x", tolerance=0.0, reason="x", kind=kind)


@pytest.mark.parametrize(
    ("kind", "ours", "theirs", "difference"),
    [
        ("values", [1.0, 2.0], [1.0, 4.0], 0.5),
        ("potential", [-65.0, -60.0], [-65.0, -61.0], 0.25),
        ("spikes", [[0, 1], [2, 5]], [[0, 1], [2, 6]], 2.0),
        ("steps", [3, 9], [4, 7], 2.0),
        ("steps", [3, 9], [3], math.inf),
        ("statistic", [[1.0, 0.3], [2.0, 3.0]], [[3.0, 0.4], [2.0, 4.0]], 4.0),
    ],
)
def test_differences_are_those_of_their_kind(
    kind: str, ours: Any, theirs: Any, difference: float
) -> None:
    assert measure_difference(plain_row(kind), ours, theirs) == pytest.approx(difference)
    result = compare_sides(plain_row(kind), ours, theirs)
    assert not result["equal"] and format_agreement(result).startswith("differs: ")
    assert result["words"] == UNEXPLAINED
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        ("values", [1.0, math.nan], [1.0, 2.0]),
        ("values", [1.0], [1.0, 2.0]),
        ("values", [], []),
        ("spikes", [], []),
        ("steps", [], []),
    ],
)
def test_what_shows_nothing_is_not_equal(kind: str, ours: Any, theirs: Any) -> None:
    with pytest.raises(ValueError, match=r"cannot be compared|shows nothing"):
        measure_difference(plain_row(kind), ours, theirs)


@pytest.mark.parametrize("row", LOCAL_ROWS, ids=lambda row: row.name)
def test_rows_of_installed_packages(row: LocalRow) -> None:
    check(row, *row.compute())


def test_what_the_json_keeps_of_nest_is_a_whole_run() -> None:
    """What is compared is not emptied: spikes of most cells, and traces that move."""
    spikes = np.array(KEPT["peers"]["NEST"]["nest 300 cells"]["values"])
    assert np.unique(spikes[:, 0]).size > 250 and len(spikes) > 1000
    for row in nest.ROWS:
        values = np.asarray(KEPT["peers"]["NEST"][row.name]["values"])
        assert values.size and (row.kind != "potential" or np.ptp(values) > 2.0), row.name
    weights = np.array(KEPT["peers"]["NEST"]["nest stdp"]["values"])
    assert np.abs(weights - 32.0).max() > 1.0 and np.unique(weights).size == weights.size


@functools.cache
def outcome(circuit: str) -> nest.Outcome:
    return nest.run_jtfne(circuit)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row, id=row.name, marks=() if row.circuit in FAST_CIRCUITS else pytest.mark.slow
        )
        for row in nest.ROWS
    ],
)
def test_rows_of_nest_by_its_kept_numbers(row: nest.NestRow) -> None:
    theirs = KEPT["peers"]["NEST"][row.name]
    check(
        row, nest.read(row, outcome(row.circuit), theirs.get("steps"))["values"], theirs["values"]
    )


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.name, marks=pytest.mark.slow if row.name == "hnn exp2syn" else ())
        for row in hnn.ROWS
    ],
)
def test_rows_of_hnn_core_by_its_kept_numbers(row: Row) -> None:
    theirs = KEPT["peers"]["hnn-core"][row.name]
    check(row, hnn.read(row, theirs.get("steps")), theirs["values"])
