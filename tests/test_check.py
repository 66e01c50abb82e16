"""The helpers that refuse must themselves survive whatever they are given."""

import fractions
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import jtfne
from jtfne import _check
from jtfne._check import POSITIVE, describe_value, in_range, number, one_of, whole_number

NESTED: list[Any] = []  # 3,000 deep: repr gives up
for _ in range(3_000):
    NESTED = [NESTED]
NOT_NUMBERS: dict[str, Any] = {
    "list nested too deep": NESTED,
    "text": "5",
    "bytes": b"5",
    "None": None,
    "list": [5.0],
    "dict": {"a": 5},
    "object": object(),
    "true": True,
    "numpy's true": np.True_,
    "complex": 5j,
    "0-d complex": np.array(5j),
    "0-d text": np.array("5"),
    "array": np.ones(3),
    "array of one": np.ones(1),
    "empty array": np.ones(0),
    "DataArray": xr.DataArray(np.ones(2)),
    "Dataset": xr.Dataset(),
    "DataFrame": pd.DataFrame({"a": [5]}),
    "timedelta": np.timedelta64(5, "ms"),
    "datetime": np.datetime64("2020-01-01"),
    "nan": float("nan"),
    "infinity": np.inf,
    "integer beyond floats": 10**400,
    "integer beyond text": 10**5000,
    "class": float,
    "surrogate": "\ud800" * 200,
}


@pytest.mark.parametrize("kind", NOT_NUMBERS)
def test_what_is_no_number_is_refused_in_one_line(kind: str) -> None:
    for check in (in_range, number, whole_number):
        with pytest.raises(
            jtfne.JtfneError, match=r"^got width_ms=.*\(0, inf\) \(in rates\)$"
        ) as caught:
            check(NOT_NUMBERS[kind], POSITIVE, name="width_ms", where="rates")
        assert len(str(caught.value)) < 250
    with pytest.raises(jtfne.JtfneError, match=r"kind.*expected 'a', 'b'"):
        one_of(NOT_NUMBERS[kind], ["a", "b"], name="kind", where="rates")
    assert POSITIVE.holds(NOT_NUMBERS[kind]) is False


@pytest.mark.parametrize(
    "value",
    [
        2,
        2.0,
        np.float32(2),
        np.float64(2),
        np.int8(2),
        np.array(2.0),
        xr.DataArray(2.0),
        fractions.Fraction(2),
    ],
)
def test_any_real_number_is_one(value: Any) -> None:
    assert number(value, POSITIVE, name="width_ms", where="rates") == 2.0
    assert in_range(value, POSITIVE, name="width_ms", where="rates") is value


@pytest.mark.parametrize("value", [7, np.int16(7), np.array(7), np.uint64(7)])
def test_whole_numbers(value: Any) -> None:
    count = whole_number(value, name="n_draws", where="flip_null")
    assert count == 7 and type(count) is int


def test_a_float_is_no_count() -> None:
    with pytest.raises(jtfne.JtfneError, match=r"n_draws=7\.0.*a whole number"):
        whole_number(7.0, name="n_draws", where="flip_null")


def test_long_values_are_cut() -> None:
    assert describe_value("a" * 1000) == "'" + "a" * 79 + "... (a str)"
    assert describe_value(np.zeros((2, 3))) == "an array of shape (2, 3)"


def test_no_message_is_longer_than_can_be_read() -> None:
    message = str(_check.refuse("x" * 10**6, "a short one", "here"))
    assert len(message) <= 1000 and message.endswith("expected a short one (in here)")
    lines = str(_check.JtfneError("\n".join(["y" * 5] * 100))).splitlines()
    assert len(lines) == 12 and lines[-1] == "and 89 more lines"
    text = str(_check.JtfneError("\n".join(["y" * 5000] * 100)))
    assert len(text) <= 2000 and text.endswith("\nand 99 more lines")
    text = "\n".join(["y" * 150] * 12)
    assert str(_check.JtfneError(text)) == text
    error = pickle.loads(pickle.dumps(_check.JtfneError("z" * 5000)))
    assert str(error) == str(_check.JtfneError("z" * 5000))
