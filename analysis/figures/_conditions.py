"""Trials by condition, for figures of a run: the same quantity once for each condition."""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from jtfne.signals import Signals

# Okabe and Ito's palette, as `_style`
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (1, 1)))
MOST_CONDITIONS = len(COLOURS)  # of more, a figure shows the mean over all


def split_by_condition(data: xr.DataArray) -> dict[str, xr.DataArray]:
    """The trials of `data` by condition, in order of appearance; all under "" without conditions.

    So too where there are more than `MOST_CONDITIONS`.
    """
    if "trial" not in data.dims or "condition" not in data.coords:
        return {"": data}
    conditions = data["condition"].values.astype(str)
    names = list(dict.fromkeys(conditions.tolist()))
    if not 1 < len(names) <= MOST_CONDITIONS:
        return {"": data}
    return {name: data.isel(trial=np.flatnonzero(conditions == name)) for name in names}


def list_events(signals: Signals, condition: str) -> pd.DataFrame:
    """The events of the trials of one condition; all for ""."""
    events = signals.events
    return events if not condition else events[events["condition"] == condition]


def style_lines(areas: Iterable[str], conditions: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour and dashes of the line of each area and condition, by the name that `join_words` gives.

    Areas go by colour and conditions by dashes; of one area, conditions have the colours.
    """
    names, looks = list(areas), {}
    for (k, area), (row, condition) in itertools.product(enumerate(names), enumerate(conditions)):
        colour = COLOURS[(row if len(names) == 1 else k) % len(COLOURS)]
        dashes = DASHES[0 if len(names) == 1 else row % len(DASHES)]
        looks[join_words(area, condition)] = {"color": colour, "ls": dashes}
    return looks


def join_words(area: str, condition: str) -> str:
    """The name of a line: its area and condition, as far as they are told."""
    return ", ".join(word for word in (area, condition) if word)
