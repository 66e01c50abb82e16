"""The tables of docs/validation/agreement.rst, and agreement.json, which holds their numbers.

    python docs/validation/agreement.py --peer nest=PYTHON --peer hnn=PYTHON

PYTHON is an interpreter that has the peer; `nox -s agreement` makes them. LFPykit, MNE, SciPy and
elephant are installed beside jtfne. Of a peer that is not given, jtfne is compared with the numbers
that agreement.json keeps of it.
"""

import argparse
import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))  # the modules of this page are imported as those of its test

from docs.validation import _agreement_analysis as analysis_rows  # noqa: E402
from docs.validation import _agreement_fields as field_rows  # noqa: E402
from docs.validation import _agreement_hnn as hnn  # noqa: E402
from docs.validation import _agreement_nest as nest  # noqa: E402
from docs.validation import _agreement_nest_job as nest_job  # noqa: E402
from docs.validation._agreement import (  # noqa: E402
    UNEXPLAINED,
    ask_peer,
    compare_sides,
    dump_results,
    format_agreement,
    replace_tables,
)

RESULTS, PAGE = HERE / "agreement.json", HERE / "agreement.rst"
SCRIPTS = {"nest": HERE / "_agreement_peer_nest.py", "hnn": HERE / "_agreement_peer_hnn.py"}
LOCAL_PEERS = {"LFPykit": "lfpykit", "MNE": "mne", "elephant": "elephant", "SciPy": "scipy"}

NamedResult = tuple[str, dict[str, Any]]


def nest_results(stored: dict[str, Any]) -> Iterator[NamedResult]:
    """The rows of NEST, each circuit run once."""
    outcomes: dict[str, nest.Outcome] = {}
    for row in nest.ROWS:
        if row.circuit not in outcomes:
            outcomes[row.circuit] = nest.run_jtfne(row.circuit)
        theirs = stored[row.name]
        ours = nest.read(row, outcomes[row.circuit], theirs.get("steps"))
        yield row.name, compare_sides(row, ours["values"], theirs["values"])


def hnn_results(stored: dict[str, Any]) -> Iterator[NamedResult]:
    """The rows of hnn-core."""
    for row in hnn.ROWS:
        theirs = stored[row.name]
        yield row.name, compare_sides(row, hnn.read(row, theirs.get("steps")), theirs["values"])


def local_results() -> Iterator[NamedResult]:
    """The rows of the peers that are installed here."""
    for row in (*field_rows.ROWS, *analysis_rows.ROWS):
        yield row.name, compare_sides(row, *row.compute())


def collect_results(pythons: dict[str, str], earlier: dict[str, Any]) -> dict[str, Any]:
    """Ask the peers that are given, compare everything, print a line a row."""
    versions, stored = dict(earlier.get("versions", {})), dict(earlier.get("peers", {}))
    if "nest" in pythons:
        job = nest_job.job()
        answer = ask_peer(pythons["nest"], SCRIPTS["nest"], job)
        versions[nest.PEER], stored[nest.PEER] = answer["version"], nest.stored_values(job, answer)
    if "hnn" in pythons:
        answer = ask_peer(pythons["hnn"], SCRIPTS["hnn"], hnn.job())
        versions[hnn.PEER], stored[hnn.PEER] = answer["version"], hnn.stored_values(answer)
    missing = {nest.PEER, hnn.PEER} - set(stored)
    if missing:
        raise SystemExit(
            f"no numbers of {', '.join(sorted(missing))}: give --peer nest=PYTHON and --peer "
            "hnn=PYTHON"
        )
    versions |= {name: importlib.metadata.version(package) for name, package in LOCAL_PEERS.items()}
    rows: dict[str, dict[str, Any]] = {}
    for results in (
        nest_results(stored[nest.PEER]),
        local_results(),
        hnn_results(stored[hnn.PEER]),
    ):
        for name, result in results:
            print(f"{name:30s} {format_agreement(result):32s} {result['words']}", flush=True)
            rows[name] = result
    order = (nest.PEER, "LFPykit", "MNE", "SciPy", "elephant", hnn.PEER)
    return {"versions": {name: versions[name] for name in order}, "rows": rows, "peers": stored}


def main() -> None:
    """Compare, keep the numbers, write the tables; fail if a difference has no explanation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    pythons = dict(argument.split("=", 1) for argument in parser.parse_args().peer)
    if not set(pythons) <= set(SCRIPTS):
        parser.error(
            f"peers are {', '.join(SCRIPTS)}, not {', '.join(sorted(set(pythons) - set(SCRIPTS)))}"
        )
    earlier = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    results = collect_results(pythons, earlier)
    RESULTS.write_text(dump_results(results), encoding="utf-8")
    PAGE.write_text(replace_tables(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    unexplained = [
        name for name, result in results["rows"].items() if result["words"] == UNEXPLAINED
    ]
    if unexplained:
        raise SystemExit(f"differences without an explanation: {', '.join(unexplained)}")


if __name__ == "__main__":
    main()
