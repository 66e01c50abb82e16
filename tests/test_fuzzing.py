"""The fuzzer: its verdicts are right, and a few cases of every area end in none of the bad ones."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jtfne
from fuzzing._campaign import Tally, Worker
from fuzzing._values import mutated, places, value_in
from fuzzing._verdicts import Meaningless, Outcome, Verdict, judge
from fuzzing._worker import Judge, fuzz
from fuzzing.areas import AREAS
from fuzzing.areas._base import Described
from fuzzing.areas.foreign import READERS, Foreign
from fuzzing.areas.works import FOLDERS, Works, go_on, repeat

# Cases of each area that the suite takes; `nox -s fuzz` draws as many as its time allows.
N_CASES = {
    "configs": 60,
    "files": 25,
    "foreign": 25,
    "works": 10,
    "paradigms": 12,
    "runs": 4,
    "selections": 100,
    "analyses": 40,
    "exports": 30,
    "commands": 12,
}


@pytest.mark.parametrize("name", AREAS)
def test_no_case_ends_badly(name: str) -> None:
    judge_ = Judge(AREAS[name])
    fuzz(judge_, seed=1, n_cases=N_CASES[name])
    assert not judge_.faults, "\n".join(map(str, judge_.faults.values()))
    assert judge_.counts[Verdict.refused_well] + judge_.counts[Verdict.accepted] > 0


def test_what_was_not_changed_is_read() -> None:
    """Else each refusal would be counted as a good one."""
    folder = Foreign().prepare()
    for name, read in READERS.items():
        result = read(folder / name)
        assert isinstance(result, jtfne.Config) or result.size > 0, name
    context = Works().prepare()
    for name in FOLDERS:
        go_on(context, name, context["folder"] / name)
    repeat(context["signals"].manifest)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (jtfne.JtfneError("unknown area 'V9'"), Verdict.refused_well),
        (jtfne.JtfneError("\n".join("line" * 100)), Verdict.refused_well),  # it cuts itself
        (jtfne.JtfneError(""), Verdict.refused_obscurely),
        (TypeError("f() got an unexpected keyword argument 'x'"), Verdict.refused_well),
        (TypeError("'float' object is not iterable"), Verdict.refused_obscurely),
        (FileNotFoundError(2, "No such file", "x.toml"), Verdict.refused_well),
        (FileNotFoundError("lost"), Verdict.refused_obscurely),
        (MemoryError(), Verdict.refused_obscurely),
        (Meaningless("psd: not finite"), Verdict.meaningless),
    ],
)
def test_errors_are_judged(error: Exception, verdict: Verdict) -> None:
    assert judge(error).verdict is verdict


class Divisions(Described):
    """An area of two faults: an obscure error, and a number that is NaN."""

    name = "divisions"

    def prepare(self) -> None:
        """Nothing is shared."""

    def cases(self) -> st.SearchStrategy[Any]:
        """Small numbers."""
        return st.integers(-2, 8)

    def run(self, context: None, case: int) -> None:
        """Divide by the case."""
        if case < 0:
            raise Meaningless("division: negative")
        1 / case


def test_kinds_of_faults_are_counted_apart_and_the_first_of_each_is_kept() -> None:
    judge_ = Judge(Divisions())
    for number in range(6):
        fuzz(judge_, seed=number, n_cases=30)
    rows = {row["signature"]: row for row in judge_.rows() if "signature" in row}
    assert set(rows) == {"ZeroDivisionError at outside", "Meaningless at division"}
    assert rows["ZeroDivisionError at outside"]["case"] == "0"
    assert rows["Meaningless at division"]["count"] > 1
    assert judge_.counts[Verdict.accepted] > 0


TREE = {"a": [1, 2.0, {"b": "x"}], "c": None}


@given(mutated(TREE))
def test_a_mutation_changes_a_copy(drawn: tuple[Any, tuple[str, ...]]) -> None:
    _, changes = drawn
    assert changes
    assert TREE == {"a": [1, 2.0, {"b": "x"}], "c": None}


def test_places_are_the_paths_of_all_values() -> None:
    assert set(places(TREE)) == {("a",), ("a", 0), ("a", 1), ("a", 2), ("a", 2, "b"), ("c",)}
    assert value_in(TREE, ("a", 2, "b")) == "x"


def test_a_process_that_dies_or_hangs_is_a_fault(tmp_path: Path) -> None:
    worker = object.__new__(Worker)
    worker.area, worker.seed = "configs", 3
    worker.log, worker.current = tmp_path / "log.jsonl", tmp_path / "current"
    worker.current.write_text("the case", encoding="utf-8")
    worker.log.write_text('{"verdict": "refused well", "count": 7}\n', encoding="utf-8")
    worker.output = (tmp_path / "output.txt").open("w", encoding="utf-8")
    worker.process = type("Process", (), {"returncode": -11})()
    tally = Tally()
    worker.finish(tally, None)
    assert tally.counts == {"refused well": 7, "crash": 1}
    assert tally.faults[0]["case"] == "the case"
    assert tally.seeds == [3]


def test_an_outcome_without_fault_has_no_signature() -> None:
    assert judge(jtfne.JtfneError("x")) == Outcome(Verdict.refused_well)
