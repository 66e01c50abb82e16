"""Objects introduce themselves: short on a line, as a table in a notebook, with all text escaped."""

import html.parser
import inspect
from typing import Any

import pandas as pd
import pytest

import jtfne
from jtfne import Config, config
from jtfne._html import MAX_ROWS, render_table
from jtfne.optimizers import RandomSearch
from jtfne.pydantic_fields.frozen import Frozen

EVIL = "<script>alert(1)</script>"
RATE = [
    {"readout": "spk", "measure": {"kind": "MeanRate"}, "target": 5.0, "scale": 1.0, "name": EVIL}
]


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    """One of each kind, with a label that is markup."""
    config = (
        jtfne.suite2_net1_config(20)
        .runtime(duration_ms=20.0)
        .areas([EVIL])
        .probes(["spk", "vm"])
        .objective(RATE)
        .trainables([{"path": "gains.E->PV", "bounds": [0.5, 2.0]}])
    )
    net = jtfne.construct(config)
    flash = jtfne.Paradigm.pulse(
        target="E", start_ms=5.0, duration_ms=5.0, amplitude=6.0, label=EVIL
    ).trials(2)
    signals = net.simulate(flash)
    return {
        "Config": config,
        "Net": net,
        "Paradigm": flash,
        "Signals": signals,
        "ObjectiveResult": jtfne.Objective.of(config).evaluate(signals),
        "TrainingResult": jtfne.Trainer(optimizer=RandomSearch(n=2), budget=2).fit(net),
    }


class Balanced(html.parser.HTMLParser):
    """Notes open tags, and fails for one that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


NAMES = ("Config", "Net", "Paradigm", "Signals", "ObjectiveResult", "TrainingResult")


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_shows_a_table_in_which_no_name_is_markup(objects: Any, name: str) -> None:
    text = objects[name]._repr_html_()
    parser = Balanced()
    parser.feed(text)
    assert not parser.open and {"div", "strong", "table"} <= parser.seen
    assert "script" not in parser.seen and f"<strong>{name}</strong>" in text
    if name not in ("Signals", "TrainingResult"):
        assert "&lt;script&gt;" in text


@pytest.mark.parametrize("name", ("Config", "Net", "Paradigm", "Signals", "TrainingResult"))
def test_a_line_is_short_and_begins_with_the_class(objects: Any, name: str) -> None:
    text = repr(objects[name])
    assert text.startswith(f"{name}(") and "\n" not in text and len(text) < 500
    assert str(objects[name]) == text


def test_the_line_of_a_config_says_what_is_declared() -> None:
    assert repr(Config()) == "Config(run: 1000 ms in steps of 0.1 ms, float32, seed 0)"
    assert "cells: 80 E, 20 PV" in repr(
        Config().areas(["V1"]).layers(["L4"]).cells({"E": 0.8, "PV": 0.2})
    )
    assert "cells" not in repr(Config().cells({"E": 0.8, "PV": 0.2}))  # nowhere to be yet


@pytest.mark.parametrize("name", config.__all__)
def test_the_signature_of_a_declaration_has_no_validators(name: str) -> None:
    """It is what Shift-Tab shows."""
    declaration = getattr(config, name)
    if not isinstance(declaration, type) or not issubclass(declaration, Frozen):
        return
    signature = inspect.signature(declaration)
    assert list(signature.parameters) == list(declaration.model_fields)
    text = str(signature)
    assert not any(word in text for word in ("Annotated", "<function", "Validator", "Field("))


def test_long_tables_are_cut_and_counted() -> None:
    assert f"... and {100 - MAX_ROWS} more" in render_table(["n"], ([n] for n in range(100)))


def test_signals_are_read_as_a_mapping(objects: Any) -> None:
    signals = objects["Signals"]
    assert list(signals) == ["spk", "vm"] == list(signals.keys()) and len(signals) == 2
    assert "vm" in signals and "V_m" in signals and "spikes" in signals
    assert "eeg" not in signals and 5 not in signals and "nonsense" not in signals
    assert signals["V_m"].equals(signals.get("vm"))
    assert {name: signals[name].name for name in signals}.keys() == {"spk", "vm"}
    with pytest.raises(jtfne.JtfneError, match="'eeg'"):
        signals["eeg"]


def test_a_summary_prints_every_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    signals = jtfne.construct(jtfne.suite2_single_neuron_config("E")).simulate(duration_ms=5.0)
    summary = signals.summary()
    assert all(name in str(summary) for name in summary.columns) and "..." not in str(summary)
    assert type(summary[["units"]]) is pd.DataFrame
